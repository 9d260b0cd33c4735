//! A pod's sandbox.

use std::collections::HashMap;

use api::k8s::api::core::v1::{ContainerPort, Pod};
use cri::{LinuxPodSandboxConfig, PodSandboxConfig, PodSandboxMetadata, PortMapping, Protocol};

use super::names::{self, HostnameError};
use super::{NodeFacts, dns, qos, resources, security};
use crate::pod::{labels, spec};

/// `resolv_conf` is the text of the node's own file.
pub(crate) fn config(
    pod: &Pod,
    attempt: u32,
    node: &NodeFacts,
    resolv_conf: &str,
) -> Result<PodSandboxConfig, HostnameError> {
    let on_host = spec::is_host_network(pod);
    let hostname = if on_host { String::new() } else { names::kernel_hostname(pod, &node.cluster_domain)? };
    let sysctls = spec::spec(pod).security_context.as_ref().and_then(|context| context.sysctls.as_ref());
    let sysctls = sysctls.into_iter().flatten().map(|sysctl| (sysctl.name.clone(), sysctl.value.clone())).collect();
    Ok(PodSandboxConfig {
        metadata: Some(PodSandboxMetadata {
            name: spec::name(pod).to_owned(),
            uid: spec::uid(pod).to_owned(),
            namespace: spec::namespace(pod).to_owned(),
            attempt,
        }),
        hostname,
        log_directory: names::log_dir(&node.pod_log_dir, pod).to_string_lossy().into_owned(),
        dns_config: Some(dns::for_pod(pod, node, resolv_conf)),
        port_mappings: if on_host { Vec::new() } else { port_mappings(pod) },
        labels: labels_of(pod),
        annotations: annotations_of(pod),
        linux: Some(LinuxPodSandboxConfig {
            cgroup_parent: qos::cgroup_parent(&node.cgroup_root, pod),
            security_context: Some(security::for_sandbox(pod, &node.root_dir)),
            sysctls,
            overhead: resources::overhead(pod),
            resources: Some(resources::for_sandbox(pod)),
        }),
        windows: None,
    })
}

/// The pod's own labels, and above them those by which a kubelet finds it again.
fn labels_of(pod: &Pod) -> HashMap<String, String> {
    let mut all: HashMap<String, String> =
        pod.metadata.labels.iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
    all.extend(identity(pod));
    all
}

pub(crate) fn identity(pod: &Pod) -> [(String, String); 3] {
    [
        (labels::POD_NAME.to_owned(), spec::name(pod).to_owned()),
        (labels::POD_NAMESPACE.to_owned(), spec::namespace(pod).to_owned()),
        (labels::POD_UID.to_owned(), spec::uid(pod).to_owned()),
    ]
}

fn annotations_of(pod: &Pod) -> HashMap<String, String> {
    let own = pod.metadata.annotations.iter().flatten().map(|(key, value)| (key.clone(), value.clone()));
    // Whoever stops the sandbox of a pod that is gone from the API still knows how long to wait.
    let grace = (labels::POD_TERMINATION_GRACE_PERIOD.to_owned(), spec::termination_grace_seconds(pod).to_string());
    own.chain([grace]).collect()
}

fn port_mappings(pod: &Pod) -> Vec<PortMapping> {
    let sidecars = spec::init_containers(pod).iter().filter(|container| spec::is_sidecar(container));
    let containers = spec::spec(pod).containers.iter().chain(sidecars);
    containers.flat_map(|container| container.ports.iter().flatten()).filter_map(port_mapping).collect()
}

fn port_mapping(port: &ContainerPort) -> Option<PortMapping> {
    let host_port = port.host_port.filter(|host_port| *host_port != 0)?;
    let protocol = match port.protocol.as_deref() {
        Some("UDP") => Protocol::Udp,
        Some("SCTP") => Protocol::Sctp,
        _ => Protocol::Tcp,
    };
    Some(PortMapping {
        protocol: protocol as i32,
        container_port: port.container_port,
        host_port,
        host_ip: port.host_ip.clone().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{node_facts, pod_from};

    #[test]
    fn a_sandbox_carries_its_pods_identity_ports_and_places() {
        let pod = pod_from(
            r#"{"metadata":{"name":"web","namespace":"ns","uid":"u1","labels":{"app":"web"}},
                "spec":{"containers":[{"name":"c","ports":[{"containerPort":80,"hostPort":8080},{"containerPort":81}]}],
                "securityContext":{"sysctls":[{"name":"net.core.somaxconn","value":"10"}]}}}"#,
        );
        let config = config(&pod, 2, &node_facts(), "").unwrap();
        assert_eq!(config.metadata.unwrap().attempt, 2);
        assert_eq!((config.hostname.as_str(), config.log_directory.as_str()), ("web", "/logs/ns_web_u1"));
        assert_eq!((config.labels["app"].as_str(), config.labels[labels::POD_UID].as_str()), ("web", "u1"));
        let ports: Vec<_> = config.port_mappings.iter().map(|port| (port.container_port, port.host_port)).collect();
        assert_eq!(ports, [(80, 8080)]);
        let linux = config.linux.unwrap();
        assert_eq!(linux.cgroup_parent, "/pintle/pods/besteffort/podu1");
        assert_eq!(linux.sysctls["net.core.somaxconn"], "10");
    }
}
