//! What is wrong with a pod's spec.

use serde_json::Value;

use super::container::{Kind, validate_containers};
use super::volumes::validate_volumes;
use crate::error::FieldError;
use crate::fields::{
    check_not_negative, check_range, get, get_array, get_i64, get_object, get_str, invalid_all, items, join, text,
    truth,
};
use crate::kind::Object;
use crate::{metadata, names};

/// Faults of the template at `template` of a workload's spec: its metadata and its spec.
pub fn validate_template(template: &Object, path: &str) -> Vec<FieldError> {
    let mut faults = Vec::new();
    if let Some(labels) = get_object(template, "metadata.labels") {
        metadata::validate_labels(labels, &join(path, "labels"), &mut faults);
    }
    if let Some(annotations) = get_object(template, "metadata.annotations") {
        metadata::validate_annotations(annotations, &join(path, "annotations"), &mut faults);
    }
    let empty = Object::new();
    let spec = get_object(template, "spec").unwrap_or(&empty);
    faults.extend(validate_spec(spec, &join(path, "spec")));
    faults
}

pub fn validate_spec(spec: &Object, path: &str) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let volumes = validate_volumes(spec, &join(path, "volumes"), &mut faults);
    validate_containers(spec, Kind::Main, &volumes, path, &mut faults);
    validate_containers(spec, Kind::Init, &volumes, path, &mut faults);
    check_required_choice(spec, "restartPolicy", &["Always", "Never", "OnFailure"], path, &mut faults);
    check_required_choice(
        spec,
        "dnsPolicy",
        &["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"],
        path,
        &mut faults,
    );
    validate_dns(spec, path, &mut faults);
    if let Some(labels) = get_object(spec, "nodeSelector") {
        metadata::validate_labels(labels, &join(path, "nodeSelector"), &mut faults);
    }
    for (field, check) in [
        ("serviceAccountName", names::dns_subdomain as fn(&str) -> Vec<String>),
        ("nodeName", names::dns_subdomain),
        ("hostname", names::dns_label),
        ("subdomain", names::dns_label),
        ("priorityClassName", names::dns_subdomain),
        ("runtimeClassName", names::dns_subdomain),
    ] {
        if let Some(name) = get_str(spec, field).filter(|name| !name.is_empty()) {
            invalid_all(&join(path, field), name, check(name), &mut faults);
        }
    }
    check_not_negative(spec, "terminationGracePeriodSeconds", path, &mut faults);
    check_range(spec, "activeDeadlineSeconds", 1..=i64::from(i32::MAX), path, &mut faults);
    for field in ["runAsUser", "runAsGroup", "fsGroup"] {
        check_range(spec, &format!("securityContext.{field}"), 0..=i64::from(i32::MAX), path, &mut faults);
    }
    validate_tolerations(spec, path, &mut faults);
    validate_affinity(spec, path, &mut faults);
    validate_spreading(spec, path, &mut faults);
    faults
}

/// Defaulting fills these, so an empty one is the client's.
fn check_required_choice(spec: &Object, field: &str, supported: &[&str], path: &str, faults: &mut Vec<FieldError>) {
    match text(spec, field) {
        "" => faults.push(FieldError::required(join(path, field), "")),
        choice if supported.contains(&choice) => {}
        choice => faults.push(FieldError::not_supported(join(path, field), choice, supported)),
    }
}

fn validate_dns(spec: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let servers = get_array(spec, "dnsConfig.nameservers");
    let path = join(path, "dnsConfig");
    if text(spec, "dnsPolicy") == "None" {
        if get(spec, "dnsConfig").is_none() {
            let detail = "must provide `dnsConfig` when `dnsPolicy` is None";
            faults.push(FieldError::required(path.as_str(), detail));
        } else if servers.is_empty() {
            let detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            faults.push(FieldError::required(join(&path, "nameservers"), detail));
        }
    }
    const MAX_SERVERS: usize = 3;
    if servers.len() > MAX_SERVERS {
        let detail = format!("must not have more than {MAX_SERVERS} nameservers");
        faults.push(FieldError::invalid(join(&path, "nameservers"), servers.to_vec(), detail));
    }
    for (at, server) in servers.iter().filter_map(Value::as_str).enumerate() {
        if server.parse::<std::net::IpAddr>().is_err() {
            let detail = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
            faults.push(FieldError::invalid(format!("{path}.nameservers[{at}]"), server, detail));
        }
    }
}

fn validate_tolerations(spec: &Object, path: &str, faults: &mut Vec<FieldError>) {
    for (at, toleration) in items(spec, "tolerations").enumerate() {
        let path = format!("{path}.tolerations[{at}]");
        let (key, operator, effect) =
            (text(toleration, "key"), text(toleration, "operator"), text(toleration, "effect"));
        if !key.is_empty() {
            invalid_all(&join(&path, "key"), key, names::qualified_name(key), faults);
        } else if operator != "Exists" {
            let detail = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            faults.push(FieldError::invalid(join(&path, "operator"), operator, detail));
        }
        if get_i64(toleration, "tolerationSeconds").is_some() && effect != "NoExecute" {
            let detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            faults.push(FieldError::invalid(join(&path, "effect"), effect, detail));
        }
        match operator {
            "" | "Equal" => {
                let value = text(toleration, "value");
                invalid_all(&join(&path, "operator"), value, names::label_value(value), faults);
            }
            "Exists" if !text(toleration, "value").is_empty() => {
                let detail = "value must be empty when `operator` is 'Exists'";
                faults.push(FieldError::invalid(join(&path, "operator"), text(toleration, "value"), detail));
            }
            "Exists" => {}
            other => faults.push(FieldError::not_supported(join(&path, "operator"), other, &["Equal", "Exists"])),
        }
        if !["", "NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&effect) {
            let supported = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
            faults.push(FieldError::not_supported(join(&path, "effect"), effect, &supported));
        }
    }
}

