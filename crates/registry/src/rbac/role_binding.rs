//! rbac.authorization.k8s.io `RoleBinding`.

use crate::kind::Kind;

pub static ROLE_BINDING: Kind = Kind {
    group: "rbac.authorization.k8s.io",
    kind: "RoleBinding",
    plural: "rolebindings",
    singular: "rolebinding",
    ..Kind::NAMESPACED
};
