//! What is wrong with volumes.

use std::collections::BTreeSet;

use crate::error::FieldError;
use crate::fields::{get_object, invalid_all, items, join, text};
use crate::kind::Object;
use crate::names;

/// Validates the volumes of a spec; their names, for mounts to refer to.
pub(super) fn validate_volumes<'a>(spec: &'a Object, path: &str, faults: &mut Vec<FieldError>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    for (at, volume) in items(spec, "volumes").enumerate() {
        let path = format!("{path}[{at}]");
        let name = text(volume, "name");
        if name.is_empty() {
            faults.push(FieldError::required(join(&path, "name"), ""));
        } else {
            invalid_all(&join(&path, "name"), name, names::dns_label(name), faults);
        }
        if !seen.insert(name) {
            faults.push(FieldError::duplicate(join(&path, "name"), name));
        }
        validate_source(volume, &path, faults);
    }
    seen
}

fn validate_source(volume: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let sources: Vec<&str> = volume.keys().map(String::as_str).filter(|key| *key != "name").collect();
    if sources.is_empty() {
        faults.push(FieldError::required(path, "must specify a volume type"));
    }
    for extra in sources.iter().skip(1) {
        faults.push(FieldError::forbidden(join(path, extra), "may not specify more than 1 volume type"));
    }
    for (source, required) in [
        ("secret", "secretName"),
        ("configMap", "name"),
        ("persistentVolumeClaim", "claimName"),
        ("hostPath", "path"),
        ("nfs", "server"),
        ("nfs", "path"),
        ("csi", "driver"),
    ] {
        if get_object(volume, source).is_some_and(|source| text(source, required).is_empty()) {
            faults.push(FieldError::required(format!("{path}.{source}.{required}"), ""));
        }
    }
    if let Some(host_path) = get_object(volume, "hostPath") {
        validate_host_path(host_path, &join(path, "hostPath"), faults);
    }
    for source in ["secret", "configMap", "downwardAPI"] {
        if let Some(source_object) = get_object(volume, source) {
            validate_items(source_object, &join(path, source), faults);
        }
    }
    if get_object(volume, "emptyDir").is_some_and(|source| text(source, "sizeLimit").starts_with('-')) {
        let limit = text(volume, "emptyDir.sizeLimit");
        let detail = "SizeLimit field must be a valid resource quantity";
        faults.push(FieldError::forbidden(join(path, "emptyDir.sizeLimit"), format!("{detail}: {limit}")));
    }
}

const HOST_PATH_TYPES: [&str; 8] =
    ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];

fn validate_host_path(host_path: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let place = text(host_path, "path");
    if place.split('/').any(|part| part == "..") {
        faults.push(FieldError::invalid(join(path, "path"), place, "must not contain '..'"));
    }
    let kind = text(host_path, "type");
    if !HOST_PATH_TYPES.contains(&kind) {
        faults.push(FieldError::not_supported(join(path, "type"), kind, &HOST_PATH_TYPES));
    }
}

fn validate_items(source: &Object, path: &str, faults: &mut Vec<FieldError>) {
    for (at, item) in items(source, "items").enumerate() {
        let path = format!("{path}.items[{at}]");
        let place = text(item, "path");
        if place.is_empty() {
            faults.push(FieldError::required(join(&path, "path"), ""));
        } else if place.starts_with('/') {
            faults.push(FieldError::invalid(join(&path, "path"), place, "must be a relative path"));
        } else if place.split('/').any(|part| part == "..") {
            faults.push(FieldError::invalid(join(&path, "path"), place, "must not contain '..'"));
        }
    }
}
