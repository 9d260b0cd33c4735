//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static FieldSelectorAttributes: Type = Type { name: "FieldSelectorAttributes", package: "io.k8s.api.authorization.v1", fields: &[
    omitted(1, "rawSelector", String),
    omitted(2, "requirements", List(&Struct(&meta_v1::FieldSelectorRequirement))).of(Atomic),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static LabelSelectorAttributes: Type = Type { name: "LabelSelectorAttributes", package: "io.k8s.api.authorization.v1", fields: &[
    omitted(1, "rawSelector", String),
    omitted(2, "requirements", List(&Struct(&meta_v1::LabelSelectorRequirement))).of(Atomic),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static LocalSubjectAccessReview: Type = Type { name: "LocalSubjectAccessReview", package: "io.k8s.api.authorization.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&SubjectAccessReviewSpec)),
    field(3, "status", Struct(&SubjectAccessReviewStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static NonResourceAttributes: Type = Type { name: "NonResourceAttributes", package: "", fields: &[
    omitted(1, "path", String),
    omitted(2, "verb", String),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static NonResourceRule: Type = Type { name: "NonResourceRule", package: "", fields: &[
    omitted(2, "nonResourceURLs", List(&String)).of(Atomic),
    field(1, "verbs", List(&String)).of(Atomic),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static ResourceAttributes: Type = Type { name: "ResourceAttributes", package: "", fields: &[
    pointer(8, "fieldSelector", Struct(&FieldSelectorAttributes)),
    omitted(3, "group", String),
    pointer(9, "labelSelector", Struct(&LabelSelectorAttributes)),
    omitted(7, "name", String),
    omitted(1, "namespace", String),
    omitted(5, "resource", String),
    omitted(6, "subresource", String),
    omitted(2, "verb", String),
    omitted(4, "version", String),
], embedded: &[], order: &[4, 7, 1, 8, 5, 6, 3, 0, 2], is_atomic: false };

pub(super) static ResourceRule: Type = Type { name: "ResourceRule", package: "", fields: &[
    omitted(2, "apiGroups", List(&String)).of(Atomic),
    omitted(4, "resourceNames", List(&String)).of(Atomic),
    omitted(3, "resources", List(&String)).of(Atomic),
    field(1, "verbs", List(&String)).of(Atomic),
], embedded: &[], order: &[3, 0, 2, 1], is_atomic: false };

pub(super) static SelfSubjectAccessReview: Type = Type { name: "SelfSubjectAccessReview", package: "io.k8s.api.authorization.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&SelfSubjectAccessReviewSpec)),
    field(3, "status", Struct(&SubjectAccessReviewStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static SelfSubjectAccessReviewSpec: Type = Type { name: "SelfSubjectAccessReviewSpec", package: "", fields: &[
    pointer(2, "nonResourceAttributes", Struct(&NonResourceAttributes)),
    pointer(1, "resourceAttributes", Struct(&ResourceAttributes)),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static SelfSubjectRulesReview: Type = Type { name: "SelfSubjectRulesReview", package: "io.k8s.api.authorization.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&SelfSubjectRulesReviewSpec)),
    field(3, "status", Struct(&SubjectRulesReviewStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static SelfSubjectRulesReviewSpec: Type = Type { name: "SelfSubjectRulesReviewSpec", package: "", fields: &[
    omitted(1, "namespace", String),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static SubjectAccessReview: Type = Type { name: "SubjectAccessReview", package: "io.k8s.api.authorization.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&SubjectAccessReviewSpec)),
    field(3, "status", Struct(&SubjectAccessReviewStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static SubjectAccessReviewSpec: Type = Type { name: "SubjectAccessReviewSpec", package: "", fields: &[
    omitted(5, "extra", Map(&List(&String))),
    omitted(4, "groups", List(&String)).of(Atomic),
    pointer(2, "nonResourceAttributes", Struct(&NonResourceAttributes)),
    pointer(1, "resourceAttributes", Struct(&ResourceAttributes)),
    omitted(6, "uid", String),
    omitted(3, "user", String),
], embedded: &[], order: &[3, 2, 5, 1, 0, 4], is_atomic: false };

pub(super) static SubjectAccessReviewStatus: Type = Type { name: "SubjectAccessReviewStatus", package: "", fields: &[
    field(1, "allowed", Bool),
    omitted(4, "denied", Bool),
    omitted(3, "evaluationError", String),
    omitted(2, "reason", String),
], embedded: &[], order: &[0, 3, 2, 1], is_atomic: false };

pub(super) static SubjectRulesReviewStatus: Type = Type { name: "SubjectRulesReviewStatus", package: "", fields: &[
    omitted(4, "evaluationError", String),
    field(3, "incomplete", Bool),
    field(2, "nonResourceRules", List(&Struct(&NonResourceRule))).of(Atomic),
    field(1, "resourceRules", List(&Struct(&ResourceRule))).of(Atomic),
], embedded: &[], order: &[3, 2, 1, 0], is_atomic: false };
