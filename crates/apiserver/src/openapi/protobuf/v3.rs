//! OpenAPI v3: the message `openapi.v3.Document`, as gnostic makes it of the JSON form.

use serde_json::Value;

use super::{Entries, Message, any, entries, extensions, head, items, named, text, truth};
use crate::openapi::form::{Form, SCHEME, scheme};
use crate::packed::{Packed, Packer};

// Field numbers of gnostic's OpenAPIv3.proto.
const DOCUMENT_PATHS: u32 = 4;
const DOCUMENT_COMPONENTS: u32 = 5;
const DOCUMENT_SECURITY: u32 = 6;
const INFO_TITLE: u32 = 1;
const INFO_VERSION: u32 = 6;
const COMPONENTS_SCHEMAS: u32 = 1;
const COMPONENTS_SECURITY_SCHEMES: u32 = 7;
const SECURITY_SCHEME_TYPE: u32 = 1;
const SECURITY_SCHEME_DESCRIPTION: u32 = 2;
const SECURITY_SCHEME_NAME: u32 = 3;
const SECURITY_SCHEME_IN: u32 = 4;
/// What holds entries by name alone has them here: schemas, properties, media types, security schemes.
const ADDITIONAL_PROPERTIES: u32 = 1;
const PATHS_PATH: u32 = 1;
const PATH_PARAMETERS: u32 = 13;
const OPERATION_TAGS: u32 = 1;
const OPERATION_DESCRIPTION: u32 = 3;
const OPERATION_ID: u32 = 5;
const OPERATION_PARAMETERS: u32 = 6;
const OPERATION_REQUEST_BODY: u32 = 7;
const OPERATION_RESPONSES: u32 = 8;
const OPERATION_EXTENSION: u32 = 13;
const PARAMETER_NAME: u32 = 1;
const PARAMETER_IN: u32 = 2;
const PARAMETER_DESCRIPTION: u32 = 3;
const PARAMETER_REQUIRED: u32 = 4;
const PARAMETER_SCHEMA: u32 = 10;
const REQUEST_BODY_CONTENT: u32 = 2;
const REQUEST_BODY_REQUIRED: u32 = 3;
const RESPONSES_RESPONSE: u32 = 2;
const RESPONSE_DESCRIPTION: u32 = 1;
const RESPONSE_CONTENT: u32 = 3;
const MEDIA_TYPE_SCHEMA: u32 = 1;
const SCHEMA_UNIQUE_ITEMS: u32 = 20;
const SCHEMA_REQUIRED: u32 = 23;
const SCHEMA_ENUM: u32 = 24;
const SCHEMA_TYPE: u32 = 25;
const SCHEMA_ALL_OF: u32 = 26;
const SCHEMA_ONE_OF: u32 = 27;
const SCHEMA_ITEMS: u32 = 30;
const SCHEMA_PROPERTIES: u32 = 31;
const SCHEMA_ADDITIONAL_PROPERTIES: u32 = 32;
const SCHEMA_DEFAULT: u32 = 33;
const SCHEMA_DESCRIPTION: u32 = 34;
const SCHEMA_FORMAT: u32 = 35;
const SCHEMA_EXTENSION: u32 = 36;
const DEFAULT_NUMBER: u32 = 1;
const DEFAULT_BOOLEAN: u32 = 2;
const DEFAULT_STRING: u32 = 3;
/// What is either the thing itself (`SchemaOrReference` and its like) or a reference to one.
const ITSELF: u32 = 1;
const REFERENCE: u32 = 2;
const REFERENCE_REF: u32 = 1;
/// `ItemsItem` and `AdditionalPropertiesItem` hold their schema here.
const ITEM_SCHEMA: u32 = 1;

/// The fields of a path that hold its operations.
const METHODS: [(&str, u32); 7] =
    [("get", 4), ("put", 5), ("post", 6), ("delete", 7), ("options", 8), ("head", 9), ("patch", 10)];

#[derive(Default)]
pub(in crate::openapi) struct Document {
    paths: Entries,
    schemas: Entries,
}

impl Document {
    pub(in crate::openapi) fn finish(self) -> Packed {
        let mut packer = Packer::new();
        packer.add(&head("3.0.0", INFO_TITLE, INFO_VERSION).bytes);
        self.paths.pack(DOCUMENT_PATHS, &mut packer);

        let mut schemes = Message::default();
        let mut described = Message::default();
        described.message(ITSELF, &security_scheme(&scheme()));
        schemes.message(ADDITIONAL_PROPERTIES, &named(SCHEME, &described));
        let mut behind = Message::default();
        behind.message(COMPONENTS_SECURITY_SCHEMES, &schemes);
        let mut components = Message::default();
        components.open(DOCUMENT_COMPONENTS, self.schemas.length_in(COMPONENTS_SCHEMAS) + behind.bytes.len());
        packer.add(&components.bytes);
        self.schemas.pack(COMPONENTS_SCHEMAS, &mut packer);
        packer.add(&behind.bytes);

        let mut needed = Message::default();
        needed.message(ADDITIONAL_PROPERTIES, &named(SCHEME, &Message::default()));
        let mut last = Message::default();
        last.message(DOCUMENT_SECURITY, &needed);
        packer.add(&last.bytes);
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
            item.message(PATH_PARAMETERS, &itself(&parameter(described)));
        }
        self.paths.add(PATHS_PATH, &named(path, &item));
    }

    fn schema(&mut self, name: &str, described: &Value) {
        self.schemas.add(ADDITIONAL_PROPERTIES, &named(name, &schema_or_reference(described)));
    }
}

