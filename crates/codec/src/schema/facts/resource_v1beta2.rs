//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static DeviceClass: Type = Type { name: "DeviceClass", package: "io.k8s.api.resource.v1beta2", fields: resource_v1::DeviceClass.fields, embedded: resource_v1::DeviceClass.embedded, order: resource_v1::DeviceClass.order, is_atomic: false };

pub(super) static DeviceTaintRule: Type = Type { name: "DeviceTaintRule", package: "io.k8s.api.resource.v1beta2", fields: resource_v1::DeviceTaintRule.fields, embedded: resource_v1::DeviceTaintRule.embedded, order: resource_v1::DeviceTaintRule.order, is_atomic: false };

pub(super) static ResourceClaim: Type = Type { name: "ResourceClaim", package: "io.k8s.api.resource.v1beta2", fields: resource_v1::ResourceClaim.fields, embedded: resource_v1::ResourceClaim.embedded, order: resource_v1::ResourceClaim.order, is_atomic: false };

pub(super) static ResourceClaimTemplate: Type = Type { name: "ResourceClaimTemplate", package: "io.k8s.api.resource.v1beta2", fields: resource_v1::ResourceClaimTemplate.fields, embedded: resource_v1::ResourceClaimTemplate.embedded, order: resource_v1::ResourceClaimTemplate.order, is_atomic: false };

pub(super) static ResourceSlice: Type = Type { name: "ResourceSlice", package: "io.k8s.api.resource.v1beta2", fields: resource_v1::ResourceSlice.fields, embedded: resource_v1::ResourceSlice.embedded, order: resource_v1::ResourceSlice.order, is_atomic: false };
