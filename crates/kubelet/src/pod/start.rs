//! Starts a pod's sandbox and its containers: the order of the calls, and what is said of a failure.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::k8s::api::core::v1::{Container, Pod, Secret, Volume};
use api::k8s::api::node::v1::RuntimeClass;
use client::{Api, CallError};
use cri::{
    CreateContainerRequest, ImageSpec, Mount, RemoveContainerRequest, RunPodSandboxRequest, StartContainerRequest,
};
use reconcile::EventType::{Normal, Warning};
use tokio_util::sync::CancellationToken;

use super::observed::{Observed, State};
use super::spec::{self, Role};
use super::{Context, cgroups, images, lifecycle, stop};
use crate::config::container::{Prepared, termination_message_path};
use crate::config::fields::Addresses;
use crate::config::security::{self, ImageUser};
use crate::config::{self, env_file, environment, hosts, names, qos};
use crate::managers;
use crate::userns;
use crate::volumes::attach;
use crate::volumes::claims::{self, MountedClaim};
use crate::volumes::{self, PodVolumes, ReadyVolumes};

/// The program could not be started, as when there is none of that name.
pub(crate) const RUN_CONTAINER_ERROR: &str = "RunContainerError";

/// Why a container or sandbox did not start: a waiting reason and its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

impl Failed {
    fn new(reason: &'static str, message: impl Into<String>) -> Failed {
        Failed { reason, message: message.into() }
    }
}

/// Whether volumes must first be attached to the node.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Attachment<'a> {
    /// Cancelled when the pod is to end meanwhile.
    Awaited(&'a CancellationToken),
    /// They are mounted.
    Stands,
}

/// Sets up what the pod mounts.
pub(crate) async fn set_up_volumes(
    context: &Context,
    pod: &Pod,
    observed: &Observed,
    attachment: Attachment<'_>,
) -> Result<Arc<ReadyVolumes>, Failed> {
    let result = try_volumes(context, pod, observed, attachment).await;
    result.map(Arc::new).map_err(|message| {
        context.pod_event(pod, Warning, "FailedMount", message.clone());
        Failed::new("FailedMount", message)
    })
}

async fn try_volumes(
    context: &Context,
    pod: &Pod,
    observed: &Observed,
    attachment: Attachment<'_>,
) -> Result<ReadyVolumes, String> {
    let objects = context.references.objects(pod).await.map_err(|error| error.to_string())?;
    let claims = claims::fetch(&context.client, pod).await.map_err(|error| error.to_string())?;
    if let Attachment::Awaited(cancel) = attachment {
        let attachable = attach::attachable(context, &claims).await.map_err(|error| stdx::error::chain(&error))?;
        attach::wait(context, spec::uid(pod), &attachable, cancel).await?;
    }
    let pod_ips = pod_ips(context, pod, observed);
    let node = context.own_node();
    let all = PodVolumes {
        pod,
        objects: &objects,
        claims: &claims,
        addresses: Addresses { pod_ips: &pod_ips, host_ips: &context.node.node_ips },
        node: &context.node,
        node_labels: node.as_ref().and_then(|node| node.metadata.labels.as_ref()),
        mounter: &*context.mounter,
        tokens: &context.tokens,
        now: context.ambient.clock.now(),
    };
    let ready = volumes::set_up(&all).await.map_err(|error| stdx::error::chain(&error))?;
    let mounted = claims.iter().filter_map(|(name, bound)| {
        Some(MountedClaim {
            volume: name.clone(),
            namespace: spec::namespace(pod).to_owned(),
            claim: bound.claim.clone(),
            path: ready.path(name)?.to_owned(),
        })
    });
    context.mounted_claims.set(spec::uid(pod), mounted.collect());
    Ok(ready)
}

pub(crate) async fn start_sandbox(context: &Context, pod: &Pod, attempt: u32) -> Result<(), Failed> {
    let failed = |message: String| {
        let message = format!("Failed to create pod sandbox: {message}");
        context.pod_event(pod, Warning, "FailedCreatePodSandBox", message.clone());
        Failed::new("CreatePodSandboxError", message)
    };
    let resolv_conf = read_or_empty(&context.node.resolv_conf).map_err(|error| failed(error.to_string()))?;
    let mut config = config::sandbox::config(pod, attempt, &context.node, &resolv_conf)
        .map_err(|error| failed(error.to_string()))?;
    let users = userns::of_pod(&context.node.root_dir, pod).map_err(|error| failed(stdx::error::chain(&error)))?;
    if let Some(users) = users {
        userns::give_to_sandbox(&mut config, users);
    }
    make_folder(Path::new(&config.log_directory)).map_err(|error| failed(error.to_string()))?;
    let cgroup = qos::cgroup_parent(&context.node.cgroup_root, pod);
    let limits = cgroups::Limits::of(pod, &context.node);
    let limits = if context.managers.has_own_cpus(pod) { limits.unthrottled() } else { limits };
    cgroups::bound(&context.node.cgroup_mount, &cgroup, &limits)
        .map_err(|error| failed(format!("setting the pod's limits: {error}")))?;
    let runtime_handler = runtime_handler(context, pod).await.map_err(failed)?;
    let request = RunPodSandboxRequest { config: Some(config), runtime_handler };
    context.runtime.run_pod_sandbox(request).await.map_err(|status| failed(status.to_string()))?;
    Ok(())
}

