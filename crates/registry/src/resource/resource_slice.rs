//! resource.k8s.io `ResourceSlice`: devices of one driver that some nodes can reach.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::names::{check_label, check_pool};
use super::{claim, device, taint, v1beta1};
use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{
    check_immutable, get, get_array, get_object, get_str, invalid_all, items, items_mut, join, number, text,
};
use crate::kind::{Column, Conversion, Kind, Object, Rules, WriteContext};
use crate::names::{self, driver_name};

pub static RESOURCE_SLICE: Kind = Kind {
    group: "resource.k8s.io",
    kind: "ResourceSlice",
    plural: "resourceslices",
    singular: "resourceslice",
    rules: &ResourceSliceRules,
    ..Kind::CLUSTER
};

pub static RESOURCE_SLICE_V1BETA2: Kind =
    Kind::served_as("resource.k8s.io", "v1beta2", &Conversion::same_as(&RESOURCE_SLICE)).deprecated(36, 39, "");

pub static RESOURCE_SLICE_V1BETA1: Kind = Kind::served_as(
    "resource.k8s.io",
    "v1beta1",
    &Conversion {
        to_storage: v1beta1::devices_to_v1,
        out_of_storage: v1beta1::devices_from_v1,
        ..Conversion::same_as(&RESOURCE_SLICE)
    },
)
.deprecated(35, 38, "");

struct ResourceSliceRules;

const MAX_DEVICES: usize = 128;

/// Where devices have taints or share counters, each may be long.
const MAX_LONG_DEVICES: usize = 64;
const MAX_COUNTER_SETS: usize = 8;

impl Rules for ResourceSliceRules {
    fn prepare_create(&self, object: &mut Object, context: &WriteContext<'_>) {
        stamp(object, context);
    }

    fn prepare_update(&self, object: &mut Object, _old: &Object, context: &WriteContext<'_>) {
        stamp(object, context);
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let empty = Object::new();
        let spec = get_object(object, "spec").unwrap_or(&empty);
        driver_name(text(spec, "driver"), "spec.driver", &mut faults);
        validate_pool(spec, &mut faults);
        if let Some(old) = old {
            for field in ["spec.pool.name", "spec.driver", "spec.nodeName"] {
                check_immutable(object, old, field, &mut faults);
            }
        }
        validate_place(spec, &mut faults);
        if get(spec, "sharedCounters").is_some() && get(spec, "devices").is_some() {
            let detail = "only one of `sharedCounters` or `devices` is allowed";
            faults.push(FieldError::invalid("spec", "", detail));
        }
        validate_devices(spec, old, &mut faults);
        if !claim::is_too_long(spec, "sharedCounters", MAX_COUNTER_SETS, "spec", &mut faults) {
            let mut seen = BTreeSet::new();
            for (at, set) in items(spec, "sharedCounters").enumerate() {
                let path = format!("spec.sharedCounters[{at}]");
                device::validate_counters(set, "name", &path, &mut faults);
                if !seen.insert(text(set, "name")) {
                    faults.push(FieldError::duplicate(path, text(set, "name")));
                }
            }
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column("Node", "string", "The node which provides the devices of this slice, if there is one."),
            column("Driver", "string", "The DRA driver providing the devices of this slice."),
            column("Pool", "string", "The name of the pool that this slice belongs to."),
            AGE,
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let shown = |path: &str| Value::from(text(object, path));
        vec![
            columns::name(object),
            shown("spec.nodeName"),
            shown("spec.driver"),
            shown("spec.pool.name"),
            columns::age(object, now),
        ]
    }

    fn selectable_field(&self, object: &Object, path: &str) -> Option<String> {
        self.selectable_fields().contains(&path).then(|| text(object, path).to_owned())
    }

    fn selectable_fields(&self) -> &'static [&'static str] {
        &["spec.nodeName", "spec.driver"]
    }

    fn tracks_generation(&self) -> bool {
        true
    }
}

fn stamp(slice: &mut Object, context: &WriteContext<'_>) {
    for device in items_mut(slice, "spec.devices") {
        for taint in items_mut(device, "taints") {
            taint::stamp(taint, context.now);
        }
    }
}

