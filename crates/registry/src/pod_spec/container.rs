//! What is wrong with containers.

use std::collections::BTreeSet;

use serde_json::Value;

use super::resources::validate_resources;
use crate::error::FieldError;
use crate::fields::{
    check_not_negative, check_range, get, get_array, get_i64, get_object, get_str, invalid_all, items, join, number,
    text, truth, value,
};
use crate::kind::Object;
use crate::names;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Main,
    Init,
}

const PORTS: std::ops::RangeInclusive<i64> = 1..=65535;

pub(super) fn validate_containers(
    spec: &Object,
    kind: Kind,
    volumes: &BTreeSet<&str>,
    path: &str,
    faults: &mut Vec<FieldError>,
) {
    let list = if kind == Kind::Main { "containers" } else { "initContainers" };
    let path = join(path, list);
    if kind == Kind::Main && get_array(spec, list).is_empty() {
        faults.push(FieldError::required(path, ""));
        return;
    }
    let other_names: BTreeSet<&str> = match kind {
        Kind::Main => BTreeSet::new(),
        Kind::Init => items(spec, "containers").map(|container| text(container, "name")).collect(),
    };
    let host_network = truth(spec, "hostNetwork");
    let mut seen_names = other_names;
    let mut seen_host_ports = BTreeSet::new();
    for (at, container) in items(spec, list).enumerate() {
        let path = format!("{path}[{at}]");
        validate_name(container, &path, &mut seen_names, faults);
        validate_image(container, &path, faults);
        validate_ports(container, host_network, &path, &mut seen_host_ports, faults);
        validate_environment(container, &path, faults);
        validate_mounts(container, volumes, &path, faults);
        validate_resources(container, &path, faults);
        validate_probes(container, kind, &path, faults);
        validate_security(container, &path, faults);
        for (field, supported) in [
            ("imagePullPolicy", ["Always", "IfNotPresent", "Never"].as_slice()),
            ("terminationMessagePolicy", ["FallbackToLogsOnError", "File"].as_slice()),
        ] {
            match text(container, field) {
                "" => faults.push(FieldError::required(join(&path, field), "")),
                choice if supported.contains(&choice) => {}
                choice => faults.push(FieldError::not_supported(join(&path, field), choice, supported)),
            }
        }
    }
}

fn validate_name<'a>(container: &'a Object, path: &str, seen: &mut BTreeSet<&'a str>, faults: &mut Vec<FieldError>) {
    let name = text(container, "name");
    let path = join(path, "name");
    if name.is_empty() {
        faults.push(FieldError::required(path, ""));
    } else {
        invalid_all(&path, name, names::dns_label(name), faults);
        if !seen.insert(name) {
            faults.push(FieldError::duplicate(path, name));
        }
    }
}

fn validate_image(container: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let image = text(container, "image");
    if image.is_empty() {
        faults.push(FieldError::required(join(path, "image"), ""));
    } else if image.trim() != image {
        let detail = "must not have leading or trailing whitespace";
        faults.push(FieldError::invalid(join(path, "image"), image, detail));
    }
}

