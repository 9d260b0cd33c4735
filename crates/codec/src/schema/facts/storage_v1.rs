//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static CSIDriver: Type = Type { name: "CSIDriver", package: "io.k8s.api.storage.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&CSIDriverSpec)),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static CSIDriverSpec: Type = Type { name: "CSIDriverSpec", package: "", fields: &[
    pointer(1, "attachRequired", Bool),
    pointer(5, "fsGroupPolicy", Text("FSGroupPolicy")),
    pointer(9, "nodeAllocatableUpdatePeriodSeconds", Int64),
    pointer(2, "podInfoOnMount", Bool),
    pointer(11, "preventPodSchedulingIfMissing", Bool),
    pointer(7, "requiresRepublish", Bool),
    pointer(8, "seLinuxMount", Bool),
    pointer(10, "serviceAccountTokenInSecrets", Bool),
    pointer(4, "storageCapacity", Bool),
    omitted(6, "tokenRequests", List(&Struct(&TokenRequest))).of(Atomic),
    omitted(3, "volumeLifecycleModes", List(&Text("VolumeLifecycleMode"))).of(Set),
], embedded: &[], order: &[0, 3, 10, 8, 1, 9, 5, 6, 2, 7, 4], is_atomic: false };

pub(super) static CSINode: Type = Type { name: "CSINode", package: "io.k8s.api.storage.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&CSINodeSpec)),
    pointer(0, "status", Struct(&CSINodeStatus)),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static CSINodeDriver: Type = Type { name: "CSINodeDriver", package: "", fields: &[
    pointer(4, "allocatable", Struct(&VolumeNodeResources)),
    field(1, "name", String),
    field(2, "nodeID", String),
    field(3, "topologyKeys", List(&String)).optional().of(Atomic),
], embedded: &[], order: &[1, 2, 3, 0], is_atomic: false };

pub(super) static CSINodeSpec: Type = Type { name: "CSINodeSpec", package: "", fields: &[
    field(1, "drivers", List(&Struct(&CSINodeDriver))).of(Keyed(&["name"])).patched(Merge("name")),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static CSINodeStatus: Type = Type { name: "CSINodeStatus", package: "", fields: &[
    omitted(0, "storageHealth", List(&Struct(&StorageHealth))).of(Keyed(&["name"])).patched(Merge("name")),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static CSIStorageCapacity: Type = Type { name: "CSIStorageCapacity", package: "io.k8s.api.storage.v1", fields: &[
    omitted(0, "apiVersion", String),
    pointer(4, "capacity", Quantity),
    omitted(0, "kind", String),
    pointer(5, "maximumVolumeSize", Quantity),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    pointer(2, "nodeTopology", Struct(&meta_v1::LabelSelector)),
    field(3, "storageClassName", String),
], embedded: &[], order: &[4, 5, 6, 1, 3], is_atomic: false };

pub(super) static StorageClass: Type = Type { name: "StorageClass", package: "io.k8s.api.storage.v1", fields: &[
    pointer(6, "allowVolumeExpansion", Bool),
    omitted(8, "allowedTopologies", List(&Struct(&core_v1::TopologySelectorTerm))).of(Atomic),
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    omitted(5, "mountOptions", List(&String)).of(Atomic),
    omitted(3, "parameters", Map(&String)),
    field(2, "provisioner", String),
    pointer(4, "reclaimPolicy", Text("v1.PersistentVolumeReclaimPolicy")),
    pointer(7, "volumeBindingMode", Text("VolumeBindingMode")),
], embedded: &[], order: &[4, 7, 6, 8, 5, 0, 9, 1], is_atomic: false };

pub(super) static StorageHealth: Type = Type { name: "StorageHealth", package: "", fields: &[
    omitted(0, "healthConditions", List(&Struct(&StorageHealthCondition))).of(Atomic),
    omitted(0, "name", String).required(),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static StorageHealthCondition: Type = Type { name: "StorageHealthCondition", package: "", fields: &[
    omitted(0, "accessMode", String),
    pointer(0, "lastTransitionTime", Time),
    omitted(0, "message", String),
    omitted(0, "reason", String).required(),
    omitted(0, "status", String).required(),
    omitted(0, "volumeMode", String),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static TokenRequest: Type = Type { name: "TokenRequest", package: "", fields: &[
    field(1, "audience", String),
    pointer(2, "expirationSeconds", Int64),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static VolumeAttachment: Type = Type { name: "VolumeAttachment", package: "io.k8s.api.storage.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&VolumeAttachmentSpec)),
    field(3, "status", Struct(&VolumeAttachmentStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static VolumeAttachmentSource: Type = Type { name: "VolumeAttachmentSource", package: "", fields: &[
    pointer(2, "inlineVolumeSpec", Struct(&core_v1::PersistentVolumeSpec)),
    pointer(1, "persistentVolumeName", String),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static VolumeAttachmentSpec: Type = Type { name: "VolumeAttachmentSpec", package: "", fields: &[
    field(1, "attacher", String),
    field(3, "nodeName", String),
    field(2, "source", Struct(&VolumeAttachmentSource)),
], embedded: &[], order: &[0, 2, 1], is_atomic: false };

pub(super) static VolumeAttachmentStatus: Type = Type { name: "VolumeAttachmentStatus", package: "", fields: &[
    pointer(3, "attachError", Struct(&VolumeError)),
    field(1, "attached", Bool),
    omitted(2, "attachmentMetadata", Map(&String)),
    pointer(4, "detachError", Struct(&VolumeError)),
], embedded: &[], order: &[1, 2, 0, 3], is_atomic: false };

pub(super) static VolumeAttributesClass: Type = Type { name: "VolumeAttributesClass", package: "io.k8s.api.storage.v1", fields: &[
    omitted(0, "apiVersion", String),
    field(2, "driverName", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    omitted(3, "parameters", Map(&String)),
], embedded: &[], order: &[3, 1, 4], is_atomic: false };

pub(super) static VolumeError: Type = Type { name: "VolumeError", package: "", fields: &[
    pointer(3, "errorCode", Int32),
    omitted(2, "message", String),
    field(1, "time", Time).optional(),
], embedded: &[], order: &[2, 1, 0], is_atomic: false };

pub(super) static VolumeNodeResources: Type = Type { name: "VolumeNodeResources", package: "", fields: &[
    pointer(1, "count", Int32),
], embedded: &[], order: &[0], is_atomic: false };
