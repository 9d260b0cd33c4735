//! authorization.k8s.io `LocalSubjectAccessReview`.

use crate::kind::Kind;

pub static LOCAL_SUBJECT_ACCESS_REVIEW: Kind = Kind {
    group: "authorization.k8s.io",
    kind: "LocalSubjectAccessReview",
    plural: "localsubjectaccessreviews",
    singular: "localsubjectaccessreview",
    verbs: &["create"],
    ..Kind::NAMESPACED
};
