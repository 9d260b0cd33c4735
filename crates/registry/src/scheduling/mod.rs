//! Kinds of the `scheduling.k8s.io` group.

pub mod pod_group;
pub mod priority_class;
pub mod workload;

mod policy;
