//! Service ports as chains, maps and sets.
//!
//! ```text
//! prerouting, output ─▶ services ─▶ @service-addresses ─▶ service/<port>        (any endpoint)
//!                           │                          └▶ service-local/<port>  (this node's)
//!                           └─────▶ @node-ports ─▶ external/<port> ─▶ one of the two
//! after it: whatever still goes to a service's address was for nobody, and is refused
//! postrouting: masquerade what was marked, and a pod that reached itself
//! ```

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use netlink::nftables::{
    self, Chain, Data, Family, Field, Hook, HookPoint, Key, Rejection, Rule, Ruleset, Set, Type, Verdict,
};

use crate::service_port::{Fate, Policy, ServicePort, Transport};

/// Upstream's masquerade bit: packets that carry it take the node's address.
const MASQUERADE_BIT: u32 = 0x4000;
const ADDRESS_KEY: [Type; 3] = [Type::Ipv4Address, Type::Protocol, Type::Port];
const PORT_KEY: [Type; 2] = [Type::Protocol, Type::Port];
const BY_ADDRESS: [Field; 3] = [Field::Ipv4Destination, Field::Transport, Field::DestinationPort];
const BY_PORT: [Field; 2] = [Field::Transport, Field::DestinationPort];

const SERVICE_ADDRESSES: &str = "service-addresses";
const NODE_PORTS: &str = "node-ports";
const REFUSED_ADDRESSES: &str = "refused-addresses";
const REFUSED_NODE_PORTS: &str = "refused-node-ports";
const GUARDED_ADDRESSES: &str = "guarded-addresses";
const CLUSTER_ADDRESSES: &str = "cluster-addresses";
const HAIRPINS: &str = "hairpins";
const SERVICES: &str = "services";
const REFUSED: &str = "refused";
const REJECT: &str = "reject";

/// What one service adds to the table.
#[derive(Debug, Default)]
pub(crate) struct Fragment {
    chains: Vec<(String, Arc<Chain>)>,
    sets: Vec<(String, Set)>,
    /// Elements of the shared sets, by their name.
    elements: Vec<(&'static str, Key, Data)>,
}

/// Writes the ports of one service.
pub(crate) fn fragment(ports: &[ServicePort]) -> Fragment {
    let mut fragment = Fragment::default();
    for port in ports {
        fragment.add_internal(port);
        fragment.add_external(port);
        fragment.add_guard(port);
        for backend in &port.backends.cluster {
            if let IpAddr::V4(address) = backend.ip() {
                fragment.elements.push((HAIRPINS, Key::new().ipv4(address).ipv4(address), Data::Nothing));
            }
        }
    }
    fragment
}

/// Joins all services' parts with the frame that leads packets to them. Where two services claim
/// the same address and port, the first in order has it.
pub(crate) fn assemble<'a>(fragments: impl IntoIterator<Item = &'a Fragment>) -> Ruleset {
    let mut ruleset = frame();
    for fragment in fragments {
        for (name, chain) in &fragment.chains {
            ruleset.chains.insert(name.clone(), Arc::clone(chain));
        }
        for (name, set) in &fragment.sets {
            ruleset.sets.insert(name.clone(), set.clone());
        }
        for (set, key, data) in &fragment.elements {
            if let Some(set) = ruleset.sets.get_mut(*set) {
                set.elements.entry(key.clone()).or_insert_with(|| data.clone());
            }
        }
    }
    ruleset
}

impl Fragment {
    /// Traffic to the cluster address.
    fn add_internal(&mut self, port: &ServicePort) {
        let key = address_key(port.cluster_address, port);
        self.elements.push((CLUSTER_ADDRESSES, Key::new().ipv4(port.cluster_address), Data::Nothing));
        match port.fate(port.internal_policy) {
            Fate::Served(_) => {
                let verdict = Verdict::Goto(self.backend_chain(port, port.internal_policy));
                self.elements.push((SERVICE_ADDRESSES, key, Data::Verdict(verdict)));
            }
            refused => self.elements.push((REFUSED_ADDRESSES, key, Data::Verdict(refusal(refused)))),
        }
    }

