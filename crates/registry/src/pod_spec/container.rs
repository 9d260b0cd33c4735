//! What is wrong with containers of every kind.

use std::collections::BTreeSet;

use serde_json::Value;

use super::environment::validate_environment;
use super::handlers::{validate_lifecycle, validate_probes};
use super::mounts::{validate_devices, validate_mounts};
use super::resources::validate_resources;
use super::security::validate_container_security;
use super::validation::{Surroundings, check_trimmed_image};
use crate::error::FieldError;
use crate::fields::{
    check_choice, check_range, get, get_array, get_object, get_str, invalid_all, items, join, number, text,
};
use crate::kind::Object;
use crate::names;

const PORTS: std::ops::RangeInclusive<i64> = 1..=65535;

pub(super) fn validate_containers(
    spec: &Object,
    surroundings: &Surroundings<'_>,
    path: &str,
    faults: &mut Vec<FieldError>,
) {
    let path = join(path, "containers");
    if get_array(spec, "containers").is_empty() {
        return faults.push(FieldError::required(path, ""));
    }
    let mut seen = BTreeSet::new();
    for (at, container) in items(spec, "containers").enumerate() {
        let path = format!("{path}[{at}]");
        validate_common(container, surroundings, &path, faults);
        let name = text(container, "name");
        if !seen.insert(name) {
            faults.push(FieldError::duplicate(join(&path, "name"), name));
        }
        validate_lifecycle(container, surroundings, &path, faults);
        validate_probes(container, surroundings, &path, faults);
        validate_restarts(container, &path, faults);
    }
    let mut seen_ports = BTreeSet::new();
    for (at, container) in items(spec, "containers").enumerate() {
        check_host_ports(container, &mut seen_ports, &format!("{path}[{at}]"), faults);
    }
}

pub(super) fn validate_init_containers(
    spec: &Object,
    surroundings: &Surroundings<'_>,
    path: &str,
    faults: &mut Vec<FieldError>,
) {
    let path = join(path, "initContainers");
    let mut seen: BTreeSet<&str> = items(spec, "containers").map(|container| text(container, "name")).collect();
    for (at, container) in items(spec, "initContainers").enumerate() {
        let list_path = path.as_str();
        let path = format!("{path}[{at}]");
        validate_common(container, surroundings, &path, faults);
        validate_restarts(container, &path, faults);
        let name = text(container, "name");
        if !name.is_empty() && !seen.insert(name) {
            faults.push(FieldError::duplicate(join(&path, "name"), name));
        }
        // They run one after the other: each may have the ports of another. The path is upstream's.
        check_host_ports(container, &mut BTreeSet::new(), &format!("{list_path}[0]"), faults);
        if text(container, "restartPolicy") == "Always" {
            validate_lifecycle(container, surroundings, &path, faults);
            validate_probes(container, surroundings, &path, faults);
            continue;
        }
        for field in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
            if get_object(container, field).is_some() {
                let detail = "may not be set for init containers without restartPolicy=Always";
                faults.push(FieldError::forbidden(join(&path, field), detail));
            }
        }
    }
}

