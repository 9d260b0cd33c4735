//! What tests of old versions ask: how an object rests, how it is shown, what is wrong with it.

use serde_json::Value;

use crate::error::FieldError;
use crate::kind::{Kind, WriteContext, Writer};
use crate::testing::{NOW, object};

/// A client's object as it rests.
pub(super) fn rested(served: &Kind, value: Value) -> Value {
    let mut object = object(value);
    served.rules.default(&mut object);
    served.rules.to_storage(&mut object);
    Value::Object(object)
}

/// A stored object in the version.
pub(super) fn shown(served: &Kind, stored: Value) -> Value {
    let mut object = object(stored);
    served.rules.out_of_storage(&mut object);
    Value::Object(object)
}

/// What a client of the version is told about a new object.
pub(super) fn faults(served: &Kind, value: Value) -> Vec<String> {
    let mut object = object(rested(served, value));
    let stored = served.storage.unwrap_or(served);
    stored
        .rules
        .prepare_create(&mut object, &WriteContext { now: NOW.parse().unwrap(), writer: Writer::named("someone") });
    let faults = stored.rules.validate(&object, None);
    faults.iter().filter(|fault| !served.rules.tolerates(fault)).map(FieldError::to_string).collect()
}
