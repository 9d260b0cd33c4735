//! Requests and limits of a pod as a whole, beside those of its containers.

use std::collections::BTreeMap;

use api::Quantity;
use api::quantity::Format;
use serde_json::Value;

use super::resources::{is_huge_pages, parse_amount, validate_amounts};
use crate::error::FieldError;
use crate::fields::{get_array, get_object, items, join, object_at, text};
use crate::kind::Object;

/// What a pod's author may leave to its containers: requests of the whole are theirs together, or else its limits.
pub(super) fn default_pod_resources(spec: &mut Object) {
    if get_object(spec, "resources").is_none() {
        return;
    }
    let together: Vec<(String, Quantity)> = requests_together(spec).into_iter().collect();
    let limits = get_object(spec, "resources.limits").cloned().unwrap_or_else(Object::new);
    let has_amounts = !limits.is_empty() || get_object(spec, "resources.requests").is_some();
    if !has_amounts {
        return;
    }
    let requests = object_at(object_at(spec, "resources"), "requests");
    for (resource, amount) in together {
        let amount = amount.to_text(format_of(&resource));
        requests.entry(resource).or_insert_with(|| Value::from(amount));
    }
    for (resource, amount) in limits {
        requests.entry(resource).or_insert(amount);
    }
}

pub(super) fn validate_pod_resources(spec: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let Some(resources) = get_object(spec, "resources") else { return };
    let resources_path = join(path, "resources");
    if !get_array(resources, "claims").is_empty() {
        let detail = "claims cannot be set for Resources at pod-level";
        faults.push(FieldError::forbidden(join(&resources_path, "claims"), detail));
    }
    let empty = Object::new();
    let limits = get_object(resources, "limits").unwrap_or(&empty);
    let requests = get_object(resources, "requests").unwrap_or(&empty);
    validate_amounts(limits, requests, check_pod_resource, &resources_path, faults);
    for (resource, together) in requests_together(spec) {
        let request = requests.get(&resource);
        if together > request.and_then(parse_amount).unwrap_or(Quantity::ZERO) {
            let shown = together.to_text(format_of(&resource));
            let detail = format!("must be greater than or equal to aggregate container requests of {shown}");
            let value = request.and_then(Value::as_str).unwrap_or("0");
            faults.push(FieldError::invalid(format!("{resources_path}.requests[{resource}]"), value, detail));
        }
    }
    for (at, container) in items(spec, "containers").enumerate() {
        for (resource, value) in get_object(container, "resources.limits").into_iter().flatten() {
            let limit = limits.get(resource);
            if let (Some(own), Some(whole)) = (parse_amount(value), limit.and_then(parse_amount))
                && own > whole
            {
                // The path is upstream's.
                let path = format!("{resources_path}.containers[{at}][{resource}].limits");
                let shown = limit.and_then(Value::as_str).unwrap_or("");
                let detail = format!("must be less than or equal to pod limits of {shown}");
                faults.push(FieldError::invalid(path, value.clone(), detail));
            }
        }
    }
}

/// How amounts of the resource are usually written.
fn format_of(resource: &str) -> Format {
    if resource == "cpu" { Format::Decimal } else { Format::Binary }
}

fn is_supported(resource: &str) -> bool {
    ["cpu", "memory"].contains(&resource) || is_huge_pages(resource)
}

fn check_pod_resource(resource: &str, path: &str, faults: &mut Vec<FieldError>) {
    if !is_supported(resource) {
        faults.push(FieldError::not_supported(path, resource, &["cpu", "hugepages-", "memory"]));
    }
}

/// What the containers ask for at once: those that run beside one another added up, or what the start takes if that
/// is more.
fn requests_together(spec: &Object) -> BTreeMap<String, Quantity> {
    let mut running = BTreeMap::new();
    items(spec, "containers").for_each(|container| add(container, &mut running));
    let (mut sidecars, mut starting) = (BTreeMap::new(), BTreeMap::<String, Quantity>::new());
    for container in items(spec, "initContainers") {
        let mut needed = sidecars.clone();
        add(container, &mut needed);
        if text(container, "restartPolicy") == "Always" {
            add(container, &mut running);
            sidecars = needed.clone();
        }
        for (resource, amount) in needed {
            let most = starting.entry(resource).or_insert(Quantity::ZERO);
            *most = (*most).max(amount);
        }
    }
    for (resource, amount) in starting {
        let most = running.entry(resource).or_insert(Quantity::ZERO);
        *most = (*most).max(amount);
    }
    running
}

fn add(container: &Object, totals: &mut BTreeMap<String, Quantity>) {
    let requests = get_object(container, "resources.requests").into_iter().flatten();
    for (resource, value) in requests.filter(|(resource, _)| is_supported(resource)) {
        let total = totals.entry(resource.clone()).or_insert(Quantity::ZERO);
        *total = total.saturating_add(parse_amount(value).unwrap_or(Quantity::ZERO));
    }
}
