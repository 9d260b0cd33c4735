//! Small readings of an object, for rules that look at many fields.

use serde_json::{Map, Value};

use crate::error::FieldError;
use crate::kind::Object;

pub use api::path::{get, get_array, get_bool, get_i64, get_mut, get_object, get_str, object_at, set, set_default};

/// Text at a path; empty where there is none.
pub fn text<'a>(object: &'a Object, path: &str) -> &'a str {
    get_str(object, path).unwrap_or("")
}

/// A whole number at a path; 0 where there is none.
pub fn number(object: &Object, path: &str) -> i64 {
    get_i64(object, path).unwrap_or(0)
}

pub fn truth(object: &Object, path: &str) -> bool {
    get_bool(object, path).unwrap_or(false)
}

/// The objects of a list, with their places.
pub fn items<'a>(object: &'a Object, path: &str) -> impl Iterator<Item = &'a Object> + use<'a> {
    get_array(object, path).iter().filter_map(Value::as_object)
}

pub fn items_mut<'a>(object: &'a mut Object, path: &str) -> impl Iterator<Item = &'a mut Object> + use<'a> {
    let list = get_mut(object, path).and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(Value::as_object_mut)
}

/// The texts of a list.
pub fn texts<'a>(object: &'a Object, path: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    get_array(object, path).iter().filter_map(Value::as_str)
}

pub fn object_mut<'a>(object: &'a mut Object, path: &str) -> Option<&'a mut Object> {
    get_mut(object, path)?.as_object_mut()
}

/// A condition of a status, by type.
pub fn condition<'a>(object: &'a Object, kind: &str) -> Option<&'a Object> {
    items(object, "status.conditions").find(|condition| text(condition, "type") == kind)
}

pub fn condition_is_true(object: &Object, kind: &str) -> bool {
    condition(object, kind).is_some_and(|condition| text(condition, "status") == "True")
}

/// The text, or `<none>` as tables show nothing.
pub fn or_none(text: &str) -> Value {
    Value::from(if text.is_empty() { "<none>" } else { text })
}

/// Labels as tables show them: `a=b,c=d`, ordered; `<none>` for none.
pub fn format_labels(labels: Option<&Map<String, Value>>) -> String {
    let mut pairs: Vec<String> =
        labels.into_iter().flatten().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or(""))).collect();
    pairs.sort();
    if pairs.is_empty() { "<none>".to_owned() } else { pairs.join(",") }
}

/// A value at a path, or null, for the value of a fault.
pub fn value(object: &Object, path: &str) -> Value {
    get(object, path).cloned().unwrap_or(Value::Null)
}

/// Faults unless there is text at the path.
pub fn check_text(object: &Object, path: &str, prefix: &str, faults: &mut Vec<FieldError>) {
    if text(object, path).is_empty() {
        faults.push(FieldError::required(join(prefix, path), ""));
    }
}

/// Faults unless there is text at the path, and of the form that `rule` asks for.
pub fn check_named(
    object: &Object,
    path: &str,
    rule: fn(&str) -> Vec<String>,
    prefix: &str,
    faults: &mut Vec<FieldError>,
) {
    match text(object, path) {
        "" => faults.push(FieldError::required(join(prefix, path), "")),
        name => invalid_all(&join(prefix, path), name, rule(name), faults),
    }
}

/// Faults unless the list is at most so long.
pub fn check_length(object: &Object, path: &str, limit: usize, prefix: &str, faults: &mut Vec<FieldError>) {
    let length = get_array(object, path).len();
    if length > limit {
        faults.push(FieldError::too_many(join(prefix, path), length, limit));
    }
}

/// Faults unless the number, where there is one, is zero or more.
pub fn check_not_negative(object: &Object, path: &str, prefix: &str, faults: &mut Vec<FieldError>) {
    if let Some(number) = get_i64(object, path).filter(|number| *number < 0) {
        faults.push(FieldError::invalid(join(prefix, path), number, "must be greater than or equal to 0"));
    }
}

/// Faults unless the number, where there is one, is in range.
pub fn check_range(
    object: &Object,
    path: &str,
    range: std::ops::RangeInclusive<i64>,
    prefix: &str,
    faults: &mut Vec<FieldError>,
) {
    if let Some(number) = get_i64(object, path).filter(|number| !range.contains(number)) {
        let detail = format!("must be between {} and {}, inclusive", range.start(), range.end());
        faults.push(FieldError::invalid(join(prefix, path), number, detail));
    }
}

/// Faults unless the text, where there is one, is among those supported (given in order).
pub fn check_supported(object: &Object, path: &str, supported: &[&str], prefix: &str, faults: &mut Vec<FieldError>) {
    if let Some(text) = get_str(object, path).filter(|text| !supported.contains(text)) {
        faults.push(FieldError::not_supported(join(prefix, path), text, supported));
    }
}

/// Faults unless the text is there and among those supported (shown in this order).
pub fn check_choice(object: &Object, path: &str, supported: &[&str], prefix: &str, faults: &mut Vec<FieldError>) {
    match text(object, path) {
        "" => faults.push(FieldError::required(join(prefix, path), "")),
        choice if supported.contains(&choice) => {}
        choice => faults.push(FieldError::not_supported(join(prefix, path), choice, supported)),
    }
}

/// Faults if the path held something else before.
pub fn check_immutable(object: &Object, old: &Object, path: &str, faults: &mut Vec<FieldError>) {
    if get(object, path) != get(old, path) {
        faults.push(FieldError::invalid(path, value(object, path), "field is immutable"));
    }
}

/// `prefix.path`.
pub fn join(prefix: &str, path: &str) -> String {
    if prefix.is_empty() { path.to_owned() } else { format!("{prefix}.{path}") }
}

/// A fault for each complaint about one value.
pub fn invalid_all(path: &str, value: &str, complaints: Vec<String>, faults: &mut Vec<FieldError>) {
    faults.extend(complaints.into_iter().map(|complaint| FieldError::invalid(path, value, complaint)));
}
