//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ApplyConfiguration: Type = Type { go: "v1.ApplyConfiguration", fields: &[
    omitted("expression", String),
] };

pub(super) static AuditAnnotation: Type = Type { go: "v1.AuditAnnotation", fields: &[
    field("key", String),
    field("valueExpression", String),
] };

pub(super) static ExpressionWarning: Type = Type { go: "v1.ExpressionWarning", fields: &[
    field("fieldRef", String),
    field("warning", String),
] };

pub(super) static JSONPatch: Type = Type { go: "v1.JSONPatch", fields: &[
    omitted("expression", String),
] };

pub(super) static MatchCondition: Type = Type { go: "v1.MatchCondition", fields: &[
    field("expression", String),
    field("name", String),
] };

pub(super) static MatchResources: Type = Type { go: "v1.MatchResources", fields: &[
    omitted("excludeResourceRules", List(&Struct(&NamedRuleWithOperations))).of(Atomic),
    field("matchPolicy", Text("v1.MatchPolicyType")),
    field("namespaceSelector", Struct(&meta_v1::LabelSelector)),
    field("objectSelector", Struct(&meta_v1::LabelSelector)),
    omitted("resourceRules", List(&Struct(&NamedRuleWithOperations))).of(Atomic),
] };

pub(super) static MutatingAdmissionPolicy: Type = Type { go: "v1.MutatingAdmissionPolicy", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&MutatingAdmissionPolicySpec)),
] };

pub(super) static MutatingAdmissionPolicyBinding: Type = Type { go: "v1.MutatingAdmissionPolicyBinding", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&MutatingAdmissionPolicyBindingSpec)),
] };

pub(super) static MutatingAdmissionPolicyBindingSpec: Type = Type { go: "v1.MutatingAdmissionPolicyBindingSpec", fields: &[
    field("matchResources", Struct(&MatchResources)),
    field("paramRef", Struct(&ParamRef)),
    omitted("policyName", String),
] };

pub(super) static MutatingAdmissionPolicySpec: Type = Type { go: "v1.MutatingAdmissionPolicySpec", fields: &[
    field("failurePolicy", Text("v1.FailurePolicyType")),
    omitted("matchConditions", List(&Struct(&MatchCondition))).of(Keyed(&["name"])).patched(Merge("name")),
    field("matchConstraints", Struct(&MatchResources)),
    omitted("mutations", List(&Struct(&Mutation))).of(Atomic),
    field("paramKind", Struct(&ParamKind)),
    omitted("reinvocationPolicy", Text("v1.ReinvocationPolicyType")),
    omitted("variables", List(&Struct(&Variable))).of(Atomic),
] };

pub(super) static MutatingWebhook: Type = Type { go: "v1.MutatingWebhook", fields: &[
    field("admissionReviewVersions", List(&String)).of(Atomic),
    field("clientConfig", Struct(&WebhookClientConfig)),
    field("failurePolicy", Text("v1.FailurePolicyType")),
    omitted("matchConditions", List(&Struct(&MatchCondition))).of(Keyed(&["name"])).patched(Merge("name")),
    field("matchPolicy", Text("v1.MatchPolicyType")),
    field("name", String),
    field("namespaceSelector", Struct(&meta_v1::LabelSelector)),
    field("objectSelector", Struct(&meta_v1::LabelSelector)),
    field("reinvocationPolicy", Text("v1.ReinvocationPolicyType")),
    omitted("rules", List(&Struct(&RuleWithOperations))).of(Atomic),
    field("sideEffects", Text("v1.SideEffectClass")),
    field("timeoutSeconds", Int32),
] };

pub(super) static MutatingWebhookConfiguration: Type = Type { go: "v1.MutatingWebhookConfiguration", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    omitted("webhooks", List(&Struct(&MutatingWebhook))).of(Keyed(&["name"])).patched(Merge("name")),
] };

pub(super) static Mutation: Type = Type { go: "v1.Mutation", fields: &[
    field("applyConfiguration", Struct(&ApplyConfiguration)),
    field("jsonPatch", Struct(&JSONPatch)),
    field("patchType", Text("v1.PatchType")),
] };

pub(super) static NamedRuleWithOperations: Type = Type { go: "v1.NamedRuleWithOperations", fields: &[
    omitted("apiGroups", List(&String)).of(Atomic),
    omitted("apiVersions", List(&String)).of(Atomic),
    omitted("operations", List(&Text("v1.OperationType"))).of(Atomic),
    omitted("resourceNames", List(&String)).of(Atomic),
    omitted("resources", List(&String)).of(Atomic),
    field("scope", Text("v1.ScopeType")),
] };

pub(super) static ParamKind: Type = Type { go: "v1.ParamKind", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
] };

