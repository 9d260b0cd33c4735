//! ResourceQuota.

use std::collections::BTreeSet;

use api::Quantity;
use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{get_array, get_object, invalid_all, items, join, text, texts, value};
use crate::kind::{Column, Kind, Object, Rules};
use crate::{names, pod_spec};

pub static RESOURCE_QUOTA: Kind = Kind {
    kind: "ResourceQuota",
    plural: "resourcequotas",
    singular: "resourcequota",
    short_names: &["quota"],
    has_status: true,
    rules: &ResourceQuotaRules,
    ..Kind::NAMESPACED
};

struct ResourceQuotaRules;

impl Rules for ResourceQuotaRules {
    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let empty = Object::new();
        let hard = get_object(object, "spec.hard").unwrap_or(&empty);
        for (resource, amount) in hard {
            let path = format!("spec.hard[{resource}]");
            check_resource(resource, &path, &mut faults);
            check_amount(resource, amount, &path, &mut faults);
        }
        validate_scopes(object, hard, &mut faults);
        validate_scope_selector(object, hard, &mut faults);
        if let Some(old) = old {
            let scopes = |quota| texts(quota, SCOPES).collect::<BTreeSet<_>>();
            if scopes(object) != scopes(old) {
                faults.push(FieldError::invalid(SCOPES, value(object, SCOPES), "field is immutable"));
            }
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column(
                "Request",
                "string",
                "Request represents a minimum amount of cpu/memory that a container may consume.",
            ),
            column("Limit", "string", "Limits control the maximum amount of cpu/memory that a container may use."),
            AGE,
        ];
        COLUMNS
    }

    /// Limits in their own column, everything else in the other; each as used of hard.
    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let (mut requests, mut limits) = (Vec::new(), Vec::new());
        for (resource, hard) in get_object(object, "status.hard").into_iter().flatten() {
            let used = get_object(object, "status.used").and_then(|used| used.get(resource)).and_then(Value::as_str);
            let text = format!("{resource}: {}/{}", used.unwrap_or("0"), hard.as_str().unwrap_or(""));
            if resource.starts_with("limits") { limits.push(text) } else { requests.push(text) }
        }
        requests.sort();
        limits.sort();
        vec![
            columns::name(object),
            Value::from(requests.join(", ")),
            Value::from(limits.join(", ")),
            columns::age(object, now),
        ]
    }
}

const SCOPES: &str = "spec.scopes";

/// Objects and other things that are counted in whole numbers.
const COUNTED: [&str; 9] = [
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];

/// What pods use, besides their number.
const COMPUTE: [&str; 6] = ["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];

fn check_resource(resource: &str, path: &str, faults: &mut Vec<FieldError>) {
    let complaints = names::qualified_name(resource);
    if !complaints.is_empty() {
        return invalid_all(path, resource, complaints, faults);
    }
    if !resource.contains('/') && !pod_spec::is_standard(resource) {
        for detail in ["must be a standard resource type or fully qualified", "must be a standard resource for quota"] {
            faults.push(FieldError::invalid(path, resource, detail));
        }
    }
}

fn check_amount(resource: &str, amount: &Value, path: &str, faults: &mut Vec<FieldError>) {
    let Some(quantity) = pod_spec::parse_amount(amount) else { return };
    if quantity.is_negative() {
        faults.push(FieldError::invalid(path, amount.clone(), "must be greater than or equal to 0"));
    }
    let is_counted = COUNTED.contains(&resource) || pod_spec::is_extended(resource);
    if is_counted && Quantity::from_units(quantity.units()) != quantity {
        faults.push(FieldError::invalid(path, amount.clone(), "must be an integer"));
    }
}

const KNOWN_SCOPES: [&str; 7] = [
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "PriorityClass",
    "Terminating",
    "VolumeAttributesClass",
];

/// Whether what a quota bounds can be of the scope.
fn fits(scope: &str, resource: &str) -> bool {
    match scope {
        "BestEffort" => resource == "pods" || resource == "count/pods",
        "NotBestEffort" | "Terminating" | "NotTerminating" | "PriorityClass" | "CrossNamespacePodAffinity" => {
            ["pods", "count/pods"].contains(&resource) || COMPUTE.contains(&resource)
        }
        "VolumeAttributesClass" => {
            ["persistentvolumeclaims", "count/persistentvolumeclaims", "requests.storage"].contains(&resource)
        }
        _ => true,
    }
}

fn validate_scopes(quota: &Object, hard: &Object, faults: &mut Vec<FieldError>) {
    let scopes: Vec<&str> = texts(quota, SCOPES).collect();
    let refuse = |detail: &str| FieldError::invalid(SCOPES, value(quota, SCOPES), detail);
    for scope in &scopes {
        if !KNOWN_SCOPES.contains(scope) {
            faults.push(refuse("unsupported scope"));
        }
        let misfits = hard.keys().filter(|resource| pod_spec::is_standard(resource) && !fits(scope, resource));
        faults.extend(misfits.map(|_| refuse("unsupported scope applied to resource")));
    }
    for pair in [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]] {
        if pair.iter().all(|scope| scopes.contains(scope)) {
            faults.push(refuse("conflicting scopes"));
        }
    }
}

fn validate_scope_selector(quota: &Object, hard: &Object, faults: &mut Vec<FieldError>) {
    let path = "spec.scopeSelector.matchExpressions";
    for (at, requirement) in items(quota, path).enumerate() {
        let path = format!("{path}[{at}]");
        let (scope, operator) = (text(requirement, "scopeName"), text(requirement, "operator"));
        let values = get_array(requirement, "values");
        if !KNOWN_SCOPES.contains(&scope) {
            faults.push(FieldError::invalid(join(&path, "scopeName"), scope, "unsupported scope"));
        }
        let misfits = hard.keys().filter(|resource| pod_spec::is_standard(resource) && !fits(scope, resource));
        for _ in misfits {
            let detail = "unsupported scope applied to resource";
            faults.push(FieldError::invalid("spec.scopeSelector.matchExpressions", requirements(quota), detail));
        }
        let only_exists = ["BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity"];
        if only_exists.contains(&scope) && operator != "Exists" {
            let detail = "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, \
                          ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, \
                          ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
            faults.push(FieldError::invalid(join(&path, "operator"), operator, detail));
        }
        match operator {
            "In" | "NotIn" if values.is_empty() => {
                let detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
                faults.push(FieldError::required(join(&path, "values"), detail));
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
                let given = Value::from(values);
                faults.push(FieldError::invalid(join(&path, "values"), given, detail));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => {
                faults.push(FieldError::invalid(join(&path, "operator"), other, "not a valid selector operator"));
            }
        }
    }
}

fn requirements(quota: &Object) -> Value {
    value(quota, "spec.scopeSelector.matchExpressions")
}
