//! The store over etcd v3: the bytes rest in etcd, and any number of servers share them.
//!
//! Each server keeps a [`store::Replica`] of everything below its root, fed by one watch: reads, watches, history and
//! snapshots come from memory, as with the other engines. A transaction is one of etcd's and is answered once memory
//! holds it. Where a read must not be behind any server's acknowledged write, etcd is asked for the newest revision
//! first ([`layout`] tells how), and memory waited for. While etcd is away, memory goes on answering and everything else
//! says so in bounded time; when it is back, nothing has to be started again.
//!
//! **Invariant:** memory changes only by what the watch brings, in etcd's order.

mod address;
mod channel;
mod client;
mod commit;
mod compaction;
mod digest;
mod engine;
mod feed;
mod freshness;
mod grpc;
mod layout;
mod leases;
mod load;
mod messages;
mod pending;
mod plan;
mod tls;

pub use address::{Address, AddressError};
pub use compaction::COMPACT_EVERY;
pub use engine::{Config, Etcd, OpenError};
pub use tls::{Identity, TlsError, client_tls};
