//! A claim that names no class gets the default one.

use async_trait::async_trait;
use registry::Object;
use registry::fields::{get, object_at};
use serde_json::Value;

use super::{Attributes, Operation, Plugin, Reservation, defaults_by_class};
use crate::kinds;
use crate::metadata;
use crate::status::ApiError;

pub(super) const CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";
const DEFAULT_ANNOTATIONS: [&str; 2] =
    ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

pub(super) struct DefaultStorageClass;

#[async_trait]
impl Plugin for DefaultStorageClass {
    fn name(&self) -> &'static str {
        "DefaultStorageClass"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.is("", "persistentvolumeclaims", "") && attributes.operation == Operation::Create
    }

    async fn admit(&self, attributes: &Attributes<'_>, object: &mut Object) -> Result<Option<Reservation>, ApiError> {
        if names_class(object) {
            return Ok(None);
        }
        let classes = kinds::required("storage.k8s.io", "v1", "storageclasses");
        if let Some(name) = defaults_by_class::default_class(attributes, classes, &DEFAULT_ANNOTATIONS).await? {
            object_at(object, "spec").insert("storageClassName".to_owned(), Value::from(name));
        }
        Ok(None)
    }
}

/// An empty name is a name too: that of no class.
fn names_class(claim: &Object) -> bool {
    let annotated = metadata::map(claim, "annotations").is_some_and(|map| map.contains_key(CLASS_ANNOTATION));
    annotated || get(claim, "spec.storageClassName").is_some_and(|name| !name.is_null())
}
