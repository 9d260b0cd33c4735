//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ContainerResourceMetricSource: Type = Type { go: "v2.ContainerResourceMetricSource", fields: &[
    field("container", String),
    field("name", Text("v1.ResourceName")),
    field("target", Struct(&MetricTarget)),
] };

pub(super) static ContainerResourceMetricStatus: Type = Type { go: "v2.ContainerResourceMetricStatus", fields: &[
    field("container", String),
    field("current", Struct(&MetricValueStatus)),
    field("name", Text("v1.ResourceName")),
] };

pub(super) static CrossVersionObjectReference: Type = Type { go: "v2.CrossVersionObjectReference", fields: &[
    omitted("apiVersion", String),
    field("kind", String),
    field("name", String),
] };

pub(super) static ExternalMetricSource: Type = Type { go: "v2.ExternalMetricSource", fields: &[
    field("metric", Struct(&MetricIdentifier)),
    field("target", Struct(&MetricTarget)),
] };

pub(super) static ExternalMetricStatus: Type = Type { go: "v2.ExternalMetricStatus", fields: &[
    field("current", Struct(&MetricValueStatus)),
    field("metric", Struct(&MetricIdentifier)),
] };

pub(super) static HPAScalingPolicy: Type = Type { go: "v2.HPAScalingPolicy", fields: &[
    field("periodSeconds", Int32),
    field("type", Text("v2.HPAScalingPolicyType")),
    field("value", Int32),
] };

pub(super) static HPAScalingRules: Type = Type { go: "v2.HPAScalingRules", fields: &[
    omitted("policies", List(&Struct(&HPAScalingPolicy))).of(Atomic),
    field("selectPolicy", Text("v2.ScalingPolicySelect")),
    field("stabilizationWindowSeconds", Int32),
    field("tolerance", Quantity),
] };

pub(super) static HorizontalPodAutoscaler: Type = Type { go: "v2.HorizontalPodAutoscaler", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&HorizontalPodAutoscalerSpec)),
    field("status", Struct(&HorizontalPodAutoscalerStatus)),
] };

pub(super) static HorizontalPodAutoscalerBehavior: Type = Type { go: "v2.HorizontalPodAutoscalerBehavior", fields: &[
    field("scaleDown", Struct(&HPAScalingRules)),
    field("scaleUp", Struct(&HPAScalingRules)),
] };

pub(super) static HorizontalPodAutoscalerCondition: Type = Type { go: "v2.HorizontalPodAutoscalerCondition", fields: &[
    field("lastTransitionTime", Time),
    omitted("message", String),
    omitted("observedGeneration", Int64),
    omitted("reason", String),
    field("status", Text("v1.ConditionStatus")),
    field("type", Text("v2.HorizontalPodAutoscalerConditionType")),
] };

pub(super) static HorizontalPodAutoscalerSpec: Type = Type { go: "v2.HorizontalPodAutoscalerSpec", fields: &[
    field("behavior", Struct(&HorizontalPodAutoscalerBehavior)),
    field("maxReplicas", Int32),
    omitted("metrics", List(&Struct(&MetricSpec))).of(Atomic),
    field("minReplicas", Int32),
    field("scaleTargetRef", Struct(&CrossVersionObjectReference)),
] };

pub(super) static HorizontalPodAutoscalerStatus: Type = Type { go: "v2.HorizontalPodAutoscalerStatus", fields: &[
    omitted("conditions", List(&Struct(&HorizontalPodAutoscalerCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    field("currentMetrics", List(&Struct(&MetricStatus))).of(Atomic),
    omitted("currentReplicas", Int32),
    field("desiredReplicas", Int32),
    field("lastScaleTime", Time),
    field("observedGeneration", Int64),
] };

pub(super) static MetricIdentifier: Type = Type { go: "v2.MetricIdentifier", fields: &[
    field("name", String),
    field("selector", Struct(&meta_v1::LabelSelector)),
] };

pub(super) static MetricSpec: Type = Type { go: "v2.MetricSpec", fields: &[
    field("containerResource", Struct(&ContainerResourceMetricSource)),
    field("external", Struct(&ExternalMetricSource)),
    field("object", Struct(&ObjectMetricSource)),
    field("pods", Struct(&PodsMetricSource)),
    field("resource", Struct(&ResourceMetricSource)),
    field("type", Text("v2.MetricSourceType")),
] };

pub(super) static MetricStatus: Type = Type { go: "v2.MetricStatus", fields: &[
    field("containerResource", Struct(&ContainerResourceMetricStatus)),
    field("external", Struct(&ExternalMetricStatus)),
    field("object", Struct(&ObjectMetricStatus)),
    field("pods", Struct(&PodsMetricStatus)),
    field("resource", Struct(&ResourceMetricStatus)),
    field("type", Text("v2.MetricSourceType")),
] };

pub(super) static MetricTarget: Type = Type { go: "v2.MetricTarget", fields: &[
    field("averageUtilization", Int32),
    field("averageValue", Quantity),
    field("type", Text("v2.MetricTargetType")),
    field("value", Quantity),
] };

pub(super) static MetricValueStatus: Type = Type { go: "v2.MetricValueStatus", fields: &[
    field("averageUtilization", Int32),
    field("averageValue", Quantity),
    field("value", Quantity),
] };

pub(super) static ObjectMetricSource: Type = Type { go: "v2.ObjectMetricSource", fields: &[
    field("describedObject", Struct(&CrossVersionObjectReference)),
    field("metric", Struct(&MetricIdentifier)),
    field("target", Struct(&MetricTarget)),
] };

pub(super) static ObjectMetricStatus: Type = Type { go: "v2.ObjectMetricStatus", fields: &[
    field("current", Struct(&MetricValueStatus)),
    field("describedObject", Struct(&CrossVersionObjectReference)),
    field("metric", Struct(&MetricIdentifier)),
] };

pub(super) static PodsMetricSource: Type = Type { go: "v2.PodsMetricSource", fields: &[
    field("metric", Struct(&MetricIdentifier)),
    field("target", Struct(&MetricTarget)),
] };

pub(super) static PodsMetricStatus: Type = Type { go: "v2.PodsMetricStatus", fields: &[
    field("current", Struct(&MetricValueStatus)),
    field("metric", Struct(&MetricIdentifier)),
] };

pub(super) static ResourceMetricSource: Type = Type { go: "v2.ResourceMetricSource", fields: &[
    field("name", Text("v1.ResourceName")),
    field("target", Struct(&MetricTarget)),
] };

pub(super) static ResourceMetricStatus: Type = Type { go: "v2.ResourceMetricStatus", fields: &[
    field("current", Struct(&MetricValueStatus)),
    field("name", Text("v1.ResourceName")),
] };
