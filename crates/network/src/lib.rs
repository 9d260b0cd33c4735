//! The built-in pod network of a node: one bridge, and a veth pair per pod.
//!
//! A pod's address stands alone (`/32`), so that everything it sends passes the node's routing:
//! answers of a pod to another one that called it through a service find their way back through
//! the translation, whether or not the kernel shows bridged packets to the firewall.
//!
//! The rules that pods need beside the services (the way out, host ports, the guard of the
//! loopback addresses) stand in a table of this room's own, `inet <cluster>-net`.

mod addresses;
mod bridge;
mod departures;
mod firewall;
mod kernel;
mod range;
mod state;
mod trial;

pub use bridge::{Bridge, Config, DestroyError, OpenError, destroy};
pub use trial::trial;
