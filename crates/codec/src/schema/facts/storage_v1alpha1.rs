//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static CSIStorageCapacity: Type = Type { name: "CSIStorageCapacity", package: "io.k8s.api.storage.v1alpha1", fields: storage_v1::CSIStorageCapacity.fields, embedded: storage_v1::CSIStorageCapacity.embedded, order: storage_v1::CSIStorageCapacity.order, is_atomic: false };

pub(super) static VolumeAttachment: Type = Type { name: "VolumeAttachment", package: "io.k8s.api.storage.v1alpha1", fields: storage_v1::VolumeAttachment.fields, embedded: storage_v1::VolumeAttachment.embedded, order: storage_v1::VolumeAttachment.order, is_atomic: false };

pub(super) static VolumeAttributesClass: Type = Type { name: "VolumeAttributesClass", package: "io.k8s.api.storage.v1alpha1", fields: storage_v1::VolumeAttributesClass.fields, embedded: storage_v1::VolumeAttributesClass.embedded, order: storage_v1::VolumeAttributesClass.order, is_atomic: false };
