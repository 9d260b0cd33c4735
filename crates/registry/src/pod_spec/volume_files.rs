//! What is wrong with the files that volumes are made of, and with their paths.

use std::collections::BTreeSet;

use serde_json::Value;

use super::environment::{FILE_FIELDS, validate_field_reference, validate_resource_reference};
use crate::error::FieldError;
use crate::fields::{get, get_i64, get_object, get_str, items, join, number, text, value};
use crate::kind::Object;
use crate::{metadata, names};

const MOST_MODE: i64 = 0o777;

pub(super) fn check_mode(object: &Object, field: &str, path: &str, faults: &mut Vec<FieldError>) {
    if let Some(mode) = get_i64(object, field).filter(|mode| !(0..=MOST_MODE).contains(mode)) {
        let detail = "must be a number between 0 and 0777 (octal), both inclusive";
        faults.push(FieldError::invalid(join(path, field), mode, detail));
    }
}

/// Keys of a ConfigMap or Secret and the files they become.
pub(super) fn validate_items(source: &Object, path: &str, faults: &mut Vec<FieldError>) {
    for (at, item) in items(source, "items").enumerate() {
        let path = format!("{path}.items[{at}]");
        for field in ["key", "path"] {
            if text(item, field).is_empty() {
                faults.push(FieldError::required(join(&path, field), ""));
            }
        }
        check_local_path(text(item, "path"), &join(&path, "path"), faults);
        check_mode(item, "mode", &path, faults);
    }
}

/// A file that tells of its pod. Upstream names the volume, not the file.
pub(super) fn validate_downward_file(file: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let place = text(file, "path");
    if place.is_empty() {
        faults.push(FieldError::required(join(path, "path"), ""));
    }
    check_local_path(place, &join(path, "path"), faults);
    match (get_object(file, "fieldRef"), get_object(file, "resourceFieldRef")) {
        (Some(field), resource) => {
            validate_field_reference(field, &FILE_FIELDS, &join(path, "fieldRef"), faults);
            if resource.is_some() {
                let detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
                faults.push(FieldError::invalid(path, "resource", detail));
            }
        }
        (None, Some(resource)) => {
            validate_resource_reference(resource, true, &join(path, "resourceFieldRef"), faults);
        }
        (None, None) => {
            faults.push(FieldError::required(path, "one of fieldRef and resourceFieldRef is required"));
        }
    }
    check_mode(file, "mode", path, faults);
}

/// Several sources in one folder: no two of them may make the same file.
pub(super) fn validate_projected(projected: &Object, path: &str, faults: &mut Vec<FieldError>) {
    check_mode(projected, "defaultMode", path, faults);
    let mut seen = BTreeSet::new();
    let mut check_taken = |place: &str, value: &str, faults: &mut Vec<FieldError>| {
        if !place.is_empty() && !seen.insert(place.to_owned()) {
            faults.push(FieldError::invalid(path, value, "conflicting duplicate paths"));
        }
    };
    for (at, source) in items(projected, "sources").enumerate() {
        let source_path = format!("{path}.sources[{at}]");
        let mut count = 0;
        for kind in ["secret", "configMap"] {
            let Some(reference) = get_object(source, kind) else { continue };
            count += 1;
            let (path, name) = (join(&source_path, kind), text(reference, "name"));
            if name.is_empty() {
                faults.push(FieldError::required(join(&path, "name"), ""));
            }
            validate_items(reference, &path, faults);
            items(reference, "items").for_each(|item| check_taken(text(item, "path"), name, faults));
        }
        if let Some(downward) = get_object(source, "downwardAPI") {
            count += 1;
            for file in items(downward, "items") {
                validate_downward_file(file, &join(&source_path, "downwardAPI"), faults);
                check_taken(text(file, "path"), text(file, "path"), faults);
            }
        }
        if let Some(token) = get_object(source, "serviceAccountToken") {
            count += 1;
            validate_token(token, &join(&source_path, "serviceAccountToken"), path, faults);
        }
        if let Some(bundle) = get_object(source, "clusterTrustBundle") {
            count += 1;
            validate_trust_bundle(bundle, &join(&source_path, "clusterTrustBundle"), faults);
            check_taken(text(bundle, "path"), text(bundle, "path"), faults);
        }
        if count > 1 {
            faults.push(FieldError::forbidden(source_path, "may not specify more than 1 volume type per source"));
        }
    }
}

