//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static RuntimeClass: Type = Type { name: "RuntimeClass", package: "io.k8s.api.node.v1beta1", fields: node_v1::RuntimeClass.fields, embedded: node_v1::RuntimeClass.embedded, order: node_v1::RuntimeClass.order, is_atomic: false };
