//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ClusterRole: Type = Type { name: "ClusterRole", package: "io.k8s.api.rbac.v1alpha1", fields: &[
    pointer(3, "aggregationRule", Struct(&rbac_v1::AggregationRule)),
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "rules", List(&Struct(&PolicyRule))).optional().of(Atomic),
], embedded: &[], order: &[3, 4, 0], is_atomic: false };

pub(super) static ClusterRoleBinding: Type = Type { name: "ClusterRoleBinding", package: "io.k8s.api.rbac.v1alpha1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(3, "roleRef", Struct(&rbac_v1beta1::RoleRef)),
    omitted(2, "subjects", List(&Struct(&Subject))).of(Atomic),
], embedded: &[], order: &[2, 4, 3], is_atomic: false };

pub(super) static PolicyRule: Type = Type { name: "PolicyRule", package: "", fields: &[
    omitted(3, "apiGroups", List(&String)).of(Atomic),
    omitted(6, "nonResourceURLs", List(&String)).of(Atomic),
    omitted(5, "resourceNames", List(&String)).of(Atomic),
    omitted(4, "resources", List(&String)).of(Atomic),
    field(1, "verbs", List(&String)).of(Atomic),
], embedded: &[], order: &[4, 0, 3, 2, 1], is_atomic: false };

pub(super) static Role: Type = Type { name: "Role", package: "io.k8s.api.rbac.v1alpha1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "rules", List(&Struct(&PolicyRule))).optional().of(Atomic),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static RoleBinding: Type = Type { name: "RoleBinding", package: "io.k8s.api.rbac.v1alpha1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(3, "roleRef", Struct(&rbac_v1beta1::RoleRef)),
    omitted(2, "subjects", List(&Struct(&Subject))).of(Atomic),
], embedded: &[], order: &[2, 4, 3], is_atomic: false };

pub(super) static Subject: Type = Type { name: "Subject", package: "", fields: &[
    omitted(2, "apiVersion", String),
    field(1, "kind", String),
    field(3, "name", String),
    omitted(4, "namespace", String),
], embedded: &[], order: &[1, 0, 2, 3], is_atomic: false };