const LEAST_TOKEN_SECONDS: i64 = 600;
const MOST_TOKEN_SECONDS: i64 = 1 << 32;

fn validate_token(token: &Object, path: &str, volume_path: &str, faults: &mut Vec<FieldError>) {
    let seconds = number(token, "expirationSeconds");
    let detail = match seconds {
        ..LEAST_TOKEN_SECONDS => "may not specify a duration less than 10 minutes",
        LEAST_TOKEN_SECONDS..=MOST_TOKEN_SECONDS => "",
        _ => "may not specify a duration larger than 2^32 seconds",
    };
    if !detail.is_empty() {
        faults.push(FieldError::invalid(join(path, "expirationSeconds"), seconds, detail));
    }
    match text(token, "path") {
        "" => faults.push(FieldError::required(join(volume_path, "path"), "")),
        place => check_local_path(place, &join(volume_path, "path"), faults),
    }
}

fn validate_trust_bundle(bundle: &Object, path: &str, faults: &mut Vec<FieldError>) {
    match (get_str(bundle, "name"), get_str(bundle, "signerName")) {
        (Some(_), Some(_)) => {
            let detail = "only one of name and signerName may be used";
            faults.push(FieldError::invalid(path, Value::Object(bundle.clone()), detail));
        }
        (Some(name), None) => {
            if name.is_empty() {
                faults.push(FieldError::required(join(path, "name"), "must be a valid object name"));
            }
            // Behind the signer's name stands a name of its own.
            let own = name.rsplit(':').next().unwrap_or(name);
            for complaint in names::dns_subdomain(own) {
                let detail = format!("not a valid clustertrustbundlename: {complaint}");
                faults.push(FieldError::invalid(join(path, "name"), name, detail));
            }
            if get(bundle, "labelSelector").is_some() {
                let detail = "labelSelector must be unset if name is specified";
                faults.push(FieldError::invalid(join(path, "labelSelector"), value(bundle, "labelSelector"), detail));
            }
        }
        (None, Some(signer)) => {
            if signer.is_empty() {
                faults.push(FieldError::required(join(path, "signerName"), "must be a valid signer name"));
            }
            names::signer_name(signer, &join(path, "signerName"), faults);
            if let Some(selector) = get_object(bundle, "labelSelector") {
                metadata::validate_selector(selector, &join(path, "labelSelector"), faults);
            }
        }
        (None, None) => {
            faults.push(FieldError::required(path, "either name or signerName must be specified"));
        }
    }
    let place = text(bundle, "path");
    if place.is_empty() {
        faults.push(FieldError::required(join(path, "path"), ""));
    }
    check_local_path(place, &join(path, "path"), faults);
}

pub(super) fn has_backsteps(place: &str) -> bool {
    place.split('/').any(|part| part == "..")
}

/// A path below the volume.
pub(super) fn check_descending_path(place: &str, path: &str, faults: &mut Vec<FieldError>) {
    if place.starts_with('/') {
        faults.push(FieldError::invalid(path, place, "must be a relative path"));
    }
    check_no_backsteps(place, path, faults);
}

pub(super) fn check_no_backsteps(place: &str, path: &str, faults: &mut Vec<FieldError>) {
    if has_backsteps(place) {
        faults.push(FieldError::invalid(path, place, "must not contain '..'"));
    }
}

/// A path below the volume whose name is not one of those that the kubelet keeps for itself.
pub(super) fn check_local_path(place: &str, path: &str, faults: &mut Vec<FieldError>) {
    check_descending_path(place, path, faults);
    if place.starts_with("..") && !place.starts_with("../") && place != ".." {
        faults.push(FieldError::invalid(path, place, "must not start with '..'"));
    }
}
