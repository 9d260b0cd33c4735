//! ResourceQuota.

use crate::kind::Kind;

pub static RESOURCE_QUOTA: Kind = Kind {
    kind: "ResourceQuota",
    plural: "resourcequotas",
    singular: "resourcequota",
    short_names: &["quota"],
    has_status: true,
    ..Kind::NAMESPACED
};
