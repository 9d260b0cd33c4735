//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static Event: Type = Type { go: "v1.Event", fields: &[
    omitted(6, "action", String),
    omitted(0, "apiVersion", String),
    omitted(15, "deprecatedCount", Int32),
    field(13, "deprecatedFirstTimestamp", Time),
    field(14, "deprecatedLastTimestamp", Time),
    field(12, "deprecatedSource", Struct(&core_v1::EventSource)),
    field(2, "eventTime", MicroTime),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    omitted(10, "note", String),
    omitted(7, "reason", String),
    field(8, "regarding", Struct(&core_v1::ObjectReference)),
    field(9, "related", Struct(&core_v1::ObjectReference)),
    omitted(4, "reportingController", String),
    omitted(5, "reportingInstance", String),
    field(3, "series", Struct(&EventSeries)),
    omitted(11, "type", String),
], embedded: &[] };

pub(super) static EventSeries: Type = Type { go: "v1.EventSeries", fields: &[
    field(1, "count", Int32),
    field(2, "lastObservedTime", MicroTime),
], embedded: &[] };
