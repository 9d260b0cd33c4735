//! certificates.k8s.io `PodCertificateRequest`: a kubelet asks for a certificate on a pod's behalf.
//!
//! It rests as v1beta1, whose objects can say everything those of v1 can.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{
    check_immutable, get, get_i64, get_object, get_str, invalid_all, items, join, object_mut, set_default, text,
};
use crate::kind::{Column, Conversion, Kind, Object, Rules};
use crate::names;

pub static POD_CERTIFICATE_REQUEST_V1BETA1: Kind = Kind {
    group: "certificates.k8s.io",
    version: "v1beta1",
    kind: "PodCertificateRequest",
    plural: "podcertificaterequests",
    singular: "podcertificaterequest",
    has_status: true,
    rules: &PodCertificateRequestRules,
    ..Kind::NAMESPACED
};

pub static POD_CERTIFICATE_REQUEST: Kind = Kind::served_as(
    "certificates.k8s.io",
    "v1",
    &Conversion { out_of_storage: drop_key, ..Conversion::same_as(&POD_CERTIFICATE_REQUEST_V1BETA1) },
);

struct PodCertificateRequestRules;

const DEFAULT_SECONDS: i64 = 86_400;
const LEAST_SECONDS: i64 = 3_600;
const MOST_SECONDS: i64 = 91 * 86_400;

/// For signers that Kubernetes itself defines.
const MOST_SECONDS_OF_KUBERNETES: i64 = 86_400;

const MAX_UID_BYTES: usize = 128;

/// Of base64 text, for keys and proofs of 10 KiB.
const MAX_KEY_CHARACTERS: usize = (10 * 1024_usize).div_ceil(3) * 4;
const TERMINAL: [&str; 3] = ["Issued", "Denied", "Failed"];

/// The first form of the key and its proof, which v1 does without.
fn drop_key(request: &mut Object) {
    if let Some(spec) = object_mut(request, "spec") {
        spec.shift_remove("pkixPublicKey");
        spec.shift_remove("proofOfPossession");
    }
}

impl Rules for PodCertificateRequestRules {
    fn default(&self, object: &mut Object) {
        if let Some(spec) = object_mut(object, "spec") {
            set_default(spec, "maxExpirationSeconds", DEFAULT_SECONDS);
        }
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        match old {
            Some(old) => check_immutable(object, old, "spec", &mut faults),
            None => validate_spec(object, &mut faults),
        }
        faults
    }

    fn validate_status(&self, object: &Object, old: &Object) -> Vec<FieldError> {
        let mut faults = Vec::new();
        validate_conditions(object, &mut faults);
        if !faults.is_empty() {
            return faults;
        }
        let is = |request: &Object, wanted: &str| {
            items(request, "status.conditions").any(|condition| text(condition, "type") == wanted)
        };
        if TERMINAL.iter().any(|end| is(old, end)) {
            if get(object, "status") != get(old, "status") {
                let detail = "immutable after PodCertificateRequest is issued, denied, or failed";
                faults.push(FieldError::invalid("status", crate::fields::value(object, "status"), detail));
            }
        } else if is(object, "Denied") || is(object, "Failed") {
            let status = get_object(object, "status");
            if status.is_some_and(|status| status.keys().any(|field| field != "conditions")) {
                let detail = "non-condition status fields must be empty when denying or failing the \
                              PodCertificateRequest";
                faults.push(FieldError::invalid("status", crate::fields::value(object, "status"), detail));
            }
        } else if is(object, "Issued") {
            validate_issued(object, &mut faults);
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column("PodName", "string", "The name of the pod into which the certificate will be mounted."),
            column("ServiceAccountName", "string", "The name of the service account the pod is running as."),
            column("NodeName", "string", "The name of the node the pod is assigned to."),
            column("SignerName", "string", "The requested signer."),
            column("State", "string", "Whether the certificate was issued, denied or failed to be."),
            AGE,
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let shown = |field: &str| Value::from(text(object, &join("spec", field)));
        let state = items(object, "status.conditions")
            .map(|condition| text(condition, "type"))
            .find(|state| TERMINAL.contains(state));
        vec![
            columns::name(object),
            shown("podName"),
            shown("serviceAccountName"),
            shown("nodeName"),
            shown("signerName"),
            Value::from(state.unwrap_or("Pending")),
            columns::age(object, now),
        ]
    }

    fn selectable_field(&self, object: &Object, path: &str) -> Option<String> {
        self.selectable_fields().contains(&path).then(|| text(object, path).to_owned())
    }

    fn selectable_fields(&self) -> &'static [&'static str] {
        &["spec.signerName", "spec.podName", "spec.nodeName"]
    }

