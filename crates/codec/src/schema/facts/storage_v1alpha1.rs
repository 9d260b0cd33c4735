//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static CSIStorageCapacity: Type = Type { name: "CSIStorageCapacity", package: "io.k8s.api.storage.v1alpha1", fields: storage_v1::CSIStorageCapacity.fields, embedded: storage_v1::CSIStorageCapacity.embedded, is_atomic: false };

pub(super) static VolumeAttachment: Type = Type { name: "VolumeAttachment", package: "io.k8s.api.storage.v1alpha1", fields: storage_v1::VolumeAttachment.fields, embedded: storage_v1::VolumeAttachment.embedded, is_atomic: false };

pub(super) static VolumeAttributesClass: Type = Type { name: "VolumeAttributesClass", package: "io.k8s.api.storage.v1alpha1", fields: storage_v1::VolumeAttributesClass.fields, embedded: storage_v1::VolumeAttributesClass.embedded, is_atomic: false };
