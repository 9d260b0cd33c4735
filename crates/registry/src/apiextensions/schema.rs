//! Schemas of custom resources: structural ones, in upstream's sense. Every field has one type, said once
//! and outside of the logic (`allOf`, `anyOf`, `oneOf`, `not`), which may only narrow values down.

use serde_json::Value;

use crate::error::FieldError;
use crate::fields::{get, get_array, get_object, join, text, texts, truth};
use crate::kind::Object;

/// Faults of a version's `openAPIV3Schema`.
pub(super) fn validate(root: &Object, path: &str, faults: &mut Vec<FieldError>) {
    validate_node(root, Level::Root, path, 0, faults);
}

/// Where a schema stands decides what it must say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Field,
    Item,
    /// Inside of logic: values alone.
    Logic,
}

/// Deeper schemas than this are no people's.
const MAX_DEPTH: usize = 256;

const LOGIC: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

fn validate_node(schema: &Object, level: Level, path: &str, depth: usize, faults: &mut Vec<FieldError>) {
    if depth > MAX_DEPTH {
        faults.push(FieldError::forbidden(path, "schemas may not be nested so deep"));
        return;
    }
    validate_unsupported(schema, path, faults);
    if level == Level::Logic {
        validate_logic(schema, path, faults);
    } else {
        validate_type(schema, level, path, faults);
        validate_extensions(schema, path, faults);
    }
    let inner = |level: Level| if level == Level::Logic { Level::Logic } else { Level::Field };
    for (name, property) in objects(schema, "properties") {
        let path = format!("{path}.properties[{name}]");
        validate_node(property, inner(level), &path, depth + 1, faults);
    }
    if let Some(items) = get_object(schema, "items") {
        let level = if level == Level::Logic { Level::Logic } else { Level::Item };
        validate_node(items, level, &join(path, "items"), depth + 1, faults);
    }
    if let Some(values) = get_object(schema, "additionalProperties") {
        validate_node(values, inner(level), &join(path, "additionalProperties"), depth + 1, faults);
    }
    for list in LOGIC {
        for (at, branch) in crate::fields::items(schema, list).enumerate() {
            validate_node(branch, Level::Logic, &format!("{path}.{list}[{at}]"), depth + 1, faults);
        }
    }
    if let Some(not) = get_object(schema, "not") {
        validate_node(not, Level::Logic, &join(path, "not"), depth + 1, faults);
    }
}

/// What JSON schema has and Kubernetes has not.
fn validate_unsupported(schema: &Object, path: &str, faults: &mut Vec<FieldError>) {
    for field in ["id", "$ref", "additionalItems", "patternProperties", "definitions", "dependencies"] {
        if get(schema, field).is_some_and(|value| !is_empty(value)) {
            faults.push(FieldError::forbidden(join(path, field), format!("{field} is not supported")));
        }
    }
    if truth(schema, "uniqueItems") {
        let detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        faults.push(FieldError::forbidden(join(path, "uniqueItems"), detail));
    }
    if text(schema, "type") == "null" {
        let detail = "type cannot be set to null, use nullable as an alternative";
        faults.push(FieldError::forbidden(join(path, "type"), detail));
    }
    if matches!(get(schema, "items"), Some(Value::Array(_))) {
        let detail = "items must be a schema object and not an array";
        faults.push(FieldError::forbidden(join(path, "items"), detail));
    }
    let has_properties = get_object(schema, "properties").is_some_and(|properties| !properties.is_empty());
    let limits_others = get(schema, "additionalProperties").is_some_and(|others| *others != Value::Bool(true));
    if has_properties && limits_others {
        let detail = "additionalProperties and properties are mutual exclusive";
        faults.push(FieldError::forbidden(join(path, "additionalProperties"), detail));
    }
    if text(schema, "type") == "array" && get(schema, "items").is_none() {
        faults.push(FieldError::required(join(path, "items"), "must be specified"));
    }
}

