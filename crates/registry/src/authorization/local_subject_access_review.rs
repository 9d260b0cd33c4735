//! authorization.k8s.io `LocalSubjectAccessReview`.

use super::attributes;
use crate::error::FieldError;
use crate::kind::{Kind, Object, Rules};

pub static LOCAL_SUBJECT_ACCESS_REVIEW: Kind = Kind {
    group: "authorization.k8s.io",
    kind: "LocalSubjectAccessReview",
    plural: "localsubjectaccessreviews",
    singular: "localsubjectaccessreview",
    verbs: &["create"],
    rules: &LocalSubjectAccessReviewRules,
    ..Kind::NAMESPACED
};

struct LocalSubjectAccessReviewRules;

impl Rules for LocalSubjectAccessReviewRules {
    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        attributes::validate_attributes(object, &mut faults);
        attributes::validate_subject(object, &mut faults);
        attributes::validate_selectors(object, &mut faults);
        attributes::validate_metadata(object, true, &mut faults);
        attributes::validate_namespace(object, &mut faults);
        faults
    }
}
