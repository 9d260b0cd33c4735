//! What each port of a service offers, and to whom.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use api::NamespacedName;
use api::k8s::api::core::v1::{Service, ServiceSpec};
use api::k8s::api::discovery::v1::EndpointSlice;

use crate::backends::{self, Backends};

const DEFAULT_AFFINITY_SECONDS: u64 = 10_800;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Transport {
    Tcp,
    Udp,
    Sctp,
}

impl Transport {
    /// TCP where nothing is said.
    pub(crate) fn parse(text: Option<&str>) -> Option<Self> {
        match text {
            None | Some("" | "TCP") => Some(Transport::Tcp),
            Some("UDP") => Some(Transport::Udp),
            Some("SCTP") => Some(Transport::Sctp),
            Some(_) => None,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
            Transport::Sctp => "sctp",
        })
    }
}

/// One port of a service, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServicePort {
    /// `namespace/name/transport/port-name`, unique in the cluster.
    pub(crate) name: String,
    pub(crate) transport: Transport,
    pub(crate) port: u16,
    pub(crate) cluster_address: Ipv4Addr,
    pub(crate) node_port: Option<u16>,
    pub(crate) external_addresses: Vec<Ipv4Addr>,
    pub(crate) load_balancer_addresses: Vec<Ipv4Addr>,
    /// Who may use the load balancer's addresses; everybody where none is given.
    pub(crate) source_ranges: Vec<(Ipv4Addr, u8)>,
    pub(crate) affinity: Option<Duration>,
    pub(crate) internal_policy: Policy,
    pub(crate) external_policy: Policy,
    pub(crate) backends: Backends,
}

/// Which endpoints a kind of traffic may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    Cluster,
    Local,
}

/// What happens to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate<'a> {
    Served(&'a [SocketAddr]),
    /// Endpoints exist, but none this node may use: another node is to answer.
    Dropped,
    Rejected,
}

impl ServicePort {
    pub(crate) fn fate(&self, policy: Policy) -> Fate<'_> {
        let endpoints = match policy {
            Policy::Cluster => &self.backends.cluster,
            Policy::Local => &self.backends.local,
        };
        if !endpoints.is_empty() {
            Fate::Served(endpoints)
        } else if self.backends.cluster.is_empty() {
            Fate::Rejected
        } else {
            Fate::Dropped
        }
    }

    /// All addresses that are not the cluster's own.
    pub(crate) fn outside_addresses(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        self.external_addresses.iter().chain(&self.load_balancer_addresses).copied()
    }
}

/// The ports of a service; none where it has no address of its own.
pub(crate) fn ports(service: &Service, slices: &[Arc<EndpointSlice>], node_name: &str) -> Vec<ServicePort> {
    let Some(spec) = &service.spec else { return Vec::new() };
    let Some(cluster_address) = cluster_address(spec) else { return Vec::new() };
    let key = NamespacedName::of(&service.metadata);
    let external_addresses = parsed(spec.external_ips.as_deref().unwrap_or_default().iter());
    let load_balancer_addresses = load_balancer_addresses(service, spec);
    let source_ranges = source_ranges(spec);
    let affinity = affinity(spec);
    let internal_policy = policy(spec.internal_traffic_policy.as_deref());
    let external_policy = policy(spec.external_traffic_policy.as_deref());
    let resolve = |port: &api::k8s::api::core::v1::ServicePort| {
        let transport = Transport::parse(port.protocol.as_deref())?;
        let port_name = port.name.as_deref().unwrap_or_default();
        Some(ServicePort {
            name: format!("{key}/{transport}/{port_name}"),
            transport,
            port: u16::try_from(port.port).ok()?,
            cluster_address,
            node_port: port.node_port.and_then(|number| u16::try_from(number).ok()).filter(|number| *number != 0),
            external_addresses: external_addresses.clone(),
            load_balancer_addresses: load_balancer_addresses.clone(),
            source_ranges: source_ranges.clone(),
            affinity,
            internal_policy,
            external_policy,
            backends: backends::select(slices, port_name, transport, node_name),
        })
    };
    spec.ports.as_deref().unwrap_or_default().iter().filter_map(resolve).collect()
}

/// None for headless services and aliases.
fn cluster_address(spec: &ServiceSpec) -> Option<Ipv4Addr> {
    if spec.type_.as_deref() == Some("ExternalName") {
        return None;
    }
    let all = spec.cluster_ips.as_deref().unwrap_or_default();
    all.iter().chain(&spec.cluster_ip).find_map(|address| address.parse().ok())
}

/// Addresses whose load balancer delivers packets as they are; one that is a proxy itself (mode
/// `Proxy`) wants to be passed through.
fn load_balancer_addresses(service: &Service, spec: &ServiceSpec) -> Vec<Ipv4Addr> {
    if spec.type_.as_deref() != Some("LoadBalancer") {
        return Vec::new();
    }
    let status = service.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    let ingress = status.and_then(|status| status.ingress.as_deref()).unwrap_or_default();
    let direct = ingress.iter().filter(|ingress| ingress.ip_mode.as_deref().unwrap_or("VIP") == "VIP");
    parsed(direct.filter_map(|ingress| ingress.ip.as_ref()))
}

