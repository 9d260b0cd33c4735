//! What is wrong with containers.

use std::collections::BTreeSet;

use api::Quantity;
use serde_json::Value;

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

fn validate_resources(container: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let path = join(path, "resources");
    let amounts = |list: &str| get_object(container, &format!("resources.{list}"));
    for list in ["limits", "requests"] {
        for (resource, value) in amounts(list).into_iter().flatten() {
            let path = format!("{path}.{list}[{resource}]");
            validate_resource_name(resource, &path, faults);
            let Some(amount) = parse_amount(value) else { continue };
            if amount.is_negative() {
                faults.push(FieldError::invalid(path, value.clone(), "must be greater than or equal to 0"));
            } else if !is_divisible(resource) && Quantity::from_units(amount.units()) != amount {
                faults.push(FieldError::invalid(path, value.clone(), "must be an integer"));
            }
        }
    }
    for (resource, value) in amounts("requests").into_iter().flatten() {
        let limit_value = amounts("limits").and_then(|limits| limits.get(resource));
        let limit = limit_value.and_then(parse_amount);
        let path = join(&path, "requests");
        let overcommits = !is_extended(resource) && !resource.starts_with(HUGE_PAGES);
        match (parse_amount(value), limit) {
            (Some(request), Some(limit)) if overcommits && request > limit => {
                let detail = format!("must be less than or equal to {resource} limit of {}", shown(limit_value));
                faults.push(FieldError::invalid(path, value.clone(), detail));
            }
            (Some(request), Some(limit)) if !overcommits && request != limit => {
                let detail = format!("must be equal to {resource} limit of {}", shown(limit_value));
                faults.push(FieldError::invalid(path, value.clone(), detail));
            }
            (Some(_), None) if !overcommits => {
                faults.push(FieldError::required(
                    join(path.trim_end_matches(".requests"), "limits"),
                    "Limit must be set for non overcommitable resources",
                ));
            }
            _ => {}
        }
    }
}

const HUGE_PAGES: &str = "hugepages-";

fn parse_amount(value: &Value) -> Option<Quantity> {
    value.as_str()?.parse().ok()
}

fn shown(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or("")
}

/// Named by someone outside the project: counted in whole pieces and never shared.
fn is_extended(resource: &str) -> bool {
    resource.split_once('/').is_some_and(|(domain, _)| domain != "kubernetes.io" && !domain.ends_with(".kubernetes.io"))
}

fn is_divisible(resource: &str) -> bool {
    !is_extended(resource) && !resource.starts_with(HUGE_PAGES)
}

fn validate_resource_name(resource: &str, path: &str, faults: &mut Vec<FieldError>) {
    let complaints = names::qualified_name(resource);
    if !complaints.is_empty() {
        invalid_all(path, resource, complaints, faults);
        return;
    }
    let is_standard = ["cpu", "memory", "ephemeral-storage"].contains(&resource) || resource.starts_with(HUGE_PAGES);
    if !resource.contains('/') && !is_standard {
        faults.push(FieldError::invalid(path, resource, "must be a standard resource for containers"));
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

    fn resource_faults(resources: Value) -> Vec<String> {
        let container = Object::from_iter([("resources".to_owned(), resources)]);
        let mut faults = Vec::new();
        validate_resources(&container, "c", &mut faults);
        faults.iter().map(FieldError::to_string).collect()
    }

    #[test]
    fn resources_are_known_whole_and_covered() {
        for (resources, expected) in [
            (json!({"requests": {"cpu": "1"}, "limits": {"cpu": "2", "memory": "1Gi"}}), vec![]),
            (
                json!({"limits": {"gpu": "1"}}),
                vec![r#"c.resources.limits[gpu]: Invalid value: "gpu": must be a standard resource for containers"#],
            ),
            (
                json!({"limits": {"cpu": "-1"}}),
                vec![r#"c.resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0"#],
            ),
            (
                json!({"limits": {"x.io/gpu": "500m"}}),
                vec![r#"c.resources.limits[x.io/gpu]: Invalid value: "500m": must be an integer"#],
            ),
            (
                json!({"requests": {"x.io/gpu": "1"}}),
                vec!["c.resources.limits: Required value: Limit must be set for non overcommitable resources"],
            ),
            (
                json!({"requests": {"x.io/gpu": "1"}, "limits": {"x.io/gpu": "2"}}),
                vec![r#"c.resources.requests: Invalid value: "1": must be equal to x.io/gpu limit of 2"#],
            ),
        ] {
            assert_eq!(resource_faults(resources.clone()), expected, "{resources}");
        }
    }

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
