//! What is wrong with the rules of where a pod may run, and when.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::FieldError;
use crate::fields::{check_supported, get_array, get_i64, get_object, get_str, invalid_all, items, join, text};
use crate::kind::Object;
use crate::{metadata, names};

const REQUIRED_RULES: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED_RULES: &str = "preferredDuringSchedulingIgnoredDuringExecution";

pub(crate) fn validate_tolerations(owner: &Object, list: &str, path: &str, faults: &mut Vec<FieldError>) {
    for (at, toleration) in items(owner, list).enumerate() {
        let path = format!("{}[{at}]", join(path, list));
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
        let value = text(toleration, "value");
        match operator {
            "" | "Equal" => {
                let complaints = names::label_value(value);
                if !complaints.is_empty() {
                    faults.push(FieldError::invalid(join(&path, "operator"), value, complaints.join(";")));
                }
            }
            "Exists" if !value.is_empty() => {
                let detail = "value must be empty when `operator` is 'Exists'";
                faults.push(FieldError::invalid(join(&path, "operator"), value, detail));
            }
            "Exists" => {}
            other => faults.push(FieldError::not_supported(join(&path, "operator"), other, &["Equal", "Exists"])),
        }
        if !effect.is_empty() {
            check_supported(toleration, "effect", &["NoSchedule", "PreferNoSchedule", "NoExecute"], &path, faults);
        }
    }
}

