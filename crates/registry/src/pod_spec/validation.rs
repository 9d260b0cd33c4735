//! What is wrong with a pod's spec, in the order and the words of upstream's `ValidatePodSpec`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::container::{validate_containers, validate_ephemeral_containers, validate_init_containers};
use super::pod_resources::validate_pod_resources;
use super::scheduling::{
    validate_affinity, validate_gates, validate_readiness_gates, validate_spreading, validate_tolerations,
};
use super::security::{validate_host_users, validate_operating_system, validate_pod_security};
use super::volumes::{Volumes, validate_volumes};
use crate::error::FieldError;
use crate::fields::{
    check_choice, check_range, get, get_array, get_i64, get_object, get_str, invalid_all, items, join, number, text,
    truth, value,
};
use crate::kind::Object;
use crate::{metadata, names};

/// What a rule may know of the spec around a container.
pub(super) struct Surroundings<'a> {
    pub(super) volumes: Volumes<'a>,
    pub(super) claim_names: BTreeSet<&'a str>,
    pub(super) grace_period_seconds: Option<i64>,
    pub(super) restart_policy: &'a str,
    /// Whether the pod shares the node's user namespace.
    pub(super) has_host_users: bool,
}

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
    let spec_path = join(path, "spec");
    faults.extend(validate_spec(spec, &spec_path));
    if !get_array(spec, "ephemeralContainers").is_empty() {
        let detail = "ephemeral containers not allowed in pod template";
        faults.push(FieldError::forbidden(join(&spec_path, "ephemeralContainers"), detail));
    }
    faults
}

/// Faults of a spec in a template.
pub fn validate_spec(spec: &Object, path: &str) -> Vec<FieldError> {
    let mut faults = Vec::new();
    validate(spec, "", false, path, &mut faults);
    faults
}

/// Faults of a whole pod's spec: also those that templates are forgiven.
pub fn validate_pod(pod: &Object) -> Vec<FieldError> {
    let (mut faults, empty, path) = (Vec::new(), Object::new(), "spec");
    let spec = get_object(pod, path).unwrap_or(&empty);
    validate(spec, text(pod, "metadata.name"), true, path, &mut faults);
    if text(spec, "serviceAccountName").is_empty() {
        for (at, volume) in items(spec, "volumes").enumerate() {
            for (source_at, source) in items(volume, "projected.sources").enumerate() {
                if get(source, "serviceAccountToken").is_some() {
                    let path = format!("{path}.volumes[{at}].projected.sources[{source_at}].serviceAccountToken");
                    let detail = "must not be specified when serviceAccountName is not set";
                    faults.push(FieldError::forbidden(path, detail));
                }
            }
        }
    }
    for list in ["containers", "initContainers"] {
        for (at, container) in items(spec, list).enumerate() {
            check_trimmed_image(container, &format!("{path}.{list}[{at}]"), &mut faults);
        }
    }
    faults
}

pub(super) fn check_trimmed_image(container: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let image = text(container, "image");
    if image.trim() != image {
        let detail = "must not have leading or trailing whitespace";
        faults.push(FieldError::invalid(join(path, "image"), image, detail));
    }
}

fn validate(spec: &Object, pod_name: &str, is_pod: bool, path: &str, faults: &mut Vec<FieldError>) {
    let grace_period_seconds = get_i64(spec, "terminationGracePeriodSeconds");
    if grace_period_seconds.is_none() {
        faults.push(FieldError::required(join(path, "terminationGracePeriodSeconds"), ""));
    }
    let surroundings = Surroundings {
        volumes: validate_volumes(spec, pod_name, &join(path, "volumes"), faults),
        claim_names: validate_claims(spec, &join(path, "resourceClaims"), faults),
        grace_period_seconds,
        restart_policy: text(spec, "restartPolicy"),
        has_host_users: get(spec, "hostUsers") != Some(&Value::Bool(false)),
    };
    validate_containers(spec, &surroundings, path, faults);
    validate_init_containers(spec, &surroundings, path, faults);
    validate_ephemeral_containers(spec, &surroundings, path, faults);
    validate_pod_resources(spec, path, faults);
    validate_host_ports(spec, is_pod, path, faults);
    check_choice(spec, "restartPolicy", &["Always", "OnFailure", "Never"], path, faults);
    let policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    check_choice(spec, "dnsPolicy", &policies, path, faults);
    if let Some(labels) = get_object(spec, "nodeSelector") {
        metadata::validate_labels(labels, &join(path, "nodeSelector"), faults);
    }
    validate_pod_security(spec, path, faults);
    validate_affinity(spec, &join(path, "affinity"), faults);
    validate_dns(spec, &join(path, "dnsConfig"), faults);
    validate_readiness_gates(spec, path, faults);
    validate_gates(spec, path, faults);
    validate_spreading(spec, path, faults);
    validate_host_users(spec, path, faults);
    validate_names(spec, path, faults);
    validate_operating_system(spec, path, faults);
}

/// The names of the pod's claims for resources.
fn validate_claims<'a>(spec: &'a Object, path: &str, faults: &mut Vec<FieldError>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    for (at, claim) in items(spec, "resourceClaims").enumerate() {
        let path = format!("{path}[{at}]");
        match text(claim, "name") {
            "" => faults.push(FieldError::required(join(&path, "name"), "")),
            name if !seen.insert(name) => faults.push(FieldError::duplicate(join(&path, "name"), name)),
            name => invalid_all(&join(&path, "name"), name, names::dns_label(name), faults),
        }
        let sources = ["resourceClaimName", "resourceClaimTemplateName"].map(|field| (field, get_str(claim, field)));
        let detail = match sources.iter().filter(|(_, name)| name.is_some()).count() {
            2 => "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified",
            0 => "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`",
            _ => "",
        };
        if !detail.is_empty() {
            faults.push(FieldError::invalid(path.as_str(), Value::Object(claim.clone()), detail));
        }
        for (field, name) in sources.into_iter().filter_map(|(field, name)| Some((field, name?))) {
            invalid_all(&join(&path, field), name, names::dns_subdomain(name), faults);
        }
    }
    seen
}

