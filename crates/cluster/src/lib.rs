//! Making and unmaking a cluster on one machine: where things are, what the machine must offer,
//! certificates, the user's kubeconfig, and the server process.
//!
//! Starting the rooms themselves is the program's wiring, not this crate's.

pub mod check;
mod choices;
pub mod kubeconfig;
pub mod node;
pub mod pki;
pub mod process;
pub mod progress;
pub mod settings;
pub mod store;
pub mod traces;

pub use choices::{Choices, ChoicesError};
pub use settings::{RemoteRuntime, Settings};
pub use store::{EtcdLocation, StoreLocation};
