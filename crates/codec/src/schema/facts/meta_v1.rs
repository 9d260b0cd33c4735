//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static APIGroup: Type = Type { name: "APIGroup", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "name", String),
    field(3, "preferredVersion", Struct(&GroupVersionForDiscovery)).optional(),
    omitted(4, "serverAddressByClientCIDRs", List(&Struct(&ServerAddressByClientCIDR))).of(Atomic),
    field(2, "versions", List(&Struct(&GroupVersionForDiscovery))).of(Atomic),
], embedded: &[], order: &[2, 5, 3, 4], is_atomic: false };

pub(super) static APIGroupList: Type = Type { name: "APIGroupList", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    omitted(0, "apiVersion", String),
    field(1, "groups", List(&Struct(&APIGroup))).of(Atomic),
    omitted(0, "kind", String),
], embedded: &[], order: &[1], is_atomic: false };

pub(super) static APIResource: Type = Type { name: "APIResource", package: "", fields: &[
    omitted(7, "categories", List(&String)).of(Atomic),
    omitted(8, "group", String),
    field(3, "kind", String),
    field(1, "name", String),
    field(2, "namespaced", Bool),
    omitted(5, "shortNames", List(&String)).of(Atomic),
    field(6, "singularName", String),
    omitted(10, "storageVersionHash", String),
    field(4, "verbs", List(&String)),
    omitted(9, "version", String),
], embedded: &[], order: &[3, 4, 2, 8, 5, 6, 0, 1, 9, 7], is_atomic: false };

pub(super) static APIResourceList: Type = Type { name: "APIResourceList", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    omitted(0, "apiVersion", String),
    field(1, "groupVersion", String),
    omitted(0, "kind", String),
    field(2, "resources", List(&Struct(&APIResource))).of(Atomic),
], embedded: &[], order: &[1, 3], is_atomic: false };

pub(super) static APIVersions: Type = Type { name: "APIVersions", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(2, "serverAddressByClientCIDRs", List(&Struct(&ServerAddressByClientCIDR))).of(Atomic),
    field(1, "versions", List(&String)).of(Atomic),
], embedded: &[], order: &[3, 2], is_atomic: false };

pub(super) static Condition: Type = Type { name: "Condition", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    field(4, "lastTransitionTime", Time),
    field(6, "message", String),
    omitted(3, "observedGeneration", Int64),
    field(5, "reason", String),
    field(2, "status", Text("ConditionStatus")),
    field(1, "type", String),
], embedded: &[], order: &[5, 4, 2, 0, 3, 1], is_atomic: false };

pub(super) static CreateOptions: Type = Type { name: "CreateOptions", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(1, "dryRun", List(&String)).of(Atomic),
    omitted(3, "fieldManager", String),
    omitted(4, "fieldValidation", String),
    omitted(0, "kind", String),
], embedded: &[], order: &[1, 2, 3], is_atomic: false };

pub(super) static DeleteOptions: Type = Type { name: "DeleteOptions", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(5, "dryRun", List(&String)).of(Atomic),
    pointer(1, "gracePeriodSeconds", Int64),
    pointer(6, "ignoreStoreReadErrorWithClusterBreakingPotential", Bool),
    omitted(0, "kind", String),
    pointer(3, "orphanDependents", Bool),
    pointer(2, "preconditions", Struct(&Preconditions)),
    pointer(4, "propagationPolicy", Text("DeletionPropagation")),
], embedded: &[], order: &[2, 6, 5, 7, 1, 3], is_atomic: false };

pub(super) static FieldSelectorRequirement: Type = Type { name: "FieldSelectorRequirement", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    field(1, "key", String),
    field(2, "operator", Text("FieldSelectorOperator")),
    omitted(3, "values", List(&String)).of(Atomic),
], embedded: &[], order: &[0, 1, 2], is_atomic: false };

pub(super) static GroupResource: Type = Type { name: "GroupResource", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    field(1, "group", String),
    field(2, "resource", String),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static GroupVersionForDiscovery: Type = Type { name: "GroupVersionForDiscovery", package: "", fields: &[
    field(1, "groupVersion", String),
    field(2, "version", String),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static GroupVersionKind: Type = Type { name: "GroupVersionKind", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    field(1, "group", String),
    field(3, "kind", String),
    field(2, "version", String),
], embedded: &[], order: &[0, 2, 1], is_atomic: false };

pub(super) static LabelSelector: Type = Type { name: "LabelSelector", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    omitted(2, "matchExpressions", List(&Struct(&LabelSelectorRequirement))).of(Atomic),
    omitted(1, "matchLabels", Map(&String)),
], embedded: &[], order: &[1, 0], is_atomic: true };

pub(super) static LabelSelectorRequirement: Type = Type { name: "LabelSelectorRequirement", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    field(1, "key", String),
    field(2, "operator", Text("LabelSelectorOperator")),
    omitted(3, "values", List(&String)).of(Atomic),
], embedded: &[], order: &[0, 1, 2], is_atomic: false };

