//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static CSIDriver: Type = Type { name: "CSIDriver", package: "io.k8s.api.storage.v1beta1", fields: &[
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
    omitted(6, "tokenRequests", List(&Struct(&storage_v1::TokenRequest))).of(Atomic),
    omitted(3, "volumeLifecycleModes", List(&Text("VolumeLifecycleMode"))).of(Atomic),
], embedded: &[], order: &[0, 3, 10, 8, 1, 9, 5, 6, 2, 7, 4], is_atomic: false };

pub(super) static CSINode: Type = Type { name: "CSINode", package: "io.k8s.api.storage.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&storage_v1::CSINodeSpec)),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static CSIStorageCapacity: Type = Type { name: "CSIStorageCapacity", package: "io.k8s.api.storage.v1beta1", fields: storage_v1::CSIStorageCapacity.fields, embedded: storage_v1::CSIStorageCapacity.embedded, order: storage_v1::CSIStorageCapacity.order, is_atomic: false };

pub(super) static StorageClass: Type = Type { name: "StorageClass", package: "io.k8s.api.storage.v1beta1", fields: storage_v1::StorageClass.fields, embedded: storage_v1::StorageClass.embedded, order: storage_v1::StorageClass.order, is_atomic: false };

pub(super) static VolumeAttachment: Type = Type { name: "VolumeAttachment", package: "io.k8s.api.storage.v1beta1", fields: storage_v1::VolumeAttachment.fields, embedded: storage_v1::VolumeAttachment.embedded, order: storage_v1::VolumeAttachment.order, is_atomic: false };

pub(super) static VolumeAttributesClass: Type = Type { name: "VolumeAttributesClass", package: "io.k8s.api.storage.v1beta1", fields: storage_v1::VolumeAttributesClass.fields, embedded: storage_v1::VolumeAttributesClass.embedded, order: storage_v1::VolumeAttributesClass.order, is_atomic: false };
