//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static Overhead: Type = Type { name: "Overhead", package: "", fields: &[
    omitted(1, "podFixed", Map(&Quantity)),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static RuntimeClass: Type = Type { name: "RuntimeClass", package: "io.k8s.api.node.v1", fields: &[
    omitted(0, "apiVersion", String),
    field(2, "handler", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    pointer(3, "overhead", Struct(&Overhead)),
    pointer(4, "scheduling", Struct(&Scheduling)),
], embedded: &[], order: &[3, 1, 4, 5], is_atomic: false };

pub(super) static Scheduling: Type = Type { name: "Scheduling", package: "", fields: &[
    omitted(1, "nodeSelector", Map(&String)).of(Atomic),
    omitted(2, "tolerations", List(&Struct(&core_v1::Toleration))).of(Atomic),
], embedded: &[], order: &[0, 1], is_atomic: false };
