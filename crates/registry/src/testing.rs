//! What tests of kinds ask: what is filled in, what is refused, what a table shows.

use serde_json::Value;

use crate::error::FieldError;
use crate::kind::{Kind, Object, WriteContext, Writer};

pub(crate) const NOW: &str = "2030-01-01T00:10:00Z";

pub(crate) fn object(value: Value) -> Object {
    let Value::Object(object) = value else { panic!("an object") };
    object
}

/// The object as it rests once it was created.
pub(crate) fn created(kind: &Kind, value: Value) -> Value {
    let mut object = object(value);
    kind.rules.default(&mut object);
    kind.rules
        .prepare_create(&mut object, &WriteContext { now: NOW.parse().unwrap(), writer: Writer::named("someone") });
    Value::Object(object)
}

/// What is wrong with a new object.
#[track_caller]
pub(crate) fn check(kind: &Kind, value: Value, expected: &[&str]) {
    let object = object(created(kind, value));
    assert_eq!(texts(&kind.rules.validate(&object, None)), expected);
}

/// What is wrong with a change.
#[track_caller]
pub(crate) fn check_update(kind: &Kind, value: Value, old: Value, expected: &[&str]) {
    let (object, old) = (object(created(kind, value)), object(created(kind, old)));
    assert_eq!(texts(&kind.rules.validate(&object, Some(&old))), expected);
}

/// What is wrong with a change of the status.
#[track_caller]
pub(crate) fn check_status(kind: &Kind, value: Value, old: Value, expected: &[&str]) {
    assert_eq!(texts(&kind.rules.validate_status(&object(value), &object(old))), expected);
}

/// The names of the columns and what stands in them: `Name=a Age=10m`.
pub(crate) fn row(kind: &Kind, value: Value) -> String {
    let cells = kind.rules.row(&object(value), NOW.parse().unwrap());
    let shown = kind.rules.columns().iter().zip(cells).map(|(column, cell)| match cell {
        Value::String(text) => format!("{}={text}", column.name),
        other => format!("{}={other}", column.name),
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn texts(faults: &[FieldError]) -> Vec<String> {
    faults.iter().map(FieldError::to_string).collect()
}
