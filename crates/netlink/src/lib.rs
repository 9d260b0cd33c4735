//! What `network` and `proxy` say to the kernel: links, addresses and routes, network namespaces,
//! connection tracking, and nf_tables transactions.
//!
//! The kernel answers a netlink request within the very system call that carries it, so
//! everything here is synchronous and short; asynchronous callers use a blocking thread. No
//! program (`ip`, `nft`, `iptables`) is ever run.
//!
//! A [`Socket`] belongs to the network namespace it was opened in, and goes on speaking to that
//! namespace from any thread.

pub mod address;
pub mod conntrack;
mod error;
pub mod link;
pub mod namespace;
pub mod nftables;
mod request;
pub mod route;
mod socket;
pub mod sysctl;
mod wire;

pub use error::Error;
pub use namespace::Namespace;
pub use nix::errno::Errno;
pub use request::Request;
pub use socket::{Protocol, Socket};
