//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ExemptPriorityLevelConfiguration: Type = Type { go: "v1.ExemptPriorityLevelConfiguration", fields: &[
    field(2, "lendablePercent", Int32),
    field(1, "nominalConcurrencyShares", Int32),
], embedded: &[] };

pub(super) static FlowDistinguisherMethod: Type = Type { go: "v1.FlowDistinguisherMethod", fields: &[
    field(1, "type", Text("v1.FlowDistinguisherMethodType")),
], embedded: &[] };

pub(super) static FlowSchema: Type = Type { go: "v1.FlowSchema", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&FlowSchemaSpec)),
    field(3, "status", Struct(&FlowSchemaStatus)),
], embedded: &[] };

pub(super) static FlowSchemaCondition: Type = Type { go: "v1.FlowSchemaCondition", fields: &[
    field(3, "lastTransitionTime", Time),
    omitted(5, "message", String),
    omitted(4, "reason", String),
    omitted(2, "status", Text("v1.ConditionStatus")),
    omitted(1, "type", Text("v1.FlowSchemaConditionType")),
], embedded: &[] };

pub(super) static FlowSchemaSpec: Type = Type { go: "v1.FlowSchemaSpec", fields: &[
    field(3, "distinguisherMethod", Struct(&FlowDistinguisherMethod)),
    field(2, "matchingPrecedence", Int32),
    field(1, "priorityLevelConfiguration", Struct(&PriorityLevelConfigurationReference)),
    omitted(4, "rules", List(&Struct(&PolicyRulesWithSubjects))).of(Atomic),
], embedded: &[] };

pub(super) static FlowSchemaStatus: Type = Type { go: "v1.FlowSchemaStatus", fields: &[
    omitted(1, "conditions", List(&Struct(&FlowSchemaCondition))).of(Keyed(&["type"])).patched(Merge("type")),
], embedded: &[] };

pub(super) static GroupSubject: Type = Type { go: "v1.GroupSubject", fields: &[
    field(1, "name", String),
], embedded: &[] };

pub(super) static LimitResponse: Type = Type { go: "v1.LimitResponse", fields: &[
    field(2, "queuing", Struct(&QueuingConfiguration)),
    field(1, "type", Text("v1.LimitResponseType")),
], embedded: &[] };

pub(super) static LimitedPriorityLevelConfiguration: Type = Type { go: "v1.LimitedPriorityLevelConfiguration", fields: &[
    field(4, "borrowingLimitPercent", Int32),
    field(3, "lendablePercent", Int32),
    field(2, "limitResponse", Struct(&LimitResponse)),
    field(1, "nominalConcurrencyShares", Int32),
], embedded: &[] };

pub(super) static NonResourcePolicyRule: Type = Type { go: "v1.NonResourcePolicyRule", fields: &[
    field(6, "nonResourceURLs", List(&String)).of(Set),
    field(1, "verbs", List(&String)).of(Set),
], embedded: &[] };

pub(super) static PolicyRulesWithSubjects: Type = Type { go: "v1.PolicyRulesWithSubjects", fields: &[
    omitted(3, "nonResourceRules", List(&Struct(&NonResourcePolicyRule))).of(Atomic),
    omitted(2, "resourceRules", List(&Struct(&ResourcePolicyRule))).of(Atomic),
    field(1, "subjects", List(&Struct(&Subject))).of(Atomic),
], embedded: &[] };

pub(super) static PriorityLevelConfiguration: Type = Type { go: "v1.PriorityLevelConfiguration", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&PriorityLevelConfigurationSpec)),
    field(3, "status", Struct(&PriorityLevelConfigurationStatus)),
], embedded: &[] };

pub(super) static PriorityLevelConfigurationCondition: Type = Type { go: "v1.PriorityLevelConfigurationCondition", fields: &[
    field(3, "lastTransitionTime", Time),
    omitted(5, "message", String),
    omitted(4, "reason", String),
    omitted(2, "status", Text("v1.ConditionStatus")),
    omitted(1, "type", Text("v1.PriorityLevelConfigurationConditionType")),
], embedded: &[] };

pub(super) static PriorityLevelConfigurationReference: Type = Type { go: "v1.PriorityLevelConfigurationReference", fields: &[
    field(1, "name", String),
], embedded: &[] };

pub(super) static PriorityLevelConfigurationSpec: Type = Type { go: "v1.PriorityLevelConfigurationSpec", fields: &[
    field(3, "exempt", Struct(&ExemptPriorityLevelConfiguration)),
    field(2, "limited", Struct(&LimitedPriorityLevelConfiguration)),
    field(1, "type", Text("v1.PriorityLevelEnablement")),
], embedded: &[] };

pub(super) static PriorityLevelConfigurationStatus: Type = Type { go: "v1.PriorityLevelConfigurationStatus", fields: &[
    omitted(1, "conditions", List(&Struct(&PriorityLevelConfigurationCondition))).of(Keyed(&["type"])).patched(Merge("type")),
], embedded: &[] };

pub(super) static QueuingConfiguration: Type = Type { go: "v1.QueuingConfiguration", fields: &[
    field(2, "handSize", Int32),
    field(3, "queueLengthLimit", Int32),
    field(1, "queues", Int32),
], embedded: &[] };

pub(super) static ResourcePolicyRule: Type = Type { go: "v1.ResourcePolicyRule", fields: &[
    field(2, "apiGroups", List(&String)).of(Set),
    omitted(4, "clusterScope", Bool),
    field(5, "namespaces", List(&String)).of(Set),
    field(3, "resources", List(&String)).of(Set),
    field(1, "verbs", List(&String)).of(Set),
], embedded: &[] };

pub(super) static ServiceAccountSubject: Type = Type { go: "v1.ServiceAccountSubject", fields: &[
    field(2, "name", String),
    field(1, "namespace", String),
], embedded: &[] };

pub(super) static Subject: Type = Type { go: "v1.Subject", fields: &[
    field(3, "group", Struct(&GroupSubject)),
    field(1, "kind", Text("v1.SubjectKind")),
    field(4, "serviceAccount", Struct(&ServiceAccountSubject)),
    field(2, "user", Struct(&UserSubject)),
], embedded: &[] };

pub(super) static UserSubject: Type = Type { go: "v1.UserSubject", fields: &[
    field(1, "name", String),
], embedded: &[] };
