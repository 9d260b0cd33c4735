//! Nothing is made in a namespace that is missing or ending, and the first namespaces stay.

use async_trait::async_trait;
use registry::Object;
use serde_json::Value;

use super::{Attributes, Operation, Plugin};
use crate::kinds;
use crate::status::{ApiError, Subject};

const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

pub(super) struct NamespaceLifecycle;

#[async_trait]
impl Plugin for NamespaceLifecycle {
    fn name(&self) -> &'static str {
        "NamespaceLifecycle"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        match attributes.operation {
            Operation::Create => attributes.kind.is_namespaced(),
            Operation::Delete => attributes.is("", "namespaces", ""),
            Operation::Update => false,
        }
    }

    async fn validate(&self, attributes: &Attributes<'_>, _object: Option<&Object>) -> Result<(), ApiError> {
        if attributes.operation == Operation::Delete {
            return match IMMORTAL.contains(&attributes.name) {
                true => Err(attributes.forbidden("this namespace may not be deleted")),
                false => Ok(()),
            };
        }
        let namespaces = kinds::required("", "v1", "namespaces");
        let namespace = attributes.call.server.storage.object(namespaces, "", attributes.namespace).await?;
        let Some(namespace) = namespace else {
            return Err(ApiError::not_found(Subject::of(namespaces, attributes.namespace)));
        };
        let phase = namespace.get("status").and_then(|status| status.get("phase")).and_then(Value::as_str);
        if phase == Some("Terminating") || crate::metadata::is_deleting(&namespace) {
            let why = format!(
                "unable to create new content in namespace {} because it is being terminated",
                attributes.namespace
            );
            let cause = format!("namespace {} is being terminated", attributes.namespace);
            return Err(attributes.forbidden(&why).with_cause(
                "NamespaceTerminating",
                cause,
                Some("metadata.namespace"),
            ));
        }
        Ok(())
    }
}
