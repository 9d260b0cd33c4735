//! The pod's specification, wherever it stands: in Pods and in every template of them.

mod container;
mod defaults;
mod environment;
mod handlers;
mod mounts;
mod pod_resources;
pub mod qos;
mod resources;
mod scheduling;
mod security;
mod validation;
mod volume_files;
mod volumes;

pub(crate) use defaults::default_remote_source;
pub use defaults::{default_pod, default_spec, default_template};
pub use validation::{validate_pod, validate_spec, validate_template};

/// The kinds of containers, as the fields of a pod's spec that hold them.
pub const CONTAINER_LISTS: [&str; 2] = ["initContainers", "containers"];

pub(crate) use resources::{is_extended, is_standard, may_overcommit, parse_amount};
pub(crate) use scheduling::{check_narrowed, validate_node_selector};
pub(crate) use validation::check_address;
pub(crate) use volumes::validate_kind as validate_volume_source;
