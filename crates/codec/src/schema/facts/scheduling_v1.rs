//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static PriorityClass: Type = Type { go: "v1.PriorityClass", fields: &[
    omitted("apiVersion", String),
    omitted("description", String),
    omitted("globalDefault", Bool),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("preemptionPolicy", Text("v1.PreemptionPolicy")),
    field("value", Int32),
] };