fn validate_ports<'a>(
    container: &'a Object,
    host_network: bool,
    path: &str,
    seen_host_ports: &mut BTreeSet<(i64, &'a str, &'a str)>,
    faults: &mut Vec<FieldError>,
) {
    let mut seen_names = BTreeSet::new();
    for (at, port) in items(container, "ports").enumerate() {
        let path = format!("{path}.ports[{at}]");
        let (name, protocol) = (text(port, "name"), text(port, "protocol"));
        if !name.is_empty() {
            let complaints = names::port_name(name);
            if complaints.is_empty() && !seen_names.insert(name) {
                faults.push(FieldError::duplicate(join(&path, "name"), name));
            }
            invalid_all(&join(&path, "name"), name, complaints, faults);
        }
        match number(port, "containerPort") {
            0 => faults.push(FieldError::required(join(&path, "containerPort"), "")),
            _ => check_range(port, "containerPort", PORTS, &path, faults),
        }
        let host_port = number(port, "hostPort");
        if host_port != 0 {
            check_range(port, "hostPort", PORTS, &path, faults);
            if host_network && host_port != number(port, "containerPort") {
                let detail = "must match `containerPort` when `hostNetwork` is true";
                faults.push(FieldError::invalid(join(&path, "hostPort"), host_port, detail));
            }
            if !seen_host_ports.insert((host_port, protocol, text(port, "hostIP"))) {
                let value = format!("{protocol}/{}/{host_port}", text(port, "hostIP"));
                faults.push(FieldError::duplicate(join(&path, "hostPort"), value));
            }
        }
        match protocol {
            "" => faults.push(FieldError::required(join(&path, "protocol"), "")),
            "TCP" | "UDP" | "SCTP" => {}
            other => {
                faults.push(FieldError::not_supported(join(&path, "protocol"), other, &["SCTP", "TCP", "UDP"]));
            }
        }
    }
}

const VALUE_SOURCES: [&str; 5] = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];

