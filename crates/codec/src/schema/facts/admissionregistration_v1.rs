//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ApplyConfiguration: Type = Type { go: "v1.ApplyConfiguration", fields: &[
    omitted(1, "expression", String),
], embedded: &[] };

pub(super) static AuditAnnotation: Type = Type { go: "v1.AuditAnnotation", fields: &[
    field(1, "key", String),
    field(2, "valueExpression", String),
], embedded: &[] };

pub(super) static ExpressionWarning: Type = Type { go: "v1.ExpressionWarning", fields: &[
    field(2, "fieldRef", String),
    field(3, "warning", String),
], embedded: &[] };

pub(super) static JSONPatch: Type = Type { go: "v1.JSONPatch", fields: &[
    omitted(1, "expression", String),
], embedded: &[] };

pub(super) static MatchCondition: Type = Type { go: "v1.MatchCondition", fields: &[
    field(2, "expression", String),
    field(1, "name", String),
], embedded: &[] };

pub(super) static MatchResources: Type = Type { go: "v1.MatchResources", fields: &[
    omitted(4, "excludeResourceRules", List(&Struct(&NamedRuleWithOperations))).of(Atomic),
    field(7, "matchPolicy", Text("v1.MatchPolicyType")),
    field(1, "namespaceSelector", Struct(&meta_v1::LabelSelector)),
    field(2, "objectSelector", Struct(&meta_v1::LabelSelector)),
    omitted(3, "resourceRules", List(&Struct(&NamedRuleWithOperations))).of(Atomic),
], embedded: &[] };

pub(super) static MutatingAdmissionPolicy: Type = Type { go: "v1.MutatingAdmissionPolicy", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&MutatingAdmissionPolicySpec)),
], embedded: &[] };

pub(super) static MutatingAdmissionPolicyBinding: Type = Type { go: "v1.MutatingAdmissionPolicyBinding", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&MutatingAdmissionPolicyBindingSpec)),
], embedded: &[] };

pub(super) static MutatingAdmissionPolicyBindingSpec: Type = Type { go: "v1.MutatingAdmissionPolicyBindingSpec", fields: &[
    field(3, "matchResources", Struct(&MatchResources)),
    field(2, "paramRef", Struct(&ParamRef)),
    omitted(1, "policyName", String),
], embedded: &[] };

pub(super) static MutatingAdmissionPolicySpec: Type = Type { go: "v1.MutatingAdmissionPolicySpec", fields: &[
    field(5, "failurePolicy", Text("v1.FailurePolicyType")),
    omitted(6, "matchConditions", List(&Struct(&MatchCondition))).of(Keyed(&["name"])).patched(Merge("name")),
    field(2, "matchConstraints", Struct(&MatchResources)),
    omitted(4, "mutations", List(&Struct(&Mutation))).of(Atomic),
    field(1, "paramKind", Struct(&ParamKind)),
    omitted(7, "reinvocationPolicy", Text("v1.ReinvocationPolicyType")),
    omitted(3, "variables", List(&Struct(&Variable))).of(Atomic),
], embedded: &[] };

pub(super) static MutatingWebhook: Type = Type { go: "v1.MutatingWebhook", fields: &[
    field(8, "admissionReviewVersions", List(&String)).of(Atomic),
    field(2, "clientConfig", Struct(&WebhookClientConfig)),
    field(4, "failurePolicy", Text("v1.FailurePolicyType")),
    omitted(12, "matchConditions", List(&Struct(&MatchCondition))).of(Keyed(&["name"])).patched(Merge("name")),
    field(9, "matchPolicy", Text("v1.MatchPolicyType")),
    field(1, "name", String),
    field(5, "namespaceSelector", Struct(&meta_v1::LabelSelector)),
    field(11, "objectSelector", Struct(&meta_v1::LabelSelector)),
    field(10, "reinvocationPolicy", Text("v1.ReinvocationPolicyType")),
    omitted(3, "rules", List(&Struct(&RuleWithOperations))).of(Atomic),
    field(6, "sideEffects", Text("v1.SideEffectClass")),
    field(7, "timeoutSeconds", Int32),
], embedded: &[] };

pub(super) static MutatingWebhookConfiguration: Type = Type { go: "v1.MutatingWebhookConfiguration", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    omitted(2, "webhooks", List(&Struct(&MutatingWebhook))).of(Keyed(&["name"])).patched(Merge("name")),
], embedded: &[] };

pub(super) static Mutation: Type = Type { go: "v1.Mutation", fields: &[
    field(3, "applyConfiguration", Struct(&ApplyConfiguration)),
    field(4, "jsonPatch", Struct(&JSONPatch)),
    field(2, "patchType", Text("v1.PatchType")),
], embedded: &[] };

pub(super) static NamedRuleWithOperations: Type = Type { go: "v1.NamedRuleWithOperations", fields: &[
    omitted(0, "apiGroups", List(&String)).of(Atomic),
    omitted(0, "apiVersions", List(&String)).of(Atomic),
    omitted(0, "operations", List(&Text("v1.OperationType"))).of(Atomic),
    omitted(1, "resourceNames", List(&String)).of(Atomic),
    omitted(0, "resources", List(&String)).of(Atomic),
    field(0, "scope", Text("v1.ScopeType")),
], embedded: &[(2, &RuleWithOperations)] };

pub(super) static ParamKind: Type = Type { go: "v1.ParamKind", fields: &[
    omitted(1, "apiVersion", String),
    omitted(2, "kind", String),
], embedded: &[] };

