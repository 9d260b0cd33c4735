//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static AggregationRule: Type = Type { go: "v1.AggregationRule", fields: &[
    omitted("clusterRoleSelectors", List(&Struct(&meta_v1::LabelSelector))).of(Atomic),
] };

pub(super) static ClusterRole: Type = Type { go: "v1.ClusterRole", fields: &[
    field("aggregationRule", Struct(&AggregationRule)),
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("rules", List(&Struct(&PolicyRule))).of(Atomic),
] };

pub(super) static ClusterRoleBinding: Type = Type { go: "v1.ClusterRoleBinding", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("roleRef", Struct(&RoleRef)),
    omitted("subjects", List(&Struct(&Subject))).of(Atomic),
] };

pub(super) static PolicyRule: Type = Type { go: "v1.PolicyRule", fields: &[
    omitted("apiGroups", List(&String)).of(Atomic),
    omitted("nonResourceURLs", List(&String)).of(Atomic),
    omitted("resourceNames", List(&String)).of(Atomic),
    omitted("resources", List(&String)).of(Atomic),
    field("verbs", List(&String)).of(Atomic),
] };

pub(super) static Role: Type = Type { go: "v1.Role", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("rules", List(&Struct(&PolicyRule))).of(Atomic),
] };

pub(super) static RoleBinding: Type = Type { go: "v1.RoleBinding", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("roleRef", Struct(&RoleRef)),
    omitted("subjects", List(&Struct(&Subject))).of(Atomic),
] };

pub(super) static RoleRef: Type = Type { go: "v1.RoleRef", fields: &[
    field("apiGroup", String),
    field("kind", String),
    field("name", String),
] };

pub(super) static Subject: Type = Type { go: "v1.Subject", fields: &[
    omitted("apiGroup", String),
    field("kind", String),
    field("name", String),
    omitted("namespace", String),
] };
