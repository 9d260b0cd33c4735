//! authorization.k8s.io `SubjectAccessReview`.

use crate::kind::Kind;

pub static SUBJECT_ACCESS_REVIEW: Kind = Kind {
    group: "authorization.k8s.io",
    kind: "SubjectAccessReview",
    plural: "subjectaccessreviews",
    singular: "subjectaccessreview",
    verbs: &["create"],
    ..Kind::CLUSTER
};
