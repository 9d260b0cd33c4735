//! Kinds of the `rbac.authorization.k8s.io` group.

pub mod cluster_role;
pub mod cluster_role_binding;
pub mod role;
pub mod role_binding;
mod rules;
