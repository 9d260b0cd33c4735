//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ExemptPriorityLevelConfiguration: Type = Type { go: "v1.ExemptPriorityLevelConfiguration", fields: &[
    field("lendablePercent", Int32),
    field("nominalConcurrencyShares", Int32),
] };

pub(super) static FlowDistinguisherMethod: Type = Type { go: "v1.FlowDistinguisherMethod", fields: &[
    field("type", Text("v1.FlowDistinguisherMethodType")),
] };

pub(super) static FlowSchema: Type = Type { go: "v1.FlowSchema", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&FlowSchemaSpec)),
    field("status", Struct(&FlowSchemaStatus)),
] };

pub(super) static FlowSchemaCondition: Type = Type { go: "v1.FlowSchemaCondition", fields: &[
    field("lastTransitionTime", Time),
    omitted("message", String),
    omitted("reason", String),
    omitted("status", Text("v1.ConditionStatus")),
    omitted("type", Text("v1.FlowSchemaConditionType")),
] };

pub(super) static FlowSchemaSpec: Type = Type { go: "v1.FlowSchemaSpec", fields: &[
    field("distinguisherMethod", Struct(&FlowDistinguisherMethod)),
    field("matchingPrecedence", Int32),
    field("priorityLevelConfiguration", Struct(&PriorityLevelConfigurationReference)),
    omitted("rules", List(&Struct(&PolicyRulesWithSubjects))).of(Atomic),
] };

pub(super) static FlowSchemaStatus: Type = Type { go: "v1.FlowSchemaStatus", fields: &[
    omitted("conditions", List(&Struct(&FlowSchemaCondition))).of(Keyed(&["type"])).patched(Merge("type")),
] };

pub(super) static GroupSubject: Type = Type { go: "v1.GroupSubject", fields: &[
    field("name", String),
] };

pub(super) static LimitResponse: Type = Type { go: "v1.LimitResponse", fields: &[
    field("queuing", Struct(&QueuingConfiguration)),
    field("type", Text("v1.LimitResponseType")),
] };

pub(super) static LimitedPriorityLevelConfiguration: Type = Type { go: "v1.LimitedPriorityLevelConfiguration", fields: &[
    field("borrowingLimitPercent", Int32),
    field("lendablePercent", Int32),
    field("limitResponse", Struct(&LimitResponse)),
    field("nominalConcurrencyShares", Int32),
] };

pub(super) static NonResourcePolicyRule: Type = Type { go: "v1.NonResourcePolicyRule", fields: &[
    field("nonResourceURLs", List(&String)).of(Set),
    field("verbs", List(&String)).of(Set),
] };

pub(super) static PolicyRulesWithSubjects: Type = Type { go: "v1.PolicyRulesWithSubjects", fields: &[
    omitted("nonResourceRules", List(&Struct(&NonResourcePolicyRule))).of(Atomic),
    omitted("resourceRules", List(&Struct(&ResourcePolicyRule))).of(Atomic),
    field("subjects", List(&Struct(&Subject))).of(Atomic),
] };

pub(super) static PriorityLevelConfiguration: Type = Type { go: "v1.PriorityLevelConfiguration", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&PriorityLevelConfigurationSpec)),
    field("status", Struct(&PriorityLevelConfigurationStatus)),
] };

pub(super) static PriorityLevelConfigurationCondition: Type = Type { go: "v1.PriorityLevelConfigurationCondition", fields: &[
    field("lastTransitionTime", Time),
    omitted("message", String),
    omitted("reason", String),
    omitted("status", Text("v1.ConditionStatus")),
    omitted("type", Text("v1.PriorityLevelConfigurationConditionType")),
] };

pub(super) static PriorityLevelConfigurationReference: Type = Type { go: "v1.PriorityLevelConfigurationReference", fields: &[
    field("name", String),
] };

pub(super) static PriorityLevelConfigurationSpec: Type = Type { go: "v1.PriorityLevelConfigurationSpec", fields: &[
    field("exempt", Struct(&ExemptPriorityLevelConfiguration)),
    field("limited", Struct(&LimitedPriorityLevelConfiguration)),
    field("type", Text("v1.PriorityLevelEnablement")),
] };

pub(super) static PriorityLevelConfigurationStatus: Type = Type { go: "v1.PriorityLevelConfigurationStatus", fields: &[
    omitted("conditions", List(&Struct(&PriorityLevelConfigurationCondition))).of(Keyed(&["type"])).patched(Merge("type")),
] };

pub(super) static QueuingConfiguration: Type = Type { go: "v1.QueuingConfiguration", fields: &[
    field("handSize", Int32),
    field("queueLengthLimit", Int32),
    field("queues", Int32),
] };

pub(super) static ResourcePolicyRule: Type = Type { go: "v1.ResourcePolicyRule", fields: &[
    field("apiGroups", List(&String)).of(Set),
    omitted("clusterScope", Bool),
    field("namespaces", List(&String)).of(Set),
    field("resources", List(&String)).of(Set),
    field("verbs", List(&String)).of(Set),
] };

pub(super) static ServiceAccountSubject: Type = Type { go: "v1.ServiceAccountSubject", fields: &[
    field("name", String),
    field("namespace", String),
] };

pub(super) static Subject: Type = Type { go: "v1.Subject", fields: &[
    field("group", Struct(&GroupSubject)),
    field("kind", Text("v1.SubjectKind")),
    field("serviceAccount", Struct(&ServiceAccountSubject)),
    field("user", Struct(&UserSubject)),
] };

pub(super) static UserSubject: Type = Type { go: "v1.UserSubject", fields: &[
    field("name", String),
] };
