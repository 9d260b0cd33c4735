//! ServiceAccount.

use crate::kind::Kind;

pub static SERVICE_ACCOUNT: Kind = Kind {
    kind: "ServiceAccount",
    plural: "serviceaccounts",
    singular: "serviceaccount",
    short_names: &["sa"],
    ..Kind::NAMESPACED
};
