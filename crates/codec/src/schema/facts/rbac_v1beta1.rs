//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ClusterRole: Type = Type { name: "ClusterRole", package: "io.k8s.api.rbac.v1beta1", fields: rbac_v1::ClusterRole.fields, embedded: rbac_v1::ClusterRole.embedded };

pub(super) static ClusterRoleBinding: Type = Type { name: "ClusterRoleBinding", package: "io.k8s.api.rbac.v1beta1", fields: rbac_v1::ClusterRoleBinding.fields, embedded: rbac_v1::ClusterRoleBinding.embedded };

pub(super) static Role: Type = Type { name: "Role", package: "io.k8s.api.rbac.v1beta1", fields: rbac_v1::Role.fields, embedded: rbac_v1::Role.embedded };

pub(super) static RoleBinding: Type = Type { name: "RoleBinding", package: "io.k8s.api.rbac.v1beta1", fields: rbac_v1::RoleBinding.fields, embedded: rbac_v1::RoleBinding.embedded };
