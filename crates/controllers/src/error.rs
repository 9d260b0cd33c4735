//! Why a reconciliation failed.

use std::path::PathBuf;

use api::NamespacedName;
use api::quantity::ParseQuantityError;
use api::selector::SelectorError;
use client::{CallError, ClientError};

use crate::cidr::ParseCidrError;
use crate::csr::CsrError;
use crate::csrsigning::SigningError;
use crate::disruption::ScaleError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ReconcileError {
    #[error("cannot {action} {object}")]
    Call {
        /// A verb and a kind: `create pod`.
        action: &'static str,
        object: String,
        #[source]
        source: CallError,
    },
    #[error("the selector cannot be read")]
    Selector(#[from] SelectorError),
    #[error("the pod range cannot be read")]
    Cidr(#[from] ParseCidrError),
    #[error("some content of {namespace} remains")]
    ContentRemains { namespace: NamespacedName },
    #[error("no resource of kind {kind} in group {group:?} is known")]
    UnknownKind { group: String, kind: String },
    #[error("an amount cannot be read")]
    Quantity(#[from] ParseQuantityError),
    #[error("the claim's volume is claimed by {claimed_by}")]
    VolumeClaimed { claimed_by: String },
    #[error("PVC {claim} was not created for pod {pod} (pod is not owner)")]
    ForeignClaim { claim: NamespacedName, pod: NamespacedName },
    #[error("the pods' owners cannot be read")]
    Scale(#[from] ScaleError),
    #[error("the certificate cannot be issued")]
    Signing(#[from] SigningError),
    #[error("the request cannot be signed")]
    Csr(#[from] CsrError),
    #[error("an object cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    #[error("the folder {folder:?} cannot be made or removed")]
    Folder {
        folder: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the claim {claim} is being deleted")]
    ClaimGoing { claim: NamespacedName },
    #[error("the owner {owner} was deleted and made again, or is going")]
    OwnerReplaced { owner: NamespacedName },
}

impl ReconcileError {
    /// The failed call, where a call failed.
    pub(crate) fn call(&self) -> Option<&CallError> {
        match self {
            ReconcileError::Call { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Says of a failed call what it was to do.
pub(crate) trait During<T> {
    fn during(self, action: &'static str, object: impl std::fmt::Display) -> Result<T, ReconcileError>;
}

impl<T> During<T> for Result<T, CallError> {
    fn during(self, action: &'static str, object: impl std::fmt::Display) -> Result<T, ReconcileError> {
        self.map_err(|source| ReconcileError::Call { action, object: object.to_string(), source })
    }
}

impl<T> During<T> for Result<T, ClientError> {
    fn during(self, action: &'static str, object: impl std::fmt::Display) -> Result<T, ReconcileError> {
        self.map_err(CallError::from).during(action, object)
    }
}

/// Takes "it is gone already" for success: the aim is reached.
pub(crate) fn unless_gone<T>(result: Result<T, ClientError>) -> Result<(), CallError> {
    match result.map_err(CallError::from) {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}