fn validate_pool(spec: &Object, faults: &mut Vec<FieldError>) {
    check_pool(text(spec, "pool.name"), "spec.pool.name", faults);
    let count = number(spec, "pool.resourceSliceCount");
    if count <= 0 {
        faults.push(FieldError::invalid("spec.pool.resourceSliceCount", count, "must be greater than zero"));
    }
    let generation = number(spec, "pool.generation");
    if generation < 0 {
        let detail = "must be greater than or equal to zero";
        faults.push(FieldError::invalid("spec.pool.generation", generation, detail));
    }
}

/// One node, some, all, or each device for itself.
fn validate_place(spec: &Object, faults: &mut Vec<FieldError>) {
    let mut places = Vec::new();
    match get_str(spec, "nodeName") {
        None => {}
        Some("") => {
            let detail = "must be either unset or set to a non-empty string";
            faults.push(FieldError::invalid("spec.nodeName", "", detail));
        }
        Some(name) => {
            places.push("`nodeName`");
            invalid_all("spec.nodeName", name, names::dns_subdomain(name), faults);
        }
    }
    if let Some(selector) = get_object(spec, "nodeSelector") {
        places.push("`nodeSelector`");
        let terms = get_array(selector, "nodeSelectorTerms");
        if terms.len() != 1 {
            let path = "spec.nodeSelector.nodeSelectorTerms";
            let detail = "must have exactly one node selector term";
            faults.push(FieldError::invalid(path, Value::from(terms), detail));
        }
    }
    for (field, quoted) in [("allNodes", "`allNodes`"), ("perDeviceNodeSelection", "`perDeviceNodeSelection`")] {
        match get(spec, field).and_then(Value::as_bool) {
            None => {}
            Some(true) => places.push(quoted),
            Some(false) => {
                let detail = "must be either unset or set to true";
                faults.push(FieldError::invalid(join("spec", field), false, detail));
            }
        }
    }
    const ONE: &str = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
    match places.len() {
        0 => faults.push(FieldError::required("spec", ONE)),
        1 => {}
        _ => {
            let detail = format!("{ONE}, but multiple fields are set");
            faults.push(FieldError::invalid("spec", format!("{{{}}}", places.join(", ")), detail));
        }
    }
}

