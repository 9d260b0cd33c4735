//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static AllocatedDeviceStatus: Type = Type { name: "AllocatedDeviceStatus", package: "", fields: &[
    field(4, "conditions", List(&Struct(&meta_v1::Condition))).optional().of(Keyed(&["type"])),
    pointer(5, "data", Any),
    field(3, "device", String),
    field(1, "driver", String),
    pointer(6, "networkData", Struct(&NetworkDeviceData)),
    field(2, "pool", String),
    pointer(7, "shareID", String),
], embedded: &[], order: &[3, 5, 2, 0, 1, 4, 6], is_atomic: false };

pub(super) static AllocationResult: Type = Type { name: "AllocationResult", package: "", fields: &[
    pointer(5, "allocationTimestamp", Time),
    field(1, "devices", Struct(&DeviceAllocationResult)).optional(),
    pointer(3, "nodeSelector", Struct(&core_v1::NodeSelector)),
], embedded: &[], order: &[1, 2, 0], is_atomic: false };

pub(super) static CELDeviceSelector: Type = Type { name: "CELDeviceSelector", package: "", fields: &[
    field(1, "expression", String),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static CapacityRequestPolicy: Type = Type { name: "CapacityRequestPolicy", package: "", fields: &[
    pointer(1, "default", Quantity),
    pointer(4, "validRange", Struct(&CapacityRequestPolicyRange)),
    omitted(3, "validValues", List(&Quantity)).of(Atomic),
], embedded: &[], order: &[0, 2, 1], is_atomic: false };

pub(super) static CapacityRequestPolicyRange: Type = Type { name: "CapacityRequestPolicyRange", package: "", fields: &[
    pointer(2, "max", Quantity),
    pointer(1, "min", Quantity).required(),
    pointer(3, "step", Quantity),
], embedded: &[], order: &[1, 0, 2], is_atomic: false };

pub(super) static CapacityRequirements: Type = Type { name: "CapacityRequirements", package: "", fields: &[
    omitted(1, "requests", Map(&Quantity)),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static Counter: Type = Type { name: "Counter", package: "", fields: &[
    field(1, "value", Quantity),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static CounterSet: Type = Type { name: "CounterSet", package: "", fields: &[
    omitted(2, "counters", Map(&Struct(&Counter))).required(),
    field(1, "name", String),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static Device: Type = Type { name: "Device", package: "", fields: &[
    pointer(7, "allNodes", Bool),
    pointer(12, "allowMultipleAllocations", Bool),
    omitted(2, "attributes", Map(&Struct(&DeviceAttribute))),
    omitted(10, "bindingConditions", List(&String)).of(Atomic),
    omitted(11, "bindingFailureConditions", List(&String)).of(Atomic),
    pointer(9, "bindsToNode", Bool),
    omitted(3, "capacity", Map(&Struct(&DeviceCapacity))),
    omitted(4, "consumesCounters", List(&Struct(&DeviceCounterConsumption))).of(Atomic),
    field(1, "name", String),
    omitted(0, "nodeAllocatableResources", Map(&Struct(&NodeAllocatableResource))),
    pointer(5, "nodeName", String),
    pointer(6, "nodeSelector", Struct(&core_v1::NodeSelector)),
    omitted(8, "taints", List(&Struct(&DeviceTaint))).of(Atomic),
], embedded: &[], order: &[8, 2, 6, 7, 10, 11, 0, 12, 5, 3, 4, 1], is_atomic: false };

pub(super) static DeviceAllocationConfiguration: Type = Type { name: "DeviceAllocationConfiguration", package: "", fields: &[
    pointer(0, "opaque", Struct(&OpaqueDeviceConfiguration)),
    omitted(2, "requests", List(&String)).of(Atomic),
    field(1, "source", Text("AllocationConfigSource")),
], embedded: &[(3, &DeviceConfiguration)], order: &[2, 1, 3], is_atomic: false };

pub(super) static DeviceAllocationResult: Type = Type { name: "DeviceAllocationResult", package: "", fields: &[
    omitted(2, "config", List(&Struct(&DeviceAllocationConfiguration))).of(Atomic),
    omitted(1, "results", List(&Struct(&DeviceRequestAllocationResult))).of(Atomic),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static DeviceAttribute: Type = Type { name: "DeviceAttribute", package: "", fields: &[
    pointer(3, "bool", Bool),
    omitted(7, "bools", List(&Bool)).of(Atomic),
    pointer(2, "int", Int64),
    omitted(6, "ints", List(&Int64)).of(Atomic),
    pointer(4, "string", String),
    omitted(8, "strings", List(&String)).of(Atomic),
    pointer(5, "version", String),
    omitted(9, "versions", List(&String)).of(Atomic),
], embedded: &[], order: &[2, 0, 4, 6, 3, 1, 5, 7], is_atomic: false };

pub(super) static DeviceCapacity: Type = Type { name: "DeviceCapacity", package: "", fields: &[
    pointer(2, "requestPolicy", Struct(&CapacityRequestPolicy)),
    field(1, "value", Quantity),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static DeviceClaim: Type = Type { name: "DeviceClaim", package: "", fields: &[
    omitted(3, "config", List(&Struct(&DeviceClaimConfiguration))).of(Atomic),
    omitted(2, "constraints", List(&Struct(&DeviceConstraint))).of(Atomic),
    field(1, "requests", List(&Struct(&DeviceRequest))).optional().of(Atomic),
], embedded: &[], order: &[2, 1, 0], is_atomic: false };

pub(super) static DeviceClaimConfiguration: Type = Type { name: "DeviceClaimConfiguration", package: "", fields: &[
    pointer(0, "opaque", Struct(&OpaqueDeviceConfiguration)),
    omitted(1, "requests", List(&String)).of(Atomic),
], embedded: &[(2, &DeviceConfiguration)], order: &[1, 2], is_atomic: false };

pub(super) static DeviceClass: Type = Type { name: "DeviceClass", package: "io.k8s.api.resource.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&DeviceClassSpec)).optional(),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static DeviceClassConfiguration: Type = Type { name: "DeviceClassConfiguration", package: "", fields: &[
    pointer(0, "opaque", Struct(&OpaqueDeviceConfiguration)),
], embedded: &[(1, &DeviceConfiguration)], order: &[1], is_atomic: false };

pub(super) static DeviceClassSpec: Type = Type { name: "DeviceClassSpec", package: "", fields: &[
    omitted(2, "config", List(&Struct(&DeviceClassConfiguration))).of(Atomic),
    pointer(4, "extendedResourceName", String),
    omitted(1, "selectors", List(&Struct(&DeviceSelector))).of(Atomic),
], embedded: &[], order: &[2, 0, 1], is_atomic: false };

pub(super) static DeviceConfiguration: Type = Type { name: "DeviceConfiguration", package: "", fields: &[
    pointer(1, "opaque", Struct(&OpaqueDeviceConfiguration)),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static DeviceConstraint: Type = Type { name: "DeviceConstraint", package: "", fields: &[
    pointer(3, "distinctAttribute", Text("FullyQualifiedName")),
    pointer(2, "matchAttribute", Text("FullyQualifiedName")),
    omitted(1, "requests", List(&String)).of(Atomic),
], embedded: &[], order: &[2, 1, 0], is_atomic: false };

pub(super) static DeviceCounterConsumption: Type = Type { name: "DeviceCounterConsumption", package: "", fields: &[
    omitted(0, "compatibilityGroups", List(&String)).of(Atomic),
    field(1, "counterSet", String),
    omitted(2, "counters", Map(&Struct(&Counter))).required(),
], embedded: &[], order: &[1, 2], is_atomic: false };

pub(super) static DeviceDerivedAttribute: Type = Type { name: "DeviceDerivedAttribute", package: "", fields: &[
    omitted(0, "expression", String).required(),
    omitted(0, "name", String).required(),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static DeviceRequest: Type = Type { name: "DeviceRequest", package: "", fields: &[
    pointer(2, "exactly", Struct(&ExactDeviceRequest)),
    omitted(3, "firstAvailable", List(&Struct(&DeviceSubRequest))).of(Atomic),
    field(1, "name", String),
], embedded: &[], order: &[2, 0, 1], is_atomic: false };

pub(super) static DeviceRequestAllocationResult: Type = Type { name: "DeviceRequestAllocationResult", package: "", fields: &[
    pointer(5, "adminAccess", Bool),
    omitted(7, "bindingConditions", List(&String)).of(Atomic),
    omitted(8, "bindingFailureConditions", List(&String)).of(Atomic),
    omitted(10, "consumedCapacity", Map(&Quantity)),
    field(4, "device", String),
    field(2, "driver", String),
    field(3, "pool", String),
    field(1, "request", String),
    pointer(9, "shareID", Text("types.UID")),
    omitted(0, "skipNodeOperations", List(&String)).of(Set),
    omitted(6, "tolerations", List(&Struct(&DeviceToleration))).of(Atomic),
], embedded: &[], order: &[7, 5, 6, 4, 0, 10, 1, 2, 8, 3], is_atomic: false };

pub(super) static DeviceSelector: Type = Type { name: "DeviceSelector", package: "", fields: &[
    pointer(1, "cel", Struct(&CELDeviceSelector)),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static DeviceSubRequest: Type = Type { name: "DeviceSubRequest", package: "", fields: &[
    omitted(4, "allocationMode", Text("DeviceAllocationMode")),
    pointer(7, "capacity", Struct(&CapacityRequirements)),
    omitted(5, "count", Int64),
    omitted(0, "derivedAttributes", List(&Struct(&DeviceDerivedAttribute))).of(Atomic),
    field(2, "deviceClassName", String),
    field(1, "name", String),
    omitted(3, "selectors", List(&Struct(&DeviceSelector))).of(Atomic),
    omitted(6, "tolerations", List(&Struct(&DeviceToleration))).of(Atomic),
], embedded: &[], order: &[5, 4, 6, 0, 2, 7, 1], is_atomic: false };

pub(super) static DeviceTaint: Type = Type { name: "DeviceTaint", package: "", fields: &[
    field(3, "effect", Text("DeviceTaintEffect")),
    field(1, "key", String),
    pointer(4, "timeAdded", Time),
    omitted(2, "value", String),
], embedded: &[], order: &[1, 3, 0, 2], is_atomic: false };

pub(super) static DeviceTaintRule: Type = Type { name: "DeviceTaintRule", package: "io.k8s.api.resource.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&DeviceTaintRuleSpec)),
    field(3, "status", Struct(&DeviceTaintRuleStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static DeviceTaintRuleSpec: Type = Type { name: "DeviceTaintRuleSpec", package: "", fields: &[
    pointer(1, "deviceSelector", Struct(&DeviceTaintSelector)),
    field(2, "taint", Struct(&DeviceTaint)),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static DeviceTaintRuleStatus: Type = Type { name: "DeviceTaintRuleStatus", package: "", fields: &[
    omitted(1, "conditions", List(&Struct(&meta_v1::Condition))).of(Keyed(&["type"])).patched(Merge("type")),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static DeviceTaintSelector: Type = Type { name: "DeviceTaintSelector", package: "", fields: &[
    pointer(4, "device", String),
    pointer(2, "driver", String),
    pointer(3, "pool", String),
], embedded: &[], order: &[1, 2, 0], is_atomic: false };

pub(super) static DeviceToleration: Type = Type { name: "DeviceToleration", package: "", fields: &[
    omitted(4, "effect", Text("DeviceTaintEffect")),
    omitted(1, "key", String),
    omitted(2, "operator", Text("DeviceTolerationOperator")).or("\"Equal\""),
    pointer(5, "tolerationSeconds", Int64),
    omitted(3, "value", String),
], embedded: &[], order: &[1, 2, 4, 0, 3], is_atomic: false };

pub(super) static ExactDeviceRequest: Type = Type { name: "ExactDeviceRequest", package: "", fields: &[
    pointer(5, "adminAccess", Bool),
    omitted(3, "allocationMode", Text("DeviceAllocationMode")),
    pointer(7, "capacity", Struct(&CapacityRequirements)),
    omitted(4, "count", Int64),
    omitted(0, "derivedAttributes", List(&Struct(&DeviceDerivedAttribute))).of(Atomic),
    field(1, "deviceClassName", String),
    omitted(2, "selectors", List(&Struct(&DeviceSelector))).of(Atomic),
    omitted(6, "tolerations", List(&Struct(&DeviceToleration))).of(Atomic),
], embedded: &[], order: &[5, 6, 1, 3, 0, 7, 2], is_atomic: false };

pub(super) static NetworkDeviceData: Type = Type { name: "NetworkDeviceData", package: "", fields: &[
    omitted(3, "hardwareAddress", String),
    omitted(1, "interfaceName", String),
    omitted(2, "ips", List(&String)).of(Atomic),
], embedded: &[], order: &[1, 2, 0], is_atomic: false };

pub(super) static NodeAllocatableMapping: Type = Type { name: "NodeAllocatableMapping", package: "", fields: &[
    omitted(0, "capacityKey", String),
    pointer(0, "capacityMultiplier", Quantity),
    pointer(0, "deviceMultiplier", Quantity),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static NodeAllocatableOverhead: Type = Type { name: "NodeAllocatableOverhead", package: "", fields: &[
    pointer(0, "perContainer", Quantity),
    pointer(0, "perPod", Quantity),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static NodeAllocatableResource: Type = Type { name: "NodeAllocatableResource", package: "", fields: &[
    pointer(0, "mapping", Struct(&NodeAllocatableMapping)),
    pointer(0, "overhead", Struct(&NodeAllocatableOverhead)),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static OpaqueDeviceConfiguration: Type = Type { name: "OpaqueDeviceConfiguration", package: "", fields: &[
    field(1, "driver", String),
    field(2, "parameters", Any),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static ResourceClaim: Type = Type { name: "ResourceClaim", package: "io.k8s.api.resource.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&ResourceClaimSpec)).optional(),
    field(3, "status", Struct(&ResourceClaimStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static ResourceClaimConsumerReference: Type = Type { name: "ResourceClaimConsumerReference", package: "", fields: &[
    omitted(1, "apiGroup", String),
    field(4, "name", String),
    field(3, "resource", String),
    field(5, "uid", Text("types.UID")),
], embedded: &[], order: &[0, 2, 1, 3], is_atomic: false };

pub(super) static ResourceClaimSpec: Type = Type { name: "ResourceClaimSpec", package: "", fields: &[
    field(1, "devices", Struct(&DeviceClaim)).optional(),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static ResourceClaimStatus: Type = Type { name: "ResourceClaimStatus", package: "", fields: &[
    pointer(1, "allocation", Struct(&AllocationResult)),
    omitted(4, "devices", List(&Struct(&AllocatedDeviceStatus))).of(Keyed(&["driver", "device", "pool", "shareID"])),
    omitted(2, "reservedFor", List(&Struct(&ResourceClaimConsumerReference))).of(Keyed(&["uid"])).patched(Merge("uid")),
], embedded: &[], order: &[0, 2, 1], is_atomic: false };

pub(super) static ResourceClaimTemplate: Type = Type { name: "ResourceClaimTemplate", package: "io.k8s.api.resource.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&ResourceClaimTemplateSpec)).optional(),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static ResourceClaimTemplateSpec: Type = Type { name: "ResourceClaimTemplateSpec", package: "", fields: &[
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&ResourceClaimSpec)).optional(),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static ResourcePool: Type = Type { name: "ResourcePool", package: "", fields: &[
    field(2, "generation", Int64),
    field(1, "name", String),
    field(3, "resourceSliceCount", Int64),
], embedded: &[], order: &[1, 0, 2], is_atomic: false };

pub(super) static ResourceSlice: Type = Type { name: "ResourceSlice", package: "io.k8s.api.resource.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&ResourceSliceSpec)),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static ResourceSliceSpec: Type = Type { name: "ResourceSliceSpec", package: "", fields: &[
    pointer(5, "allNodes", Bool),
    omitted(6, "devices", List(&Struct(&Device))).of(Atomic),
    field(1, "driver", String),
    pointer(3, "nodeName", String),
    pointer(4, "nodeSelector", Struct(&core_v1::NodeSelector)),
    omitted(0, "partitionTypeAttribute", String),
    pointer(7, "perDeviceNodeSelection", Bool),
    field(2, "pool", Struct(&ResourcePool)),
    omitted(8, "sharedCounters", List(&Struct(&CounterSet))).of(Atomic),
    omitted(0, "skipNodeOperations", List(&String)).of(Set),
], embedded: &[], order: &[2, 7, 3, 4, 0, 1, 6, 8], is_atomic: false };