/// What the pod's runtime class has the runtime do; empty for the usual.
async fn runtime_handler(context: &Context, pod: &Pod) -> Result<String, String> {
    let Some(name) = spec::spec(pod).runtime_class_name.as_ref().filter(|name| !name.is_empty()) else {
        return Ok(String::new());
    };
    let classes: Api<RuntimeClass> = Api::all(context.client.clone());
    match classes.get_opt(name).await.map_err(CallError::from) {
        Ok(Some(class)) => Ok(class.handler),
        Ok(None) => Err(format!("runtimeclass.node.k8s.io {name:?} not found")),
        Err(error) => Err(format!("failed to lookup RuntimeClass {name}: {error}")),
    }
}

/// One start of one container.
pub(crate) struct ContainerStart {
    pub(crate) context: Arc<Context>,
    pub(crate) pod: Arc<Pod>,
    pub(crate) observed: Observed,
    pub(crate) volumes: Arc<ReadyVolumes>,
    pub(crate) name: String,
    pub(crate) restart_count: u32,
    /// Cuts the two long waits short, a registry's and a hook's. The calls to the runtime are left to
    /// end: a container half made would be nobody's.
    pub(crate) cancel: CancellationToken,
}

impl ContainerStart {
    pub(crate) async fn run(self) -> Result<(), Failed> {
        let sandbox = self.observed.current_sandbox().map(|sandbox| sandbox.id.clone()).unwrap_or_default();
        let Some((container, role)) = spec::find(&self.pod, &self.name) else {
            return Err(Failed::new(
                "CreateContainerConfigError",
                format!("container {:?} is not in the spec", self.name),
            ));
        };
        self.remove_unstarted().await;
        let objects = self.context.references.objects(&self.pod).await;
        let objects = objects.map_err(|error| self.fail("CreateContainerConfigError", error.to_string()))?;
        let pull_secrets: Vec<_> = objects.secrets.values().cloned().collect();
        let image = images::ensure(&self.context, &self.pod, &container, &pull_secrets);
        let Some(image) = self.cancel.run_until_cancelled(image).await else { return Err(cancelled()) };
        let image = image.map_err(|failure| {
            self.say(Warning, "Failed", format!("Error: {}", failure.reason));
            Failed::new(failure.reason, failure.message)
        })?;
        let volume_images = self.volume_images(&container, &pull_secrets).await?;
        let prepared = self.context.managers.devices.before_start(spec::uid(&self.pod), &self.name).await;
        prepared.map_err(|error| self.fail("CreateContainerConfigError", error.to_string()))?;
        let user = ImageUser { uid: image.uid.map(|uid| uid.value), username: image.username };
        let config = self.config(&container, role, &objects, image.id, user, &volume_images);
        let config = config.map_err(|message| self.fail("CreateContainerConfigError", message))?;
        let resources = config.linux.as_ref().and_then(|linux| linux.resources.as_ref());
        let made_for = resources.map_or(String::new(), |resources| resources.cpuset_cpus.clone());
        let sandbox_config = read_or_empty(&self.context.node.resolv_conf)
            .ok()
            .and_then(|resolv_conf| config::sandbox::config(&self.pod, 0, &self.context.node, &resolv_conf).ok());
        let request = CreateContainerRequest { pod_sandbox_id: sandbox, config: Some(config), sandbox_config };
        let created = self.context.runtime.create_container(request).await;
        let id = created.map_err(|status| self.fail("CreateContainerError", status.message))?.container_id;
        self.say(Normal, "Created", format!("Created container: {}", self.name));
        self.start(&id).await?;
        self.say(Normal, "Started", format!("Started container {}", self.name));
        let settled = managers::settle(&self.context, spec::uid(&self.pod), &self.name, &id, &made_for).await;
        if let Err(status) = settled {
            tracing::warn!(container = id, error = %status, "a container was not moved to other processors");
        }
        self.post_start(&container, &id).await
    }