pub(super) static ParamRef: Type = Type { go: "v1.ParamRef", fields: &[
    omitted(1, "name", String),
    omitted(2, "namespace", String),
    field(4, "parameterNotFoundAction", Text("v1.ParameterNotFoundActionType")),
    field(3, "selector", Struct(&meta_v1::LabelSelector)),
], embedded: &[] };

pub(super) static Rule: Type = Type { go: "v1.Rule", fields: &[
    omitted(1, "apiGroups", List(&String)).of(Atomic),
    omitted(2, "apiVersions", List(&String)).of(Atomic),
    omitted(3, "resources", List(&String)).of(Atomic),
    field(4, "scope", Text("v1.ScopeType")),
], embedded: &[] };

pub(super) static RuleWithOperations: Type = Type { go: "v1.RuleWithOperations", fields: &[
    omitted(0, "apiGroups", List(&String)).of(Atomic),
    omitted(0, "apiVersions", List(&String)).of(Atomic),
    omitted(1, "operations", List(&Text("v1.OperationType"))).of(Atomic),
    omitted(0, "resources", List(&String)).of(Atomic),
    field(0, "scope", Text("v1.ScopeType")),
], embedded: &[(2, &Rule)] };

pub(super) static ServiceReference: Type = Type { go: "v1.ServiceReference", fields: &[
    field(2, "name", String),
    field(1, "namespace", String),
    field(3, "path", String),
    field(4, "port", Int32),
], embedded: &[] };

pub(super) static TypeChecking: Type = Type { go: "v1.TypeChecking", fields: &[
    omitted(1, "expressionWarnings", List(&Struct(&ExpressionWarning))).of(Atomic),
], embedded: &[] };

pub(super) static ValidatingAdmissionPolicy: Type = Type { go: "v1.ValidatingAdmissionPolicy", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&ValidatingAdmissionPolicySpec)),
    field(3, "status", Struct(&ValidatingAdmissionPolicyStatus)),
], embedded: &[] };

pub(super) static ValidatingAdmissionPolicyBinding: Type = Type { go: "v1.ValidatingAdmissionPolicyBinding", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&ValidatingAdmissionPolicyBindingSpec)),
], embedded: &[] };

pub(super) static ValidatingAdmissionPolicyBindingSpec: Type = Type { go: "v1.ValidatingAdmissionPolicyBindingSpec", fields: &[
    field(3, "matchResources", Struct(&MatchResources)),
    field(2, "paramRef", Struct(&ParamRef)),
    omitted(1, "policyName", String),
    omitted(4, "validationActions", List(&Text("v1.ValidationAction"))).of(Set),
], embedded: &[] };

pub(super) static ValidatingAdmissionPolicySpec: Type = Type { go: "v1.ValidatingAdmissionPolicySpec", fields: &[
    omitted(5, "auditAnnotations", List(&Struct(&AuditAnnotation))).of(Atomic),
    field(4, "failurePolicy", Text("v1.FailurePolicyType")),
    omitted(6, "matchConditions", List(&Struct(&MatchCondition))).of(Keyed(&["name"])).patched(Merge("name")),
    field(2, "matchConstraints", Struct(&MatchResources)),
    field(1, "paramKind", Struct(&ParamKind)),
    omitted(3, "validations", List(&Struct(&Validation))).of(Atomic),
    omitted(7, "variables", List(&Struct(&Variable))).of(Keyed(&["name"])).patched(Merge("name")),
], embedded: &[] };

pub(super) static ValidatingAdmissionPolicyStatus: Type = Type { go: "v1.ValidatingAdmissionPolicyStatus", fields: &[
    omitted(3, "conditions", List(&Struct(&meta_v1::Condition))).of(Keyed(&["type"])),
    omitted(1, "observedGeneration", Int64),
    field(2, "typeChecking", Struct(&TypeChecking)),
], embedded: &[] };

pub(super) static ValidatingWebhook: Type = Type { go: "v1.ValidatingWebhook", fields: &[
    field(8, "admissionReviewVersions", List(&String)).of(Atomic),
    field(2, "clientConfig", Struct(&WebhookClientConfig)),
    field(4, "failurePolicy", Text("v1.FailurePolicyType")),
    omitted(11, "matchConditions", List(&Struct(&MatchCondition))).of(Keyed(&["name"])).patched(Merge("name")),
    field(9, "matchPolicy", Text("v1.MatchPolicyType")),
    field(1, "name", String),
    field(5, "namespaceSelector", Struct(&meta_v1::LabelSelector)),
    field(10, "objectSelector", Struct(&meta_v1::LabelSelector)),
    omitted(3, "rules", List(&Struct(&RuleWithOperations))).of(Atomic),
    field(6, "sideEffects", Text("v1.SideEffectClass")),
    field(7, "timeoutSeconds", Int32),
], embedded: &[] };

pub(super) static ValidatingWebhookConfiguration: Type = Type { go: "v1.ValidatingWebhookConfiguration", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    omitted(2, "webhooks", List(&Struct(&ValidatingWebhook))).of(Keyed(&["name"])).patched(Merge("name")),
], embedded: &[] };

pub(super) static Validation: Type = Type { go: "v1.Validation", fields: &[
    field(1, "expression", String),
    omitted(2, "message", String),
    omitted(4, "messageExpression", String),
    field(3, "reason", Text("v1.StatusReason")),
], embedded: &[] };

pub(super) static Variable: Type = Type { go: "v1.Variable", fields: &[
    field(2, "expression", String),
    field(1, "name", String),
], embedded: &[] };

pub(super) static WebhookClientConfig: Type = Type { go: "v1.WebhookClientConfig", fields: &[
    omitted(2, "caBundle", Bytes),
    field(1, "service", Struct(&ServiceReference)),
    field(3, "url", String),
], embedded: &[] };
