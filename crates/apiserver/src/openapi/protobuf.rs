//! OpenAPI v2 in protobuf, as kubectl reads it: the message `openapi.v2.Document` of gnostic. Of operations
//! it tells what clients look for: what they are about, and which parameters they know.

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
const SCHEMA_DEFAULT: u32 = 5;
const SCHEMA_REQUIRED: u32 = 19;
const SCHEMA_ENUM: u32 = 20;
const SCHEMA_ADDITIONAL_PROPERTIES: u32 = 21;
const SCHEMA_TYPE: u32 = 22;
const SCHEMA_ITEMS: u32 = 23;
const SCHEMA_PROPERTIES: u32 = 25;
const SCHEMA_VENDOR_EXTENSION: u32 = 31;
/// `AdditionalPropertiesItem`, `ItemsItem` and `TypeItem` hold their one thing here.
const ITEM_CONTENT: u32 = 1;
const ANY_YAML: u32 = 2;
const PATHS_PATH: u32 = 2;
const PATH_PARAMETERS: u32 = 9;
const OPERATION_DESCRIPTION: u32 = 3;
const OPERATION_ID: u32 = 5;
const OPERATION_PRODUCES: u32 = 6;
const OPERATION_CONSUMES: u32 = 7;
const OPERATION_PARAMETERS: u32 = 8;
const OPERATION_VENDOR_EXTENSION: u32 = 13;
const ITEM_PARAMETER: u32 = 1;
const PARAMETER_BODY: u32 = 1;
const PARAMETER_OTHER: u32 = 2;
const OTHER_IN_QUERY: u32 = 3;
const OTHER_IN_PATH: u32 = 4;
const BODY_NAME: u32 = 2;
const BODY_IN: u32 = 3;
const BODY_REQUIRED: u32 = 4;
const BODY_SCHEMA: u32 = 5;
const PLACED_REQUIRED: u32 = 1;
const PLACED_IN: u32 = 2;
const PLACED_NAME: u32 = 4;
const QUERY_TYPE: u32 = 6;
const PATH_TYPE: u32 = 5;

/// The fields of a path that hold its operations.
const METHODS: [(&str, u32); 7] =
    [("get", 2), ("put", 3), ("post", 4), ("delete", 5), ("options", 6), ("head", 7), ("patch", 8)];

pub(super) fn document(version: &str, paths: &Paths, definitions: &Map<String, Value>) -> Vec<u8> {
    let mut info = Message::default();
    info.text(INFO_TITLE, "Kubernetes");
    info.text(INFO_VERSION, version);
    let mut document = Message::default();
    document.text(DOCUMENT_SWAGGER, "2.0");
    document.message(DOCUMENT_INFO, &info);
    document.message(DOCUMENT_PATHS, &paths.0);
    document.message(DOCUMENT_DEFINITIONS, &named_schemas(definitions));
    document.bytes
}

/// The paths of a document, as they are told one after the other.
#[derive(Default)]
pub(super) struct Paths(Message);

impl Paths {
    pub(super) fn add(&mut self, paths: &Map<String, Value>) {
        for (name, on_path) in paths {
            let mut item = Message::default();
            for (method, field) in METHODS {
                if let Some(described) = on_path.get(method) {
                    item.message(field, &operation(described));
                }
            }
            for described in on_path.get("parameters").and_then(Value::as_array).into_iter().flatten() {
                item.message(PATH_PARAMETERS, &parameter(described));
            }
            let mut entry = Message::default();
            entry.text(NAMED_NAME, name);
            entry.message(NAMED_VALUE, &item);
            self.0.message(PATHS_PATH, &entry);
        }
    }
}

