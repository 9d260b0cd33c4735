//! node.k8s.io `RuntimeClass`.

use crate::kind::Kind;

pub static RUNTIME_CLASS: Kind = Kind {
    group: "node.k8s.io",
    kind: "RuntimeClass",
    plural: "runtimeclasses",
    singular: "runtimeclass",
    ..Kind::CLUSTER
};