    /// Traffic to a node port, an external address, or a load balancer's.
    fn add_external(&mut self, port: &ServicePort) {
        let addresses = port.outside_addresses().map(|address| address_key(address, port));
        let mut addresses: Vec<Key> = addresses.collect();
        addresses.sort();
        addresses.dedup();
        if addresses.is_empty() && port.node_port.is_none() {
            return;
        }
        let node_port = port.node_port.map(|number| Key::new().transport(transport(port)).port(number));
        if let Some(chain) = self.external_chain(port) {
            let verdict = Data::Verdict(Verdict::Goto(chain));
            self.elements.extend(addresses.iter().map(|key| (SERVICE_ADDRESSES, key.clone(), verdict.clone())));
            self.elements.extend(node_port.iter().map(|key| (NODE_PORTS, key.clone(), verdict.clone())));
        }
        let fate = port.fate(port.external_policy);
        if !matches!(fate, Fate::Served(_)) {
            let verdict = Data::Verdict(refusal(fate));
            self.elements.extend(addresses.into_iter().map(|key| (REFUSED_ADDRESSES, key, verdict.clone())));
            self.elements.extend(node_port.into_iter().map(|key| (REFUSED_NODE_PORTS, key, verdict.clone())));
        }
    }

    /// With policy `Cluster` the endpoint may be anywhere, so its answers must come back this way.
    /// With `Local` the caller's address stays, and the node itself may still use any endpoint.
    fn external_chain(&mut self, port: &ServicePort) -> Option<String> {
        if port.backends.cluster.is_empty() {
            return None;
        }
        let cluster = self.backend_chain(port, Policy::Cluster);
        let rules = match port.external_policy {
            Policy::Cluster => vec![Rule::new().set_mark_bit(MASQUERADE_BIT), Rule::new().goto(cluster)],
            Policy::Local => {
                let mut rules = vec![
                    Rule::new().from_local_address().set_mark_bit(MASQUERADE_BIT),
                    Rule::new().from_local_address().goto(cluster),
                ];
                if !port.backends.local.is_empty() {
                    rules.push(Rule::new().goto(self.backend_chain(port, Policy::Local)));
                }
                rules
            }
        };
        Some(self.add_chain(format!("external/{}", port.name), rules))
    }

    fn add_guard(&mut self, port: &ServicePort) {
        if port.source_ranges.is_empty() || port.load_balancer_addresses.is_empty() {
            return;
        }
        let allowed = port
            .source_ranges
            .iter()
            .map(|(address, prefix_length)| Rule::new().from(IpAddr::V4(*address), *prefix_length).give_back());
        let rules = allowed.chain([Rule::new().drop()]).collect();
        let verdict = Verdict::Goto(self.add_chain(format!("guard/{}", port.name), rules));
        for address in &port.load_balancer_addresses {
            self.elements.push((GUARDED_ADDRESSES, address_key(*address, port), Data::Verdict(verdict.clone())));
        }
    }

    /// The chain that picks an endpoint; made once for each policy in use.
    fn backend_chain(&mut self, port: &ServicePort, policy: Policy) -> String {
        let (prefix, endpoints) = match policy {
            Policy::Cluster => ("service", &port.backends.cluster),
            Policy::Local => ("service-local", &port.backends.local),
        };
        let name = format!("{prefix}/{}", port.name);
        if self.chains.iter().any(|(present, _)| *present == name) {
            return name;
        }
        let rules = match port.affinity {
            Some(timeout) if endpoints.len() > 1 => self.sticky(port, endpoints, timeout),
            _ => vec![Rule::new().transport(transport(port)).redirect_to(endpoints)],
        };
        self.add_chain(name, rules)
    }

    /// A caller goes where it went before; new ones, and those whose endpoint is gone, by chance.
    fn sticky(&mut self, port: &ServicePort, endpoints: &[SocketAddr], timeout: Duration) -> Vec<Rule> {
        let mut rules = Vec::with_capacity(endpoints.len() + 1);
        let mut verdicts = Vec::with_capacity(endpoints.len());
        for endpoint in endpoints {
            let name = format!("{}/{}/{}", port.name, endpoint.ip(), endpoint.port());
            let (set, chain) = (format!("affinity/{name}"), format!("endpoint/{name}"));
            let known = Rule::new().family(Family::Ipv4).is_in(&[Field::Ipv4Source], &set);
            rules.push(known.goto(chain.clone()));
            verdicts.push(Verdict::Goto(chain.clone()));
            if self.chains.iter().any(|(present, _)| *present == chain) {
                continue;
            }
            let remember =
                Rule::new().family(Family::Ipv4).remember_source(Family::Ipv4, &set, timeout.as_millis() as u64);
            let redirect = Rule::new().transport(transport(port)).redirect_to(&[*endpoint]);
            self.sets.push((set, Set::dynamic([Type::Ipv4Address], timeout)));
            self.add_chain(chain, vec![remember, redirect]);
        }
        rules.push(Rule::new().verdict_by_chance(&verdicts));
        rules
    }