fn validate_devices(spec: &Object, old: Option<&Object>, faults: &mut Vec<FieldError>) {
    let is_long =
        |device: &Object| ["taints", "consumesCounters"].iter().any(|list| !get_array(device, list).is_empty());
    let limit = if items(spec, "devices").any(is_long) { MAX_LONG_DEVICES } else { MAX_DEVICES };
    if claim::is_too_long(spec, "devices", limit, "spec", faults) {
        return;
    }
    let chooses_nodes = get(spec, "perDeviceNodeSelection") == Some(&Value::Bool(true));
    let mut seen = BTreeSet::new();
    for (at, device) in items(spec, "devices").enumerate() {
        let path = format!("spec.devices[{at}]");
        let name = text(device, "name");
        check_label(name, &join(&path, "name"), faults);
        let before = old.and_then(|old| items(old, "spec.devices").find(|before| text(before, "name") == name));
        device::validate(device, before, chooses_nodes, &path, faults);
        if !seen.insert(name) {
            faults.push(FieldError::duplicate(path, name));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{check, check_update, created, object, row};

    fn slice(change: impl FnOnce(&mut Value)) -> Value {
        let mut slice = json!({"metadata": {"name": "s"}, "spec": {
            "driver": "d.example.com", "nodeName": "n", "pool": {"name": "n", "resourceSliceCount": 1},
            "devices": [{"name": "gpu-0", "attributes": {"model": {"string": "a"}, "version": {"version": "1.2.3"}}, "capacity": {"memory": {"value": "1Gi"}}}]}});
        change(&mut slice["spec"]);
        slice
    }

    #[test]
    fn a_slice_names_its_driver_its_pool_and_one_place() {
        let kind = &RESOURCE_SLICE;
        check(kind, slice(|_| {}), &[]);
        check(
            kind,
            slice(|spec| {
                spec["driver"] = json!("");
                spec["pool"] = json!({"generation": -1});
                spec["allNodes"] = json!(true);
            }),
            &[
                "spec.driver: Required value",
                "spec.pool.name: Required value",
                "spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero",
                "spec.pool.generation: Invalid value: -1: must be greater than or equal to zero",
                r#"spec: Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set"#,
            ],
        );
        check(
            kind,
            slice(|spec| {
                spec.as_object_mut().unwrap().shift_remove("nodeName");
                spec["sharedCounters"] = json!([{"name": "c"}]);
            }),
            &[
                "spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required",
                r#"spec: Invalid value: "": only one of `sharedCounters` or `devices` is allowed"#,
                "spec.sharedCounters[0].counters: Required value",
            ],
        );
        check_update(
            kind,
            slice(|spec| spec["nodeName"] = json!("m")),
            slice(|_| {}),
            &[r#"spec.nodeName: Invalid value: "m": field is immutable"#],
        );
        assert_eq!(row(kind, slice(|_| {})), "Name=s Node=n Driver=d.example.com Pool=n Age=<unknown>");
    }

    #[test]
    fn devices_say_one_thing_in_one_way() {
        let kind = &RESOURCE_SLICE;
        let with = |device: Value| slice(|spec| spec["devices"] = json!([device]));
        check(
            kind,
            with(json!({"name": "g", "allNodes": true,
                "attributes": {"a": {"bool": true, "int": 1}, "b": {}, "c": {"version": "1.02.3"}, "d-e": {"int": 1}},
                "capacity": {"m": {"value": "1", "requestPolicy": {}}}})),
            &[
                r#"spec.devices[0].attributes[a]: Invalid value: {"bool":true,"int":1}: exactly one value must be specified"#,
                r#"spec.devices[0].attributes[b]: Invalid value: "": exactly one value must be specified"#,
                r#"spec.devices[0].attributes[c].version: Invalid value: "1.02.3": must be a string compatible with semver.org spec 2.0.0"#,
                &format!(
                    r#"spec.devices[0].attributes[d-e]: Invalid value: "d-e": {}"#,
                    names::c_identifier("d-e").join("")
                ),
                "spec.devices[0].capacity[m].requestPolicy: Forbidden: allowMultipleAllocations must be true",
                "spec.devices[0]: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec",
            ],
        );
        check(
            kind,
            with(json!({"name": "g", "bindingConditions": ["a", "a"], "bindingFailureConditions": ["a"],
                "taints": [{"key": "k"}], "consumesCounters": [{"counterSet": "c", "counters": {"x": {"value": "1"}}}]})),
            &[
                "spec.devices[0].taints[0].effect: Required value",
                r#"spec.devices[0].bindingConditions[1]: Duplicate value: "a""#,
                r#"spec.devices[0].bindingFailureConditions[0]: Invalid value: "a": bindingFailureConditions must not overlap with bindingConditions"#,
            ],
        );
        let many: Vec<Value> = (0..129).map(|at| json!({"name": format!("d{at}")})).collect();
        check(
            kind,
            slice(|spec| spec["devices"] = json!(many)),
            &["spec.devices: Too many: 129: must have at most 128 items"],
        );
        let tainted = created(kind, with(json!({"name": "g", "taints": [{"key": "k", "effect": "None"}]})));
        assert_eq!(tainted["spec"]["devices"][0]["taints"][0]["timeAdded"], crate::testing::NOW);
    }

    #[test]
    fn the_first_beta_had_devices_in_two_layers() {
        let mut stored = object(slice(|_| {}));
        let before = stored.clone();
        RESOURCE_SLICE_V1BETA1.rules.out_of_storage(&mut stored);
        let device = &stored["spec"]["devices"][0];
        assert_eq!(device["basic"]["attributes"]["model"], json!({"string": "a"}));
        assert_eq!(device.as_object().unwrap().len(), 2);
        RESOURCE_SLICE_V1BETA1.rules.to_storage(&mut stored);
        assert_eq!(stored, before);
    }
}
