//! The annotation of client-side apply: what `kubectl apply` said last, for objects that come from there.

use serde_json::{Map, Value};

use super::compare::compare;
use super::configuration::{field_set, validate};
use super::set::FieldSet;
use crate::Object;
use crate::schema::Type;

const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// All annotations together may hold this much; the annotation yields to that.
const MAX_ANNOTATION_BYTES: usize = 256 * 1024;

/// The manager that kubectl applies under unless told otherwise; others do without the annotation.
pub(super) const KUBECTL: &str = "kubectl";

/// The fields that the live object still holds as client-side apply set them: kubectl may take those over.
pub(super) fn still_applied(live: &Object, api_version: &str, r#type: &'static Type) -> Option<FieldSet> {
    let text = annotations(live)?.get(ANNOTATION)?.as_str().filter(|text| !text.is_empty())?;
    let Ok(Value::Object(applied)) = serde_json::from_str::<Value>(text) else { return None };
    if applied.get("apiVersion").and_then(Value::as_str) != Some(api_version) {
        return None;
    }
    validate(&applied, r#type).ok()?;
    let changed = compare(&applied, live, r#type);
    let since = changed.set().union(&changed.removed);
    Some(field_set(&applied, r#type).difference(&since))
}

/// Brings the annotation of an object that has one up to what was applied now.
pub(super) fn refresh(object: &mut Object, config: &Object) {
    let present = annotations(object).and_then(|annotations| annotations.get(ANNOTATION)).and_then(Value::as_str);
    if present.is_none_or(str::is_empty) {
        return;
    }
    let mut applied = config.clone();
    let metadata = applied.get_mut("metadata").and_then(Value::as_object_mut);
    if let Some(Value::Object(annotations)) = metadata.and_then(|metadata| metadata.get_mut("annotations")) {
        annotations.shift_remove(ANNOTATION);
    }
    let text = format!("{}\n", sorted(&Value::Object(applied)));
    let Some(Value::Object(annotations)) = object.get_mut("metadata").and_then(|of| of.get_mut("annotations")) else {
        return;
    };
    annotations.insert(ANNOTATION.to_owned(), Value::from(text));
    let bytes: usize = annotations.iter().map(|(key, value)| key.len() + value.as_str().map_or(0, str::len)).sum();
    if bytes > MAX_ANNOTATION_BYTES {
        annotations.shift_remove(ANNOTATION);
    }
}

fn annotations(object: &Object) -> Option<&Map<String, Value>> {
    object.get("metadata")?.get("annotations")?.as_object()
}

/// As Go writes maps: by name.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<(&String, &Value)> = object.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            Value::Object(entries.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        scalar => scalar.clone(),
    }
}