fn security_scheme(described: &Value) -> Message {
    let mut message = Message::default();
    for (name, field) in [
        ("type", SECURITY_SCHEME_TYPE),
        ("description", SECURITY_SCHEME_DESCRIPTION),
        ("name", SECURITY_SCHEME_NAME),
        ("in", SECURITY_SCHEME_IN),
    ] {
        message.text(field, text(described, name));
    }
    message
}

fn operation(described: &Value) -> Message {
    let mut message = Message::default();
    message.texts(OPERATION_TAGS, described.get("tags"));
    message.text(OPERATION_DESCRIPTION, text(described, "description"));
    message.text(OPERATION_ID, text(described, "operationId"));
    for described in items(described, "parameters") {
        message.message(OPERATION_PARAMETERS, &itself(&parameter(described)));
    }
    if let Some(described) = described.get("requestBody") {
        let mut body = Message::default();
        body.message(REQUEST_BODY_CONTENT, &content(described));
        body.flag(REQUEST_BODY_REQUIRED, truth(described, "required"));
        message.message(OPERATION_REQUEST_BODY, &itself(&body));
    }
    let mut responses = Message::default();
    for (code, described) in entries(described, "responses") {
        let mut response = Message::default();
        response.text(RESPONSE_DESCRIPTION, text(described, "description"));
        if described.get("content").is_some() {
            response.message(RESPONSE_CONTENT, &content(described));
        }
        responses.message(RESPONSES_RESPONSE, &named(code, &itself(&response)));
    }
    message.message(OPERATION_RESPONSES, &responses);
    extensions(&mut message, OPERATION_EXTENSION, described);
    message
}

fn parameter(described: &Value) -> Message {
    let mut message = Message::default();
    message.text(PARAMETER_NAME, text(described, "name"));
    message.text(PARAMETER_IN, text(described, "in"));
    message.text(PARAMETER_DESCRIPTION, text(described, "description"));
    message.flag(PARAMETER_REQUIRED, truth(described, "required"));
    if let Some(schema) = described.get("schema") {
        message.message(PARAMETER_SCHEMA, &schema_or_reference(schema));
    }
    message
}

/// What a body may be, by media type.
fn content(described: &Value) -> Message {
    let mut content = Message::default();
    for (media_type, described) in entries(described, "content") {
        let mut media = Message::default();
        if let Some(schema) = described.get("schema") {
            media.message(MEDIA_TYPE_SCHEMA, &schema_or_reference(schema));
        }
        content.message(ADDITIONAL_PROPERTIES, &named(media_type, &media));
    }
    content
}

fn schema_or_reference(described: &Value) -> Message {
    match text(described, "$ref") {
        None => itself(&schema(described)),
        Some(name) => {
            let mut reference = Message::default();
            reference.text(REFERENCE_REF, Some(name));
            let mut either = Message::default();
            either.message(REFERENCE, &reference);
            either
        }
    }
}

fn itself(message: &Message) -> Message {
    let mut either = Message::default();
    either.message(ITSELF, message);
    either
}

fn schema(described: &Value) -> Message {
    let mut message = Message::default();
    message.flag(SCHEMA_UNIQUE_ITEMS, truth(described, "uniqueItems"));
    message.texts(SCHEMA_REQUIRED, described.get("required"));
    items(described, "enum").for_each(|value| message.message(SCHEMA_ENUM, &any(value)));
    message.text(SCHEMA_TYPE, text(described, "type"));
    for (name, field) in [("allOf", SCHEMA_ALL_OF), ("oneOf", SCHEMA_ONE_OF)] {
        items(described, name).for_each(|part| message.message(field, &schema_or_reference(part)));
    }
    if let Some(described) = described.get("items") {
        message.message(SCHEMA_ITEMS, &item(described));
    }
    if described.get("properties").is_some() {
        let mut properties = Message::default();
        for (name, property) in entries(described, "properties") {
            properties.message(ADDITIONAL_PROPERTIES, &named(name, &schema_or_reference(property)));
        }
        message.message(SCHEMA_PROPERTIES, &properties);
    }
    if let Some(described) = described.get("additionalProperties") {
        message.message(SCHEMA_ADDITIONAL_PROPERTIES, &item(described));
    }
    if let Some(default) = described.get("default") {
        message.message(SCHEMA_DEFAULT, &default_of(default));
    }
    message.text(SCHEMA_DESCRIPTION, text(described, "description"));
    message.text(SCHEMA_FORMAT, text(described, "format"));
    extensions(&mut message, SCHEMA_EXTENSION, described);
    message
}

