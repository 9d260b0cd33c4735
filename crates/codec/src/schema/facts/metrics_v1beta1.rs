//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ContainerMetrics: Type = Type { name: "ContainerMetrics", package: "", fields: &[
    field(1, "name", String),
    field(2, "usage", Map(&Quantity)),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static NodeMetrics: Type = Type { name: "NodeMetrics", package: "io.k8s.metrics.pkg.apis.metrics.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "timestamp", Time),
    field(4, "usage", Map(&Quantity)),
    field(3, "window", Duration),
], embedded: &[], order: &[2, 3, 5, 4], is_atomic: false };

pub(super) static PodMetrics: Type = Type { name: "PodMetrics", package: "io.k8s.metrics.pkg.apis.metrics.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    field(4, "containers", List(&Struct(&ContainerMetrics))).of(Atomic),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "timestamp", Time),
    field(3, "window", Duration),
], embedded: &[], order: &[3, 4, 5, 1], is_atomic: false };