pub(super) static ListMeta: Type = Type { name: "ListMeta", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    omitted(3, "continue", String),
    pointer(4, "remainingItemCount", Int64),
    omitted(2, "resourceVersion", String),
    omitted(1, "selfLink", String),
    pointer(5, "shardInfo", Struct(&ShardInfo)),
], embedded: &[], order: &[3, 2, 0, 1, 4], is_atomic: false };

pub(super) static ManagedFieldsEntry: Type = Type { name: "ManagedFieldsEntry", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    omitted(3, "apiVersion", String),
    omitted(6, "fieldsType", String),
    pointer(7, "fieldsV1", Any),
    omitted(1, "manager", String),
    omitted(2, "operation", Text("ManagedFieldsOperationType")),
    omitted(8, "subresource", String),
    pointer(4, "time", Time),
], embedded: &[], order: &[3, 4, 0, 6, 1, 2, 5], is_atomic: false };

pub(super) static ObjectMeta: Type = Type { name: "ObjectMeta", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    omitted(12, "annotations", Map(&String)),
    omitted(8, "creationTimestamp", Time),
    pointer(10, "deletionGracePeriodSeconds", Int64),
    pointer(9, "deletionTimestamp", Time),
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
], embedded: &[], order: &[9, 5, 10, 13, 14, 12, 6, 1, 3, 2, 7, 0, 11, 4, 8], is_atomic: false };

pub(super) static OwnerReference: Type = Type { name: "OwnerReference", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    field(5, "apiVersion", String),
    pointer(7, "blockOwnerDeletion", Bool),
    pointer(6, "controller", Bool),
    field(1, "kind", String),
    field(3, "name", String),
    field(4, "uid", Text("types.UID")),
], embedded: &[], order: &[3, 4, 5, 0, 2, 1], is_atomic: true };

pub(super) static PartialObjectMetadata: Type = Type { name: "PartialObjectMetadata", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&ObjectMeta)).optional(),
], embedded: &[], order: &[2], is_atomic: false };

pub(super) static PatchOptions: Type = Type { name: "PatchOptions", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(1, "dryRun", List(&String)).of(Atomic),
    omitted(3, "fieldManager", String),
    omitted(4, "fieldValidation", String),
    pointer(2, "force", Bool),
    omitted(0, "kind", String),
], embedded: &[], order: &[1, 4, 2, 3], is_atomic: false };

pub(super) static Preconditions: Type = Type { name: "Preconditions", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    pointer(2, "resourceVersion", String),
    pointer(1, "uid", Text("types.UID")),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static ServerAddressByClientCIDR: Type = Type { name: "ServerAddressByClientCIDR", package: "", fields: &[
    field(1, "clientCIDR", String),
    field(2, "serverAddress", String),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static ShardInfo: Type = Type { name: "ShardInfo", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    field(1, "selector", String),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static Status: Type = Type { name: "Status", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(6, "code", Int32),
    pointer(5, "details", Struct(&StatusDetails)),
    omitted(0, "kind", String),
    omitted(3, "message", String),
    field(1, "metadata", Struct(&ListMeta)).optional(),
    omitted(4, "reason", Text("StatusReason")),
    omitted(2, "status", String),
], embedded: &[], order: &[5, 7, 4, 6, 2, 1], is_atomic: false };

pub(super) static StatusCause: Type = Type { name: "StatusCause", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    omitted(3, "field", String),
    omitted(2, "message", String),
    omitted(1, "reason", Text("CauseType")),
], embedded: &[], order: &[2, 1, 0], is_atomic: false };

pub(super) static StatusDetails: Type = Type { name: "StatusDetails", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    omitted(4, "causes", List(&Struct(&StatusCause))).of(Atomic),
    omitted(2, "group", String),
    omitted(3, "kind", String),
    omitted(1, "name", String),
    omitted(5, "retryAfterSeconds", Int32),
    omitted(6, "uid", Text("types.UID")),
], embedded: &[], order: &[3, 1, 2, 0, 4, 5], is_atomic: false };

pub(super) static UpdateOptions: Type = Type { name: "UpdateOptions", package: "io.k8s.apimachinery.pkg.apis.meta.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(1, "dryRun", List(&String)).of(Atomic),
    omitted(2, "fieldManager", String),
    omitted(3, "fieldValidation", String),
    omitted(0, "kind", String),
], embedded: &[], order: &[1, 2, 3], is_atomic: false };
