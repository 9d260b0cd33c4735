//! What is wrong with a container's mounts and block devices.

use std::collections::{BTreeMap, BTreeSet};

use super::volume_files::{check_descending_path, has_backsteps};
use super::volumes::Volumes;
use crate::error::FieldError;
use crate::fields::{check_supported, get, get_str, items, join, text, truth};
use crate::kind::Object;

pub(super) fn validate_mounts(container: &Object, volumes: &Volumes<'_>, path: &str, faults: &mut Vec<FieldError>) {
    let list_path = join(path, "volumeMounts");
    let devices: BTreeMap<&str, &str> = places(container, "volumeDevices", "devicePath");
    let mut seen = BTreeSet::new();
    for (at, mount) in items(container, "volumeMounts").enumerate() {
        let path = format!("{list_path}[{at}]");
        let (name, place) = (text(mount, "name"), text(mount, "mountPath"));
        if name.is_empty() {
            faults.push(FieldError::required(join(&path, "name"), ""));
        }
        let volume = volumes.get(name);
        if volume.is_none() {
            faults.push(FieldError::not_found(join(&path, "name"), name));
        }
        if place.is_empty() {
            faults.push(FieldError::required(join(&path, "mountPath"), ""));
        }
        if !seen.insert(place) {
            faults.push(FieldError::invalid(join(&path, "mountPath"), place, "must be unique"));
        }
        if devices.contains_key(name) {
            faults.push(FieldError::invalid(join(&path, "name"), name, "must not already exist in volumeDevices"));
        }
        if devices.values().any(|device| *device == place) {
            let detail = "must not already exist as a path in volumeDevices";
            faults.push(FieldError::invalid(join(&path, "mountPath"), place, detail));
        }
        validate_sub_paths(mount, &path, &list_path, faults);
        validate_propagation(mount, container, &list_path, faults);
    }
}

/// Upstream names the list where it checks a path below the volume.
fn validate_sub_paths(mount: &Object, path: &str, list_path: &str, faults: &mut Vec<FieldError>) {
    let (sub_path, expression) = (text(mount, "subPath"), text(mount, "subPathExpr"));
    if !sub_path.is_empty() {
        check_descending_path(sub_path, &join(list_path, "subPath"), faults);
    }
    if !expression.is_empty() {
        if !sub_path.is_empty() {
            let detail = "subPathExpr and subPath are mutually exclusive";
            faults.push(FieldError::invalid(join(path, "subPathExpr"), expression, detail));
        }
        check_descending_path(expression, &join(list_path, "subPathExpr"), faults);
    }
}

fn validate_propagation(mount: &Object, container: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let propagation = get_str(mount, "mountPropagation");
    check_supported(mount, "mountPropagation", &["Bidirectional", "HostToContainer", "None"], path, faults);
    if propagation == Some("Bidirectional") && !truth(container, "securityContext.privileged") {
        let detail = "Bidirectional mount propagation is available only to privileged containers";
        faults.push(FieldError::forbidden(join(path, "mountPropagation"), detail));
    }
    let Some(recursive) = get_str(mount, "recursiveReadOnly") else { return };
    if ["Enabled", "IfPossible"].contains(&recursive) {
        let path = join(path, "recursiveReadOnly");
        if !truth(mount, "readOnly") {
            faults.push(FieldError::forbidden(path.as_str(), "may only be specified when readOnly is true"));
        }
        if propagation.is_some_and(|propagation| propagation != "None") {
            let detail = "may only be specified when mountPropagation is None or not specified";
            faults.push(FieldError::forbidden(path, detail));
        }
    }
    check_supported(mount, "recursiveReadOnly", &["Disabled", "Enabled", "IfPossible"], path, faults);
}

pub(super) fn validate_devices(container: &Object, volumes: &Volumes<'_>, path: &str, faults: &mut Vec<FieldError>) {
    let mounts: BTreeMap<&str, &str> = places(container, "volumeMounts", "mountPath");
    let (mut seen_names, mut seen_places) = (BTreeSet::new(), BTreeSet::new());
    for (at, device) in items(container, "volumeDevices").enumerate() {
        let path = format!("{path}.volumeDevices[{at}]");
        let (name, place) = (text(device, "name"), text(device, "devicePath"));
        let (name_path, place_path) = (join(&path, "name"), join(&path, "devicePath"));
        if name.is_empty() {
            faults.push(FieldError::required(name_path.as_str(), ""));
        } else if !seen_names.insert(name) {
            faults.push(FieldError::invalid(name_path.as_str(), name, "must be unique"));
        }
        match volumes.get(name) {
            None => faults.push(FieldError::not_found(name_path.as_str(), name)),
            Some(volume)
                if ["persistentVolumeClaim", "ephemeral"].iter().all(|source| get(volume, source).is_none()) =>
            {
                let detail = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                faults.push(FieldError::invalid(name_path.as_str(), name, detail));
            }
            Some(_) => {}
        }
        if place.is_empty() {
            faults.push(FieldError::required(place_path.as_str(), ""));
        }
        if seen_places.contains(place) {
            faults.push(FieldError::invalid(place_path.as_str(), place, "must be unique"));
        }
        if has_backsteps(place) {
            faults.push(FieldError::invalid(place_path.as_str(), place, "can not contain backsteps ('..')"));
        } else {
            seen_places.insert(place);
        }
        if mounts.contains_key(name) {
            faults.push(FieldError::invalid(name_path, name, "must not already exist in volumeMounts"));
        }
        if mounts.values().any(|mount| *mount == place) {
            let detail = "must not already exist as a path in volumeMounts";
            faults.push(FieldError::invalid(place_path, place, detail));
        }
    }
}

fn places<'a>(container: &'a Object, list: &str, field: &str) -> BTreeMap<&'a str, &'a str> {
    items(container, list).map(|item| (text(item, "name"), text(item, field))).collect()
}
