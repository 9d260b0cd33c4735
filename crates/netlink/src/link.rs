//! Links: bridges, veth pairs, and what there is.

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, Parseable};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, InfoBridgePort, InfoData, InfoKind, InfoPortData, InfoPortKind,
    InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use nix::errno::Errno;

use crate::{Error, Namespace, Request, Socket};

const RTM_GETLINK: u16 = 18;
/// An interface-information header without attributes.
const EMPTY_HEADER: [u8; 16] = [0; 16];

/// A hardware address.
pub type MacAddress = [u8; 6];

/// A link as the kernel shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub index: u32,
    pub name: String,
    pub mtu: u32,
    pub up: bool,
    /// The bridge (or bond) it is a port of.
    pub controller: Option<u32>,
}

/// Makes a bridge with a fixed hardware address, which the kernel would otherwise change with
/// every port that comes and goes; one that is there already is kept.
pub fn add_bridge(name: &str, address: MacAddress) -> Request {
    let attributes = vec![
        LinkAttribute::IfName(name.to_owned()),
        LinkAttribute::Address(address.to_vec()),
        LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Bridge)]),
    ];
    Request::new(format!("make the bridge {name}"), NLM_F_CREATE | NLM_F_EXCL, &new_link(0, attributes, false))
        .tolerate(Errno::EEXIST)
}

/// Two linked ends: one a port of a bridge here, the other in another namespace, still down.
#[derive(Debug)]
pub struct VethPair<'a> {
    pub name: &'a str,
    pub bridge_index: u32,
    pub mtu: u32,
    pub peer_name: &'a str,
    pub peer_address: MacAddress,
    pub peer_namespace: &'a Namespace,
}

/// Fails with `EEXIST` where either name is taken.
pub fn add_veth(pair: &VethPair<'_>) -> Request {
    // The kernel joins the ends last, and an end without its peer cannot come up.
    let mut peer = LinkMessage::default();
    peer.attributes = vec![
        LinkAttribute::IfName(pair.peer_name.to_owned()),
        LinkAttribute::Mtu(pair.mtu),
        LinkAttribute::Address(pair.peer_address.to_vec()),
        LinkAttribute::NetNsFd(pair.peer_namespace.raw()),
    ];
    let attributes = vec![
        LinkAttribute::IfName(pair.name.to_owned()),
        LinkAttribute::Mtu(pair.mtu),
        LinkAttribute::Controller(pair.bridge_index),
        LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
        ]),
    ];
    let message = new_link(0, attributes, true);
    Request::new(format!("make the veth pair {}", pair.name), NLM_F_CREATE | NLM_F_EXCL, &message)
}

/// Lets a bridge port send a frame back where it came from: a pod reaches itself through its
/// service also where another program has bridged packets pass the firewall.
pub fn set_hairpin(name: &str) -> Request {
    let attributes = vec![
        LinkAttribute::IfName(name.to_owned()),
        LinkAttribute::LinkInfo(vec![
            LinkInfo::PortKind(InfoPortKind::Bridge),
            LinkInfo::PortData(InfoPortData::BridgePort(vec![InfoBridgePort::HairpinMode(true)])),
        ]),
    ];
    Request::new(format!("set hairpin mode on {name}"), 0, &new_link(0, attributes, false))
}

/// Has a link give itself no IPv6 address when it comes up; a kernel without IPv6 has nothing to change.
pub fn without_own_addresses(name: &str) -> Request {
    let none = AfSpecUnspec::Inet6(vec![AfSpecInet6::AddrGenMode(In6AddrGenMode::None)]);
    let attributes = vec![LinkAttribute::IfName(name.to_owned()), LinkAttribute::AfSpecUnspec(vec![none])];
    Request::new(format!("keep {name} from choosing addresses"), 0, &new_link(0, attributes, false))
        .tolerate(Errno::EAFNOSUPPORT)
}

/// Makes an existing link a port of a bridge.
pub fn set_controller(name: &str, bridge_index: u32) -> Request {
    let attributes = vec![LinkAttribute::IfName(name.to_owned()), LinkAttribute::Controller(bridge_index)];
    Request::new(format!("connect {name} to its bridge"), 0, &new_link(0, attributes, true))
}

pub fn set_mtu(index: u32, mtu: u32) -> Request {
    Request::new("set a link's MTU", 0, &new_link(index, vec![LinkAttribute::Mtu(mtu)], false))
}

pub fn set_up(index: u32) -> Request {
    Request::new("bring a link up", 0, &new_link(index, Vec::new(), true))
}

/// Deletes a link, and with one end of a veth pair the other; a missing one is no error.
pub fn delete(name: &str) -> Request {
    let mut message = LinkMessage::default();
    message.attributes = vec![LinkAttribute::IfName(name.to_owned())];
    Request::new(format!("delete the link {name}"), 0, &RouteNetlinkMessage::DelLink(message)).tolerate(Errno::ENODEV)
}

/// Puts a link into a group, by which many are deleted at once; a missing one is no error.
pub fn set_group(name: &str, group: u32) -> Request {
    let attributes = vec![LinkAttribute::IfName(name.to_owned()), LinkAttribute::Group(group)];
    Request::new(format!("put the link {name} into group {group}"), 0, &new_link(0, attributes, false))
        .tolerate(Errno::ENODEV)
}

/// Deletes every link of a group; an empty one is no error. Fails with `EOPNOTSUPP`, and deletes none, where one of
/// them cannot be deleted.
pub fn delete_group(group: u32) -> Request {
    let mut message = LinkMessage::default();
    message.attributes = vec![LinkAttribute::Group(group)];
    Request::new(format!("delete the links of group {group}"), 0, &RouteNetlinkMessage::DelLink(message))
        .tolerate(Errno::ENODEV)
}

/// The link of that name, where there is one.
pub fn find(socket: &mut Socket, name: &str) -> Result<Option<Link>, Error> {
    Ok(list(socket)?.into_iter().find(|link| link.name == name))
}

/// All links of the socket's namespace.
pub fn list(socket: &mut Socket) -> Result<Vec<Link>, Error> {
    let mut links = Vec::new();
    socket.dump("list links", RTM_GETLINK, &EMPTY_HEADER, |message| {
        let parsed =
            LinkMessage::parse(message.payload).map_err(|error| Error::Malformed(format!("a link: {error}")))?;
        links.push(read(&parsed));
        Ok(())
    })?;
    Ok(links)
}

fn read(message: &LinkMessage) -> Link {
    let mut link = Link {
        index: message.header.index,
        name: String::new(),
        mtu: 0,
        up: message.header.flags.contains(LinkFlags::Up),
        controller: None,
    };
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => link.name.clone_from(name),
            LinkAttribute::Mtu(mtu) => link.mtu = *mtu,
            LinkAttribute::Controller(index) => link.controller = Some(*index),
            _ => {}
        }
    }
    link
}

fn new_link(index: u32, attributes: Vec<LinkAttribute>, up: bool) -> RouteNetlinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index;
    if up {
        message.header.flags = LinkFlags::Up;
        message.header.change_mask = LinkFlags::Up;
    }
    message.attributes = attributes;
    RouteNetlinkMessage::NewLink(message)
}
