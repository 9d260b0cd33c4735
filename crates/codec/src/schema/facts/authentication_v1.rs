//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static BoundObjectReference: Type = Type { name: "BoundObjectReference", package: "", fields: &[
    omitted(2, "apiVersion", String),
    omitted(1, "kind", String),
    omitted(3, "name", String),
    omitted(4, "uid", Text("types.UID")),
], embedded: &[], order: &[1, 0, 2, 3], is_atomic: false };

pub(super) static SelfSubjectReview: Type = Type { name: "SelfSubjectReview", package: "io.k8s.api.authentication.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "status", Struct(&SelfSubjectReviewStatus)).optional(),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static SelfSubjectReviewStatus: Type = Type { name: "SelfSubjectReviewStatus", package: "", fields: &[
    field(1, "userInfo", Struct(&UserInfo)).optional(),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static TokenRequest: Type = Type { name: "TokenRequest", package: "io.k8s.api.authentication.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&TokenRequestSpec)).optional(),
    field(3, "status", Struct(&TokenRequestStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static TokenRequestSpec: Type = Type { name: "TokenRequestSpec", package: "", fields: &[
    omitted(0, "attestations", Map(&List(&String))),
    field(1, "audiences", List(&String)).optional().of(Atomic),
    pointer(3, "boundObjectRef", Struct(&BoundObjectReference)),
    pointer(4, "expirationSeconds", Int64),
], embedded: &[], order: &[1, 2, 3], is_atomic: false };

pub(super) static TokenRequestStatus: Type = Type { name: "TokenRequestStatus", package: "", fields: &[
    field(2, "expirationTimestamp", Time).optional(),
    field(1, "token", String).optional(),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static TokenReview: Type = Type { name: "TokenReview", package: "io.k8s.api.authentication.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&TokenReviewSpec)),
    field(3, "status", Struct(&TokenReviewStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static TokenReviewSpec: Type = Type { name: "TokenReviewSpec", package: "", fields: &[
    omitted(2, "audiences", List(&String)).of(Atomic),
    omitted(1, "token", String).required(),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static TokenReviewStatus: Type = Type { name: "TokenReviewStatus", package: "", fields: &[
    omitted(4, "audiences", List(&String)).of(Atomic),
    omitted(1, "authenticated", Bool),
    omitted(3, "error", String),
    field(2, "user", Struct(&UserInfo)).optional(),
], embedded: &[], order: &[1, 3, 2, 0], is_atomic: false };

pub(super) static UserInfo: Type = Type { name: "UserInfo", package: "io.k8s.api.authentication.v1", fields: &[
    omitted(4, "extra", Map(&List(&String))),
    omitted(3, "groups", List(&String)).of(Atomic),
    omitted(2, "uid", String),
    omitted(1, "username", String),
], embedded: &[], order: &[3, 2, 1, 0], is_atomic: false };
