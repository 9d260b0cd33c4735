//! Objects whose managed fields are at rest: each `fieldsV1` is a text that holds the JSON.
//!
//! Most writes leave most managers' fields alone. A tree of them costs more to build, copy and compare than all the rest
//! of the object, and a text next to nothing; whoever has to look inside reads it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::Object;

const METADATA: &str = "metadata";
const LIST: &str = "managedFields";
const FIELDS: &str = "fieldsV1";

/// Reads an object that the server wrote.
pub fn read_resting(bytes: &[u8]) -> Result<Object, serde_json::Error> {
    let mut input = serde_json::Deserializer::from_slice(bytes);
    let value = Place::Object.deserialize(&mut input)?;
    input.end()?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(serde_json::Error::custom("an object is a map")),
    }
}

/// Lays the managed fields to rest; whatever stands in `fieldsV1` is taken for a value.
pub fn rest(object: &mut Object) {
    for fields in each_fields(object) {
        *fields = Value::String(fields.to_string());
    }
}

/// Makes trees of managed fields at rest, as clients see them.
pub fn unfold(object: &mut Object) -> Result<(), serde_json::Error> {
    for fields in each_fields(object) {
        if let Value::String(text) = fields {
            *fields = serde_json::from_str(text)?;
        }
    }
    Ok(())
}

/// Writes a list of managed fields, at rest or not, as JSON.
pub fn write_managed(list: &Value, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    let Value::Array(entries) = list else { return serde_json::to_writer(out, list) };
    out.push(b'[');
    for (at, entry) in entries.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let Value::Object(entry) = entry else {
            serde_json::to_writer(&mut *out, entry)?;
            continue;
        };
        out.push(b'{');
        for (at, (name, value)) in entry.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            serde_json::to_writer(&mut *out, name)?;
            out.push(b':');
            match value {
                Value::String(text) if name == FIELDS => out.extend_from_slice(text.as_bytes()),
                value => serde_json::to_writer(&mut *out, value)?,
            }
        }
        out.push(b'}');
    }
    out.push(b']');
    Ok(())
}

/// Whether a key stands in an entry of managed fields and holds the fields; `parent` is the path to the entry.
pub(crate) fn holds_fields(parent: &str, key: &str) -> bool {
    let index = || parent.strip_prefix("metadata.managedFields[").and_then(|rest| rest.strip_suffix(']'));
    key == FIELDS && index().is_some_and(|index| index.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The value as the text it came as, without the room between its parts.
pub(crate) fn text_of(raw: &RawValue) -> Result<Value, serde_json::Error> {
    let text = raw.get();
    let is_close = !text.bytes().any(|byte| byte.is_ascii_whitespace());
    match is_close {
        true => Ok(Value::String(text.to_owned())),
        false => serde_json::from_str::<Value>(text).map(|value| Value::String(value.to_string())),
    }
}

fn each_fields(object: &mut Object) -> impl Iterator<Item = &mut Value> {
    let list = object.get_mut(METADATA).and_then(|metadata| metadata.get_mut(LIST)).and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(|entry| entry.get_mut(FIELDS))
}

/// How far on the way to the fields a value stands.
#[derive(Clone, Copy)]
enum Place {
    Object,
    Metadata,
    List,
    Entry,
}

impl<'de> DeserializeSeed<'de> for Place {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object's metadata and managed fields")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let Place::List = self else { return Err(Error::custom("a list in place of a map")) };
        let mut list = Vec::with_capacity(items.size_hint().unwrap_or(4));
        while let Some(entry) = items.next_element_seed(Place::Entry)? {
            list.push(entry);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = match (self, name.as_str()) {
                (Place::Object, METADATA) => members.next_value_seed(Place::Metadata)?,
                (Place::Metadata, LIST) => members.next_value_seed(Place::List)?,
                (Place::Entry, FIELDS) => Value::from(members.next_value::<&RawValue>()?.get()),
                _ => members.next_value()?,
            };
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object() -> Object {
        let Value::Object(object) = json!({
            "kind": "ConfigMap", "metadata": {"name": "a", "managedFields": [
                {"manager": "a", "fieldsV1": {"f:data": {".": {}, "f:\"quoted\" \\ name": {}}}, "subresource": "status"},
                {"manager": "b", "fieldsV1": "no fields"},
                {"manager": "c"},
            ]},
            "data": {"fieldsV1": "{}"},
        }) else {
            panic!("an object")
        };
        object
    }

    #[test]
    fn what_rests_is_written_and_read_as_it_was() {
        let whole = object();
        let mut resting = whole.clone();
        rest(&mut resting);
        assert_eq!(resting["metadata"]["managedFields"][1]["fieldsV1"], "\"no fields\"");
        assert_eq!(read_resting(Value::Object(whole.clone()).to_string().as_bytes()).unwrap(), resting);
        let mut unfolded = resting.clone();
        unfold(&mut unfolded).unwrap();
        assert_eq!(unfolded, whole);
        let mut written = Vec::new();
        write_managed(&resting["metadata"]["managedFields"], &mut written).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), whole["metadata"]["managedFields"].to_string());
        assert!(read_resting(b"[]").is_err() && read_resting(b"{} {}").is_err());
    }

    #[test]
    fn only_fields_of_managers_rest() {
        for (parent, key, expected) in [
            ("metadata.managedFields[0]", "fieldsV1", true),
            ("metadata.managedFields[12]", "fieldsV1", true),
            ("metadata.managedFields[0]", "manager", false),
            ("metadata.managedFields[0].x[1]", "fieldsV1", false),
            ("spec.template.metadata.managedFields[0]", "fieldsV1", false),
            ("metadata", "fieldsV1", false),
        ] {
            assert_eq!(holds_fields(parent, key), expected, "{parent} {key}");
        }
    }
}
