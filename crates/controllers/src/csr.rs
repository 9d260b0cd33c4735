//! What a certificate signing request asks for, and whether its signer may give it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use api::k8s::api::certificates::v1::{CertificateSigningRequest, CertificateSigningRequestSpec};
use rcgen::CertificateSigningRequestParams;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;

pub(crate) const API_CLIENT: &str = "kubernetes.io/kube-apiserver-client";
pub(crate) const KUBELET_CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";
pub(crate) const KUBELET_SERVING: &str = "kubernetes.io/kubelet-serving";
pub(crate) const LEGACY_UNKNOWN: &str = "kubernetes.io/legacy-unknown";

const NODES: &str = "system:nodes";
const NODE_PREFIX: &str = "system:node:";

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CsrError {
    #[error("PEM block type must be CERTIFICATE REQUEST")]
    NotPem,
    #[error("the request cannot be read: {0}")]
    Unreadable(String),
    #[error("subject organization is not system:nodes")]
    OrganizationNotNodes,
    #[error("subject common name does not begin with system:node:")]
    CommonNameNotNode,
    #[error("DNS subjectAltNames are not allowed")]
    NamesNotAllowed,
    #[error("Email subjectAltNames are not allowed")]
    EmailsNotAllowed,
    #[error("URI subjectAltNames are not allowed")]
    UrisNotAllowed,
    #[error("IP subjectAltNames are not allowed")]
    AddressesNotAllowed,
    #[error("DNS or IP subjectAltName is required")]
    NamesRequired,
    #[error("usages did not match {0}")]
    Usages(String),
}

/// The parts of a request that signers look at.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Requested {
    pub(crate) common_name: String,
    pub(crate) organizations: Vec<String>,
    pub(crate) names: Vec<String>,
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) emails: usize,
    pub(crate) uris: usize,
}

