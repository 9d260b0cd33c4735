//! What validating and mutating webhooks share.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::rule::{self, FAILURE_POLICIES, REINVOCATION_POLICIES};
use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{
    check_supported, get, get_array, get_i64, get_object, get_str, invalid_all, items, items_mut, join, object_mut,
    set_default, text, texts, value,
};
use crate::kind::{Column, Object};
use crate::{metadata, names, webhook_client};

const NO_SIDE_EFFECTS: [&str; 2] = ["None", "NoneOnDryRun"];
const SIDE_EFFECTS: [&str; 4] = ["None", "NoneOnDryRun", "Some", "Unknown"];
const REVIEW_VERSIONS: [&str; 2] = ["v1", "v1beta1"];

pub(super) static COLUMNS: &[Column] = &[
    NAME,
    column("Webhooks", "integer", "Webhooks indicates the number of webhooks registered in this configuration"),
    AGE,
];

pub(super) fn row(configuration: &Object, now: Timestamp) -> Vec<Value> {
    let count = get_array(configuration, "webhooks").len();
    vec![columns::name(configuration), Value::from(count), columns::age(configuration, now)]
}

pub(super) fn default(configuration: &mut Object, is_mutating: bool) {
    for webhook in items_mut(configuration, "webhooks") {
        set_default(webhook, "failurePolicy", "Fail");
        set_default(webhook, "matchPolicy", "Equivalent");
        set_default(webhook, "namespaceSelector", json!({}));
        set_default(webhook, "objectSelector", json!({}));
        set_default(webhook, "timeoutSeconds", 10);
        if is_mutating {
            set_default(webhook, "reinvocationPolicy", "Never");
        }
        rule::default_rules(webhook, "rules");
        if let Some(service) = object_mut(webhook, "clientConfig.service") {
            set_default(service, "port", 443);
        }
    }
}

pub(super) fn validate(configuration: &Object, old: Option<&Object>) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let strictness = Strictness::towards(old);
    let mut seen = BTreeSet::new();
    for (at, webhook) in items(configuration, "webhooks").enumerate() {
        let path = format!("webhooks[{at}]");
        validate_one(webhook, &strictness, &path, &mut faults);
        validate_review_versions(webhook, strictness.known_review_version, &path, &mut faults);
        let name = text(webhook, "name");
        if strictness.unique_names && !name.is_empty() && !seen.insert(name) {
            faults.push(FieldError::duplicate(join(&path, "name"), name));
        }
    }
    faults
}

pub(super) fn bumps_generation(configuration: &Object, old: &Object) -> bool {
    get(configuration, "webhooks") != get(old, "webhooks")
}

/// What an update must fulfil depends on what was let in before there were rules for it.
struct Strictness {
    no_side_effects: bool,
    known_review_version: bool,
    unique_names: bool,
}

impl Strictness {
    fn towards(old: Option<&Object>) -> Self {
        let Some(old) = old else {
            return Strictness { no_side_effects: true, known_review_version: true, unique_names: true };
        };
        let mut names = BTreeSet::new();
        Strictness {
            no_side_effects: items(old, "webhooks")
                .all(|webhook| NO_SIDE_EFFECTS.contains(&text(webhook, "sideEffects"))),
            known_review_version: items(old, "webhooks").all(|webhook| {
                get_array(webhook, "admissionReviewVersions").is_empty() || knows_review_version(webhook)
            }),
            unique_names: items(old, "webhooks").all(|webhook| names.insert(text(webhook, "name"))),
        }
    }
}

fn validate_one(webhook: &Object, strictness: &Strictness, path: &str, faults: &mut Vec<FieldError>) {
    match text(webhook, "name") {
        "" => faults.push(FieldError::required(join(path, "name"), "")),
        name => {
            if let Some(detail) = names::fully_qualified_name(name) {
                faults.push(FieldError::invalid(join(path, "name"), name, detail));
            }
        }
    }
    for (at, rule) in items(webhook, "rules").enumerate() {
        rule::validate(rule, &format!("{path}.rules[{at}]"), faults);
    }
    check_supported(webhook, "failurePolicy", &FAILURE_POLICIES, path, faults);
    rule::validate_match_policy(webhook, path, faults);
    let allowed: &[&str] = if strictness.no_side_effects { &NO_SIDE_EFFECTS } else { &SIDE_EFFECTS };
    if get_str(webhook, "sideEffects").is_none() {
        let detail = format!("must specify one of {}", allowed.join(", "));
        faults.push(FieldError::required(join(path, "sideEffects"), detail));
    }
    check_supported(webhook, "sideEffects", allowed, path, faults);
    if let Some(seconds) = get_i64(webhook, "timeoutSeconds").filter(|seconds| !(1..=30).contains(seconds)) {
        let detail = "the timeout value must be between 1 and 30 seconds";
        faults.push(FieldError::invalid(join(path, "timeoutSeconds"), seconds, detail));
    }
    for selector in ["namespaceSelector", "objectSelector"] {
        if let Some(found) = get_object(webhook, selector) {
            metadata::validate_selector(found, &join(path, selector), faults);
        }
    }
    check_supported(webhook, "reinvocationPolicy", &REINVOCATION_POLICIES, path, faults);
    let empty = Object::new();
    let client = get_object(webhook, "clientConfig").unwrap_or(&empty);
    webhook_client::validate(client, &join(path, "clientConfig"), faults);
    rule::validate_match_conditions(webhook, path, faults);
}

fn validate_review_versions(webhook: &Object, needs_known: bool, path: &str, faults: &mut Vec<FieldError>) {
    let path = join(path, "admissionReviewVersions");
    if get_array(webhook, "admissionReviewVersions").is_empty() {
        let detail = format!("must specify one of {}", REVIEW_VERSIONS.join(", "));
        faults.push(FieldError::required(path, detail));
        return;
    }
    let mut seen = BTreeSet::new();
    for (at, version) in texts(webhook, "admissionReviewVersions").enumerate() {
        let path = format!("{path}[{at}]");
        if !seen.insert(version) {
            faults.push(FieldError::invalid(path, version, "duplicate version"));
            continue;
        }
        invalid_all(&path, version, names::dns_1035_label(version), faults);
    }
    if needs_known && !knows_review_version(webhook) {
        let detail = format!("must include at least one of {}", REVIEW_VERSIONS.join(", "));
        faults.push(FieldError::invalid(path, value(webhook, "admissionReviewVersions"), detail));
    }
}

fn knows_review_version(webhook: &Object) -> bool {
    texts(webhook, "admissionReviewVersions").any(|version| REVIEW_VERSIONS.contains(&version))
}
