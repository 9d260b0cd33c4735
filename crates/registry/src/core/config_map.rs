//! ConfigMap.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{get, get_object, invalid_all, truth};
use crate::kind::{Column, Kind, Object, Rules};
use crate::names;

pub static CONFIG_MAP: Kind = Kind {
    kind: "ConfigMap",
    plural: "configmaps",
    singular: "configmap",
    short_names: &["cm"],
    rules: &ConfigMapRules,
    ..Kind::NAMESPACED
};

struct ConfigMapRules;

/// The values of a ConfigMap or a Secret together.
pub(crate) const MAX_DATA_BYTES: usize = 1024 * 1024;

impl Rules for ConfigMapRules {
    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let mut bytes = 0;
        for field in ["data", "binaryData"] {
            for (key, value) in get_object(object, field).into_iter().flatten() {
                let path = format!("{field}[{key}]");
                invalid_all(&path, key, names::config_key(key), &mut faults);
                if field == "data" && get_object(object, "binaryData").is_some_and(|other| other.contains_key(key)) {
                    let detail = "duplicate of key present in binaryData";
                    faults.push(FieldError::invalid(path, key.as_str(), detail));
                }
                let text = value.as_str().unwrap_or("");
                bytes += if field == "data" { text.len() } else { decoded_bytes(text) };
            }
        }
        if bytes > MAX_DATA_BYTES {
            faults.push(FieldError::too_long("[]", MAX_DATA_BYTES));
        }
        if let Some(old) = old {
            check_unchanged(object, old, &["data", "binaryData"], &mut faults);
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[NAME, column("Data", "string", "Data contains the configuration data."), AGE];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let count = |field: &str| get_object(object, field).map_or(0, Object::len);
        vec![columns::name(object), Value::from(count("data") + count("binaryData")), columns::age(object, now)]
    }
}

/// What base64 text comes to, near enough for a limit.
pub(crate) fn decoded_bytes(text: &str) -> usize {
    text.trim_end_matches('=').len() * 3 / 4
}

/// An immutable ConfigMap or Secret stays so, and so does what it holds.
pub(crate) fn check_unchanged(object: &Object, old: &Object, fields: &[&str], faults: &mut Vec<FieldError>) {
    if !truth(old, "immutable") {
        return;
    }
    if !truth(object, "immutable") {
        faults.push(FieldError::forbidden("immutable", "field is immutable when `immutable` is set"));
    }
    for field in fields {
        if get(object, field) != get(old, field) {
            faults.push(FieldError::forbidden(*field, "field is immutable when `immutable` is set"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(new: Value, old: Option<Value>) -> Vec<String> {
        let object = |value: Value| value.as_object().unwrap().clone();
        ConfigMapRules.validate(&object(new), old.map(object).as_ref()).iter().map(FieldError::to_string).collect()
    }

    #[test]
    fn keys_are_checked_and_the_whole_is_bounded() {
        assert_eq!(faults(json!({"data": {"a.b": "x"}}), None), [""; 0]);
        assert!(
            faults(json!({"data": {"a/b": "x"}}), None)[0].starts_with(r#"data[a/b]: Invalid value: "a/b": a valid"#)
        );
        assert_eq!(
            faults(json!({"data": {"a": "x".repeat(MAX_DATA_BYTES + 1)}}), None),
            ["[]: Too long: may not be more than 1048576 bytes"]
        );
    }

    #[test]
    fn an_immutable_map_stays() {
        let old = json!({"immutable": true, "data": {"a": "1"}});
        assert_eq!(faults(old.clone(), Some(old.clone())), [""; 0]);
        assert_eq!(
            faults(json!({"data": {"a": "2"}}), Some(old)),
            [
                "immutable: Forbidden: field is immutable when `immutable` is set",
                "data: Forbidden: field is immutable when `immutable` is set"
            ]
        );
    }
}
