//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static CrossVersionObjectReference: Type = Type { name: "CrossVersionObjectReference", package: "", fields: &[
    omitted(3, "apiVersion", String),
    field(1, "kind", String),
    field(2, "name", String),
], embedded: &[], order: &[1, 2, 0], is_atomic: true };

pub(super) static HorizontalPodAutoscaler: Type = Type { name: "HorizontalPodAutoscaler", package: "io.k8s.api.autoscaling.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&HorizontalPodAutoscalerSpec)),
    field(3, "status", Struct(&HorizontalPodAutoscalerStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static HorizontalPodAutoscalerSpec: Type = Type { name: "HorizontalPodAutoscalerSpec", package: "", fields: &[
    field(3, "maxReplicas", Int32),
    pointer(2, "minReplicas", Int32),
    field(1, "scaleTargetRef", Struct(&CrossVersionObjectReference)),
    pointer(4, "targetCPUUtilizationPercentage", Int32),
], embedded: &[], order: &[2, 1, 0, 3], is_atomic: false };

pub(super) static HorizontalPodAutoscalerStatus: Type = Type { name: "HorizontalPodAutoscalerStatus", package: "", fields: &[
    pointer(5, "currentCPUUtilizationPercentage", Int32),
    field(3, "currentReplicas", Int32),
    field(4, "desiredReplicas", Int32),
    pointer(2, "lastScaleTime", Time),
    pointer(1, "observedGeneration", Int64),
], embedded: &[], order: &[4, 3, 1, 2, 0], is_atomic: false };

pub(super) static Scale: Type = Type { name: "Scale", package: "io.k8s.api.autoscaling.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&ScaleSpec)).optional(),
    field(3, "status", Struct(&ScaleStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static ScaleSpec: Type = Type { name: "ScaleSpec", package: "", fields: &[
    omitted(1, "replicas", Int32).or("0"),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static ScaleStatus: Type = Type { name: "ScaleStatus", package: "", fields: &[
    field(1, "replicas", Int32),
    omitted(2, "selector", String),
], embedded: &[], order: &[0, 1], is_atomic: false };
