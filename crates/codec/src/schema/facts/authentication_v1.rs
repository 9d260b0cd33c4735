//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static BoundObjectReference: Type = Type { go: "v1.BoundObjectReference", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    omitted("name", String),
    omitted("uid", Text("types.UID")),
] };

pub(super) static SelfSubjectReview: Type = Type { go: "v1.SelfSubjectReview", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("status", Struct(&SelfSubjectReviewStatus)),
] };

pub(super) static SelfSubjectReviewStatus: Type = Type { go: "v1.SelfSubjectReviewStatus", fields: &[
    field("userInfo", Struct(&UserInfo)),
] };

pub(super) static TokenRequest: Type = Type { go: "v1.TokenRequest", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&TokenRequestSpec)),
    field("status", Struct(&TokenRequestStatus)),
] };

pub(super) static TokenRequestSpec: Type = Type { go: "v1.TokenRequestSpec", fields: &[
    omitted("attestations", Map(&List(&String))),
    field("audiences", List(&String)).of(Atomic),
    field("boundObjectRef", Struct(&BoundObjectReference)),
    field("expirationSeconds", Int64),
] };

pub(super) static TokenRequestStatus: Type = Type { go: "v1.TokenRequestStatus", fields: &[
    field("expirationTimestamp", Time),
    field("token", String),
] };

pub(super) static TokenReview: Type = Type { go: "v1.TokenReview", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&TokenReviewSpec)),
    field("status", Struct(&TokenReviewStatus)),
] };

pub(super) static TokenReviewSpec: Type = Type { go: "v1.TokenReviewSpec", fields: &[
    omitted("audiences", List(&String)).of(Atomic),
    omitted("token", String),
] };

pub(super) static TokenReviewStatus: Type = Type { go: "v1.TokenReviewStatus", fields: &[
    omitted("audiences", List(&String)).of(Atomic),
    omitted("authenticated", Bool),
    omitted("error", String),
    field("user", Struct(&UserInfo)),
] };

pub(super) static UserInfo: Type = Type { go: "v1.UserInfo", fields: &[
    omitted("extra", Map(&List(&String))),
    omitted("groups", List(&String)).of(Atomic),
    omitted("uid", String),
    omitted("username", String),
] };
