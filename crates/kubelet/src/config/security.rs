//! Security contexts, as CRI has them.

use std::path::Path;

use api::k8s::api::core::v1::{AppArmorProfile, Container, Pod, SELinuxOptions, SeccompProfile, SecurityContext};
use cri::{
    Capability, Int64Value, LinuxContainerSecurityContext, LinuxSandboxSecurityContext, NamespaceMode, NamespaceOption,
    ProfileType, SELinuxOption, SecurityProfile, SupplementalGroupsPolicy,
};

use crate::pod::spec::{self, Role};

/// Hidden from containers, as every runtime hides them.
const MASKED_PATHS: [&str; 11] = [
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
];
const READONLY_PATHS: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NonRootError {
    #[error("container's runAsUser breaks non-root policy (pod: \"{pod}\", container: {container})")]
    RunAsRoot { pod: String, container: String },
    #[error("container has runAsNonRoot and image will run as root (pod: \"{pod}\", container: {container})")]
    ImageRunsAsRoot { pod: String, container: String },
    #[error(
        "container has runAsNonRoot and image has non-numeric user ({user}), cannot verify user is non-root \
         (pod: \"{pod}\", container: {container})"
    )]
    NamedUser { user: String, pod: String, container: String },
}

/// Who the image says it runs as.
#[derive(Clone, Debug, Default)]
pub(crate) struct ImageUser {
    pub(crate) uid: Option<i64>,
    pub(crate) username: String,
}

/// Refuses root where `runAsNonRoot` forbids it.
pub(crate) fn verify_non_root(pod: &Pod, container: &Container, image: &ImageUser) -> Result<(), NonRootError> {
    let (own, of_pod) = (container.security_context.as_ref(), spec::spec(pod).security_context.as_ref());
    let forbidden = own.and_then(|own| own.run_as_non_root).or(of_pod.and_then(|of_pod| of_pod.run_as_non_root));
    if forbidden != Some(true) {
        return Ok(());
    }
    let (pod_name, name) = (spec::long_name(pod), container.name.clone());
    match run_as_user(pod, container) {
        Some(0) => Err(NonRootError::RunAsRoot { pod: pod_name, container: name }),
        Some(_) => Ok(()),
        None if image.uid == Some(0) || (image.uid.is_none() && image.username.is_empty()) => {
            Err(NonRootError::ImageRunsAsRoot { pod: pod_name, container: name })
        }
        None if image.uid.is_none() => {
            Err(NonRootError::NamedUser { user: image.username.clone(), pod: pod_name, container: name })
        }
        None => Ok(()),
    }
}

pub(crate) fn for_container(
    pod: &Pod,
    container: &Container,
    role: Role,
    target_id: Option<&str>,
    image: &ImageUser,
    root_dir: &Path,
) -> LinuxContainerSecurityContext {
    static NONE: std::sync::LazyLock<SecurityContext> = std::sync::LazyLock::new(SecurityContext::default);
    let own = container.security_context.as_ref().unwrap_or(&NONE);
    let of_pod = spec::spec(pod).security_context.as_ref();
    let privileged = own.privileged.unwrap_or(false);
    let user = run_as_user(pod, container).or(image.uid.filter(|_| image.username.is_empty()));
    let unmasked = privileged || own.proc_mount.as_deref() == Some("Unmasked");
    let paths = |paths: &[&str]| -> Vec<String> {
        if unmasked { Vec::new() } else { paths.iter().map(|path| (*path).to_owned()).collect() }
    };
    let seccomp = own.seccomp_profile.as_ref().or(of_pod.and_then(|of_pod| of_pod.seccomp_profile.as_ref()));
    let apparmor = own.app_armor_profile.as_ref().or(of_pod.and_then(|of_pod| of_pod.app_armor_profile.as_ref()));
    let selinux = own.se_linux_options.as_ref().or(of_pod.and_then(|of_pod| of_pod.se_linux_options.as_ref()));
    LinuxContainerSecurityContext {
        capabilities: own.capabilities.as_ref().map(|capabilities| Capability {
            add_capabilities: capabilities.add.clone().unwrap_or_default(),
            drop_capabilities: capabilities.drop.clone().unwrap_or_default(),
            add_ambient_capabilities: Vec::new(),
        }),
        privileged,
        namespace_options: Some(namespaces(pod, role, target_id)),
        selinux_options: selinux.map(selinux_option),
        run_as_user: user.map(|value| Int64Value { value }),
        run_as_group: own
            .run_as_group
            .or(of_pod.and_then(|of_pod| of_pod.run_as_group))
            .map(|value| Int64Value { value }),
        run_as_username: if user.is_none() { image.username.clone() } else { String::new() },
        readonly_rootfs: own.read_only_root_filesystem.unwrap_or(false),
        supplemental_groups: supplemental_groups(pod),
        supplemental_groups_policy: groups_policy(pod) as i32,
        no_new_privs: own.allow_privilege_escalation == Some(false),
        masked_paths: paths(&MASKED_PATHS),
        readonly_paths: paths(&READONLY_PATHS),
        seccomp: Some(if privileged { unconfined() } else { seccomp_profile(seccomp, root_dir) }),
        apparmor: apparmor.map(apparmor_profile),
        ..LinuxContainerSecurityContext::default()
    }
}

