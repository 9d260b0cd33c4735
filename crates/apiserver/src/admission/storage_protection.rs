//! Claims and volumes do not vanish while something uses them: a finalizer holds them until the
//! protection controllers have looked.

use async_trait::async_trait;
use registry::Object;
use serde_json::{Value, json};

use super::{Attributes, Operation, Plugin, Reservation};
use crate::metadata;
use crate::status::ApiError;

pub(super) struct StorageObjectInUseProtection;

#[async_trait]
impl Plugin for StorageObjectInUseProtection {
    fn name(&self) -> &'static str {
        "StorageObjectInUseProtection"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.operation == Operation::Create && finalizer(attributes).is_some()
    }

    async fn admit(&self, attributes: &Attributes<'_>, object: &mut Object) -> Result<Option<Reservation>, ApiError> {
        if let Some(finalizer) = finalizer(attributes) {
            protect(object, finalizer);
        }
        Ok(None)
    }
}

fn finalizer(attributes: &Attributes<'_>) -> Option<&'static str> {
    if attributes.is("", "persistentvolumeclaims", "") {
        Some("kubernetes.io/pvc-protection")
    } else if attributes.is("", "persistentvolumes", "") {
        Some("kubernetes.io/pv-protection")
    } else {
        None
    }
}

fn protect(object: &mut Object, finalizer: &str) {
    if metadata::finalizers(object).any(|present| present == finalizer) {
        return;
    }
    let finalizers = metadata::of(object).entry("finalizers").or_insert_with(|| json!([]));
    match finalizers {
        Value::Array(finalizers) => finalizers.push(Value::from(finalizer)),
        other => *other = json!([finalizer]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finalizer_is_added_once_behind_those_of_others() {
        let mut claim = Object::from_iter([("metadata".to_owned(), json!({"finalizers": ["example.com/x"]}))]);
        for _ in 0..2 {
            protect(&mut claim, "kubernetes.io/pvc-protection");
            assert_eq!(claim["metadata"]["finalizers"], json!(["example.com/x", "kubernetes.io/pvc-protection"]));
        }
    }
}
