//! Connectionless flows that connection tracking still leads to endpoints that are gone.
//!
//! The kernel translates a flow as its first packet was. A sender of datagrams that keeps its
//! port, as resolvers do, would go on talking to a pod that is no more.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use netlink::conntrack::{self, Flow};
use netlink::nftables;
use netlink::{Error, Request, Socket};

use crate::service_port::{ServicePort, Transport};

/// The endpoints of every address that serves datagrams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Datagrams {
    addresses: BTreeMap<SocketAddr, BTreeSet<SocketAddr>>,
    node_ports: BTreeMap<u16, BTreeSet<SocketAddr>>,
}

impl Datagrams {
    pub(crate) fn of(ports: &[ServicePort]) -> Self {
        let mut datagrams = Datagrams::default();
        for port in ports.iter().filter(|port| port.transport == Transport::Udp) {
            let endpoints: BTreeSet<SocketAddr> = port.backends.cluster.iter().copied().collect();
            for address in port.outside_addresses().chain([port.cluster_address]) {
                datagrams.addresses.insert(SocketAddr::new(IpAddr::V4(address), port.port), endpoints.clone());
            }
            if let Some(number) = port.node_port {
                datagrams.node_ports.insert(number, endpoints);
            }
        }
        datagrams
    }

    pub(crate) fn extend(&mut self, other: &Datagrams) {
        self.addresses.extend(other.addresses.iter().map(|(address, endpoints)| (*address, endpoints.clone())));
        self.node_ports.extend(other.node_ports.iter().map(|(port, endpoints)| (*port, endpoints.clone())));
    }

    /// Whether the flow leads to where this table would not lead it any more.
    fn contradicts(&self, flow: &Flow) -> bool {
        let target = flow.original.destination;
        if let Some(endpoints) = self.addresses.get(&target) {
            return !endpoints.contains(&flow.reply.source);
        }
        // The port alone says little: only a flow that was sent elsewhere was for the service.
        let redirected = flow.reply.source != target;
        redirected
            && self.node_ports.get(&target.port()).is_some_and(|endpoints| !endpoints.contains(&flow.reply.source))
    }
}

/// Forgets the flows that contradict the table.
pub(crate) fn forget(socket: &mut Socket, datagrams: &Datagrams) -> Result<usize, Error> {
    let flows = conntrack::list(socket, nftables::Transport::Udp)?;
    let stale: Vec<Request> = flows.iter().filter(|flow| datagrams.contradicts(flow)).map(conntrack::delete).collect();
    socket.execute(&stale)?;
    Ok(stale.len())
}

#[cfg(test)]
mod tests {
    use netlink::conntrack::Tuple;

    use super::*;

    fn flow(target: &str, answers_from: &str) -> Flow {
        let client = "10.244.0.9:4000".parse().unwrap();
        let (target, answers_from) = (target.parse().unwrap(), answers_from.parse().unwrap());
        Flow {
            original: Tuple { protocol: 17, source: client, destination: target },
            reply: Tuple { protocol: 17, source: answers_from, destination: client },
        }
    }

    #[test]
    fn flows_to_endpoints_that_are_gone_contradict() {
        let endpoints = BTreeSet::from(["10.244.0.2:53".parse().unwrap()]);
        let datagrams = Datagrams {
            addresses: BTreeMap::from([("10.96.0.10:53".parse().unwrap(), endpoints.clone())]),
            node_ports: BTreeMap::from([(30053, endpoints)]),
        };
        for (target, answers_from, stale) in [
            ("10.96.0.10:53", "10.244.0.2:53", false),
            ("10.96.0.10:53", "10.244.0.3:53", true),
            ("10.96.0.10:53", "10.96.0.10:53", true),
            ("10.96.0.10:54", "10.244.0.3:53", false),
            ("192.0.2.2:30053", "10.244.0.2:53", false),
            ("192.0.2.2:30053", "10.244.0.3:53", true),
            ("192.0.2.2:30053", "192.0.2.2:30053", false),
            ("8.8.8.8:53", "8.8.8.8:53", false),
        ] {
            assert_eq!(datagrams.contradicts(&flow(target, answers_from)), stale, "{target} from {answers_from}");
        }
    }
}
