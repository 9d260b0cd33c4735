//! What is wrong with a container's requests and limits.

use api::Quantity;
use serde_json::Value;

use crate::error::FieldError;
use crate::fields::{get_object, invalid_all, join};
use crate::kind::Object;
use crate::names;

pub(super) fn validate_resources(container: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let path = join(path, "resources");
    let amounts = |list: &str| get_object(container, &format!("resources.{list}"));
    for list in ["limits", "requests"] {
        for (resource, value) in amounts(list).into_iter().flatten() {
            let path = format!("{path}.{list}[{resource}]");
            validate_resource_name(resource, &path, faults);
            let Some(amount) = parse_amount(value) else { continue };
            if amount.is_negative() {
                faults.push(FieldError::invalid(path, value.clone(), "must be greater than or equal to 0"));
            } else if !is_divisible(resource) && Quantity::from_units(amount.units()) != amount {
                faults.push(FieldError::invalid(path, value.clone(), "must be an integer"));
            }
        }
    }
    for (resource, value) in amounts("requests").into_iter().flatten() {
        let limit_value = amounts("limits").and_then(|limits| limits.get(resource));
        let limit = limit_value.and_then(parse_amount);
        let path = join(&path, "requests");
        let overcommits = !is_extended(resource) && !resource.starts_with(HUGE_PAGES);
        match (parse_amount(value), limit) {
            (Some(request), Some(limit)) if overcommits && request > limit => {
                let detail = format!("must be less than or equal to {resource} limit of {}", shown(limit_value));
                faults.push(FieldError::invalid(path, value.clone(), detail));
            }
            (Some(request), Some(limit)) if !overcommits && request != limit => {
                let detail = format!("must be equal to {resource} limit of {}", shown(limit_value));
                faults.push(FieldError::invalid(path, value.clone(), detail));
            }
            (Some(_), None) if !overcommits => {
                faults.push(FieldError::required(
                    join(path.trim_end_matches(".requests"), "limits"),
                    "Limit must be set for non overcommitable resources",
                ));
            }
            _ => {}
        }
    }
}

const HUGE_PAGES: &str = "hugepages-";

fn parse_amount(value: &Value) -> Option<Quantity> {
    value.as_str()?.parse().ok()
}

fn shown(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or("")
}

/// Named by someone outside the project: counted in whole pieces and never shared.
fn is_extended(resource: &str) -> bool {
    resource.split_once('/').is_some_and(|(domain, _)| domain != "kubernetes.io" && !domain.ends_with(".kubernetes.io"))
}

fn is_divisible(resource: &str) -> bool {
    !is_extended(resource) && !resource.starts_with(HUGE_PAGES)
}

fn validate_resource_name(resource: &str, path: &str, faults: &mut Vec<FieldError>) {
    let complaints = names::qualified_name(resource);
    if !complaints.is_empty() {
        invalid_all(path, resource, complaints, faults);
        return;
    }
    let is_standard = ["cpu", "memory", "ephemeral-storage"].contains(&resource) || resource.starts_with(HUGE_PAGES);
    if !resource.contains('/') && !is_standard {
        faults.push(FieldError::invalid(path, resource, "must be a standard resource for containers"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resource_faults(resources: Value) -> Vec<String> {
        let container = Object::from_iter([("resources".to_owned(), resources)]);
        let mut faults = Vec::new();
        validate_resources(&container, "c", &mut faults);
        faults.iter().map(FieldError::to_string).collect()
    }

    #[test]
    fn resources_are_known_whole_and_covered() {
        for (resources, expected) in [
            (json!({"requests": {"cpu": "1"}, "limits": {"cpu": "2", "memory": "1Gi"}}), vec![]),
            (
                json!({"limits": {"gpu": "1"}}),
                vec![r#"c.resources.limits[gpu]: Invalid value: "gpu": must be a standard resource for containers"#],
            ),
            (
                json!({"limits": {"cpu": "-1"}}),
                vec![r#"c.resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0"#],
            ),
            (
                json!({"limits": {"x.io/gpu": "500m"}}),
                vec![r#"c.resources.limits[x.io/gpu]: Invalid value: "500m": must be an integer"#],
            ),
            (
                json!({"requests": {"x.io/gpu": "1"}}),
                vec!["c.resources.limits: Required value: Limit must be set for non overcommitable resources"],
            ),
            (
                json!({"requests": {"x.io/gpu": "1"}, "limits": {"x.io/gpu": "2"}}),
                vec![r#"c.resources.requests: Invalid value: "1": must be equal to x.io/gpu limit of 2"#],
            ),
        ] {
            assert_eq!(resource_faults(resources.clone()), expected, "{resources}");
        }
    }
}
