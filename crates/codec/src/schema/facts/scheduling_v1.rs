//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static PriorityClass: Type = Type { go: "v1.PriorityClass", fields: &[
    omitted(0, "apiVersion", String),
    omitted(4, "description", String),
    omitted(3, "globalDefault", Bool),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(5, "preemptionPolicy", Text("v1.PreemptionPolicy")),
    field(2, "value", Int32),
], embedded: &[] };
