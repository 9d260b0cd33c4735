//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static Condition: Type = Type { go: "v1.Condition", fields: &[
    field("lastTransitionTime", Time),
    field("message", String),
    omitted("observedGeneration", Int64),
    field("reason", String),
    field("status", Text("v1.ConditionStatus")),
    field("type", String),
] };

pub(super) static DeleteOptions: Type = Type { go: "v1.DeleteOptions", fields: &[
    omitted("apiVersion", String),
    omitted("dryRun", List(&String)).of(Atomic),
    field("gracePeriodSeconds", Int64),
    field("ignoreStoreReadErrorWithClusterBreakingPotential", Bool),
    omitted("kind", String),
    field("orphanDependents", Bool),
    field("preconditions", Struct(&Preconditions)),
    field("propagationPolicy", Text("v1.DeletionPropagation")),
] };

pub(super) static FieldSelectorRequirement: Type = Type { go: "v1.FieldSelectorRequirement", fields: &[
    field("key", String),
    field("operator", Text("v1.FieldSelectorOperator")),
    omitted("values", List(&String)).of(Atomic),
] };

pub(super) static LabelSelector: Type = Type { go: "v1.LabelSelector", fields: &[
    omitted("matchExpressions", List(&Struct(&LabelSelectorRequirement))).of(Atomic),
    omitted("matchLabels", Map(&String)),
] };

pub(super) static LabelSelectorRequirement: Type = Type { go: "v1.LabelSelectorRequirement", fields: &[
    field("key", String),
    field("operator", Text("v1.LabelSelectorOperator")),
    omitted("values", List(&String)).of(Atomic),
] };

pub(super) static ListMeta: Type = Type { go: "v1.ListMeta", fields: &[
    omitted("continue", String),
    field("remainingItemCount", Int64),
    omitted("resourceVersion", String),
    omitted("selfLink", String),
    field("shardInfo", Struct(&ShardInfo)),
] };

pub(super) static ManagedFieldsEntry: Type = Type { go: "v1.ManagedFieldsEntry", fields: &[
    omitted("apiVersion", String),
    omitted("fieldsType", String),
    field("fieldsV1", Any),
    omitted("manager", String),
    omitted("operation", Text("v1.ManagedFieldsOperationType")),
    omitted("subresource", String),
    field("time", Time),
] };

pub(super) static ObjectMeta: Type = Type { go: "v1.ObjectMeta", fields: &[
    omitted("annotations", Map(&String)),
    field("creationTimestamp", Time),
    field("deletionGracePeriodSeconds", Int64),
    field("deletionTimestamp", Time),
    omitted("finalizers", List(&String)).of(Set).patched(Merge("")),
    omitted("generateName", String),
    omitted("generation", Int64),
    omitted("labels", Map(&String)),
    omitted("managedFields", List(&Struct(&ManagedFieldsEntry))).of(Atomic),
    omitted("name", String),
    omitted("namespace", String),
    omitted("ownerReferences", List(&Struct(&OwnerReference))).of(Keyed(&["uid"])).patched(Merge("uid")),
    omitted("resourceVersion", String),
    omitted("selfLink", String),
    omitted("uid", Text("types.UID")),
] };

pub(super) static OwnerReference: Type = Type { go: "v1.OwnerReference", fields: &[
    field("apiVersion", String),
    field("blockOwnerDeletion", Bool),
    field("controller", Bool),
    field("kind", String),
    field("name", String),
    field("uid", Text("types.UID")),
] };

pub(super) static Preconditions: Type = Type { go: "v1.Preconditions", fields: &[
    field("resourceVersion", String),
    field("uid", Text("types.UID")),
] };

pub(super) static ShardInfo: Type = Type { go: "v1.ShardInfo", fields: &[
    field("selector", String),
] };

pub(super) static Status: Type = Type { go: "v1.Status", fields: &[
    omitted("apiVersion", String),
    omitted("code", Int32),
    field("details", Struct(&StatusDetails)),
    omitted("kind", String),
    omitted("message", String),
    field("metadata", Struct(&ListMeta)),
    omitted("reason", Text("v1.StatusReason")),
    omitted("status", String),
] };

pub(super) static StatusCause: Type = Type { go: "v1.StatusCause", fields: &[
    omitted("field", String),
    omitted("message", String),
    omitted("reason", Text("v1.CauseType")),
] };

pub(super) static StatusDetails: Type = Type { go: "v1.StatusDetails", fields: &[
    omitted("causes", List(&Struct(&StatusCause))).of(Atomic),
    omitted("group", String),
    omitted("kind", String),
    omitted("name", String),
    omitted("retryAfterSeconds", Int32),
    omitted("uid", Text("types.UID")),
] };
