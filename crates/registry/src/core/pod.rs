//! Pod.

use crate::kind::Kind;

pub static POD: Kind = Kind {
    kind: "Pod",
    plural: "pods",
    singular: "pod",
    short_names: &["po"],
    categories: &["all"],
    has_status: true,
    ..Kind::NAMESPACED
};
