//! Notices when somebody else removes a table, as `nft flush ruleset` does to all of them.

use std::io;
use std::os::fd::AsRawFd;

use netlink_packet_core::{NLM_F_ACK, NLM_F_REQUEST};
use netlink_sys::protocols::NETLINK_NETFILTER;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::transaction::{DELETE_TABLE, FAMILY_INET, GENERIC_HEADER_LENGTH, GET_TABLE};
use crate::wire::{self, Attributes};
use crate::{Error, Protocol, Request, Socket};

/// The multicast group of nf_tables changes.
const GROUP: u32 = 7;
const RECEIVE_BUFFER_BYTES: usize = 64 * 1024;

/// Listens to changes of the network namespace it was opened in.
#[derive(Debug)]
pub struct Monitor {
    socket: AsyncFd<netlink_sys::Socket>,
}

impl Monitor {
    /// Must be called inside a tokio runtime.
    pub fn open() -> Result<Self, Error> {
        let open = || {
            let mut socket = netlink_sys::Socket::new(NETLINK_NETFILTER)?;
            socket.bind_auto()?;
            socket.add_membership(GROUP)?;
            socket.set_non_blocking(true)?;
            register(socket)
        };
        Ok(Monitor { socket: open().map_err(Error::Open)? })
    }

    /// Returns once the table was removed and is still missing; replacing it is no removal.
    pub async fn removed(&self, table: &str) -> Result<(), Error> {
        loop {
            let mut ready = self.socket.readable().await.map_err(Error::Open)?;
            let mut suspicious = false;
            while let Ok(heard) = ready.try_io(|socket| hear(socket.get_ref(), table)) {
                suspicious |= heard.map_err(|error| Error::Exchange(errno(&error)))?;
            }
            if suspicious && !exists(table)? {
                return Ok(());
            }
        }
    }
}

#[expect(unsafe_code, reason = "tokio cannot see that a socket keeps its descriptor")]
fn register(socket: netlink_sys::Socket) -> io::Result<AsyncFd<netlink_sys::Socket>> {
    // SAFETY: the socket owns its descriptor, always names the same one, and closes it only when it is dropped,
    // which `AsyncFd` does after the registration has ended.
    let registered = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) };
    registered.map_err(io::Error::from)
}

/// Reads one datagram; true where the table may be gone.
fn hear(socket: &netlink_sys::Socket, table: &str) -> io::Result<bool> {
    let mut buffer = vec![0; RECEIVE_BUFFER_BYTES];
    match recv(socket.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
        Ok(length) => Ok(wire::messages(&buffer[..length]).any(|message| {
            let body = message.payload.get(GENERIC_HEADER_LENGTH..).unwrap_or(&[]);
            let named = || wire::attributes(body).any(|attribute| attribute.kind == 1 && attribute.text() == table);
            message.kind == DELETE_TABLE && named()
        })),
        // Changes came faster than they were read: this one may have been among them.
        Err(Errno::ENOBUFS) => Ok(true),
        Err(errno) => Err(errno.into()),
    }
}

/// Whether the table is there, in the calling thread's network namespace.
fn exists(table: &str) -> Result<bool, Error> {
    let mut body = vec![FAMILY_INET, 0, 0, 0];
    Attributes::new(&mut body).string(1, table);
    let request = Request {
        step: format!("look up the firewall table {table}"),
        kind: GET_TABLE,
        flags: NLM_F_REQUEST | NLM_F_ACK,
        body,
        tolerated: Vec::new(),
    };
    match Socket::open(Protocol::Netfilter)?.execute(&[request]) {
        Ok(()) => Ok(true),
        Err(error) if error.errno() == Some(Errno::ENOENT) => Ok(false),
        Err(error) => Err(error),
    }
}

fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::UnknownErrno, Errno::from_raw)
}
