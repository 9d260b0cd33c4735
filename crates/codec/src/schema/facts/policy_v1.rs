//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static Eviction: Type = Type { go: "v1.Eviction", fields: &[
    omitted("apiVersion", String),
    field("deleteOptions", Struct(&meta_v1::DeleteOptions)),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
] };

pub(super) static PodDisruptionBudget: Type = Type { go: "v1.PodDisruptionBudget", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&PodDisruptionBudgetSpec)),
    field("status", Struct(&PodDisruptionBudgetStatus)),
] };

pub(super) static PodDisruptionBudgetSpec: Type = Type { go: "v1.PodDisruptionBudgetSpec", fields: &[
    field("maxUnavailable", IntOrString),
    field("minAvailable", IntOrString),
    field("selector", Struct(&meta_v1::LabelSelector)),
    field("unhealthyPodEvictionPolicy", Text("v1.UnhealthyPodEvictionPolicyType")),
] };

pub(super) static PodDisruptionBudgetStatus: Type = Type { go: "v1.PodDisruptionBudgetStatus", fields: &[
    omitted("conditions", List(&Struct(&meta_v1::Condition))).of(Keyed(&["type"])).patched(Merge("type")),
    field("currentHealthy", Int32),
    field("desiredHealthy", Int32),
    omitted("disruptedPods", Map(&Time)),
    field("disruptionsAllowed", Int32),
    field("expectedPods", Int32),
    omitted("observedGeneration", Int64),
] };
