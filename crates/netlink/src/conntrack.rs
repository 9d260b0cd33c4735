//! Connection tracking: forgetting connectionless flows that lead to where nothing is any more.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use netlink_packet_core::{NLM_F_ACK, NLM_F_REQUEST};
use nix::errno::Errno;

use crate::nftables::Transport;
use crate::wire::{Attribute, Attributes, attributes};
use crate::{Error, Request, Socket};

const SUBSYSTEM: u16 = 1 << 8;
const GET: u16 = SUBSYSTEM | 1;
const DELETE: u16 = SUBSYSTEM | 2;
const GENERIC_HEADER_LENGTH: usize = 4;

const TUPLE_ORIGINAL: u16 = 1;
const TUPLE_REPLY: u16 = 2;
const TUPLE_IP: u16 = 1;
const TUPLE_PROTOCOL: u16 = 2;
const IP_V4_SOURCE: u16 = 1;
const IP_V4_DESTINATION: u16 = 2;
const IP_V6_SOURCE: u16 = 3;
const IP_V6_DESTINATION: u16 = 4;
const PROTOCOL_NUMBER: u16 = 1;
const PROTOCOL_SOURCE_PORT: u16 = 2;
const PROTOCOL_DESTINATION_PORT: u16 = 3;

/// One direction of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuple {
    pub protocol: u8,
    pub source: SocketAddr,
    pub destination: SocketAddr,
}

/// A flow: what its sender meant, and where answers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    pub original: Tuple,
    pub reply: Tuple,
}

/// All flows of one transport protocol in the socket's namespace.
pub fn list(socket: &mut Socket, transport: Transport) -> Result<Vec<Flow>, Error> {
    let mut flows = Vec::new();
    socket.dump("list tracked connections", GET, &[0; GENERIC_HEADER_LENGTH], |message| {
        let body = message.payload.get(GENERIC_HEADER_LENGTH..).unwrap_or(&[]);
        flows.extend(read_flow(body).filter(|flow| flow.original.protocol == transport as u8));
        Ok(())
    })?;
    Ok(flows)
}

/// Forgets a flow; its next packet is looked at afresh. One that ended meanwhile is no error.
pub fn delete(flow: &Flow) -> Request {
    let family = if flow.original.source.is_ipv4() { 2 } else { 10 };
    let mut body = vec![family, 0, 0, 0];
    Attributes::new(&mut body).nested(TUPLE_ORIGINAL, |tuple| write_tuple(&flow.original, tuple));
    Request {
        step: format!("forget the connection to {}", flow.original.destination),
        kind: DELETE,
        flags: NLM_F_REQUEST | NLM_F_ACK,
        body,
        tolerated: vec![Errno::ENOENT],
    }
}

fn read_flow(body: &[u8]) -> Option<Flow> {
    let (mut original, mut reply) = (None, None);
    for attribute in attributes(body) {
        match attribute.kind {
            TUPLE_ORIGINAL => original = read_tuple(attribute),
            TUPLE_REPLY => reply = read_tuple(attribute),
            _ => {}
        }
    }
    Some(Flow { original: original?, reply: reply? })
}

fn read_tuple(tuple: Attribute<'_>) -> Option<Tuple> {
    let (mut source, mut destination) = (None, None);
    let (mut protocol, mut source_port, mut destination_port) = (None, 0, 0);
    for part in tuple.children() {
        for field in part.children() {
            match (part.kind, field.kind) {
                (TUPLE_IP, IP_V4_SOURCE | IP_V6_SOURCE) => source = read_address(field.value),
                (TUPLE_IP, IP_V4_DESTINATION | IP_V6_DESTINATION) => destination = read_address(field.value),
                (TUPLE_PROTOCOL, PROTOCOL_NUMBER) => protocol = field.value.first().copied(),
                (TUPLE_PROTOCOL, PROTOCOL_SOURCE_PORT) => source_port = read_port(field.value)?,
                (TUPLE_PROTOCOL, PROTOCOL_DESTINATION_PORT) => destination_port = read_port(field.value)?,
                _ => {}
            }
        }
    }
    Some(Tuple {
        protocol: protocol?,
        source: SocketAddr::new(source?, source_port),
        destination: SocketAddr::new(destination?, destination_port),
    })
}

fn read_address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(bytes).into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|bytes| Ipv6Addr::from(bytes).into())
}

fn read_port(bytes: &[u8]) -> Option<u16> {
    bytes.first_chunk::<2>().map(|bytes| u16::from_be_bytes(*bytes))
}

fn write_tuple(tuple: &Tuple, attributes: &mut Attributes<'_>) {
    attributes.nested(TUPLE_IP, |ip| {
        let (source, destination) = match tuple.source {
            SocketAddr::V4(_) => (IP_V4_SOURCE, IP_V4_DESTINATION),
            SocketAddr::V6(_) => (IP_V6_SOURCE, IP_V6_DESTINATION),
        };
        for (kind, address) in [(source, tuple.source), (destination, tuple.destination)] {
            match address.ip() {
                IpAddr::V4(address) => ip.bytes(kind, &address.octets()),
                IpAddr::V6(address) => ip.bytes(kind, &address.octets()),
            }
        }
    });
    attributes.nested(TUPLE_PROTOCOL, |protocol| {
        protocol.byte(PROTOCOL_NUMBER, tuple.protocol);
        protocol.u16(PROTOCOL_SOURCE_PORT, tuple.source.port());
        protocol.u16(PROTOCOL_DESTINATION_PORT, tuple.destination.port());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tuples_are_read_as_they_were_written() {
        let original = Tuple {
            protocol: 17,
            source: "10.244.0.5:4000".parse().unwrap(),
            destination: "10.96.0.10:53".parse().unwrap(),
        };
        let reply = Tuple {
            protocol: 17,
            source: "[fd00::5]:53".parse().unwrap(),
            destination: "[fd00::6]:4000".parse().unwrap(),
        };
        let mut body = Vec::new();
        Attributes::new(&mut body).nested(TUPLE_ORIGINAL, |tuple| write_tuple(&original, tuple));
        Attributes::new(&mut body).nested(TUPLE_REPLY, |tuple| write_tuple(&reply, tuple));
        assert_eq!(read_flow(&body), Some(Flow { original, reply }));
    }
}
