//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static CrossVersionObjectReference: Type = Type { go: "v1.CrossVersionObjectReference", fields: &[
    omitted("apiVersion", String),
    field("kind", String),
    field("name", String),
] };

pub(super) static HorizontalPodAutoscaler: Type = Type { go: "v1.HorizontalPodAutoscaler", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&HorizontalPodAutoscalerSpec)),
    field("status", Struct(&HorizontalPodAutoscalerStatus)),
] };

pub(super) static HorizontalPodAutoscalerSpec: Type = Type { go: "v1.HorizontalPodAutoscalerSpec", fields: &[
    field("maxReplicas", Int32),
    field("minReplicas", Int32),
    field("scaleTargetRef", Struct(&CrossVersionObjectReference)),
    field("targetCPUUtilizationPercentage", Int32),
] };

pub(super) static HorizontalPodAutoscalerStatus: Type = Type { go: "v1.HorizontalPodAutoscalerStatus", fields: &[
    field("currentCPUUtilizationPercentage", Int32),
    field("currentReplicas", Int32),
    field("desiredReplicas", Int32),
    field("lastScaleTime", Time),
    field("observedGeneration", Int64),
] };

pub(super) static Scale: Type = Type { go: "v1.Scale", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&ScaleSpec)),
    field("status", Struct(&ScaleStatus)),
] };

pub(super) static ScaleSpec: Type = Type { go: "v1.ScaleSpec", fields: &[
    omitted("replicas", Int32),
] };

pub(super) static ScaleStatus: Type = Type { go: "v1.ScaleStatus", fields: &[
    field("replicas", Int32),
    omitted("selector", String),
] };
