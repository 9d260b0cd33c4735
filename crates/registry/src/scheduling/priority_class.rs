//! scheduling.k8s.io `PriorityClass`.

use crate::kind::Kind;

pub static PRIORITY_CLASS: Kind = Kind {
    group: "scheduling.k8s.io",
    kind: "PriorityClass",
    plural: "priorityclasses",
    singular: "priorityclass",
    short_names: &["pc"],
    ..Kind::CLUSTER
};
