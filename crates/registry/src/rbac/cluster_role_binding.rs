//! rbac.authorization.k8s.io `ClusterRoleBinding`.

use crate::kind::Kind;

pub static CLUSTER_ROLE_BINDING: Kind = Kind {
    group: "rbac.authorization.k8s.io",
    kind: "ClusterRoleBinding",
    plural: "clusterrolebindings",
    singular: "clusterrolebinding",
    ..Kind::CLUSTER
};