pub(super) fn validate_affinity(spec: &Object, path: &str, faults: &mut Vec<FieldError>) {
    if let Some(required) = get_object(spec, &format!("affinity.nodeAffinity.{REQUIRED_RULES}")) {
        validate_node_selector(required, &format!("{path}.nodeAffinity.{REQUIRED_RULES}"), faults);
    }
    for (at, preferred) in items(spec, &format!("affinity.nodeAffinity.{PREFERRED_RULES}")).enumerate() {
        let path = format!("{path}.nodeAffinity.{PREFERRED_RULES}[{at}]");
        check_weight(preferred, &path, faults);
        if let Some(term) = get_object(preferred, "preference") {
            validate_node_term(term, false, &join(&path, "preference"), faults);
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

/// Which nodes are meant, where that is demanded: of pods and of volumes.
pub(crate) fn validate_node_selector(selector: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let path = join(path, "nodeSelectorTerms");
    if get_array(selector, "nodeSelectorTerms").is_empty() {
        return faults.push(FieldError::required(path, "must have at least one node selector term"));
    }
    for (at, term) in items(selector, "nodeSelectorTerms").enumerate() {
        validate_node_term(term, true, &format!("{path}[{at}]"), faults);
    }
}

/// Faults unless a changed selector of nodes means no node that the old one did not.
pub(crate) fn check_narrowed(after: Option<&Object>, before: Option<&Object>, faults: &mut Vec<FieldError>) {
    let path = format!("spec.affinity.nodeAffinity.{REQUIRED_RULES}");
    let Some(before) = before.filter(|before| !before.is_empty()) else { return };
    let (old_terms, new_terms) =
        (get_array(before, "nodeSelectorTerms"), after.map_or(&[][..], |after| get_array(after, "nodeSelectorTerms")));
    if old_terms.len() != new_terms.len() {
        let detail = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
        let terms = Value::from(new_terms);
        return faults.push(FieldError::invalid(format!("{path}.nodeSelectorTerms"), terms, detail));
    }
    for (at, (old, new)) in old_terms.iter().zip(new_terms).enumerate() {
        let part = |term: &Value, field: &str| term.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
        let keeps = |field: &str| part(old, field).iter().all(|requirement| part(new, field).contains(requirement));
        // An empty term means no node at all, so that anything added to it would widen it.
        let was_empty = part(old, "matchExpressions").is_empty() && part(old, "matchFields").is_empty();
        if (was_empty && old != new) || !keeps("matchExpressions") || !keeps("matchFields") {
            let detail = "only additions are allowed (no mutations or deletions)";
            faults.push(FieldError::invalid(format!("{path}.nodeSelectorTerms[{at}]"), new.clone(), detail));
        }
    }
}

fn check_weight(preferred: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let weight = get_i64(preferred, "weight").unwrap_or(0);
    if !(1..=100).contains(&weight) {
        faults.push(FieldError::invalid(join(path, "weight"), weight, "must be in the range 1-100"));
    }
}

fn validate_node_term(term: &Object, checks_values: bool, path: &str, faults: &mut Vec<FieldError>) {
    for (at, requirement) in items(term, "matchExpressions").enumerate() {
        let path = format!("{path}.matchExpressions[{at}]");
        let values = get_array(requirement, "values");
        match text(requirement, "operator") {
            "Gt" | "Lt" if values.len() != 1 => {
                let detail = "must be specified single value when `operator` is 'Lt' or 'Gt'";
                faults.push(FieldError::required(join(&path, "values"), detail));
            }
            "Gt" | "Lt" => {}
            _ if metadata::check_set_operator(requirement, &path, faults) => {}
            other => {
                faults.push(FieldError::invalid(join(&path, "operator"), other, "not a valid selector operator"));
            }
        }
        let key = text(requirement, "key");
        invalid_all(&join(&path, "key"), key, names::qualified_name(key), faults);
        for (at, value) in values.iter().filter_map(Value::as_str).enumerate().filter(|_| checks_values) {
            invalid_all(&format!("{path}.values[{at}]"), value, names::label_value(value), faults);
        }
    }
    for (at, requirement) in items(term, "matchFields").enumerate() {
        let path = format!("{path}.matchFields[{at}]");
        let values = get_array(requirement, "values");
        match text(requirement, "operator") {
            "In" | "NotIn" if values.len() == 1 => {}
            "In" | "NotIn" => {
                let detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
                faults.push(FieldError::required(join(&path, "values"), detail));
            }
            other => {
                faults.push(FieldError::invalid(join(&path, "operator"), other, "not a valid selector operator"));
            }
        }
        match text(requirement, "key") {
            "metadata.name" => {
                for (at, name) in values.iter().filter_map(Value::as_str).enumerate() {
                    invalid_all(&format!("{path}.values[{at}]"), name, names::dns_subdomain(name), faults);
                }
            }
            key => faults.push(FieldError::invalid(join(&path, "key"), key, "not a valid field selector key")),
        }
    }
}

fn validate_pod_term(term: &Object, path: &str, faults: &mut Vec<FieldError>) {
    for selector in ["labelSelector", "namespaceSelector"] {
        if let Some(given) = get_object(term, selector) {
            metadata::validate_selector(given, &join(path, selector), faults);
        }
    }
    for namespace in get_array(term, "namespaces").iter().filter_map(Value::as_str) {
        invalid_all(&join(path, "namespace"), namespace, names::dns_label(namespace), faults);
    }
    validate_label_keys(term, "matchLabelKeys", path, faults);
    validate_label_keys(term, "mismatchLabelKeys", path, faults);
    for (at, key) in get_array(term, "matchLabelKeys").iter().enumerate() {
        if get_array(term, "mismatchLabelKeys").contains(key) {
            let detail = "exists in both matchLabelKeys and mismatchLabelKeys";
            faults.push(FieldError::invalid(format!("{path}.matchLabelKeys[{at}]"), key.clone(), detail));
        }
    }
    let key = text(term, "topologyKey");
    if key.is_empty() {
        faults.push(FieldError::required(join(path, "topologyKey"), "can not be empty"));
    }
    invalid_all(&join(path, "topologyKey"), key, names::qualified_name(key), faults);
}

/// Keys whose values the pod itself brings to the selector.
fn validate_label_keys(owner: &Object, field: &str, path: &str, faults: &mut Vec<FieldError>) {
    let keys = get_array(owner, field);
    if !keys.is_empty() && get_object(owner, "labelSelector").is_none() {
        let detail = "must not be specified when labelSelector is not set";
        faults.push(FieldError::forbidden(join(path, field), detail));
    }
    for (at, key) in keys.iter().filter_map(Value::as_str).enumerate() {
        invalid_all(&format!("{path}.{field}[{at}]"), key, names::qualified_name(key), faults);
    }
}

pub(super) fn validate_readiness_gates(spec: &Object, path: &str, faults: &mut Vec<FieldError>) {
    for (at, gate) in items(spec, "readinessGates").enumerate() {
        let condition = text(gate, "conditionType");
        let path = format!("{path}.readinessGates[{at}].conditionType");
        invalid_all(&path, condition, names::qualified_name(condition), faults);
    }
}

pub(super) fn validate_gates(spec: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    for (at, gate) in items(spec, "schedulingGates").enumerate() {
        let (name, path) = (text(gate, "name"), format!("{path}.schedulingGates[{at}]"));
        invalid_all(&path, name, names::qualified_name(name), faults);
        if !seen.insert(name) {
            faults.push(FieldError::duplicate(path, name));
        }
    }
}

pub(super) fn validate_spreading(spec: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let mut seen: Vec<(&str, &str, String)> = Vec::new();
    for (at, constraint) in items(spec, "topologySpreadConstraints").enumerate() {
        let path = format!("{path}.topologySpreadConstraints[{at}]");
        let skew = get_i64(constraint, "maxSkew").unwrap_or(0);
        if skew <= 0 {
            faults.push(FieldError::invalid(join(&path, "maxSkew"), skew, "must be greater than zero"));
        }
        let (key, action) = (text(constraint, "topologyKey"), text(constraint, "whenUnsatisfiable"));
        match key {
            "" => faults.push(FieldError::required(join(&path, "topologyKey"), "can not be empty")),
            key => invalid_all(&join(&path, "topologyKey"), key, names::qualified_name(key), faults),
        }
        if !["DoNotSchedule", "ScheduleAnyway"].contains(&action) {
            let supported = ["DoNotSchedule", "ScheduleAnyway"];
            faults.push(FieldError::not_supported(join(&path, "whenUnsatisfiable"), action, &supported));
        }
        // The one that stands first is told of.
        if let Some((_, _, first)) = seen.iter().find(|(other, of, _)| *other == key && *of == action) {
            let place = format!("{first}.{{topologyKey, whenUnsatisfiable}}");
            faults.push(FieldError::duplicate(place, format!("{{{key}, {action}}}")));
        }
        seen.push((key, action, path.clone()));
        if let Some(domains) = get_i64(constraint, "minDomains") {
            let path = join(&path, "minDomains");
            if domains <= 0 {
                faults.push(FieldError::invalid(path.as_str(), domains, "must be greater than zero"));
            }
            if action != "DoNotSchedule" {
                let detail = format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
                faults.push(FieldError::invalid(path, domains, detail));
            }
        }
        for field in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            check_supported(constraint, field, &["Honor", "Ignore"], &path, faults);
        }
        validate_label_keys(constraint, "matchLabelKeys", &path, faults);
        check_keys_not_selected(constraint, &path, faults);
        if let Some(selector) = get_object(constraint, "labelSelector") {
            metadata::validate_selector(selector, &join(&path, "labelSelector"), faults);
        }
    }
}

fn check_keys_not_selected(constraint: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let selected: BTreeSet<&str> = get_object(constraint, "labelSelector.matchLabels")
        .into_iter()
        .flat_map(|labels| labels.keys().map(String::as_str))
        .chain(items(constraint, "labelSelector.matchExpressions").filter_map(|expression| get_str(expression, "key")))
        .collect();
    for (at, key) in get_array(constraint, "matchLabelKeys").iter().filter_map(Value::as_str).enumerate() {
        if selected.contains(key) {
            let detail = "exists in both matchLabelKeys and labelSelector";
            faults.push(FieldError::invalid(format!("{path}.matchLabelKeys[{at}]"), key, detail));
        }
    }
}
