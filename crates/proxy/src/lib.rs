//! The service proxy: Services and EndpointSlices become rules of one private nf_tables table.
//!
//! Three pure steps and a thin one: [`backends`] chooses the endpoints that may serve,
//! [`service_port`] says what each port of a service offers to whom, [`rules`] writes that as
//! chains and maps, and [`run`] carries the difference to what the kernel holds over in one
//! transaction. Between two changes nothing runs; the kernel alone moves the packets.

mod backends;
mod desired;
mod metrics;
mod rules;
mod run;
mod service_port;
mod stale;

pub use metrics::Metrics;
pub use run::{Config, DestroyError, Error, destroy, run, run_telling};
