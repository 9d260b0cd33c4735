//! One thing asked of the kernel's routing side.

use netlink_packet_core::{NLM_F_ACK, NLM_F_REQUEST, NetlinkSerializable};
use netlink_packet_route::RouteNetlinkMessage;
use nix::errno::Errno;

/// A request with the words an error needs, and the verdicts that count as success.
#[derive(Debug)]
pub struct Request {
    pub(crate) step: String,
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) tolerated: Vec<Errno>,
}

impl Request {
    pub(crate) fn new(step: impl Into<String>, flags: u16, message: &RouteNetlinkMessage) -> Self {
        let mut body = vec![0; message.buffer_len()];
        message.serialize(&mut body);
        let flags = NLM_F_REQUEST | NLM_F_ACK | flags;
        Request { step: step.into(), kind: message.message_type(), flags, body, tolerated: Vec::new() }
    }

    /// Makes this verdict a success too, e.g. `EEXIST` where the thing may be there already.
    pub fn tolerate(mut self, errno: Errno) -> Self {
        self.tolerated.push(errno);
        self
    }
}
