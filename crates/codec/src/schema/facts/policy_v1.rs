//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static Eviction: Type = Type { go: "v1.Eviction", fields: &[
    omitted(0, "apiVersion", String),
    field(2, "deleteOptions", Struct(&meta_v1::DeleteOptions)),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
], embedded: &[] };

pub(super) static PodDisruptionBudget: Type = Type { go: "v1.PodDisruptionBudget", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&PodDisruptionBudgetSpec)),
    field(3, "status", Struct(&PodDisruptionBudgetStatus)),
], embedded: &[] };

pub(super) static PodDisruptionBudgetSpec: Type = Type { go: "v1.PodDisruptionBudgetSpec", fields: &[
    field(3, "maxUnavailable", IntOrString),
    field(1, "minAvailable", IntOrString),
    field(2, "selector", Struct(&meta_v1::LabelSelector)),
    field(4, "unhealthyPodEvictionPolicy", Text("v1.UnhealthyPodEvictionPolicyType")),
], embedded: &[] };

pub(super) static PodDisruptionBudgetStatus: Type = Type { go: "v1.PodDisruptionBudgetStatus", fields: &[
    omitted(7, "conditions", List(&Struct(&meta_v1::Condition))).of(Keyed(&["type"])).patched(Merge("type")),
    field(4, "currentHealthy", Int32),
    field(5, "desiredHealthy", Int32),
    omitted(2, "disruptedPods", Map(&Time)),
    field(3, "disruptionsAllowed", Int32),
    field(6, "expectedPods", Int32),
    omitted(1, "observedGeneration", Int64),
], embedded: &[] };