fn operation(described: &Value) -> Message {
    let mut message = Message::default();
    let Value::Object(fields) = described else { return message };
    for (field, value) in fields {
        match (field.as_str(), value) {
            ("description", Value::String(text)) => message.text(OPERATION_DESCRIPTION, text),
            ("operationId", Value::String(text)) => message.text(OPERATION_ID, text),
            ("produces", Value::Array(types)) => {
                types.iter().filter_map(Value::as_str).for_each(|media| message.text(OPERATION_PRODUCES, media));
            }
            ("consumes", Value::Array(types)) => {
                types.iter().filter_map(Value::as_str).for_each(|media| message.text(OPERATION_CONSUMES, media));
            }
            ("parameters", Value::Array(parameters)) => {
                parameters.iter().for_each(|described| message.message(OPERATION_PARAMETERS, &parameter(described)));
            }
            (name, value) if name.starts_with("x-") => {
                message.message(OPERATION_VENDOR_EXTENSION, &extension(name, value));
            }
            _ => {}
        }
    }
    message
}

fn parameter(described: &Value) -> Message {
    let text = |field: &str| described.get(field).and_then(Value::as_str).unwrap_or("");
    let required = described.get("required").and_then(Value::as_bool).unwrap_or(false);
    let mut placed = Message::default();
    let mut parameter = Message::default();
    if text("in") == "body" {
        placed.text(BODY_NAME, text("name"));
        placed.text(BODY_IN, "body");
        placed.flag(BODY_REQUIRED, required);
        if let Some(body) = described.get("schema") {
            placed.message(BODY_SCHEMA, &schema(body));
        }
        parameter.message(PARAMETER_BODY, &placed);
    } else {
        placed.flag(PLACED_REQUIRED, required);
        placed.text(PLACED_IN, text("in"));
        placed.text(PLACED_NAME, text("name"));
        let (kind, field) =
            if text("in") == "path" { (PATH_TYPE, OTHER_IN_PATH) } else { (QUERY_TYPE, OTHER_IN_QUERY) };
        placed.text(kind, text("type"));
        let mut other = Message::default();
        other.message(field, &placed);
        parameter.message(PARAMETER_OTHER, &other);
    }
    let mut item = Message::default();
    item.message(ITEM_PARAMETER, &parameter);
    item
}

/// A field of a name of its own. JSON is YAML.
fn extension(name: &str, value: &Value) -> Message {
    let mut extension = Message::default();
    extension.text(NAMED_NAME, name);
    extension.message(NAMED_VALUE, &any(value));
    extension
}

fn any(value: &Value) -> Message {
    let mut any = Message::default();
    any.text(ANY_YAML, &value.to_string());
    any
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
            ("default", value) => message.message(SCHEMA_DEFAULT, &any(value)),
            ("enum", Value::Array(values)) => values.iter().for_each(|value| message.message(SCHEMA_ENUM, &any(value))),
            ("items", items) => message.message(SCHEMA_ITEMS, &wrapped(items)),
            ("additionalProperties", values) => message.message(SCHEMA_ADDITIONAL_PROPERTIES, &wrapped(values)),
            ("properties", Value::Object(properties)) => message.message(SCHEMA_PROPERTIES, &named_schemas(properties)),
            (name, value) if name.starts_with("x-") => {
                message.message(SCHEMA_VENDOR_EXTENSION, &extension(name, value));
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

/// A protobuf message under construction.
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

    fn flag(&mut self, field: u32, is_set: bool) {
        if is_set {
            self.varint(u64::from(field) << 3);
            self.varint(1);
        }
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
        assert_eq!(document("v1", &Paths::default(), &definitions), expected);
    }

    #[test]
    fn an_operation_tells_its_parameters_and_what_it_is_about() {
        let described = json!({
            "parameters": [{ "name": "a", "in": "query", "type": "string", "description": "not told" }],
            "x-b": { "c": 1 },
        });
        let placed =
            [0x12, 5, b'q', b'u', b'e', b'r', b'y', 0x22, 1, b'a', 0x32, 6, b's', b't', b'r', b'i', b'n', b'g'];
        let mut expected = vec![0x42, 24, 0x0a, 22, 0x12, 20, 0x1a, 18];
        expected.extend(placed);
        expected.extend([0x6a, 16, 0x0a, 3, b'x', b'-', b'b', 0x12, 9, 0x12, 7]);
        expected.extend(b"{\"c\":1}");
        assert_eq!(operation(&described).bytes, expected);
    }
}
