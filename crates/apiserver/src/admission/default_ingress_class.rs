//! An Ingress that names no class gets the default one.

use async_trait::async_trait;
use registry::Object;
use registry::fields::{get, object_at};
use serde_json::Value;

use super::{Attributes, Operation, Plugin, Reservation, defaults_by_class};
use crate::kinds;
use crate::metadata;
use crate::status::ApiError;

/// How classes were named before the field.
const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";
const DEFAULT_ANNOTATION: &str = "ingressclass.kubernetes.io/is-default-class";

pub(super) struct DefaultIngressClass;

#[async_trait]
impl Plugin for DefaultIngressClass {
    fn name(&self) -> &'static str {
        "DefaultIngressClass"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.is("networking.k8s.io", "ingresses", "") && attributes.operation == Operation::Create
    }

    async fn admit(&self, attributes: &Attributes<'_>, object: &mut Object) -> Result<Option<Reservation>, ApiError> {
        let annotated = metadata::map(object, "annotations").is_some_and(|map| map.contains_key(CLASS_ANNOTATION));
        if annotated || get(object, "spec.ingressClassName").is_some_and(|name| !name.is_null()) {
            return Ok(None);
        }
        let classes = kinds::required("networking.k8s.io", "v1", "ingressclasses");
        if let Some(name) = defaults_by_class::default_class(attributes, classes, &[DEFAULT_ANNOTATION]).await? {
            object_at(object, "spec").insert("ingressClassName".to_owned(), Value::from(name));
        }
        Ok(None)
    }
}
