//! The rules that pods need beside the services.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use netlink::nftables::{Data, Family, Field, Hook, HookPoint, Key, Rule, Ruleset, Set, Transport, Type};

use crate::range::Range;
use crate::state::{HostPort, HostTransport, Pod};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0));
const LOOPBACK_PREFIX_LENGTH: u8 = 8;
const PORTS: &str = "host-ports";
const ADDRESS_PORTS: &str = "host-address-ports";
const HAIRPINS: &str = "hairpins";
const PORTS_CHAIN: &str = "host-ports";

/// The private table of a cluster's pod network.
pub(crate) fn table(cluster: &str) -> String {
    format!("{cluster}-net")
}

/// All rules for these pods.
pub(crate) fn ruleset<'a>(bridge: &str, range: Range, pods: impl Iterator<Item = &'a Pod>) -> Ruleset {
    let mut ruleset = Ruleset::default();
    guard_loopback(&mut ruleset, bridge);
    let mut leaving = vec![way_out(bridge, range), from_loopback(bridge)];
    let published: Vec<(&Pod, &HostPort)> =
        pods.flat_map(|pod| pod.ports.iter().map(move |port| (pod, port))).collect();
    if !published.is_empty() {
        publish_ports(&mut ruleset, &published);
        leaving.push(hairpin());
    }
    let hook = Hook::nat(HookPoint::Postrouting, Hook::PRIORITY_SOURCE_NAT);
    ruleset.base_chain("postrouting", hook, leaving);
    ruleset
}

/// The bridge routes loopback addresses, so that node ports answer on 127.0.0.1. No pod may use
/// that to reach what the node serves to itself alone (CVE-2020-8558). This stands before
/// connection tracking turns answers back, hence catches only what came in so.
fn guard_loopback(ruleset: &mut Ruleset, bridge: &str) {
    let hook = Hook::filter(HookPoint::Prerouting, Hook::PRIORITY_RAW);
    let rules = vec![
        Rule::new().input_is(bridge).to(LOOPBACK, LOOPBACK_PREFIX_LENGTH).drop(),
        Rule::new().input_is(bridge).from(LOOPBACK, LOOPBACK_PREFIX_LENGTH).drop(),
    ];
    ruleset.base_chain("loopback-guard", hook, rules);
}

/// Nobody outside knows the way back to a pod's address.
fn way_out(bridge: &str, range: Range) -> Rule {
    let network = IpAddr::V4(range.network());
    Rule::new()
        .from(network, range.prefix_length())
        .to_other_than(network, range.prefix_length())
        .output_is_not(bridge)
        .masquerade()
}

/// A pod cannot answer 127.0.0.1.
fn from_loopback(bridge: &str) -> Rule {
    Rule::new().output_is(bridge).from(LOOPBACK, LOOPBACK_PREFIX_LENGTH).masquerade()
}

/// A pod that calls itself through a host port must see another source, or it answers itself
/// directly.
fn hairpin() -> Rule {
    Rule::new()
        .connection_is_redirected()
        .family(Family::Ipv4)
        .is_in(&[Field::Ipv4Source, Field::Ipv4Destination], HAIRPINS)
        .masquerade()
}

fn publish_ports(ruleset: &mut Ruleset, published: &[(&Pod, &HostPort)]) {
    let target = [Type::Ipv4Address, Type::Port];
    let mut ports = Set::map([Type::Protocol, Type::Port], target);
    let mut address_ports = Set::map([Type::Ipv4Address, Type::Protocol, Type::Port], target);
    let mut hairpins = Set::new([Type::Ipv4Address, Type::Ipv4Address]);
    for (pod, port) in published {
        let value = Data::Value(Key::new().ipv4(pod.address).port(port.pod_port));
        let transport = transport(port.transport);
        match port.host_address {
            None => ports.elements.insert(Key::new().transport(transport).port(port.host_port), value),
            Some(address) => {
                let key = Key::new().ipv4(address).transport(transport).port(port.host_port);
                address_ports.elements.insert(key, value)
            }
        };
        hairpins.elements.insert(Key::new().ipv4(pod.address).ipv4(pod.address), Data::Nothing);
    }
    ruleset.sets.insert(PORTS.to_owned(), ports);
    ruleset.sets.insert(ADDRESS_PORTS.to_owned(), address_ports);
    ruleset.sets.insert(HAIRPINS.to_owned(), hairpins);

    let by_address = [Field::Ipv4Destination, Field::Transport, Field::DestinationPort];
    let by_port = [Field::Transport, Field::DestinationPort];
    ruleset.chain(
        PORTS_CHAIN,
        vec![
            Rule::new().family(Family::Ipv4).redirect_by(&by_address, ADDRESS_PORTS, Family::Ipv4),
            Rule::new().family(Family::Ipv4).redirect_by(&by_port, PORTS, Family::Ipv4),
        ],
    );
    for (name, point) in [("prerouting", HookPoint::Prerouting), ("output", HookPoint::Output)] {
        let hook = Hook::nat(point, Hook::PRIORITY_DESTINATION_NAT);
        ruleset.base_chain(name, hook, vec![Rule::new().to_local_address().jump(PORTS_CHAIN)]);
    }
}

fn transport(transport: HostTransport) -> Transport {
    match transport {
        HostTransport::Tcp => Transport::Tcp,
        HostTransport::Udp => Transport::Udp,
        HostTransport::Sctp => Transport::Sctp,
    }
}

/// The first host port that two pods both want, with the one who has it.
pub(crate) fn conflict<'a>(pods: impl Iterator<Item = &'a Pod>, wanted: &[HostPort]) -> Option<SocketAddr> {
    let taken: Vec<&HostPort> = pods.flat_map(|pod| &pod.ports).collect();
    wanted.iter().find_map(|port| {
        let clash = taken.iter().any(|other| {
            let addresses =
                port.host_address.is_none() || other.host_address.is_none() || port.host_address == other.host_address;
            addresses && port.transport == other.transport && port.host_port == other.host_port
        });
        let address = port.host_address.unwrap_or(Ipv4Addr::UNSPECIFIED);
        clash.then(|| SocketAddr::from((address, port.host_port)))
    })
}
