//! Questions about a pod's spec that several parts ask.

use api::k8s::api::core::v1::{Container, EphemeralContainer, Pod, PodSpec};
use sha2::{Digest, Sha256};

pub(crate) const CONFIG_SOURCE: &str = "kubernetes.io/config.source";
pub(crate) const CONFIG_MIRROR: &str = "kubernetes.io/config.mirror";

/// Where a container stands in the spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Init,
    /// An init container with `restartPolicy: Always`.
    Sidecar,
    App,
    Ephemeral,
}

impl Role {
    /// The field of the spec, as events name it: `spec.containers{web}`.
    pub(crate) fn field_path(self, name: &str) -> String {
        match self {
            Role::Init | Role::Sidecar => format!("spec.initContainers{{{name}}}"),
            Role::App => format!("spec.containers{{{name}}}"),
            Role::Ephemeral => format!("spec.ephemeralContainers{{{name}}}"),
        }
    }
}

/// `name_namespace(uid)`, as upstream's messages name a pod.
pub(crate) fn long_name(pod: &Pod) -> String {
    format!("{}_{}({})", name(pod), namespace(pod), uid(pod))
}

pub(crate) fn name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or("")
}

pub(crate) fn namespace(pod: &Pod) -> &str {
    pod.metadata.namespace.as_deref().unwrap_or("")
}

/// By which the node knows the pod: a mirror stands for the pod that it shows.
pub(crate) fn uid(pod: &Pod) -> &str {
    let shown = pod.metadata.annotations.as_ref().and_then(|annotations| annotations.get(CONFIG_MIRROR));
    shown.or(pod.metadata.uid.as_ref()).map_or("", String::as_str)
}

/// The spec; the API admits no pod without one, so its absence reads as an empty pod.
pub(crate) fn spec(pod: &Pod) -> &PodSpec {
    static EMPTY: std::sync::LazyLock<PodSpec> = std::sync::LazyLock::new(PodSpec::default);
    pod.spec.as_ref().unwrap_or(&EMPTY)
}

pub(crate) fn init_containers(pod: &Pod) -> &[Container] {
    spec(pod).init_containers.as_deref().unwrap_or(&[])
}

pub(crate) fn ephemeral_containers(pod: &Pod) -> &[EphemeralContainer] {
    spec(pod).ephemeral_containers.as_deref().unwrap_or(&[])
}

pub(crate) fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

pub(crate) fn init_role(container: &Container) -> Role {
    if is_sidecar(container) { Role::Sidecar } else { Role::Init }
}

pub(crate) fn restart_policy(pod: &Pod) -> &str {
    spec(pod).restart_policy.as_deref().unwrap_or("Always")
}

pub(crate) fn is_host_network(pod: &Pod) -> bool {
    spec(pod).host_network.unwrap_or(false)
}

/// Whether the API's object only shows a pod that the node itself was told of.
pub(crate) fn is_mirror(pod: &Pod) -> bool {
    pod.metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(CONFIG_MIRROR))
}

/// Whether the node itself was told of the pod, not the API.
pub(crate) fn is_static(pod: &Pod) -> bool {
    let source = pod.metadata.annotations.as_ref().and_then(|annotations| annotations.get(CONFIG_SOURCE));
    source.is_some_and(|source| source != "api")
}

/// Whether the node must run it whatever else it has to give up.
pub(crate) fn is_critical(pod: &Pod) -> bool {
    const SYSTEM_CRITICAL: i32 = 2_000_000_000;
    is_static(pod) || is_mirror(pod) || spec(pod).priority.is_some_and(|priority| priority >= SYSTEM_CRITICAL)
}

/// Address, port and protocol of what the pod takes of the node's own ports.
pub(crate) fn host_ports(pod: &Pod) -> impl Iterator<Item = (&str, i32, &str)> {
    let sidecars = init_containers(pod).iter().filter(|container| is_sidecar(container));
    spec(pod).containers.iter().chain(sidecars).flat_map(|container| container.ports.iter().flatten()).filter_map(
        |port| {
            let number = port.host_port.filter(|number| *number > 0)?;
            Some((port.host_ip.as_deref().unwrap_or(""), number, port.protocol.as_deref().unwrap_or("TCP")))
        },
    )
}

/// Whether the API says that it is over.
pub(crate) fn has_ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

pub(crate) fn termination_grace_seconds(pod: &Pod) -> i64 {
    spec(pod).termination_grace_period_seconds.unwrap_or(30)
}

/// A container of the spec by name, with its role; an ephemeral one in the common shape.
pub(crate) fn find(pod: &Pod, name: &str) -> Option<(Container, Role)> {
    let init = init_containers(pod).iter().find(|container| container.name == name);
    if let Some(container) = init {
        return Some((container.clone(), init_role(container)));
    }
    if let Some(container) = spec(pod).containers.iter().find(|container| container.name == name) {
        return Some((container.clone(), Role::App));
    }
    let ephemeral = ephemeral_containers(pod).iter().find(|container| container.name == name)?;
    Some((as_container(ephemeral), Role::Ephemeral))
}

fn as_container(ephemeral: &EphemeralContainer) -> Container {
    let ephemeral = ephemeral.clone();
    Container {
        args: ephemeral.args,
        command: ephemeral.command,
        env: ephemeral.env,
        env_from: ephemeral.env_from,
        image: ephemeral.image,
        image_pull_policy: ephemeral.image_pull_policy,
        name: ephemeral.name,
        security_context: ephemeral.security_context,
        stdin: ephemeral.stdin,
        stdin_once: ephemeral.stdin_once,
        termination_message_path: ephemeral.termination_message_path,
        termination_message_policy: ephemeral.termination_message_policy,
        tty: ephemeral.tty,
        volume_devices: ephemeral.volume_devices,
        volume_mounts: ephemeral.volume_mounts,
        working_dir: ephemeral.working_dir,
        ..Container::default()
    }
}

/// Identifies what a running container was made from. As upstream, only name and image count: they
/// are all of a container that the API lets change in a way that needs a new one.
pub(crate) fn hash(container: &Container) -> String {
    let mut digest = Sha256::new();
    digest.update(container.name.as_bytes());
    digest.update([0]);
    digest.update(container.image.as_deref().unwrap_or("").as_bytes());
    hex::encode(&digest.finalize()[..4])
}

/// Whether a container that exited with this code runs again, by its own rules, its own policy and
/// then the pod's.
pub(crate) fn restarts_after(pod: &Pod, container: &Container, role: Role, exit_code: i32) -> bool {
    if role == Role::Ephemeral {
        return false;
    }
    if role == Role::Sidecar {
        return true;
    }
    let by_rule = container.restart_policy_rules.iter().flatten().any(|rule| {
        let codes = rule.exit_codes.as_ref();
        rule.action == "Restart"
            && codes.is_some_and(|codes| {
                let listed = codes.values.iter().flatten().any(|code| *code == exit_code);
                if codes.operator == "NotIn" { !listed } else { listed }
            })
    });
    let policy = container.restart_policy.as_deref().unwrap_or(restart_policy(pod));
    by_rule
        || match (policy, role) {
            ("Never", _) => false,
            // An init container that succeeded is done, whatever the policy.
            ("OnFailure", _) | (_, Role::Init) => exit_code != 0,
            _ => true,
        }
}
