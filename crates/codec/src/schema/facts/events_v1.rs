//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static Event: Type = Type { name: "Event", package: "io.k8s.api.events.v1", fields: &[
    omitted(6, "action", String),
    omitted(0, "apiVersion", String),
    omitted(15, "deprecatedCount", Int32),
    field(13, "deprecatedFirstTimestamp", Time).optional(),
    field(14, "deprecatedLastTimestamp", Time).optional(),
    field(12, "deprecatedSource", Struct(&core_v1::EventSource)).optional(),
    field(2, "eventTime", MicroTime),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    omitted(10, "note", String),
    omitted(7, "reason", String),
    field(8, "regarding", Struct(&core_v1::ObjectReference)).optional(),
    pointer(9, "related", Struct(&core_v1::ObjectReference)),
    omitted(4, "reportingController", String),
    omitted(5, "reportingInstance", String),
    pointer(3, "series", Struct(&EventSeries)),
    omitted(11, "type", String),
], embedded: &[], order: &[8, 6, 15, 13, 14, 0, 10, 11, 12, 9, 16, 5, 3, 4, 2], is_atomic: false };

pub(super) static EventSeries: Type = Type { name: "EventSeries", package: "", fields: &[
    field(1, "count", Int32),
    field(2, "lastObservedTime", MicroTime),
], embedded: &[], order: &[0, 1], is_atomic: false };
