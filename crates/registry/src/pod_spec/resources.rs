//! What is wrong with a container's requests and limits.

use std::collections::BTreeSet;

use api::Quantity;
use serde_json::Value;

use crate::error::FieldError;
use crate::fields::{get_object, invalid_all, items, join, text};
use crate::kind::Object;
use crate::names;

const HUGE_PAGES: &str = "hugepages-";

pub(super) fn validate_resources(
    container: &Object,
    claim_names: &BTreeSet<&str>,
    path: &str,
    faults: &mut Vec<FieldError>,
) {
    let path = join(path, "resources");
    let empty = Object::new();
    let amounts = |list: &str| get_object(container, &format!("resources.{list}")).unwrap_or(&empty);
    validate_amounts(amounts("limits"), amounts("requests"), check_container_resource, &path, faults);
    validate_claims(container, claim_names, &join(&path, "claims"), faults);
}

/// What a runtime needs besides the containers.
pub(super) fn validate_overhead(overhead: &Object, path: &str, faults: &mut Vec<FieldError>) {
    validate_amounts(overhead, &Object::new(), check_container_resource, path, faults);
}

/// Limits and requests of a container or of a whole pod, which know other resources.
pub(super) fn validate_amounts(
    limits: &Object,
    requests: &Object,
    check_name: fn(&str, &str, &mut Vec<FieldError>),
    path: &str,
    faults: &mut Vec<FieldError>,
) {
    let (limits_path, requests_path) = (join(path, "limits"), join(path, "requests"));
    for (resource, value) in limits {
        let path = format!("{limits_path}[{resource}]");
        check_name(resource, &path, faults);
        check_amount(resource, value, &path, faults);
        check_pages(resource, value, &path, faults);
    }
    for (resource, value) in requests {
        let path = format!("{requests_path}[{resource}]");
        check_name(resource, &path, faults);
        check_amount(resource, value, &path, faults);
        let limit = limits.get(resource);
        let (request_amount, limit_amount) = (parse_amount(value), limit.and_then(parse_amount));
        let shown = limit.and_then(Value::as_str).unwrap_or("");
        match (request_amount, limit_amount) {
            (Some(request), Some(limit)) if !may_overcommit(resource) && request != limit => {
                let detail = format!("must be equal to {resource} limit of {shown}");
                faults.push(FieldError::invalid(requests_path.as_str(), value.clone(), detail));
            }
            (Some(request), Some(limit)) if request > limit => {
                let detail = format!("must be less than or equal to {resource} limit of {shown}");
                faults.push(FieldError::invalid(requests_path.as_str(), value.clone(), detail));
            }
            (_, None) if !may_overcommit(resource) => {
                let detail = "Limit must be set for non overcommitable resources";
                faults.push(FieldError::required(limits_path.as_str(), detail));
            }
            _ => {}
        }
        check_pages(resource, value, &path, faults);
    }
    let mentions = |rule: fn(&str) -> bool| limits.keys().chain(requests.keys()).any(|resource| rule(resource));
    if mentions(is_huge_pages) && !mentions(|resource| ["cpu", "memory"].contains(&resource)) {
        faults.push(FieldError::forbidden(path, "HugePages require cpu or memory"));
    }
}

fn validate_claims(container: &Object, known: &BTreeSet<&str>, path: &str, faults: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    for (at, claim) in items(container, "resources.claims").enumerate() {
        let path = format!("{path}[{at}]");
        let name = text(claim, "name");
        if name.is_empty() {
            faults.push(FieldError::required(path, ""));
            continue;
        }
        if !seen.insert((name, text(claim, "request"))) {
            faults.push(FieldError::duplicate(path.as_str(), name));
        }
        if !known.contains(name) {
            let names: Vec<&str> = known.iter().copied().collect();
            let which = if names.is_empty() { " which is empty".to_owned() } else { format!(": {}", names.join(", ")) };
            let detail = format!("must be one of the names in pod.spec.resourceClaims{which}");
            faults.push(FieldError::not_found_among(path, name, detail));
        }
    }
}

pub(crate) fn parse_amount(value: &Value) -> Option<Quantity> {
    value.as_str()?.parse().ok()
}

pub(super) fn is_huge_pages(resource: &str) -> bool {
    resource.starts_with(HUGE_PAGES)
}

/// Named by Kubernetes itself.
fn is_native(resource: &str) -> bool {
    !resource.contains('/') || resource.contains("kubernetes.io/")
}

/// Named by someone outside the project: counted in whole pieces and never shared.
pub(crate) fn is_extended(resource: &str) -> bool {
    !is_native(resource)
}

pub(crate) fn may_overcommit(resource: &str) -> bool {
    is_native(resource) && !is_huge_pages(resource)
}

fn check_amount(resource: &str, value: &Value, path: &str, faults: &mut Vec<FieldError>) {
    let Some(amount) = parse_amount(value) else { return };
    if amount.is_negative() {
        faults.push(FieldError::invalid(path, value.clone(), "must be greater than or equal to 0"));
    }
    if is_extended(resource) && Quantity::from_units(amount.units()) != amount {
        faults.push(FieldError::invalid(path, value.clone(), "must be an integer"));
    }
}

/// Huge pages come whole, and at least one of them.
fn check_pages(resource: &str, value: &Value, path: &str, faults: &mut Vec<FieldError>) {
    let page = resource.strip_prefix(HUGE_PAGES).and_then(|size| size.parse::<Quantity>().ok());
    let (Some(page), Some(amount)) = (page, parse_amount(value)) else { return };
    let is_whole = page > Quantity::ZERO && amount.units() % page.units() == 0;
    if !is_whole {
        let detail = format!("{} is not positive integer multiple of {resource}", value.as_str().unwrap_or(""));
        faults.push(FieldError::invalid(path, value.clone(), detail));
    }
}

/// Names that stand for themselves, wherever amounts are spoken of.
const STANDARD: [&str; 25] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "storage",
    "requests.storage",
    "services.nodeports",
    "services.loadbalancers",
    "count/pods",
    "count/services",
    "count/secrets",
    "count/configmaps",
    "count/persistentvolumeclaims",
];

pub(crate) fn is_standard(resource: &str) -> bool {
    STANDARD.contains(&resource) || is_huge_pages(resource) || resource.starts_with("requests.hugepages-")
}

fn check_container_resource(resource: &str, path: &str, faults: &mut Vec<FieldError>) {
    let complaints = names::qualified_name(resource);
    if !complaints.is_empty() {
        return invalid_all(path, resource, complaints, faults);
    }
    if resource.contains('/') {
        return;
    }
    if !is_standard(resource) {
        let detail = "must be a standard resource type or fully qualified";
        faults.push(FieldError::invalid(path, resource, detail));
    }
    if !["cpu", "memory", "ephemeral-storage"].contains(&resource) && !is_huge_pages(resource) {
        faults.push(FieldError::invalid(path, resource, "must be a standard resource for containers"));
    }
}
