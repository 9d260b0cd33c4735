//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static Event: Type = Type { go: "v1.Event", fields: &[
    omitted("action", String),
    omitted("apiVersion", String),
    omitted("deprecatedCount", Int32),
    field("deprecatedFirstTimestamp", Time),
    field("deprecatedLastTimestamp", Time),
    field("deprecatedSource", Struct(&core_v1::EventSource)),
    field("eventTime", MicroTime),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    omitted("note", String),
    omitted("reason", String),
    field("regarding", Struct(&core_v1::ObjectReference)),
    field("related", Struct(&core_v1::ObjectReference)),
    omitted("reportingController", String),
    omitted("reportingInstance", String),
    field("series", Struct(&EventSeries)),
    omitted("type", String),
] };

pub(super) static EventSeries: Type = Type { go: "v1.EventSeries", fields: &[
    field("count", Int32),
    field("lastObservedTime", MicroTime),
] };