fn source_ranges(spec: &ServiceSpec) -> Vec<(Ipv4Addr, u8)> {
    let parse = |text: &String| {
        let (address, prefix_length) = text.trim().split_once('/')?;
        Some((address.parse().ok()?, prefix_length.parse().ok().filter(|length| *length <= 32)?))
    };
    spec.load_balancer_source_ranges.as_deref().unwrap_or_default().iter().filter_map(parse).collect()
}

fn affinity(spec: &ServiceSpec) -> Option<Duration> {
    if spec.session_affinity.as_deref() != Some("ClientIP") {
        return None;
    }
    let config = spec.session_affinity_config.as_ref().and_then(|config| config.client_ip.as_ref());
    let seconds = config.and_then(|config| config.timeout_seconds).and_then(|seconds| u64::try_from(seconds).ok());
    Some(Duration::from_secs(seconds.unwrap_or(DEFAULT_AFFINITY_SECONDS)))
}

fn policy(text: Option<&str>) -> Policy {
    if text == Some("Local") { Policy::Local } else { Policy::Cluster }
}

fn parsed<'a>(addresses: impl Iterator<Item = &'a String>) -> Vec<Ipv4Addr> {
    addresses.filter_map(|address| address.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn service(spec: Value, status: Value) -> Service {
        let metadata = json!({"namespace": "default", "name": "web"});
        serde_json::from_value(json!({"metadata": metadata, "spec": spec, "status": status})).unwrap()
    }

    fn names(spec: Value) -> Vec<String> {
        ports(&service(spec, json!({})), &[], "here").into_iter().map(|port| port.name).collect()
    }

    #[test]
    fn only_services_with_an_address_are_proxied() {
        let port = json!([{"port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]);
        let named = ["default/web/tcp/", "default/web/udp/dns"];
        assert_eq!(names(json!({"clusterIP": "10.96.0.7", "ports": port})), named);
        assert_eq!(names(json!({"clusterIPs": ["fd00::7", "10.96.0.7"], "ports": port})), named);
        assert!(names(json!({"clusterIP": "None", "ports": port})).is_empty());
        assert!(names(json!({"clusterIP": "fd00::7", "ports": port})).is_empty());
        assert!(names(json!({"ports": port})).is_empty());
        assert!(names(json!({"type": "ExternalName", "clusterIP": "10.96.0.7", "ports": port})).is_empty());
    }

    #[test]
    fn everything_a_service_says_is_read() {
        let spec = json!({
            "type": "LoadBalancer",
            "clusterIP": "10.96.0.7",
            "externalIPs": ["192.0.2.1", "fd00::1"],
            "loadBalancerSourceRanges": ["198.51.100.0/24", "nonsense"],
            "sessionAffinity": "ClientIP",
            "externalTrafficPolicy": "Local",
            "ports": [{"name": "http", "port": 80, "nodePort": 31001, "targetPort": "web"}],
        });
        let status = json!({"loadBalancer": {"ingress": [
            {"ip": "192.0.2.9"}, {"ip": "192.0.2.10", "ipMode": "Proxy"}, {"hostname": "lb.example.org"},
        ]}});
        let [port] = <[ServicePort; 1]>::try_from(ports(&service(spec, status), &[], "here")).unwrap();
        assert_eq!(port.node_port, Some(31001));
        assert_eq!(port.external_addresses, [Ipv4Addr::new(192, 0, 2, 1)]);
        assert_eq!(port.load_balancer_addresses, [Ipv4Addr::new(192, 0, 2, 9)]);
        assert_eq!(port.source_ranges, [(Ipv4Addr::new(198, 51, 100, 0), 24)]);
        assert_eq!(port.affinity, Some(Duration::from_secs(10_800)));
        assert_eq!((port.internal_policy, port.external_policy), (Policy::Cluster, Policy::Local));
    }

    #[test]
    fn fates_follow_policy_and_endpoints() {
        let mut port =
            ports(&service(json!({"clusterIP": "10.96.0.7", "ports": [{"port": 80}]}), json!({})), &[], "").remove(0);
        assert_eq!(port.fate(Policy::Cluster), Fate::Rejected);
        assert_eq!(port.fate(Policy::Local), Fate::Rejected);
        let endpoint: SocketAddr = "10.244.0.2:80".parse().unwrap();
        port.backends.cluster = vec![endpoint];
        assert_eq!(port.fate(Policy::Cluster), Fate::Served(&[endpoint]));
        assert_eq!(port.fate(Policy::Local), Fate::Dropped);
        port.backends.local = vec![endpoint];
        assert_eq!(port.fate(Policy::Local), Fate::Served(&[endpoint]));
    }
}