/// Fields that a debugging container must do without: nothing may rely on it.
const NOT_EPHEMERAL: [&str; 6] = ["ports", "resources", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"];

pub(super) fn validate_ephemeral_containers(
    spec: &Object,
    surroundings: &Surroundings<'_>,
    path: &str,
    faults: &mut Vec<FieldError>,
) {
    let others: BTreeSet<&str> = super::CONTAINER_LISTS
        .iter()
        .flat_map(|list| items(spec, list))
        .map(|container| text(container, "name"))
        .collect();
    let mut seen = others.clone();
    for (at, container) in items(spec, "ephemeralContainers").enumerate() {
        let path = format!("{path}.ephemeralContainers[{at}]");
        validate_common(container, surroundings, &path, faults);
        check_trimmed_image(container, &path, faults);
        let name = text(container, "name");
        if !seen.insert(name) {
            faults.push(FieldError::duplicate(join(&path, "name"), name));
        }
        let target = text(container, "targetContainerName");
        if !target.is_empty() && !others.contains(target) {
            faults.push(FieldError::not_found(join(&path, "targetContainerName"), target));
        }
        const DETAIL: &str = "cannot be set for an Ephemeral Container";
        for field in NOT_EPHEMERAL {
            let is_set = match get(container, field) {
                None | Some(Value::Null) => false,
                Some(Value::Array(items)) => !items.is_empty(),
                Some(Value::Object(fields)) if field == "resources" => !fields.is_empty(),
                Some(_) => true,
            };
            if is_set {
                faults.push(FieldError::forbidden(join(&path, field), DETAIL));
            }
        }
        for (at, mount) in items(container, "volumeMounts").enumerate() {
            for field in ["subPath", "subPathExpr"] {
                if !text(mount, field).is_empty() {
                    faults.push(FieldError::forbidden(format!("{path}.volumeMounts[{at}].{field}"), DETAIL));
                }
            }
        }
    }
}

fn validate_common(container: &Object, surroundings: &Surroundings<'_>, path: &str, faults: &mut Vec<FieldError>) {
    match text(container, "name") {
        "" => faults.push(FieldError::required(join(path, "name"), "")),
        name => invalid_all(&join(path, "name"), name, names::dns_label(name), faults),
    }
    if text(container, "image").is_empty() {
        faults.push(FieldError::required(join(path, "image"), ""));
    }
    check_choice(container, "terminationMessagePolicy", &["File", "FallbackToLogsOnError"], path, faults);
    validate_ports(container, path, faults);
    validate_environment(container, path, faults);
    validate_mounts(container, &surroundings.volumes, path, faults);
    validate_devices(container, &surroundings.volumes, path, faults);
    check_choice(container, "imagePullPolicy", &["Always", "IfNotPresent", "Never"], path, faults);
    validate_resources(container, &surroundings.claim_names, path, faults);
    validate_resize_policy(container, surroundings.restart_policy, path, faults);
    validate_container_security(container, surroundings.has_host_users, path, faults);
}

fn validate_ports(container: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let mut seen_names = BTreeSet::new();
    for (at, port) in items(container, "ports").enumerate() {
        let path = format!("{path}.ports[{at}]");
        let name = text(port, "name");
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
        if number(port, "hostPort") != 0 {
            check_range(port, "hostPort", PORTS, &path, faults);
        }
        check_choice(port, "protocol", &["SCTP", "TCP", "UDP"], &path, faults);
    }
}

/// A port of the node is one container's alone.
fn check_host_ports(container: &Object, seen: &mut BTreeSet<String>, path: &str, faults: &mut Vec<FieldError>) {
    for (at, port) in items(container, "ports").enumerate().filter(|(_, port)| number(port, "hostPort") != 0) {
        let taken = format!("{}/{}/{}", text(port, "protocol"), text(port, "hostIP"), number(port, "hostPort"));
        if !seen.insert(taken.clone()) {
            faults.push(FieldError::duplicate(format!("{path}.ports[{at}].hostPort"), taken));
        }
    }
}

const MAX_RESTART_RULES: usize = 20;
const MAX_EXIT_CODES: usize = 255;

/// Whether and when a single container starts anew, whatever the pod says.
fn validate_restarts(container: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let rules = get_array(container, "restartPolicyRules");
    match get_str(container, "restartPolicy") {
        None if !rules.is_empty() => {
            let detail = "must specify restartPolicy when restart rules are used";
            faults.push(FieldError::required(join(path, "restartPolicy"), detail));
        }
        None => {}
        Some(_) => check_choice(container, "restartPolicy", &["Always", "Never", "OnFailure"], path, faults),
    }
    if rules.len() > MAX_RESTART_RULES {
        faults.push(FieldError::too_many(join(path, "restartPolicyRules"), rules.len(), MAX_RESTART_RULES));
    }
    for (at, rule) in items(container, "restartPolicyRules").enumerate() {
        let path = format!("{path}.restartPolicyRules[{at}]");
        check_choice(rule, "action", &["Restart", "RestartAllContainers"], &path, faults);
        let Some(exit_codes) = get_object(rule, "exitCodes") else {
            faults.push(FieldError::required(join(&path, "exitCodes"), "must be specified"));
            continue;
        };
        let path = join(&path, "exitCodes");
        check_choice(exit_codes, "operator", &["In", "NotIn"], &path, faults);
        let count = get_array(exit_codes, "values").len();
        if count > MAX_EXIT_CODES {
            faults.push(FieldError::too_many(join(&path, "values"), count, MAX_EXIT_CODES));
        }
    }
}

fn validate_resize_policy(container: &Object, restart_policy: &str, path: &str, faults: &mut Vec<FieldError>) {
    let path = join(path, "resizePolicy");
    let mut seen = BTreeSet::new();
    for (at, policy) in items(container, "resizePolicy").enumerate() {
        let resource = text(policy, "resourceName");
        if !seen.insert(resource) {
            faults.push(FieldError::duplicate(format!("{path}[{at}]"), resource));
        }
        for (field, supported) in
            [("resourceName", ["cpu", "memory"]), ("restartPolicy", ["NotRequired", "RestartContainer"])]
        {
            match text(policy, field) {
                "" => faults.push(FieldError::required(path.as_str(), "")),
                choice if supported.contains(&choice) => {}
                choice => faults.push(FieldError::not_supported(path.as_str(), choice, &supported)),
            }
        }
        let choice = text(policy, "restartPolicy");
        if restart_policy == "Never" && choice != "NotRequired" {
            let detail = "must be 'NotRequired' when `restartPolicy` is 'Never'";
            faults.push(FieldError::invalid(path.as_str(), choice, detail));
        }
    }
}
