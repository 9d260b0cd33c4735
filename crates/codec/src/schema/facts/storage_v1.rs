//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static CSIDriver: Type = Type { go: "v1.CSIDriver", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&CSIDriverSpec)),
] };

pub(super) static CSIDriverSpec: Type = Type { go: "v1.CSIDriverSpec", fields: &[
    field("attachRequired", Bool),
    field("fsGroupPolicy", Text("v1.FSGroupPolicy")),
    field("nodeAllocatableUpdatePeriodSeconds", Int64),
    field("podInfoOnMount", Bool),
    field("preventPodSchedulingIfMissing", Bool),
    field("requiresRepublish", Bool),
    field("seLinuxMount", Bool),
    field("serviceAccountTokenInSecrets", Bool),
    field("storageCapacity", Bool),
    omitted("tokenRequests", List(&Struct(&TokenRequest))).of(Atomic),
    omitted("volumeLifecycleModes", List(&Text("v1.VolumeLifecycleMode"))).of(Set),
] };

pub(super) static CSINode: Type = Type { go: "v1.CSINode", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&CSINodeSpec)),
    omitted("status", Struct(&CSINodeStatus)),
] };

pub(super) static CSINodeDriver: Type = Type { go: "v1.CSINodeDriver", fields: &[
    field("allocatable", Struct(&VolumeNodeResources)),
    field("name", String),
    field("nodeID", String),
    field("topologyKeys", List(&String)).of(Atomic),
] };

pub(super) static CSINodeSpec: Type = Type { go: "v1.CSINodeSpec", fields: &[
    field("drivers", List(&Struct(&CSINodeDriver))).of(Keyed(&["name"])).patched(Merge("name")),
] };

pub(super) static CSINodeStatus: Type = Type { go: "v1.CSINodeStatus", fields: &[
    omitted("storageHealth", List(&Struct(&StorageHealth))).of(Keyed(&["name"])).patched(Merge("name")),
] };

pub(super) static CSIStorageCapacity: Type = Type { go: "v1.CSIStorageCapacity", fields: &[
    omitted("apiVersion", String),
    field("capacity", Quantity),
    omitted("kind", String),
    field("maximumVolumeSize", Quantity),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("nodeTopology", Struct(&meta_v1::LabelSelector)),
    field("storageClassName", String),
] };

pub(super) static StorageClass: Type = Type { go: "v1.StorageClass", fields: &[
    field("allowVolumeExpansion", Bool),
    omitted("allowedTopologies", List(&Struct(&core_v1::TopologySelectorTerm))).of(Atomic),
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    omitted("mountOptions", List(&String)).of(Atomic),
    omitted("parameters", Map(&String)),
    field("provisioner", String),
    field("reclaimPolicy", Text("v1.PersistentVolumeReclaimPolicy")),
    field("volumeBindingMode", Text("v1.VolumeBindingMode")),
] };

pub(super) static StorageHealth: Type = Type { go: "v1.StorageHealth", fields: &[
    omitted("healthConditions", List(&Struct(&StorageHealthCondition))).of(Atomic),
    omitted("name", String),
] };

pub(super) static StorageHealthCondition: Type = Type { go: "v1.StorageHealthCondition", fields: &[
    omitted("accessMode", String),
    omitted("lastTransitionTime", Time),
    omitted("message", String),
    omitted("reason", String),
    omitted("status", String),
    omitted("volumeMode", String),
] };

pub(super) static TokenRequest: Type = Type { go: "v1.TokenRequest", fields: &[
    field("audience", String),
    field("expirationSeconds", Int64),
] };

pub(super) static VolumeAttachment: Type = Type { go: "v1.VolumeAttachment", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&VolumeAttachmentSpec)),
    field("status", Struct(&VolumeAttachmentStatus)),
] };

pub(super) static VolumeAttachmentSource: Type = Type { go: "v1.VolumeAttachmentSource", fields: &[
    field("inlineVolumeSpec", Struct(&core_v1::PersistentVolumeSpec)),
    field("persistentVolumeName", String),
] };

pub(super) static VolumeAttachmentSpec: Type = Type { go: "v1.VolumeAttachmentSpec", fields: &[
    field("attacher", String),
    field("nodeName", String),
    field("source", Struct(&VolumeAttachmentSource)),
] };

pub(super) static VolumeAttachmentStatus: Type = Type { go: "v1.VolumeAttachmentStatus", fields: &[
    field("attachError", Struct(&VolumeError)),
    field("attached", Bool),
    omitted("attachmentMetadata", Map(&String)),
    field("detachError", Struct(&VolumeError)),
] };

pub(super) static VolumeAttributesClass: Type = Type { go: "v1.VolumeAttributesClass", fields: &[
    omitted("apiVersion", String),
    field("driverName", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    omitted("parameters", Map(&String)),
] };

pub(super) static VolumeError: Type = Type { go: "v1.VolumeError", fields: &[
    field("errorCode", Int32),
    omitted("message", String),
    field("time", Time),
] };

pub(super) static VolumeNodeResources: Type = Type { go: "v1.VolumeNodeResources", fields: &[
    field("count", Int32),
] };
