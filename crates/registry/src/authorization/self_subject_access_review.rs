//! authorization.k8s.io `SelfSubjectAccessReview`.

use crate::kind::Kind;

pub static SELF_SUBJECT_ACCESS_REVIEW: Kind = Kind {
    group: "authorization.k8s.io",
    kind: "SelfSubjectAccessReview",
    plural: "selfsubjectaccessreviews",
    singular: "selfsubjectaccessreview",
    verbs: &["create"],
    ..Kind::CLUSTER
};
