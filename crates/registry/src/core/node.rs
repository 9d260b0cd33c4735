//! Node.

use crate::kind::Kind;

pub static NODE: Kind =
    Kind { kind: "Node", plural: "nodes", singular: "node", short_names: &["no"], has_status: true, ..Kind::CLUSTER };
