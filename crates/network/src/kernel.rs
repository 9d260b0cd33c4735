//! Carries out what was decided: the bridge, and each pod's link.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use netlink::address::LinkAddress;
use netlink::link::{MacAddress, VethPair};
use netlink::nftables::{Ruleset, Transaction};
use netlink::{Errno, Error, Namespace, Protocol, Socket, address, link, route, sysctl};

use crate::range::Range;
use crate::state::Pod;

const POD_LINK: &str = "eth0";
/// The loopback link comes first in every namespace.
const LOOPBACK_INDEX: u32 = 1;
const POD_PREFIX_LENGTH: u8 = 32;
const USUAL_MTU: u32 = 1500;
/// The group of links that are being deleted; a number that nobody chooses by hand.
const LEAVING: u32 = 0x7076_676f;

/// The bridge as attaching needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BridgeLink {
    pub(crate) index: u32,
    pub(crate) mtu: u32,
}

/// Makes the bridge, or completes what is there of it.
pub(crate) fn ensure_bridge(name: &str, range: Range) -> Result<BridgeLink, Error> {
    let mut socket = Socket::open(Protocol::Route)?;
    let gateway = range.gateway();
    socket.execute(&[link::add_bridge(name, hardware_address(gateway))])?;
    let mtu = uplink_mtu(&mut socket)?;
    let bridge =
        link::find(&mut socket, name)?.ok_or_else(|| Error::Unanswered { step: format!("show the bridge {name}") })?;
    let address =
        LinkAddress { link_index: bridge.index, address: IpAddr::V4(gateway), prefix_length: range.prefix_length() };
    socket.execute(&[link::set_mtu(bridge.index, mtu), link::set_up(bridge.index), address::add(&address)])?;
    sysctl::set("net/ipv4/ip_forward", "1")?;
    // Lets node ports answer on 127.0.0.1; the table's loopback guard keeps pods from using it.
    sysctl::set(&format!("net/ipv4/conf/{name}/route_localnet"), "1")?;
    refuse_router_advertisements(name)?;
    Ok(BridgeLink { index: bridge.index, mtu })
}

/// Leads service addresses towards the bridge, which they never reach: the proxy's rules turn them
/// elsewhere first.
pub(crate) fn route_services(bridge: BridgeLink, services: Range) -> Result<(), Error> {
    let network = IpAddr::V4(services.network());
    let request = route::add_network(network, services.prefix_length(), bridge.index);
    Socket::open(Protocol::Route)?.execute(&[request])
}

/// Connects a pod. What an earlier attempt left complete is kept; anything less is made anew.
pub(crate) fn attach(bridge: BridgeLink, gateway: Ipv4Addr, pod: &Pod, netns: &Path) -> Result<(), Error> {
    let namespace = Namespace::open(netns)?;
    let mut socket = Socket::open(Protocol::Route)?;
    let pair = VethPair {
        name: &pod.link,
        bridge_index: bridge.index,
        mtu: bridge.mtu,
        peer_name: POD_LINK,
        peer_address: hardware_address(pod.address),
        peer_namespace: &namespace,
    };
    let mut inside = namespace.socket(Protocol::Route)?;
    let make = [link::add_veth(&pair), link::set_hairpin(&pod.link), link::without_own_addresses(&pod.link)];
    match socket.execute(&make) {
        Err(error) if error.errno() == Some(Errno::EEXIST) => {
            if is_attached(&mut inside, pod.address)? {
                return Ok(());
            }
            socket.execute(&[link::delete(&pod.link)])?;
            socket.execute(&make)?;
        }
        made => made?,
    }
    let link = link::find(&mut inside, POD_LINK)?
        .ok_or_else(|| Error::Unanswered { step: format!("show the pod's {POD_LINK}") })?;
    let address =
        LinkAddress { link_index: link.index, address: IpAddr::V4(pod.address), prefix_length: POD_PREFIX_LENGTH };
    inside.execute(&[
        link::set_up(LOOPBACK_INDEX),
        // Pods have IPv4 addresses. Of every other the whole bridge would be told, each pod of each: with hundreds of them
        // that is much, and it would lead past whatever is done about addresses.
        link::without_own_addresses(POD_LINK),
        link::set_up(link.index),
        address::add(&address),
        route::add_host(IpAddr::V4(gateway), link.index),
        route::add_default(IpAddr::V4(gateway), link.index),
    ])
}

/// Takes pods' links away; with the node's end of each goes the pod's.
pub(crate) fn detach(links: &[String]) -> Result<(), Error> {
    remove_links(&mut Socket::open(Protocol::Route)?, links)
}

pub(crate) fn apply(table: &str, ruleset: &Ruleset) -> Result<(), Error> {
    Transaction::replace(table, ruleset).commit(&mut Socket::open(Protocol::Netfilter)?)
}

/// Removes the table, the bridge, and the bridge's ports.
pub(crate) fn destroy(bridge: &str, table: &str) -> Result<(), Error> {
    let mut socket = Socket::open(Protocol::Route)?;
    let links = link::list(&mut socket)?;
    if let Some(found) = links.iter().find(|link| link.name == bridge) {
        let ports = links.iter().filter(|link| link.controller == Some(found.index));
        let ports: Vec<String> = ports.map(|port| port.name.clone()).collect();
        remove_links(&mut socket, &ports)?;
        socket.execute(&[link::delete(bridge)])?;
    }
    Transaction::destroy(table).commit(&mut Socket::open(Protocol::Netfilter)?)
}

/// Several are made a group, which goes in a single wait of the kernel's.
fn remove_links(socket: &mut Socket, links: &[String]) -> Result<(), Error> {
    let one_by_one: Vec<_> = links.iter().map(|name| link::delete(name)).collect();
    if links.len() < 2 {
        return socket.execute(&one_by_one);
    }
    let mut requests: Vec<_> = links.iter().map(|name| link::set_group(name, LEAVING)).collect();
    requests.push(link::delete_group(LEAVING));
    match socket.execute(&requests) {
        // Somebody else has a link in this group that stays.
        Err(error) if error.errno() == Some(Errno::EOPNOTSUPP) => socket.execute(&one_by_one),
        removed => removed,
    }
}

fn is_attached(inside: &mut Socket, pod: Ipv4Addr) -> Result<bool, Error> {
    let links = link::list(inside)?;
    let up = links.iter().any(|link| link.name == POD_LINK && link.up);
    Ok(up
        && address::list(inside)?.iter().any(|found| found.address == IpAddr::V4(pod))
        && !route::default_links(inside)?.is_empty())
}

/// Pods must not send what the way out cannot carry.
fn uplink_mtu(socket: &mut Socket) -> Result<u32, Error> {
    let uplinks = route::default_links(socket)?;
    let links = link::list(socket)?;
    Ok(links.iter().filter(|link| uplinks.contains(&link.index)).map(|link| link.mtu).min().unwrap_or(USUAL_MTU))
}

/// A pod must not become the node's router (CVE-2020-10749). A kernel without IPv6 has no such
/// setting.
fn refuse_router_advertisements(bridge: &str) -> Result<(), Error> {
    let key = format!("net/ipv6/conf/{bridge}/accept_ra");
    if Path::new("/proc/sys").join(&key).exists() { sysctl::set(&key, "0") } else { Ok(()) }
}

/// A locally administered hardware address that follows the IP address, so that no neighbour
/// ever holds a stale one.
pub(crate) fn hardware_address(address: Ipv4Addr) -> MacAddress {
    let [a, b, c, d] = address.octets();
    [0x0a, 0x58, a, b, c, d]
}
