//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static AggregationRule: Type = Type { name: "AggregationRule", package: "", fields: &[
    omitted(1, "clusterRoleSelectors", List(&Struct(&meta_v1::LabelSelector))).of(Atomic),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static ClusterRole: Type = Type { name: "ClusterRole", package: "io.k8s.api.rbac.v1", fields: &[
    pointer(3, "aggregationRule", Struct(&AggregationRule)),
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "rules", List(&Struct(&PolicyRule))).optional().of(Atomic),
], embedded: &[], order: &[3, 4, 0], is_atomic: false };

pub(super) static ClusterRoleBinding: Type = Type { name: "ClusterRoleBinding", package: "io.k8s.api.rbac.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(3, "roleRef", Struct(&RoleRef)),
    omitted(2, "subjects", List(&Struct(&Subject))).of(Atomic),
], embedded: &[], order: &[2, 4, 3], is_atomic: false };

pub(super) static PolicyRule: Type = Type { name: "PolicyRule", package: "", fields: &[
    omitted(2, "apiGroups", List(&String)).of(Atomic),
    omitted(5, "nonResourceURLs", List(&String)).of(Atomic),
    omitted(4, "resourceNames", List(&String)).of(Atomic),
    omitted(3, "resources", List(&String)).of(Atomic),
    field(1, "verbs", List(&String)).of(Atomic),
], embedded: &[], order: &[4, 0, 3, 2, 1], is_atomic: false };

pub(super) static Role: Type = Type { name: "Role", package: "io.k8s.api.rbac.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "rules", List(&Struct(&PolicyRule))).optional().of(Atomic),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static RoleBinding: Type = Type { name: "RoleBinding", package: "io.k8s.api.rbac.v1", fields: &[
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
], embedded: &[], order: &[0, 1, 2], is_atomic: true };

pub(super) static Subject: Type = Type { name: "Subject", package: "", fields: &[
    omitted(2, "apiGroup", String),
    field(1, "kind", String),
    field(3, "name", String),
    omitted(4, "namespace", String),
], embedded: &[], order: &[1, 0, 2, 3], is_atomic: true };
