//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static AggregationRule: Type = Type { go: "v1.AggregationRule", fields: &[
    omitted(1, "clusterRoleSelectors", List(&Struct(&meta_v1::LabelSelector))).of(Atomic),
], embedded: &[] };

pub(super) static ClusterRole: Type = Type { go: "v1.ClusterRole", fields: &[
    field(3, "aggregationRule", Struct(&AggregationRule)),
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "rules", List(&Struct(&PolicyRule))).of(Atomic),
], embedded: &[] };

pub(super) static ClusterRoleBinding: Type = Type { go: "v1.ClusterRoleBinding", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(3, "roleRef", Struct(&RoleRef)),
    omitted(2, "subjects", List(&Struct(&Subject))).of(Atomic),
], embedded: &[] };

pub(super) static PolicyRule: Type = Type { go: "v1.PolicyRule", fields: &[
    omitted(2, "apiGroups", List(&String)).of(Atomic),
    omitted(5, "nonResourceURLs", List(&String)).of(Atomic),
    omitted(4, "resourceNames", List(&String)).of(Atomic),
    omitted(3, "resources", List(&String)).of(Atomic),
    field(1, "verbs", List(&String)).of(Atomic),
], embedded: &[] };

pub(super) static Role: Type = Type { go: "v1.Role", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "rules", List(&Struct(&PolicyRule))).of(Atomic),
], embedded: &[] };

pub(super) static RoleBinding: Type = Type { go: "v1.RoleBinding", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(3, "roleRef", Struct(&RoleRef)),
    omitted(2, "subjects", List(&Struct(&Subject))).of(Atomic),
], embedded: &[] };

pub(super) static RoleRef: Type = Type { go: "v1.RoleRef", fields: &[
    field(1, "apiGroup", String),
    field(2, "kind", String),
    field(3, "name", String),
], embedded: &[] };

pub(super) static Subject: Type = Type { go: "v1.Subject", fields: &[
    omitted(2, "apiGroup", String),
    field(1, "kind", String),
    field(3, "name", String),
    omitted(4, "namespace", String),
], embedded: &[] };
