//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ExemptPriorityLevelConfiguration: Type = Type { name: "ExemptPriorityLevelConfiguration", package: "", fields: &[
    pointer(2, "lendablePercent", Int32),
    pointer(1, "nominalConcurrencyShares", Int32),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static FlowDistinguisherMethod: Type = Type { name: "FlowDistinguisherMethod", package: "", fields: &[
    field(1, "type", Text("FlowDistinguisherMethodType")),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static FlowSchema: Type = Type { name: "FlowSchema", package: "io.k8s.api.flowcontrol.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&FlowSchemaSpec)),
    field(3, "status", Struct(&FlowSchemaStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static FlowSchemaCondition: Type = Type { name: "FlowSchemaCondition", package: "", fields: &[
    field(3, "lastTransitionTime", Time).optional(),
    omitted(5, "message", String),
    omitted(4, "reason", String),
    omitted(2, "status", Text("ConditionStatus")),
    omitted(1, "type", Text("FlowSchemaConditionType")).required(),
], embedded: &[], order: &[4, 3, 0, 2, 1], is_atomic: false };

pub(super) static FlowSchemaSpec: Type = Type { name: "FlowSchemaSpec", package: "", fields: &[
    pointer(3, "distinguisherMethod", Struct(&FlowDistinguisherMethod)),
    field(2, "matchingPrecedence", Int32).optional(),
    field(1, "priorityLevelConfiguration", Struct(&PriorityLevelConfigurationReference)),
    omitted(4, "rules", List(&Struct(&PolicyRulesWithSubjects))).of(Atomic),
], embedded: &[], order: &[2, 1, 0, 3], is_atomic: false };

pub(super) static FlowSchemaStatus: Type = Type { name: "FlowSchemaStatus", package: "", fields: &[
    omitted(1, "conditions", List(&Struct(&FlowSchemaCondition))).of(Keyed(&["type"])).patched(Merge("type")),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static GroupSubject: Type = Type { name: "GroupSubject", package: "", fields: &[
    field(1, "name", String),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static LimitResponse: Type = Type { name: "LimitResponse", package: "", fields: &[
    pointer(2, "queuing", Struct(&QueuingConfiguration)),
    field(1, "type", Text("LimitResponseType")),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static LimitedPriorityLevelConfiguration: Type = Type { name: "LimitedPriorityLevelConfiguration", package: "", fields: &[
    pointer(4, "borrowingLimitPercent", Int32),
    pointer(3, "lendablePercent", Int32),
    field(2, "limitResponse", Struct(&LimitResponse)),
    pointer(1, "nominalConcurrencyShares", Int32),
], embedded: &[], order: &[3, 2, 1, 0], is_atomic: false };

pub(super) static NonResourcePolicyRule: Type = Type { name: "NonResourcePolicyRule", package: "", fields: &[
    field(6, "nonResourceURLs", List(&String)).of(Set),
    field(1, "verbs", List(&String)).of(Set),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static PolicyRulesWithSubjects: Type = Type { name: "PolicyRulesWithSubjects", package: "", fields: &[
    omitted(3, "nonResourceRules", List(&Struct(&NonResourcePolicyRule))).of(Atomic),
    omitted(2, "resourceRules", List(&Struct(&ResourcePolicyRule))).of(Atomic),
    field(1, "subjects", List(&Struct(&Subject))).of(Atomic),
], embedded: &[], order: &[2, 1, 0], is_atomic: false };

pub(super) static PriorityLevelConfiguration: Type = Type { name: "PriorityLevelConfiguration", package: "io.k8s.api.flowcontrol.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&PriorityLevelConfigurationSpec)),
    field(3, "status", Struct(&PriorityLevelConfigurationStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static PriorityLevelConfigurationCondition: Type = Type { name: "PriorityLevelConfigurationCondition", package: "", fields: &[
    field(3, "lastTransitionTime", Time).optional(),
    omitted(5, "message", String),
    omitted(4, "reason", String),
    omitted(2, "status", Text("ConditionStatus")),
    omitted(1, "type", Text("PriorityLevelConfigurationConditionType")).required(),
], embedded: &[], order: &[4, 3, 0, 2, 1], is_atomic: false };

pub(super) static PriorityLevelConfigurationReference: Type = Type { name: "PriorityLevelConfigurationReference", package: "", fields: &[
    field(1, "name", String),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static PriorityLevelConfigurationSpec: Type = Type { name: "PriorityLevelConfigurationSpec", package: "", fields: &[
    pointer(3, "exempt", Struct(&ExemptPriorityLevelConfiguration)),
    pointer(2, "limited", Struct(&LimitedPriorityLevelConfiguration)),
    field(1, "type", Text("PriorityLevelEnablement")),
], embedded: &[], order: &[2, 1, 0], is_atomic: false };

pub(super) static PriorityLevelConfigurationStatus: Type = Type { name: "PriorityLevelConfigurationStatus", package: "", fields: &[
    omitted(1, "conditions", List(&Struct(&PriorityLevelConfigurationCondition))).of(Keyed(&["type"])).patched(Merge("type")),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static QueuingConfiguration: Type = Type { name: "QueuingConfiguration", package: "", fields: &[
    field(2, "handSize", Int32).optional(),
    field(3, "queueLengthLimit", Int32).optional(),
    field(1, "queues", Int32).optional(),
], embedded: &[], order: &[2, 0, 1], is_atomic: false };

pub(super) static ResourcePolicyRule: Type = Type { name: "ResourcePolicyRule", package: "", fields: &[
    field(2, "apiGroups", List(&String)).of(Set),
    omitted(4, "clusterScope", Bool),
    field(5, "namespaces", List(&String)).optional().of(Set),
    field(3, "resources", List(&String)).of(Set),
    field(1, "verbs", List(&String)).of(Set),
], embedded: &[], order: &[4, 0, 3, 1, 2], is_atomic: false };

pub(super) static ServiceAccountSubject: Type = Type { name: "ServiceAccountSubject", package: "", fields: &[
    field(2, "name", String),
    field(1, "namespace", String),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static Subject: Type = Type { name: "Subject", package: "", fields: &[
    pointer(3, "group", Struct(&GroupSubject)),
    field(1, "kind", Text("SubjectKind")),
    pointer(4, "serviceAccount", Struct(&ServiceAccountSubject)),
    pointer(2, "user", Struct(&UserSubject)),
], embedded: &[], order: &[1, 3, 0, 2], is_atomic: false };

pub(super) static UserSubject: Type = Type { name: "UserSubject", package: "", fields: &[
    field(1, "name", String),
], embedded: &[], order: &[0], is_atomic: false };
