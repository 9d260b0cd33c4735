//! Which requests a webhook or a policy is about.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::error::FieldError;
use crate::fields::{
    check_supported, get, get_array, get_object, invalid_all, items, items_mut, join, set_default, text, texts, value,
};
use crate::kind::Object;
use crate::{metadata, names};

const OPERATIONS: [&str; 5] = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const SCOPES: [&str; 3] = ["*", "Cluster", "Namespaced"];
const MATCH_POLICIES: [&str; 2] = ["Equivalent", "Exact"];
const MAX_MATCH_CONDITIONS: usize = 64;

pub(super) const FAILURE_POLICIES: [&str; 2] = ["Fail", "Ignore"];
pub(super) const REINVOCATION_POLICIES: [&str; 2] = ["IfNeeded", "Never"];

/// Fills the rules of a list.
pub(super) fn default_rules(owner: &mut Object, list: &str) {
    for rule in items_mut(owner, list) {
        set_default(rule, "scope", "*");
    }
}

/// Fills a policy's or a binding's description of the requests it matches.
pub(super) fn default_match_resources(owner: &mut Object, path: &str) {
    let Some(resources) = crate::fields::object_mut(owner, path) else { return };
    set_default(resources, "matchPolicy", "Equivalent");
    set_default(resources, "namespaceSelector", json!({}));
    set_default(resources, "objectSelector", json!({}));
    default_rules(resources, "resourceRules");
    default_rules(resources, "excludeResourceRules");
}

pub(super) fn validate_match_resources(resources: &Object, path: &str, faults: &mut Vec<FieldError>) {
    crate::fields::check_text(resources, "matchPolicy", path, faults);
    if !text(resources, "matchPolicy").is_empty() {
        check_supported(resources, "matchPolicy", &MATCH_POLICIES, path, faults);
    }
    for selector in ["namespaceSelector", "objectSelector"] {
        match get_object(resources, selector) {
            None => faults.push(FieldError::required(join(path, selector), "")),
            Some(found) => metadata::validate_selector(found, &join(path, selector), faults),
        }
    }
    for list in ["resourceRules", "excludeResourceRules"] {
        for (at, rule) in items(resources, list).enumerate() {
            let path = format!("{path}.{list}[{at}]");
            validate_resource_names(rule, &path, faults);
            validate(rule, &path, faults);
        }
    }
}

pub(super) fn validate_match_policy(owner: &Object, path: &str, faults: &mut Vec<FieldError>) {
    check_supported(owner, "matchPolicy", &MATCH_POLICIES, path, faults);
}

/// One rule with its operations.
pub(super) fn validate(rule: &Object, path: &str, faults: &mut Vec<FieldError>) {
    validate_wildcard(rule, "operations", "operations", path, faults);
    for (at, operation) in texts(rule, "operations").enumerate() {
        if !OPERATIONS.contains(&operation) {
            faults.push(FieldError::not_supported(format!("{path}.operations[{at}]"), operation, &OPERATIONS));
        }
    }
    validate_wildcard(rule, "apiGroups", "API groups", path, faults);
    validate_wildcard(rule, "apiVersions", "API versions", path, faults);
    for (at, _) in texts(rule, "apiVersions").enumerate().filter(|(_, version)| version.is_empty()) {
        faults.push(FieldError::required(format!("{path}.apiVersions[{at}]"), ""));
    }
    validate_resources(rule, &join(path, "resources"), faults);
    check_supported(rule, "scope", &SCOPES, path, faults);
}

/// A list that is needed, and where `*` stands alone.
fn validate_wildcard(rule: &Object, list: &str, what: &str, path: &str, faults: &mut Vec<FieldError>) {
    match get_array(rule, list).len() {
        0 => faults.push(FieldError::required(join(path, list), "")),
        1 => {}
        _ if texts(rule, list).any(|text| text == "*") => {
            let detail = format!("if '*' is present, must not specify other {what}");
            faults.push(FieldError::invalid(join(path, list), value(rule, list), detail));
        }
        _ => {}
    }
}

/// Resources and subresources (`pods`, `pods/log`, `*/scale`, `*/*`), none said twice.
fn validate_resources(rule: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let count = get_array(rule, "resources").len();
    if count == 0 {
        faults.push(FieldError::required(path, ""));
    }
    let (mut all_of, mut everywhere) = (BTreeSet::new(), BTreeSet::new());
    let (mut has_everything, mut has_all_resources, mut has_plain_resource) = (false, false, false);
    for (at, text) in texts(rule, "resources").enumerate() {
        let path = format!("{path}[{at}]");
        if text.is_empty() {
            faults.push(FieldError::required(path, ""));
            continue;
        }
        has_everything |= text == "*/*";
        has_all_resources |= text == "*";
        let Some((resource, subresource)) = text.split_once('/') else {
            // Upstream looks at the last one alone.
            has_plain_resource = text != "*";
            continue;
        };
        if all_of.contains(resource) {
            let detail = format!("if '{resource}/*' is present, must not specify {text}");
            faults.push(FieldError::invalid(path.as_str(), text, detail));
        }
        if everywhere.contains(subresource) {
            let detail = format!("if '*/{subresource}' is present, must not specify {text}");
            faults.push(FieldError::invalid(path.as_str(), text, detail));
        }
        if subresource == "*" {
            all_of.insert(resource);
        }
        if resource == "*" {
            everywhere.insert(subresource);
        }
    }
    let resources = || value(rule, "resources");
    if count > 1 && has_everything {
        let detail = "if '*/*' is present, must not specify other resources";
        faults.push(FieldError::invalid(path, resources(), detail));
    }
    if has_all_resources && has_plain_resource {
        let detail = "if '*' is present, must not specify other resources without subresources";
        faults.push(FieldError::invalid(path, resources(), detail));
    }
}

fn validate_resource_names(rule: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    for (at, name) in texts(rule, "resourceNames").enumerate() {
        let path = format!("{path}.resourceNames[{at}]");
        invalid_all(&path, name, names::path_segment(name), faults);
        if !seen.insert(name) {
            faults.push(FieldError::duplicate(path, name));
        }
    }
}

/// Named expressions that a request must fulfil. What they say is not compiled here.
pub(super) fn validate_match_conditions(owner: &Object, path: &str, faults: &mut Vec<FieldError>) {
    crate::fields::check_length(owner, "matchConditions", MAX_MATCH_CONDITIONS, path, faults);
    let mut seen = BTreeSet::new();
    for (at, condition) in items(owner, "matchConditions").enumerate() {
        let path = format!("{}[{at}]", join(path, "matchConditions"));
        if text(condition, "expression").trim().is_empty() {
            faults.push(FieldError::required(join(&path, "expression"), ""));
        }
        let name = text(condition, "name");
        crate::fields::check_named(condition, "name", names::qualified_name, &path, faults);
        if !name.is_empty() && !seen.insert(name) {
            faults.push(FieldError::duplicate(join(&path, "name"), name));
        }
    }
}

/// `kind` as tables show what a policy takes its parameters from.
pub(super) fn param_kind_cell(policy: &Object) -> Value {
    let kind = "spec.paramKind";
    Value::from(match get(policy, kind) {
        None => "<unset>".to_owned(),
        Some(_) => {
            format!("{}/{}", text(policy, "spec.paramKind.apiVersion"), text(policy, "spec.paramKind.kind"))
        }
    })
}
