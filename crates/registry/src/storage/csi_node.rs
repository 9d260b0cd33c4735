//! storage.k8s.io `CSINode`.

use crate::kind::Kind;

pub static CSI_NODE: Kind =
    Kind { group: "storage.k8s.io", kind: "CSINode", plural: "csinodes", singular: "csinode", ..Kind::CLUSTER };
