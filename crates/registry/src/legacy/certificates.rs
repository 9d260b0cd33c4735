//! certificates.k8s.io/v1beta1: a request need not name its signer, nor a condition its status.

use std::collections::BTreeSet;

use serde_json::json;

use crate::certificates::certificate_signing_request::CERTIFICATE_SIGNING_REQUEST;
use crate::certificates::request::CertificateRequest;
use crate::fields::{get, items_mut, object_at, set, text, texts};
use crate::kind::{Conversion, Kind, Object};

pub static CERTIFICATE_SIGNING_REQUEST_V1BETA1: Kind = Kind::served_as(
    "certificates.k8s.io",
    "v1beta1",
    &Conversion::with_defaults(&CERTIFICATE_SIGNING_REQUEST, default),
)
.deprecated(19, 22, "certificates.k8s.io/v1 CertificateSigningRequest");

fn default(request: &mut Object) {
    let spec = object_at(request, "spec");
    if get(spec, "usages").is_none() {
        set(spec, "usages", json!(["digital signature", "key encipherment"]));
    }
    if get(spec, "signerName").is_none() {
        let signer = meant_signer(spec);
        set(spec, "signerName", signer);
    }
    for condition in items_mut(request, "status.conditions") {
        if text(condition, "status").is_empty() {
            set(condition, "status", "True");
        }
    }
}

/// The signer that a request which names none was meant for: a kubelet's, where it asks for what kubelets are.
fn meant_signer(spec: &Object) -> &'static str {
    const UNKNOWN: &str = "kubernetes.io/legacy-unknown";
    let Ok(request) = CertificateRequest::read(text(spec, "request")) else { return UNKNOWN };
    let is_node = request.organizations == ["system:nodes"] && request.common_name.starts_with("system:node:");
    let usages: BTreeSet<&str> = texts(spec, "usages").collect();
    let is_for = |purpose| {
        // Keys other than RSA's encipher nothing.
        let bare = BTreeSet::from(["digital signature", purpose]);
        usages == bare || usages == &bare | &BTreeSet::from(["key encipherment"])
    };
    let has_address = request.dns_names > 0 || request.ip_addresses > 0;
    match is_node && request.other_names == 0 {
        true if !has_address && is_for("client auth") => "kubernetes.io/kube-apiserver-client-kubelet",
        true if has_address && is_for("server auth") => "kubernetes.io/kubelet-serving",
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;
    use crate::legacy::testing::rested;

    #[test]
    fn a_request_without_a_signer_goes_to_the_one_of_old() {
        let request = json!({"metadata": {"name": "a"}, "spec": {"request": "AA=="}, "status": {"conditions": [{"type": "Approved"}]}});
        let at_rest = rested(&CERTIFICATE_SIGNING_REQUEST_V1BETA1, request);
        assert_eq!(at_rest["spec"]["signerName"], "kubernetes.io/legacy-unknown");
        assert_eq!(at_rest["spec"]["usages"], json!(["digital signature", "key encipherment"]));
        assert_eq!(at_rest["status"]["conditions"][0]["status"], "True");
    }

    /// A request in PEM in base64, of the organisation and name, for the host names.
    fn request(organization: &str, name: &str, hosts: &[&str]) -> String {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut parameters = CertificateParams::new(hosts).unwrap();
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters.distinguished_name.push(DnType::OrganizationName, organization);
        parameters.distinguished_name.push(DnType::CommonName, name);
        let pem = parameters.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap();
        base64::engine::general_purpose::STANDARD.encode(pem)
    }

    #[test]
    fn a_kubelets_request_goes_to_the_signer_for_kubelets() {
        let (client, serving) = ("kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/kubelet-serving");
        let unknown = "kubernetes.io/legacy-unknown";
        for (organization, name, hosts, usages, expected) in [
            (
                "system:nodes",
                "system:node:a",
                &[][..],
                json!(["digital signature", "key encipherment", "client auth"]),
                client,
            ),
            ("system:nodes", "system:node:a", &[], json!(["client auth", "digital signature"]), client),
            ("system:nodes", "system:node:a", &["a", "10.0.0.1"], json!(["digital signature", "server auth"]), serving),
            ("system:nodes", "system:node:a", &[], json!(["digital signature", "server auth"]), unknown),
            ("system:nodes", "system:node:a", &["a"], json!(["digital signature", "client auth"]), unknown),
            ("system:nodes", "system:node:a", &[], json!(["client auth"]), unknown),
            ("system:nodes", "jane", &[], json!(["digital signature", "client auth"]), unknown),
            ("system:masters", "system:node:a", &[], json!(["digital signature", "client auth"]), unknown),
        ] {
            let spec = json!({"request": request(organization, name, hosts), "usages": usages});
            let at_rest =
                rested(&CERTIFICATE_SIGNING_REQUEST_V1BETA1, json!({"metadata": {"name": "a"}, "spec": spec}));
            assert_eq!(at_rest["spec"]["signerName"], expected, "{organization} {name} {hosts:?} {usages}");
        }
        let named = json!({"metadata": {"name": "a"}, "spec": {"request": "AA==", "signerName": "example.com/a"}});
        assert_eq!(rested(&CERTIFICATE_SIGNING_REQUEST_V1BETA1, named)["spec"]["signerName"], "example.com/a");
    }
}
