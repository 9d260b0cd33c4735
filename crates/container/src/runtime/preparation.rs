//! What a new container needs before it can start: its root, its mounts, its specification.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use cri::{Code, ContainerConfig, LinuxContainerSecurityContext, MountPropagation, Status};

use super::record::{self, ContainerFacts};
use super::staging::{self, Staging};
use super::{devices, internal, internal_chain, mounts, users};
use crate::cgroup::Cgroups;
use crate::images::{Image, ImageStore};
use crate::shim::protocol::{LAUNCH_FILE, LaunchSettings, UserMappings};
use crate::user::{self, Accounts, Identity};
use crate::{capability, lsm, propagation, seccomp, spec};

pub(super) const BUNDLE_SPEC: &str = "config.json";
const OPEN_FILES: u64 = 1_048_576;
/// What the kubelet knows a failed image volume by.
const IMAGE_VOLUME_FAILED: &str = "ImageVolumeMountFailed";

/// A pod's own user namespace.
pub(super) struct PodUsers {
    pub(super) mappings: UserMappings,
    pub(super) namespace: OwnedFd,
    /// Where the shim's children find it.
    pub(super) inside_shim: PathBuf,
}

/// All that making a bundle needs, so that it can be carried out aside.
pub(super) struct Preparation {
    pub(super) id: String,
    pub(super) folder: PathBuf,
    pub(super) root: PathBuf,
    pub(super) staged: PathBuf,
    pub(super) passages: Vec<PathBuf>,
    pub(super) images: ImageStore,
    pub(super) image: Image,
    pub(super) users: Option<PodUsers>,
    pub(super) config: ContainerConfig,
    pub(super) sandbox_config: cri::PodSandboxConfig,
    pub(super) cgroup: String,
    pub(super) process_namespace: Option<PathBuf>,
    pub(super) shared_memory: PathBuf,
    pub(super) sandbox_files: Vec<(String, String)>,
    pub(super) cgroups: Cgroups,
    pub(super) log_path: Option<PathBuf>,
    pub(super) created_at: i64,
}

impl Preparation {
    pub(super) fn carry_out(mut self) -> cri::Result<ContainerFacts> {
        record::create_folder(&self.folder).map_err(|error| internal_chain(&error))?;
        let image_config = self.images.config(&self.image).map_err(|error| internal_chain(&error))?;
        self.make_host_folders().map_err(internal("make a mount's source"))?;
        self.check_propagation()?;
        let volume_images = self.make_mounts()?;
        let context = self.config.linux.as_ref().and_then(|linux| linux.security_context.clone()).unwrap_or_default();
        let identity = self.identity(&context, &image_config.user)?;
        let built = self.specify(&context, &image_config, &identity)?;
        let launch = LaunchSettings {
            terminal: self.config.tty,
            stdin: self.config.stdin,
            stdin_once: self.config.stdin_once,
            log_path: self.log_path,
            cgroup: self.cgroup.clone(),
            shown_cgroups: built.shown_cgroups,
            own_processes: built.own_processes,
            security: built.security,
        };
        record::save(&self.folder, BUNDLE_SPEC, &built.oci).map_err(|error| internal_chain(&error))?;
        record::save(&self.folder, LAUNCH_FILE, &launch).map_err(|error| internal_chain(&error))?;
        Ok(ContainerFacts {
            created_at: self.created_at,
            image_ref: self.image.digests.first().cloned().unwrap_or_else(|| self.image.id.clone()),
            image_id: self.image.id,
            stop_signal: stop_signal(&image_config.stop_signal),
            cgroup: self.cgroup,
            uid: identity.uid,
            gid: identity.gid,
            groups: identity.groups,
            volume_images,
        })
    }

    /// As containerd: a source that is missing becomes a folder.
    fn make_host_folders(&self) -> io::Result<()> {
        for mount in self.config.mounts.iter().filter(|mount| mount.image.is_none()) {
            if !Path::new(&mount.host_path).try_exists()? {
                fs::create_dir_all(&mount.host_path)?;
            }
        }
        Ok(())
    }

