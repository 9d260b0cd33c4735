//! OpenAPI v2 in protobuf, as older kubectl reads it: the message `openapi.v2.Document` of gnostic,
//! with the definitions and without the paths.

use serde_json::{Map, Value};

// Field numbers of gnostic's OpenAPIv2.proto.
const DOCUMENT_SWAGGER: u32 = 1;
const DOCUMENT_INFO: u32 = 2;
const DOCUMENT_PATHS: u32 = 8;
const DOCUMENT_DEFINITIONS: u32 = 9;
const INFO_TITLE: u32 = 1;
const INFO_VERSION: u32 = 2;
/// `Definitions` and `Properties` both hold their entries here.
const NAMED_ENTRIES: u32 = 1;
const NAMED_NAME: u32 = 1;
const NAMED_VALUE: u32 = 2;
const SCHEMA_REF: u32 = 1;
const SCHEMA_FORMAT: u32 = 2;
const SCHEMA_DESCRIPTION: u32 = 4;
const SCHEMA_REQUIRED: u32 = 19;
const SCHEMA_ADDITIONAL_PROPERTIES: u32 = 21;
const SCHEMA_TYPE: u32 = 22;
const SCHEMA_ITEMS: u32 = 23;
const SCHEMA_PROPERTIES: u32 = 25;
const SCHEMA_VENDOR_EXTENSION: u32 = 31;
/// `AdditionalPropertiesItem`, `ItemsItem` and `TypeItem` hold their one thing here.
const ITEM_CONTENT: u32 = 1;
const ANY_YAML: u32 = 2;

pub(super) fn document(version: &str, definitions: &Map<String, Value>) -> Vec<u8> {
    let mut info = Message::default();
    info.text(INFO_TITLE, "Kubernetes");
    info.text(INFO_VERSION, version);
    let mut document = Message::default();
    document.text(DOCUMENT_SWAGGER, "2.0");
    document.message(DOCUMENT_INFO, &info);
    document.message(DOCUMENT_PATHS, &Message::default());
    document.message(DOCUMENT_DEFINITIONS, &named_schemas(definitions));
    document.bytes
}

fn named_schemas(schemas: &Map<String, Value>) -> Message {
    let mut all = Message::default();
    for (name, value) in schemas {
        let mut entry = Message::default();
        entry.text(NAMED_NAME, name);
        entry.message(NAMED_VALUE, &schema(value));
        all.message(NAMED_ENTRIES, &entry);
    }
    all
}

fn schema(value: &Value) -> Message {
    let mut message = Message::default();
    let Value::Object(fields) = value else { return message };
    for (field, value) in fields {
        match (field.as_str(), value) {
            ("$ref", Value::String(text)) => message.text(SCHEMA_REF, text),
            ("format", Value::String(text)) => message.text(SCHEMA_FORMAT, text),
            ("description", Value::String(text)) => message.text(SCHEMA_DESCRIPTION, text),
            ("type", Value::String(text)) => {
                let mut item = Message::default();
                item.text(ITEM_CONTENT, text);
                message.message(SCHEMA_TYPE, &item);
            }
            ("required", Value::Array(names)) => {
                names.iter().filter_map(Value::as_str).for_each(|name| message.text(SCHEMA_REQUIRED, name));
            }
            ("items", items) => message.message(SCHEMA_ITEMS, &wrapped(items)),
            ("additionalProperties", values) => message.message(SCHEMA_ADDITIONAL_PROPERTIES, &wrapped(values)),
            ("properties", Value::Object(properties)) => message.message(SCHEMA_PROPERTIES, &named_schemas(properties)),
            (name, value) if name.starts_with("x-") => {
                // JSON is YAML.
                let mut any = Message::default();
                any.text(ANY_YAML, &value.to_string());
                let mut extension = Message::default();
                extension.text(NAMED_NAME, name);
                extension.message(NAMED_VALUE, &any);
                message.message(SCHEMA_VENDOR_EXTENSION, &extension);
            }
            _ => {}
        }
    }
    message
}

fn wrapped(value: &Value) -> Message {
    let mut item = Message::default();
    item.message(ITEM_CONTENT, &schema(value));
    item
}

/// A protobuf message under construction; every field here is length-delimited.
#[derive(Default)]
struct Message {
    bytes: Vec<u8>,
}

impl Message {
    fn text(&mut self, field: u32, text: &str) {
        self.delimited(field, text.as_bytes());
    }

    fn message(&mut self, field: u32, message: &Message) {
        self.delimited(field, &message.bytes);
    }

    fn delimited(&mut self, field: u32, bytes: &[u8]) {
        const LENGTH_DELIMITED: u64 = 2;
        self.varint(u64::from(field) << 3 | LENGTH_DELIMITED);
        self.varint(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_small_document_has_the_bytes_protobuf_gives_it() {
        let definitions = Map::from_iter([("A".to_owned(), json!({ "type": "object" }))]);
        let schema = [0xb2, 0x01, 8, 0x0a, 6, b'o', b'b', b'j', b'e', b'c', b't'];
        let mut expected = vec![0x0a, 3, b'2', b'.', b'0', 0x12, 16, 0x0a, 10];
        expected.extend(b"Kubernetes");
        expected.extend([0x12, 2, b'v', b'1', 0x42, 0, 0x4a, 18, 0x0a, 16, 0x0a, 1, b'A', 0x12, 11]);
        expected.extend(schema);
        assert_eq!(document("v1", &definitions), expected);
    }
}
