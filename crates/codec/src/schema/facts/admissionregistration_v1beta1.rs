//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static MatchResources: Type = Type { name: "MatchResources", package: "", fields: &[
    omitted(4, "excludeResourceRules", List(&Struct(&NamedRuleWithOperations))).of(Atomic),
    pointer(7, "matchPolicy", Text("MatchPolicyType")),
    pointer(1, "namespaceSelector", Struct(&meta_v1::LabelSelector)),
    pointer(2, "objectSelector", Struct(&meta_v1::LabelSelector)),
    omitted(3, "resourceRules", List(&Struct(&NamedRuleWithOperations))).of(Atomic),
], embedded: &[], order: &[2, 3, 4, 0, 1], is_atomic: true };

pub(super) static MutatingAdmissionPolicy: Type = Type { name: "MutatingAdmissionPolicy", package: "io.k8s.api.admissionregistration.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&MutatingAdmissionPolicySpec)).optional(),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static MutatingAdmissionPolicyBinding: Type = Type { name: "MutatingAdmissionPolicyBinding", package: "io.k8s.api.admissionregistration.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&MutatingAdmissionPolicyBindingSpec)).optional(),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static MutatingAdmissionPolicyBindingSpec: Type = Type { name: "MutatingAdmissionPolicyBindingSpec", package: "", fields: &[
    pointer(3, "matchResources", Struct(&MatchResources)),
    pointer(2, "paramRef", Struct(&admissionregistration_v1::ParamRef)),
    omitted(1, "policyName", String),
], embedded: &[], order: &[2, 1, 0], is_atomic: false };

pub(super) static MutatingAdmissionPolicySpec: Type = Type { name: "MutatingAdmissionPolicySpec", package: "", fields: &[
    pointer(5, "failurePolicy", Text("FailurePolicyType")),
    omitted(6, "matchConditions", List(&Struct(&admissionregistration_v1::MatchCondition))).of(Keyed(&["name"])).patched(Merge("name")),
    pointer(2, "matchConstraints", Struct(&MatchResources)),
    omitted(4, "mutations", List(&Struct(&admissionregistration_v1::Mutation))).of(Atomic),
    pointer(1, "paramKind", Struct(&admissionregistration_v1::ParamKind)),
    omitted(7, "reinvocationPolicy", Text("v1.ReinvocationPolicyType")),
    omitted(3, "variables", List(&Struct(&admissionregistration_v1::Variable))).of(Atomic),
], embedded: &[], order: &[4, 2, 6, 3, 0, 1, 5], is_atomic: false };

pub(super) static MutatingWebhook: Type = Type { name: "MutatingWebhook", package: "", fields: &[
    omitted(8, "admissionReviewVersions", List(&String)).of(Atomic),
    field(2, "clientConfig", Struct(&admissionregistration_v1::WebhookClientConfig)),
    pointer(4, "failurePolicy", Text("FailurePolicyType")),
    omitted(12, "matchConditions", List(&Struct(&admissionregistration_v1::MatchCondition))).of(Keyed(&["name"])).patched(Merge("name")),
    pointer(9, "matchPolicy", Text("MatchPolicyType")),
    field(1, "name", String),
    pointer(5, "namespaceSelector", Struct(&meta_v1::LabelSelector)),
    pointer(11, "objectSelector", Struct(&meta_v1::LabelSelector)),
    pointer(10, "reinvocationPolicy", Text("v1.ReinvocationPolicyType")),
    omitted(3, "rules", List(&Struct(&admissionregistration_v1::RuleWithOperations))).of(Atomic),
    pointer(6, "sideEffects", Text("SideEffectClass")),
    pointer(7, "timeoutSeconds", Int32),
], embedded: &[], order: &[5, 1, 9, 2, 6, 10, 11, 0, 4, 8, 7, 3], is_atomic: false };

