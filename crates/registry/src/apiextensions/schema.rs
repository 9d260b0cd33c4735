//! Schemas of custom resources: structural ones, in upstream's sense. Every field has one type, said once
//! and outside of the logic (`allOf`, `anyOf`, `oneOf`, `not`), which may only narrow values down.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::FieldError;
use crate::fields::{get, get_array, get_object, get_str, join, text, texts, truth, value};
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
const REASONS: [&str; 4] = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];
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
            if !tells_int_or_string(schema, list, at) {
                validate_node(branch, Level::Logic, &format!("{path}.{list}[{at}]"), depth + 1, faults);
            }
        }
    }
    if let Some(not) = get_object(schema, "not") {
        validate_node(not, Level::Logic, &join(path, "not"), depth + 1, faults);
    }
}

/// Whether a branch belongs to the one pattern in which logic may name types: a number or a text, for readers
/// of schemas that do not know `x-kubernetes-int-or-string`.
fn tells_int_or_string(schema: &Object, list: &str, at: usize) -> bool {
    let is_pattern = |schema: &Object| {
        let types = crate::fields::items(schema, "anyOf").map(|branch| (branch.len(), text(branch, "type")));
        types.eq([(1, "integer"), (1, "string")])
    };
    let is_first_of_all = || crate::fields::items(schema, "allOf").next().is_some_and(is_pattern);
    truth(schema, "x-kubernetes-int-or-string")
        && match list {
            "anyOf" => is_pattern(schema),
            "allOf" => at == 0 && is_first_of_all(),
            _ => false,
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
    if let Some(kind) = get_str(schema, map_type) {
        check_type_for(schema, "object", map_type, path, faults);
        if !["atomic", "granular"].contains(&kind) {
            faults.push(FieldError::not_supported(join(path, map_type), kind, &["atomic", "granular"]));
        }
    }
    for (at, rule) in crate::fields::items(schema, "x-kubernetes-validations").enumerate() {
        validate_rule(rule, &format!("{path}.x-kubernetes-validations[{at}]"), faults);
    }
}

/// An extension that goes with one type alone.
fn check_type_for(schema: &Object, wanted: &str, extension: &str, path: &str, faults: &mut Vec<FieldError>) {
    let detail = format!("must be {wanted} if {extension} is specified");
    match text(schema, "type") {
        kind if kind == wanted => {}
        "" => faults.push(FieldError::required(join(path, "type"), detail)),
        other => faults.push(FieldError::invalid(join(path, "type"), other, detail)),
    }
}

/// An expression that values must fulfil. It is not compiled here.
fn validate_rule(rule: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let (expression, message) = (text(rule, "rule").trim(), text(rule, "message"));
    let has_lines = |text: &str| text.contains(['\n', '\r']);
    if expression.is_empty() {
        faults.push(FieldError::required(join(path, "rule"), "rule is not specified"));
    } else if !message.is_empty() && message.trim().is_empty() {
        faults.push(FieldError::invalid(join(path, "message"), message, "message must be non-empty if specified"));
    } else if has_lines(message.trim()) {
        faults.push(FieldError::invalid(join(path, "message"), message, "message must not contain line breaks"));
    } else if has_lines(expression) && message.is_empty() {
        let detail = "message must be specified if rule contains line breaks";
        faults.push(FieldError::required(join(path, "message"), detail));
    }
    let message_expression = text(rule, "messageExpression");
    if !message_expression.is_empty() && message_expression.trim().is_empty() {
        let detail = "messageExpression must be non-empty if specified";
        faults.push(FieldError::required(join(path, "messageExpression"), detail));
    }
    if let Some(reason) = get_str(rule, "reason").filter(|reason| !REASONS.contains(reason)) {
        faults.push(FieldError::not_supported(join(path, "reason"), reason, &REASONS));
    }
}

fn validate_list_type(schema: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let (list_type, keys) = ("x-kubernetes-list-type", "x-kubernetes-list-map-keys");
    let kind = get_str(schema, list_type);
    if let Some(kind) = kind {
        check_type_for(schema, "array", list_type, path, faults);
        if kind == "set" && text(schema, "type") == "array" {
            validate_set_items(schema, path, faults);
        }
        if !["atomic", "set", "map"].contains(&kind) {
            faults.push(FieldError::not_supported(join(path, list_type), kind, &["atomic", "set", "map"]));
        }
    }
    if !get_array(schema, keys).is_empty() && kind != Some("map") {
        let detail = "must be map if x-kubernetes-list-map-keys is non-empty";
        faults.push(match kind {
            None => FieldError::required(join(path, list_type), detail),
            Some(kind) => FieldError::invalid(join(path, list_type), kind, detail),
        });
    }
    if kind == Some("map") {
        validate_map_keys(schema, keys, path, faults);
    }
}

/// Items of a set are compared as a whole.
fn validate_set_items(schema: &Object, path: &str, faults: &mut Vec<FieldError>) {
    const DETAIL: &str = "must be atomic as item of a list with x-kubernetes-list-type=set";
    let Some(item) = get_object(schema, "items") else { return };
    let (extension, is_whole) = match text(item, "type") {
        "array" => ("x-kubernetes-list-type", matches!(text(item, "x-kubernetes-list-type"), "" | "atomic")),
        "object" => ("x-kubernetes-map-type", text(item, "x-kubernetes-map-type") == "atomic"),
        _ => return,
    };
    if !is_whole {
        let shown = value(item, "x-kubernetes-list-type");
        faults.push(FieldError::invalid(format!("{path}.items.{extension}"), shown, DETAIL));
    }
}

/// Keys are scalars of the items, each named once.
fn validate_map_keys(schema: &Object, keys: &str, path: &str, faults: &mut Vec<FieldError>) {
    if get_array(schema, keys).is_empty() {
        let detail = "must not be empty if x-kubernetes-list-type is map";
        faults.push(FieldError::required(join(path, keys), detail));
    }
    let Some(item) = get_object(schema, "items") else {
        let detail = "must have a schema if x-kubernetes-list-type is map";
        faults.push(FieldError::required(join(path, "items"), detail));
        return;
    };
    if text(item, "type") != "object" {
        let detail = "must be object if parent array's x-kubernetes-list-type is map";
        faults.push(FieldError::invalid(join(path, "items.type"), text(item, "type"), detail));
        return;
    }
    let properties = get_object(item, "properties");
    let mut seen = BTreeSet::new();
    for key in texts(schema, keys) {
        let property = properties.and_then(|properties| properties.get(key)).and_then(Value::as_object);
        match property.map(|property| text(property, "type")) {
            None => {
                let detail = "entries must all be names of item properties";
                faults.push(FieldError::invalid(join(path, keys), value(schema, keys), detail));
            }
            Some("array" | "object") => {
                let path = format!("{path}.items.properties[{key}].type");
                let detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
                faults.push(FieldError::invalid(path, "object", detail));
            }
            Some(_) => {}
        }
        if !seen.insert(key) {
            let detail = "must not contain duplicate entries";
            faults.push(FieldError::invalid(join(path, keys), value(schema, keys), detail));
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
    fn a_number_or_a_text_may_be_told_to_readers_of_schemas() {
        let either = json!([{"type": "integer"}, {"type": "string"}]);
        let port = |logic: Value| {
            let mut port = logic;
            port["x-kubernetes-int-or-string"] = json!(true);
            json!({"type": "object", "properties": {"port": port}})
        };
        check(port(json!({"anyOf": either})), &[]);
        check(port(json!({"allOf": [{"anyOf": either}, {"pattern": "x"}]})), &[]);
        check(
            port(json!({"oneOf": either})),
            &[
                "s.properties[port].oneOf[0].type: Forbidden: must be empty to be structural",
                "s.properties[port].oneOf[1].type: Forbidden: must be empty to be structural",
            ],
        );
    }

    #[test]
    fn a_rule_says_something() {
        check(
            json!({"type": "object", "x-kubernetes-validations": [
                {"rule": " "}, {"rule": "a\nb"}, {"rule": "a", "message": "b\nc", "reason": "Why"}]}),
            &[
                "s.x-kubernetes-validations[0].rule: Required value: rule is not specified",
                "s.x-kubernetes-validations[1].message: Required value: message must be specified if rule contains line breaks",
                r#"s.x-kubernetes-validations[2].message: Invalid value: "b\nc": message must not contain line breaks"#,
                r#"s.x-kubernetes-validations[2].reason: Unsupported value: "Why": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired""#,
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
                r#"s.properties[l].x-kubernetes-list-map-keys: Invalid value: ["port"]: entries must all be names of item properties"#,
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
                r#"s.properties[l].items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set"#,
                r#"s.properties[l].x-kubernetes-list-type: Invalid value: "set": must be map if x-kubernetes-list-map-keys is non-empty"#,
            ],
        );
    }
}
