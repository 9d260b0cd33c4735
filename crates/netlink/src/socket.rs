//! A netlink socket of one network namespace.

use std::os::fd::AsRawFd;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR};
use netlink_sys::protocols::{NETLINK_NETFILTER, NETLINK_ROUTE};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, setsockopt, sockopt};

use crate::wire::{self, Message};
use crate::{Error, Request};

/// Acknowledgements wait in the socket until they are read; more requests than this at once could
/// overrun its buffer.
const REQUESTS_AT_ONCE: usize = 64;
/// The kernel fills at most 32 KiB at a time when it lists objects.
const RECEIVE_BUFFER_BYTES: usize = 64 * 1024;
const EXTENDED_ACK_MESSAGE: u16 = 1;
const CAPPED: u16 = 0x100;
const HAS_ATTRIBUTES: u16 = 0x200;

/// Which part of the kernel a socket speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Links, addresses and routes.
    Route,
    /// nf_tables and connection tracking.
    Netfilter,
}

#[derive(Debug)]
pub struct Socket {
    inner: netlink_sys::Socket,
    sequence: u32,
    send_buffer_bytes: usize,
}

/// The kernel's answer to one message.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) sequence: u32,
    pub(crate) errno: Option<Errno>,
    pub(crate) hint: String,
}

impl Socket {
    /// Opens a socket in the calling thread's network namespace.
    pub fn open(protocol: Protocol) -> Result<Self, Error> {
        let number = match protocol {
            Protocol::Route => NETLINK_ROUTE,
            Protocol::Netfilter => NETLINK_NETFILTER,
        };
        let mut inner = netlink_sys::Socket::new(number).map_err(Error::Open)?;
        inner.bind_auto().map_err(Error::Open)?;
        inner.set_cap_ack(true).map_err(Error::Open)?;
        inner.set_ext_ack(true).map_err(Error::Open)?;
        Ok(Socket { inner, sequence: 0, send_buffer_bytes: 0 })
    }

    /// Carries out all requests in order. The kernel tries each of them even where an earlier one
    /// was refused; the first refusal that its request does not tolerate is the error.
    pub fn execute(&mut self, requests: &[Request]) -> Result<(), Error> {
        for chunk in requests.chunks(REQUESTS_AT_ONCE) {
            self.execute_at_once(chunk)?;
        }
        Ok(())
    }

