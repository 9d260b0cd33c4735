//! A rehearsal of everything the pod network asks of the kernel, where it touches nothing.

use std::net::Ipv4Addr;

use netlink::link::VethPair;
use netlink::nftables::Transaction;
use netlink::{Error, Namespace, Protocol, link};

use crate::firewall;
use crate::kernel::hardware_address;
use crate::range::Range;

const BRIDGE: &str = "trial0";
const TABLE: &str = "trial";
const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// Makes a bridge, a pair of links and the rules in network namespaces that are gone on return. The error is what
/// the kernel refused.
pub fn trial() -> Result<(), Error> {
    let (node, pod) = (Namespace::unnamed()?, Namespace::unnamed()?);
    let mut links = node.socket(Protocol::Route)?;
    links.execute(&[link::add_bridge(BRIDGE, hardware_address(ADDRESS))])?;
    let bridge = link::find(&mut links, BRIDGE)?
        .ok_or_else(|| Error::Unanswered { step: format!("show the bridge {BRIDGE}") })?;
    let pair = VethPair {
        name: "trial1",
        bridge_index: bridge.index,
        mtu: bridge.mtu,
        peer_name: "eth0",
        peer_address: hardware_address(ADDRESS),
        peer_namespace: &pod,
    };
    links.execute(&[link::add_veth(&pair), link::set_hairpin(pair.name)])?;
    let rules = firewall::ruleset(BRIDGE, Range::documentation(), std::iter::empty());
    Transaction::replace(TABLE, &rules).commit(&mut node.socket(Protocol::Netfilter)?)
}
