//! authorization.k8s.io `SelfSubjectRulesReview`.

use crate::kind::Kind;

pub static SELF_SUBJECT_RULES_REVIEW: Kind = Kind {
    group: "authorization.k8s.io",
    kind: "SelfSubjectRulesReview",
    plural: "selfsubjectrulesreviews",
    singular: "selfsubjectrulesreview",
    verbs: &["create"],
    ..Kind::CLUSTER
};
