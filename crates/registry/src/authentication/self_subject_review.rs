//! authentication.k8s.io `SelfSubjectReview`.

use crate::kind::Kind;

pub static SELF_SUBJECT_REVIEW: Kind = Kind {
    group: "authentication.k8s.io",
    kind: "SelfSubjectReview",
    plural: "selfsubjectreviews",
    singular: "selfsubjectreview",
    verbs: &["create"],
    ..Kind::CLUSTER
};
