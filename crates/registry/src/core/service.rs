//! Service.

use crate::kind::Kind;

pub static SERVICE: Kind = Kind {
    kind: "Service",
    plural: "services",
    singular: "service",
    short_names: &["svc"],
    categories: &["all"],
    has_status: true,
    ..Kind::NAMESPACED
};
