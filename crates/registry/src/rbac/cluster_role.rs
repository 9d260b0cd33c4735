//! rbac.authorization.k8s.io `ClusterRole`.

use crate::kind::Kind;

pub static CLUSTER_ROLE: Kind = Kind {
    group: "rbac.authorization.k8s.io",
    kind: "ClusterRole",
    plural: "clusterroles",
    singular: "clusterrole",
    ..Kind::CLUSTER
};
