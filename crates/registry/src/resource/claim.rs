//! What claims, templates of claims and device classes say of the devices they want.

use std::collections::BTreeSet;

use serde_json::Value;

use super::names::{check_device_class, check_fully_qualified, check_label};
use super::taint;
use crate::error::FieldError;
use crate::fields::{
    check_length, get, get_array, get_object, get_str, items, items_mut, join, number, object_mut, set_default, text,
    texts, value,
};
use crate::kind::Object;
use crate::names::driver_name;

const MAX_REQUESTS: usize = 32;
const MAX_CONSTRAINTS: usize = 32;
const MAX_CONFIGURATIONS: usize = 32;
const MAX_SELECTORS: usize = 32;
const MAX_ALTERNATIVES: usize = 8;
const MAX_TOLERATIONS: usize = 16;
const MAX_EXPRESSION_BYTES: usize = 10 * 1024;
const MAX_PARAMETERS_BYTES: usize = 10 * 1024;

/// Fills the requests of a claim's `devices`.
pub(super) fn default(devices: &mut Object) {
    for request in items_mut(devices, "requests") {
        if let Some(exactly) = object_mut(request, "exactly") {
            default_request(exactly);
        }
        for alternative in items_mut(request, "firstAvailable") {
            default_request(alternative);
        }
    }
}

fn default_request(request: &mut Object) {
    if text(request, "allocationMode").is_empty() {
        request.insert("allocationMode".to_owned(), Value::from("ExactCount"));
    }
    if text(request, "allocationMode") == "ExactCount" && number(request, "count") == 0 {
        request.insert("count".to_owned(), Value::from(1));
    }
    for toleration in items_mut(request, "tolerations") {
        set_default(toleration, "operator", "Equal");
    }
}

/// A claim's spec. Expressions are not compiled.
pub(super) fn validate(spec: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let empty = Object::new();
    let devices = get_object(spec, "devices").unwrap_or(&empty);
    let path = join(path, "devices");
    if is_too_long(devices, "requests", MAX_REQUESTS, &path, faults) {
        return;
    }
    let names = RequestNames::of(devices);
    let mut seen = BTreeSet::new();
    for (at, request) in items(devices, "requests").enumerate() {
        let path = format!("{path}.requests[{at}]");
        validate_request(request, &path, faults);
        if !seen.insert(text(request, "name")) {
            faults.push(FieldError::duplicate(path, text(request, "name")));
        }
    }
    if !is_too_long(devices, "constraints", MAX_CONSTRAINTS, &path, faults) {
        for (at, constraint) in items(devices, "constraints").enumerate() {
            validate_constraint(constraint, &names, &format!("{path}.constraints[{at}]"), faults);
        }
    }
    if !is_too_long(devices, "config", MAX_CONFIGURATIONS, &path, faults) {
        for (at, configuration) in items(devices, "config").enumerate() {
            let path = format!("{path}.config[{at}]");
            names.check_references(configuration, &path, faults);
            validate_configuration(configuration, &path, faults);
        }
    }
}

/// The names of requests and, below them, of their alternatives: `gpu`, `gpu/large`.
pub(super) struct RequestNames<'a>(BTreeSet<(&'a str, Option<&'a str>)>);

impl<'a> RequestNames<'a> {
    pub(super) fn of(devices: &'a Object) -> Self {
        let mut names = BTreeSet::new();
        for request in items(devices, "requests") {
            let name = text(request, "name");
            names.insert((name, None));
            names.extend(items(request, "firstAvailable").map(|below| (name, Some(text(below, "name")))));
        }
        RequestNames(names)
    }

    /// Faults of the list `requests`, each a name of the claim's.
    pub(super) fn check_references(&self, owner: &Object, path: &str, faults: &mut Vec<FieldError>) {
        if is_too_long(owner, "requests", MAX_REQUESTS, path, faults) {
            return;
        }
        let mut seen = BTreeSet::new();
        for (at, name) in texts(owner, "requests").enumerate() {
            let path = format!("{path}.requests[{at}]");
            self.check_reference(name, &path, faults);
            if !seen.insert(name) {
                faults.push(FieldError::duplicate(path, name));
            }
        }
    }

    pub(super) fn check_reference(&self, name: &str, path: &str, faults: &mut Vec<FieldError>) {
        let key = match name.split('/').collect::<Vec<_>>()[..] {
            [request] => Some((request, None)),
            [request, below] => Some((request, Some(below))),
            _ => None,
        };
        if key.is_some() {
            for part in name.split('/') {
                check_label(part, path, faults);
            }
        }
        if key.is_none_or(|key| !self.0.contains(&key)) {
            let detail = "must be the name of a request in the claim or the name of a request and a subrequest \
                          separated by '/'";
            faults.push(FieldError::invalid(path, name, detail));
        }
    }
}

