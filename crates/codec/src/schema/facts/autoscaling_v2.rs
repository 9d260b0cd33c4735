//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ContainerResourceMetricSource: Type = Type { name: "ContainerResourceMetricSource", package: "", fields: &[
    field(3, "container", String),
    field(1, "name", Text("v1.ResourceName")),
    field(2, "target", Struct(&MetricTarget)),
], embedded: &[], order: &[1, 2, 0], is_atomic: false };

pub(super) static ContainerResourceMetricStatus: Type = Type { name: "ContainerResourceMetricStatus", package: "", fields: &[
    field(3, "container", String),
    field(2, "current", Struct(&MetricValueStatus)),
    field(1, "name", Text("v1.ResourceName")),
], embedded: &[], order: &[2, 1, 0], is_atomic: false };

pub(super) static CrossVersionObjectReference: Type = Type { name: "CrossVersionObjectReference", package: "", fields: &[
    omitted(3, "apiVersion", String),
    field(1, "kind", String),
    field(2, "name", String),
], embedded: &[], order: &[1, 2, 0], is_atomic: false };

pub(super) static ExternalMetricSource: Type = Type { name: "ExternalMetricSource", package: "", fields: &[
    field(1, "metric", Struct(&MetricIdentifier)),
    field(2, "target", Struct(&MetricTarget)),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static ExternalMetricStatus: Type = Type { name: "ExternalMetricStatus", package: "", fields: &[
    field(2, "current", Struct(&MetricValueStatus)),
    field(1, "metric", Struct(&MetricIdentifier)),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static HPAScalingPolicy: Type = Type { name: "HPAScalingPolicy", package: "", fields: &[
    field(3, "periodSeconds", Int32),
    field(1, "type", Text("HPAScalingPolicyType")),
    field(2, "value", Int32),
], embedded: &[], order: &[1, 2, 0], is_atomic: false };

pub(super) static HPAScalingRules: Type = Type { name: "HPAScalingRules", package: "", fields: &[
    omitted(2, "policies", List(&Struct(&HPAScalingPolicy))).of(Atomic),
    pointer(1, "selectPolicy", Text("ScalingPolicySelect")),
    pointer(3, "stabilizationWindowSeconds", Int32),
    pointer(4, "tolerance", Quantity),
], embedded: &[], order: &[1, 0, 2, 3], is_atomic: false };

pub(super) static HorizontalPodAutoscaler: Type = Type { name: "HorizontalPodAutoscaler", package: "io.k8s.api.autoscaling.v2", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&HorizontalPodAutoscalerSpec)),
    field(3, "status", Struct(&HorizontalPodAutoscalerStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static HorizontalPodAutoscalerBehavior: Type = Type { name: "HorizontalPodAutoscalerBehavior", package: "", fields: &[
    pointer(2, "scaleDown", Struct(&HPAScalingRules)),
    pointer(1, "scaleUp", Struct(&HPAScalingRules)),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static HorizontalPodAutoscalerCondition: Type = Type { name: "HorizontalPodAutoscalerCondition", package: "", fields: &[
    field(3, "lastTransitionTime", Time).optional(),
    omitted(5, "message", String),
    pointer(0, "observedGeneration", Int64),
    omitted(4, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("HorizontalPodAutoscalerConditionType")),
], embedded: &[], order: &[5, 4, 0, 3, 1], is_atomic: false };

pub(super) static HorizontalPodAutoscalerSpec: Type = Type { name: "HorizontalPodAutoscalerSpec", package: "", fields: &[
    pointer(5, "behavior", Struct(&HorizontalPodAutoscalerBehavior)),
    field(3, "maxReplicas", Int32),
    omitted(4, "metrics", List(&Struct(&MetricSpec))).of(Atomic),
    pointer(2, "minReplicas", Int32),
    field(1, "scaleTargetRef", Struct(&CrossVersionObjectReference)),
], embedded: &[], order: &[4, 3, 1, 2, 0], is_atomic: false };

pub(super) static HorizontalPodAutoscalerStatus: Type = Type { name: "HorizontalPodAutoscalerStatus", package: "", fields: &[
    omitted(6, "conditions", List(&Struct(&HorizontalPodAutoscalerCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    field(5, "currentMetrics", List(&Struct(&MetricStatus))).optional().of(Atomic),
    omitted(3, "currentReplicas", Int32),
    field(4, "desiredReplicas", Int32),
    pointer(2, "lastScaleTime", Time),
    pointer(1, "observedGeneration", Int64),
], embedded: &[], order: &[5, 4, 2, 3, 1, 0], is_atomic: false };

pub(super) static MetricIdentifier: Type = Type { name: "MetricIdentifier", package: "", fields: &[
    field(1, "name", String),
    pointer(2, "selector", Struct(&meta_v1::LabelSelector)),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static MetricSpec: Type = Type { name: "MetricSpec", package: "", fields: &[
    pointer(7, "containerResource", Struct(&ContainerResourceMetricSource)),
    pointer(5, "external", Struct(&ExternalMetricSource)),
    pointer(2, "object", Struct(&ObjectMetricSource)),
    pointer(3, "pods", Struct(&PodsMetricSource)),
    pointer(4, "resource", Struct(&ResourceMetricSource)),
    field(1, "type", Text("MetricSourceType")),
], embedded: &[], order: &[5, 2, 3, 4, 1, 0], is_atomic: false };

pub(super) static MetricStatus: Type = Type { name: "MetricStatus", package: "", fields: &[
    pointer(7, "containerResource", Struct(&ContainerResourceMetricStatus)),
    pointer(5, "external", Struct(&ExternalMetricStatus)),
    pointer(2, "object", Struct(&ObjectMetricStatus)),
    pointer(3, "pods", Struct(&PodsMetricStatus)),
    pointer(4, "resource", Struct(&ResourceMetricStatus)),
    field(1, "type", Text("MetricSourceType")),
], embedded: &[], order: &[5, 2, 3, 4, 1, 0], is_atomic: false };

pub(super) static MetricTarget: Type = Type { name: "MetricTarget", package: "", fields: &[
    pointer(4, "averageUtilization", Int32),
    pointer(3, "averageValue", Quantity),
    field(1, "type", Text("MetricTargetType")),
    pointer(2, "value", Quantity),
], embedded: &[], order: &[2, 3, 1, 0], is_atomic: false };

pub(super) static MetricValueStatus: Type = Type { name: "MetricValueStatus", package: "", fields: &[
    pointer(3, "averageUtilization", Int32),
    pointer(2, "averageValue", Quantity),
    pointer(1, "value", Quantity),
], embedded: &[], order: &[2, 1, 0], is_atomic: false };

pub(super) static ObjectMetricSource: Type = Type { name: "ObjectMetricSource", package: "", fields: &[
    field(1, "describedObject", Struct(&CrossVersionObjectReference)),
    field(3, "metric", Struct(&MetricIdentifier)),
    field(2, "target", Struct(&MetricTarget)),
], embedded: &[], order: &[0, 2, 1], is_atomic: false };

pub(super) static ObjectMetricStatus: Type = Type { name: "ObjectMetricStatus", package: "", fields: &[
    field(2, "current", Struct(&MetricValueStatus)),
    field(3, "describedObject", Struct(&CrossVersionObjectReference)),
    field(1, "metric", Struct(&MetricIdentifier)),
], embedded: &[], order: &[2, 0, 1], is_atomic: false };

pub(super) static PodsMetricSource: Type = Type { name: "PodsMetricSource", package: "", fields: &[
    field(1, "metric", Struct(&MetricIdentifier)),
    field(2, "target", Struct(&MetricTarget)),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static PodsMetricStatus: Type = Type { name: "PodsMetricStatus", package: "", fields: &[
    field(2, "current", Struct(&MetricValueStatus)),
    field(1, "metric", Struct(&MetricIdentifier)),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static ResourceMetricSource: Type = Type { name: "ResourceMetricSource", package: "", fields: &[
    field(1, "name", Text("v1.ResourceName")),
    field(2, "target", Struct(&MetricTarget)),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static ResourceMetricStatus: Type = Type { name: "ResourceMetricStatus", package: "", fields: &[
    field(2, "current", Struct(&MetricValueStatus)),
    field(1, "name", Text("v1.ResourceName")),
], embedded: &[], order: &[1, 0], is_atomic: false };
