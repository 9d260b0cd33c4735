//! resource.k8s.io/v1beta1: a request said what it wants beside its name, and a device what it is below
//! `basic`.

use serde_json::Value;

use crate::fields::{items_mut, object_mut, text};
use crate::kind::Object;

/// The requests of a claim's `devices`, at this path.
pub(super) fn requests_to_v1(object: &mut Object, devices: &str) {
    let Some(devices) = object_mut(object, devices) else { return };
    for request in items_mut(devices, "requests") {
        // With alternatives beside it that is a fault, which validation will find: but for the name of the class, which
        // is always written.
        let mut parts = take(request, |field| !matches!(field, "name" | "firstAvailable"));
        if request.contains_key("firstAvailable") && text(&parts, "deviceClassName").is_empty() {
            parts.shift_remove("deviceClassName");
        }
        if !parts.is_empty() {
            request.insert("exactly".to_owned(), Value::Object(parts));
        }
    }
}

pub(super) fn requests_from_v1(object: &mut Object, devices: &str) {
    let Some(devices) = object_mut(object, devices) else { return };
    for request in items_mut(devices, "requests") {
        if let Some(Value::Object(exactly)) = request.shift_remove("exactly") {
            request.extend(exactly);
        }
    }
}

pub(super) fn devices_to_v1(slice: &mut Object) {
    for device in items_mut(slice, "spec.devices") {
        if let Some(Value::Object(basic)) = device.shift_remove("basic") {
            device.extend(basic);
        }
    }
}

pub(super) fn devices_from_v1(slice: &mut Object) {
    for device in items_mut(slice, "spec.devices") {
        let basic = take(device, |field| field != "name");
        device.insert("basic".to_owned(), Value::Object(basic));
    }
}

fn take(object: &mut Object, is_part: fn(&str) -> bool) -> Object {
    let (parts, rest) = std::mem::take(object).into_iter().partition(|(field, _)| is_part(field));
    *object = rest;
    parts
}
