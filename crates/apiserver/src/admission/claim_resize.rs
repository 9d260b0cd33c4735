//! A claim grows only where its class says that volumes may.

use api::Quantity;
use async_trait::async_trait;
use registry::Object;
use registry::fields::{get_bool, get_str, text};
use serde_json::Value;

use super::default_storage_class::CLASS_ANNOTATION;
use super::{Attributes, Operation, Plugin};
use crate::kinds;
use crate::metadata;
use crate::status::ApiError;

pub(super) struct PersistentVolumeClaimResize;

#[async_trait]
impl Plugin for PersistentVolumeClaimResize {
    fn name(&self) -> &'static str {
        "PersistentVolumeClaimResize"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.is("", "persistentvolumeclaims", "") && attributes.operation == Operation::Update
    }

    async fn validate(&self, attributes: &Attributes<'_>, object: Option<&Object>) -> Result<(), ApiError> {
        let (Some(claim), Some(old)) = (object, attributes.old) else { return Ok(()) };
        if requested(claim) <= requested(old) {
            return Ok(());
        }
        if text(old, "status.phase") != "Bound" {
            return Err(attributes.forbidden("Only bound persistent volume claims can be expanded"));
        }
        let class = class(claim);
        if class.is_empty() || class != self::class(old) || !may_grow(attributes, class).await? {
            let why = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc \
                       must support resize";
            return Err(attributes.forbidden(why));
        }
        Ok(())
    }
}

fn requested(claim: &Object) -> Quantity {
    let storage = get_str(claim, "spec.resources.requests.storage");
    storage.and_then(|storage| storage.parse().ok()).unwrap_or(Quantity::ZERO)
}

/// The claim's class: the annotation, which is older than the field, counts first.
pub(super) fn class(claim: &Object) -> &str {
    let annotation = metadata::map(claim, "annotations").and_then(|map| map.get(CLASS_ANNOTATION));
    annotation.and_then(Value::as_str).unwrap_or_else(|| text(claim, "spec.storageClassName"))
}

async fn may_grow(attributes: &Attributes<'_>, class: &str) -> Result<bool, ApiError> {
    let classes = kinds::required("storage.k8s.io", "v1", "storageclasses");
    let class = attributes.call.server.storage.object(classes, "", class).await?;
    Ok(class.is_some_and(|class| get_bool(&class, "allowVolumeExpansion").unwrap_or(false)))
}
