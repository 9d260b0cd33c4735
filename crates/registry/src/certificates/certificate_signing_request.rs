//! certificates.k8s.io `CertificateSigningRequest`.

use jiff::Timestamp;
use serde_json::Value;

use super::request::CertificateRequest;
use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{get, get_i64, items, object_at, or_none, set, set_default, text, texts};
use crate::human;
use crate::kind::{Column, Kind, Object, Rules, WriteContext};
use crate::names;

pub static CERTIFICATE_SIGNING_REQUEST: Kind = Kind {
    group: "certificates.k8s.io",
    kind: "CertificateSigningRequest",
    plural: "certificatesigningrequests",
    singular: "certificatesigningrequest",
    short_names: &["csr"],
    has_status: true,
    rules: &CertificateSigningRequestRules,
    ..Kind::CLUSTER
};

struct CertificateSigningRequestRules;

/// Of requests from before there were signers' names.
const LEGACY_SIGNER: &str = "kubernetes.io/legacy-unknown";

/// What a certificate may be for, in the order in which refusals list it.
const USAGES: &[&str] = &[
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
];

/// A certificate lives at least ten minutes.
const MIN_SECONDS: i64 = 600;

static COLUMNS: &[Column] = &[
    NAME,
    AGE,
    column("SignerName", "string", "signerName indicates the requested signer."),
    column("Requestor", "string", "username contains the name of the user that created the request."),
    column("RequestedDuration", "string", "The requested duration of validity of the issued certificate."),
    column("Condition", "string", "Conditions applied to the request."),
];

impl Rules for CertificateSigningRequestRules {
    /// Who asks is the server's to say.
    fn prepare_create(&self, object: &mut Object, context: &WriteContext<'_>) {
        object.shift_remove("status");
        let spec = object_at(object, "spec");
        for field in ["uid", "groups", "extra"] {
            spec.shift_remove(field);
        }
        let writer = &context.writer;
        set(spec, "username", writer.name);
        if !writer.uid.is_empty() {
            set(spec, "uid", writer.uid);
        }
        if !writer.groups.is_empty() {
            set(spec, "groups", Value::from(writer.groups.to_vec()));
        }
        if !writer.extra.is_empty() {
            let extra = writer.extra.iter().map(|(key, values)| (key.clone(), Value::from(values.clone())));
            set(spec, "extra", Value::Object(extra.collect()));
        }
        set_default(spec, "usages", Value::Array(vec![]));
    }

    /// A request says forever what it said first.
    fn prepare_update(&self, object: &mut Object, old: &Object, _context: &WriteContext<'_>) {
        if let Some(spec) = get(old, "spec").cloned() {
            set(object, "spec", spec);
        }
    }

    /// What a request says is settled with its creation.
    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if old.is_some() {
            return faults;
        }
        let request = text(object, "spec.request");
        if request.is_empty() {
            faults.push(FieldError::required("spec.request", ""));
        } else if let Err(fault) = CertificateRequest::read(request) {
            faults.push(FieldError::invalid("spec.request", request, fault.to_string()));
        }
        validate_usages(object, &mut faults);
        match text(object, "spec.signerName") {
            LEGACY_SIGNER => {
                let detail = "the legacy signerName is not allowed via this API version";
                faults.push(FieldError::invalid("spec.signerName", LEGACY_SIGNER, detail));
            }
            signer => names::signer_name(signer, "spec.signerName", &mut faults),
        }
        if let Some(seconds) = get_i64(object, "spec.expirationSeconds").filter(|seconds| *seconds < MIN_SECONDS) {
            let detail = format!("may not specify a duration less than {MIN_SECONDS} seconds (10 minutes)");
            faults.push(FieldError::invalid("spec.expirationSeconds", seconds, detail));
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let requested = get_i64(object, "spec.expirationSeconds").map(human::duration);
        vec![
            columns::name(object),
            columns::age(object, now),
            or_none(text(object, "spec.signerName")),
            Value::from(text(object, "spec.username")),
            or_none(requested.as_deref().unwrap_or("")),
            Value::from(condition(object)),
        ]
    }

    fn selectable_field(&self, object: &Object, path: &str) -> Option<String> {
        (path == "spec.signerName").then(|| text(object, path).to_owned())
    }

    fn selectable_fields(&self) -> &'static [&'static str] {
        &["spec.signerName"]
    }
}

fn validate_usages(request: &Object, faults: &mut Vec<FieldError>) {
    let usages: Vec<&str> = texts(request, "spec.usages").collect();
    if usages.is_empty() {
        faults.push(FieldError::required("spec.usages", ""));
    }
    for (at, usage) in usages.iter().enumerate().filter(|(_, usage)| !USAGES.contains(usage)) {
        faults.push(FieldError::not_supported(format!("spec.usages[{at}]"), *usage, USAGES));
    }
    for (at, usage) in usages.iter().enumerate().filter(|(at, usage)| usages[..*at].contains(usage)) {
        faults.push(FieldError::duplicate(format!("spec.usages[{at}]"), *usage));
    }
}

fn condition(request: &Object) -> String {
    let has = |kind: &str| items(request, "status.conditions").any(|condition| text(condition, "type") == kind);
    let mut parts = Vec::new();
    if has("Denied") {
        parts.push("Denied");
    } else if has("Approved") {
        parts.push("Approved");
    } else {
        parts.push("Pending");
    }
    if has("Failed") {
        parts.push("Failed");
    }
    if !text(request, "status.certificate").is_empty() {
        parts.push("Issued");
    }
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::kind::Writer;
    use crate::testing::{NOW, object};

    #[test]
    fn a_request_speaks_for_whoever_made_it() {
        let extra = BTreeMap::from([("example.com/team".to_owned(), vec!["a".to_owned(), "b".to_owned()])]);
        let groups = ["g".to_owned(), "system:authenticated".to_owned()];
        let writer = Writer { name: "jane", uid: "7", groups: &groups, extra: &extra };
        let context = WriteContext { now: NOW.parse().unwrap(), writer };
        let claimed = json!({"spec": {"request": "AA==", "username": "root", "uid": "0", "groups": ["system:masters"], "extra": {"x": ["y"]}}});
        let mut request = object(claimed.clone());
        CERTIFICATE_SIGNING_REQUEST.rules.prepare_create(&mut request, &context);
        assert_eq!(
            request["spec"],
            json!({
                "request": "AA==", "username": "jane", "uid": "7", "groups": ["g", "system:authenticated"],
                "extra": {"example.com/team": ["a", "b"]}, "usages": [],
            })
        );
        let mut request = object(claimed);
        let context = WriteContext { writer: Writer::named("jane"), ..context };
        CERTIFICATE_SIGNING_REQUEST.rules.prepare_create(&mut request, &context);
        assert_eq!(request["spec"], json!({"request": "AA==", "username": "jane", "usages": []}));
    }
}
