//! Which endpoints may serve a port of a service.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use api::k8s::api::discovery::v1::{Endpoint, EndpointPort, EndpointSlice};

use crate::service_port::Transport;

/// The endpoints of one port by who may use them; each list without duplicates, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backends {
    /// Anywhere in the cluster.
    pub(crate) cluster: Vec<SocketAddr>,
    /// On this node alone.
    pub(crate) local: Vec<SocketAddr>,
}

struct Candidate {
    address: SocketAddr,
    ready: bool,
    serving: bool,
    terminating: bool,
    local: bool,
}

/// Ready endpoints serve. Where there are none, those that terminate but still serve do, so that
/// a rolling update never leaves a gap; that holds for the cluster and for this node by itself.
pub(crate) fn select(
    slices: &[Arc<EndpointSlice>],
    port_name: &str,
    transport: Transport,
    node_name: &str,
) -> Backends {
    let candidates: Vec<Candidate> =
        slices.iter().flat_map(|slice| candidates(slice, port_name, transport, node_name)).collect();
    Backends {
        cluster: ready_or_leaving(candidates.iter()),
        local: ready_or_leaving(candidates.iter().filter(|candidate| candidate.local)),
    }
}

fn ready_or_leaving<'a>(candidates: impl Iterator<Item = &'a Candidate> + Clone) -> Vec<SocketAddr> {
    let ready = addresses(candidates.clone().filter(|candidate| candidate.ready));
    if !ready.is_empty() {
        return ready;
    }
    addresses(candidates.filter(|candidate| candidate.serving && candidate.terminating))
}

fn addresses<'a>(candidates: impl Iterator<Item = &'a Candidate>) -> Vec<SocketAddr> {
    let mut addresses: Vec<SocketAddr> = candidates.map(|candidate| candidate.address).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// The slice's port has the service port's name; its number is what the target port, named or
/// not, came to on these pods.
fn candidates<'a>(
    slice: &'a EndpointSlice,
    port_name: &str,
    transport: Transport,
    node_name: &'a str,
) -> impl Iterator<Item = Candidate> + use<'a> {
    let port = (slice.address_type == "IPv4").then(|| number(slice, port_name, transport)).flatten();
    let endpoints = slice.endpoints.as_deref().unwrap_or_default();
    port.into_iter()
        .flat_map(move |port| endpoints.iter().filter_map(move |endpoint| candidate(endpoint, port, node_name)))
}

fn number(slice: &EndpointSlice, port_name: &str, transport: Transport) -> Option<u16> {
    let matches = |port: &&EndpointPort| {
        port.name.as_deref().unwrap_or_default() == port_name
            && Transport::parse(port.protocol.as_deref()) == Some(transport)
    };
    let number = slice.ports.as_deref().unwrap_or_default().iter().find(matches)?.port?;
    u16::try_from(number).ok().filter(|number| *number != 0)
}

/// Conditions that are not stated: ready and serving, and not terminating. Of several addresses
/// of an endpoint the first counts.
fn candidate(endpoint: &Endpoint, port: u16, node_name: &str) -> Option<Candidate> {
    let address: Ipv4Addr = endpoint.addresses.first()?.parse().ok()?;
    if !may_serve(address) {
        return None;
    }
    let conditions = endpoint.conditions.as_ref();
    let ready = conditions.and_then(|conditions| conditions.ready).unwrap_or(true);
    let serving = conditions.and_then(|conditions| conditions.serving).unwrap_or(true);
    let terminating = conditions.and_then(|conditions| conditions.terminating).unwrap_or(false);
    let local = endpoint.node_name.as_deref() == Some(node_name);
    Some(Candidate { address: SocketAddr::new(IpAddr::V4(address), port), ready, serving, terminating, local })
}

/// Whoever may write a slice must not lead traffic to what the node keeps to itself: loopback
/// addresses, and link-local ones such as a cloud's metadata server.
fn may_serve(address: Ipv4Addr) -> bool {
    !(address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_broadcast())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn slice(endpoints: Value) -> Arc<EndpointSlice> {
        let ports = json!([
            {"name": "http", "port": 8080, "protocol": "TCP"},
            {"name": "dns", "port": 5353, "protocol": "UDP"},
            {"name": "any"},
        ]);
        let slice = json!({"metadata": {"name": "one"}, "addressType": "IPv4", "endpoints": endpoints, "ports": ports});
        Arc::new(serde_json::from_value(slice).unwrap())
    }

    fn endpoint(address: &str, node: &str, conditions: Value) -> Value {
        json!({"addresses": [address], "nodeName": node, "conditions": conditions})
    }

    fn check(endpoints: Value, cluster: &[&str], local: &[&str]) {
        let backends = select(&[slice(endpoints.clone())], "http", Transport::Tcp, "here");
        let text = |list: &[SocketAddr]| list.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>();
        assert_eq!(text(&backends.cluster), cluster, "{endpoints}");
        assert_eq!(text(&backends.local), local, "{endpoints}");
    }

    #[test]
    fn ready_ones_serve_and_leaving_ones_stand_in() {
        let ready = json!({"ready": true});
        let unready = json!({"ready": false, "serving": false});
        let leaving = json!({"ready": false, "serving": true, "terminating": true});
        let gone = json!({"ready": false, "serving": false, "terminating": true});
        check(json!([]), &[], &[]);
        check(json!([endpoint("10.0.0.1", "here", json!({}))]), &["10.0.0.1"], &["10.0.0.1"]);
        check(
            json!([
                endpoint("10.0.0.2", "there", ready.clone()),
                endpoint("10.0.0.1", "here", leaving.clone()),
                endpoint("10.0.0.3", "here", unready.clone()),
            ]),
            &["10.0.0.2"],
            &["10.0.0.1"],
        );
        check(json!([endpoint("10.0.0.1", "there", leaving), endpoint("10.0.0.2", "here", gone)]), &["10.0.0.1"], &[]);
        check(json!([endpoint("10.0.0.1", "here", unready)]), &[], &[]);
    }

    #[test]
    fn ports_match_by_name_and_protocol() {
        let slices = [slice(json!([endpoint("10.0.0.1", "here", json!({}))]))];
        let port =
            |name: &str, transport| select(&slices, name, transport, "here").cluster.first().map(SocketAddr::port);
        assert_eq!(port("http", Transport::Tcp), Some(8080));
        assert_eq!(port("dns", Transport::Udp), Some(5353));
        assert_eq!(port("dns", Transport::Tcp), None);
        assert_eq!(port("any", Transport::Tcp), None, "a port without a number");
    }

    #[test]
    fn the_nodes_own_secrets_are_no_endpoints() {
        for address in ["127.0.0.1", "127.3.2.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "fd00::1", "example.org"] {
            check(json!([endpoint(address, "here", json!({}))]), &[], &[]);
        }
    }
}
