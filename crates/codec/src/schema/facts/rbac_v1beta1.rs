//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ClusterRole: Type = Type { name: "ClusterRole", package: "io.k8s.api.rbac.v1beta1", fields: rbac_v1::ClusterRole.fields, embedded: rbac_v1::ClusterRole.embedded, order: rbac_v1::ClusterRole.order, is_atomic: false };

pub(super) static ClusterRoleBinding: Type = Type { name: "ClusterRoleBinding", package: "io.k8s.api.rbac.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(3, "roleRef", Struct(&RoleRef)),
    omitted(2, "subjects", List(&Struct(&Subject))).of(Atomic),
], embedded: &[], order: &[2, 4, 3], is_atomic: false };

pub(super) static Role: Type = Type { name: "Role", package: "io.k8s.api.rbac.v1beta1", fields: rbac_v1::Role.fields, embedded: rbac_v1::Role.embedded, order: rbac_v1::Role.order, is_atomic: false };

pub(super) static RoleBinding: Type = Type { name: "RoleBinding", package: "io.k8s.api.rbac.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(3, "roleRef", Struct(&RoleRef)),
    omitted(2, "subjects", List(&Struct(&Subject))).of(Atomic),
], embedded: &[], order: &[2, 4, 3], is_atomic: false };

pub(super) static RoleRef: Type = Type { name: "RoleRef", package: "", fields: &[
    field(1, "apiGroup", String).optional(),
    field(2, "kind", String),
    field(3, "name", String),
], embedded: &[], order: &[0, 1, 2], is_atomic: false };

pub(super) static Subject: Type = Type { name: "Subject", package: "", fields: &[
    omitted(2, "apiGroup", String),
    field(1, "kind", String),
    field(3, "name", String),
    omitted(4, "namespace", String),
], embedded: &[], order: &[1, 0, 2, 3], is_atomic: false };
