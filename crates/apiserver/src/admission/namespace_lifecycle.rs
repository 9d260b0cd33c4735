//! Nothing is made in a namespace that is missing or ending, and the first namespaces stay.

use async_trait::async_trait;
use registry::Object;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Attributes, Operation, Plugin, Reservation};
use crate::kinds;
use crate::status::{ApiError, Subject};

const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

pub(super) struct NamespaceLifecycle;

/// What every create in a namespace asks of it.
#[derive(Deserialize)]
struct Namespace {
    metadata: Metadata,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    deletion_timestamp: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
struct Status {
    phase: Option<String>,
}

impl Namespace {
    fn is_ending(&self) -> bool {
        self.metadata.deletion_timestamp.is_some() || self.status.phase.as_deref() == Some("Terminating")
    }
}

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
        match attributes.operation {
            Operation::Delete if IMMORTAL.contains(&attributes.name) => {
                Err(attributes.forbidden("this namespace may not be deleted"))
            }
            _ => Ok(()),
        }
    }

    /// Before all others: what they would look for in the namespace is not there either.
    async fn admit(&self, attributes: &Attributes<'_>, _object: &mut Object) -> Result<Option<Reservation>, ApiError> {
        if attributes.operation != Operation::Create {
            return Ok(None);
        }
        let namespaces = kinds::required("", "v1", "namespaces");
        let found = attributes.call.server.storage.get(namespaces, "", attributes.namespace).await?;
        let Some(found) = found else {
            return Err(ApiError::not_found(Subject::of(namespaces, attributes.namespace)));
        };
        if found.read::<Namespace>()?.is_ending() {
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
        Ok(None)
    }
}
