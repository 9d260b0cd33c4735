//! certificates.k8s.io/v1beta1: a request need not name its signer, nor a condition its status.

use serde_json::json;

use crate::certificates::certificate_signing_request::CERTIFICATE_SIGNING_REQUEST;
use crate::fields::{get, items_mut, object_at, set, set_default, text};
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
    set_default(spec, "signerName", "kubernetes.io/legacy-unknown");
    for condition in items_mut(request, "status.conditions") {
        if text(condition, "status").is_empty() {
            set(condition, "status", "True");
        }
    }
}

#[cfg(test)]
mod tests {
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
}
