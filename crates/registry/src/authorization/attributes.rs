//! What access reviews have in common.

use crate::error::FieldError;
use crate::fields::{get, get_array, text, value};
use crate::kind::Object;

/// A review asks about a resource or about a path.
pub(super) fn validate_attributes(review: &Object, faults: &mut Vec<FieldError>) {
    let about = ["spec.resourceAttributes", "spec.nonResourceAttributes"];
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
}
