//! Streams to and from containers: exec, attach and port-forward.
//!
//! The protocols are those of the ecosystem: SPDY/3.1 and WebSocket upgrades of one HTTP/1.1
//! request. A runtime serves them with [`exec`] and [`portforward`]; [`tunnel`] is for whoever
//! stands between (API server, kubelet) and copies bytes.
//!
//! ```text
//! exec::accept(request)  ─▶ 101 to the client, then a Session: stdin, stdout, stderr, resize
//!                                                     │
//!                        spdy::Connection ◀───────────┴──────────▶ websocket::Link
//!                        one stream per pipe                       one channel per pipe
//!                                                     │
//!                             stream::Tasks: a reading and a writing task, bounded queues
//! ```

pub mod client;
pub mod exec;
pub mod portforward;
mod refusal;
pub mod spdy;
mod status;
mod stream;
pub mod tunnel;
pub mod websocket;

pub use refusal::Refusal;
pub use status::ExitStatus;
pub use stream::{Limits, Reader, Writer};
