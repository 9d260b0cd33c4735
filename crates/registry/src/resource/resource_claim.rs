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
    Kind::served_as("resource.k8s.io", "v1beta2", &Conversion::same_as(&RESOURCE_CLAIM)).deprecated(36, 39, "");

pub static RESOURCE_CLAIM_V1BETA1: Kind = Kind::served_as(
    "resource.k8s.io",
    "v1beta1",
    &Conversion {
        to_storage: |claim| v1beta1::requests_to_v1(claim, "spec.devices"),
        out_of_storage: |claim| v1beta1::requests_from_v1(claim, "spec.devices"),
        ..Conversion::same_as(&RESOURCE_CLAIM)
    },
)
.deprecated(35, 38, "");

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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{check, check_status, check_update, created, object, row};

    fn claim(devices: Value) -> Value {
        json!({"metadata": {"name": "c", "namespace": "n"}, "spec": {"devices": devices}})
    }

    fn gpu() -> Value {
        claim(json!({"requests": [{"name": "gpu", "exactly": {"deviceClassName": "gpu.example.com"}}]}))
    }

    #[test]
    fn a_request_is_for_one_device_unless_it_says_otherwise() {
        let created = created(&RESOURCE_CLAIM, gpu());
        let exactly = &created["spec"]["devices"]["requests"][0]["exactly"];
        assert_eq!((&exactly["allocationMode"], &exactly["count"]), (&json!("ExactCount"), &json!(1)));
        check(&RESOURCE_CLAIM, gpu(), &[]);
    }

    #[test]
    fn what_upstream_refuses_is_refused_in_its_words() {
        let kind = &RESOURCE_CLAIM;
        check(
            kind,
            claim(json!({
                "requests": [
                    {"name": "a"},
                    {"name": "a", "exactly": {"deviceClassName": "x"}, "firstAvailable": [{"name": "s", "deviceClassName": "x"}]},
                    {"name": "b", "exactly": {"allocationMode": "All", "count": 2, "tolerations": [{"operator": "Exists", "value": "x"}], "selectors": [{}]}},
                    {"name": "c", "firstAvailable": [{"name": "s", "deviceClassName": "x", "allocationMode": "Some"}]},
                ],
                "constraints": [{"requests": ["a", "c/s", "d", "a"], "matchAttribute": "model"}, {}],
                "config": [{"requests": ["c/t"], "opaque": {"driver": "", "parameters": 1}}, {}],
            })),
            &[
                "spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required",
                "spec.devices.requests[1]: Invalid value: null: exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set",
                r#"spec.devices.requests[1]: Duplicate value: "a""#,
                "spec.devices.requests[2].exactly.deviceClassName: Required value",
                "spec.devices.requests[2].exactly.selectors[0].cel: Required value",
                "spec.devices.requests[2].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'",
                r#"spec.devices.requests[2].exactly.tolerations[0].value: Invalid value: "x": must be empty for operator `Exists`"#,
                r#"spec.devices.requests[3].firstAvailable[0].allocationMode: Unsupported value: "Some": supported values: "All", "ExactCount""#,
                r#"spec.devices.constraints[0].requests[2]: Invalid value: "d": must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"#,
                r#"spec.devices.constraints[0].requests[3]: Duplicate value: "a""#,
                r#"spec.devices.constraints[0].matchAttribute: Invalid value: "model": a fully qualified name must be a domain and a name separated by a slash"#,
                r#"spec.devices.constraints[1]: Required value: exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set"#,
                r#"spec.devices.config[0].requests[0]: Invalid value: "c/t": must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"#,
                "spec.devices.config[0].opaque.driver: Required value",
                r#"spec.devices.config[0].opaque.parameters: Invalid value: "<value omitted>": must be a valid JSON object"#,
                "spec.devices.config[1].opaque: Required value",
            ],
        );
        let many: Vec<Value> = (0..33).map(|at| json!({"name": format!("r{at}")})).collect();
        check(
            kind,
            claim(json!({"requests": many})),
            &["spec.devices.requests: Too many: 33: must have at most 32 items"],
        );
        let old = claim(json!({}));
        let shown = serde_json::to_string(&created(kind, gpu())["spec"]).unwrap();
        check_update(kind, gpu(), old, &[&format!("spec: Invalid value: {shown}: field is immutable")]);
    }

    #[test]
    fn a_claim_is_reserved_once_it_is_allocated() {
        let kind = &RESOURCE_CLAIM;
        let with = |status: Value| {
            let mut claim = gpu();
            claim["status"] = status;
            claim
        };
        let result = json!({"request": "gpu", "driver": "d.example.com", "pool": "p", "device": "dev"});
        let allocation = json!({"devices": {"results": [result]}});
        let consumer = json!({"resource": "pods", "name": "p", "uid": "1"});
        check_status(kind, with(json!({"allocation": allocation, "reservedFor": [consumer]})), with(json!({})), &[]);
        check_status(
            kind,
            with(json!({"reservedFor": [consumer, {"resource": "pods", "uid": "1"}]})),
            with(json!({})),
            &[
                "status.reservedFor[1].name: Required value",
                r#"status.reservedFor[1]: Duplicate value: "1""#,
                "status.reservedFor: Forbidden: may not be specified when `allocated` is not set",
            ],
        );
        let other = json!({"devices": {"results": []}});
        check_status(
            kind,
            with(json!({"allocation": other})),
            with(json!({"allocation": allocation})),
            &[r#"status.allocation: Invalid value: {"devices":{"results":[]}}: field is immutable"#],
        );
        check_status(
            kind,
            with(
                json!({"allocation": allocation, "devices": [{"driver": "d.example.com", "pool": "p", "device": "other"}]}),
            ),
            with(json!({"allocation": allocation})),
            &[
                r#"status.devices[0]: Invalid value: {"Driver":"d.example.com","Pool":"p","Device":"other"}: must be an allocated device in the claim"#,
            ],
        );
        let mut leaving = with(json!({"allocation": allocation, "reservedFor": [consumer]}));
        leaving["metadata"]["deletionTimestamp"] = json!("2030-01-01T00:00:00Z");
        check_status(
            kind,
            leaving.clone(),
            with(json!({"allocation": allocation})),
            &[
                "status.reservedFor: Forbidden: new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set",
            ],
        );
        assert_eq!(row(kind, gpu()), "Name=c State=pending Age=<unknown>");
        assert_eq!(row(kind, leaving), "Name=c State=deleted,allocated,reserved Age=<unknown>");
    }

    #[test]
    fn the_first_beta_said_what_it_wants_beside_the_name() {
        let mut old = object(claim(json!({"requests": [
            {"name": "gpu", "deviceClassName": "gpu.example.com", "count": 2, "allocationMode": "ExactCount"},
            {"name": "any", "firstAvailable": [{"name": "s", "deviceClassName": "x", "allocationMode": "All"}]},
        ]})));
        let before = old.clone();
        RESOURCE_CLAIM_V1BETA1.rules.to_storage(&mut old);
        assert_eq!(
            old["spec"]["devices"]["requests"][0],
            json!({"name": "gpu", "exactly": {"deviceClassName": "gpu.example.com", "count": 2, "allocationMode": "ExactCount"}})
        );
        RESOURCE_CLAIM_V1BETA1.rules.out_of_storage(&mut old);
        assert_eq!(old, before);
    }
}