    fn execute_at_once(&mut self, requests: &[Request]) -> Result<(), Error> {
        let first = self.reserve(requests.len());
        let mut buffer = Vec::new();
        for (sequence, request) in (first..).zip(requests) {
            wire::push_message(&mut buffer, request.kind, request.flags, sequence, |body| {
                body.extend_from_slice(&request.body);
            });
        }
        self.send(&buffer)?;
        let verdicts = self.verdicts_until(first + requests.len() as u32 - 1)?;
        for (sequence, request) in (first..).zip(requests) {
            let verdict = verdicts
                .iter()
                .find(|verdict| verdict.sequence == sequence)
                .ok_or_else(|| Error::Unanswered { step: request.step.clone() })?;
            match verdict.errno {
                Some(errno) if !request.tolerated.contains(&errno) => {
                    return Err(Error::Refused {
                        step: request.step.clone(),
                        hint: verdict.hint.clone(),
                        source: errno,
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Asks for a list; `visit` sees every message of it.
    pub(crate) fn dump(
        &mut self,
        step: &str,
        kind: u16,
        body: &[u8],
        mut visit: impl FnMut(Message<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let sequence = self.reserve(1);
        let mut buffer = Vec::new();
        wire::push_message(&mut buffer, kind, NLM_F_REQUEST | NLM_F_DUMP, sequence, |message| {
            message.extend_from_slice(body);
        });
        self.send(&buffer)?;
        let mut received = vec![0; RECEIVE_BUFFER_BYTES];
        while let Some(length) = self.receive(&mut received)? {
            for message in wire::messages(&received[..length]).filter(|message| message.sequence == sequence) {
                match message.kind {
                    NLMSG_DONE => return Ok(()),
                    NLMSG_ERROR => {
                        let verdict = read_verdict(message)?;
                        let Some(source) = verdict.errno else { return Ok(()) };
                        return Err(Error::Refused { step: step.to_owned(), hint: verdict.hint, source });
                    }
                    _ => visit(message)?,
                }
            }
        }
        Err(Error::Unanswered { step: step.to_owned() })
    }

    /// Takes `count` sequence numbers and returns the first.
    pub(crate) fn reserve(&mut self, count: usize) -> u32 {
        // Zero marks messages that nobody asked for; numbers start over long before they overflow.
        if self.sequence > u32::MAX / 2 {
            self.sequence = 0;
        }
        let first = self.sequence + 1;
        self.sequence += count as u32;
        first
    }

    /// Sends one datagram of whole messages, however long.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        // The kernel wants the whole datagram within the send buffer.
        let needed = bytes.len() + RECEIVE_BUFFER_BYTES;
        if self.send_buffer_bytes < needed {
            setsockopt(&self.inner, sockopt::SndBufForce, &needed).map_err(Error::Exchange)?;
            self.send_buffer_bytes = needed;
        }
        self.inner
            .send(bytes, 0)
            .map_err(|error| Error::Exchange(error.raw_os_error().map_or(Errno::UnknownErrno, Errno::from_raw)))?;
        Ok(())
    }

    /// Reads verdicts up to the one on `last`, or until no more are there.
    pub(crate) fn verdicts_until(&mut self, last: u32) -> Result<Vec<Verdict>, Error> {
        let mut verdicts = Vec::new();
        let mut received = vec![0; RECEIVE_BUFFER_BYTES];
        loop {
            let length = match self.receive(&mut received) {
                Ok(Some(length)) => length,
                Ok(None) => return Ok(verdicts),
                // Some verdicts were lost, those kept say enough.
                Err(Error::Exchange(Errno::ENOBUFS)) if !verdicts.is_empty() => return Ok(verdicts),
                Err(error) => return Err(error),
            };
            for message in wire::messages(&received[..length]).filter(|message| message.kind == NLMSG_ERROR) {
                let verdict = read_verdict(message)?;
                let sequence = verdict.sequence;
                verdicts.push(verdict);
                if sequence == last {
                    return Ok(verdicts);
                }
            }
        }
    }

    /// The next datagram's length, or nothing where none waits: the kernel has answered before
    /// sending returns, so there is never anything to wait for.
    fn receive(&self, buffer: &mut [u8]) -> Result<Option<usize>, Error> {
        loop {
            return match recv(self.inner.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(length) => Ok(Some(length)),
                Err(Errno::EINTR) => continue,
                Err(Errno::EAGAIN) => Ok(None),
                Err(errno) => Err(Error::Exchange(errno)),
            };
        }
    }
}

fn read_verdict(message: Message<'_>) -> Result<Verdict, Error> {
    let code = message
        .payload
        .first_chunk::<4>()
        .map(|bytes| i32::from_ne_bytes(*bytes))
        .ok_or_else(|| Error::Malformed("an acknowledgement without a code".to_owned()))?;
    let errno = (code != 0).then(|| Errno::from_raw(code.wrapping_neg()));
    Ok(Verdict { sequence: message.sequence, errno, hint: read_hint(message).unwrap_or_default() })
}

/// The text behind a refusal: after the code stands the refused message, or its header alone.
fn read_hint(message: Message<'_>) -> Option<String> {
    if message.flags & HAS_ATTRIBUTES == 0 {
        return None;
    }
    let refused = message.payload.get(4..)?;
    let refused_length = match message.flags & CAPPED {
        0 => u32::from_ne_bytes(*refused.first_chunk::<4>()?) as usize,
        _ => wire::MESSAGE_HEADER_LENGTH,
    };
    wire::attributes(refused.get(wire::aligned(refused_length)..)?)
        .find(|attribute| attribute.kind == EXTENDED_ACK_MESSAGE)
        .map(|attribute| attribute.text())
}
