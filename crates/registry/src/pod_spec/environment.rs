//! What is wrong with a container's environment, and with references to what a pod knows of itself.

use api::Quantity;
use serde_json::Value;

use crate::error::FieldError;
use crate::fields::{get_object, get_str, invalid_all, items, join, text};
use crate::kind::Object;
use crate::names;

const SOURCES: [&str; 5] = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];

/// What a variable may tell of its pod.
const VARIABLE_FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// What a file may tell of its pod.
pub(super) const FILE_FIELDS: [&str; 5] =
    ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

/// Everything of a pod that has a name in references.
const KNOWN_FIELDS: [&str; 15] = [
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.host",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.phase",
    "status.podIP",
    "status.podIPs",
];

const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

pub(super) fn validate_environment(container: &Object, path: &str, faults: &mut Vec<FieldError>) {
    for (at, variable) in items(container, "env").enumerate() {
        let path = format!("{path}.env[{at}]");
        match text(variable, "name") {
            "" => faults.push(FieldError::required(join(&path, "name"), "")),
            name => invalid_all(&join(&path, "name"), name, names::environment_name(name), faults),
        }
        if let Some(source) = get_object(variable, "valueFrom") {
            validate_source(source, text(variable, "value"), &join(&path, "valueFrom"), faults);
        }
    }
    validate_bulk_sources(container, &join(path, "envFrom"), faults);
}

fn validate_source(source: &Object, value: &str, path: &str, faults: &mut Vec<FieldError>) {
    if let Some(field) = get_object(source, "fieldRef") {
        validate_field_reference(field, &VARIABLE_FIELDS, &join(path, "fieldRef"), faults);
    }
    if let Some(resource) = get_object(source, "resourceFieldRef") {
        validate_resource_reference(resource, false, &join(path, "resourceFieldRef"), faults);
    }
    for reference in ["configMapKeyRef", "secretKeyRef"] {
        let Some(selector) = get_object(source, reference) else { continue };
        let (path, name) = (join(path, reference), text(selector, "name"));
        invalid_all(&join(&path, "name"), name, names::dns_subdomain(name), faults);
        match text(selector, "key") {
            "" => faults.push(FieldError::required(join(&path, "key"), "")),
            key => invalid_all(&join(&path, "key"), key, names::config_key(key), faults),
        }
    }
    if let Some(selector) = get_object(source, "fileKeyRef") {
        let path = join(path, "fileKeyRef");
        match text(selector, "volumeName") {
            "" => faults.push(FieldError::required(join(&path, "volumeName"), "")),
            name => invalid_all(&join(&path, "volumeName"), name, names::dns_label(name), faults),
        }
        match text(selector, "path") {
            "" => faults.push(FieldError::required(join(&path, "path"), "")),
            place => super::volume_files::check_local_path(place, &join(&path, "path"), faults),
        }
        match text(selector, "key") {
            "" => faults.push(FieldError::required(join(&path, "key"), "")),
            key => invalid_all(&join(&path, "key"), key, names::environment_name(key), faults),
        }
    }
    let count = SOURCES.iter().filter(|name| get_object(source, name).is_some()).count();
    let detail = match count {
        0 => "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        _ if !value.is_empty() => "may not be specified when `value` is not empty",
        1 => return,
        _ => "may not have more than one field specified at a time",
    };
    faults.push(FieldError::invalid(path, "", detail));
}

fn validate_bulk_sources(container: &Object, path: &str, faults: &mut Vec<FieldError>) {
    for (at, source) in items(container, "envFrom").enumerate() {
        let item_path = format!("{path}[{at}]");
        if let Some(prefix) = get_str(source, "prefix").filter(|prefix| !prefix.is_empty()) {
            invalid_all(&join(&item_path, "prefix"), prefix, names::environment_name(prefix), faults);
        }
        let mut count = 0;
        for reference in ["configMapRef", "secretRef"] {
            let Some(selector) = get_object(source, reference) else { continue };
            count += 1;
            let path = format!("{item_path}.{reference}.name");
            match text(selector, "name") {
                "" => faults.push(FieldError::required(path, "")),
                // Upstream lets them end in a hyphen, as prefixes of names do.
                name => invalid_all(&path, name, names::dns_subdomain(name.trim_end_matches('-')), faults),
            }
        }
        let detail = match count {
            0 => "must specify one of: `configMapRef` or `secretRef`",
            1 => continue,
            _ => "may not have more than one field specified at a time",
        };
        faults.push(FieldError::invalid(path, "", detail));
    }
}