fn validate_request(request: &Object, path: &str, faults: &mut Vec<FieldError>) {
    check_label(text(request, "name"), &join(path, "name"), faults);
    let alternatives = get_array(request, "firstAvailable");
    match (get_object(request, "exactly"), alternatives.is_empty()) {
        (None, true) => {
            let detail = "exactly one of `exactly` or `firstAvailable` is required";
            faults.push(FieldError::required(path, detail));
        }
        (Some(_), false) => {
            let detail = "exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set";
            faults.push(FieldError::invalid(path, Value::Null, detail));
        }
        (Some(exactly), true) => validate_exact(exactly, &join(path, "exactly"), faults),
        (None, false) => {
            if is_too_long(request, "firstAvailable", MAX_ALTERNATIVES, path, faults) {
                return;
            }
            let mut seen = BTreeSet::new();
            for (at, alternative) in items(request, "firstAvailable").enumerate() {
                let path = format!("{path}.firstAvailable[{at}]");
                check_label(text(alternative, "name"), &join(&path, "name"), faults);
                validate_exact(alternative, &path, faults);
                if !seen.insert(text(alternative, "name")) {
                    faults.push(FieldError::duplicate(path, text(alternative, "name")));
                }
            }
        }
    }
}

fn validate_exact(request: &Object, path: &str, faults: &mut Vec<FieldError>) {
    check_device_class(text(request, "deviceClassName"), &join(path, "deviceClassName"), faults);
    validate_selectors(request, path, faults);
    let count = number(request, "count");
    match text(request, "allocationMode") {
        "All" if count != 0 => {
            let detail = "must not be specified when allocationMode is 'All'";
            faults.push(FieldError::invalid(join(path, "count"), count, detail));
        }
        "All" => {}
        "ExactCount" if count <= 0 => {
            faults.push(FieldError::invalid(join(path, "count"), count, "must be greater than zero"));
        }
        "ExactCount" => {}
        other => {
            let path = join(path, "allocationMode");
            faults.push(FieldError::not_supported(path, other, &["All", "ExactCount"]));
        }
    }
    check_length(request, "tolerations", MAX_TOLERATIONS, path, faults);
    for (at, toleration) in items(request, "tolerations").enumerate() {
        taint::validate_toleration(toleration, &format!("{path}.tolerations[{at}]"), faults);
    }
}

pub(super) fn validate_selectors(owner: &Object, path: &str, faults: &mut Vec<FieldError>) {
    if is_too_long(owner, "selectors", MAX_SELECTORS, path, faults) {
        return;
    }
    for (at, selector) in items(owner, "selectors").enumerate() {
        let path = format!("{path}.selectors[{at}].cel");
        let Some(expression) = get_object(selector, "cel") else {
            faults.push(FieldError::required(path, ""));
            continue;
        };
        if text(expression, "expression").len() > MAX_EXPRESSION_BYTES {
            faults.push(FieldError::too_long(join(&path, "expression"), MAX_EXPRESSION_BYTES));
        }
    }
}

fn validate_constraint(constraint: &Object, names: &RequestNames, path: &str, faults: &mut Vec<FieldError>) {
    names.check_references(constraint, path, faults);
    match (get_str(constraint, "matchAttribute"), get_str(constraint, "distinctAttribute")) {
        (Some(name), _) => check_fully_qualified(name, &join(path, "matchAttribute"), faults),
        (None, Some(name)) => check_fully_qualified(name, &join(path, "distinctAttribute"), faults),
        (None, None) => {
            let detail = "exactly one of \"matchAttribute\" or \"distinctAttribute\" is required, but multiple fields \
                          are set";
            faults.push(FieldError::required(path, detail));
        }
    }
}

/// Parameters for a driver, which the driver alone understands.
pub(super) fn validate_configuration(configuration: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let path = join(path, "opaque");
    let Some(opaque) = get_object(configuration, "opaque") else {
        faults.push(FieldError::required(path, ""));
        return;
    };
    driver_name(text(opaque, "driver"), &join(&path, "driver"), faults);
    validate_parameters(opaque, "parameters", &path, faults);
}

pub(super) fn validate_parameters(owner: &Object, field: &str, path: &str, faults: &mut Vec<FieldError>) {
    let path = join(path, field);
    match get(owner, field) {
        None | Some(Value::Null) => faults.push(FieldError::required(path, "")),
        Some(parameters) if parameters.to_string().len() > MAX_PARAMETERS_BYTES => {
            faults.push(FieldError::too_long(path, MAX_PARAMETERS_BYTES));
        }
        Some(Value::Object(_)) => {}
        Some(_) => faults.push(FieldError::invalid(path, "<value omitted>", "must be a valid JSON object")),
    }
}

pub(super) fn validate_class_configurations(class: &Object, path: &str, faults: &mut Vec<FieldError>) {
    if is_too_long(class, "config", MAX_CONFIGURATIONS, path, faults) {
        return;
    }
    for (at, configuration) in items(class, "config").enumerate() {
        validate_configuration(configuration, &format!("{path}.config[{at}]"), faults);
    }
}

/// A list over its limit is refused without a look at its items.
pub(super) fn is_too_long(owner: &Object, list: &str, limit: usize, path: &str, faults: &mut Vec<FieldError>) -> bool {
    check_length(owner, list, limit, path, faults);
    get_array(owner, list).len() > limit
}

/// The spec of a claim says forever what it said first.
pub(super) fn check_same_spec(object: &Object, old: &Object, faults: &mut Vec<FieldError>) {
    if get(object, "spec") != get(old, "spec") {
        faults.push(FieldError::invalid("spec", value(object, "spec"), "field is immutable"));
    }
}
