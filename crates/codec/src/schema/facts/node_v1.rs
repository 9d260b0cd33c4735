//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static Overhead: Type = Type { go: "v1.Overhead", fields: &[
    omitted(1, "podFixed", Map(&Quantity)),
], embedded: &[] };

pub(super) static RuntimeClass: Type = Type { go: "v1.RuntimeClass", fields: &[
    omitted(0, "apiVersion", String),
    field(2, "handler", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(3, "overhead", Struct(&Overhead)),
    field(4, "scheduling", Struct(&Scheduling)),
], embedded: &[] };

pub(super) static Scheduling: Type = Type { go: "v1.Scheduling", fields: &[
    omitted(1, "nodeSelector", Map(&String)).of(Atomic),
    omitted(2, "tolerations", List(&Struct(&core_v1::Toleration))).of(Atomic),
], embedded: &[] };
