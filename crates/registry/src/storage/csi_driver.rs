//! storage.k8s.io `CSIDriver`.

use crate::kind::Kind;

pub static CSI_DRIVER: Kind =
    Kind { group: "storage.k8s.io", kind: "CSIDriver", plural: "csidrivers", singular: "csidriver", ..Kind::CLUSTER };