pub(crate) fn for_sandbox(pod: &Pod, root_dir: &Path) -> LinuxSandboxSecurityContext {
    let of_pod = spec::spec(pod).security_context.as_ref();
    let privileged = spec::init_containers(pod)
        .iter()
        .chain(&spec::spec(pod).containers)
        .any(|container| container.security_context.as_ref().is_some_and(|context| context.privileged == Some(true)));
    let value = |value: Option<i64>| value.map(|value| Int64Value { value });
    LinuxSandboxSecurityContext {
        namespace_options: Some(namespaces(pod, Role::App, None)),
        selinux_options: of_pod.and_then(|of_pod| of_pod.se_linux_options.as_ref()).map(selinux_option),
        run_as_user: value(of_pod.and_then(|of_pod| of_pod.run_as_user)),
        run_as_group: value(of_pod.and_then(|of_pod| of_pod.run_as_group)),
        supplemental_groups: supplemental_groups(pod),
        supplemental_groups_policy: groups_policy(pod) as i32,
        privileged,
        seccomp: Some(seccomp_profile(of_pod.and_then(|of_pod| of_pod.seccomp_profile.as_ref()), root_dir)),
        ..LinuxSandboxSecurityContext::default()
    }
}

fn run_as_user(pod: &Pod, container: &Container) -> Option<i64> {
    let own = container.security_context.as_ref().and_then(|context| context.run_as_user);
    own.or_else(|| spec::spec(pod).security_context.as_ref().and_then(|context| context.run_as_user))
}

fn namespaces(pod: &Pod, role: Role, target_id: Option<&str>) -> NamespaceOption {
    let spec = spec::spec(pod);
    let pick = |host: Option<bool>| if host == Some(true) { NamespaceMode::Node } else { NamespaceMode::Pod };
    let pid = match (spec.host_pid, spec.share_process_namespace, target_id) {
        (Some(true), ..) => NamespaceMode::Node,
        (_, Some(true), _) => NamespaceMode::Pod,
        (_, _, Some(_)) if role == Role::Ephemeral => NamespaceMode::Target,
        _ => NamespaceMode::Container,
    };
    NamespaceOption {
        network: pick(spec.host_network) as i32,
        pid: pid as i32,
        ipc: pick(spec.host_ipc) as i32,
        target_id: target_id.filter(|_| pid == NamespaceMode::Target).unwrap_or("").to_owned(),
        userns_options: None,
    }
}

/// The pod's extra groups; the group that owns its volumes is one of them.
fn supplemental_groups(pod: &Pod) -> Vec<i64> {
    let Some(of_pod) = &spec::spec(pod).security_context else { return Vec::new() };
    of_pod.supplemental_groups.iter().flatten().copied().chain(of_pod.fs_group).collect()
}

fn groups_policy(pod: &Pod) -> SupplementalGroupsPolicy {
    let policy =
        spec::spec(pod).security_context.as_ref().and_then(|of_pod| of_pod.supplemental_groups_policy.as_deref());
    if policy == Some("Strict") { SupplementalGroupsPolicy::Strict } else { SupplementalGroupsPolicy::Merge }
}

fn seccomp_profile(profile: Option<&SeccompProfile>, root_dir: &Path) -> SecurityProfile {
    match profile.map(|profile| (profile.type_.as_str(), profile.localhost_profile.as_deref())) {
        Some(("RuntimeDefault", _)) => {
            SecurityProfile { profile_type: ProfileType::Runtimedefault as i32, localhost_ref: String::new() }
        }
        Some(("Localhost", Some(file))) => SecurityProfile {
            profile_type: ProfileType::Localhost as i32,
            localhost_ref: root_dir.join("seccomp").join(file).to_string_lossy().into_owned(),
        },
        _ => unconfined(),
    }
}

