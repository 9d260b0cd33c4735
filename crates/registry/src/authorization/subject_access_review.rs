//! authorization.k8s.io `SubjectAccessReview`.

use super::attributes;
use crate::error::FieldError;
use crate::kind::{Kind, Object, Rules};

pub static SUBJECT_ACCESS_REVIEW: Kind = Kind {
    group: "authorization.k8s.io",
    kind: "SubjectAccessReview",
    plural: "subjectaccessreviews",
    singular: "subjectaccessreview",
    verbs: &["create"],
    rules: &SubjectAccessReviewRules,
    ..Kind::CLUSTER
};

struct SubjectAccessReviewRules;

impl Rules for SubjectAccessReviewRules {
    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        attributes::validate_attributes(object, &mut faults);
        attributes::validate_subject(object, &mut faults);
        attributes::validate_selectors(object, &mut faults);
        attributes::validate_metadata(object, false, &mut faults);
        faults
    }
}
