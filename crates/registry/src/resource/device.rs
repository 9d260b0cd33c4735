//! One device of a slice.

use std::collections::BTreeSet;

use serde_json::Value;

use super::claim::is_too_long;
use super::names::{check_label, check_qualified};
use super::taint;
use crate::error::FieldError;
use crate::fields::{get, get_array, get_object, get_str, invalid_all, items, join, text, texts, truth, value};
use crate::kind::Object;
use crate::names;

const MAX_ATTRIBUTES_AND_CAPACITIES: usize = 32;
const MAX_ATTRIBUTE_BYTES: usize = 64;
const MAX_TAINTS: usize = 16;
const MAX_COUNTERS: usize = 32;
const MAX_COUNTER_SETS: usize = 2;
const MAX_BINDING_CONDITIONS: usize = 4;

pub(super) fn validate(
    device: &Object,
    before: Option<&Object>,
    chooses_nodes: bool,
    path: &str,
    faults: &mut Vec<FieldError>,
) {
    let count =
        ["attributes", "capacity"].iter().filter_map(|map| get_object(device, map)).map(Object::len).sum::<usize>();
    if count > MAX_ATTRIBUTES_AND_CAPACITIES {
        let detail =
            format!("the total number of attributes and capacities must not exceed {MAX_ATTRIBUTES_AND_CAPACITIES}");
        faults.push(FieldError::invalid(path, count, detail));
    }
    validate_attributes(device, path, faults);
    validate_capacities(device, path, faults);
    if before.is_none_or(|before| get(before, "taints") != get(device, "taints"))
        && !is_too_long(device, "taints", MAX_TAINTS, path, faults)
    {
        for (at, taint) in items(device, "taints").enumerate() {
            taint::validate(taint, None, &format!("{path}.taints[{at}]"), faults);
        }
    }
    if !is_too_long(device, "consumesCounters", MAX_COUNTER_SETS, path, faults) {
        let mut seen = BTreeSet::new();
        for (at, consumed) in items(device, "consumesCounters").enumerate() {
            let path = format!("{path}.consumesCounters[{at}]");
            validate_counters(consumed, "counterSet", &path, faults);
            if !seen.insert(text(consumed, "counterSet")) {
                faults.push(FieldError::duplicate(path, text(consumed, "counterSet")));
            }
        }
    }
    validate_place(device, chooses_nodes, path, faults);
    validate_binding_conditions(device, path, faults);
}

/// A named set of counters, of a slice or as a device uses them.
pub(super) fn validate_counters(set: &Object, name: &str, path: &str, faults: &mut Vec<FieldError>) {
    match text(set, name) {
        "" => faults.push(FieldError::required(join(path, name), "")),
        found => check_label(found, &join(path, name), faults),
    }
    let path = join(path, "counters");
    match get_object(set, "counters").filter(|counters| !counters.is_empty()) {
        None => faults.push(FieldError::required(path, "")),
        Some(counters) if counters.len() > MAX_COUNTERS => {
            faults.push(FieldError::too_many(path, counters.len(), MAX_COUNTERS));
        }
        Some(counters) => {
            for counter in counters.keys() {
                check_label(counter, &format!("{path}[{counter}]"), faults);
            }
        }
    }
}

/// Attributes by name, each with one value of one type.
fn validate_attributes(device: &Object, path: &str, faults: &mut Vec<FieldError>) {
    for (name, attribute) in get_object(device, "attributes").into_iter().flatten() {
        let path = format!("{path}.attributes[{name}]");
        check_qualified(name, &path, faults);
        let empty = Object::new();
        let attribute = attribute.as_object().unwrap_or(&empty);
        for field in ["string", "version"] {
            let Some(text) = get_str(attribute, field) else { continue };
            if field == "version" && !is_semantic_version(text) {
                let detail = "must be a string compatible with semver.org spec 2.0.0";
                faults.push(FieldError::invalid(join(&path, field), text, detail));
            }
            if text.len() > MAX_ATTRIBUTE_BYTES {
                faults.push(FieldError::too_long(join(&path, field), MAX_ATTRIBUTE_BYTES));
            }
        }
        match attribute.len() {
            0 => faults.push(FieldError::invalid(path, "", "exactly one value must be specified")),
            1 => {}
            _ => {
                let shown = Value::Object(attribute.clone());
                faults.push(FieldError::invalid(path, shown, "exactly one value must be specified"));
            }
        }
    }
}

