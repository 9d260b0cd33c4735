//! OpenAPI v2, as kubectl reads it: the message `openapi.v2.Document`. Of operations it tells what clients look for: what
//! they are about, and which parameters they know.

use serde_json::Value;

use super::{Entries, Message, any, entries, extensions, head, items, named, text, truth};
use crate::openapi::form::Form;
use crate::packed::{Packed, Packer};

// Field numbers of gnostic's OpenAPIv2.proto.
const DOCUMENT_PATHS: u32 = 8;
const DOCUMENT_DEFINITIONS: u32 = 9;
const INFO_TITLE: u32 = 1;
const INFO_VERSION: u32 = 2;
/// `Definitions` and `Properties` both hold their entries here.
const NAMED_ENTRIES: u32 = 1;
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

#[derive(Default)]
pub(in crate::openapi) struct Document {
    paths: Entries,
    definitions: Entries,
}

impl Document {
    pub(in crate::openapi) fn finish(self) -> Packed {
        let mut packer = Packer::new();
        packer.add(&head("2.0", INFO_TITLE, INFO_VERSION).bytes);
        self.paths.pack(DOCUMENT_PATHS, &mut packer);
        self.definitions.pack(DOCUMENT_DEFINITIONS, &mut packer);
        packer.finish()
    }
}

impl Form for Document {
    fn path(&mut self, path: &str, described: &Value) {
        let mut item = Message::default();
        for (method, field) in METHODS {
            if let Some(described) = described.get(method) {
                item.message(field, &operation(described));
            }
        }
        for described in items(described, "parameters") {
            item.message(PATH_PARAMETERS, &parameter(described));
        }
        self.paths.add(PATHS_PATH, &named(path, &item));
    }

    fn schema(&mut self, name: &str, described: &Value) {
        self.definitions.add(NAMED_ENTRIES, &named(name, &schema(described)));
    }
}

fn operation(described: &Value) -> Message {
    let mut message = Message::default();
    message.text(OPERATION_DESCRIPTION, text(described, "description"));
    message.text(OPERATION_ID, text(described, "operationId"));
    message.texts(OPERATION_PRODUCES, described.get("produces"));
    message.texts(OPERATION_CONSUMES, described.get("consumes"));
    for described in items(described, "parameters") {
        message.message(OPERATION_PARAMETERS, &parameter(described));
    }
    extensions(&mut message, OPERATION_VENDOR_EXTENSION, described);
    message
}

fn parameter(described: &Value) -> Message {
    let place = text(described, "in");
    let mut placed = Message::default();
    let mut parameter = Message::default();
    if place == Some("body") {
        placed.text(BODY_NAME, text(described, "name"));
        placed.text(BODY_IN, place);
        placed.flag(BODY_REQUIRED, truth(described, "required"));
        if let Some(body) = described.get("schema") {
            placed.message(BODY_SCHEMA, &schema(body));
        }
        parameter.message(PARAMETER_BODY, &placed);
    } else {
        placed.flag(PLACED_REQUIRED, truth(described, "required"));
        placed.text(PLACED_IN, place);
        placed.text(PLACED_NAME, text(described, "name"));
        let (kind, field) =
            if place == Some("path") { (PATH_TYPE, OTHER_IN_PATH) } else { (QUERY_TYPE, OTHER_IN_QUERY) };
        placed.text(kind, text(described, "type"));
        let mut other = Message::default();
        other.message(field, &placed);
        parameter.message(PARAMETER_OTHER, &other);
    }
    let mut item = Message::default();
    item.message(ITEM_PARAMETER, &parameter);
    item
}

fn schema(described: &Value) -> Message {
    let mut message = Message::default();
    message.text(SCHEMA_REF, text(described, "$ref"));
    message.text(SCHEMA_FORMAT, text(described, "format"));
    message.text(SCHEMA_DESCRIPTION, text(described, "description"));
    if let Some(default) = described.get("default") {
        message.message(SCHEMA_DEFAULT, &any(default));
    }
    message.texts(SCHEMA_REQUIRED, described.get("required"));
    items(described, "enum").for_each(|value| message.message(SCHEMA_ENUM, &any(value)));
    if let Some(values) = described.get("additionalProperties") {
        message.message(SCHEMA_ADDITIONAL_PROPERTIES, &wrapped(values));
    }
    if let Some(name) = text(described, "type") {
        let mut item = Message::default();
        item.text(ITEM_CONTENT, Some(name));
        message.message(SCHEMA_TYPE, &item);
    }
    if let Some(items) = described.get("items") {
        message.message(SCHEMA_ITEMS, &wrapped(items));
    }
    if described.get("properties").is_some() {
        let mut properties = Message::default();
        for (name, property) in entries(described, "properties") {
            properties.message(NAMED_ENTRIES, &named(name, &schema(property)));
        }
        message.message(SCHEMA_PROPERTIES, &properties);
    }
    extensions(&mut message, SCHEMA_VENDOR_EXTENSION, described);
    message
}

fn wrapped(described: &Value) -> Message {
    let mut item = Message::default();
    item.message(ITEM_CONTENT, &schema(described));
    item
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_small_schema_has_the_bytes_protobuf_gives_it() {
        let mut document = Document::default();
        document.schema("A", &json!({ "type": "object" }));
        let object = [0xb2, 0x01, 8, 0x0a, 6, b'o', b'b', b'j', b'e', b'c', b't'];
        let mut expected = vec![0x0a, 16, 0x0a, 1, b'A', 0x12, 11];
        expected.extend(object);
        assert_eq!(document.definitions.pieces.concat(), expected);
        assert_eq!(document.definitions.length, expected.len());
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