    fn check_propagation(&self) -> cri::Result<()> {
        let wanted = |mount: &cri::Mount| MountPropagation::try_from(mount.propagation).unwrap_or_default();
        if self.config.mounts.iter().all(|mount| wanted(mount) == MountPropagation::Private) {
            return Ok(());
        }
        let table = fs::read_to_string("/proc/self/mountinfo").map_err(internal("read the mounts"))?;
        for mount in &self.config.mounts {
            let source = Path::new(&mount.host_path);
            let source = source.canonicalize().unwrap_or_else(|_| source.to_owned());
            propagation::check(&source, wanted(mount), &table)
                .map_err(|error| Status::new(Code::Unknown, format!("failed to generate spec: {error}")))?;
        }
        Ok(())
    }

    /// Mounts the root, and stages what the container's setup cannot mount itself. Answers the images that
    /// became volumes.
    fn make_mounts(&mut self) -> cri::Result<Vec<String>> {
        let mut staging = Staging::at(self.staged.clone());
        let store = self.images.layers_folder();
        let mapped = match &self.users {
            Some(users) => {
                staging::open_passages(&self.passages).map_err(internal("let the pod's root pass"))?;
                Some(staging.layers(&store, users.namespace.as_fd()).map_err(internal("map the image's owners"))?)
            }
            None => None,
        };
        let layers = |image: &Image| -> Vec<PathBuf> {
            let layers = self.images.layer_folders(image);
            match &mapped {
                Some(mapped) => layers.iter().map(|layer| mapped.find(layer)).collect(),
                None => layers,
            }
        };
        let owner = users::root_of(self.users.as_ref().map(|users| &users.mappings));
        mounts::mount_root(&layers(&self.image), &self.folder, &self.root, owner)
            .map_err(internal("mount the root file system"))?;
        let mut volume_images = Vec::new();
        for mount in &mut self.config.mounts {
            let Some(spec) = &mount.image else { continue };
            let (image, place) = image_volume(&self.images, &mut staging, mount, &spec.image, &layers)
                .map_err(|reason| Status::new(Code::Unknown, format!("{IMAGE_VOLUME_FAILED}: {reason}")))?;
            mount.host_path = place.display().to_string();
            volume_images.push(image);
        }
        if let Some(mapped) = mapped {
            mapped.release().map_err(internal("release the image's layers"))?;
        }
        self.stage_sources(&mut staging)?;
        Ok(volume_images)
    }

    /// The root of a pod with users of its own reaches no source where it lies, and owns none.
    fn stage_sources(&mut self, staging: &mut Staging) -> cri::Result<()> {
        let Some(users) = &self.users else { return Ok(()) };
        let namespace = users.namespace.as_fd();
        for mount in self.config.mounts.iter_mut().filter(|mount| mount.image.is_none()) {
            let is_mapped = !mount.uid_mappings.is_empty() || !mount.gid_mappings.is_empty();
            if is_mapped && !users::is_mapped_alike(&mount.uid_mappings, &mount.gid_mappings, &users.mappings) {
                let text = format!("mount {:?} is mapped otherwise than its pod", mount.container_path);
                return Err(Status::invalid(text));
            }
            let staged = staging.copy(Path::new(&mount.host_path), is_mapped.then_some(namespace));
            let step = format!("failed to create idmapped mount {:?}", mount.host_path);
            mount.host_path = staged.map_err(internal(step))?.display().to_string();
        }
        for (_, source) in &mut self.sandbox_files {
            let staged = staging.copy(Path::new(source), Some(namespace));
            *source = staged.map_err(internal("map the owners of the pod's files"))?.display().to_string();
        }
        self.shared_memory = staging.copy(&self.shared_memory, None).map_err(internal("stage /dev/shm"))?;
        Ok(())
    }

    fn identity(&self, context: &LinuxContainerSecurityContext, image_user: &str) -> cri::Result<Identity> {
        let users = mounts::read_inside(&self.root, "etc/passwd").map_err(internal("read the image's users"))?;
        let groups = mounts::read_inside(&self.root, "etc/group").map_err(internal("read the image's groups"))?;
        let accounts = Accounts { users: &users, groups: &groups };
        user::resolve(context, image_user, accounts)
            .map_err(|error| Status::invalid(format!("failed to generate user string: {error}")))
    }

