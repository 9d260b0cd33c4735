//! What is wrong with what an autoscaler scales, with what it measures, and with how fast it may act.

use api::Quantity;

use crate::error::FieldError;
use crate::fields::{
    check_named, check_supported, get, get_array, get_i64, get_object, get_str, invalid_all, items, join, number, text,
};
use crate::kind::Object;
use crate::{metadata, names};

pub(super) fn validate(autoscaler: &Object, faults: &mut Vec<FieldError>) {
    validate_reference(autoscaler, "spec.scaleTargetRef", "", faults);
    for (at, metric) in items(autoscaler, "spec.metrics").enumerate() {
        validate_metric(metric, &format!("spec.metrics[{at}]"), faults);
    }
    for direction in ["scaleUp", "scaleDown"] {
        let path = format!("spec.behavior.{direction}");
        if let Some(rules) = get_object(autoscaler, &path) {
            validate_rules(rules, &path, faults);
        }
    }
}

fn validate_reference(owner: &Object, field: &str, prefix: &str, faults: &mut Vec<FieldError>) {
    let empty = Object::new();
    let (reference, path) = (get_object(owner, field).unwrap_or(&empty), join(prefix, field));
    check_named(reference, "kind", names::path_segment, &path, faults);
    check_named(reference, "name", names::path_segment, &path, faults);
}

/// What a metric may be read from: its type, its field, and the name by which upstream misses it.
const SOURCES: [(&str, &str); 5] = [
    ("Object", "object"),
    ("External", "external"),
    ("Pods", "pods"),
    ("Resource", "resource"),
    ("ContainerResource", "containerResource"),
];

fn validate_metric(metric: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let kind = text(metric, "type");
    if kind.is_empty() {
        faults.push(FieldError::required(join(path, "type"), "must specify a metric source type"));
    }
    let types = ["ContainerResource", "External", "Object", "Pods", "Resource"];
    check_supported(metric, "type", &types, path, faults);
    let given: Vec<(&str, &str)> =
        SOURCES.iter().copied().filter(|(_, field)| get_object(metric, field).is_some()).collect();
    if let Some((_, field)) = given.first()
        && let Some(source) = get_object(metric, field)
    {
        validate_source(field, source, &join(path, field), faults);
    }
    let expected = SOURCES.iter().find(|(known, _)| *known == kind).map_or("", |(_, field)| field);
    if !given.iter().any(|(_, field)| *field == expected) {
        let detail = "must populate information for the given metric source";
        faults.push(FieldError::required(join(path, &kind.to_lowercase()), detail));
    }
    if given.len() != 1 {
        for (_, field) in given.iter().filter(|(_, field)| *field != expected) {
            faults.push(FieldError::forbidden(join(path, field), "must populate the given metric source only"));
        }
    }
}

fn validate_source(field: &str, source: &Object, path: &str, faults: &mut Vec<FieldError>) {
    if field == "object" {
        validate_reference(source, "describedObject", path, faults);
    }
    match field {
        "resource" | "containerResource" => {
            if text(source, "name").is_empty() {
                faults.push(FieldError::required(join(path, "name"), "must specify a resource name"));
            }
            if field == "containerResource" && text(source, "container").is_empty() {
                faults.push(FieldError::required(join(path, "container"), "must specify a container"));
            }
        }
        _ => validate_identifier(source, &join(path, "metric"), faults),
    }
    let empty = Object::new();
    let (target, path) = (get_object(source, "target").unwrap_or(&empty), join(path, "target"));
    validate_target(target, &path, faults);
    let has = |field: &str| get(target, field).is_some();
    match field {
        "pods" if !has("averageValue") => {
            let detail = "must specify a positive target averageValue";
            faults.push(FieldError::required(join(&path, "averageValue"), detail));
        }
        "object" | "external" if !has("value") && !has("averageValue") => {
            let detail = match field {
                "object" => "must set either a target value or averageValue",
                _ => "must set either a target value for metric or a per-pod target",
            };
            faults.push(FieldError::required(join(&path, "averageValue"), detail));
        }
        "external" if has("value") && has("averageValue") => {
            let detail = "may not set both a target value for metric and a per-pod target";
            faults.push(FieldError::forbidden(join(&path, "value"), detail));
        }
        "resource" | "containerResource" => {
            if !has("averageUtilization") && !has("averageValue") {
                let detail = "must set either a target raw value or a target utilization";
                faults.push(FieldError::required(join(&path, "averageUtilization"), detail));
            }
            if has("averageUtilization") && has("averageValue") {
                let detail = "may not set both a target raw value and a target utilization";
                faults.push(FieldError::forbidden(join(&path, "averageValue"), detail));
            }
        }
        _ => {}
    }
}

