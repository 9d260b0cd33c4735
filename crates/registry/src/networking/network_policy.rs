//! networking.k8s.io `NetworkPolicy`.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{
    check_range, check_supported, get, get_array, get_i64, get_object, invalid_all, items, items_mut, join, object_at,
    set, set_default, text, texts, value,
};
use crate::kind::{Column, Kind, Object, Rules};
use crate::workload::selector_cell;
use crate::{metadata, names};

pub static NETWORK_POLICY: Kind = Kind {
    group: "networking.k8s.io",
    kind: "NetworkPolicy",
    plural: "networkpolicies",
    singular: "networkpolicy",
    short_names: &["netpol"],
    rules: &NetworkPolicyRules,
    ..Kind::NAMESPACED
};

struct NetworkPolicyRules;

impl Rules for NetworkPolicyRules {
    /// A policy speaks of ingress, and of egress where it has rules for it.
    fn default(&self, object: &mut Object) {
        let spec = object_at(object, "spec");
        if get_array(spec, "policyTypes").is_empty() {
            let types =
                if get_array(spec, "egress").is_empty() { json!(["Ingress"]) } else { json!(["Ingress", "Egress"]) };
            set(spec, "policyTypes", types);
        }
        for direction in ["ingress", "egress"] {
            for rule in items_mut(spec, direction) {
                for port in items_mut(rule, "ports") {
                    set_default(port, "protocol", "TCP");
                }
            }
        }
    }

    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if let Some(selector) = get_object(object, "spec.podSelector") {
            metadata::validate_selector(selector, "spec.podSelector", &mut faults);
        }
        for (direction, side) in [("ingress", "from"), ("egress", "to")] {
            for (at, rule) in items(object, &join("spec", direction)).enumerate() {
                let path = format!("spec.{direction}[{at}]");
                for (at, port) in items(rule, "ports").enumerate() {
                    validate_port(port, &format!("{path}.ports[{at}]"), &mut faults);
                }
                for (at, peer) in items(rule, side).enumerate() {
                    validate_peer(peer, &format!("{path}.{side}[{at}]"), &mut faults);
                }
            }
        }
        let types: Vec<&str> = texts(object, "spec.policyTypes").collect();
        if types.len() > 2 {
            let detail = "may not specify more than two policyTypes";
            faults.push(FieldError::invalid("spec.policyTypes", value(object, "spec.policyTypes"), detail));
            return faults;
        }
        for (at, kind) in types.into_iter().enumerate().filter(|(_, kind)| !["Ingress", "Egress"].contains(kind)) {
            faults.push(FieldError::not_supported(format!("spec.policyTypes[{at}]"), kind, &["Ingress", "Egress"]));
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] =
            &[NAME, column("Pod-Selector", "string", "podSelector selects the pods this policy applies to."), AGE];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        vec![columns::name(object), selector_cell(object, "spec.podSelector"), columns::age(object, now)]
    }

    fn tracks_generation(&self) -> bool {
        true
    }
}

fn validate_port(port: &Object, path: &str, faults: &mut Vec<FieldError>) {
    check_supported(port, "protocol", &["TCP", "UDP", "SCTP"], path, faults);
    let end = get_i64(port, "endPort");
    let refuse_end = |detail: &str, faults: &mut Vec<FieldError>| {
        if let Some(end) = end {
            faults.push(FieldError::invalid(join(path, "endPort"), end, detail));
        }
    };
    match get(port, "port") {
        Some(Value::String(name)) => {
            refuse_end("may not be specified when `port` is non-numeric", faults);
            invalid_all(&join(path, "port"), name, names::port_name(name), faults);
        }
        Some(first) => {
            check_range(port, "port", PORTS, path, faults);
            if end < first.as_i64() {
                refuse_end("must be greater than or equal to `port`", faults);
            }
            check_range(port, "endPort", PORTS, path, faults);
        }
        None => refuse_end("may not be specified when `port` is not specified", faults),
    }
}

const PORTS: std::ops::RangeInclusive<i64> = 1..=65535;

fn validate_peer(peer: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let selectors = ["podSelector", "namespaceSelector"];
    for (field, selector) in selectors.iter().filter_map(|field| Some((field, get_object(peer, field)?))) {
        metadata::validate_selector(selector, &join(path, field), faults);
    }
    let selects = selectors.iter().any(|field| get_object(peer, field).is_some());
    match get_object(peer, "ipBlock") {
        Some(block) => {
            validate_block(block, &join(path, "ipBlock"), faults);
            if selects {
                faults.push(FieldError::forbidden(path, "may not specify both ipBlock and another peer"));
            }
        }
        None if !selects => faults.push(FieldError::required(path, "must specify a peer")),
        None => {}
    }
}

/// Addresses, and ranges within them that are not meant.
fn validate_block(block: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let whole = text(block, "cidr");
    if whole.is_empty() {
        return faults.push(FieldError::required(join(path, "cidr"), ""));
    }
    let complaints = names::cidr(whole);
    let is_range = complaints.is_empty();
    invalid_all(&join(path, "cidr"), whole, complaints, faults);
    for (at, part) in texts(block, "except").enumerate().filter(|_| is_range) {
        let path = format!("{path}.except[{at}]");
        let complaints = names::cidr(part);
        if complaints.is_empty() && !names::is_within(part, whole) {
            faults.push(FieldError::invalid(path.as_str(), part, "must be a strict subset of `cidr`"));
        }
        invalid_all(&path, part, complaints, faults);
    }
}