const REQUIRED_RULES: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED_RULES: &str = "preferredDuringSchedulingIgnoredDuringExecution";

fn validate_affinity(spec: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let path = join(path, "affinity");
    if let Some(required) = get_object(spec, &format!("affinity.nodeAffinity.{REQUIRED_RULES}")) {
        let path = format!("{path}.nodeAffinity.{REQUIRED_RULES}.nodeSelectorTerms");
        if get_array(required, "nodeSelectorTerms").is_empty() {
            faults.push(FieldError::required(path.as_str(), "must have at least one node selector term"));
        }
        for (at, term) in items(required, "nodeSelectorTerms").enumerate() {
            validate_node_term(term, &format!("{path}[{at}]"), faults);
        }
    }
    for (at, preferred) in items(spec, &format!("affinity.nodeAffinity.{PREFERRED_RULES}")).enumerate() {
        let path = format!("{path}.nodeAffinity.{PREFERRED_RULES}[{at}]");
        check_weight(preferred, &path, faults);
        if let Some(term) = get_object(preferred, "preference") {
            validate_node_term(term, &join(&path, "preference"), faults);
        }
    }
    for side in ["podAffinity", "podAntiAffinity"] {
        for (at, term) in items(spec, &format!("affinity.{side}.{REQUIRED_RULES}")).enumerate() {
            validate_pod_term(term, &format!("{path}.{side}.{REQUIRED_RULES}[{at}]"), faults);
        }
        for (at, preferred) in items(spec, &format!("affinity.{side}.{PREFERRED_RULES}")).enumerate() {
            let path = format!("{path}.{side}.{PREFERRED_RULES}[{at}]");
            check_weight(preferred, &path, faults);
            if let Some(term) = get_object(preferred, "podAffinityTerm") {
                validate_pod_term(term, &join(&path, "podAffinityTerm"), faults);
            }
        }
    }
}

fn check_weight(preferred: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let weight = get_i64(preferred, "weight").unwrap_or(0);
    if !(1..=100).contains(&weight) {
        faults.push(FieldError::invalid(join(path, "weight"), weight, "must be in the range 1-100"));
    }
}

fn validate_node_term(term: &Object, path: &str, faults: &mut Vec<FieldError>) {
    for (at, requirement) in items(term, "matchExpressions").enumerate() {
        let path = format!("{path}.matchExpressions[{at}]");
        let values = get_array(requirement, "values");
        match text(requirement, "operator") {
            "In" | "NotIn" if values.is_empty() => {
                let detail = "must be specified when `operator` is 'In' or 'NotIn'";
                faults.push(FieldError::required(join(&path, "values"), detail));
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                faults.push(FieldError::forbidden(join(&path, "values"), detail));
            }
            "Gt" | "Lt" if values.len() != 1 => {
                let detail = "must be specified single value when `operator` is 'Lt' or 'Gt'";
                faults.push(FieldError::required(join(&path, "values"), detail));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
            other => {
                faults.push(FieldError::invalid(join(&path, "operator"), other, "not a valid selector operator"));
            }
        }
        let key = text(requirement, "key");
        invalid_all(&join(&path, "key"), key, names::qualified_name(key), faults);
    }
}

fn validate_pod_term(term: &Object, path: &str, faults: &mut Vec<FieldError>) {
    if let Some(selector) = get_object(term, "labelSelector") {
        metadata::validate_selector(selector, &join(path, "labelSelector"), faults);
    }
    match text(term, "topologyKey") {
        "" => faults.push(FieldError::required(join(path, "topologyKey"), "can not be empty")),
        key => invalid_all(&join(path, "topologyKey"), key, names::qualified_name(key), faults),
    }
}

fn validate_spreading(spec: &Object, path: &str, faults: &mut Vec<FieldError>) {
    for (at, constraint) in items(spec, "topologySpreadConstraints").enumerate() {
        let path = format!("{path}.topologySpreadConstraints[{at}]");
        let skew = get_i64(constraint, "maxSkew").unwrap_or(0);
        if skew <= 0 {
            faults.push(FieldError::invalid(join(&path, "maxSkew"), skew, "must be greater than zero"));
        }
        if text(constraint, "topologyKey").is_empty() {
            faults.push(FieldError::required(join(&path, "topologyKey"), "can not be empty"));
        }
        let action = text(constraint, "whenUnsatisfiable");
        if !["DoNotSchedule", "ScheduleAnyway"].contains(&action) {
            let supported = ["DoNotSchedule", "ScheduleAnyway"];
            faults.push(FieldError::not_supported(join(&path, "whenUnsatisfiable"), action, &supported));
        }
        if let Some(selector) = get_object(constraint, "labelSelector") {
            metadata::validate_selector(selector, &join(&path, "labelSelector"), faults);
        }
    }
    if truth(spec, "hostPID") && truth(spec, "shareProcessNamespace") {
        let detail = "ShareProcessNamespace and HostPID cannot both be enabled";
        faults.push(FieldError::invalid(join(path, "shareProcessNamespace"), true, detail));
    }
}
