//! LimitRange.

use std::collections::BTreeSet;

use api::Quantity;
use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME};
use crate::error::FieldError;
use crate::fields::{get_object, invalid_all, items, items_mut, join, object_at, text};
use crate::kind::{Column, Kind, Object, Rules};
use crate::{names, pod_spec};

pub static LIMIT_RANGE: Kind = Kind {
    kind: "LimitRange",
    plural: "limitranges",
    singular: "limitrange",
    short_names: &["limits"],
    rules: &LimitRangeRules,
    ..Kind::NAMESPACED
};

struct LimitRangeRules;

impl Rules for LimitRangeRules {
    /// A container's default limit is its maximum, its default request its default limit, then its minimum.
    fn default(&self, object: &mut Object) {
        for limit in items_mut(object, "spec.limits").filter(|limit| text(limit, "type") == "Container") {
            for (from, to) in [("max", "default"), ("default", "defaultRequest"), ("min", "defaultRequest")] {
                for (resource, amount) in get_object(limit, from).cloned().into_iter().flatten() {
                    object_at(limit, to).entry(resource).or_insert(amount);
                }
            }
        }
    }

    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let mut seen = BTreeSet::new();
        for (at, limit) in items(object, "spec.limits").enumerate() {
            let (path, kind) = (format!("spec.limits[{at}]"), text(limit, "type"));
            check_kind(kind, &join(&path, "type"), &mut faults);
            if !seen.insert(kind) {
                faults.push(FieldError::duplicate(join(&path, "type"), kind));
            }
            validate_limit(limit, kind, &path, &mut faults);
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[NAME, Column { name: "Created At", r#type: "date", ..AGE }];
        COLUMNS
    }

    fn row(&self, object: &Object, _now: Timestamp) -> Vec<Value> {
        vec![columns::name(object), Value::from(text(object, "metadata.creationTimestamp"))]
    }

    fn creates_on_update(&self) -> bool {
        true
    }
}

fn check_kind(kind: &str, path: &str, faults: &mut Vec<FieldError>) {
    let complaints = names::qualified_name(kind);
    if !complaints.is_empty() {
        return invalid_all(path, kind, complaints, faults);
    }
    let is_known = ["Container", "PersistentVolumeClaim", "Pod"].contains(&kind);
    if !kind.contains('/') && !is_known {
        let detail = "must be a standard limit type or fully qualified";
        faults.push(FieldError::invalid(path, kind, detail));
    }
}

fn validate_limit(limit: &Object, kind: &str, path: &str, faults: &mut Vec<FieldError>) {
    let amounts = |part: &str| get_object(limit, part).into_iter().flatten();
    for part in ["max", "min", "default", "defaultRequest"] {
        if kind == "Pod" && part.starts_with("default") && amounts(part).next().is_some() {
            faults.push(FieldError::forbidden(join(path, part), "may not be specified when `type` is 'Pod'"));
            continue;
        }
        amounts(part).for_each(|(resource, _)| check_resource(resource, &format!("{path}.{part}[{resource}]"), faults));
    }
    let has_storage = |part: &str| amounts(part).any(|(resource, _)| resource == "storage");
    if kind == "PersistentVolumeClaim" && !has_storage("min") && !has_storage("max") {
        let detail = "either minimum or maximum storage value is required, but neither was provided";
        faults.push(FieldError::required(join(path, "limits"), detail));
    }
    let resources: BTreeSet<&String> = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"]
        .iter()
        .flat_map(|part| amounts(part).map(|(resource, _)| resource))
        .collect();
    for resource in resources {
        validate_order(limit, resource, path, faults);
    }
}

fn check_resource(resource: &str, path: &str, faults: &mut Vec<FieldError>) {
    let complaints = names::qualified_name(resource);
    if !complaints.is_empty() {
        return invalid_all(path, resource, complaints, faults);
    }
    if !resource.contains('/') && !pod_spec::is_standard(resource) {
        let detail = "must be a standard resource type or fully qualified";
        faults.push(FieldError::invalid(path, resource, detail));
    }
}

/// The least is not above what is given by default, and that not above the most.
fn validate_order(limit: &Object, resource: &str, path: &str, faults: &mut Vec<FieldError>) {
    let amount = |part: &'static str| {
        let value = get_object(limit, part)?.get(resource)?;
        Some((part, pod_spec::parse_amount(value)?, value.clone()))
    };
    let (min, max) = (amount("min"), amount("max"));
    let (default, request) = (amount("default"), amount("defaultRequest"));
    let mut compare =
        |lower: &Option<Amount>, upper: &Option<Amount>, at: &str, shows_lower: bool, words: [&str; 2]| {
            if let (Some((_, lower, lower_value)), Some((_, upper, upper_value))) = (lower, upper)
                && lower > upper
            {
                let shown = |value: &Value| value.as_str().unwrap_or("").to_owned();
                let detail = format!(
                    "{} value {} is greater than {} value {}",
                    words[0],
                    shown(lower_value),
                    words[1],
                    shown(upper_value)
                );
                let value = if shows_lower { lower_value } else { upper_value };
                faults.push(FieldError::invalid(format!("{path}.{at}[{resource}]"), value.clone(), detail));
            }
        };
    compare(&min, &max, "min", true, ["min", "max"]);
    compare(&min, &request, "defaultRequest", false, ["min", "default request"]);
    compare(&request, &max, "defaultRequest", true, ["default request", "max"]);
    compare(&request, &default, "defaultRequest", true, ["default request", "default limit"]);
    compare(&min, &default, "default", true, ["min", "default"]);
    compare(&default, &max, "default", false, ["default", "max"]);
    let ratio = amount("maxLimitRequestRatio").filter(|(_, ratio, _)| *ratio < Quantity::from_units(1));
    if let Some((part, _, value)) = ratio {
        let detail = format!("ratio {} is less than 1", value.as_str().unwrap_or(""));
        faults.push(FieldError::invalid(format!("{path}.{part}[{resource}]"), value, detail));
    }
    if let (Some((_, default, default_value)), Some((_, request, request_value))) = (default, request)
        && !pod_spec::may_overcommit(resource)
        && default != request
    {
        let shown = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let detail = format!(
            "default value {} must equal to defaultRequest value {} in {resource}",
            shown(&default_value),
            shown(&request_value)
        );
        faults.push(FieldError::invalid(format!("{path}.defaultRequest[{resource}]"), request_value, detail));
    }
}

type Amount = (&'static str, Quantity, Value);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn defaults_follow_from_the_bounds() {
        let limits = json!([{"type": "Container", "max": {"cpu": "2"}, "min": {"cpu": "1", "memory": "1Mi"}}]);
        let mut object = Object::from_iter([("spec".to_owned(), json!({"limits": limits}))]);
        LimitRangeRules.default(&mut object);
        let limit = &object["spec"]["limits"][0];
        assert_eq!(limit["default"], json!({"cpu": "2"}));
        assert_eq!(limit["defaultRequest"], json!({"cpu": "2", "memory": "1Mi"}));
    }
}