fn validate_type(schema: &Object, level: Level, path: &str, faults: &mut Vec<FieldError>) {
    let path_of_type = join(path, "type");
    let kind = text(schema, "type");
    let is_free = truth(schema, "x-kubernetes-int-or-string") || truth(schema, "x-kubernetes-preserve-unknown-fields");
    match (kind, level) {
        ("", Level::Root) => faults.push(FieldError::required(path_of_type, "must not be empty at the root")),
        ("", _) if is_free => {}
        ("", Level::Item) => {
            faults.push(FieldError::required(path_of_type, "must not be empty for specified array items"));
        }
        ("", _) => {
            faults.push(FieldError::required(path_of_type, "must not be empty for specified object fields"));
        }
        ("object", _) | ("null", _) => {}
        (other, Level::Root) => faults.push(FieldError::invalid(path_of_type, other, "must be object at the root")),
        (known, _) if TYPES.contains(&known) => {}
        (other, _) => faults.push(FieldError::not_supported(path_of_type, other, &TYPES)),
    }
    if !kind.is_empty() && truth(schema, "x-kubernetes-int-or-string") {
        let detail = "must be empty if x-kubernetes-int-or-string is true";
        faults.push(FieldError::invalid(join(path, "type"), kind, detail));
    }
}

/// The `x-kubernetes-*` of a schema.
fn validate_extensions(schema: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let preserve = "x-kubernetes-preserve-unknown-fields";
    if get(schema, preserve) == Some(&Value::Bool(false)) {
        faults.push(FieldError::invalid(join(path, preserve), false, "must be true or undefined"));
    }
    if truth(schema, "x-kubernetes-embedded-resource") {
        let kind = text(schema, "type");
        if kind != "object" {
            let detail = "must be object if x-kubernetes-embedded-resource is true";
            faults.push(FieldError::invalid(join(path, "type"), kind, detail));
        }
        if !truth(schema, preserve) && get_object(schema, "properties").is_none_or(Object::is_empty) {
            let detail = "must not be empty if x-kubernetes-embedded-resource is true without \
                          x-kubernetes-preserve-unknown-fields";
            faults.push(FieldError::required(join(path, "properties"), detail));
        }
    }
    validate_list_type(schema, path, faults);
    let map_type = "x-kubernetes-map-type";
    match text(schema, map_type) {
        "" => {}
        "atomic" | "granular" if text(schema, "type") == "object" => {}
        "atomic" | "granular" => {
            let detail = "must be object if x-kubernetes-map-type is specified";
            faults.push(FieldError::invalid(join(path, "type"), text(schema, "type"), detail));
        }
        other => faults.push(FieldError::not_supported(join(path, map_type), other, &["atomic", "granular"])),
    }
    for (at, rule) in crate::fields::items(schema, "x-kubernetes-validations").enumerate() {
        if text(rule, "rule").trim().is_empty() {
            let path = format!("{path}.x-kubernetes-validations[{at}].rule");
            faults.push(FieldError::required(path, "rule is not specified"));
        }
    }
}

fn validate_list_type(schema: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let (list_type, keys) = ("x-kubernetes-list-type", "x-kubernetes-list-map-keys");
    let kind = text(schema, list_type);
    let has_keys = !get_array(schema, keys).is_empty();
    if !kind.is_empty() && text(schema, "type") != "array" {
        let detail = "must be array if x-kubernetes-list-type is specified";
        faults.push(FieldError::invalid(join(path, "type"), text(schema, "type"), detail));
    }
    match kind {
        "" | "atomic" | "set" | "map" => {}
        other => {
            faults.push(FieldError::not_supported(join(path, list_type), other, &["atomic", "map", "set"]));
        }
    }
    if has_keys && kind != "map" {
        let detail = "must be map if x-kubernetes-list-map-keys is non-empty";
        match kind {
            "" => faults.push(FieldError::required(join(path, list_type), detail)),
            _ => faults.push(FieldError::invalid(join(path, list_type), kind, detail)),
        }
    }
    if kind != "map" {
        return;
    }
    if !has_keys {
        let detail = "must not be empty if x-kubernetes-list-type is map";
        faults.push(FieldError::required(join(path, keys), detail));
    }
    for (at, key) in texts(schema, keys).enumerate() {
        if get_object(schema, "items.properties").is_none_or(|properties| !properties.contains_key(key)) {
            let detail = "entries must all be names of item properties";
            faults.push(FieldError::invalid(format!("{path}.{keys}[{at}]"), key, detail));
        }
    }
}