    fn specify(
        &self,
        context: &LinuxContainerSecurityContext,
        image: &crate::images::ImageConfig,
        identity: &Identity,
    ) -> cri::Result<spec::Specification> {
        let host_devices =
            if context.privileged { devices::all().map_err(internal("list the host's devices"))? } else { Vec::new() };
        let asked = self.config.devices.iter().map(devices::look_up).collect::<io::Result<Vec<_>>>();
        let asked = asked.map_err(internal("look a device up"))?;
        let seccomp = seccomp::choose(context).map_err(|error| Status::invalid(stdx::error::chain(&error)))?;
        let profiles = lsm::loaded_profiles().map_err(|error| internal_chain(&error))?;
        let apparmor = lsm::profile(context, profiles.as_deref())
            .map_err(|error| Status::new(Code::Unknown, stdx::error::chain(&error)))?;
        let label = if lsm::is_selinux_enabled() { lsm::label(context.selinux_options.as_ref()) } else { None };
        spec::build(&spec::Inputs {
            container_id: &self.id,
            config: &self.config,
            sandbox: &self.sandbox_config,
            image,
            identity,
            root: &self.root,
            cgroup: &self.cgroup,
            process_namespace: self.process_namespace.as_deref(),
            users: self.users.as_ref().map(|users| (users.inside_shim.as_path(), &users.mappings)),
            shared_memory: &self.shared_memory,
            sandbox_files: &self.sandbox_files,
            host_devices: &host_devices,
            devices: &asked,
            unified_cgroups: self.cgroups.is_unified(),
            limits_huge_pages: self.cgroups.limits_huge_pages(),
            seccomp: &seccomp,
            apparmor_profile: apparmor.as_deref(),
            selinux_label: label.as_deref(),
            available_capabilities: capability::available().map_err(internal("read own capabilities"))?,
            open_files: open_files_limit().map_err(internal("read the limit of open files"))?,
        })
        .map_err(|error| Status::invalid(format!("failed to generate container {:?} spec: {error}", self.id)))
    }
}

/// Mounts an image, or a folder of it. Answers the image's id and the place.
fn image_volume(
    images: &ImageStore,
    staging: &mut Staging,
    mount: &cri::Mount,
    name: &str,
    layers: &dyn Fn(&Image) -> Vec<PathBuf>,
) -> Result<(String, PathBuf), String> {
    let path = &mount.container_path;
    if !mount.host_path.is_empty() {
        return Err(format!("hostpath must be empty while mount image: {path:?}"));
    }
    if !mount.readonly {
        return Err(format!("readonly must be true while mount image: {path:?}"));
    }
    if name.is_empty() {
        return Err(format!("image not specified in: {path:?}"));
    }
    let image = images.find(name).map_err(|error| stdx::error::chain(&error))?;
    let image = image.ok_or_else(|| format!("failed to resolve image {name:?}: not found"))?;
    let place = staging.image(&layers(&image), &mount.image_sub_path).map_err(|error| match &mount.image_sub_path {
        inner if inner.is_empty() => format!("failed to mount image volume {name:?}: {error}"),
        inner => format!("failed to ensure image subpath {inner:?} in {name:?}: {error}"),
    })?;
    Ok((image.id, place))
}

/// What Docker gives, as far as this program's own limit allows.
fn open_files_limit() -> io::Result<u64> {
    let (_, hard) = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE)?;
    Ok(hard.min(OPEN_FILES))
}

/// The image's `StopSignal`: a name with or without SIG, a number, or SIGTERM.
fn stop_signal(text: &str) -> i32 {
    if let Ok(number) = text.parse::<i32>() {
        return if (1..=64).contains(&number) { number } else { libc::SIGTERM };
    }
    let upper = text.to_ascii_uppercase();
    let name = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
    if let Some(offset) = name.strip_prefix("SIGRTMIN+").and_then(|offset| offset.parse::<i32>().ok()) {
        return libc::SIGRTMIN() + offset.clamp(0, 30);
    }
    name.parse::<nix::sys::signal::Signal>().map_or(libc::SIGTERM, |signal| signal as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_signals_are_read_as_images_write_them() {
        for (text, expected) in [
            ("", libc::SIGTERM),
            ("SIGQUIT", libc::SIGQUIT),
            ("quit", libc::SIGQUIT),
            ("3", libc::SIGQUIT),
            ("SIGRTMIN+3", libc::SIGRTMIN() + 3),
            ("900", libc::SIGTERM),
            ("nonsense", libc::SIGTERM),
        ] {
            assert_eq!(stop_signal(text), expected, "{text:?}");
        }
    }
}
