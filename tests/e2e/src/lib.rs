//! The cluster on a real kernel, seen through the real kubectl.
//!
//! Each test file starts its own cluster on a [`Machine`]: network and mount namespaces with a LAN
//! and a neighbour, so that ports, links and rules of the computer that runs the tests stay as they
//! are. When the file's tests are done the cluster is destroyed, and anything left fails the run.

mod cluster;
mod command;
mod fixtures;
mod kubectl;
mod machine;
mod registry;
mod runner;
mod wait;

pub use cluster::{Cluster, Namespace};
pub use command::{Ran, run};
pub use fixtures::{busybox_manifest, client_library, debian_program, image, manifest, pintle, repository};
pub use kubectl::Kubectl;
pub use machine::{Machine, NODE_ADDRESS};
pub use registry::{Background, Certificate, Registry};
pub use runner::{Suite, trial};
pub use wait::{DEADLINE, Deadline, wait_for};
