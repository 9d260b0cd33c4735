//! Routes.

use std::net::IpAddr;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_REPLACE, Parseable};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use crate::{Error, Request, Socket};

const RTM_GETROUTE: u16 = 26;
const EMPTY_HEADER: [u8; 12] = [0; 12];

/// Reaches one address directly on a link, without any network around it.
pub fn add_host(destination: IpAddr, link_index: u32) -> Request {
    add_network(destination, if destination.is_ipv4() { 32 } else { 128 }, link_index)
}

/// Reaches all addresses of a network directly on a link.
pub fn add_network(network: IpAddr, prefix_length: u8, link_index: u32) -> Request {
    let mut message = unicast(network, link_index);
    message.header.scope = RouteScope::Link;
    message.header.destination_prefix_length = prefix_length;
    message.attributes.push(RouteAttribute::Destination(route_address(network)));
    let message = RouteNetlinkMessage::NewRoute(message);
    Request::new(format!("add the route to {network}/{prefix_length}"), NLM_F_CREATE | NLM_F_REPLACE, &message)
}

/// Sends everything else through `gateway`.
pub fn add_default(gateway: IpAddr, link_index: u32) -> Request {
    let mut message = unicast(gateway, link_index);
    message.attributes.push(RouteAttribute::Gateway(route_address(gateway)));
    let message = RouteNetlinkMessage::NewRoute(message);
    Request::new(format!("add the default route through {gateway}"), NLM_F_CREATE | NLM_F_REPLACE, &message)
}

/// The links that default routes of the main table lead to.
pub fn default_links(socket: &mut Socket) -> Result<Vec<u32>, Error> {
    let mut links = Vec::new();
    socket.dump("list routes", RTM_GETROUTE, &EMPTY_HEADER, |message| {
        // Kinds of routes that the parser does not know are none of ours.
        if let Ok(parsed) = RouteMessage::parse(message.payload) {
            links.extend(default_link(&parsed));
        }
        Ok(())
    })?;
    Ok(links)
}

fn default_link(route: &RouteMessage) -> Option<u32> {
    let header = &route.header;
    let is_default = header.destination_prefix_length == 0
        && header.table == RouteHeader::RT_TABLE_MAIN
        && header.kind == RouteType::Unicast;
    is_default.then_some(())?;
    route.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Oif(index) => Some(*index),
        _ => None,
    })
}

fn unicast(towards: IpAddr, link_index: u32) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = match towards {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    };
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = RouteProtocol::Boot;
    message.header.kind = RouteType::Unicast;
    message.attributes = vec![RouteAttribute::Oif(link_index)];
    message
}

fn route_address(address: IpAddr) -> RouteAddress {
    match address {
        IpAddr::V4(address) => RouteAddress::Inet(address),
        IpAddr::V6(address) => RouteAddress::Inet6(address),
    }
}