pub(super) static MutatingWebhookConfiguration: Type = Type { name: "MutatingWebhookConfiguration", package: "io.k8s.api.admissionregistration.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    omitted(2, "webhooks", List(&Struct(&MutatingWebhook))).of(Keyed(&["name"])).patched(Merge("name")),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static NamedRuleWithOperations: Type = Type { name: "NamedRuleWithOperations", package: "", fields: &[
    omitted(0, "apiGroups", List(&String)).of(Atomic),
    omitted(0, "apiVersions", List(&String)).of(Atomic),
    omitted(0, "operations", List(&Text("v1.OperationType"))).of(Atomic),
    omitted(1, "resourceNames", List(&String)).of(Atomic),
    omitted(0, "resources", List(&String)).of(Atomic),
    pointer(0, "scope", Text("v1.ScopeType")),
], embedded: &[(2, &admissionregistration_v1::RuleWithOperations)], order: &[3, 6], is_atomic: true };

pub(super) static ValidatingAdmissionPolicy: Type = Type { name: "ValidatingAdmissionPolicy", package: "io.k8s.api.admissionregistration.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&ValidatingAdmissionPolicySpec)).optional(),
    field(3, "status", Struct(&admissionregistration_v1::ValidatingAdmissionPolicyStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static ValidatingAdmissionPolicyBinding: Type = Type { name: "ValidatingAdmissionPolicyBinding", package: "io.k8s.api.admissionregistration.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&ValidatingAdmissionPolicyBindingSpec)),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static ValidatingAdmissionPolicyBindingSpec: Type = Type { name: "ValidatingAdmissionPolicyBindingSpec", package: "", fields: &[
    pointer(3, "matchResources", Struct(&MatchResources)),
    pointer(2, "paramRef", Struct(&admissionregistration_v1::ParamRef)),
    omitted(1, "policyName", String).required(),
    omitted(4, "validationActions", List(&Text("ValidationAction"))).required().of(Set),
], embedded: &[], order: &[2, 1, 0, 3], is_atomic: false };

pub(super) static ValidatingAdmissionPolicySpec: Type = Type { name: "ValidatingAdmissionPolicySpec", package: "", fields: &[
    omitted(5, "auditAnnotations", List(&Struct(&admissionregistration_v1::AuditAnnotation))).of(Atomic),
    pointer(4, "failurePolicy", Text("FailurePolicyType")),
    omitted(6, "matchConditions", List(&Struct(&admissionregistration_v1::MatchCondition))).of(Keyed(&["name"])).patched(Merge("name")),
    pointer(2, "matchConstraints", Struct(&MatchResources)),
    pointer(1, "paramKind", Struct(&admissionregistration_v1::ParamKind)),
    omitted(3, "validations", List(&Struct(&admissionregistration_v1::Validation))).of(Atomic),
    omitted(7, "variables", List(&Struct(&admissionregistration_v1::Variable))).of(Keyed(&["name"])).patched(Merge("name")),
], embedded: &[], order: &[4, 3, 5, 1, 0, 2, 6], is_atomic: false };

pub(super) static ValidatingWebhook: Type = Type { name: "ValidatingWebhook", package: "", fields: &[
    omitted(8, "admissionReviewVersions", List(&String)).of(Atomic),
    field(2, "clientConfig", Struct(&admissionregistration_v1::WebhookClientConfig)),
    pointer(4, "failurePolicy", Text("FailurePolicyType")),
    omitted(11, "matchConditions", List(&Struct(&admissionregistration_v1::MatchCondition))).of(Keyed(&["name"])).patched(Merge("name")),
    pointer(9, "matchPolicy", Text("MatchPolicyType")),
    field(1, "name", String),
    pointer(5, "namespaceSelector", Struct(&meta_v1::LabelSelector)),
    pointer(10, "objectSelector", Struct(&meta_v1::LabelSelector)),
    omitted(3, "rules", List(&Struct(&admissionregistration_v1::RuleWithOperations))).of(Atomic),
    pointer(6, "sideEffects", Text("SideEffectClass")).of(Atomic),
    pointer(7, "timeoutSeconds", Int32),
], embedded: &[], order: &[5, 1, 8, 2, 6, 9, 10, 0, 4, 7, 3], is_atomic: false };

pub(super) static ValidatingWebhookConfiguration: Type = Type { name: "ValidatingWebhookConfiguration", package: "io.k8s.api.admissionregistration.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    omitted(2, "webhooks", List(&Struct(&ValidatingWebhook))).of(Keyed(&["name"])).patched(Merge("name")),
], embedded: &[], order: &[2, 3], is_atomic: false };