    fn allows_unconditional_update(&self) -> bool {
        false
    }
}

/// Whether key and proof belong together is for the signer to verify.
fn validate_spec(request: &Object, faults: &mut Vec<FieldError>) {
    let signer = text(request, "spec.signerName");
    names::signer_name(signer, "spec.signerName", faults);
    for (name, uid) in [
        ("spec.podName", "spec.podUID"),
        ("spec.serviceAccountName", "spec.serviceAccountUID"),
        ("spec.nodeName", "spec.nodeUID"),
    ] {
        invalid_all(name, text(request, name), names::dns_subdomain(text(request, name)), faults);
        if text(request, uid).is_empty() {
            faults.push(FieldError::invalid(uid, "", "must not be empty"));
        }
        if text(request, uid).len() > MAX_UID_BYTES {
            faults.push(FieldError::too_long(uid, MAX_UID_BYTES));
        }
    }
    let Some(seconds) = get_i64(request, "spec.maxExpirationSeconds") else {
        faults.push(FieldError::required("spec.maxExpirationSeconds", "must be set"));
        return;
    };
    let domain = signer.split('/').next().unwrap_or("");
    let most = match domain == "kubernetes.io" || domain.ends_with(".kubernetes.io") {
        true => MOST_SECONDS_OF_KUBERNETES,
        false => MOST_SECONDS,
    };
    if !(LEAST_SECONDS..=most).contains(&seconds) {
        let detail = format!("must be in the range [{LEAST_SECONDS}, {most}]");
        faults.push(FieldError::invalid("spec.maxExpirationSeconds", seconds, detail));
    }
    for field in ["spec.pkixPublicKey", "spec.proofOfPossession", "spec.stubPKCS10Request"] {
        if text(request, field).len() > MAX_KEY_CHARACTERS {
            faults.push(FieldError::too_long(field, 10 * 1024));
        }
    }
    if text(request, "spec.stubPKCS10Request").is_empty() && text(request, "spec.pkixPublicKey").is_empty() {
        faults.push(FieldError::required("spec.stubPKCS10Request", ""));
    }
}

/// One end at most, and it is true.
fn validate_conditions(request: &Object, faults: &mut Vec<FieldError>) {
    let mut ends = 0;
    for (at, condition) in items(request, "status.conditions").enumerate() {
        let path = format!("status.conditions[{at}]");
        let kind = text(condition, "type");
        if !TERMINAL.contains(&kind) {
            faults.push(FieldError::not_supported(join(&path, "type"), kind, &["Denied", "Failed", "Issued"]));
            continue;
        }
        ends += 1;
        if ends > 1 {
            let detail = r#"There may be at most one condition with type "Issued", "Denied", or "Failed""#;
            faults.push(FieldError::invalid(join(&path, "type"), kind, detail));
        }
        if text(condition, "status") != "True" {
            faults.push(FieldError::not_supported(join(&path, "status"), text(condition, "status"), &["True"]));
        }
    }
}

