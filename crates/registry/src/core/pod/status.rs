//! What may be said in a pod's status: containers that ended for good stay ended, addresses are addresses.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value;

use crate::error::FieldError;
use crate::fields::{get_object, invalid_all, items, number, text, value};
use crate::kind::Object;
use crate::names;
use crate::pod_spec::check_address;

const SYSTEM_CONDITIONS: [&str; 3] = ["Initialized", "PodScheduled", "Ready"];

pub(super) fn validate(pod: &Object, old: &Object) -> Vec<FieldError> {
    let mut faults = Vec::new();
    for (at, condition) in items(pod, "status.conditions").enumerate() {
        let kind = text(condition, "type");
        if !SYSTEM_CONDITIONS.contains(&kind) {
            // Upstream looks for them in the metadata.
            let path = format!("metadata.conditions[{at}].Type");
            invalid_all(&path, kind, names::qualified_name(kind), &mut faults);
        }
    }
    let nominated = "status.nominatedNodeName";
    let name = text(pod, nominated);
    if !name.is_empty() && name != text(old, nominated) {
        invalid_all(nominated, name, names::dns_subdomain(name), &mut faults);
    }
    let class = text(pod, "status.qosClass");
    if !class.is_empty() && class != text(old, "status.qosClass") {
        faults.push(FieldError::invalid("status.qosClass", class, "field is immutable"));
    }
    let policy = text(old, "spec.restartPolicy");
    for (list, policy) in
        [("containerStatuses", policy), ("initContainerStatuses", policy), ("ephemeralContainerStatuses", "Never")]
    {
        validate_ends(pod, old, list, policy, &mut faults);
    }
    validate_addresses(pod, "podIPs", &mut faults);
    let first = items(pod, "status.hostIPs").next().map(|address| text(address, "ip"));
    if let Some(first) = first.filter(|first| *first != text(pod, "status.hostIP")) {
        faults.push(FieldError::invalid("status.hostIPs[0].ip", first, "must be equal to `hostIP`"));
    }
    validate_addresses(pod, "hostIPs", &mut faults);
    faults
}

/// A container that is not to start again does not.
fn validate_ends(pod: &Object, old: &Object, list: &str, policy: &str, faults: &mut Vec<FieldError>) {
    if policy == "Always" {
        return;
    }
    let starts_again_by_itself = |name: &str| {
        super::containers(old)
            .any(|container| text(container, "name") == name && !text(container, "restartPolicy").is_empty())
    };
    for (at, before) in items(old, &format!("status.{list}")).enumerate() {
        let Some(end) = get_object(before, "state.terminated") else { continue };
        let name = text(before, "name");
        if (number(end, "exitCode") != 0 && policy == "OnFailure") || starts_again_by_itself(name) {
            continue;
        }
        for after in items(pod, &format!("status.{list}")).filter(|after| text(after, "name") == name) {
            if get_object(after, "state.terminated").is_none() {
                let detail = "may not be transitioned to non-terminated state";
                faults.push(FieldError::forbidden(format!("status.{list}[{at}].state"), detail));
            }
        }
    }
}

fn validate_addresses(pod: &Object, list: &str, faults: &mut Vec<FieldError>) {
    let path = format!("status.{list}");
    let addresses: Vec<&str> = items(pod, &path).map(|address| text(address, "ip")).collect();
    for (at, address) in addresses.iter().enumerate() {
        check_address(address, &format!("{path}[{at}].ip"), faults);
    }
    if addresses.len() < 2 {
        return;
    }
    let families: BTreeSet<bool> = addresses
        .iter()
        .filter_map(|address| address.parse::<IpAddr>().ok())
        .map(|address| address.is_ipv4())
        .collect();
    if families.len() < 2 || addresses.len() > 2 {
        let detail = "may specify no more than one IP for each IP family";
        faults.push(FieldError::invalid(path.as_str(), value(pod, &path), detail));
    }
    let mut seen = BTreeSet::new();
    for (at, address) in addresses.iter().enumerate().filter(|(_, address)| !seen.insert(**address)) {
        let whole = Value::from(serde_json::Map::from_iter([("ip".to_owned(), Value::from(*address))]));
        faults.push(FieldError::duplicate(format!("{path}[{at}]"), whole));
    }
}
