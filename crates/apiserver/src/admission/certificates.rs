//! Certificates: who signs for a signer and who vouches for its roots needs the right to, and no
//! client certificate makes its holder a member of `system:masters`.

use async_trait::async_trait;
use registry::Object;
use registry::certificates::request::CertificateRequest;
use registry::fields::{get, text};

use super::{Attributes, Operation, Plugin};
use crate::auth::MASTERS;
use crate::authorize;
use crate::status::ApiError;

const GROUP: &str = "certificates.k8s.io";
const REQUESTS: &str = "certificatesigningrequests";
const CLIENT_SIGNER: &str = "kubernetes.io/kube-apiserver-client";

/// Who writes a certificate, or says it failed, must be allowed to sign for the request's signer.
pub(super) struct CertificateSigning;

#[async_trait]
impl Plugin for CertificateSigning {
    fn name(&self) -> &'static str {
        "CertificateSigning"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.is(GROUP, REQUESTS, "status") && attributes.operation == Operation::Update
    }

    async fn validate(&self, attributes: &Attributes<'_>, object: Option<&Object>) -> Result<(), ApiError> {
        let (Some(request), Some(old)) = (object, attributes.old) else { return Ok(()) };
        let is_same = |path: &str| get(request, path) == get(old, path);
        if is_same("status.certificate") && is_same("status.conditions") {
            return Ok(());
        }
        let signer = text(old, "spec.signerName");
        if authorize::allows_signer(attributes.call, "sign", signer).await? {
            return Ok(());
        }
        Err(attributes.forbidden(&format!("user not permitted to sign requests with signerName {signer:?}")))
    }
}

/// Nobody asks for a client certificate that no role could ever take power from.
pub(super) struct CertificateSubjectRestriction;

#[async_trait]
impl Plugin for CertificateSubjectRestriction {
    fn name(&self) -> &'static str {
        "CertificateSubjectRestriction"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.is(GROUP, REQUESTS, "") && attributes.operation == Operation::Create
    }

    async fn validate(&self, attributes: &Attributes<'_>, object: Option<&Object>) -> Result<(), ApiError> {
        let Some(request) = object.filter(|request| text(request, "spec.signerName") == CLIENT_SIGNER) else {
            return Ok(());
        };
        let asked = CertificateRequest::read(text(request, "spec.request"))
            .map_err(|error| attributes.forbidden(&format!("failed to parse CSR: {error}")))?;
        if asked.organizations.iter().any(|organization| organization == MASTERS) {
            let why = format!("use of {CLIENT_SIGNER} signer with {MASTERS} group is not allowed");
            return Err(attributes.forbidden(&why));
        }
        Ok(())
    }
}

/// Who publishes the roots of a signer must be allowed to vouch for it.
pub(super) struct ClusterTrustBundleAttest;

#[async_trait]
impl Plugin for ClusterTrustBundleAttest {
    fn name(&self) -> &'static str {
        "ClusterTrustBundleAttest"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.is(GROUP, "clustertrustbundles", "") && attributes.operation != Operation::Delete
    }

    async fn validate(&self, attributes: &Attributes<'_>, object: Option<&Object>) -> Result<(), ApiError> {
        let Some(bundle) = object else { return Ok(()) };
        // Collecting garbage touches nothing but metadata, and needs no such right.
        let signer = text(bundle, "spec.signerName");
        let unchanged = attributes.old.is_some_and(|old| old.get("spec") == bundle.get("spec"));
        if signer.is_empty() || unchanged || authorize::allows_signer(attributes.call, "attest", signer).await? {
            return Ok(());
        }
        Err(attributes.forbidden(&format!("user not permitted to attest for signerName {signer:?}")))
    }
}
