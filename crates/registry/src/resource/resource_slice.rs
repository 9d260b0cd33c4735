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
    Kind::served_as("resource.k8s.io", "v1beta2", &Conversion::same_as(&RESOURCE_SLICE));

pub static RESOURCE_SLICE_V1BETA1: Kind = Kind::served_as(
    "resource.k8s.io",
    "v1beta1",
    &Conversion {
        to_storage: v1beta1::devices_to_v1,
        out_of_storage: v1beta1::devices_from_v1,
        ..Conversion::same_as(&RESOURCE_SLICE)
    },
);

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
