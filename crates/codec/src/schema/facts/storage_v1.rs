//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static CSIDriver: Type = Type { go: "v1.CSIDriver", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&CSIDriverSpec)),
], embedded: &[] };

pub(super) static CSIDriverSpec: Type = Type { go: "v1.CSIDriverSpec", fields: &[
    field(1, "attachRequired", Bool),
    field(5, "fsGroupPolicy", Text("v1.FSGroupPolicy")),
    field(9, "nodeAllocatableUpdatePeriodSeconds", Int64),
    field(2, "podInfoOnMount", Bool),
    field(11, "preventPodSchedulingIfMissing", Bool),
    field(7, "requiresRepublish", Bool),
    field(8, "seLinuxMount", Bool),
    field(10, "serviceAccountTokenInSecrets", Bool),
    field(4, "storageCapacity", Bool),
    omitted(6, "tokenRequests", List(&Struct(&TokenRequest))).of(Atomic),
    omitted(3, "volumeLifecycleModes", List(&Text("v1.VolumeLifecycleMode"))).of(Set),
], embedded: &[] };

pub(super) static CSINode: Type = Type { go: "v1.CSINode", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&CSINodeSpec)),
    omitted(0, "status", Struct(&CSINodeStatus)),
], embedded: &[] };

pub(super) static CSINodeDriver: Type = Type { go: "v1.CSINodeDriver", fields: &[
    field(4, "allocatable", Struct(&VolumeNodeResources)),
    field(1, "name", String),
    field(2, "nodeID", String),
    field(3, "topologyKeys", List(&String)).of(Atomic),
], embedded: &[] };

pub(super) static CSINodeSpec: Type = Type { go: "v1.CSINodeSpec", fields: &[
    field(1, "drivers", List(&Struct(&CSINodeDriver))).of(Keyed(&["name"])).patched(Merge("name")),
], embedded: &[] };

pub(super) static CSINodeStatus: Type = Type { go: "v1.CSINodeStatus", fields: &[
    omitted(0, "storageHealth", List(&Struct(&StorageHealth))).of(Keyed(&["name"])).patched(Merge("name")),
], embedded: &[] };

pub(super) static CSIStorageCapacity: Type = Type { go: "v1.CSIStorageCapacity", fields: &[
    omitted(0, "apiVersion", String),
    field(4, "capacity", Quantity),
    omitted(0, "kind", String),
    field(5, "maximumVolumeSize", Quantity),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "nodeTopology", Struct(&meta_v1::LabelSelector)),
    field(3, "storageClassName", String),
], embedded: &[] };

pub(super) static StorageClass: Type = Type { go: "v1.StorageClass", fields: &[
    field(6, "allowVolumeExpansion", Bool),
    omitted(8, "allowedTopologies", List(&Struct(&core_v1::TopologySelectorTerm))).of(Atomic),
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    omitted(5, "mountOptions", List(&String)).of(Atomic),
    omitted(3, "parameters", Map(&String)),
    field(2, "provisioner", String),
    field(4, "reclaimPolicy", Text("v1.PersistentVolumeReclaimPolicy")),
    field(7, "volumeBindingMode", Text("v1.VolumeBindingMode")),
], embedded: &[] };

pub(super) static StorageHealth: Type = Type { go: "v1.StorageHealth", fields: &[
    omitted(0, "healthConditions", List(&Struct(&StorageHealthCondition))).of(Atomic),
    omitted(0, "name", String),
], embedded: &[] };

pub(super) static StorageHealthCondition: Type = Type { go: "v1.StorageHealthCondition", fields: &[
    omitted(0, "accessMode", String),
    omitted(0, "lastTransitionTime", Time),
    omitted(0, "message", String),
    omitted(0, "reason", String),
    omitted(0, "status", String),
    omitted(0, "volumeMode", String),
], embedded: &[] };

pub(super) static TokenRequest: Type = Type { go: "v1.TokenRequest", fields: &[
    field(1, "audience", String),
    field(2, "expirationSeconds", Int64),
], embedded: &[] };

pub(super) static VolumeAttachment: Type = Type { go: "v1.VolumeAttachment", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&VolumeAttachmentSpec)),
    field(3, "status", Struct(&VolumeAttachmentStatus)),
], embedded: &[] };

pub(super) static VolumeAttachmentSource: Type = Type { go: "v1.VolumeAttachmentSource", fields: &[
    field(2, "inlineVolumeSpec", Struct(&core_v1::PersistentVolumeSpec)),
    field(1, "persistentVolumeName", String),
], embedded: &[] };

pub(super) static VolumeAttachmentSpec: Type = Type { go: "v1.VolumeAttachmentSpec", fields: &[
    field(1, "attacher", String),
    field(3, "nodeName", String),
    field(2, "source", Struct(&VolumeAttachmentSource)),
], embedded: &[] };

pub(super) static VolumeAttachmentStatus: Type = Type { go: "v1.VolumeAttachmentStatus", fields: &[
    field(3, "attachError", Struct(&VolumeError)),
    field(1, "attached", Bool),
    omitted(2, "attachmentMetadata", Map(&String)),
    field(4, "detachError", Struct(&VolumeError)),
], embedded: &[] };

pub(super) static VolumeAttributesClass: Type = Type { go: "v1.VolumeAttributesClass", fields: &[
    omitted(0, "apiVersion", String),
    field(2, "driverName", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    omitted(3, "parameters", Map(&String)),
], embedded: &[] };

pub(super) static VolumeError: Type = Type { go: "v1.VolumeError", fields: &[
    field(3, "errorCode", Int32),
    omitted(2, "message", String),
    field(1, "time", Time),
], embedded: &[] };

pub(super) static VolumeNodeResources: Type = Type { go: "v1.VolumeNodeResources", fields: &[
    field(1, "count", Int32),
], embedded: &[] };
