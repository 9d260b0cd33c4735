//! Binding: what gives a pod its node. It is made, acted upon and forgotten.

use crate::kind::Kind;

pub static BINDING: Kind =
    Kind { kind: "Binding", plural: "bindings", singular: "binding", verbs: &["create"], ..Kind::NAMESPACED };