fn item(described: &Value) -> Message {
    let mut item = Message::default();
    item.message(ITEM_SCHEMA, &schema_or_reference(described));
    item
}

/// gnostic knows plain defaults alone; of others it tells that there is one.
fn default_of(value: &Value) -> Message {
    let mut default = Message::default();
    match value {
        Value::Number(number) => {
            if let Some(number) = number.as_f64() {
                default.double(DEFAULT_NUMBER, number);
            }
        }
        Value::Bool(truth) => default.choice(DEFAULT_BOOLEAN, *truth),
        Value::String(text) => default.text(DEFAULT_STRING, Some(text)),
        _ => {}
    }
    default
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The bytes of a message in which `field` is the only one, and delimited.
    fn holding(field: u8, content: &[u8]) -> Vec<u8> {
        let tag = u32::from(field) << 3 | 2;
        let mut bytes = if tag < 128 { vec![tag as u8] } else { vec![(tag & 0x7f) as u8 | 0x80, (tag >> 7) as u8] };
        assert!(content.len() < 128);
        bytes.push(content.len() as u8);
        bytes.extend_from_slice(content);
        bytes
    }

    #[test]
    fn a_reference_and_a_schema_are_told_apart() {
        let reference = json!({ "$ref": "#/a" });
        assert_eq!(schema_or_reference(&reference).bytes, holding(2, &holding(1, b"#/a")));
        assert_eq!(schema_or_reference(&json!({ "type": "string" })).bytes, holding(1, &holding(25, b"string")));
        let wrapped = json!({ "allOf": [reference], "default": {} });
        let expected = [holding(26, &holding(2, &holding(1, b"#/a"))), holding(33, b"")].concat();
        assert_eq!(schema(&wrapped).bytes, expected);
    }

    #[test]
    fn defaults_that_are_zero_are_told() {
        assert_eq!(default_of(&json!(0)).bytes, [0x09, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(default_of(&json!(1.5)).bytes, [0x09, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f]);
        assert_eq!(default_of(&json!(false)).bytes, [0x10, 0]);
        assert_eq!(default_of(&json!("")).bytes, [0x1a, 0]);
    }

    #[test]
    fn a_schema_tells_its_parts_by_their_numbers() {
        let described = json!({
            "type": "object",
            "description": "d",
            "properties": { "a": { "type": "array", "items": { "enum": ["x"] }, "x-l": "map" } },
            "required": ["a"],
        });
        let items = holding(30, &holding(1, &holding(1, &holding(24, &holding(2, b"\"x\"")))));
        let extension = holding(36, &[holding(1, b"x-l"), holding(2, &holding(2, b"\"map\""))].concat());
        let property = holding(1, &[holding(25, b"array"), items, extension].concat());
        let properties = holding(31, &holding(1, &[holding(1, b"a"), holding(2, &property)].concat()));
        let expected = [holding(23, b"a"), holding(25, b"object"), properties, holding(34, b"d")].concat();
        assert_eq!(schema(&described).bytes, expected);
        let map = json!({ "additionalProperties": { "format": "f" } });
        assert_eq!(schema(&map).bytes, holding(32, &holding(1, &holding(1, &holding(35, b"f")))));
    }

    #[test]
    fn an_operation_tells_its_body_and_its_answers() {
        let described = json!({
            "tags": ["t"],
            "operationId": "o",
            "parameters": [{ "name": "n", "in": "query", "schema": { "uniqueItems": true } }],
            "requestBody": { "content": { "*/*": { "schema": {} } }, "required": true },
            "responses": { "200": { "description": "OK" } },
        });
        let parameter = [holding(1, b"n"), holding(2, b"query"), holding(10, &holding(1, &[0xa0, 0x01, 1]))].concat();
        let media = holding(1, &[holding(1, b"*/*"), holding(2, &holding(1, &holding(1, b"")))].concat());
        let body = [holding(2, &media), vec![0x18, 1]].concat();
        let answer = holding(1, &holding(1, b"OK"));
        let expected = [
            holding(1, b"t"),
            holding(5, b"o"),
            holding(6, &holding(1, &parameter)),
            holding(7, &holding(1, &body)),
            holding(8, &holding(2, &[holding(1, b"200"), holding(2, &answer)].concat())),
        ];
        assert_eq!(operation(&described).bytes, expected.concat());
    }
}
