//! gRPC over HTTP/2, as far as Pintle speaks it: calls with one answer and calls that a stream answers, both ways.
//!
//! Messages are `prost`'s, written by hand where they are used; there is no code generator. [`Channel`] calls a server
//! at a unix socket, [`serve`] is one. Who needs another transport, as the store over etcd does, takes the framing
//! ([`encode`], [`Decoder`]) and the end of a call ([`outcome`]).

mod client;
mod frame;
mod server;
mod status;

pub use client::{Channel, Streaming};
pub use frame::{Decoder, FrameError, encode};
pub use server::{Answer, Service, bind, serve};
pub use status::{Code, Status, outcome};