    fn add_chain(&mut self, name: String, rules: Vec<Rule>) -> String {
        self.chains.push((name.clone(), Arc::new(Chain { hook: None, rules })));
        name
    }
}

/// The part that is the same with and without services.
fn frame() -> Ruleset {
    let mut ruleset = Ruleset::default();
    for name in [SERVICE_ADDRESSES, REFUSED_ADDRESSES, GUARDED_ADDRESSES] {
        ruleset.sets.insert(name.to_owned(), Set::verdict_map(ADDRESS_KEY));
    }
    for name in [NODE_PORTS, REFUSED_NODE_PORTS] {
        ruleset.sets.insert(name.to_owned(), Set::verdict_map(PORT_KEY));
    }
    ruleset.sets.insert(CLUSTER_ADDRESSES.to_owned(), Set::new([Type::Ipv4Address]));
    ruleset.sets.insert(HAIRPINS.to_owned(), Set::new([Type::Ipv4Address, Type::Ipv4Address]));

    ruleset.chain(
        REJECT,
        vec![
            Rule::new().transport(nftables::Transport::Tcp).reject(Rejection::TcpReset),
            Rule::new().reject(Rejection::PortUnreachable),
        ],
    );
    ruleset.chain(
        SERVICES,
        vec![
            Rule::new().family(Family::Ipv4).verdict_of(&BY_ADDRESS, SERVICE_ADDRESSES),
            Rule::new().family(Family::Ipv4).to_local_address().verdict_of(&BY_PORT, NODE_PORTS),
        ],
    );
    // What stands here was not sent to an endpoint: a service without any, or no port of a service.
    ruleset.chain(
        REFUSED,
        vec![
            Rule::new().family(Family::Ipv4).verdict_of(&BY_ADDRESS, REFUSED_ADDRESSES),
            Rule::new().family(Family::Ipv4).is_in(&[Field::Ipv4Destination], CLUSTER_ADDRESSES).goto(REJECT),
            Rule::new().family(Family::Ipv4).to_local_address().verdict_of(&BY_PORT, REFUSED_NODE_PORTS),
        ],
    );
    let guard = Rule::new().connection_is_new().family(Family::Ipv4).verdict_of(&BY_ADDRESS, GUARDED_ADDRESSES);
    let hook = Hook::filter(HookPoint::Prerouting, Hook::PRIORITY_BEFORE_DESTINATION_NAT);
    ruleset.base_chain("guard-prerouting", hook, vec![guard]);
    for (name, point) in [("prerouting", HookPoint::Prerouting), ("output", HookPoint::Output)] {
        let hook = Hook::nat(point, Hook::PRIORITY_DESTINATION_NAT);
        ruleset.base_chain(&format!("nat-{name}"), hook, vec![Rule::new().jump(SERVICES)]);
        let hook = Hook::filter(point, Hook::PRIORITY_AFTER_DESTINATION_NAT);
        let new_only = Rule::new().connection_is_new().jump(REFUSED);
        ruleset.base_chain(&format!("filter-{name}"), hook, vec![new_only]);
    }
    let hook = Hook::nat(HookPoint::Postrouting, Hook::PRIORITY_SOURCE_NAT);
    let hairpin = Rule::new()
        .connection_is_redirected()
        .family(Family::Ipv4)
        .is_in(&[Field::Ipv4Source, Field::Ipv4Destination], HAIRPINS)
        .masquerade();
    let marked = Rule::new().mark_has(MASQUERADE_BIT).clear_mark_bit(MASQUERADE_BIT).masquerade();
    ruleset.base_chain("nat-postrouting", hook, vec![marked, hairpin]);
    ruleset
}

fn refusal(fate: Fate<'_>) -> Verdict {
    if fate == Fate::Dropped { Verdict::Drop } else { Verdict::Goto(REJECT.to_owned()) }
}

fn address_key(address: Ipv4Addr, port: &ServicePort) -> Key {
    Key::new().ipv4(address).transport(transport(port)).port(port.port)
}

fn transport(port: &ServicePort) -> nftables::Transport {
    match port.transport {
        Transport::Tcp => nftables::Transport::Tcp,
        Transport::Udp => nftables::Transport::Udp,
        Transport::Sctp => nftables::Transport::Sctp,
    }
}

#[cfg(test)]
mod tests;