fn validate_environment(container: &Object, path: &str, faults: &mut Vec<FieldError>) {
    for (at, variable) in items(container, "env").enumerate() {
        let path = format!("{path}.env[{at}]");
        match text(variable, "name") {
            "" => faults.push(FieldError::required(join(&path, "name"), "")),
            name => invalid_all(&join(&path, "name"), name, names::environment_name(name), faults),
        }
        let Some(source) = get_object(variable, "valueFrom") else { continue };
        let path = join(&path, "valueFrom");
        let given = VALUE_SOURCES.iter().filter(|name| source.contains_key(**name)).count();
        if given == 0 {
            let detail = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`";
            faults.push(FieldError::invalid(path.as_str(), "", detail));
        } else if !text(variable, "value").is_empty() {
            faults.push(FieldError::invalid(path.as_str(), "", "may not be specified when `value` is not empty"));
        } else if given > 1 {
            let detail = "may not have more than one field specified at a time";
            faults.push(FieldError::invalid(path.as_str(), "", detail));
        }
        for reference in ["configMapKeyRef", "secretKeyRef"] {
            if let Some(selector) = get_object(source, reference) {
                let path = join(&path, reference);
                match text(selector, "key") {
                    "" => faults.push(FieldError::required(join(&path, "key"), "")),
                    key => invalid_all(&join(&path, "key"), key, names::config_key(key), faults),
                }
                if text(selector, "name").is_empty() {
                    faults.push(FieldError::required(join(&path, "name"), ""));
                }
            }
        }
    }
}

fn validate_mounts(container: &Object, volumes: &BTreeSet<&str>, path: &str, faults: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    for (at, mount) in items(container, "volumeMounts").enumerate() {
        let path = format!("{path}.volumeMounts[{at}]");
        match text(mount, "name") {
            "" => faults.push(FieldError::required(join(&path, "name"), "")),
            name if !volumes.contains(name) => faults.push(FieldError::not_found(join(&path, "name"), name)),
            _ => {}
        }
        match text(mount, "mountPath") {
            "" => faults.push(FieldError::required(join(&path, "mountPath"), "")),
            place if !seen.insert(place) => {
                faults.push(FieldError::invalid(join(&path, "mountPath"), place, "must be unique"));
            }
            _ => {}
        }
        for field in ["subPath", "subPathExpr"] {
            let sub_path = text(mount, field);
            if sub_path.starts_with('/') {
                faults.push(FieldError::invalid(join(&path, field), sub_path, "must be a relative path"));
            }
            if sub_path.split('/').any(|part| part == "..") {
                faults.push(FieldError::invalid(join(&path, field), sub_path, "must not contain '..'"));
            }
        }
    }
}

const HANDLERS: [&str; 4] = ["exec", "httpGet", "tcpSocket", "grpc"];

fn validate_probes(container: &Object, kind: Kind, path: &str, faults: &mut Vec<FieldError>) {
    let is_sidecar = text(container, "restartPolicy") == "Always";
    for field in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = get_object(container, field) else { continue };
        let path = join(path, field);
        if kind == Kind::Init && !is_sidecar {
            let detail = "may not be set for init containers without restartPolicy=Always";
            faults.push(FieldError::forbidden(path, detail));
            continue;
        }
        validate_handler(probe, &HANDLERS, &path, faults);
        for field in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"]
        {
            check_not_negative(probe, field, &path, faults);
        }
        if field != "readinessProbe" && get_i64(probe, "successThreshold").is_some_and(|threshold| threshold != 1) {
            let threshold = number(probe, "successThreshold");
            faults.push(FieldError::invalid(join(&path, "successThreshold"), threshold, "must be 1"));
        }
    }
    for field in ["lifecycle.postStart", "lifecycle.preStop"] {
        if let Some(handler) = get_object(container, field) {
            validate_handler(handler, &["exec", "httpGet", "tcpSocket", "sleep"], &join(path, field), faults);
        }
    }
}

fn validate_handler(handler: &Object, kinds: &[&str], path: &str, faults: &mut Vec<FieldError>) {
    let given: Vec<&str> = kinds.iter().copied().filter(|kind| handler.contains_key(*kind)).collect();
    if given.is_empty() {
        faults.push(FieldError::required(path, "must specify a handler type"));
    }
    for extra in given.iter().skip(1) {
        faults.push(FieldError::forbidden(join(path, extra), "may not specify more than 1 handler type"));
    }
    if get(handler, "exec").is_some() && get_array(handler, "exec.command").is_empty() {
        faults.push(FieldError::required(join(path, "exec.command"), ""));
    }
    for kind in ["httpGet", "tcpSocket"] {
        if get(handler, kind).is_some() {
            validate_port_reference(handler, &format!("{kind}.port"), path, faults);
        }
    }
    if let Some(scheme) = get_str(handler, "httpGet.scheme").filter(|scheme| !["HTTP", "HTTPS"].contains(scheme)) {
        faults.push(FieldError::not_supported(join(path, "httpGet.scheme"), scheme, &["HTTP", "HTTPS"]));
    }
}

fn validate_security(container: &Object, path: &str, faults: &mut Vec<FieldError>) {
    for field in ["securityContext.runAsUser", "securityContext.runAsGroup"] {
        check_range(container, field, 0..=i64::from(i32::MAX), path, faults);
    }
    let forbids_escalation = get(container, "securityContext.allowPrivilegeEscalation") == Some(&Value::Bool(false));
    if !forbids_escalation {
        return;
    }
    let path = join(path, "securityContext");
    if truth(container, "securityContext.privileged") {
        let detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
        faults.push(FieldError::invalid(path.as_str(), value(container, "securityContext"), detail));
    }
    let added = get_array(container, "securityContext.capabilities.add");
    if added.iter().any(|capability| capability == "CAP_SYS_ADMIN") {
        let detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
        faults.push(FieldError::invalid(path, value(container, "securityContext"), detail));
    }
}

/// A port's number or name.
fn validate_port_reference(handler: &Object, field: &str, path: &str, faults: &mut Vec<FieldError>) {
    match get(handler, field) {
        Some(Value::String(name)) => invalid_all(&join(path, field), name, names::port_name(name), faults),
        Some(_) => check_range(handler, field, PORTS, path, faults),
        None => faults.push(FieldError::invalid(join(path, field), 0, "must be between 1 and 65535, inclusive")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_privileged_container_may_escalate() {
        let Value::Object(container) =
            json!({"securityContext": {"privileged": true, "allowPrivilegeEscalation": false}})
        else {
            panic!("an object")
        };
        let mut faults = Vec::new();
        validate_security(&container, "c", &mut faults);
        assert_eq!(faults.len(), 1);
    }
}
