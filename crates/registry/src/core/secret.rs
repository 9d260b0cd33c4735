//! Secret.

use crate::kind::Kind;

pub static SECRET: Kind = Kind { kind: "Secret", plural: "secrets", singular: "secret", ..Kind::NAMESPACED };
