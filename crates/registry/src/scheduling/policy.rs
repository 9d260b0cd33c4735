//! What Workloads and PodGroups say alike of how pods are scheduled together.

use serde_json::{Map, Value};

use crate::error::FieldError;
use crate::fields::{
    check_length, check_named, check_supported, get, get_i64, get_object, invalid_all, items, join, text,
};
use crate::kind::Object;
use crate::names;

const MAX_CLAIMS: usize = 4;

/// A template of a PodGroup, or the spec of one.
pub(super) fn validate_group(group: &Object, path: &str, faults: &mut Vec<FieldError>) {
    validate_policy(group, ("basic", "gang", "minCount"), path, faults);
    check_length(group, "resourceClaims", MAX_CLAIMS, path, faults);
    let mut seen = std::collections::BTreeSet::new();
    for (at, claim) in items(group, "resourceClaims").enumerate() {
        let path = format!("{path}.resourceClaims[{at}]");
        if !text(claim, "name").is_empty() && !seen.insert(text(claim, "name")) {
            faults.push(FieldError::duplicate(path.as_str(), text(claim, "name")));
        }
        check_named(claim, "name", names::dns_label, &path, faults);
        check_one_of(claim, &["resourceClaimName", "resourceClaimTemplateName"], &path, faults);
        for field in ["resourceClaimName", "resourceClaimTemplateName"] {
            check_name(claim, field, &path, faults);
        }
    }
    validate_placement(group, path, faults);
}

/// A template of a composite group.
pub(super) fn validate_composite(group: &Object, path: &str, faults: &mut Vec<FieldError>) {
    validate_policy(group, ("basic", "gang", "minGroupCount"), path, faults);
    validate_placement(group, path, faults);
}

/// What groups and groups of groups share.
fn validate_placement(group: &Object, path: &str, faults: &mut Vec<FieldError>) {
    if let Some(constraints) = get_object(group, "schedulingConstraints") {
        let path = join(path, "schedulingConstraints");
        check_length(constraints, "topology", 1, &path, faults);
        for (at, constraint) in items(constraints, "topology").enumerate() {
            check_named(constraint, "key", names::qualified_name, &format!("{path}.topology[{at}]"), faults);
        }
    }
    if let Some(mode) = get_object(group, "disruptionMode") {
        check_one_of(mode, &["single", "all"], &join(path, "disruptionMode"), faults);
    }
    check_name(group, "priorityClassName", path, faults);
    check_supported(group, "preemptionPolicy", &["Never", "PreemptLowerPriority"], path, faults);
}

fn validate_policy(group: &Object, (basic, gang, count): (&str, &str, &str), path: &str, faults: &mut Vec<FieldError>) {
    let path = join(path, "schedulingPolicy");
    let empty = Map::new();
    let policy = get_object(group, "schedulingPolicy").unwrap_or(&empty);
    check_one_of(policy, &[basic, gang], &path, faults);
    let Some(gang_policy) = get_object(policy, gang) else { return };
    let path = join(&join(&path, gang), count);
    match get_i64(gang_policy, count) {
        None | Some(0) => faults.push(FieldError::required(path, "")),
        Some(least) if least < 1 => {
            faults.push(FieldError::invalid(path, least, "must be greater than or equal to 1"));
        }
        Some(_) => {}
    }
}

/// A DNS subdomain, where there is one.
pub(super) fn check_name(object: &Object, field: &str, prefix: &str, faults: &mut Vec<FieldError>) {
    if let Some(name) = get(object, field).and_then(Value::as_str) {
        invalid_all(&join(prefix, field), name, names::dns_subdomain(name), faults);
    }
}

/// Faults unless exactly one of the fields is there.
pub(super) fn check_one_of(object: &Object, fields: &[&str], path: &str, faults: &mut Vec<FieldError>) {
    let quoted: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
    let present: Vec<&str> = fields.iter().copied().filter(|field| get(object, field).is_some()).collect();
    match present[..] {
        [] => {
            let detail = format!("must specify one of: {}", quoted.join(", "));
            faults.push(FieldError::invalid(path, "", detail));
        }
        [_] => {}
        _ => {
            let detail = format!("must specify exactly one of: {}", quoted.join(", "));
            faults.push(FieldError::invalid(path, format!("{{{}}}", present.join(", ")), detail));
        }
    }
}

/// The spec without what may change: how many make a gang.
pub(super) fn without_counts(value: &Value) -> Value {
    match value {
        Value::Object(object) => Value::Object(
            object
                .iter()
                .filter(|(field, _)| *field != "minCount" && *field != "minGroupCount")
                .map(|(field, value)| (field.clone(), without_counts(value)))
                .collect(),
        ),
        Value::Array(list) => list.iter().map(without_counts).collect(),
        other => other.clone(),
    }
}
