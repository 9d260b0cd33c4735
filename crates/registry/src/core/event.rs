//! Event.

use crate::kind::Kind;

pub static EVENT: Kind =
    Kind { kind: "Event", plural: "events", singular: "event", short_names: &["ev"], ..Kind::NAMESPACED };
