//! Addresses of links.

use std::net::IpAddr;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, Parseable};
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::errno::Errno;

use crate::{Error, Request, Socket};

const RTM_GETADDR: u16 = 22;
const EMPTY_HEADER: [u8; 8] = [0; 8];

/// An address on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkAddress {
    pub link_index: u32,
    pub address: IpAddr,
    pub prefix_length: u8,
}

/// Gives a link an address; one that is there already is kept.
pub fn add(address: &LinkAddress) -> Request {
    let step = format!("add the address {}/{}", address.address, address.prefix_length);
    let message = RouteNetlinkMessage::NewAddress(message(address));
    Request::new(step, NLM_F_CREATE | NLM_F_EXCL, &message).tolerate(Errno::EEXIST)
}

/// Takes an address away; one that is not there is no error.
pub fn delete(address: &LinkAddress) -> Request {
    let step = format!("delete the address {}/{}", address.address, address.prefix_length);
    let message = RouteNetlinkMessage::DelAddress(message(address));
    Request::new(step, 0, &message).tolerate(Errno::EADDRNOTAVAIL)
}

/// All addresses of the socket's namespace.
pub fn list(socket: &mut Socket) -> Result<Vec<LinkAddress>, Error> {
    let mut addresses = Vec::new();
    socket.dump("list addresses", RTM_GETADDR, &EMPTY_HEADER, |message| {
        let parsed =
            AddressMessage::parse(message.payload).map_err(|error| Error::Malformed(format!("an address: {error}")))?;
        addresses.extend(read(&parsed));
        Ok(())
    })?;
    Ok(addresses)
}

/// The local address; on point-to-point links the plain address is the other end's.
fn read(message: &AddressMessage) -> Option<LinkAddress> {
    let local = message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Local(address) => Some(*address),
        _ => None,
    });
    let plain = message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Address(address) => Some(*address),
        _ => None,
    });
    Some(LinkAddress {
        link_index: message.header.index,
        address: local.or(plain)?,
        prefix_length: message.header.prefix_len,
    })
}

fn message(address: &LinkAddress) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.index = address.link_index;
    message.header.prefix_len = address.prefix_length;
    message.header.family = match address.address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    };
    message.attributes = vec![AddressAttribute::Local(address.address), AddressAttribute::Address(address.address)];
    message
}
