//! Building blocks of table columns.

use jiff::Timestamp;
use serde_json::Value;

use crate::human;
use crate::kind::{Column, Object};

/// A column that always shows.
pub const fn column(name: &'static str, r#type: &'static str, description: &'static str) -> Column {
    Column { name, r#type, format: "", description, priority: 0 }
}

/// A column that shows with `-o wide`.
pub const fn wide(name: &'static str, r#type: &'static str, description: &'static str) -> Column {
    Column { name, r#type, format: "", description, priority: 1 }
}

pub const NAME: Column = Column {
    name: "Name",
    r#type: "string",
    format: "name",
    description: "Name must be unique within a namespace. Is required when creating resources, although some resources \
                  may allow a client to request the generation of an appropriate name automatically. Name is primarily \
                  intended for creation idempotence and configuration definition. Cannot be updated. More info: \
                  https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names",
    priority: 0,
};

pub const AGE: Column = column(
    "Age",
    "string",
    "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed \
     to be set in happens-before order across separate operations. Clients may not set this value. It is represented \
     in RFC3339 form and is in UTC.",
);

pub static NAME_AND_AGE: &[Column] = &[NAME, AGE];

pub fn name_and_age(object: &Object, now: Timestamp) -> Vec<Value> {
    vec![name(object), age(object, now)]
}

pub fn name(object: &Object) -> Value {
    object.get("metadata").and_then(|metadata| metadata.get("name")).cloned().unwrap_or_else(|| Value::from(""))
}

pub fn age(object: &Object, now: Timestamp) -> Value {
    Value::from(human::age(object, now))
}
