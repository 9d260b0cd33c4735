//! Labels, annotations and label selectors, wherever in an object they stand.

use serde_json::{Map, Value};

use crate::error::FieldError;
use crate::fields::{get_array, get_object, invalid_all, items, join, text};
use crate::kind::Object;
use crate::names;

/// The size of all annotations together, keys and values.
pub const MAX_ANNOTATIONS_BYTES: usize = 256 * 1024;

pub fn validate_labels(labels: &Map<String, Value>, path: &str, faults: &mut Vec<FieldError>) {
    for (key, value) in labels {
        let value = value.as_str().unwrap_or("");
        invalid_all(path, key, names::qualified_name(key), faults);
        invalid_all(path, value, names::label_value(value), faults);
    }
}

pub fn validate_annotations(annotations: &Map<String, Value>, path: &str, faults: &mut Vec<FieldError>) {
    let mut bytes = 0;
    for (key, value) in annotations {
        // Keys are checked in lower case: upper case was allowed in prefixes once.
        invalid_all(path, key, names::qualified_name(&key.to_lowercase()), faults);
        bytes += key.len() + value.as_str().unwrap_or("").len();
    }
    if bytes > MAX_ANNOTATIONS_BYTES {
        faults.push(FieldError::too_long(path, MAX_ANNOTATIONS_BYTES));
    }
}

/// Whether a selector's requirement has one of the operators that ask about a set, and if so, checks
/// that there is one where there must be.
pub(crate) fn check_set_operator(requirement: &Object, path: &str, faults: &mut Vec<FieldError>) -> bool {
    let has_values = !get_array(requirement, "values").is_empty();
    match text(requirement, "operator") {
        "In" | "NotIn" if !has_values => {
            let detail = "must be specified when `operator` is 'In' or 'NotIn'";
            faults.push(FieldError::required(join(path, "values"), detail));
        }
        "Exists" | "DoesNotExist" if has_values => {
            let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            faults.push(FieldError::forbidden(join(path, "values"), detail));
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        _ => return false,
    }
    true
}

/// A structured label selector.
pub fn validate_selector(selector: &Object, path: &str, faults: &mut Vec<FieldError>) {
    if let Some(labels) = get_object(selector, "matchLabels") {
        validate_labels(labels, &join(path, "matchLabels"), faults);
    }
    for (at, requirement) in items(selector, "matchExpressions").enumerate() {
        let path = format!("{path}.matchExpressions[{at}]");
        let values = get_array(requirement, "values");
        if !check_set_operator(requirement, &path, faults) {
            let operator = text(requirement, "operator");
            faults.push(FieldError::invalid(join(&path, "operator"), operator, "not a valid selector operator"));
        }
        let key = text(requirement, "key");
        invalid_all(&join(&path, "key"), key, names::qualified_name(key), faults);
        for (at, value) in values.iter().filter_map(Value::as_str).enumerate() {
            invalid_all(&format!("{path}.values[{at}]"), value, names::label_value(value), faults);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn labels_and_annotations_are_bounded() {
        let mut faults = Vec::new();
        validate_labels(json!({"-a": "b c"}).as_object().unwrap(), "spec.labels", &mut faults);
        let faults: Vec<String> = faults.iter().map(FieldError::to_string).collect();
        assert_eq!(faults.len(), 2);
        assert!(faults[0].starts_with(r#"spec.labels: Invalid value: "-a": name part must consist of"#));
        assert!(faults[1].starts_with(r#"spec.labels: Invalid value: "b c": a valid label must be"#));
        let mut faults = Vec::new();
        let big = json!({"A.b/c": "x".repeat(MAX_ANNOTATIONS_BYTES)});
        validate_annotations(big.as_object().unwrap(), "annotations", &mut faults);
        assert_eq!(faults[0].to_string(), "annotations: Too long: may not be more than 262144 bytes");
    }
}
