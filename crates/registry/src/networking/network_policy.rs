//! networking.k8s.io `NetworkPolicy`.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{get_array, get_object, items_mut, object_at, set, set_default};
use crate::kind::{Column, Kind, Object, Rules};
use crate::metadata;
use crate::workload::selector_cell;

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
        for (at, kind) in get_array(object, "spec.policyTypes").iter().filter_map(Value::as_str).enumerate() {
            if !["Ingress", "Egress"].contains(&kind) {
                let path = format!("spec.policyTypes[{at}]");
                faults.push(FieldError::not_supported(path, kind, &["Egress", "Ingress"]));
            }
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