impl Requested {
    pub(crate) fn parse(pem: &[u8]) -> Result<Requested, CsrError> {
        let (_, pem) = x509_parser::pem::parse_x509_pem(pem).map_err(|_| CsrError::NotPem)?;
        if pem.label != "CERTIFICATE REQUEST" {
            return Err(CsrError::NotPem);
        }
        let unreadable = |error: &dyn std::fmt::Display| CsrError::Unreadable(error.to_string());
        let (_, request) = X509CertificationRequest::from_der(&pem.contents).map_err(|error| unreadable(&error))?;
        let subject = &request.certification_request_info.subject;
        let text = |part: &x509_parser::x509::AttributeTypeAndValue<'_>| part.as_str().unwrap_or_default().to_owned();
        let mut requested = Requested {
            common_name: subject.iter_common_name().next().map(text).unwrap_or_default(),
            organizations: subject.iter_organization().map(text).collect(),
            ..Requested::default()
        };
        for extension in request.requested_extensions().into_iter().flatten() {
            let ParsedExtension::SubjectAlternativeName(names) = extension else { continue };
            for name in &names.general_names {
                match name {
                    GeneralName::DNSName(name) => requested.names.push((*name).to_owned()),
                    GeneralName::IPAddress(bytes) => requested.addresses.extend(address(bytes)),
                    GeneralName::RFC822Name(_) => requested.emails += 1,
                    GeneralName::URI(_) => requested.uris += 1,
                    _ => {}
                }
            }
        }
        Ok(requested)
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes).map(IpAddr::from).or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// Whether a request keeps the rules of kubelets' client certificates.
pub(crate) fn is_kubelet_client(spec: &CertificateSigningRequestSpec, requested: &Requested) -> Result<(), CsrError> {
    is_of_node(requested)?;
    if !requested.names.is_empty() {
        return Err(CsrError::NamesNotAllowed);
    }
    if !requested.addresses.is_empty() {
        return Err(CsrError::AddressesNotAllowed);
    }
    check_usages(spec, &["digital signature", "client auth"], &["key encipherment"])
}

fn is_kubelet_serving(spec: &CertificateSigningRequestSpec, requested: &Requested) -> Result<(), CsrError> {
    is_of_node(requested)?;
    if requested.names.is_empty() && requested.addresses.is_empty() {
        return Err(CsrError::NamesRequired);
    }
    check_usages(spec, &["digital signature", "server auth"], &["key encipherment"])
}

fn is_of_node(requested: &Requested) -> Result<(), CsrError> {
    if requested.organizations != [NODES] {
        return Err(CsrError::OrganizationNotNodes);
    }
    if !requested.common_name.starts_with(NODE_PREFIX) {
        return Err(CsrError::CommonNameNotNode);
    }
    if requested.emails > 0 {
        return Err(CsrError::EmailsNotAllowed);
    }
    if requested.uris > 0 { Err(CsrError::UrisNotAllowed) } else { Ok(()) }
}

/// All that are required, and none beside the optional ones.
fn check_usages(spec: &CertificateSigningRequestSpec, required: &[&str], optional: &[&str]) -> Result<(), CsrError> {
    let given: BTreeSet<&str> = spec.usages.iter().flatten().map(String::as_str).collect();
    let has_all = required.iter().all(|usage| given.contains(usage));
    let has_others = given.iter().any(|usage| !required.contains(usage) && !optional.contains(usage));
    if has_all && !has_others { Ok(()) } else { Err(CsrError::Usages(required.join(","))) }
}

/// Whether the request's signer is one of ours, and gives what is asked for.
pub(crate) fn may_sign(spec: &CertificateSigningRequestSpec, requested: &Requested) -> Option<Result<(), CsrError>> {
    match spec.signer_name.as_str() {
        API_CLIENT => Some(check_usages(spec, &["client auth"], &["digital signature", "key encipherment"])),
        KUBELET_CLIENT => Some(is_kubelet_client(spec, requested)),
        KUBELET_SERVING => Some(is_kubelet_serving(spec, requested)),
        LEGACY_UNKNOWN => Some(Ok(())),
        _ => None,
    }
}

pub(crate) fn has_condition(request: &CertificateSigningRequest, r#type: &str) -> bool {
    let conditions = request.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| condition.type_ == r#type)
}

/// Neither approved nor denied.
pub(crate) fn is_undecided(request: &CertificateSigningRequest) -> bool {
    !has_condition(request, "Approved") && !has_condition(request, "Denied")
}

pub(crate) fn has_certificate(request: &CertificateSigningRequest) -> bool {
    request.status.as_ref().and_then(|status| status.certificate.as_ref()).is_some_and(|bytes| !bytes.0.is_empty())
}

/// The request's key and names, for whoever signs it.
pub(crate) fn signable(pem: &[u8]) -> Result<CertificateSigningRequestParams, CsrError> {
    let text = std::str::from_utf8(pem).map_err(|_| CsrError::NotPem)?;
    CertificateSigningRequestParams::from_pem(text).map_err(|error| CsrError::Unreadable(error.to_string()))
}

#[cfg(test)]
pub(crate) mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};
    use serde_json::json;

    use super::*;

    pub(crate) fn request(common_name: &str, organization: &str, names: &[&str]) -> Vec<u8> {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, common_name);
        parameters.distinguished_name.push(DnType::OrganizationName, organization);
        parameters.subject_alt_names = names.iter().map(|name| SanType::DnsName((*name).try_into().unwrap())).collect();
        parameters.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap().into_bytes()
    }

    #[test]
    fn signers_give_what_their_rules_allow() {
        let node = || request("system:node:one", "system:nodes", &[]);
        let named = || request("system:node:one", "system:nodes", &["one"]);
        let client = ["digital signature", "client auth"];
        let server = ["digital signature", "server auth"];
        for (signer, pem, usages, expected) in [
            (KUBELET_CLIENT, node(), client, Ok(())),
            (KUBELET_CLIENT, named(), client, Err(CsrError::NamesNotAllowed)),
            (KUBELET_CLIENT, request("system:node:one", "people", &[]), client, Err(CsrError::OrganizationNotNodes)),
            (KUBELET_CLIENT, request("one", "system:nodes", &[]), client, Err(CsrError::CommonNameNotNode)),
            (KUBELET_CLIENT, node(), server, Err(CsrError::Usages("digital signature,client auth".into()))),
            (KUBELET_SERVING, named(), server, Ok(())),
            (KUBELET_SERVING, node(), server, Err(CsrError::NamesRequired)),
            (API_CLIENT, request("anne", "people", &[]), client, Ok(())),
            (API_CLIENT, request("anne", "people", &[]), server, Err(CsrError::Usages("client auth".into()))),
        ] {
            let spec = json!({"signerName": signer, "usages": usages, "request": ""});
            let spec: CertificateSigningRequestSpec = serde_json::from_value(spec).unwrap();
            let requested = Requested::parse(&pem).unwrap();
            assert_eq!(may_sign(&spec, &requested), Some(expected), "{signer} {requested:?}");
        }
        let other = json!({"signerName": "example.com/own", "usages": [], "request": ""});
        assert_eq!(may_sign(&serde_json::from_value(other).unwrap(), &Requested::default()), None);
        assert_eq!(Requested::parse(b"nothing"), Err(CsrError::NotPem));
    }
}
