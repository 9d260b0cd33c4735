//! events.k8s.io `Event`.

use crate::kind::Kind;

pub static EVENT: Kind = Kind {
    group: "events.k8s.io",
    kind: "Event",
    plural: "events",
    singular: "event",
    short_names: &["ev"],
    storage: Some(&crate::core::event::EVENT),
    ..Kind::NAMESPACED
};
