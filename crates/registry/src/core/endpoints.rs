//! Endpoints.

use crate::kind::Kind;

pub static ENDPOINTS: Kind =
    Kind { kind: "Endpoints", plural: "endpoints", singular: "endpoints", short_names: &["ep"], ..Kind::NAMESPACED };
