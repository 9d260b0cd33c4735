//! Annotations that keep what one of two versions has no field for.

use serde_json::Value;

use crate::fields::{get_object, object_at, object_mut};
use crate::kind::Object;

pub(super) fn put(object: &mut Object, key: &str, text: impl Into<String>) {
    let annotations = object_at(object_at(object, "metadata"), "annotations");
    annotations.insert(key.to_owned(), Value::String(text.into()));
}

pub(super) fn has(object: &Object, key: &str) -> bool {
    get_object(object, "metadata.annotations").is_some_and(|annotations| annotations.contains_key(key))
}

/// The annotation, which is gone afterwards.
pub(super) fn take(object: &mut Object, key: &str) -> Option<String> {
    let metadata = object_mut(object, "metadata")?;
    let annotations = object_mut(metadata, "annotations")?;
    let taken = annotations.shift_remove(key)?;
    if annotations.is_empty() {
        metadata.shift_remove("annotations");
    }
    taken.as_str().map(str::to_owned)
}
