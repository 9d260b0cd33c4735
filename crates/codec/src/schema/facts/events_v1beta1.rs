//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static Event: Type = Type { name: "Event", package: "io.k8s.api.events.v1beta1", fields: events_v1::Event.fields, embedded: events_v1::Event.embedded, order: events_v1::Event.order, is_atomic: false };
