//! WebSocket (RFC 6455): the upgrade, the frames, and what Kubernetes sends in them.

mod channels;
mod frame;
mod handshake;

pub(crate) use channels::{Framing, Link};
pub(crate) use handshake::{accept, accept_key, is_requested};

/// Why a connection was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("a WebSocket frame is malformed")]
    Frame,
    #[error("a WebSocket frame has the wrong masking")]
    Masking,
    #[error("a WebSocket message is larger than allowed")]
    MessageTooLarge,
    #[error("a WebSocket message is not valid base64")]
    Base64,
}
