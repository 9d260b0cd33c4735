//! Node.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column, wide};
use crate::error::FieldError;
use crate::fields::{condition, get, get_object, invalid_all, items, or_none, set, text, texts, truth, value};
use crate::kind::{Column, Kind, Object, Rules, WriteContext};
use crate::names;

pub static NODE: Kind = Kind {
    kind: "Node",
    plural: "nodes",
    singular: "node",
    short_names: &["no"],
    has_status: true,
    rules: &NodeRules,
    ..Kind::CLUSTER
};

struct NodeRules;

static COLUMNS: &[Column] = &[
    NAME,
    column("Status", "string", "The status of the node"),
    column("Roles", "string", "The roles of the node"),
    AGE,
    column("Version", "string", "Kubelet Version reported by the node."),
    wide("Internal-IP", "string", "List of addresses reachable to the node."),
    wide("External-IP", "string", "List of addresses reachable to the node from outside the cluster."),
    wide("OS-Image", "string", "OS Image reported by the node."),
    wide("Kernel-Version", "string", "Kernel Version reported by the node."),
    wide("Container-Runtime", "string", "ContainerRuntime Version reported by the node."),
];

impl Rules for NodeRules {
    /// A node reports its own capacity at birth: the status stays.
    fn prepare_create(&self, _object: &mut Object, _context: &WriteContext<'_>) {}

    fn prepare_update(&self, object: &mut Object, old: &Object, _context: &WriteContext<'_>) {
        for field in ["spec.podCIDR", "spec.podCIDRs", "spec.providerID"] {
            if let (None, Some(assigned)) = (get(object, field), get(old, field).cloned()) {
                set(object, field, assigned);
            }
        }
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        validate_taints(object, &mut faults);
        validate_ranges(object, &mut faults);
        let Some(old) = old else { return faults };
        for (field, detail) in [
            ("spec.podCIDRs", "node updates may not change podCIDR except from \"\" to valid"),
            ("spec.providerID", "node updates may not change providerID except from \"\" to valid"),
        ] {
            if get(old, field).is_some() && get(object, field) != get(old, field) {
                faults.push(FieldError::forbidden(field, detail));
            }
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let or_unknown = |path: &str| match text(object, path) {
            "" => Value::from("<unknown>"),
            known => Value::from(known),
        };
        vec![
            columns::name(object),
            Value::from(status(object)),
            or_none(&roles(object)),
            columns::age(object, now),
            Value::from(text(object, "status.nodeInfo.kubeletVersion")),
            address(object, "InternalIP"),
            address(object, "ExternalIP"),
            or_unknown("status.nodeInfo.osImage"),
            or_unknown("status.nodeInfo.kernelVersion"),
            or_unknown("status.nodeInfo.containerRuntimeVersion"),
        ]
    }

    fn selectable_field(&self, object: &Object, path: &str) -> Option<String> {
        (path == "spec.unschedulable").then(|| truth(object, path).to_string())
    }

    fn selectable_fields(&self) -> &'static [&'static str] {
        &["spec.unschedulable"]
    }
}

fn validate_taints(node: &Object, faults: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    for (at, taint) in items(node, "spec.taints").enumerate() {
        // Upstream looks for them in the metadata.
        let path = format!("metadata.taints[{at}]");
        let (key, effect) = (text(taint, "key"), text(taint, "effect"));
        invalid_all(&format!("{path}.key"), key, names::qualified_name(key), faults);
        let taint_value = text(taint, "value");
        invalid_all(&format!("{path}.value"), taint_value, names::label_value(taint_value), faults);
        match effect {
            "" => faults.push(FieldError::required(format!("{path}.effect"), "")),
            "NoSchedule" | "PreferNoSchedule" | "NoExecute" => {}
            other => {
                let supported = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
                faults.push(FieldError::not_supported(format!("{path}.effect"), other, &supported));
            }
        }
        if !seen.insert((key, effect)) {
            let detail = "taints must be unique by key and effect pair";
            faults.push(FieldError::duplicate_of(path, Value::Object(taint.clone()), detail));
        }
    }
}

/// The addresses of the node's pods: one range of a family.
fn validate_ranges(node: &Object, faults: &mut Vec<FieldError>) {
    let path = "spec.podCIDRs";
    let ranges: Vec<&str> = texts(node, path).collect();
    for (at, range) in ranges.iter().enumerate() {
        invalid_all(&format!("{path}[{at}]"), range, names::cidr(range), faults);
    }
    let families: BTreeSet<bool> = ranges.iter().map(|range| range.contains(':')).collect();
    if ranges.len() > families.len() {
        let detail = "may specify no more than one CIDR for each IP family";
        faults.push(FieldError::invalid(path, value(node, path), detail));
    }
}

fn status(node: &Object) -> String {
    let mut status = match condition(node, "Ready").map(|ready| text(ready, "status")) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if truth(node, "spec.unschedulable") {
        status.push_str(",SchedulingDisabled");
    }
    status
}

fn roles(node: &Object) -> String {
    let mut roles = BTreeSet::new();
    for (key, value) in get_object(node, "metadata.labels").into_iter().flatten() {
        if let Some(role) = key.strip_prefix("node-role.kubernetes.io/").filter(|role| !role.is_empty()) {
            roles.insert(role);
        } else if key == "kubernetes.io/role"
            && let Some(role) = value.as_str().filter(|role| !role.is_empty())
        {
            roles.insert(role);
        }
    }
    roles.into_iter().collect::<Vec<_>>().join(",")
}

fn address(node: &Object, kind: &str) -> Value {
    let address = items(node, "status.addresses").find(|address| text(address, "type") == kind);
    or_none(address.map_or("", |address| text(address, "address")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_row_tells_readiness_roles_and_addresses() {
        let Value::Object(node) = json!({
            "metadata": {"name": "n", "labels": {"node-role.kubernetes.io/control-plane": "", "kubernetes.io/role": "a"}},
            "spec": {"unschedulable": true},
            "status": {
                "conditions": [{"type": "Ready", "status": "True"}],
                "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
                "nodeInfo": {"kubeletVersion": "v1.37.0"},
            },
        }) else {
            panic!("an object")
        };
        assert_eq!(
            Value::from(NodeRules.row(&node, Timestamp::UNIX_EPOCH)),
            json!([
                "n",
                "Ready,SchedulingDisabled",
                "a,control-plane",
                "<unknown>",
                "v1.37.0",
                "10.0.0.1",
                "<none>",
                "<unknown>",
                "<unknown>",
                "<unknown>"
            ])
        );
        assert_eq!(status(&Object::new()), "Unknown");
    }
}
