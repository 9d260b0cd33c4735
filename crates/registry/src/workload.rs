//! What the kinds that make pods from a template share.

use std::collections::BTreeMap;

use api::Selector;
use api::k8s::apimachinery::pkg::apis::meta::v1::LabelSelector;
use api::selector::Operator;
use serde_json::Value;

use crate::columns::wide;
use crate::error::FieldError;
use crate::fields::{get_object, items, join, text};
use crate::kind::{Column, Object, Scale};
use crate::{metadata, pod_spec};

/// `/scale` of a kind with the usual fields.
pub(crate) const SCALE: Scale =
    Scale { spec_replicas: "spec.replicas", status_replicas: "status.replicas", selector: "spec.selector" };

pub(crate) const CONTAINERS: Column = wide("Containers", "string", "Names of each container in the template.");
pub(crate) const IMAGES: Column = wide("Images", "string", "Images referenced by each container in the template.");
pub(crate) const SELECTOR: Column = wide("Selector", "string", "Label selector of the pods this object owns.");

/// Names and images of the containers at a path, each joined by commas.
pub(crate) fn container_cells(object: &Object, path: &str) -> [Value; 2] {
    let joined = |field: &str| {
        let texts: Vec<&str> = items(object, path).map(|container| text(container, field)).collect();
        Value::from(texts.join(","))
    };
    [joined("name"), joined("image")]
}

/// A structured selector as tables show it: `a=b,c in (d,e),!f`.
pub(crate) fn selector_cell(object: &Object, path: &str) -> Value {
    let Some(selector) = get_object(object, path) else { return Value::from("<none>") };
    Value::from(match parse_selector(selector) {
        Some(selector) if selector.is_everything() => "<none>".to_owned(),
        Some(selector) => format_selector(&selector),
        None => "<error>".to_owned(),
    })
}

fn format_selector(selector: &Selector) -> String {
    let mut parts: Vec<(&str, String)> = selector
        .requirements
        .iter()
        .map(|requirement| {
            let key = requirement.key.as_str();
            let list = |values: &[String]| {
                let mut values = values.to_vec();
                values.sort();
                values.join(",")
            };
            let part = match &requirement.operator {
                Operator::In(values) if values.len() == 1 => format!("{key}={}", values[0]),
                Operator::In(values) => format!("{key} in ({})", list(values)),
                Operator::NotIn(values) => format!("{key} notin ({})", list(values)),
                Operator::Exists => key.to_owned(),
                Operator::DoesNotExist => format!("!{key}"),
                Operator::GreaterThan(bound) => format!("{key}>{bound}"),
                Operator::LessThan(bound) => format!("{key}<{bound}"),
            };
            (key, part)
        })
        .collect();
    parts.sort();
    parts.into_iter().map(|(_, part)| part).collect::<Vec<_>>().join(",")
}

pub(crate) fn parse_selector(selector: &Object) -> Option<Selector> {
    let selector: LabelSelector = serde_json::from_value(Value::Object(selector.clone())).ok()?;
    Selector::from_label_selector(&selector).ok()
}

/// Faults of a selector and of the template it must select. `kind` is what upstream calls the owner where the selector
/// is empty, `owner` where its pods have a deadline.
pub(crate) fn validate_selector_and_template(object: &Object, kind: &str, owner: &str, faults: &mut Vec<FieldError>) {
    let empty = Object::new();
    let labels = get_object(object, "spec.template.metadata.labels").unwrap_or(&empty);
    match get_object(object, "spec.selector") {
        None => {
            if owner != "DaemonSet" {
                faults.push(FieldError::required("spec.selector", ""));
            }
            // What selects nothing does not select the template.
            faults.push(unselected(labels));
        }
        Some(selector) => {
            metadata::validate_selector(selector, "spec.selector", faults);
            let is_empty = items(selector, "matchExpressions").next().is_none()
                && get_object(selector, "matchLabels").is_none_or(Object::is_empty);
            if is_empty {
                let detail = format!("empty selector is invalid for {kind}");
                faults.push(FieldError::invalid("spec.selector", Value::Object(selector.clone()), detail));
            } else if let Some(selector) = parse_selector(selector) {
                check_selected(&selector, labels, faults);
            }
        }
    }
    validate_always_restarting(object, owner, faults);
}

pub(crate) fn check_selected(selector: &Selector, labels: &Object, faults: &mut Vec<FieldError>) {
    let map: BTreeMap<String, String> =
        labels.iter().map(|(key, value)| (key.clone(), value.as_str().unwrap_or("").to_owned())).collect();
    if !selector.matches(&map) {
        faults.push(unselected(labels));
    }
}

fn unselected(labels: &Object) -> FieldError {
    let detail = "`selector` does not match template `labels`";
    FieldError::invalid("spec.template.metadata.labels", Value::Object(labels.clone()), detail)
}

/// A template whose pods are replaced forever must restart its containers forever.
pub(crate) fn validate_always_restarting(object: &Object, owner: &str, faults: &mut Vec<FieldError>) {
    let empty = Object::new();
    let template = get_object(object, "spec.template").unwrap_or(&empty);
    // A StatefulSet's pods get volumes that its template does not tell of: they are judged when they are made.
    if owner != "StatefulSet" {
        faults.extend(pod_spec::validate_template(template, "spec.template"));
    }
    let policy = text(template, "spec.restartPolicy");
    if policy != "Always" {
        faults.push(FieldError::not_supported("spec.template.spec.restartPolicy", policy, &["Always"]));
    }
    if template.get("spec").and_then(|spec| spec.get("activeDeadlineSeconds")).is_some() {
        let detail = format!("activeDeadlineSeconds in {owner} is not Supported");
        faults.push(FieldError::forbidden("spec.template.spec.activeDeadlineSeconds", detail));
    }
}

/// A count or percentage that must not be below zero, and not above 100%.
pub(crate) fn validate_share(object: &Object, field: &str, prefix: &str, faults: &mut Vec<FieldError>) {
    let path = join(prefix, field);
    match crate::fields::get(object, field) {
        None => {}
        Some(Value::String(share)) => match share.strip_suffix('%').and_then(|digits| digits.parse::<u32>().ok()) {
            None => {
                let detail = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or \
                              '93%', regex used for validation is '[0-9]+%')";
                faults.push(FieldError::invalid(path, share.as_str(), detail));
            }
            // More than all is only what may come on top.
            Some(percent) if percent > 100 && !field.ends_with("maxSurge") => {
                faults.push(FieldError::invalid(path, share.as_str(), "must not be greater than 100%"));
            }
            Some(_) => {}
        },
        Some(count) if count.as_i64().is_some_and(|count| count < 0) => {
            faults.push(FieldError::invalid(path, count.clone(), "must be greater than or equal to 0"));
        }
        Some(_) => {}
    }
}

/// Whether a count or percentage is none at all.
pub(crate) fn is_zero_share(object: &Object, field: &str) -> bool {
    match crate::fields::get(object, field) {
        Some(Value::String(share)) => share.trim_end_matches('%').parse::<u32>() == Ok(0),
        Some(count) => count.as_i64() == Some(0),
        None => true,
    }
}