/// `1.2.3`, `1.2.3-rc.1`, `1.2.3+build`: numbers without leading zeros, words of letters, digits and `-`.
fn is_semantic_version(text: &str) -> bool {
    let is_number = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) && (part == "0" || !part.starts_with('0'))
    };
    let is_word =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (rest, build) = text.split_once('+').map_or((text, None), |(rest, build)| (rest, Some(build)));
    let (core, pre_release) = rest.split_once('-').map_or((rest, None), |(core, pre)| (core, Some(pre)));
    let core: Vec<&str> = core.split('.').collect();
    core.len() == 3
        && core.into_iter().all(is_number)
        && build.is_none_or(|build| build.split('.').all(is_word))
        && pre_release
            .is_none_or(|pre| pre.split('.').all(|part| is_word(part) && (!is_numeric(part) || is_number(part))))
}

/// How a capacity may be shared is said only where it may be.
fn validate_capacities(device: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let is_shared = truth(device, "allowMultipleAllocations");
    for (name, capacity) in get_object(device, "capacity").into_iter().flatten() {
        let path = format!("{path}.capacity[{name}]");
        check_qualified(name, &path, faults);
        let Some(policy) = capacity.as_object().and_then(|capacity| get_object(capacity, "requestPolicy")) else {
            continue;
        };
        let path = join(&path, "requestPolicy");
        if !is_shared {
            faults.push(FieldError::forbidden(path, "allowMultipleAllocations must be true"));
            continue;
        }
        let has_values = !get_array(policy, "validValues").is_empty();
        let range = get_object(policy, "validRange");
        if has_values && range.is_some() {
            let detail = "exactly one policy can be specified, cannot specify \"validValues\" and \"validRange\" at the same time";
            faults.push(FieldError::forbidden(path, detail));
            continue;
        }
        let limited_by = if has_values { "validValues" } else { "validRange" };
        if (has_values || range.is_some()) && get(policy, "default").is_none() {
            let detail = format!("required when {limited_by} is defined");
            faults.push(FieldError::required(join(&path, "default"), detail));
        }
        if range.is_some_and(|range| get(range, "min").is_none()) {
            let detail = "required when validRange is defined";
            faults.push(FieldError::required(join(&path, "validRange.min"), detail));
        }
    }
}

fn validate_place(device: &Object, chooses_nodes: bool, path: &str, faults: &mut Vec<FieldError>) {
    if !chooses_nodes {
        if ["nodeName", "nodeSelector", "allNodes"].iter().any(|field| get(device, field).is_some()) {
            let detail = "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set \
                          to true in the ResourceSlice spec";
            faults.push(FieldError::invalid(path, Value::Null, detail));
        }
        return;
    }
    let mut places = Vec::new();
    match get_str(device, "nodeName") {
        None => {}
        Some("") => faults.push(FieldError::invalid(join(path, "nodeName"), "", "must not be empty")),
        Some(name) => {
            places.push("`nodeName`");
            invalid_all(&join(path, "nodeName"), name, names::dns_subdomain(name), faults);
        }
    }
    if get(device, "nodeSelector").is_some() {
        places.push("`nodeSelector`");
    }
    match get(device, "allNodes").and_then(Value::as_bool) {
        None => {}
        Some(true) => places.push("`allNodes`"),
        Some(false) => {
            let detail = "must be either unset or set to true";
            faults.push(FieldError::invalid(join(path, "allNodes"), false, detail));
        }
    }
    let detail = "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is \
                  set to true in the ResourceSlice spec";
    match places.len() {
        0 => faults.push(FieldError::required(path, detail)),
        1 => {}
        _ => faults.push(FieldError::invalid(path, format!("{{{}}}", places.join(", ")), detail)),
    }
}

/// Conditions that a pod waits for, and those that end its waiting: both or none, and none in both.
fn validate_binding_conditions(device: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let (ready, failed) = ("bindingConditions", "bindingFailureConditions");
    for list in [ready, failed] {
        if is_too_long(device, list, MAX_BINDING_CONDITIONS, path, faults) {
            continue;
        }
        let mut seen = BTreeSet::new();
        for (at, condition) in texts(device, list).enumerate() {
            let path = format!("{path}.{list}[{at}]");
            invalid_all(&path, condition, names::qualified_name(condition), faults);
            if !seen.insert(condition) {
                faults.push(FieldError::duplicate(path, condition));
            }
        }
    }
    for (at, condition) in texts(device, failed).enumerate() {
        if texts(device, ready).any(|other| other == condition) {
            let detail = "bindingFailureConditions must not overlap with bindingConditions";
            faults.push(FieldError::invalid(format!("{path}.{failed}[{at}]"), condition, detail));
        }
    }
    for (missing, present) in [(ready, failed), (failed, ready)] {
        if get_array(device, missing).is_empty() && !get_array(device, present).is_empty() {
            let detail = format!("{missing} are required to use {present}");
            faults.push(FieldError::invalid(join(path, missing), value(device, missing), detail));
        }
    }
}
