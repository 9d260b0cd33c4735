//! The kernel's security modules, where they are: AppArmor's profiles and SELinux's labels.

use std::fs;
use std::io;
use std::path::Path;

use cri::{LinuxContainerSecurityContext, ProfileType, SELinuxOption};

const APPARMOR_ENABLED: &str = "/sys/module/apparmor/parameters/enabled";
const APPARMOR_PROFILES: &str = "/sys/kernel/security/apparmor/profiles";
const SELINUX: &str = "/sys/fs/selinux";
/// What other runtimes load for containers; whichever is there is the default.
const DEFAULT_PROFILES: [&str; 2] = ["cri-containerd.apparmor.d", "docker-default"];
const PROFILE_PREFIX: &str = "localhost/";

#[derive(Debug, thiserror::Error)]
pub(crate) enum LsmError {
    #[error("failed to generate apparmor spec opts: apparmor is not supported")]
    NoAppArmor,
    #[error("failed to generate apparmor spec opts: apparmor profile not found {0}")]
    NoProfile(String),
    #[error("cannot read the kernel's AppArmor profiles")]
    Profiles(#[source] io::Error),
}

/// The profiles the kernel has loaded; none: AppArmor is off, or nobody mounted the file system that tells of it, as
/// on machines that do not use it.
pub(crate) fn loaded_profiles() -> Result<Option<Vec<String>>, LsmError> {
    read_profiles(Path::new(APPARMOR_ENABLED), Path::new(APPARMOR_PROFILES))
}

fn read_profiles(enabled: &Path, profiles: &Path) -> Result<Option<Vec<String>>, LsmError> {
    match fs::read_to_string(enabled) {
        Ok(answer) if answer.starts_with('Y') => {}
        _ => return Ok(None),
    }
    let text = match fs::read_to_string(profiles) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(LsmError::Profiles)?,
    };
    // A line is `name (mode)`.
    let name = |line: &str| line.rsplit_once(" (").map_or(line, |(name, _)| name).to_owned();
    Ok(Some(text.lines().map(name).collect()))
}

/// The profile to run under; none: unconfined.
pub(crate) fn profile(
    security: &LinuxContainerSecurityContext,
    loaded: Option<&[String]>,
) -> Result<Option<String>, LsmError> {
    let asked = security.apparmor.as_ref();
    let kind = asked.and_then(|asked| ProfileType::try_from(asked.profile_type).ok());
    let Some(loaded) = loaded else {
        return match kind {
            None | Some(ProfileType::Unconfined) => Ok(None),
            Some(_) => Err(LsmError::NoAppArmor),
        };
    };
    let default = || DEFAULT_PROFILES.iter().find(|name| loaded.iter().any(|known| known == *name));
    match kind {
        Some(ProfileType::Unconfined) => Ok(None),
        None if security.privileged => Ok(None),
        None => Ok(default().map(|name| (*name).to_owned())),
        Some(ProfileType::Runtimedefault) => match default() {
            Some(name) => Ok(Some((*name).to_owned())),
            None => Err(LsmError::NoProfile(DEFAULT_PROFILES[0].to_owned())),
        },
        Some(ProfileType::Localhost) => {
            let name = asked.map_or("", |asked| asked.localhost_ref.as_str());
            let name = name.strip_prefix(PROFILE_PREFIX).unwrap_or(name);
            match loaded.iter().any(|known| known == name) {
                true => Ok(Some(name.to_owned())),
                false => Err(LsmError::NoProfile(name.to_owned())),
            }
        }
    }
}

pub(crate) fn is_selinux_enabled() -> bool {
    Path::new(SELINUX).join("enforce").exists()
}

