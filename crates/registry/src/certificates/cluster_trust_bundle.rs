//! certificates.k8s.io `ClusterTrustBundle`: trust anchors that pods can mount.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_immutable, get, invalid_all, or_none, text};
use crate::kind::{Column, Conversion, Kind, Object, Rules};
use crate::names::{self, NameRule};

pub static CLUSTER_TRUST_BUNDLE: Kind = Kind {
    group: "certificates.k8s.io",
    kind: "ClusterTrustBundle",
    plural: "clustertrustbundles",
    singular: "clustertrustbundle",
    rules: &ClusterTrustBundleRules,
    ..Kind::CLUSTER
};

pub static CLUSTER_TRUST_BUNDLE_V1BETA1: Kind =
    Kind::served_as("certificates.k8s.io", "v1beta1", &Conversion::same_as(&CLUSTER_TRUST_BUNDLE))
        .deprecated(37, 40, "");

struct ClusterTrustBundleRules;

const MAX_BUNDLE_BYTES: usize = 1024 * 1024;

impl Rules for ClusterTrustBundleRules {
    /// The signer's name leads the bundle's and may hold colons, so the rest is checked with the object.
    fn name_rule(&self) -> NameRule {
        NameRule::PathSegment
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let signer = text(object, "spec.signerName");
        validate_name(text(object, "metadata.name"), signer, &mut faults);
        if !signer.is_empty() {
            names::signer_name(signer, "spec.signerName", &mut faults);
        }
        let bundle = "spec.trustBundle";
        if old.is_none_or(|old| get(old, bundle) != get(object, bundle)) {
            validate_bundle(text(object, bundle), &mut faults);
        }
        if let Some(old) = old {
            check_immutable(object, old, "spec.signerName", &mut faults);
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] =
            &[NAME, column("SignerName", "string", "signerName indicates the associated signer, if any.")];
        COLUMNS
    }

    fn row(&self, object: &Object, _now: Timestamp) -> Vec<Value> {
        vec![columns::name(object), or_none(text(object, "spec.signerName"))]
    }

    fn selectable_field(&self, object: &Object, path: &str) -> Option<String> {
        (path == "spec.signerName").then(|| text(object, path).to_owned())
    }

    fn selectable_fields(&self) -> &'static [&'static str] {
        &["spec.signerName"]
    }

    fn allows_unconditional_update(&self) -> bool {
        false
    }
}

/// `example.com:name:rest` for the bundles of the signer `example.com/name`; no colon for others.
fn validate_name(name: &str, signer: &str, faults: &mut Vec<FieldError>) {
    let path = "metadata.name";
    if signer.is_empty() {
        if name.contains(':') {
            let detail = "ClusterTrustBundle without signer name must not have \":\" in its name";
            faults.push(FieldError::invalid(path, name, detail));
        } else {
            invalid_all(path, name, names::dns_subdomain(name), faults);
        }
        return;
    }
    let prefix = signer.replace('/', ":") + ":";
    match name.strip_prefix(&prefix) {
        None => {
            let detail = format!("ClusterTrustBundle for signerName {signer} must be named with prefix {prefix}");
            faults.push(FieldError::invalid(path, name, detail));
        }
        Some(rest) => invalid_all(path, name, names::dns_subdomain(rest), faults),
    }
}

/// PEM blocks of certificates, at least one and none twice.
fn validate_bundle(bundle: &str, faults: &mut Vec<FieldError>) {
    let path = "spec.trustBundle";
    if bundle.len() > MAX_BUNDLE_BYTES {
        faults.push(FieldError::too_long(path, MAX_BUNDLE_BYTES));
        return;
    }
    let mut refuse = |detail: String| faults.push(FieldError::invalid(path, "<value omitted>", detail));
    let mut anchors: Vec<(Vec<u8>, Vec<usize>)> = Vec::new();
    let mut is_sound = true;
    for (at, block) in pem_blocks(bundle).enumerate() {
        let fault = match block.parse() {
            _ if block.label != "CERTIFICATE" => format!("entry {at} has bad block type: {}", block.label),
            _ if block.has_headers() => format!("entry {at} has PEM block headers"),
            // A certificate is a sequence of ASN.1; what is in it, its users will see.
            Some(bytes) if bytes.first() == Some(&0x30) => {
                match anchors.iter_mut().find(|(known, _)| *known == bytes) {
                    Some((_, places)) => places.push(at),
                    None => anchors.push((bytes, vec![at])),
                }
                continue;
            }
            _ => format!("entry {at} does not parse as X.509"),
        };
        is_sound = false;
        refuse(fault);
    }
    if !is_sound {
        return;
    }
    if anchors.is_empty() {
        refuse("at least one trust anchor must be provided".to_owned());
    }
    for (_, places) in anchors.iter().filter(|(_, places)| places.len() > 1) {
        let places: Vec<String> = places.iter().map(usize::to_string).collect();
        refuse(format!("duplicate trust anchor (indices [{}])", places.join(" ")));
    }
}

