//! LimitRange.

use crate::kind::Kind;

pub static LIMIT_RANGE: Kind = Kind {
    kind: "LimitRange",
    plural: "limitranges",
    singular: "limitrange",
    short_names: &["limits"],
    ..Kind::NAMESPACED
};
