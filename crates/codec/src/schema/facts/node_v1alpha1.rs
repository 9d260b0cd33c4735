//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static RuntimeClass: Type = Type { name: "RuntimeClass", package: "io.k8s.api.node.v1alpha1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&RuntimeClassSpec)),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static RuntimeClassSpec: Type = Type { name: "RuntimeClassSpec", package: "", fields: &[
    pointer(2, "overhead", Struct(&node_v1::Overhead)),
    field(1, "runtimeHandler", String),
    pointer(3, "scheduling", Struct(&node_v1::Scheduling)),
], embedded: &[], order: &[1, 0, 2], is_atomic: false };
