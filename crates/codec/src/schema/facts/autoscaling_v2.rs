//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ContainerResourceMetricSource: Type = Type { go: "v2.ContainerResourceMetricSource", fields: &[
    field(3, "container", String),
    field(1, "name", Text("v1.ResourceName")),
    field(2, "target", Struct(&MetricTarget)),
], embedded: &[] };

pub(super) static ContainerResourceMetricStatus: Type = Type { go: "v2.ContainerResourceMetricStatus", fields: &[
    field(3, "container", String),
    field(2, "current", Struct(&MetricValueStatus)),
    field(1, "name", Text("v1.ResourceName")),
], embedded: &[] };

pub(super) static CrossVersionObjectReference: Type = Type { go: "v2.CrossVersionObjectReference", fields: &[
    omitted(3, "apiVersion", String),
    field(1, "kind", String),
    field(2, "name", String),
], embedded: &[] };

pub(super) static ExternalMetricSource: Type = Type { go: "v2.ExternalMetricSource", fields: &[
    field(1, "metric", Struct(&MetricIdentifier)),
    field(2, "target", Struct(&MetricTarget)),
], embedded: &[] };

pub(super) static ExternalMetricStatus: Type = Type { go: "v2.ExternalMetricStatus", fields: &[
    field(2, "current", Struct(&MetricValueStatus)),
    field(1, "metric", Struct(&MetricIdentifier)),
], embedded: &[] };

pub(super) static HPAScalingPolicy: Type = Type { go: "v2.HPAScalingPolicy", fields: &[
    field(3, "periodSeconds", Int32),
    field(1, "type", Text("v2.HPAScalingPolicyType")),
    field(2, "value", Int32),
], embedded: &[] };

pub(super) static HPAScalingRules: Type = Type { go: "v2.HPAScalingRules", fields: &[
    omitted(2, "policies", List(&Struct(&HPAScalingPolicy))).of(Atomic),
    field(1, "selectPolicy", Text("v2.ScalingPolicySelect")),
    field(3, "stabilizationWindowSeconds", Int32),
    field(4, "tolerance", Quantity),
], embedded: &[] };

pub(super) static HorizontalPodAutoscaler: Type = Type { go: "v2.HorizontalPodAutoscaler", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&HorizontalPodAutoscalerSpec)),
    field(3, "status", Struct(&HorizontalPodAutoscalerStatus)),
], embedded: &[] };

pub(super) static HorizontalPodAutoscalerBehavior: Type = Type { go: "v2.HorizontalPodAutoscalerBehavior", fields: &[
    field(2, "scaleDown", Struct(&HPAScalingRules)),
    field(1, "scaleUp", Struct(&HPAScalingRules)),
], embedded: &[] };

pub(super) static HorizontalPodAutoscalerCondition: Type = Type { go: "v2.HorizontalPodAutoscalerCondition", fields: &[
    field(3, "lastTransitionTime", Time),
    omitted(5, "message", String),
    omitted(0, "observedGeneration", Int64),
    omitted(4, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("v2.HorizontalPodAutoscalerConditionType")),
], embedded: &[] };

pub(super) static HorizontalPodAutoscalerSpec: Type = Type { go: "v2.HorizontalPodAutoscalerSpec", fields: &[
    field(5, "behavior", Struct(&HorizontalPodAutoscalerBehavior)),
    field(3, "maxReplicas", Int32),
    omitted(4, "metrics", List(&Struct(&MetricSpec))).of(Atomic),
    field(2, "minReplicas", Int32),
    field(1, "scaleTargetRef", Struct(&CrossVersionObjectReference)),
], embedded: &[] };

pub(super) static HorizontalPodAutoscalerStatus: Type = Type { go: "v2.HorizontalPodAutoscalerStatus", fields: &[
    omitted(6, "conditions", List(&Struct(&HorizontalPodAutoscalerCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    field(5, "currentMetrics", List(&Struct(&MetricStatus))).of(Atomic),
    omitted(3, "currentReplicas", Int32),
    field(4, "desiredReplicas", Int32),
    field(2, "lastScaleTime", Time),
    field(1, "observedGeneration", Int64),
], embedded: &[] };

pub(super) static MetricIdentifier: Type = Type { go: "v2.MetricIdentifier", fields: &[
    field(1, "name", String),
    field(2, "selector", Struct(&meta_v1::LabelSelector)),
], embedded: &[] };

pub(super) static MetricSpec: Type = Type { go: "v2.MetricSpec", fields: &[
    field(7, "containerResource", Struct(&ContainerResourceMetricSource)),
    field(5, "external", Struct(&ExternalMetricSource)),
    field(2, "object", Struct(&ObjectMetricSource)),
    field(3, "pods", Struct(&PodsMetricSource)),
    field(4, "resource", Struct(&ResourceMetricSource)),
    field(1, "type", Text("v2.MetricSourceType")),
], embedded: &[] };

pub(super) static MetricStatus: Type = Type { go: "v2.MetricStatus", fields: &[
    field(7, "containerResource", Struct(&ContainerResourceMetricStatus)),
    field(5, "external", Struct(&ExternalMetricStatus)),
    field(2, "object", Struct(&ObjectMetricStatus)),
    field(3, "pods", Struct(&PodsMetricStatus)),
    field(4, "resource", Struct(&ResourceMetricStatus)),
    field(1, "type", Text("v2.MetricSourceType")),
], embedded: &[] };

pub(super) static MetricTarget: Type = Type { go: "v2.MetricTarget", fields: &[
    field(4, "averageUtilization", Int32),
    field(3, "averageValue", Quantity),
    field(1, "type", Text("v2.MetricTargetType")),
    field(2, "value", Quantity),
], embedded: &[] };

pub(super) static MetricValueStatus: Type = Type { go: "v2.MetricValueStatus", fields: &[
    field(3, "averageUtilization", Int32),
    field(2, "averageValue", Quantity),
    field(1, "value", Quantity),
], embedded: &[] };

pub(super) static ObjectMetricSource: Type = Type { go: "v2.ObjectMetricSource", fields: &[
    field(1, "describedObject", Struct(&CrossVersionObjectReference)),
    field(3, "metric", Struct(&MetricIdentifier)),
    field(2, "target", Struct(&MetricTarget)),
], embedded: &[] };

pub(super) static ObjectMetricStatus: Type = Type { go: "v2.ObjectMetricStatus", fields: &[
    field(2, "current", Struct(&MetricValueStatus)),
    field(3, "describedObject", Struct(&CrossVersionObjectReference)),
    field(1, "metric", Struct(&MetricIdentifier)),
], embedded: &[] };

pub(super) static PodsMetricSource: Type = Type { go: "v2.PodsMetricSource", fields: &[
    field(1, "metric", Struct(&MetricIdentifier)),
    field(2, "target", Struct(&MetricTarget)),
], embedded: &[] };

pub(super) static PodsMetricStatus: Type = Type { go: "v2.PodsMetricStatus", fields: &[
    field(2, "current", Struct(&MetricValueStatus)),
    field(1, "metric", Struct(&MetricIdentifier)),
], embedded: &[] };

pub(super) static ResourceMetricSource: Type = Type { go: "v2.ResourceMetricSource", fields: &[
    field(1, "name", Text("v1.ResourceName")),
    field(2, "target", Struct(&MetricTarget)),
], embedded: &[] };

pub(super) static ResourceMetricStatus: Type = Type { go: "v2.ResourceMetricStatus", fields: &[
    field(2, "current", Struct(&MetricValueStatus)),
    field(1, "name", Text("v1.ResourceName")),
], embedded: &[] };