fn validate_issued(request: &Object, faults: &mut Vec<FieldError>) {
    if !text(request, "status.certificateChain").contains("-----BEGIN CERTIFICATE-----") {
        let chain = text(request, "status.certificateChain");
        let detail = "issued certificate chain must contain at least one certificate";
        faults.push(FieldError::invalid("status.certificateChain", chain, detail));
        return;
    }
    let consistent = "must be present and consistent with the issued certificate";
    for (field, detail) in [
        ("status.notBefore", consistent),
        ("status.notAfter", consistent),
        ("status.beginRefreshAt", "must be present and in the range [notbefore+10min, notafter-10min]"),
    ] {
        if get_str(request, field).is_none() {
            faults.push(FieldError::required(field, detail));
        }
    }
    let moment = |field: &str| get_str(request, field).and_then(|text| text.parse::<Timestamp>().ok());
    let (Some(start), Some(end), Some(refresh)) =
        (moment("status.notBefore"), moment("status.notAfter"), moment("status.beginRefreshAt"))
    else {
        return;
    };
    let margin = jiff::SignedDuration::from_mins(10);
    let shown = text(request, "status.beginRefreshAt");
    if refresh.duration_since(start) < margin {
        let detail = "must be at least 10 minutes after status.notBefore";
        faults.push(FieldError::invalid("status.beginRefreshAt", shown, detail));
    } else if end.duration_since(refresh) < margin {
        let detail = "must be at least 10 minutes before status.notAfter";
        faults.push(FieldError::invalid("status.beginRefreshAt", shown, detail));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{check, check_status, check_update, created, row};

    fn request(seconds: Value) -> Value {
        json!({"metadata": {"name": "r", "namespace": "n"}, "spec": {
            "signerName": "example.com/s", "podName": "p", "podUID": "1", "serviceAccountName": "a",
            "serviceAccountUID": "2", "nodeName": "node", "nodeUID": "3", "maxExpirationSeconds": seconds,
            "stubPKCS10Request": "AA==",
        }})
    }

    #[test]
    fn a_request_names_its_pod_and_a_span() {
        let kind = &POD_CERTIFICATE_REQUEST_V1BETA1;
        check(kind, request(Value::Null), &[]);
        assert_eq!(created(kind, request(Value::Null))["spec"]["maxExpirationSeconds"], 86_400);
        check(
            kind,
            request(json!(60)),
            &["spec.maxExpirationSeconds: Invalid value: 60: must be in the range [3600, 7862400]"],
        );
        let mut ours = request(json!(172_800));
        ours["spec"]["signerName"] = json!("kubernetes.io/kube-apiserver-client-pod");
        ours["spec"]["podUID"] = json!("");
        check(
            kind,
            ours,
            &[
                r#"spec.podUID: Invalid value: "": must not be empty"#,
                "spec.maxExpirationSeconds: Invalid value: 172800: must be in the range [3600, 86400]",
            ],
        );
        let (new, old) = (request(json!(7200)), request(json!(3600)));
        let spec = serde_json::to_string(&new["spec"]).unwrap();
        check_update(kind, new, old, &[&format!("spec: Invalid value: {spec}: field is immutable")]);
    }

    #[test]
    fn a_request_ends_once() {
        let kind = &POD_CERTIFICATE_REQUEST_V1BETA1;
        let ended = |state: &str| json!({"status": {"conditions": [{"type": state, "status": "True"}]}});
        check_status(kind, ended("Denied"), json!({}), &[]);
        check_status(
            kind,
            ended("Failed"),
            ended("Denied"),
            &[
                r#"status: Invalid value: {"conditions":[{"type":"Failed","status":"True"}]}: immutable after PodCertificateRequest is issued, denied, or failed"#,
            ],
        );
        check_status(
            kind,
            ended("Ready"),
            json!({}),
            &[
                r#"status.conditions[0].type: Unsupported value: "Ready": supported values: "Denied", "Failed", "Issued""#,
            ],
        );
        check_status(
            kind,
            ended("Issued"),
            json!({}),
            &[
                r#"status.certificateChain: Invalid value: "": issued certificate chain must contain at least one certificate"#,
            ],
        );
        let mut issued = ended("Issued");
        issued["status"]["certificateChain"] = json!("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----");
        issued["status"]["notBefore"] = json!("2030-01-01T00:00:00Z");
        issued["status"]["notAfter"] = json!("2030-01-02T00:00:00Z");
        issued["status"]["beginRefreshAt"] = json!("2030-01-01T12:00:00Z");
        check_status(kind, issued.clone(), json!({}), &[]);
        issued["status"]["beginRefreshAt"] = json!("2030-01-01T00:05:00Z");
        check_status(
            kind,
            issued,
            json!({}),
            &[
                r#"status.beginRefreshAt: Invalid value: "2030-01-01T00:05:00Z": must be at least 10 minutes after status.notBefore"#,
            ],
        );
    }

    #[test]
    fn a_table_shows_how_it_stands() {
        let mut shown = request(json!(3600));
        assert_eq!(
            row(&POD_CERTIFICATE_REQUEST, shown.clone()),
            "Name=r PodName=p ServiceAccountName=a NodeName=node SignerName=example.com/s State=Pending Age=<unknown>"
        );
        shown["status"] = json!({"conditions": [{"type": "Issued", "status": "True"}]});
        assert!(row(&POD_CERTIFICATE_REQUEST, shown).contains("State=Issued"));
    }
}