/// The label of a container's processes, where the pod names parts of one; the rest is what container policies call
/// their default.
pub(crate) fn label(options: Option<&SELinuxOption>) -> Option<String> {
    let options = options?;
    let parts = [
        (&options.user, "system_u"),
        (&options.role, "system_r"),
        (&options.r#type, "container_t"),
        (&options.level, "s0"),
    ];
    if parts.iter().all(|(part, _)| part.is_empty()) {
        return None;
    }
    let chosen = parts.map(|(part, default)| if part.is_empty() { default } else { part.as_str() });
    Some(chosen.join(":"))
}

#[cfg(test)]
mod tests {
    use cri::SecurityProfile;

    use super::*;

    fn ask(kind: Option<ProfileType>, name: &str, privileged: bool, loaded: Option<&[&str]>) -> Result<String, String> {
        let apparmor = kind.map(|kind| SecurityProfile { profile_type: kind as i32, localhost_ref: name.to_owned() });
        let security = LinuxContainerSecurityContext { apparmor, privileged, ..Default::default() };
        let loaded = loaded.map(|names| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        let chosen = profile(&security, loaded.as_deref()).map_err(|error| error.to_string())?;
        Ok(chosen.unwrap_or_else(|| "unconfined".to_owned()))
    }

    #[test]
    fn a_profile_must_be_there_to_be_asked_for() {
        use ProfileType::{Localhost, Runtimedefault, Unconfined};
        let (ours, other) = (Some(&["web", "cri-containerd.apparmor.d"][..]), Some(&["web"][..]));
        for (kind, name, privileged, loaded, expected) in [
            (None, "", false, None, Ok("unconfined")),
            (Some(Unconfined), "", false, None, Ok("unconfined")),
            (Some(Runtimedefault), "", false, None, Err("apparmor is not supported")),
            (Some(Localhost), "web", false, None, Err("apparmor is not supported")),
            (None, "", false, ours, Ok("cri-containerd.apparmor.d")),
            (None, "", false, other, Ok("unconfined")),
            (None, "", true, ours, Ok("unconfined")),
            (Some(Unconfined), "", false, ours, Ok("unconfined")),
            (Some(Runtimedefault), "", false, ours, Ok("cri-containerd.apparmor.d")),
            (Some(Runtimedefault), "", false, other, Err("apparmor profile not found cri-containerd.apparmor.d")),
            (Some(Localhost), "web", false, ours, Ok("web")),
            (Some(Localhost), "localhost/web", false, ours, Ok("web")),
            (Some(Localhost), "absent", false, ours, Err("apparmor profile not found absent")),
        ] {
            let expected = expected.map(str::to_owned);
            let expected = expected.map_err(|text| format!("failed to generate apparmor spec opts: {text}"));
            assert_eq!(ask(kind, name, privileged, loaded), expected, "{kind:?} {name:?} {loaded:?}");
        }
    }

    #[test]
    fn profiles_are_read_where_the_kernel_shows_them() {
        let folder = tempfile::tempdir().unwrap();
        let (enabled, profiles) = (folder.path().join("enabled"), folder.path().join("profiles"));
        let read = || read_profiles(&enabled, &profiles).unwrap();
        assert_eq!(read(), None);
        fs::write(&enabled, "Y\n").unwrap();
        assert_eq!(read(), None, "its file system is not mounted");
        fs::write(&profiles, "docker-default (enforce)\n/usr/bin/man (complain)\nwith space (x) (enforce)\n").unwrap();
        assert_eq!(read().unwrap(), ["docker-default", "/usr/bin/man", "with space (x)"]);
        fs::write(&enabled, "N\n").unwrap();
        assert_eq!(read(), None);
    }

    #[test]
    fn a_label_is_completed_where_a_part_is_given() {
        let options = |r#type: &str, level: &str| SELinuxOption {
            r#type: r#type.to_owned(),
            level: level.to_owned(),
            ..SELinuxOption::default()
        };
        assert_eq!(label(None), None);
        assert_eq!(label(Some(&options("", ""))), None);
        assert_eq!(label(Some(&options("", "s0:c1,c2"))).unwrap(), "system_u:system_r:container_t:s0:c1,c2");
        assert_eq!(label(Some(&options("spc_t", ""))).unwrap(), "system_u:system_r:spc_t:s0");
    }
}