fn unconfined() -> SecurityProfile {
    SecurityProfile { profile_type: ProfileType::Unconfined as i32, localhost_ref: String::new() }
}

fn apparmor_profile(profile: &AppArmorProfile) -> SecurityProfile {
    let (profile_type, name) = match profile.type_.as_str() {
        "Localhost" => (ProfileType::Localhost, profile.localhost_profile.clone().unwrap_or_default()),
        "Unconfined" => (ProfileType::Unconfined, String::new()),
        _ => (ProfileType::Runtimedefault, String::new()),
    };
    SecurityProfile { profile_type: profile_type as i32, localhost_ref: name }
}

fn selinux_option(options: &SELinuxOptions) -> SELinuxOption {
    SELinuxOption {
        user: options.user.clone().unwrap_or_default(),
        role: options.role.clone().unwrap_or_default(),
        r#type: options.type_.clone().unwrap_or_default(),
        level: options.level.clone().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pod_from;

    fn pod(pod_context: &str, container_context: &str) -> Pod {
        pod_from(&format!(
            r#"{{"metadata":{{"name":"p","namespace":"ns","uid":"u"}},"spec":{{"securityContext":{pod_context},
                "containers":[{{"name":"c","securityContext":{container_context}}}]}}}}"#
        ))
    }

    fn context(pod: &Pod) -> LinuxContainerSecurityContext {
        let image = ImageUser { uid: Some(7), username: String::new() };
        for_container(pod, &spec::spec(pod).containers[0], Role::App, None, &image, Path::new("/root"))
    }

    #[test]
    fn the_container_overrides_the_pod_and_the_pod_the_image() {
        let user = |pod: &Pod| context(pod).run_as_user.map(|user| user.value);
        assert_eq!(user(&pod("{}", "{}")), Some(7));
        assert_eq!(user(&pod(r#"{"runAsUser":8}"#, "{}")), Some(8));
        assert_eq!(user(&pod(r#"{"runAsUser":8}"#, r#"{"runAsUser":9}"#)), Some(9));
        let groups = context(&pod(r#"{"fsGroup":5,"supplementalGroups":[6]}"#, "{}")).supplemental_groups;
        assert_eq!(groups, [6, 5]);
    }

    #[test]
    fn privileged_lifts_masks_and_filters() {
        let plain =
            context(&pod(r#"{"seccompProfile":{"type":"RuntimeDefault"}}"#, r#"{"allowPrivilegeEscalation":false}"#));
        assert_eq!(plain.seccomp.unwrap().profile_type, ProfileType::Runtimedefault as i32);
        assert!(plain.no_new_privs && !plain.masked_paths.is_empty());
        let privileged = context(&pod(r#"{"seccompProfile":{"type":"RuntimeDefault"}}"#, r#"{"privileged":true}"#));
        assert_eq!(privileged.seccomp.unwrap().profile_type, ProfileType::Unconfined as i32);
        assert!(privileged.masked_paths.is_empty() && privileged.readonly_paths.is_empty());
    }

    #[test]
    fn root_is_refused_with_upstreams_words() {
        let check = |pod_context: &str, uid: Option<i64>, username: &str| {
            let pod = pod(pod_context, "{}");
            let image = ImageUser { uid, username: username.to_owned() };
            verify_non_root(&pod, &spec::spec(&pod).containers[0], &image).map_err(|error| error.to_string())
        };
        let non_root = r#"{"runAsNonRoot":true}"#;
        assert_eq!(check("{}", Some(0), ""), Ok(()));
        assert_eq!(check(non_root, Some(1000), ""), Ok(()));
        assert_eq!(check(r#"{"runAsNonRoot":true,"runAsUser":5}"#, Some(0), ""), Ok(()));
        let refused = "container has runAsNonRoot and image will run as root (pod: \"p_ns(u)\", container: c)";
        assert_eq!(check(non_root, Some(0), ""), Err(refused.to_owned()));
        assert_eq!(check(non_root, None, ""), Err(refused.to_owned()));
        assert!(check(non_root, None, "www").unwrap_err().contains("non-numeric user (www)"));
        assert!(
            check(r#"{"runAsNonRoot":true,"runAsUser":0}"#, None, "").unwrap_err().contains("breaks non-root policy")
        );
    }
}
