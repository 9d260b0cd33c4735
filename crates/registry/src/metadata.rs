//! Metadata that every kind shares: what the API server checks of it on each write.

use serde_json::{Map, Value};

use crate::error::FieldError;
use crate::fields::{get_array, get_object, invalid_all, items, join, text};
use crate::kind::{Kind, Object};
use crate::names;

/// The size of all annotations together, keys and values.
pub const MAX_ANNOTATIONS_BYTES: usize = 256 * 1024;

/// Faults of an object's metadata at creation.
pub fn validate(object: &Object, kind: &Kind) -> Vec<FieldError> {
    let empty = Object::new();
    let metadata = get_object(object, "metadata").unwrap_or(&empty);
    let mut faults = Vec::new();
    let prefix = text(metadata, "generateName");
    if !prefix.is_empty() {
        let complaints = kind.rules.name_rule().check(prefix, true);
        invalid_all("metadata.generateName", prefix, complaints, &mut faults);
    }
    match text(metadata, "name") {
        "" => faults.push(FieldError::required("metadata.name", "name or generateName is required")),
        name => invalid_all("metadata.name", name, kind.rules.name_rule().check(name, false), &mut faults),
    }
    match (kind.is_namespaced(), text(metadata, "namespace")) {
        (true, "") => faults.push(FieldError::required("metadata.namespace", "")),
        (true, namespace) => {
            invalid_all("metadata.namespace", namespace, names::dns_label(namespace), &mut faults);
        }
        (false, "") => {}
        (false, _) => faults.push(FieldError::forbidden("metadata.namespace", "not allowed on this type")),
    }
    validate_rest(metadata, &mut faults);
    faults
}

/// Faults of an object's metadata as an update leaves it.
pub fn validate_update(object: &Object, old: &Object) -> Vec<FieldError> {
    let empty = Object::new();
    let metadata = get_object(object, "metadata").unwrap_or(&empty);
    let old = get_object(old, "metadata").unwrap_or(&empty);
    let mut faults = Vec::new();
    for field in ["name", "namespace", "uid", "creationTimestamp"] {
        if metadata.get(field) != old.get(field) {
            let value = metadata.get(field).cloned().unwrap_or(Value::Null);
            faults.push(FieldError::invalid(join("metadata", field), value, "field is immutable"));
        }
    }
    validate_rest(metadata, &mut faults);
    faults
}

fn validate_rest(metadata: &Object, faults: &mut Vec<FieldError>) {
    if let Some(labels) = get_object(metadata, "labels") {
        validate_labels(labels, "metadata.labels", faults);
    }
    if let Some(annotations) = get_object(metadata, "annotations") {
        validate_annotations(annotations, "metadata.annotations", faults);
    }
    for (at, finalizer) in get_array(metadata, "finalizers").iter().filter_map(Value::as_str).enumerate() {
        let complaints = names::qualified_name(finalizer);
        invalid_all(&format!("metadata.finalizers[{at}]"), finalizer, complaints, faults);
    }
    validate_owners(metadata, faults);
}

fn validate_owners(metadata: &Object, faults: &mut Vec<FieldError>) {
    let mut controller: Option<&str> = None;
    for (at, owner) in items(metadata, "ownerReferences").enumerate() {
        let path = format!("metadata.ownerReferences[{at}]");
        for (field, detail) in [
            ("apiVersion", "version must not be empty"),
            ("kind", "must not be empty"),
            ("name", "must not be empty"),
            ("uid", "must not be empty"),
        ] {
            if text(owner, field).is_empty() {
                let value = text(owner, field);
                faults.push(FieldError::invalid(join(&path, field), value, detail));
            }
        }
        if owner.get("controller").and_then(Value::as_bool).unwrap_or(false) {
            if let Some(first) = controller {
                let detail = format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {}",
                    text(owner, "name")
                );
                let references = Value::from(get_array(metadata, "ownerReferences"));
                faults.push(FieldError::invalid("metadata.ownerReferences", references, detail));
            }
            controller = Some(text(owner, "name"));
        }
    }
}

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

    fn check(metadata: Value, kind: &Kind) -> Vec<String> {
        let object = Object::from_iter([("metadata".to_owned(), metadata)]);
        validate(&object, kind).iter().map(FieldError::to_string).collect()
    }

    #[test]
    fn names_follow_the_kind() {
        let (pod, service) = (&crate::core::pod::POD, &crate::core::service::SERVICE);
        assert_eq!(check(json!({"name": "1.a", "namespace": "x"}), pod), [""; 0]);
        assert_eq!(check(json!({"name": "1a", "namespace": "x"}), service).len(), 1);
        assert_eq!(
            check(json!({"namespace": "x"}), pod),
            ["metadata.name: Required value: name or generateName is required"]
        );
        let node = &crate::core::node::NODE;
        assert_eq!(
            check(json!({"name": "a", "namespace": "x"}), node),
            ["metadata.namespace: Forbidden: not allowed on this type"]
        );
    }

    #[test]
    fn labels_and_annotations_are_bounded() {
        let pod = &crate::core::pod::POD;
        let faults = check(json!({"name": "a", "namespace": "x", "labels": {"-a": "b c"}}), pod);
        assert_eq!(faults.len(), 2);
        assert!(faults[0].starts_with(r#"metadata.labels: Invalid value: "-a": name part must consist of"#));
        assert!(faults[1].starts_with(r#"metadata.labels: Invalid value: "b c": a valid label must be"#));
        let big = json!({"name": "a", "namespace": "x", "annotations": {"A.b/c": "x".repeat(MAX_ANNOTATIONS_BYTES)}});
        assert_eq!(check(big, pod), ["metadata.annotations: Too long: may not be more than 262144 bytes"]);
    }

    #[test]
    fn an_object_has_one_controller() {
        let owner = |name: &str| json!({"apiVersion": "v1", "kind": "X", "name": name, "uid": "u", "controller": true});
        let metadata = json!({"name": "a", "namespace": "x", "ownerReferences": [owner("p"), owner("q")]});
        assert_eq!(check(metadata, &crate::core::pod::POD).len(), 1);
    }
}
