//! SPDY/3.1, as far as the ecosystem's clients speak it: streams, data, pings and resets.
//!
//! Their implementation keeps no flow-control windows: it never sends WINDOW_UPDATE and never waits
//! for one. A peer that honoured the windows of the draft would hang on them after 64 KiB, so
//! here, as there, the socket is the flow control.

mod connection;
mod frame;
mod handshake;
mod headers;

pub use connection::{Connection, Role, Stream};
pub(crate) use handshake::accept;

/// Why a connection was given up: the peer broke the protocol or a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("a SPDY frame is larger than allowed")]
    FrameTooLarge,
    #[error("a SPDY frame is malformed")]
    Frame,
    #[error("the peer does not speak SPDY/3")]
    Version,
    #[error("a SPDY header block is not valid zlib")]
    Compression,
    #[error("a SPDY header block is malformed")]
    Headers,
    #[error("a SPDY header block is larger than allowed")]
    HeadersTooLarge,
    #[error("a SPDY stream identifier is out of order")]
    StreamOrder,
}