struct PemBlock<'a> {
    label: &'a str,
    body: &'a str,
}

impl PemBlock<'_> {
    fn has_headers(&self) -> bool {
        self.body.contains(':')
    }

    fn parse(&self) -> Option<Vec<u8>> {
        let text: String = self.body.split_whitespace().collect();
        STANDARD.decode(text).ok()
    }
}

/// The blocks of a PEM text. What stands between them is skipped.
fn pem_blocks(text: &str) -> impl Iterator<Item = PemBlock<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let (_, after) = rest.split_once("-----BEGIN ")?;
            let (label, after) = after.split_once("-----")?;
            let end = format!("-----END {label}-----");
            match after.split_once(end.as_str()) {
                Some((body, after)) if !label.contains('\n') => {
                    rest = after;
                    return Some(PemBlock { label, body });
                }
                _ => rest = after,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{check, check_update, row};

    /// A sequence of nothing, in PEM.
    const ANCHOR: &str = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";

    fn bundle(name: &str, signer: &str, anchors: &str) -> Value {
        json!({"metadata": {"name": name}, "spec": {"signerName": signer, "trustBundle": anchors}})
    }

    #[test]
    fn the_signers_name_leads_the_bundles() {
        let kind = &CLUSTER_TRUST_BUNDLE;
        check(kind, bundle("plain", "", ANCHOR), &[]);
        check(kind, bundle("example.com:s:one", "example.com/s", ANCHOR), &[]);
        check(
            kind,
            bundle("a:b", "", ANCHOR),
            &[
                r#"metadata.name: Invalid value: "a:b": ClusterTrustBundle without signer name must not have ":" in its name"#,
            ],
        );
        check(
            kind,
            bundle("one", "example.com/s", ANCHOR),
            &[
                r#"metadata.name: Invalid value: "one": ClusterTrustBundle for signerName example.com/s must be named with prefix example.com:s:"#,
            ],
        );
        check(
            kind,
            bundle("s:x:one", "s/x", ANCHOR),
            &[
                r#"spec.signerName: Invalid value: "s": should be a domain with at least two segments separated by dots"#,
            ],
        );
        check_update(
            kind,
            bundle("one", "", "whatever rests is not read again"),
            bundle("one", "", "whatever rests is not read again"),
            &[],
        );
        assert_eq!(row(kind, bundle("one", "", ANCHOR)), "Name=one SignerName=<none>");
    }

    #[test]
    fn a_bundle_holds_certificates_each_once() {
        let kind = &CLUSTER_TRUST_BUNDLE;
        let fault = |detail: &str| format!(r#"spec.trustBundle: Invalid value: "<value omitted>": {detail}"#);
        for (anchors, detail) in [
            (String::new(), "at least one trust anchor must be provided"),
            (ANCHOR.repeat(2), "duplicate trust anchor (indices [0 1])"),
            (ANCHOR.replace("CERTIFICATE", "PRIVATE KEY"), "entry 0 has bad block type: PRIVATE KEY"),
            (ANCHOR.replace("MAA=", "a: b\n\nMAA="), "entry 0 has PEM block headers"),
            (ANCHOR.replace("MAA=", "AAAA"), "entry 0 does not parse as X.509"),
        ] {
            check(kind, bundle("one", "", &anchors), &[&fault(detail)]);
        }
    }
}
