//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static HPAScalingRules: Type = Type { name: "HPAScalingRules", package: "", fields: &[
    omitted(2, "policies", List(&Struct(&autoscaling_v2::HPAScalingPolicy))),
    pointer(1, "selectPolicy", Text("ScalingPolicySelect")),
    pointer(3, "stabilizationWindowSeconds", Int32),
], embedded: &[], order: &[1, 0, 2], is_atomic: false };

pub(super) static HorizontalPodAutoscaler: Type = Type { name: "HorizontalPodAutoscaler", package: "io.k8s.api.autoscaling.v2beta2", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&HorizontalPodAutoscalerSpec)).optional(),
    field(3, "status", Struct(&HorizontalPodAutoscalerStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static HorizontalPodAutoscalerBehavior: Type = Type { name: "HorizontalPodAutoscalerBehavior", package: "", fields: &[
    pointer(2, "scaleDown", Struct(&HPAScalingRules)),
    pointer(1, "scaleUp", Struct(&HPAScalingRules)),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static HorizontalPodAutoscalerCondition: Type = Type { name: "HorizontalPodAutoscalerCondition", package: "", fields: &[
    field(3, "lastTransitionTime", Time).optional(),
    omitted(5, "message", String),
    omitted(4, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("HorizontalPodAutoscalerConditionType")),
], embedded: &[], order: &[4, 3, 0, 2, 1], is_atomic: false };

pub(super) static HorizontalPodAutoscalerSpec: Type = Type { name: "HorizontalPodAutoscalerSpec", package: "", fields: &[
    pointer(5, "behavior", Struct(&HorizontalPodAutoscalerBehavior)),
    field(3, "maxReplicas", Int32),
    omitted(4, "metrics", List(&Struct(&autoscaling_v2::MetricSpec))),
    pointer(2, "minReplicas", Int32),
    field(1, "scaleTargetRef", Struct(&autoscaling_v2::CrossVersionObjectReference)),
], embedded: &[], order: &[4, 3, 1, 2, 0], is_atomic: false };

pub(super) static HorizontalPodAutoscalerStatus: Type = Type { name: "HorizontalPodAutoscalerStatus", package: "", fields: &[
    field(6, "conditions", List(&Struct(&HorizontalPodAutoscalerCondition))),
    field(5, "currentMetrics", List(&Struct(&autoscaling_v2::MetricStatus))).optional(),
    field(3, "currentReplicas", Int32),
    field(4, "desiredReplicas", Int32),
    pointer(2, "lastScaleTime", Time),
    pointer(1, "observedGeneration", Int64),
], embedded: &[], order: &[5, 4, 2, 3, 1, 0], is_atomic: false };
