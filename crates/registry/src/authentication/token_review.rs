//! authentication.k8s.io `TokenReview`.

use crate::kind::Kind;

pub static TOKEN_REVIEW: Kind = Kind {
    group: "authentication.k8s.io",
    kind: "TokenReview",
    plural: "tokenreviews",
    singular: "tokenreview",
    verbs: &["create"],
    ..Kind::CLUSTER
};
