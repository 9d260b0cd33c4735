//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ContainerResourceMetricSource: Type = Type { name: "ContainerResourceMetricSource", package: "", fields: &[
    field(4, "container", String),
    field(1, "name", Text("v1.ResourceName")),
    pointer(2, "targetAverageUtilization", Int32),
    pointer(3, "targetAverageValue", Quantity),
], embedded: &[], order: &[1, 2, 3, 0], is_atomic: false };

pub(super) static ContainerResourceMetricStatus: Type = Type { name: "ContainerResourceMetricStatus", package: "", fields: &[
    field(4, "container", String),
    pointer(2, "currentAverageUtilization", Int32),
    field(3, "currentAverageValue", Quantity),
    field(1, "name", Text("v1.ResourceName")),
], embedded: &[], order: &[3, 1, 2, 0], is_atomic: false };

pub(super) static ExternalMetricSource: Type = Type { name: "ExternalMetricSource", package: "", fields: &[
    field(1, "metricName", String),
    pointer(2, "metricSelector", Struct(&meta_v1::LabelSelector)),
    pointer(4, "targetAverageValue", Quantity),
    pointer(3, "targetValue", Quantity),
], embedded: &[], order: &[0, 1, 3, 2], is_atomic: false };

pub(super) static ExternalMetricStatus: Type = Type { name: "ExternalMetricStatus", package: "", fields: &[
    pointer(4, "currentAverageValue", Quantity),
    field(3, "currentValue", Quantity),
    field(1, "metricName", String),
    pointer(2, "metricSelector", Struct(&meta_v1::LabelSelector)),
], embedded: &[], order: &[2, 3, 1, 0], is_atomic: false };

pub(super) static HorizontalPodAutoscaler: Type = Type { name: "HorizontalPodAutoscaler", package: "io.k8s.api.autoscaling.v2beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&HorizontalPodAutoscalerSpec)).optional(),
    field(3, "status", Struct(&HorizontalPodAutoscalerStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static HorizontalPodAutoscalerSpec: Type = Type { name: "HorizontalPodAutoscalerSpec", package: "", fields: &[
    field(3, "maxReplicas", Int32),
    omitted(4, "metrics", List(&Struct(&MetricSpec))),
    pointer(2, "minReplicas", Int32),
    field(1, "scaleTargetRef", Struct(&autoscaling_v2::CrossVersionObjectReference)),
], embedded: &[], order: &[3, 2, 0, 1], is_atomic: false };

pub(super) static HorizontalPodAutoscalerStatus: Type = Type { name: "HorizontalPodAutoscalerStatus", package: "", fields: &[
    field(6, "conditions", List(&Struct(&autoscaling_v2beta2::HorizontalPodAutoscalerCondition))),
    field(5, "currentMetrics", List(&Struct(&MetricStatus))).optional(),
    field(3, "currentReplicas", Int32),
    field(4, "desiredReplicas", Int32),
    pointer(2, "lastScaleTime", Time),
    pointer(1, "observedGeneration", Int64),
], embedded: &[], order: &[5, 4, 2, 3, 1, 0], is_atomic: false };

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

pub(super) static ObjectMetricSource: Type = Type { name: "ObjectMetricSource", package: "", fields: &[
    pointer(5, "averageValue", Quantity),
    field(2, "metricName", String),
    pointer(4, "selector", Struct(&meta_v1::LabelSelector)),
    field(1, "target", Struct(&autoscaling_v2::CrossVersionObjectReference)),
    field(3, "targetValue", Quantity),
], embedded: &[], order: &[3, 1, 4, 2, 0], is_atomic: false };

pub(super) static ObjectMetricStatus: Type = Type { name: "ObjectMetricStatus", package: "", fields: &[
    pointer(5, "averageValue", Quantity),
    field(3, "currentValue", Quantity),
    field(2, "metricName", String),
    pointer(4, "selector", Struct(&meta_v1::LabelSelector)),
    field(1, "target", Struct(&autoscaling_v2::CrossVersionObjectReference)),
], embedded: &[], order: &[4, 2, 1, 3, 0], is_atomic: false };

pub(super) static PodsMetricSource: Type = Type { name: "PodsMetricSource", package: "", fields: &[
    field(1, "metricName", String),
    pointer(3, "selector", Struct(&meta_v1::LabelSelector)),
    field(2, "targetAverageValue", Quantity),
], embedded: &[], order: &[0, 2, 1], is_atomic: false };

pub(super) static PodsMetricStatus: Type = Type { name: "PodsMetricStatus", package: "", fields: &[
    field(2, "currentAverageValue", Quantity),
    field(1, "metricName", String),
    pointer(3, "selector", Struct(&meta_v1::LabelSelector)),
], embedded: &[], order: &[1, 0, 2], is_atomic: false };

pub(super) static ResourceMetricSource: Type = Type { name: "ResourceMetricSource", package: "", fields: &[
    field(1, "name", Text("v1.ResourceName")),
    pointer(2, "targetAverageUtilization", Int32),
    pointer(3, "targetAverageValue", Quantity),
], embedded: &[], order: &[0, 1, 2], is_atomic: false };

pub(super) static ResourceMetricStatus: Type = Type { name: "ResourceMetricStatus", package: "", fields: &[
    pointer(2, "currentAverageUtilization", Int32),
    field(3, "currentAverageValue", Quantity),
    field(1, "name", Text("v1.ResourceName")),
], embedded: &[], order: &[2, 0, 1], is_atomic: false };
