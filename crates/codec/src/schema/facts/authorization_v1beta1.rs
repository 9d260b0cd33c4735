//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static LocalSubjectAccessReview: Type = Type { name: "LocalSubjectAccessReview", package: "io.k8s.api.authorization.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&SubjectAccessReviewSpec)),
    field(3, "status", Struct(&authorization_v1::SubjectAccessReviewStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static SelfSubjectAccessReview: Type = Type { name: "SelfSubjectAccessReview", package: "io.k8s.api.authorization.v1beta1", fields: authorization_v1::SelfSubjectAccessReview.fields, embedded: authorization_v1::SelfSubjectAccessReview.embedded, order: authorization_v1::SelfSubjectAccessReview.order, is_atomic: false };

pub(super) static SelfSubjectRulesReview: Type = Type { name: "SelfSubjectRulesReview", package: "io.k8s.api.authorization.v1beta1", fields: authorization_v1::SelfSubjectRulesReview.fields, embedded: authorization_v1::SelfSubjectRulesReview.embedded, order: authorization_v1::SelfSubjectRulesReview.order, is_atomic: false };

pub(super) static SubjectAccessReview: Type = Type { name: "SubjectAccessReview", package: "io.k8s.api.authorization.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&SubjectAccessReviewSpec)),
    field(3, "status", Struct(&authorization_v1::SubjectAccessReviewStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static SubjectAccessReviewSpec: Type = Type { name: "SubjectAccessReviewSpec", package: "", fields: &[
    omitted(5, "extra", Map(&List(&String))),
    omitted(4, "group", List(&String)).of(Atomic),
    pointer(2, "nonResourceAttributes", Struct(&authorization_v1::NonResourceAttributes)),
    pointer(1, "resourceAttributes", Struct(&authorization_v1::ResourceAttributes)),
    omitted(6, "uid", String),
    omitted(3, "user", String),
], embedded: &[], order: &[3, 2, 5, 1, 0, 4], is_atomic: false };