fn validate_identifier(source: &Object, path: &str, faults: &mut Vec<FieldError>) {
    match text(source, "metric.name") {
        "" => faults.push(FieldError::required(join(path, "name"), "must specify a metric name")),
        name => invalid_all(&join(path, "name"), name, names::path_segment(name), faults),
    }
    if let Some(selector) = get_object(source, "metric.selector") {
        metadata::validate_selector(selector, &join(path, "selector"), faults);
    }
}

fn validate_target(target: &Object, path: &str, faults: &mut Vec<FieldError>) {
    match text(target, "type") {
        "" => faults.push(FieldError::required(join(path, "type"), "must specify a metric target type")),
        "Utilization" | "Value" | "AverageValue" => {}
        other => {
            let detail = "must be either Utilization, Value, or AverageValue";
            faults.push(FieldError::invalid(join(path, "type"), other, detail));
        }
    }
    for field in ["value", "averageValue"] {
        let amount = get_str(target, field).and_then(|amount| Some((amount, amount.parse::<Quantity>().ok()?)));
        if let Some((amount, _)) = amount.filter(|(_, quantity)| *quantity <= Quantity::ZERO) {
            faults.push(FieldError::invalid(join(path, field), amount, "must be positive"));
        }
    }
    if let Some(percent) = get_i64(target, "averageUtilization").filter(|percent| *percent < 1) {
        faults.push(FieldError::invalid(join(path, "averageUtilization"), percent, "must be greater than 0"));
    }
}

const MOST_WINDOW_SECONDS: i64 = 3600;
const MOST_PERIOD_SECONDS: i64 = 1800;

fn validate_rules(rules: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let window_path = join(path, "stabilizationWindowSeconds");
    match get_i64(rules, "stabilizationWindowSeconds") {
        Some(seconds) if seconds < 0 => {
            faults.push(FieldError::invalid(window_path, seconds, "must be greater than or equal to zero"));
        }
        Some(seconds) if seconds > MOST_WINDOW_SECONDS => {
            let detail = format!("must be less than or equal to {MOST_WINDOW_SECONDS}");
            faults.push(FieldError::invalid(window_path, seconds, detail));
        }
        _ => {}
    }
    check_supported(rules, "selectPolicy", &["Disabled", "Max", "Min"], path, faults);
    if get_array(rules, "policies").is_empty() {
        faults.push(FieldError::required(join(path, "policies"), "must specify at least one Policy"));
    }
    for (at, policy) in items(rules, "policies").enumerate() {
        let path = format!("{path}.policies[{at}]");
        check_supported(policy, "type", &["Percent", "Pods"], &path, faults);
        for field in ["value", "periodSeconds"] {
            let given = number(policy, field);
            if given <= 0 {
                faults.push(FieldError::invalid(join(&path, field), given, "must be greater than zero"));
            }
        }
        let seconds = number(policy, "periodSeconds");
        if seconds > MOST_PERIOD_SECONDS {
            let detail = format!("must be less than or equal to {MOST_PERIOD_SECONDS}");
            faults.push(FieldError::invalid(join(&path, "periodSeconds"), seconds, detail));
        }
    }
}
