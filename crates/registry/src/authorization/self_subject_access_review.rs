//! authorization.k8s.io `SelfSubjectAccessReview`.

use super::attributes;
use crate::error::FieldError;
use crate::kind::{Kind, Object, Rules};

pub static SELF_SUBJECT_ACCESS_REVIEW: Kind = Kind {
    group: "authorization.k8s.io",
    kind: "SelfSubjectAccessReview",
    plural: "selfsubjectaccessreviews",
    singular: "selfsubjectaccessreview",
    verbs: &["create"],
    rules: &SelfSubjectAccessReviewRules,
    ..Kind::CLUSTER
};

struct SelfSubjectAccessReviewRules;

impl Rules for SelfSubjectAccessReviewRules {
    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        attributes::validate_attributes(object, &mut faults);
        attributes::validate_selectors(object, &mut faults);
        attributes::validate_metadata(object, false, &mut faults);
        faults
    }
}
