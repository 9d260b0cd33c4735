//! rbac.authorization.k8s.io `Role`.

use crate::kind::Kind;

pub static ROLE: Kind =
    Kind { group: "rbac.authorization.k8s.io", kind: "Role", plural: "roles", singular: "role", ..Kind::NAMESPACED };
