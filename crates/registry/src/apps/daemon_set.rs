//! apps `DaemonSet`.

use crate::kind::Kind;

pub static DAEMON_SET: Kind = Kind {
    group: "apps",
    kind: "DaemonSet",
    plural: "daemonsets",
    singular: "daemonset",
    short_names: &["ds"],
    categories: &["all"],
    has_status: true,
    ..Kind::NAMESPACED
};