pub(super) static ParamRef: Type = Type { go: "v1.ParamRef", fields: &[
    omitted("name", String),
    omitted("namespace", String),
    field("parameterNotFoundAction", Text("v1.ParameterNotFoundActionType")),
    field("selector", Struct(&meta_v1::LabelSelector)),
] };

pub(super) static RuleWithOperations: Type = Type { go: "v1.RuleWithOperations", fields: &[
    omitted("apiGroups", List(&String)).of(Atomic),
    omitted("apiVersions", List(&String)).of(Atomic),
    omitted("operations", List(&Text("v1.OperationType"))).of(Atomic),
    omitted("resources", List(&String)).of(Atomic),
    field("scope", Text("v1.ScopeType")),
] };

pub(super) static ServiceReference: Type = Type { go: "v1.ServiceReference", fields: &[
    field("name", String),
    field("namespace", String),
    field("path", String),
    field("port", Int32),
] };

pub(super) static TypeChecking: Type = Type { go: "v1.TypeChecking", fields: &[
    omitted("expressionWarnings", List(&Struct(&ExpressionWarning))).of(Atomic),
] };

pub(super) static ValidatingAdmissionPolicy: Type = Type { go: "v1.ValidatingAdmissionPolicy", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&ValidatingAdmissionPolicySpec)),
    field("status", Struct(&ValidatingAdmissionPolicyStatus)),
] };

pub(super) static ValidatingAdmissionPolicyBinding: Type = Type { go: "v1.ValidatingAdmissionPolicyBinding", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&ValidatingAdmissionPolicyBindingSpec)),
] };

pub(super) static ValidatingAdmissionPolicyBindingSpec: Type = Type { go: "v1.ValidatingAdmissionPolicyBindingSpec", fields: &[
    field("matchResources", Struct(&MatchResources)),
    field("paramRef", Struct(&ParamRef)),
    omitted("policyName", String),
    omitted("validationActions", List(&Text("v1.ValidationAction"))).of(Set),
] };

pub(super) static ValidatingAdmissionPolicySpec: Type = Type { go: "v1.ValidatingAdmissionPolicySpec", fields: &[
    omitted("auditAnnotations", List(&Struct(&AuditAnnotation))).of(Atomic),
    field("failurePolicy", Text("v1.FailurePolicyType")),
    omitted("matchConditions", List(&Struct(&MatchCondition))).of(Keyed(&["name"])).patched(Merge("name")),
    field("matchConstraints", Struct(&MatchResources)),
    field("paramKind", Struct(&ParamKind)),
    omitted("validations", List(&Struct(&Validation))).of(Atomic),
    omitted("variables", List(&Struct(&Variable))).of(Keyed(&["name"])).patched(Merge("name")),
] };

pub(super) static ValidatingAdmissionPolicyStatus: Type = Type { go: "v1.ValidatingAdmissionPolicyStatus", fields: &[
    omitted("conditions", List(&Struct(&meta_v1::Condition))).of(Keyed(&["type"])),
    omitted("observedGeneration", Int64),
    field("typeChecking", Struct(&TypeChecking)),
] };

pub(super) static ValidatingWebhook: Type = Type { go: "v1.ValidatingWebhook", fields: &[
    field("admissionReviewVersions", List(&String)).of(Atomic),
    field("clientConfig", Struct(&WebhookClientConfig)),
    field("failurePolicy", Text("v1.FailurePolicyType")),
    omitted("matchConditions", List(&Struct(&MatchCondition))).of(Keyed(&["name"])).patched(Merge("name")),
    field("matchPolicy", Text("v1.MatchPolicyType")),
    field("name", String),
    field("namespaceSelector", Struct(&meta_v1::LabelSelector)),
    field("objectSelector", Struct(&meta_v1::LabelSelector)),
    omitted("rules", List(&Struct(&RuleWithOperations))).of(Atomic),
    field("sideEffects", Text("v1.SideEffectClass")),
    field("timeoutSeconds", Int32),
] };

pub(super) static ValidatingWebhookConfiguration: Type = Type { go: "v1.ValidatingWebhookConfiguration", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    omitted("webhooks", List(&Struct(&ValidatingWebhook))).of(Keyed(&["name"])).patched(Merge("name")),
] };

pub(super) static Validation: Type = Type { go: "v1.Validation", fields: &[
    field("expression", String),
    omitted("message", String),
    omitted("messageExpression", String),
    field("reason", Text("v1.StatusReason")),
] };

pub(super) static Variable: Type = Type { go: "v1.Variable", fields: &[
    field("expression", String),
    field("name", String),
] };

pub(super) static WebhookClientConfig: Type = Type { go: "v1.WebhookClientConfig", fields: &[
    omitted("caBundle", Bytes),
    field("service", Struct(&ServiceReference)),
    field("url", String),
] };
