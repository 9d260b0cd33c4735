//! Cluster DNS, after the Kubernetes DNS-based service discovery specification 1.1.0, with
//! CoreDNS's answers where the specification leaves a choice.
//!
//! Services, EndpointSlices and Namespaces become an immutable [`table`]; [`zone`] answers from it,
//! purely; [`server`] speaks the protocol, and hands names of other zones to [`forward`]. What
//! pods know the server by, the Service `kube-system/kube-dns`, is kept by [`publish`].

mod forward;
mod metrics;
mod publish;
mod run;
mod server;
mod table;
mod zone;

pub use metrics::Metrics;
pub use run::{Config, Error, run, run_telling};
