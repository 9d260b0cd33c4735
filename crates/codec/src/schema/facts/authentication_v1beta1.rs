//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static SelfSubjectReview: Type = Type { name: "SelfSubjectReview", package: "io.k8s.api.authentication.v1beta1", fields: authentication_v1::SelfSubjectReview.fields, embedded: authentication_v1::SelfSubjectReview.embedded, order: authentication_v1::SelfSubjectReview.order, is_atomic: false };

pub(super) static TokenReview: Type = Type { name: "TokenReview", package: "io.k8s.api.authentication.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&authentication_v1::TokenReviewSpec)),
    field(3, "status", Struct(&TokenReviewStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static TokenReviewStatus: Type = Type { name: "TokenReviewStatus", package: "", fields: &[
    omitted(4, "audiences", List(&String)).of(Atomic),
    omitted(1, "authenticated", Bool),
    omitted(3, "error", String),
    field(2, "user", Struct(&UserInfo)).optional(),
], embedded: &[], order: &[1, 3, 2, 0], is_atomic: false };

pub(super) static UserInfo: Type = Type { name: "UserInfo", package: "", fields: &[
    omitted(4, "extra", Map(&List(&String))),
    omitted(3, "groups", List(&String)).of(Atomic),
    omitted(2, "uid", String),
    omitted(1, "username", String),
], embedded: &[], order: &[3, 2, 1, 0], is_atomic: false };
