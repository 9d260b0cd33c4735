//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static Overhead: Type = Type { go: "v1.Overhead", fields: &[
    omitted("podFixed", Map(&Quantity)),
] };

pub(super) static RuntimeClass: Type = Type { go: "v1.RuntimeClass", fields: &[
    omitted("apiVersion", String),
    field("handler", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("overhead", Struct(&Overhead)),
    field("scheduling", Struct(&Scheduling)),
] };

pub(super) static Scheduling: Type = Type { go: "v1.Scheduling", fields: &[
    omitted("nodeSelector", Map(&String)).of(Atomic),
    omitted("tolerations", List(&Struct(&core_v1::Toleration))).of(Atomic),
] };