    /// The images that the container mounts, by volume.
    async fn volume_images(
        &self,
        container: &Container,
        secrets: &[Secret],
    ) -> Result<BTreeMap<String, ImageSpec>, Failed> {
        let mut found = BTreeMap::new();
        let mounted =
            |volume: &&Volume| container.volume_mounts.iter().flatten().any(|mount| mount.name == volume.name);
        for volume in spec::spec(&self.pod).volumes.iter().flatten().filter(mounted) {
            let Some(source) = &volume.image else { continue };
            // Fetched as a container's image is, under its policy and with the same events.
            let as_container = Container {
                name: container.name.clone(),
                image: source.reference.clone(),
                image_pull_policy: source.pull_policy.clone(),
                ..Container::default()
            };
            let image = images::ensure(&self.context, &self.pod, &as_container, secrets);
            let Some(image) = self.cancel.run_until_cancelled(image).await else { return Err(cancelled()) };
            let image = image.map_err(|failure| {
                self.say(Warning, "Failed", format!("Error: {}", failure.reason));
                Failed::new(failure.reason, failure.message)
            })?;
            let user_specified_image = source.reference.clone().unwrap_or_default();
            let image = ImageSpec { image: image.id, user_specified_image, ..ImageSpec::default() };
            found.insert(volume.name.clone(), image);
        }
        Ok(found)
    }

