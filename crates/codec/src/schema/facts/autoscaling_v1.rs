//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static CrossVersionObjectReference: Type = Type { go: "v1.CrossVersionObjectReference", fields: &[
    omitted(3, "apiVersion", String),
    field(1, "kind", String),
    field(2, "name", String),
], embedded: &[] };

pub(super) static HorizontalPodAutoscaler: Type = Type { go: "v1.HorizontalPodAutoscaler", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&HorizontalPodAutoscalerSpec)),
    field(3, "status", Struct(&HorizontalPodAutoscalerStatus)),
], embedded: &[] };

pub(super) static HorizontalPodAutoscalerSpec: Type = Type { go: "v1.HorizontalPodAutoscalerSpec", fields: &[
    field(3, "maxReplicas", Int32),
    field(2, "minReplicas", Int32),
    field(1, "scaleTargetRef", Struct(&CrossVersionObjectReference)),
    field(4, "targetCPUUtilizationPercentage", Int32),
], embedded: &[] };

pub(super) static HorizontalPodAutoscalerStatus: Type = Type { go: "v1.HorizontalPodAutoscalerStatus", fields: &[
    field(5, "currentCPUUtilizationPercentage", Int32),
    field(3, "currentReplicas", Int32),
    field(4, "desiredReplicas", Int32),
    field(2, "lastScaleTime", Time),
    field(1, "observedGeneration", Int64),
], embedded: &[] };

pub(super) static Scale: Type = Type { go: "v1.Scale", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&ScaleSpec)),
    field(3, "status", Struct(&ScaleStatus)),
], embedded: &[] };

pub(super) static ScaleSpec: Type = Type { go: "v1.ScaleSpec", fields: &[
    omitted(1, "replicas", Int32),
], embedded: &[] };

pub(super) static ScaleStatus: Type = Type { go: "v1.ScaleStatus", fields: &[
    field(1, "replicas", Int32),
    omitted(2, "selector", String),
], embedded: &[] };