/// Logic says nothing of structure.
fn validate_logic(schema: &Object, path: &str, faults: &mut Vec<FieldError>) {
    for field in ["type", "title", "description", "default", "additionalProperties"] {
        if get(schema, field).is_some_and(|value| !is_empty(value)) {
            faults.push(FieldError::forbidden(join(path, field), "must be empty to be structural"));
        }
    }
    if truth(schema, "nullable") {
        faults.push(FieldError::forbidden(join(path, "nullable"), "must be false to be structural"));
    }
    for field in
        ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string"]
    {
        if truth(schema, field) {
            faults.push(FieldError::forbidden(join(path, field), "must be false to be structural"));
        }
    }
}

fn objects<'a>(schema: &'a Object, field: &str) -> impl Iterator<Item = (&'a String, &'a Object)> + use<'a> {
    get_object(schema, field).into_iter().flatten().filter_map(|(name, value)| Some((name, value.as_object()?)))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::object;

    #[track_caller]
    fn check(schema: Value, expected: &[&str]) {
        let mut faults = Vec::new();
        validate(&object(schema), "s", &mut faults);
        let faults: Vec<String> = faults.iter().map(FieldError::to_string).collect();
        assert_eq!(faults, expected);
    }

    #[test]
    fn every_field_has_a_type() {
        check(json!({}), &["s.type: Required value: must not be empty at the root"]);
        check(json!({"type": "string"}), &[r#"s.type: Invalid value: "string": must be object at the root"#]);
        check(
            json!({"type": "object", "properties": {
                "a": {},
                "b": {"type": "array", "items": {}},
                "c": {"type": "array"},
                "d": {"x-kubernetes-int-or-string": true},
                "e": {"x-kubernetes-preserve-unknown-fields": true},
                "f": {"type": "text"},
            }}),
            &[
                "s.properties[a].type: Required value: must not be empty for specified object fields",
                "s.properties[b].items.type: Required value: must not be empty for specified array items",
                "s.properties[c].items: Required value: must be specified",
                r#"s.properties[f].type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string""#,
            ],
        );
    }

    #[test]
    fn logic_narrows_values_and_says_nothing_of_structure() {
        check(
            json!({"type": "object", "properties": {"a": {"type": "integer", "anyOf": [{"minimum": 1}, {"type": "integer", "nullable": true}]}},
                "not": {"description": "x", "properties": {"a": {"default": 1}}}}),
            &[
                "s.properties[a].anyOf[1].type: Forbidden: must be empty to be structural",
                "s.properties[a].anyOf[1].nullable: Forbidden: must be false to be structural",
                "s.not.description: Forbidden: must be empty to be structural",
                "s.not.properties[a].default: Forbidden: must be empty to be structural",
            ],
        );
    }

    #[test]
    fn what_json_schema_has_beyond_is_refused() {
        check(
            json!({"type": "object", "$ref": "#/x", "uniqueItems": true, "properties": {"a": {"type": "null"}},
                "additionalProperties": {"type": "string"}, "definitions": {"x": {}}, "patternProperties": {}}),
            &[
                "s.$ref: Forbidden: $ref is not supported",
                "s.definitions: Forbidden: definitions is not supported",
                "s.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
                "s.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
                "s.properties[a].type: Forbidden: type cannot be set to null, use nullable as an alternative",
            ],
        );
    }

    #[test]
    fn lists_of_keyed_items_name_their_keys() {
        let list = |kind: &str, keys: Value| {
            json!({"type": "object", "properties": {"l": {
                "type": "array", "x-kubernetes-list-type": kind, "x-kubernetes-list-map-keys": keys,
                "items": {"type": "object", "properties": {"name": {"type": "string"}}}}}})
        };
        check(list("map", json!(["name"])), &[]);
        check(
            list("map", json!(["port"])),
            &[
                r#"s.properties[l].x-kubernetes-list-map-keys[0]: Invalid value: "port": entries must all be names of item properties"#,
            ],
        );
        check(
            list("map", json!([])),
            &[
                "s.properties[l].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
            ],
        );
        check(
            list("set", json!(["name"])),
            &[
                r#"s.properties[l].x-kubernetes-list-type: Invalid value: "set": must be map if x-kubernetes-list-map-keys is non-empty"#,
            ],
        );
    }
}