/// On the node's network a port of the container is the node's. Templates may leave that to their pods.
fn validate_host_ports(spec: &Object, is_pod: bool, path: &str, faults: &mut Vec<FieldError>) {
    if !truth(spec, "hostNetwork") {
        return;
    }
    for (at, container) in items(spec, "containers").enumerate() {
        for (port_at, port) in items(container, "ports").enumerate() {
            let host_port = number(port, "hostPort");
            if (is_pod || host_port != 0) && host_port != number(port, "containerPort") {
                let path = format!("{path}.containers[{at}].ports[{port_at}].hostPort");
                let detail = "must match `containerPort` when `hostNetwork` is true";
                faults.push(FieldError::invalid(path, host_port, detail));
            }
        }
    }
}

const MAX_NAME_SERVERS: usize = 3;
const MAX_SEARCH_PATHS: usize = 32;
const MAX_SEARCH_BYTES: usize = 2048;

fn validate_dns(spec: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let config = get_object(spec, "dnsConfig");
    if text(spec, "dnsPolicy") == "None" {
        let Some(config) = config else {
            let detail = "must provide `dnsConfig` when `dnsPolicy` is None";
            return faults.push(FieldError::required(path, detail));
        };
        if get_array(config, "nameservers").is_empty() {
            let detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            return faults.push(FieldError::required(join(path, "nameservers"), detail));
        }
    }
    let Some(config) = config else { return };
    let servers: Vec<&str> = get_array(config, "nameservers").iter().filter_map(Value::as_str).collect();
    if servers.len() > MAX_NAME_SERVERS {
        let detail = format!("must not have more than {MAX_NAME_SERVERS} nameservers");
        faults.push(FieldError::invalid(join(path, "nameservers"), value(config, "nameservers"), detail));
    }
    for (at, server) in servers.iter().enumerate() {
        check_address(server, &format!("{path}.nameservers[{at}]"), faults);
    }
    let searches: Vec<&str> = get_array(config, "searches").iter().filter_map(Value::as_str).collect();
    if searches.len() > MAX_SEARCH_PATHS {
        let detail = format!("must not have more than {MAX_SEARCH_PATHS} search paths");
        faults.push(FieldError::invalid(join(path, "searches"), value(config, "searches"), detail));
    }
    if searches.join(" ").len() > MAX_SEARCH_BYTES {
        let detail =
            format!("must not have more than {MAX_SEARCH_BYTES} characters (including spaces) in the search list");
        faults.push(FieldError::invalid(join(path, "searches"), value(config, "searches"), detail));
    }
    for (at, search) in searches.into_iter().enumerate().filter(|(_, search)| *search != ".") {
        let domain = search.strip_suffix('.').unwrap_or(search);
        let complaints = names::dns_subdomain_with_underscore(domain);
        invalid_all(&format!("{path}.searches[{at}]"), domain, complaints, faults);
    }
    for (at, option) in items(config, "options").enumerate() {
        if text(option, "name").is_empty() {
            faults.push(FieldError::required(format!("{path}.options[{at}]"), "must not be empty"));
        }
    }
}

/// An address in any form that can be read: those of old objects need not be canonical.
pub(crate) fn check_address(address: &str, path: &str, faults: &mut Vec<FieldError>) {
    if address.parse::<std::net::IpAddr>().is_err() {
        let detail = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
        faults.push(FieldError::invalid(path, address, detail));
    }
}

fn validate_names(spec: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let check_name = |field: &str, rule: fn(&str) -> Vec<String>, faults: &mut Vec<FieldError>| {
        if let Some(name) = get_str(spec, field).filter(|name| !name.is_empty()) {
            invalid_all(&join(path, field), name, rule(name), faults);
        }
    };
    check_name("serviceAccountName", names::dns_subdomain, faults);
    check_name("nodeName", names::dns_subdomain, faults);
    check_range(spec, "activeDeadlineSeconds", 1..=i64::from(i32::MAX), path, faults);
    check_name("hostname", names::dns_label, faults);
    check_name("subdomain", names::dns_label, faults);
    validate_tolerations(spec, "tolerations", path, faults);
    for (at, alias) in items(spec, "hostAliases").enumerate() {
        let path = format!("{path}.hostAliases[{at}]");
        check_address(text(alias, "ip"), &join(&path, "ip"), faults);
        for (at, name) in get_array(alias, "hostnames").iter().filter_map(Value::as_str).enumerate() {
            invalid_all(&format!("{path}.hostnames[{at}]"), name, names::dns_subdomain(name), faults);
        }
    }
    check_name("priorityClassName", names::dns_subdomain, faults);
    if let Some(name) = get_str(spec, "runtimeClassName") {
        invalid_all(&join(path, "runtimeClassName"), name, names::dns_subdomain(name), faults);
    }
    if get_str(spec, "preemptionPolicy").is_some() {
        check_choice(spec, "preemptionPolicy", &["PreemptLowerPriority", "Never"], path, faults);
    }
    if let Some(overhead) = get_object(spec, "overhead") {
        super::resources::validate_overhead(overhead, &join(path, "overhead"), faults);
    }
}
