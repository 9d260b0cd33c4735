//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static FieldSelectorAttributes: Type = Type { go: "v1.FieldSelectorAttributes", fields: &[
    omitted("rawSelector", String),
    omitted("requirements", List(&Struct(&meta_v1::FieldSelectorRequirement))).of(Atomic),
] };

pub(super) static LabelSelectorAttributes: Type = Type { go: "v1.LabelSelectorAttributes", fields: &[
    omitted("rawSelector", String),
    omitted("requirements", List(&Struct(&meta_v1::LabelSelectorRequirement))).of(Atomic),
] };

pub(super) static LocalSubjectAccessReview: Type = Type { go: "v1.LocalSubjectAccessReview", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&SubjectAccessReviewSpec)),
    field("status", Struct(&SubjectAccessReviewStatus)),
] };

pub(super) static NonResourceAttributes: Type = Type { go: "v1.NonResourceAttributes", fields: &[
    omitted("path", String),
    omitted("verb", String),
] };

pub(super) static NonResourceRule: Type = Type { go: "v1.NonResourceRule", fields: &[
    omitted("nonResourceURLs", List(&String)).of(Atomic),
    field("verbs", List(&String)).of(Atomic),
] };

pub(super) static ResourceAttributes: Type = Type { go: "v1.ResourceAttributes", fields: &[
    field("fieldSelector", Struct(&FieldSelectorAttributes)),
    omitted("group", String),
    field("labelSelector", Struct(&LabelSelectorAttributes)),
    omitted("name", String),
    omitted("namespace", String),
    omitted("resource", String),
    omitted("subresource", String),
    omitted("verb", String),
    omitted("version", String),
] };

pub(super) static ResourceRule: Type = Type { go: "v1.ResourceRule", fields: &[
    omitted("apiGroups", List(&String)).of(Atomic),
    omitted("resourceNames", List(&String)).of(Atomic),
    omitted("resources", List(&String)).of(Atomic),
    field("verbs", List(&String)).of(Atomic),
] };

pub(super) static SelfSubjectAccessReview: Type = Type { go: "v1.SelfSubjectAccessReview", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&SelfSubjectAccessReviewSpec)),
    field("status", Struct(&SubjectAccessReviewStatus)),
] };

pub(super) static SelfSubjectAccessReviewSpec: Type = Type { go: "v1.SelfSubjectAccessReviewSpec", fields: &[
    field("nonResourceAttributes", Struct(&NonResourceAttributes)),
    field("resourceAttributes", Struct(&ResourceAttributes)),
] };

pub(super) static SelfSubjectRulesReview: Type = Type { go: "v1.SelfSubjectRulesReview", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&SelfSubjectRulesReviewSpec)),
    field("status", Struct(&SubjectRulesReviewStatus)),
] };

pub(super) static SelfSubjectRulesReviewSpec: Type = Type { go: "v1.SelfSubjectRulesReviewSpec", fields: &[
    omitted("namespace", String),
] };

pub(super) static SubjectAccessReview: Type = Type { go: "v1.SubjectAccessReview", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&SubjectAccessReviewSpec)),
    field("status", Struct(&SubjectAccessReviewStatus)),
] };

pub(super) static SubjectAccessReviewSpec: Type = Type { go: "v1.SubjectAccessReviewSpec", fields: &[
    omitted("extra", Map(&List(&String))),
    omitted("groups", List(&String)).of(Atomic),
    field("nonResourceAttributes", Struct(&NonResourceAttributes)),
    field("resourceAttributes", Struct(&ResourceAttributes)),
    omitted("uid", String),
    omitted("user", String),
] };

pub(super) static SubjectAccessReviewStatus: Type = Type { go: "v1.SubjectAccessReviewStatus", fields: &[
    field("allowed", Bool),
    omitted("denied", Bool),
    omitted("evaluationError", String),
    omitted("reason", String),
] };

pub(super) static SubjectRulesReviewStatus: Type = Type { go: "v1.SubjectRulesReviewStatus", fields: &[
    omitted("evaluationError", String),
    field("incomplete", Bool),
    field("nonResourceRules", List(&Struct(&NonResourceRule))).of(Atomic),
    field("resourceRules", List(&Struct(&ResourceRule))).of(Atomic),
] };
