//! Kinds of the `flowcontrol.apiserver.k8s.io` group.

pub mod bootstrap;
pub mod flow_schema;
pub mod priority_level_configuration;
