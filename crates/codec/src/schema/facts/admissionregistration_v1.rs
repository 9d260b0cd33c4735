//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ApplyConfiguration: Type = Type { name: "ApplyConfiguration", package: "", fields: &[
    omitted(1, "expression", String),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static AuditAnnotation: Type = Type { name: "AuditAnnotation", package: "", fields: &[
    field(1, "key", String),
    field(2, "valueExpression", String),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static ExpressionWarning: Type = Type { name: "ExpressionWarning", package: "", fields: &[
    field(2, "fieldRef", String),
    field(3, "warning", String),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static JSONPatch: Type = Type { name: "JSONPatch", package: "", fields: &[
    omitted(1, "expression", String),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static MatchCondition: Type = Type { name: "MatchCondition", package: "", fields: &[
    field(2, "expression", String),
    field(1, "name", String),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static MatchResources: Type = Type { name: "MatchResources", package: "", fields: &[
    omitted(4, "excludeResourceRules", List(&Struct(&NamedRuleWithOperations))).of(Atomic),
    pointer(7, "matchPolicy", Text("MatchPolicyType")),
    pointer(1, "namespaceSelector", Struct(&meta_v1::LabelSelector)),
    pointer(2, "objectSelector", Struct(&meta_v1::LabelSelector)),
    omitted(3, "resourceRules", List(&Struct(&NamedRuleWithOperations))).of(Atomic),
], embedded: &[], order: &[2, 3, 4, 0, 1], is_atomic: true };

pub(super) static MutatingAdmissionPolicy: Type = Type { name: "MutatingAdmissionPolicy", package: "io.k8s.api.admissionregistration.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&MutatingAdmissionPolicySpec)).optional(),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static MutatingAdmissionPolicyBinding: Type = Type { name: "MutatingAdmissionPolicyBinding", package: "io.k8s.api.admissionregistration.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&MutatingAdmissionPolicyBindingSpec)).optional(),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static MutatingAdmissionPolicyBindingSpec: Type = Type { name: "MutatingAdmissionPolicyBindingSpec", package: "", fields: &[
    pointer(3, "matchResources", Struct(&MatchResources)),
    pointer(2, "paramRef", Struct(&ParamRef)),
    omitted(1, "policyName", String),
], embedded: &[], order: &[2, 1, 0], is_atomic: false };

pub(super) static MutatingAdmissionPolicySpec: Type = Type { name: "MutatingAdmissionPolicySpec", package: "", fields: &[
    pointer(5, "failurePolicy", Text("FailurePolicyType")),
    omitted(6, "matchConditions", List(&Struct(&MatchCondition))).of(Keyed(&["name"])).patched(Merge("name")),
    pointer(2, "matchConstraints", Struct(&MatchResources)),
    omitted(4, "mutations", List(&Struct(&Mutation))).of(Atomic),
    pointer(1, "paramKind", Struct(&ParamKind)),
    omitted(7, "reinvocationPolicy", Text("ReinvocationPolicyType")),
    omitted(3, "variables", List(&Struct(&Variable))).of(Atomic),
], embedded: &[], order: &[4, 2, 6, 3, 0, 1, 5], is_atomic: false };

pub(super) static MutatingWebhook: Type = Type { name: "MutatingWebhook", package: "", fields: &[
    field(8, "admissionReviewVersions", List(&String)).of(Atomic),
    field(2, "clientConfig", Struct(&WebhookClientConfig)),
    pointer(4, "failurePolicy", Text("FailurePolicyType")),
    omitted(12, "matchConditions", List(&Struct(&MatchCondition))).of(Keyed(&["name"])).patched(Merge("name")),
    pointer(9, "matchPolicy", Text("MatchPolicyType")),
    field(1, "name", String),
    pointer(5, "namespaceSelector", Struct(&meta_v1::LabelSelector)),
    pointer(11, "objectSelector", Struct(&meta_v1::LabelSelector)),
    pointer(10, "reinvocationPolicy", Text("ReinvocationPolicyType")),
    omitted(3, "rules", List(&Struct(&RuleWithOperations))).of(Atomic),
    pointer(6, "sideEffects", Text("SideEffectClass")).required(),
    pointer(7, "timeoutSeconds", Int32),
], embedded: &[], order: &[5, 1, 9, 2, 6, 10, 11, 0, 4, 8, 7, 3], is_atomic: false };

pub(super) static MutatingWebhookConfiguration: Type = Type { name: "MutatingWebhookConfiguration", package: "io.k8s.api.admissionregistration.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    omitted(2, "webhooks", List(&Struct(&MutatingWebhook))).of(Keyed(&["name"])).patched(Merge("name")),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static Mutation: Type = Type { name: "Mutation", package: "", fields: &[
    pointer(3, "applyConfiguration", Struct(&ApplyConfiguration)),
    pointer(4, "jsonPatch", Struct(&JSONPatch)),
    field(2, "patchType", Text("PatchType")),
], embedded: &[], order: &[2, 0, 1], is_atomic: false };

pub(super) static NamedRuleWithOperations: Type = Type { name: "NamedRuleWithOperations", package: "", fields: &[
    omitted(0, "apiGroups", List(&String)).of(Atomic),
    omitted(0, "apiVersions", List(&String)).of(Atomic),
    omitted(0, "operations", List(&Text("OperationType"))).of(Atomic),
    omitted(1, "resourceNames", List(&String)).of(Atomic),
    omitted(0, "resources", List(&String)).of(Atomic),
    pointer(0, "scope", Text("ScopeType")),
], embedded: &[(2, &RuleWithOperations)], order: &[3, 6], is_atomic: true };

pub(super) static ParamKind: Type = Type { name: "ParamKind", package: "", fields: &[
    omitted(1, "apiVersion", String),
    omitted(2, "kind", String),
], embedded: &[], order: &[0, 1], is_atomic: true };

pub(super) static ParamRef: Type = Type { name: "ParamRef", package: "", fields: &[
    omitted(1, "name", String),
    omitted(2, "namespace", String),
    pointer(4, "parameterNotFoundAction", Text("ParameterNotFoundActionType")),
    pointer(3, "selector", Struct(&meta_v1::LabelSelector)),
], embedded: &[], order: &[0, 1, 3, 2], is_atomic: true };

pub(super) static Rule: Type = Type { name: "Rule", package: "io.k8s.api.admissionregistration.v1", fields: &[
    omitted(1, "apiGroups", List(&String)).of(Atomic),
    omitted(2, "apiVersions", List(&String)).of(Atomic),
    omitted(3, "resources", List(&String)).of(Atomic),
    pointer(4, "scope", Text("ScopeType")),
], embedded: &[], order: &[0, 1, 2, 3], is_atomic: false };

pub(super) static RuleWithOperations: Type = Type { name: "RuleWithOperations", package: "io.k8s.api.admissionregistration.v1", fields: &[
    omitted(0, "apiGroups", List(&String)).of(Atomic),
    omitted(0, "apiVersions", List(&String)).of(Atomic),
    omitted(1, "operations", List(&Text("OperationType"))).of(Atomic),
    omitted(0, "resources", List(&String)).of(Atomic),
    pointer(0, "scope", Text("ScopeType")),
], embedded: &[(2, &Rule)], order: &[2, 5], is_atomic: false };

pub(super) static ServiceReference: Type = Type { name: "ServiceReference", package: "", fields: &[
    field(2, "name", String),
    field(1, "namespace", String),
    pointer(3, "path", String),
    pointer(4, "port", Int32),
], embedded: &[], order: &[1, 0, 2, 3], is_atomic: false };

pub(super) static TypeChecking: Type = Type { name: "TypeChecking", package: "", fields: &[
    omitted(1, "expressionWarnings", List(&Struct(&ExpressionWarning))).of(Atomic),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static ValidatingAdmissionPolicy: Type = Type { name: "ValidatingAdmissionPolicy", package: "io.k8s.api.admissionregistration.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&ValidatingAdmissionPolicySpec)).optional(),
    field(3, "status", Struct(&ValidatingAdmissionPolicyStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static ValidatingAdmissionPolicyBinding: Type = Type { name: "ValidatingAdmissionPolicyBinding", package: "io.k8s.api.admissionregistration.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&ValidatingAdmissionPolicyBindingSpec)),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static ValidatingAdmissionPolicyBindingSpec: Type = Type { name: "ValidatingAdmissionPolicyBindingSpec", package: "", fields: &[
    pointer(3, "matchResources", Struct(&MatchResources)),
    pointer(2, "paramRef", Struct(&ParamRef)),
    omitted(1, "policyName", String).required(),
    omitted(4, "validationActions", List(&Text("ValidationAction"))).required().of(Set),
], embedded: &[], order: &[2, 1, 0, 3], is_atomic: false };

pub(super) static ValidatingAdmissionPolicySpec: Type = Type { name: "ValidatingAdmissionPolicySpec", package: "", fields: &[
    omitted(5, "auditAnnotations", List(&Struct(&AuditAnnotation))).of(Atomic),
    pointer(4, "failurePolicy", Text("FailurePolicyType")),
    omitted(6, "matchConditions", List(&Struct(&MatchCondition))).of(Keyed(&["name"])).patched(Merge("name")),
    pointer(2, "matchConstraints", Struct(&MatchResources)),
    pointer(1, "paramKind", Struct(&ParamKind)),
    omitted(3, "validations", List(&Struct(&Validation))).of(Atomic),
    omitted(7, "variables", List(&Struct(&Variable))).of(Keyed(&["name"])).patched(Merge("name")),
], embedded: &[], order: &[4, 3, 5, 1, 0, 2, 6], is_atomic: false };

pub(super) static ValidatingAdmissionPolicyStatus: Type = Type { name: "ValidatingAdmissionPolicyStatus", package: "", fields: &[
    omitted(3, "conditions", List(&Struct(&meta_v1::Condition))).of(Keyed(&["type"])),
    omitted(1, "observedGeneration", Int64),
    pointer(2, "typeChecking", Struct(&TypeChecking)),
], embedded: &[], order: &[1, 2, 0], is_atomic: false };

pub(super) static ValidatingWebhook: Type = Type { name: "ValidatingWebhook", package: "", fields: &[
    field(8, "admissionReviewVersions", List(&String)).of(Atomic),
    field(2, "clientConfig", Struct(&WebhookClientConfig)),
    pointer(4, "failurePolicy", Text("FailurePolicyType")),
    omitted(11, "matchConditions", List(&Struct(&MatchCondition))).of(Keyed(&["name"])).patched(Merge("name")),
    pointer(9, "matchPolicy", Text("MatchPolicyType")),
    field(1, "name", String),
    pointer(5, "namespaceSelector", Struct(&meta_v1::LabelSelector)),
    pointer(10, "objectSelector", Struct(&meta_v1::LabelSelector)),
    omitted(3, "rules", List(&Struct(&RuleWithOperations))).of(Atomic),
    pointer(6, "sideEffects", Text("SideEffectClass")).required(),
    pointer(7, "timeoutSeconds", Int32),
], embedded: &[], order: &[5, 1, 8, 2, 6, 9, 10, 0, 4, 7, 3], is_atomic: false };

pub(super) static ValidatingWebhookConfiguration: Type = Type { name: "ValidatingWebhookConfiguration", package: "io.k8s.api.admissionregistration.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    omitted(2, "webhooks", List(&Struct(&ValidatingWebhook))).of(Keyed(&["name"])).patched(Merge("name")),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static Validation: Type = Type { name: "Validation", package: "", fields: &[
    field(1, "expression", String),
    omitted(2, "message", String),
    omitted(4, "messageExpression", String),
    pointer(3, "reason", Text("v1.StatusReason")),
], embedded: &[], order: &[0, 1, 3, 2], is_atomic: false };

pub(super) static Variable: Type = Type { name: "Variable", package: "", fields: &[
    field(2, "expression", String),
    field(1, "name", String),
], embedded: &[], order: &[1, 0], is_atomic: true };

pub(super) static WebhookClientConfig: Type = Type { name: "WebhookClientConfig", package: "", fields: &[
    omitted(2, "caBundle", Bytes),
    pointer(1, "service", Struct(&ServiceReference)),
    pointer(3, "url", String),
], embedded: &[], order: &[1, 0, 2], is_atomic: false };