    /// Where the runtime has forgotten the container, as after a reboot, its logs may still know how often
    /// it was started. A new run never writes into an old one's log.
    fn count_by_logs(&self) -> io::Result<u32> {
        if self.observed.latest(&self.name).is_some() {
            return Ok(self.restart_count);
        }
        let folder = names::log_dir(&self.context.node.pod_log_dir, &self.pod).join(&self.name);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(self.restart_count),
            entries => entries?,
        };
        let files: Vec<String> =
            entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<io::Result<_>>()?;
        Ok(names::count_after_logs(files.iter().map(String::as_str)).max(self.restart_count))
    }

    fn config(
        &self,
        container: &Container,
        role: Role,
        objects: &environment::Objects,
        image_ref: String,
        image_user: ImageUser,
        volume_images: &BTreeMap<String, ImageSpec>,
    ) -> Result<cri::ContainerConfig, String> {
        let (context, pod) = (&*self.context, &*self.pod);
        security::verify_non_root(pod, container, &image_user).map_err(|error| error.to_string())?;
        let pod_ips = pod_ips(context, pod, &self.observed);
        let addresses = Addresses { pod_ips: &pod_ips, host_ips: &context.node.node_ips };
        let services: Vec<_> = context.services.list().iter().map(|service| (**service).clone()).collect();
        let files = env_file::read_all(container, |volume| self.volumes.path(volume));
        let objects = environment::Objects { files, ..objects.clone() };
        let environment = environment::generate(pod, container, &objects, &services, addresses, &context.node)
            .map_err(|error| error.to_string())?;
        let lookup = |name: &str| environment.get(name);
        let mut mounts = volumes::container_mounts(
            pod,
            container,
            &self.volumes,
            lookup,
            volume_images,
            &context.node,
            &*context.mounter,
        )
        .map_err(|error| stdx::error::chain(&error))?;
        self.add_own_mounts(container, &pod_ips, &mut mounts).map_err(|error| error.to_string())?;
        let log_dir = names::log_dir(&context.node.pod_log_dir, pod).join(&container.name);
        make_folder(&log_dir).map_err(|error| error.to_string())?;
        let target = spec::ephemeral_containers(pod).iter().find(|ephemeral| ephemeral.name == container.name);
        let target = target.and_then(|ephemeral| ephemeral.target_container_name.as_deref());
        let target_id = target.and_then(|name| self.observed.latest(name)).map(|target| target.id.clone());
        let restart_count = self.count_by_logs().map_err(|error| error.to_string())?;
        let allotment = context.managers.allotment(spec::uid(pod), &container.name);
        let prepared =
            Prepared { role, restart_count, image_ref, image_user, environment, mounts, target_id, allotment };
        let mut config = config::container::config(pod, container, prepared, &context.node);
        let users = userns::of_pod(&context.node.root_dir, pod).map_err(|error| stdx::error::chain(&error))?;
        if let Some(users) = users {
            userns::give_to_container(&mut config, users);
        }
        if let Some(resources) = config.linux.as_mut().and_then(|linux| linux.resources.as_mut()) {
            cgroups::end_as_a_whole(resources, &context.node.cgroup_mount);
        }
        Ok(config)
    }

    /// `/etc/hosts` and the file for last words.
    fn add_own_mounts(&self, container: &Container, pod_ips: &[String], mounts: &mut Vec<Mount>) -> io::Result<()> {
        let (context, pod) = (&*self.context, &*self.pod);
        let pod_dir = names::pod_dir(&context.node.root_dir, spec::uid(pod));
        make_folder(&pod_dir)?;
        if !mounts.iter().any(|mount| mount.container_path == "/etc/hosts") {
            let path = pod_dir.join("etc-hosts");
            let host_file = read_or_empty(Path::new("/etc/hosts"))?;
            // Written in place: containers that run have this very file mounted.
            write_with_mode(&path, &hosts::contents(pod, pod_ips, &context.node.cluster_domain, &host_file), 0o644)?;
            mounts.push(file_mount("/etc/hosts", path));
        }
        let message_path = termination_message_path(container);
        let folder = pod_dir.join("containers").join(&container.name);
        make_folder(&folder)?;
        let path = folder.join(context.ambient.random.suffix(8));
        // Whoever the container runs as may write it.
        write_with_mode(&path, "", 0o666)?;
        mounts.push(file_mount(message_path, path));
        Ok(())
    }

    async fn start(&self, id: &str) -> Result<(), Failed> {
        let request = StartContainerRequest { container_id: id.to_owned() };
        let Err(status) = self.context.runtime.start_container(request).await else { return Ok(()) };
        // Whatever the runtime keeps of it stays: an exit tells why, and both carry the count on.
        Err(self.fail(RUN_CONTAINER_ERROR, status.message))
    }

    async fn post_start(&self, container: &Container, id: &str) -> Result<(), Failed> {
        let hook = container.lifecycle.as_ref().and_then(|lifecycle| lifecycle.post_start.as_ref());
        let Some(hook) = hook else { return Ok(()) };
        let address = address(&self.context, &self.pod, &self.observed);
        let run = lifecycle::run(&self.context, hook, container, id, &address);
        let Some(result) = self.cancel.run_until_cancelled(run).await else { return Err(cancelled()) };
        let Err(error) = result else { return Ok(()) };
        tracing::warn!(pod = spec::long_name(&self.pod), container = self.name, error = %error, "the postStart hook failed");
        self.say(Warning, "FailedPostStartHook", "PostStartHook failed".to_owned());
        let deadline = self.context.ambient.clock.now();
        let deadline = deadline
            .saturating_add(jiff::SignedDuration::from_secs(spec::termination_grace_seconds(&self.pod)))
            .unwrap_or(deadline);
        let stop = stop::ContainerStop {
            context: Arc::clone(&self.context),
            pod: Arc::clone(&self.pod),
            id: id.to_owned(),
            name: self.name.clone(),
            why: "FailedPostStartHook".to_owned(),
            deadline,
            address,
        };
        stop.run().await.map_err(|status| self.fail("PostStartHookError", status.message))?;
        Err(self.fail("PostStartHookError", format!("PostStartHook failed: {error}")))
    }

    /// Containers that were made but never ran, as when this program was killed in between.
    async fn remove_unstarted(&self) {
        let unstarted =
            |container: &&super::observed::Container| container.name == self.name && container.state == State::Created;
        for container in self.observed.containers.iter().filter(unstarted) {
            self.remove(&container.id).await;
        }
    }

    async fn remove(&self, id: &str) {
        let request = RemoveContainerRequest { container_id: id.to_owned() };
        if let Err(status) = self.context.runtime.remove_container(request).await {
            tracing::warn!(container = id, error = %status, "a container that never ran could not be removed");
        }
    }

    fn fail(&self, reason: &'static str, message: impl Into<String>) -> Failed {
        let failed = Failed::new(reason, message);
        self.say(Warning, "Failed", format!("Error: {}", failed.message));
        failed
    }

    fn say(&self, event_type: reconcile::EventType, reason: &str, message: String) {
        self.context.container_event(&self.pod, &self.name, event_type, reason, message);
    }
}

fn cancelled() -> Failed {
    Failed::new("ContainerCreating", "")
}

/// Where the pod's containers listen.
pub(crate) fn address(context: &Context, pod: &Pod, observed: &Observed) -> String {
    pod_ips(context, pod, observed).into_iter().next().unwrap_or_default()
}

fn pod_ips(context: &Context, pod: &Pod, observed: &Observed) -> Vec<String> {
    if spec::is_host_network(pod) {
        return context.node.node_ips.clone();
    }
    observed.current_sandbox().map(|sandbox| sandbox.ips.clone()).unwrap_or_default()
}

fn file_mount(container_path: &str, host_path: PathBuf) -> Mount {
    let host_path = host_path.to_string_lossy().into_owned();
    Mount { container_path: container_path.to_owned(), host_path, ..Mount::default() }
}

fn make_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

fn write_with_mode(path: &Path, contents: &str, mode: u32) -> io::Result<()> {
    fs::write(path, contents)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

fn read_or_empty(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        result => result,
    }
}
