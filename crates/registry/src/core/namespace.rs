//! Namespace.

use crate::kind::Kind;

pub static NAMESPACE: Kind = Kind {
    kind: "Namespace",
    plural: "namespaces",
    singular: "namespace",
    short_names: &["ns"],
    verbs: &["create", "delete", "get", "list", "patch", "update", "watch"],
    has_status: true,
    ..Kind::CLUSTER
};
