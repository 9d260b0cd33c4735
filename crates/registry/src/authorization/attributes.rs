//! What access reviews have in common.

use crate::error::FieldError;
use crate::fields::{get, get_array, get_object, items, text, value};
use crate::kind::Object;

const ABOUT: [&str; 2] = ["spec.resourceAttributes", "spec.nonResourceAttributes"];

/// A review asks about a resource or about a path.
pub(super) fn validate_attributes(review: &Object, faults: &mut Vec<FieldError>) {
    let about = ABOUT;
    match about.map(|path| get(review, path).is_some()) {
        [true, true] => {
            let detail = "cannot be specified in combination with resourceAttributes";
            faults.push(FieldError::invalid(about[1], value(review, about[1]), detail));
        }
        [false, false] => {
            let detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
            faults.push(FieldError::invalid(about[0], value(review, about[0]), detail));
        }
        _ => {}
    }
}

/// What the resource asked about is narrowed to.
pub(super) fn validate_selectors(review: &Object, faults: &mut Vec<FieldError>) {
    for name in ["fieldSelector", "labelSelector"] {
        let path = format!("{}.{name}", ABOUT[0]);
        let Some(selector) = get_object(review, &path) else { continue };
        let requirements: Vec<&Object> = items(selector, "requirements").collect();
        match (text(selector, "rawSelector"), requirements.as_slice()) {
            ("", []) => {
                let detail = format!("when {path} is specified, requirements or rawSelector is required");
                faults.push(FieldError::required(format!("{path}.requirements"), detail));
            }
            ("", _) | (_, []) => {}
            (raw, _) => {
                let detail = "may not specified at the same time as requirements";
                faults.push(FieldError::invalid(format!("{path}.rawSelector"), raw, detail));
            }
        }
        for (at, requirement) in requirements.into_iter().enumerate() {
            validate_requirement(requirement, &format!("{path}.requirements[{at}]"), faults);
        }
    }
}

/// Operators that are not known are for whoever knows them to decide.
fn validate_requirement(requirement: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let values = get_array(requirement, "values");
    match text(requirement, "operator") {
        "In" | "NotIn" if values.is_empty() => {
            let detail = "must be specified when `operator` is 'In' or 'NotIn'";
            faults.push(FieldError::required(format!("{path}.values"), detail));
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            faults.push(FieldError::forbidden(format!("{path}.values"), detail));
        }
        _ => {}
    }
    if text(requirement, "key").is_empty() {
        faults.push(FieldError::required(format!("{path}.key"), "must be specified"));
    }
}

/// A review has no name, no labels and nothing else of an object that rests.
pub(super) fn validate_metadata(review: &Object, but_namespace: bool, faults: &mut Vec<FieldError>) {
    let is_said = |(field, value): (&String, &serde_json::Value)| match field.as_str() {
        "managedFields" | "creationTimestamp" => false,
        "namespace" if but_namespace => false,
        _ => !value.is_null() && value != "",
    };
    if get_object(review, "metadata").is_some_and(|metadata| metadata.iter().any(is_said)) {
        let detail = if but_namespace { "must be empty except for namespace" } else { "must be empty" };
        faults.push(FieldError::invalid("metadata", value(review, "metadata"), detail));
    }
}

/// A review of one namespace asks about resources there.
pub(super) fn validate_namespace(review: &Object, faults: &mut Vec<FieldError>) {
    if get(review, ABOUT[0]).is_some() {
        let path = "spec.resourceAttributes.namespace";
        let asked = text(review, path);
        if asked != text(review, "metadata.namespace") {
            faults.push(FieldError::invalid(path, asked, "must match metadata.namespace"));
        }
    }
    if get(review, ABOUT[1]).is_some() {
        let detail = "disallowed on this kind of request";
        faults.push(FieldError::invalid(ABOUT[1], value(review, ABOUT[1]), detail));
    }
}

/// A review asks about someone.
pub(super) fn validate_subject(review: &Object, faults: &mut Vec<FieldError>) {
    if text(review, "spec.user").is_empty() && get_array(review, "spec.groups").is_empty() {
        let detail = "at least one of user or group must be specified";
        faults.push(FieldError::invalid("spec.user", "", detail));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_review_asks_one_thing_about_someone() {
        let faults = |spec: serde_json::Value| {
            let review = Object::from_iter([("spec".to_owned(), spec)]);
            let rules = crate::authorization::subject_access_review::SUBJECT_ACCESS_REVIEW.rules;
            rules.validate(&review, None).len()
        };
        assert_eq!(faults(json!({"user": "u", "resourceAttributes": {"verb": "get"}})), 0);
        assert_eq!(faults(json!({"user": "u"})), 1);
        assert_eq!(faults(json!({"resourceAttributes": {}, "nonResourceAttributes": {}})), 2);
    }

    #[test]
    fn selectors_are_given_in_one_form() {
        let told = |selector: serde_json::Value| -> Vec<String> {
            let spec = json!({"resourceAttributes": {"fieldSelector": selector}});
            let mut faults = Vec::new();
            validate_selectors(&Object::from_iter([("spec".to_owned(), spec)]), &mut faults);
            faults.iter().map(FieldError::to_string).collect()
        };
        let path = "spec.resourceAttributes.fieldSelector";
        assert_eq!(
            told(json!({})),
            [format!(
                "{path}.requirements: Required value: when {path} is specified, requirements or rawSelector is required"
            )]
        );
        assert_eq!(
            told(json!({"rawSelector": "a=b", "requirements": [{"key": "a", "operator": "Exists"}]})),
            [format!("{path}.rawSelector: Invalid value: \"a=b\": may not specified at the same time as requirements")]
        );
        assert_eq!(
            told(json!({"requirements": [{"key": "a", "operator": "In"}, {"key": "b", "operator": "Later"}]})),
            [format!(
                "{path}.requirements[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"
            )]
        );
        assert!(told(json!({"rawSelector": "a=b"})).is_empty());
    }

    #[test]
    fn a_review_of_a_namespace_stays_there() {
        let told = |review: serde_json::Value| -> Vec<String> {
            let serde_json::Value::Object(review) = review else { panic!("an object") };
            let rules = crate::authorization::local_subject_access_review::LOCAL_SUBJECT_ACCESS_REVIEW.rules;
            rules.validate(&review, None).iter().map(FieldError::to_string).collect()
        };
        let within = |namespace: &str| json!({"user": "u", "resourceAttributes": {"namespace": namespace}});
        assert!(told(json!({"metadata": {"namespace": "a"}, "spec": within("a")})).is_empty());
        assert_eq!(
            told(json!({"metadata": {"namespace": "a", "name": "x"}, "spec": within("b")})),
            [
                "metadata: Invalid value: {\"namespace\":\"a\",\"name\":\"x\"}: must be empty except for namespace",
                "spec.resourceAttributes.namespace: Invalid value: \"b\": must match metadata.namespace",
            ]
        );
    }
}
