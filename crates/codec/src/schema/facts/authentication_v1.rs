//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static BoundObjectReference: Type = Type { go: "v1.BoundObjectReference", fields: &[
    omitted(2, "apiVersion", String),
    omitted(1, "kind", String),
    omitted(3, "name", String),
    omitted(4, "uid", Text("types.UID")),
], embedded: &[] };

pub(super) static SelfSubjectReview: Type = Type { go: "v1.SelfSubjectReview", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "status", Struct(&SelfSubjectReviewStatus)),
], embedded: &[] };

pub(super) static SelfSubjectReviewStatus: Type = Type { go: "v1.SelfSubjectReviewStatus", fields: &[
    field(1, "userInfo", Struct(&UserInfo)),
], embedded: &[] };

pub(super) static TokenRequest: Type = Type { go: "v1.TokenRequest", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&TokenRequestSpec)),
    field(3, "status", Struct(&TokenRequestStatus)),
], embedded: &[] };

pub(super) static TokenRequestSpec: Type = Type { go: "v1.TokenRequestSpec", fields: &[
    omitted(0, "attestations", Map(&List(&String))),
    field(1, "audiences", List(&String)).of(Atomic),
    field(3, "boundObjectRef", Struct(&BoundObjectReference)),
    field(4, "expirationSeconds", Int64),
], embedded: &[] };

pub(super) static TokenRequestStatus: Type = Type { go: "v1.TokenRequestStatus", fields: &[
    field(2, "expirationTimestamp", Time),
    field(1, "token", String),
], embedded: &[] };

pub(super) static TokenReview: Type = Type { go: "v1.TokenReview", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&TokenReviewSpec)),
    field(3, "status", Struct(&TokenReviewStatus)),
], embedded: &[] };

pub(super) static TokenReviewSpec: Type = Type { go: "v1.TokenReviewSpec", fields: &[
    omitted(2, "audiences", List(&String)).of(Atomic),
    omitted(1, "token", String),
], embedded: &[] };

pub(super) static TokenReviewStatus: Type = Type { go: "v1.TokenReviewStatus", fields: &[
    omitted(4, "audiences", List(&String)).of(Atomic),
    omitted(1, "authenticated", Bool),
    omitted(3, "error", String),
    field(2, "user", Struct(&UserInfo)),
], embedded: &[] };

pub(super) static UserInfo: Type = Type { go: "v1.UserInfo", fields: &[
    omitted(4, "extra", Map(&List(&String))),
    omitted(3, "groups", List(&String)).of(Atomic),
    omitted(2, "uid", String),
    omitted(1, "username", String),
], embedded: &[] };
