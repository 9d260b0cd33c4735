//! Issues the certificates that were approved, under the cluster's authority.

use std::time::Duration;

use api::NamespacedName;
use api::k8s::ByteString;
use api::k8s::api::certificates::v1::{CertificateSigningRequest, CertificateSigningRequestCondition};
use api::k8s::apimachinery::pkg::apis::meta::v1::Time;
use api::k8s::jiff::Timestamp;
use client::Client;
use client::kube::Api;
use client::kube::api::PostParams;
use rcgen::{ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use reconcile::{Controller, Informer, Outcome, Reconciler};
use stdx::Ambient;

use crate::Signing;
use crate::context::{Context, on_each};
use crate::csr::{CsrError, Requested, has_certificate, has_condition, may_sign, signable};
use crate::error::{During, ReconcileError};

/// How long certificates live where nobody asks for less.
const LIFETIME: Duration = Duration::from_secs(365 * 24 * 3600);
/// Clocks differ: certificates are of a little earlier.
const BACKDATED: Duration = Duration::from_secs(5 * 60);

pub(crate) async fn run(context: Context) {
    let Some(signing) = context.settings.signing.clone() else { return context.cancel.cancelled().await };
    let requests = context.informers.of::<CertificateSigningRequest>();
    let signer = Signer {
        client: context.client.clone(),
        requests: requests.clone(),
        signing,
        ambient: context.ambient.clone(),
    };
    let controller = Controller::new("certificatesigningrequest-signing-controller", signer, context.ambient.clock);
    let queue = controller.queue();
    on_each(&requests, move |request| {
        if is_to_sign(request) {
            queue.add(NamespacedName::of(&request.metadata));
        }
    });
    context.run(controller, requests.synced()).await;
}

fn is_to_sign(request: &CertificateSigningRequest) -> bool {
    has_condition(request, "Approved")
        && !has_condition(request, "Denied")
        && !has_condition(request, "Failed")
        && !has_certificate(request)
}

struct Signer {
    client: Client,
    requests: Informer<CertificateSigningRequest>,
    signing: Signing,
    ambient: Ambient,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SigningError {
    #[error("the cluster's authority cannot sign: {0}")]
    Authority(rcgen::Error),
}

impl Reconciler for Signer {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(request) = self.requests.get(key).filter(|request| is_to_sign(request)) else {
            return Ok(Outcome::Done);
        };
        let pem = &request.spec.request.0;
        let verdict = Requested::parse(pem).map(|requested| may_sign(&request.spec, &requested));
        let mut answered = CertificateSigningRequest::clone(&request);
        match verdict {
            // Another's to sign.
            Ok(None) => return Ok(Outcome::Done),
            Ok(Some(Ok(()))) => {
                let certificate = sign(&self.signing, &request, self.ambient.clock.now())?;
                answered.status.get_or_insert_default().certificate = Some(ByteString(certificate.into_bytes()));
            }
            Ok(Some(Err(error))) | Err(error) => self.refuse(&mut answered, &error),
        }
        let api: Api<CertificateSigningRequest> = Api::all(self.client.clone());
        api.replace_status(&key.name, &PostParams::default(), &answered).await.during("answer request", key)?;
        Ok(Outcome::Done)
    }
}

impl Signer {
    fn refuse(&self, request: &mut CertificateSigningRequest, error: &CsrError) {
        let now = Time(self.ambient.clock.now_seconds());
        let conditions = request.status.get_or_insert_default().conditions.get_or_insert_default();
        conditions.push(CertificateSigningRequestCondition {
            type_: "Failed".to_owned(),
            status: "True".to_owned(),
            reason: Some("SignerValidationFailure".to_owned()),
            message: Some(error.to_string()),
            last_update_time: Some(now.clone()),
            last_transition_time: Some(now),
        });
    }
}

fn sign(signing: &Signing, request: &CertificateSigningRequest, now: Timestamp) -> Result<String, ReconcileError> {
    let mut parameters = signable(&request.spec.request.0)?;
    let asked = request.spec.expiration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    let lifetime = asked.map_or(LIFETIME, |seconds| Duration::from_secs(seconds).min(LIFETIME));
    let begin = now.checked_sub(BACKDATED).unwrap_or(now);
    let end = now.checked_add(lifetime).unwrap_or(now);
    let date = |moment: Timestamp| {
        rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(u64::try_from(moment.as_second()).unwrap_or(0))
    };
    (parameters.params.not_before, parameters.params.not_after) = (date(begin), date(end));
    // Whatever the request says of itself, the rules of its signer say what it may be used for.
    parameters.params.is_ca = IsCa::ExplicitNoCa;
    let usages = request.spec.usages.as_deref().unwrap_or_default();
    parameters.params.key_usages = usages.iter().filter_map(|usage| key_usage(usage)).collect();
    parameters.params.extended_key_usages = usages.iter().filter_map(|usage| extended_usage(usage)).collect();
    let key = KeyPair::from_pem(&signing.key_pem).map_err(SigningError::Authority)?;
    let issuer = Issuer::from_ca_cert_pem(&signing.certificate_pem, key).map_err(SigningError::Authority)?;
    Ok(parameters.signed_by(&issuer).map_err(SigningError::Authority)?.pem())
}

fn key_usage(usage: &str) -> Option<KeyUsagePurpose> {
    Some(match usage {
        "digital signature" | "signing" => KeyUsagePurpose::DigitalSignature,
        "content commitment" => KeyUsagePurpose::ContentCommitment,
        "key encipherment" => KeyUsagePurpose::KeyEncipherment,
        "data encipherment" => KeyUsagePurpose::DataEncipherment,
        "key agreement" => KeyUsagePurpose::KeyAgreement,
        _ => return None,
    })
}

fn extended_usage(usage: &str) -> Option<ExtendedKeyUsagePurpose> {
    Some(match usage {
        "any" => ExtendedKeyUsagePurpose::Any,
        "client auth" => ExtendedKeyUsagePurpose::ClientAuth,
        "server auth" => ExtendedKeyUsagePurpose::ServerAuth,
        "code signing" => ExtendedKeyUsagePurpose::CodeSigning,
        "email protection" | "s/mime" => ExtendedKeyUsagePurpose::EmailProtection,
        "timestamping" => ExtendedKeyUsagePurpose::TimeStamping,
        "ocsp signing" => ExtendedKeyUsagePurpose::OcspSigning,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams};
    use serde_json::json;
    use x509_parser::prelude::FromDer;

    use super::*;
    use crate::csr::tests::request;

    fn authority() -> Signing {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = parameters.self_signed(&key).unwrap();
        Signing { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() }
    }

    #[test]
    fn a_certificate_says_what_was_asked_for_and_lives_as_long_as_asked() {
        let signing = authority();
        let spec = json!({
            "signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth"], "request": "",
            "expirationSeconds": 3600,
        });
        let mut asked: CertificateSigningRequest =
            serde_json::from_value(json!({"metadata": {}, "spec": spec})).unwrap();
        asked.spec.request = ByteString(request("anne", "people", &[]));
        let now: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        let pem = sign(&signing, &asked, now).unwrap();
        let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
        let (_, certificate) = x509_parser::certificate::X509Certificate::from_der(&pem.contents).unwrap();
        assert_eq!(certificate.subject().iter_common_name().next().unwrap().as_str(), Ok("anne"));
        assert_eq!(certificate.validity().not_after.timestamp(), now.as_second() + 3600);
        let usage = certificate.extended_key_usage().unwrap().unwrap().value;
        assert!(usage.client_auth && !usage.server_auth);
        assert!(!certificate.is_ca());
    }
}
