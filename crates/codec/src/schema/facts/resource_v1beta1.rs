//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static BasicDevice: Type = Type { name: "BasicDevice", package: "", fields: &[
    pointer(6, "allNodes", Bool),
    pointer(11, "allowMultipleAllocations", Bool),
    omitted(1, "attributes", Map(&Struct(&resource_v1::DeviceAttribute))),
    omitted(9, "bindingConditions", List(&String)).of(Atomic),
    omitted(10, "bindingFailureConditions", List(&String)).of(Atomic),
    pointer(8, "bindsToNode", Bool),
    omitted(2, "capacity", Map(&Struct(&resource_v1::DeviceCapacity))),
    omitted(3, "consumesCounters", List(&Struct(&resource_v1::DeviceCounterConsumption))).of(Atomic),
    omitted(0, "nodeAllocatableResources", Map(&Struct(&resource_v1::NodeAllocatableResource))),
    pointer(4, "nodeName", String),
    pointer(5, "nodeSelector", Struct(&core_v1::NodeSelector)),
    omitted(7, "taints", List(&Struct(&resource_v1::DeviceTaint))).of(Atomic),
], embedded: &[], order: &[2, 6, 7, 9, 10, 0, 11, 5, 3, 4, 1], is_atomic: false };

pub(super) static Device: Type = Type { name: "Device", package: "", fields: &[
    pointer(2, "basic", Struct(&BasicDevice)),
    field(1, "name", String),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static DeviceClaim: Type = Type { name: "DeviceClaim", package: "", fields: &[
    omitted(3, "config", List(&Struct(&resource_v1::DeviceClaimConfiguration))).of(Atomic),
    omitted(2, "constraints", List(&Struct(&resource_v1::DeviceConstraint))).of(Atomic),
    field(1, "requests", List(&Struct(&DeviceRequest))).optional().of(Atomic),
], embedded: &[], order: &[2, 1, 0], is_atomic: false };

pub(super) static DeviceClass: Type = Type { name: "DeviceClass", package: "io.k8s.api.resource.v1beta1", fields: resource_v1::DeviceClass.fields, embedded: resource_v1::DeviceClass.embedded, order: resource_v1::DeviceClass.order, is_atomic: false };

pub(super) static DeviceRequest: Type = Type { name: "DeviceRequest", package: "", fields: &[
    pointer(6, "adminAccess", Bool),
    omitted(4, "allocationMode", Text("DeviceAllocationMode")),
    pointer(9, "capacity", Struct(&resource_v1::CapacityRequirements)),
    omitted(5, "count", Int64),
    omitted(0, "derivedAttributes", List(&Struct(&resource_v1::DeviceDerivedAttribute))).of(Atomic),
    field(2, "deviceClassName", String).optional(),
    omitted(7, "firstAvailable", List(&Struct(&DeviceSubRequest))).of(Atomic),
    field(1, "name", String),
    omitted(3, "selectors", List(&Struct(&resource_v1::DeviceSelector))).of(Atomic),
    omitted(8, "tolerations", List(&Struct(&resource_v1::DeviceToleration))).of(Atomic),
], embedded: &[], order: &[7, 5, 8, 1, 3, 0, 6, 9, 2], is_atomic: false };

pub(super) static DeviceSubRequest: Type = Type { name: "DeviceSubRequest", package: "", fields: &[
    omitted(4, "allocationMode", Text("DeviceAllocationMode")),
    pointer(8, "capacity", Struct(&resource_v1::CapacityRequirements)),
    omitted(5, "count", Int64),
    omitted(0, "derivedAttributes", List(&Struct(&resource_v1::DeviceDerivedAttribute))).of(Atomic),
    field(2, "deviceClassName", String),
    field(1, "name", String),
    omitted(3, "selectors", List(&Struct(&resource_v1::DeviceSelector))).of(Atomic),
    omitted(7, "tolerations", List(&Struct(&resource_v1::DeviceToleration))).of(Atomic),
], embedded: &[], order: &[5, 4, 6, 0, 2, 7, 1], is_atomic: false };

pub(super) static ResourceClaim: Type = Type { name: "ResourceClaim", package: "io.k8s.api.resource.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&ResourceClaimSpec)).optional(),
    field(3, "status", Struct(&resource_v1::ResourceClaimStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static ResourceClaimSpec: Type = Type { name: "ResourceClaimSpec", package: "", fields: &[
    field(1, "devices", Struct(&DeviceClaim)).optional(),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static ResourceClaimTemplate: Type = Type { name: "ResourceClaimTemplate", package: "io.k8s.api.resource.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&ResourceClaimTemplateSpec)).optional(),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static ResourceClaimTemplateSpec: Type = Type { name: "ResourceClaimTemplateSpec", package: "", fields: &[
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&ResourceClaimSpec)).optional(),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static ResourceSlice: Type = Type { name: "ResourceSlice", package: "io.k8s.api.resource.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&ResourceSliceSpec)),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static ResourceSliceSpec: Type = Type { name: "ResourceSliceSpec", package: "", fields: &[
    omitted(5, "allNodes", Bool),
    omitted(6, "devices", List(&Struct(&Device))).of(Atomic),
    field(1, "driver", String),
    omitted(3, "nodeName", String),
    pointer(4, "nodeSelector", Struct(&core_v1::NodeSelector)),
    omitted(0, "partitionTypeAttribute", String),
    pointer(7, "perDeviceNodeSelection", Bool),
    field(2, "pool", Struct(&resource_v1::ResourcePool)),
    omitted(8, "sharedCounters", List(&Struct(&resource_v1::CounterSet))).of(Atomic),
    omitted(0, "skipNodeOperations", List(&String)).of(Set),
], embedded: &[], order: &[2, 7, 3, 4, 0, 1, 6, 8], is_atomic: false };
