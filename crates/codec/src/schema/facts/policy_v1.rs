//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static Eviction: Type = Type { name: "Eviction", package: "io.k8s.api.policy.v1", fields: &[
    omitted(0, "apiVersion", String),
    pointer(2, "deleteOptions", Struct(&meta_v1::DeleteOptions)),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
], embedded: &[], order: &[3, 1], is_atomic: false };

pub(super) static PodDisruptionBudget: Type = Type { name: "PodDisruptionBudget", package: "io.k8s.api.policy.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&PodDisruptionBudgetSpec)).optional(),
    field(3, "status", Struct(&PodDisruptionBudgetStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static PodDisruptionBudgetSpec: Type = Type { name: "PodDisruptionBudgetSpec", package: "", fields: &[
    pointer(3, "maxUnavailable", IntOrString),
    pointer(1, "minAvailable", IntOrString),
    pointer(2, "selector", Struct(&meta_v1::LabelSelector)),
    pointer(4, "unhealthyPodEvictionPolicy", Text("UnhealthyPodEvictionPolicyType")),
], embedded: &[], order: &[1, 2, 0, 3], is_atomic: false };

pub(super) static PodDisruptionBudgetStatus: Type = Type { name: "PodDisruptionBudgetStatus", package: "", fields: &[
    omitted(7, "conditions", List(&Struct(&meta_v1::Condition))).of(Keyed(&["type"])).patched(Merge("type")),
    field(4, "currentHealthy", Int32).optional(),
    field(5, "desiredHealthy", Int32).optional(),
    omitted(2, "disruptedPods", Map(&Time)),
    field(3, "disruptionsAllowed", Int32).optional(),
    field(6, "expectedPods", Int32).optional(),
    omitted(1, "observedGeneration", Int64),
], embedded: &[], order: &[6, 3, 4, 1, 2, 5, 0], is_atomic: false };
