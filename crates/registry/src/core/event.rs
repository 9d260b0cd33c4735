//! Event.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, NAME, column, wide};
use crate::error::FieldError;
use crate::fields::{get_object, get_str, invalid_all, number, text};
use crate::human;
use crate::kind::{Column, Kind, Object, Rules, WriteContext};
use crate::names;

pub static EVENT: Kind = Kind {
    kind: "Event",
    plural: "events",
    singular: "event",
    short_names: &["ev"],
    rules: &EventRules,
    ..Kind::NAMESPACED
};

struct EventRules;

pub(crate) static COLUMNS: &[Column] = &[
    column("Last Seen", "string", "The time at which the most recent occurrence of this event was recorded."),
    column("Type", "string", "Type of this event (Normal, Warning), new types could be added in the future"),
    column("Reason", "string", "This should be a short, machine understandable string."),
    column("Object", "string", "The object that this event is about."),
    wide("Subobject", "string", "The part of the object that this event is about."),
    wide("Source", "string", "The component reporting this event."),
    column("Message", "string", "A human-readable description of the status of this operation."),
    wide("First Seen", "string", "The time at which the event was first recorded."),
    wide("Count", "string", "The number of times this event has occurred."),
    Column { priority: 1, ..NAME },
];

impl Rules for EventRules {
    fn prepare_create(&self, _object: &mut Object, _context: &WriteContext<'_>) {}

    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        validate(object, "reportingComponent", &mut faults);
        faults
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        row(object, now)
    }

    fn selectable_field(&self, object: &Object, path: &str) -> Option<String> {
        match path {
            "source" => Some(component(object).to_owned()),
            _ if self.selectable_fields().contains(&path) => Some(text(object, path).to_owned()),
            _ => None,
        }
    }

    fn selectable_fields(&self) -> &'static [&'static str] {
        &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ]
    }

    fn creates_on_update(&self) -> bool {
        true
    }
}

const MAX_WORD_BYTES: usize = 128;
const MAX_MESSAGE_BYTES: usize = 1024;

/// What holds for events of every version. `reporting` is what the version calls the component that tells.
pub(crate) fn validate(event: &Object, reporting: &str, faults: &mut Vec<FieldError>) {
    let namespace = text(event, "metadata.namespace");
    let about = text(event, "involvedObject.namespace");
    let is_old = text(event, "eventTime").is_empty();
    // What is said of cluster-wide objects goes to a namespace of the system.
    let matches = match (is_old, about) {
        (true, "") => namespace == "default",
        (true, about) => about == namespace,
        (false, "") => ["default", "kube-system"].contains(&namespace),
        (false, _) => true,
    };
    if !matches {
        let detail = "does not match event.namespace";
        faults.push(FieldError::invalid("involvedObject.namespace", about, detail));
    }
    if is_old {
        return;
    }
    let reporter = text(event, "reportingComponent");
    if reporter.is_empty() {
        faults.push(FieldError::required(reporting, ""));
    }
    invalid_all(reporting, reporter, names::qualified_name(reporter), faults);
    for (field, limit, is_required) in [
        ("reportingInstance", MAX_WORD_BYTES, true),
        ("action", MAX_WORD_BYTES, true),
        ("reason", MAX_WORD_BYTES, true),
        ("message", MAX_MESSAGE_BYTES, false),
    ] {
        let said = text(event, field);
        if is_required && said.is_empty() {
            faults.push(FieldError::required(field, ""));
        }
        if said.len() > limit {
            faults.push(FieldError::invalid(field, "", format!("can have at most {limit} characters")));
        }
    }
}

/// The row of an event in its stored form.
pub(crate) fn row(event: &Object, now: Timestamp) -> Vec<Value> {
    let first = get_str(event, "firstTimestamp").or_else(|| get_str(event, "eventTime"));
    let mut last = get_str(event, "lastTimestamp").or(first);
    let mut count = number(event, "count").max(1);
    if let Some(series) = get_object(event, "series") {
        last = get_str(series, "lastObservedTime");
        count = number(series, "count");
    }
    let kind = text(event, "involvedObject.kind").to_lowercase();
    let target = match text(event, "involvedObject.name") {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    vec![
        Value::from(human::since(last, now)),
        Value::from(text(event, "type")),
        Value::from(text(event, "reason")),
        Value::from(target),
        Value::from(text(event, "involvedObject.fieldPath")),
        Value::from(source(event)),
        Value::from(text(event, "message").trim()),
        Value::from(human::since(first, now)),
        Value::from(count),
        columns::name(event),
    ]
}

fn component(event: &Object) -> &str {
    match text(event, "source.component") {
        "" => text(event, "reportingComponent"),
        component => component,
    }
}

fn source(event: &Object) -> String {
    let host = match text(event, "source.host") {
        "" => text(event, "reportingInstance"),
        host => host,
    };
    if host.is_empty() { component(event).to_owned() } else { format!("{}, {host}", component(event)) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_row_tells_when_what_and_who() {
        let Value::Object(event) = json!({
            "metadata": {"name": "e"},
            "type": "Normal",
            "reason": "Started",
            "message": "Started container a\n",
            "involvedObject": {"kind": "Pod", "name": "p", "fieldPath": "spec.containers{a}"},
            "source": {"component": "kubelet", "host": "n"},
            "firstTimestamp": "2030-01-01T00:00:00Z",
            "lastTimestamp": "2030-01-01T00:01:00Z",
            "count": 2,
        }) else {
            panic!("an object")
        };
        assert_eq!(
            Value::from(row(&event, "2030-01-01T00:02:00Z".parse().unwrap())),
            json!([
                "60s",
                "Normal",
                "Started",
                "pod/p",
                "spec.containers{a}",
                "kubelet, n",
                "Started container a",
                "2m",
                2,
                "e"
            ])
        );
    }
}