pub(super) fn validate_field_reference(
    reference: &Object,
    supported: &[&str],
    path: &str,
    faults: &mut Vec<FieldError>,
) {
    let (version, field) = (text(reference, "apiVersion"), text(reference, "fieldPath"));
    for (name, given) in [("apiVersion", version), ("fieldPath", field)] {
        if given.is_empty() {
            return faults.push(FieldError::required(join(path, name), ""));
        }
    }
    let convertible = match split_subscript(field) {
        _ if version != "v1" => Err(format!("unsupported pod version: {version}")),
        Some(("metadata.annotations" | "metadata.labels", _)) => Ok(()),
        Some(_) => Err(format!("field label does not support subscript: {field}")),
        None if KNOWN_FIELDS.contains(&field) => Ok(()),
        None => Err(format!("field label not supported: {field}")),
    };
    if let Err(fault) = convertible {
        let detail = format!("error converting fieldPath: {fault}");
        return faults.push(FieldError::invalid(join(path, "fieldPath"), field, detail));
    }
    match split_subscript(field) {
        Some(("metadata.annotations", key)) => {
            let key = key.to_lowercase();
            invalid_all(path, &key, names::qualified_name(&key), faults);
        }
        Some((_, key)) => invalid_all(path, key, names::qualified_name(key), faults),
        None if supported.contains(&field) => {}
        None => faults.push(FieldError::not_supported(join(path, "fieldPath"), field, supported)),
    }
}

/// `metadata.labels['app']` in its parts.
fn split_subscript(field: &str) -> Option<(&str, &str)> {
    field.strip_suffix("']")?.split_once("['").filter(|(path, _)| !path.is_empty())
}

const CPU_DIVISORS: [&str; 2] = ["1m", "1"];
const BYTE_DIVISORS: [&str; 13] = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

pub(super) fn validate_resource_reference(reference: &Object, is_file: bool, path: &str, faults: &mut Vec<FieldError>) {
    let resource = text(reference, "resource");
    let is_huge_page = ["limits.hugepages-", "requests.hugepages-"].iter().any(|prefix| resource.starts_with(prefix));
    if is_file && text(reference, "containerName").is_empty() {
        faults.push(FieldError::required(join(path, "containerName"), ""));
    } else if resource.is_empty() {
        faults.push(FieldError::required(join(path, "resource"), ""));
    } else if !RESOURCES.contains(&resource) && !is_huge_page {
        faults.push(FieldError::not_supported(join(path, "resource"), resource, &RESOURCES));
    }
    let divisor = text(reference, "divisor");
    if divisor.is_empty() || divisor.parse() == Ok(Quantity::ZERO) {
        return;
    }
    let (divisors, what): (&[&str], &str) = match resource.split_once('.').map_or("", |(_, resource)| resource) {
        "cpu" => (&CPU_DIVISORS, "1m and 1 are supported with the cpu resource"),
        "memory" => (&BYTE_DIVISORS, "are supported with the memory resource"),
        "ephemeral-storage" => (&BYTE_DIVISORS, "are supported with the local ephemeral storage resource"),
        _ if is_huge_page => (&BYTE_DIVISORS, "are supported with the hugepages resource"),
        _ => return,
    };
    if !divisors.contains(&divisor) {
        let listed = if divisors.len() > 2 { format!("{} ", divisors.join(", ")) } else { String::new() };
        let detail = format!("only divisor's values {listed}{what}");
        faults.push(FieldError::invalid(join(path, "divisor"), Value::from(resource), detail));
    }
}
