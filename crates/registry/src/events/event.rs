//! events.k8s.io `Event`: a core Event under other field names.

use jiff::Timestamp;
use serde_json::Value;

use crate::core::event::{self, COLUMNS, EVENT as CORE_EVENT, row};
use crate::error::FieldError;
use crate::fields::{check_immutable, get, get_object, number, text, value};
use crate::kind::{Column, Kind, Object, Rules, WriteContext};

pub static EVENT: Kind = Kind {
    group: "events.k8s.io",
    kind: "Event",
    plural: "events",
    singular: "event",
    short_names: &["ev"],
    storage: Some(&CORE_EVENT),
    rules: &EventRules,
    ..Kind::NAMESPACED
};

struct EventRules;

/// Each field here and in the core form.
const NAMES: [(&str, &str); 7] = [
    ("regarding", "involvedObject"),
    ("note", "message"),
    ("reportingController", "reportingComponent"),
    ("deprecatedSource", "source"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedCount", "count"),
];

/// What a selector may name that the core form calls differently; it knows nothing of the core's `source`.
const SELECTABLE: [(&str, &str); 8] = [
    ("regarding.kind", "involvedObject.kind"),
    ("regarding.namespace", "involvedObject.namespace"),
    ("regarding.name", "involvedObject.name"),
    ("regarding.uid", "involvedObject.uid"),
    ("regarding.apiVersion", "involvedObject.apiVersion"),
    ("regarding.resourceVersion", "involvedObject.resourceVersion"),
    ("regarding.fieldPath", "involvedObject.fieldPath"),
    ("reportingController", "reportingComponent"),
];

impl Rules for EventRules {
    fn prepare_create(&self, _object: &mut Object, _context: &WriteContext<'_>) {}

    fn validate_as_served(&self, stored: &Object, old: Option<&Object>) -> Option<Vec<FieldError>> {
        let mut faults = Vec::new();
        event::validate(stored, "reportingController", &mut faults);
        match old {
            Some(old) => validate_update(stored, old, &mut faults),
            None => validate_creation(stored, &mut faults),
        }
        Some(faults)
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let mut stored = object.clone();
        self.to_storage(&mut stored);
        row(&stored, now)
    }

    fn stored_field<'a>(&self, path: &'a str) -> Option<&'a str> {
        match path {
            "reason" | "type" => Some(path),
            _ => SELECTABLE.iter().find(|(ours, _)| *ours == path).map(|(_, core)| *core),
        }
    }

    fn creates_on_update(&self) -> bool {
        true
    }

    fn to_storage(&self, object: &mut Object) {
        rename(object, |name| NAMES.iter().find(|(ours, _)| *ours == name).map(|(_, core)| *core));
        object.insert("apiVersion".to_owned(), Value::from("v1"));
    }

    fn out_of_storage(&self, object: &mut Object) {
        rename(object, |name| NAMES.iter().find(|(_, core)| *core == name).map(|(ours, _)| *ours));
        object.insert("apiVersion".to_owned(), Value::from("events.k8s.io/v1"));
    }
}

fn rename(object: &mut Object, new_name: impl Fn(&str) -> Option<&'static str>) {
    let entries = std::mem::take(object);
    object.extend(entries.into_iter().map(|(name, value)| match new_name(&name) {
        Some(new) => (new.to_owned(), value),
        None => (name, value),
    }));
}

/// A new event says when it was, and none of what older clients said instead.
fn validate_creation(event: &Object, faults: &mut Vec<FieldError>) {
    validate_series(event, faults);
    if text(event, "eventTime").is_empty() {
        faults.push(FieldError::required("eventTime", ""));
    }
    if !["Normal", "Warning"].contains(&text(event, "type")) {
        let detail = format!("has invalid value: {}", text(event, "type"));
        faults.push(FieldError::invalid("type", "", detail));
    }
    let says_source = ["source.component", "source.host"].iter().any(|field| !text(event, field).is_empty());
    for (field, is_set) in [
        ("firstTimestamp", !text(event, "firstTimestamp").is_empty()),
        ("lastTimestamp", !text(event, "lastTimestamp").is_empty()),
        ("count", number(event, "count") != 0),
        ("source", says_source),
    ] {
        if is_set {
            faults.push(FieldError::invalid(field, "", "needs to be unset"));
        }
    }
}

/// Only a series goes on.
fn validate_update(event: &Object, old: &Object, faults: &mut Vec<FieldError>) {
    if get(event, "series") != get(old, "series") {
        validate_series(event, faults);
    }
    for field in [
        "involvedObject",
        "reason",
        "message",
        "source",
        "firstTimestamp",
        "lastTimestamp",
        "count",
        "type",
        "eventTime",
        "action",
        "related",
    ] {
        check_immutable(event, old, field, faults);
    }
    if get(event, "reportingComponent") != get(old, "reportingComponent") {
        let now = value(event, "reportingComponent");
        faults.push(FieldError::invalid("reportingController", now, "field is immutable"));
    }
    check_immutable(event, old, "reportingInstance", faults);
}

fn validate_series(event: &Object, faults: &mut Vec<FieldError>) {
    let Some(series) = get_object(event, "series") else { return };
    if number(series, "count") < 2 {
        faults.push(FieldError::invalid("series.count", "", "should be at least 2"));
    }
    if text(series, "lastObservedTime").is_empty() {
        faults.push(FieldError::required("series.lastObservedTime", ""));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let Value::Object(object) = json!({
            "apiVersion": "events.k8s.io/v1",
            "note": "hello",
            "regarding": {"kind": "Pod"},
            "reportingController": "c",
            "deprecatedCount": 2,
            "reason": "R",
        }) else {
            panic!("an object")
        };
        let mut there = object.clone();
        EventRules.to_storage(&mut there);
        assert_eq!(
            Value::Object(there.clone()),
            json!({
                "apiVersion": "v1",
                "message": "hello",
                "involvedObject": {"kind": "Pod"},
                "reportingComponent": "c",
                "count": 2,
                "reason": "R",
            })
        );
        EventRules.out_of_storage(&mut there);
        assert_eq!(there, object);
    }
}
