//! resource.k8s.io `ResourceClaim`.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::claim::{self, RequestNames};
use super::names::{check_label, check_pool};
use super::v1beta1;
use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_length, check_text, get, get_array, get_object, items, join, object_mut, text, value};
use crate::kind::{Column, Conversion, Kind, Object, Rules};
use crate::names::driver_name;

pub static RESOURCE_CLAIM: Kind = Kind {
    group: "resource.k8s.io",
    kind: "ResourceClaim",
    plural: "resourceclaims",
    singular: "resourceclaim",
    has_status: true,
    rules: &ResourceClaimRules,
    ..Kind::NAMESPACED
};

pub static RESOURCE_CLAIM_V1BETA2: Kind =
    Kind::served_as("resource.k8s.io", "v1beta2", &Conversion::same_as(&RESOURCE_CLAIM));

pub static RESOURCE_CLAIM_V1BETA1: Kind = Kind::served_as(
    "resource.k8s.io",
    "v1beta1",
    &Conversion {
        to_storage: |claim| v1beta1::requests_to_v1(claim, "spec.devices"),
        out_of_storage: |claim| v1beta1::requests_from_v1(claim, "spec.devices"),
        ..Conversion::same_as(&RESOURCE_CLAIM)
    },
);

struct ResourceClaimRules;

const MAX_CONSUMERS: usize = 256;
const MAX_RESULTS: usize = 32;

/// A class's configurations and the claim's own.
const MAX_ALLOCATED_CONFIGURATIONS: usize = 64;
const MAX_CONDITIONS: usize = 8;

impl Rules for ResourceClaimRules {
    fn default(&self, object: &mut Object) {
        if let Some(devices) = object_mut(object, "spec.devices") {
            claim::default(devices);
        }
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if let Some(old) = old {
            claim::check_same_spec(object, old, &mut faults);
        }
        if let Some(spec) = get_object(object, "spec") {
            claim::validate(spec, "spec", &mut faults);
        }
        faults
    }

    fn validate_status(&self, object: &Object, old: &Object) -> Vec<FieldError> {
        let mut faults = Vec::new();
        validate_consumers(object, old, &mut faults);
        validate_device_statuses(object, &mut faults);
        let path = "status.allocation";
        match (get_object(object, path), get_object(old, path)) {
            (Some(after), Some(before)) if after != before => {
                faults.push(FieldError::invalid(path, value(object, path), "field is immutable"));
            }
            (Some(allocation), None) => validate_allocation(object, allocation, path, &mut faults),
            _ => {}
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column("State", "string", "A summary of the current state (allocated, pending, reserved, etc.)."),
            AGE,
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let is_deleted = get(object, "metadata.deletionTimestamp").is_some();
        let is_allocated = get(object, "status.allocation").is_some();
        let is_reserved = is_allocated && !get_array(object, "status.reservedFor").is_empty();
        let states = [
            (is_deleted, "deleted"),
            (!is_deleted && !is_allocated, "pending"),
            (is_allocated, "allocated"),
            (is_reserved, "reserved"),
        ];
        let states: Vec<&str> = states.into_iter().filter(|(holds, _)| *holds).map(|(_, state)| state).collect();
        vec![columns::name(object), Value::from(states.join(",")), columns::age(object, now)]
    }
}

/// Who may use the claim: nobody as long as nothing is allocated, and nobody new once it is going away.
fn validate_consumers(claim: &Object, old: &Object, faults: &mut Vec<FieldError>) {
    let path = "status.reservedFor";
    if claim::is_too_long(claim, path, MAX_CONSUMERS, "", faults) {
        return;
    }
    let mut seen = BTreeSet::new();
    for (at, consumer) in items(claim, path).enumerate() {
        let path = format!("{path}[{at}]");
        for field in ["resource", "name", "uid"] {
            check_text(consumer, field, &path, faults);
        }
        if !seen.insert(text(consumer, "uid")) {
            faults.push(FieldError::duplicate(path, text(consumer, "uid")));
        }
    }
    if seen.is_empty() {
        return;
    }
    let before = get_array(old, path);
    if get(claim, "status.allocation").is_none() {
        faults.push(FieldError::forbidden(path, "may not be specified when `allocated` is not set"));
    } else if get(claim, "metadata.deletionTimestamp").is_some()
        && get_array(claim, path).iter().any(|consumer| !before.contains(consumer))
    {
        let detail = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set";
        faults.push(FieldError::forbidden(path, detail));
    }
}

/// A device by driver, pool, name and share.
fn device_id(device: &Object) -> [&str; 4] {
    ["driver", "pool", "device", "shareID"].map(|field| text(device, field))
}

fn validate_device_statuses(claim: &Object, faults: &mut Vec<FieldError>) {
    let allocated: BTreeSet<[&str; 4]> = items(claim, "status.allocation.devices.results").map(device_id).collect();
    let mut seen = BTreeSet::new();
    for (at, device) in items(claim, "status.devices").enumerate() {
        let path = format!("status.devices[{at}]");
        validate_device_names(device, &path, faults);
        let id = device_id(device);
        if !allocated.contains(&id) {
            let detail = "must be an allocated device in the claim";
            faults.push(FieldError::invalid(path.as_str(), describe(id), detail));
        }
        check_length(device, "conditions", MAX_CONDITIONS, &path, faults);
        if get(device, "data").is_some_and(|data| !data.is_null()) {
            claim::validate_parameters(device, "data", &path, faults);
        }
        if !seen.insert(id) {
            faults.push(FieldError::duplicate(path, describe(id)));
        }
    }
}

fn describe([driver, pool, device, share]: [&str; 4]) -> Value {
    let mut described = json!({ "Driver": driver, "Pool": pool, "Device": device });
    if !share.is_empty() {
        described["ShareID"] = Value::from(share);
    }
    described
}

fn validate_device_names(device: &Object, path: &str, faults: &mut Vec<FieldError>) {
    driver_name(text(device, "driver"), &join(path, "driver"), faults);
    check_pool(text(device, "pool"), &join(path, "pool"), faults);
    check_label(text(device, "device"), &join(path, "device"), faults);
}

fn validate_allocation(claim: &Object, allocation: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let empty = Object::new();
    let names = RequestNames::of(get_object(claim, "spec.devices").unwrap_or(&empty));
    let devices = get_object(allocation, "devices").unwrap_or(&empty);
    let path = join(path, "devices");
    if !claim::is_too_long(devices, "results", MAX_RESULTS, &path, faults) {
        for (at, result) in items(devices, "results").enumerate() {
            let path = format!("{path}.results[{at}]");
            names.check_reference(text(result, "request"), &join(&path, "request"), faults);
            validate_device_names(result, &path, faults);
        }
    }
    if !claim::is_too_long(devices, "config", MAX_ALLOCATED_CONFIGURATIONS, &path, faults) {
        for (at, configuration) in items(devices, "config").enumerate() {
            let path = format!("{path}.config[{at}]");
            match text(configuration, "source") {
                "" => faults.push(FieldError::required(join(&path, "source"), "")),
                "FromClaim" | "FromClass" => {}
                other => {
                    let supported = ["FromClaim", "FromClass"];
                    faults.push(FieldError::not_supported(join(&path, "source"), other, &supported));
                }
            }
            names.check_references(configuration, &path, faults);
            claim::validate_configuration(configuration, &path, faults);
        }
    }
}
