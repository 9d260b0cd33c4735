//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static Condition: Type = Type { go: "v1.Condition", fields: &[
    field(4, "lastTransitionTime", Time),
    field(6, "message", String),
    omitted(3, "observedGeneration", Int64),
    field(5, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", String),
], embedded: &[] };

pub(super) static DeleteOptions: Type = Type { go: "v1.DeleteOptions", fields: &[
    omitted(0, "apiVersion", String),
    omitted(5, "dryRun", List(&String)).of(Atomic),
    field(1, "gracePeriodSeconds", Int64),
    field(6, "ignoreStoreReadErrorWithClusterBreakingPotential", Bool),
    omitted(0, "kind", String),
    field(3, "orphanDependents", Bool),
    field(2, "preconditions", Struct(&Preconditions)),
    field(4, "propagationPolicy", Text("v1.DeletionPropagation")),
], embedded: &[] };

pub(super) static FieldSelectorRequirement: Type = Type { go: "v1.FieldSelectorRequirement", fields: &[
    field(1, "key", String),
    field(2, "operator", Text("v1.FieldSelectorOperator")),
    omitted(3, "values", List(&String)).of(Atomic),
], embedded: &[] };

pub(super) static LabelSelector: Type = Type { go: "v1.LabelSelector", fields: &[
    omitted(2, "matchExpressions", List(&Struct(&LabelSelectorRequirement))).of(Atomic),
    omitted(1, "matchLabels", Map(&String)),
], embedded: &[] };

pub(super) static LabelSelectorRequirement: Type = Type { go: "v1.LabelSelectorRequirement", fields: &[
    field(1, "key", String),
    field(2, "operator", Text("v1.LabelSelectorOperator")),
    omitted(3, "values", List(&String)).of(Atomic),
], embedded: &[] };

pub(super) static ListMeta: Type = Type { go: "v1.ListMeta", fields: &[
    omitted(3, "continue", String),
    field(4, "remainingItemCount", Int64),
    omitted(2, "resourceVersion", String),
    omitted(1, "selfLink", String),
    field(5, "shardInfo", Struct(&ShardInfo)),
], embedded: &[] };

pub(super) static ManagedFieldsEntry: Type = Type { go: "v1.ManagedFieldsEntry", fields: &[
    omitted(3, "apiVersion", String),
    omitted(6, "fieldsType", String),
    field(7, "fieldsV1", Any),
    omitted(1, "manager", String),
    omitted(2, "operation", Text("v1.ManagedFieldsOperationType")),
    omitted(8, "subresource", String),
    field(4, "time", Time),
], embedded: &[] };

pub(super) static ObjectMeta: Type = Type { go: "v1.ObjectMeta", fields: &[
    omitted(12, "annotations", Map(&String)),
    field(8, "creationTimestamp", Time),
    field(10, "deletionGracePeriodSeconds", Int64),
    field(9, "deletionTimestamp", Time),
    omitted(14, "finalizers", List(&String)).of(Set).patched(Merge("")),
    omitted(2, "generateName", String),
    omitted(7, "generation", Int64),
    omitted(11, "labels", Map(&String)),
    omitted(17, "managedFields", List(&Struct(&ManagedFieldsEntry))).of(Atomic),
    omitted(1, "name", String),
    omitted(3, "namespace", String),
    omitted(13, "ownerReferences", List(&Struct(&OwnerReference))).of(Keyed(&["uid"])).patched(Merge("uid")),
    omitted(6, "resourceVersion", String),
    omitted(4, "selfLink", String),
    omitted(5, "uid", Text("types.UID")),
], embedded: &[] };

pub(super) static OwnerReference: Type = Type { go: "v1.OwnerReference", fields: &[
    field(5, "apiVersion", String),
    field(7, "blockOwnerDeletion", Bool),
    field(6, "controller", Bool),
    field(1, "kind", String),
    field(3, "name", String),
    field(4, "uid", Text("types.UID")),
], embedded: &[] };

pub(super) static Preconditions: Type = Type { go: "v1.Preconditions", fields: &[
    field(2, "resourceVersion", String),
    field(1, "uid", Text("types.UID")),
], embedded: &[] };

pub(super) static ShardInfo: Type = Type { go: "v1.ShardInfo", fields: &[
    field(1, "selector", String),
], embedded: &[] };

pub(super) static Status: Type = Type { go: "v1.Status", fields: &[
    omitted(0, "apiVersion", String),
    omitted(6, "code", Int32),
    field(5, "details", Struct(&StatusDetails)),
    omitted(0, "kind", String),
    omitted(3, "message", String),
    field(1, "metadata", Struct(&ListMeta)),
    omitted(4, "reason", Text("v1.StatusReason")),
    omitted(2, "status", String),
], embedded: &[] };

pub(super) static StatusCause: Type = Type { go: "v1.StatusCause", fields: &[
    omitted(3, "field", String),
    omitted(2, "message", String),
    omitted(1, "reason", Text("v1.CauseType")),
], embedded: &[] };

pub(super) static StatusDetails: Type = Type { go: "v1.StatusDetails", fields: &[
    omitted(4, "causes", List(&Struct(&StatusCause))).of(Atomic),
    omitted(2, "group", String),
    omitted(3, "kind", String),
    omitted(1, "name", String),
    omitted(5, "retryAfterSeconds", Int32),
    omitted(6, "uid", Text("types.UID")),
], embedded: &[] };
