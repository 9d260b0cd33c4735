//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static PriorityClass: Type = Type { name: "PriorityClass", package: "io.k8s.api.scheduling.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(4, "description", String),
    omitted(3, "globalDefault", Bool),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    pointer(5, "preemptionPolicy", Text("v1.PreemptionPolicy")),
    field(2, "value", Int32).optional(),
], embedded: &[], order: &[4, 6, 2, 1, 5], is_atomic: false };
