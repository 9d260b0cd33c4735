//! coordination.k8s.io `Lease`.

use crate::kind::Kind;

pub static LEASE: Kind =
    Kind { group: "coordination.k8s.io", kind: "Lease", plural: "leases", singular: "lease", ..Kind::NAMESPACED };
