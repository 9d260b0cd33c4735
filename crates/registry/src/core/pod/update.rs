//! What may change of a pod that exists: almost nothing, as its containers cannot be made anew in place.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::FieldError;
use crate::fields::{get, get_array, get_i64, get_object, items, items_mut, text};
use crate::kind::Object;
use crate::pod_spec::{self, CONTAINER_LISTS};

pub(super) const RULE: &str = "pod updates may not change fields other than `spec.containers[*].image`,\
                               `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only \
                               additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be \
                               set to 1 if it was previously negative)";

pub(super) fn validate(pod: &Object, old: &Object, faults: &mut Vec<FieldError>) {
    validate_annotations(pod, old, faults);
    let empty = Object::new();
    let (spec, old) = (get_object(pod, "spec").unwrap_or(&empty), get_object(old, "spec").unwrap_or(&empty));
    for list in ["containers", "initContainers"] {
        if get_array(spec, list).len() != get_array(old, list).len() {
            let detail = "pod updates may not add or remove containers";
            return faults.push(FieldError::forbidden(format!("spec.{list}"), detail));
        }
    }
    if !validate_deadline(spec, old, faults) {
        return;
    }
    if !old_tolerations_stay(spec, old) {
        let detail = "existing toleration can not be modified except its tolerationSeconds";
        faults.push(FieldError::forbidden("spec.tolerations", detail));
    }
    let old_gates: BTreeSet<&str> = items(old, "schedulingGates").map(|gate| text(gate, "name")).collect();
    for (at, gate) in items(spec, "schedulingGates").enumerate() {
        let name = text(gate, "name");
        if !old_gates.contains(name) {
            let detail = format!("only deletion is allowed, but found new scheduling gate '{name}'");
            faults.push(FieldError::forbidden(format!("spec.schedulingGates[{at}].name"), detail));
        }
    }
    validate_rest(spec, old, !old_gates.is_empty(), faults);
}

/// Annotations that the kubelet has acted upon.
fn validate_annotations(pod: &Object, old: &Object, faults: &mut Vec<FieldError>) {
    const MIRROR: &str = "kubernetes.io/config.mirror";
    const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";
    let empty = Object::new();
    let annotations = |pod| get_object(pod, "metadata.annotations").unwrap_or(&empty);
    let (after, before) = (annotations(pod), annotations(old));
    for key in before.keys().filter(|key| after.get(*key) != before.get(*key)) {
        let path = format!("metadata.annotations[{key}]");
        if key.starts_with(APP_ARMOR) {
            faults.push(FieldError::forbidden(path, "may not remove or update AppArmor annotations"));
        } else if key == MIRROR {
            faults.push(FieldError::forbidden(path, "may not remove or update mirror pod annotation"));
        }
    }
    for key in after.keys().filter(|key| !before.contains_key(*key)) {
        let path = format!("metadata.annotations[{key}]");
        if key.starts_with(APP_ARMOR) {
            faults.push(FieldError::forbidden(path, "may not add AppArmor annotations"));
        } else if key == MIRROR {
            faults.push(FieldError::forbidden(path, "may not add mirror pod annotation"));
        }
    }
}

/// A deadline may be set or made shorter. Whether there is sense in looking further.
fn validate_deadline(spec: &Object, old: &Object, faults: &mut Vec<FieldError>) -> bool {
    const FIELD: &str = "activeDeadlineSeconds";
    let path = "spec.activeDeadlineSeconds";
    match (get_i64(spec, FIELD), get_i64(old, FIELD)) {
        (Some(new), _) if !(0..=i64::from(i32::MAX)).contains(&new) => {
            let detail = format!("must be between 0 and {}, inclusive", i32::MAX);
            faults.push(FieldError::invalid(path, new, detail));
            false
        }
        (Some(new), Some(old)) if new > old => {
            faults.push(FieldError::invalid(path, new, "must be less than or equal to previous value"));
            false
        }
        (None, Some(_)) => {
            faults.push(FieldError::invalid(path, Value::Null, "must not update from a positive integer to nil value"));
            true
        }
        _ => true,
    }
}

/// Tolerations may be added, and an old one may wait longer or shorter.
fn old_tolerations_stay(spec: &Object, old: &Object) -> bool {
    let without_seconds = |toleration: &Value| {
        let mut toleration = toleration.clone();
        if let Some(object) = toleration.as_object_mut() {
            object.shift_remove("tolerationSeconds");
        }
        toleration
    };
    let new: Vec<Value> = get_array(spec, "tolerations").iter().map(without_seconds).collect();
    get_array(old, "tolerations").iter().map(without_seconds).all(|toleration| new.contains(&toleration))
}

/// What may change is put back; the rest must then be what it was.
fn validate_rest(spec: &Object, old: &Object, is_gated: bool, faults: &mut Vec<FieldError>) {
    if spec == old {
        return;
    }
    let mut munged = spec.clone();
    for list in CONTAINER_LISTS {
        let images: Vec<Option<Value>> =
            get_array(old, list).iter().map(|container| container.get("image").cloned()).collect();
        for (container, image) in items_mut(&mut munged, list).zip(images) {
            restore(container, "image", image);
        }
    }
    for field in ["activeDeadlineSeconds", "tolerations", "schedulingGates"] {
        restore(&mut munged, field, old.get(field).cloned());
    }
    if get_i64(old, "terminationGracePeriodSeconds").is_some_and(|period| period < 0)
        && get_i64(spec, "terminationGracePeriodSeconds") == Some(1)
    {
        restore(&mut munged, "terminationGracePeriodSeconds", old.get("terminationGracePeriodSeconds").cloned());
    }
    if is_gated {
        narrow_where_to_run(&mut munged, old, faults);
    }
    if munged != *old {
        faults.push(FieldError::forbidden("spec", RULE));
    }
}

/// A pod that still waits may be told more narrowly where to run, never more widely.
fn narrow_where_to_run(munged: &mut Object, old: &Object, faults: &mut Vec<FieldError>) {
    let empty = Object::new();
    let (after, before) =
        (get_object(munged, "nodeSelector").unwrap_or(&empty), get_object(old, "nodeSelector").unwrap_or(&empty));
    if before.iter().any(|(key, value)| after.get(key) != Some(value)) {
        let selector = Value::Object(after.clone());
        let detail = "only additions are allowed (no mutations or deletions)";
        faults.push(FieldError::invalid("spec.nodeSelector", selector, detail));
    }
    restore(munged, "nodeSelector", old.get("nodeSelector").cloned());
    const REQUIRED: &str = "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution";
    pod_spec::check_narrowed(get_object(munged, REQUIRED), get_object(old, REQUIRED), faults);
    let affinity = get(old, "affinity.nodeAffinity").cloned();
    match (munged.get_mut("affinity"), affinity) {
        (Some(Value::Object(sides)), affinity) => restore(sides, "nodeAffinity", affinity),
        (_, Some(affinity)) => crate::fields::set(munged, "affinity.nodeAffinity", affinity),
        (_, None) => {}
    }
    if get_object(munged, "affinity").is_some_and(Object::is_empty) && old.get("affinity").is_none() {
        munged.shift_remove("affinity");
    }
}

fn restore(object: &mut Object, field: &str, value: Option<Value>) {
    match value {
        Some(value) => drop(object.insert(field.to_owned(), value)),
        None => drop(object.shift_remove(field)),
    }
}
