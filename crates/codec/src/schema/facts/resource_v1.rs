//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static AllocatedDeviceStatus: Type = Type { go: "v1.AllocatedDeviceStatus", fields: &[
    field(4, "conditions", List(&Struct(&meta_v1::Condition))).of(Keyed(&["type"])),
    field(5, "data", Any),
    field(3, "device", String),
    field(1, "driver", String),
    field(6, "networkData", Struct(&NetworkDeviceData)),
    field(2, "pool", String),
    field(7, "shareID", String),
], embedded: &[] };

pub(super) static AllocationResult: Type = Type { go: "v1.AllocationResult", fields: &[
    field(5, "allocationTimestamp", Time),
    field(1, "devices", Struct(&DeviceAllocationResult)),
    field(3, "nodeSelector", Struct(&core_v1::NodeSelector)),
], embedded: &[] };

pub(super) static CELDeviceSelector: Type = Type { go: "v1.CELDeviceSelector", fields: &[
    field(1, "expression", String),
], embedded: &[] };

pub(super) static CapacityRequestPolicy: Type = Type { go: "v1.CapacityRequestPolicy", fields: &[
    field(1, "default", Quantity),
    field(4, "validRange", Struct(&CapacityRequestPolicyRange)),
    omitted(3, "validValues", List(&Quantity)).of(Atomic),
], embedded: &[] };

pub(super) static CapacityRequestPolicyRange: Type = Type { go: "v1.CapacityRequestPolicyRange", fields: &[
    field(2, "max", Quantity),
    field(1, "min", Quantity),
    field(3, "step", Quantity),
], embedded: &[] };

pub(super) static CapacityRequirements: Type = Type { go: "v1.CapacityRequirements", fields: &[
    omitted(1, "requests", Map(&Quantity)),
], embedded: &[] };

pub(super) static Counter: Type = Type { go: "v1.Counter", fields: &[
    field(1, "value", Quantity),
], embedded: &[] };

pub(super) static CounterSet: Type = Type { go: "v1.CounterSet", fields: &[
    omitted(2, "counters", Map(&Struct(&Counter))),
    field(1, "name", String),
], embedded: &[] };

pub(super) static Device: Type = Type { go: "v1.Device", fields: &[
    field(7, "allNodes", Bool),
    field(12, "allowMultipleAllocations", Bool),
    omitted(2, "attributes", Map(&Struct(&DeviceAttribute))),
    omitted(10, "bindingConditions", List(&String)).of(Atomic),
    omitted(11, "bindingFailureConditions", List(&String)).of(Atomic),
    field(9, "bindsToNode", Bool),
    omitted(3, "capacity", Map(&Struct(&DeviceCapacity))),
    omitted(4, "consumesCounters", List(&Struct(&DeviceCounterConsumption))).of(Atomic),
    field(1, "name", String),
    omitted(13, "nodeAllocatableResourceMappings", Map(&Struct(&NodeAllocatableResourceMapping))),
    omitted(0, "nodeAllocatableResources", Map(&Struct(&NodeAllocatableResource))),
    field(5, "nodeName", String),
    field(6, "nodeSelector", Struct(&core_v1::NodeSelector)),
    omitted(8, "taints", List(&Struct(&DeviceTaint))).of(Atomic),
], embedded: &[] };

pub(super) static DeviceAllocationConfiguration: Type = Type { go: "v1.DeviceAllocationConfiguration", fields: &[
    field(0, "opaque", Struct(&OpaqueDeviceConfiguration)),
    omitted(2, "requests", List(&String)).of(Atomic),
    field(1, "source", Text("v1.AllocationConfigSource")),
], embedded: &[(3, &DeviceConfiguration)] };

pub(super) static DeviceAllocationResult: Type = Type { go: "v1.DeviceAllocationResult", fields: &[
    omitted(2, "config", List(&Struct(&DeviceAllocationConfiguration))).of(Atomic),
    omitted(1, "results", List(&Struct(&DeviceRequestAllocationResult))).of(Atomic),
], embedded: &[] };

pub(super) static DeviceAttribute: Type = Type { go: "v1.DeviceAttribute", fields: &[
    field(3, "bool", Bool),
    omitted(7, "bools", List(&Bool)).of(Atomic),
    field(2, "int", Int64),
    omitted(6, "ints", List(&Int64)).of(Atomic),
    field(4, "string", String),
    omitted(8, "strings", List(&String)).of(Atomic),
    field(5, "version", String),
    omitted(9, "versions", List(&String)).of(Atomic),
], embedded: &[] };

pub(super) static DeviceCapacity: Type = Type { go: "v1.DeviceCapacity", fields: &[
    field(2, "requestPolicy", Struct(&CapacityRequestPolicy)),
    field(1, "value", Quantity),
], embedded: &[] };

pub(super) static DeviceClaim: Type = Type { go: "v1.DeviceClaim", fields: &[
    omitted(3, "config", List(&Struct(&DeviceClaimConfiguration))).of(Atomic),
    omitted(2, "constraints", List(&Struct(&DeviceConstraint))).of(Atomic),
    field(1, "requests", List(&Struct(&DeviceRequest))).of(Atomic),
], embedded: &[] };

pub(super) static DeviceClaimConfiguration: Type = Type { go: "v1.DeviceClaimConfiguration", fields: &[
    field(0, "opaque", Struct(&OpaqueDeviceConfiguration)),
    omitted(1, "requests", List(&String)).of(Atomic),
], embedded: &[(2, &DeviceConfiguration)] };

pub(super) static DeviceClass: Type = Type { go: "v1.DeviceClass", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&DeviceClassSpec)),
], embedded: &[] };

pub(super) static DeviceClassConfiguration: Type = Type { go: "v1.DeviceClassConfiguration", fields: &[
    field(0, "opaque", Struct(&OpaqueDeviceConfiguration)),
], embedded: &[(1, &DeviceConfiguration)] };

pub(super) static DeviceClassSpec: Type = Type { go: "v1.DeviceClassSpec", fields: &[
    omitted(2, "config", List(&Struct(&DeviceClassConfiguration))).of(Atomic),
    field(4, "extendedResourceName", String),
    omitted(1, "selectors", List(&Struct(&DeviceSelector))).of(Atomic),
], embedded: &[] };

pub(super) static DeviceConfiguration: Type = Type { go: "v1.DeviceConfiguration", fields: &[
    field(1, "opaque", Struct(&OpaqueDeviceConfiguration)),
], embedded: &[] };

pub(super) static DeviceConstraint: Type = Type { go: "v1.DeviceConstraint", fields: &[
    field(3, "distinctAttribute", Text("v1.FullyQualifiedName")),
    field(2, "matchAttribute", Text("v1.FullyQualifiedName")),
    omitted(1, "requests", List(&String)).of(Atomic),
], embedded: &[] };

pub(super) static DeviceCounterConsumption: Type = Type { go: "v1.DeviceCounterConsumption", fields: &[
    omitted(0, "compatibilityGroups", List(&String)).of(Atomic),
    field(1, "counterSet", String),
    omitted(2, "counters", Map(&Struct(&Counter))),
], embedded: &[] };

pub(super) static DeviceDerivedAttribute: Type = Type { go: "v1.DeviceDerivedAttribute", fields: &[
    omitted(0, "expression", String),
    omitted(0, "name", String),
], embedded: &[] };

pub(super) static DeviceRequest: Type = Type { go: "v1.DeviceRequest", fields: &[
    field(2, "exactly", Struct(&ExactDeviceRequest)),
    omitted(3, "firstAvailable", List(&Struct(&DeviceSubRequest))).of(Atomic),
    field(1, "name", String),
], embedded: &[] };

pub(super) static DeviceRequestAllocationResult: Type = Type { go: "v1.DeviceRequestAllocationResult", fields: &[
    field(5, "adminAccess", Bool),
    omitted(7, "bindingConditions", List(&String)).of(Atomic),
    omitted(8, "bindingFailureConditions", List(&String)).of(Atomic),
    omitted(10, "consumedCapacity", Map(&Quantity)),
    field(4, "device", String),
    field(2, "driver", String),
    field(3, "pool", String),
    field(1, "request", String),
    field(9, "shareID", Text("types.UID")),
    omitted(0, "skipNodeOperations", List(&String)).of(Set),
    omitted(6, "tolerations", List(&Struct(&DeviceToleration))).of(Atomic),
], embedded: &[] };

pub(super) static DeviceSelector: Type = Type { go: "v1.DeviceSelector", fields: &[
    field(1, "cel", Struct(&CELDeviceSelector)),
], embedded: &[] };

pub(super) static DeviceSubRequest: Type = Type { go: "v1.DeviceSubRequest", fields: &[
    omitted(4, "allocationMode", Text("v1.DeviceAllocationMode")),
    field(7, "capacity", Struct(&CapacityRequirements)),
    omitted(5, "count", Int64),
    omitted(0, "derivedAttributes", List(&Struct(&DeviceDerivedAttribute))).of(Atomic),
    field(2, "deviceClassName", String),
    field(1, "name", String),
    omitted(3, "selectors", List(&Struct(&DeviceSelector))).of(Atomic),
    omitted(6, "tolerations", List(&Struct(&DeviceToleration))).of(Atomic),
], embedded: &[] };

pub(super) static DeviceTaint: Type = Type { go: "v1.DeviceTaint", fields: &[
    field(3, "effect", Text("v1.DeviceTaintEffect")),
    field(1, "key", String),
    field(4, "timeAdded", Time),
    omitted(2, "value", String),
], embedded: &[] };

pub(super) static DeviceTaintRule: Type = Type { go: "v1.DeviceTaintRule", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    omitted(0, "metadata", Struct(&meta_v1::ObjectMeta)),
    omitted(0, "spec", Struct(&DeviceTaintRuleSpec)),
    omitted(0, "status", Struct(&DeviceTaintRuleStatus)),
], embedded: &[] };

pub(super) static DeviceTaintRuleSpec: Type = Type { go: "v1.DeviceTaintRuleSpec", fields: &[
    omitted(0, "deviceSelector", Struct(&DeviceTaintSelector)),
    omitted(0, "taint", Struct(&DeviceTaint)),
], embedded: &[] };

pub(super) static DeviceTaintRuleStatus: Type = Type { go: "v1.DeviceTaintRuleStatus", fields: &[
    omitted(0, "conditions", List(&Struct(&meta_v1::Condition))).of(Keyed(&["type"])).patched(Merge("type")),
], embedded: &[] };

pub(super) static DeviceTaintSelector: Type = Type { go: "v1.DeviceTaintSelector", fields: &[
    omitted(0, "device", String),
    omitted(0, "driver", String),
    omitted(0, "pool", String),
], embedded: &[] };

pub(super) static DeviceToleration: Type = Type { go: "v1.DeviceToleration", fields: &[
    omitted(4, "effect", Text("v1.DeviceTaintEffect")),
    omitted(1, "key", String),
    omitted(2, "operator", Text("v1.DeviceTolerationOperator")),
    field(5, "tolerationSeconds", Int64),
    omitted(3, "value", String),
], embedded: &[] };

pub(super) static ExactDeviceRequest: Type = Type { go: "v1.ExactDeviceRequest", fields: &[
    field(5, "adminAccess", Bool),
    omitted(3, "allocationMode", Text("v1.DeviceAllocationMode")),
    field(7, "capacity", Struct(&CapacityRequirements)),
    omitted(4, "count", Int64),
    omitted(0, "derivedAttributes", List(&Struct(&DeviceDerivedAttribute))).of(Atomic),
    field(1, "deviceClassName", String),
    omitted(2, "selectors", List(&Struct(&DeviceSelector))).of(Atomic),
    omitted(6, "tolerations", List(&Struct(&DeviceToleration))).of(Atomic),
], embedded: &[] };

pub(super) static NetworkDeviceData: Type = Type { go: "v1.NetworkDeviceData", fields: &[
    omitted(3, "hardwareAddress", String),
    omitted(1, "interfaceName", String),
    omitted(2, "ips", List(&String)).of(Atomic),
], embedded: &[] };

pub(super) static NodeAllocatableMapping: Type = Type { go: "v1.NodeAllocatableMapping", fields: &[
    omitted(0, "capacityKey", String),
    omitted(0, "capacityMultiplier", Quantity),
    omitted(0, "deviceMultiplier", Quantity),
], embedded: &[] };

pub(super) static NodeAllocatableOverhead: Type = Type { go: "v1.NodeAllocatableOverhead", fields: &[
    omitted(0, "perContainer", Quantity),
    omitted(0, "perPod", Quantity),
], embedded: &[] };

pub(super) static NodeAllocatableResource: Type = Type { go: "v1.NodeAllocatableResource", fields: &[
    omitted(0, "mapping", Struct(&NodeAllocatableMapping)),
    omitted(0, "overhead", Struct(&NodeAllocatableOverhead)),
], embedded: &[] };

pub(super) static NodeAllocatableResourceMapping: Type = Type { go: "v1.NodeAllocatableResourceMapping", fields: &[
    field(2, "allocationMultiplier", Quantity),
    field(1, "capacityKey", Text("v1.QualifiedName")),
], embedded: &[] };

pub(super) static OpaqueDeviceConfiguration: Type = Type { go: "v1.OpaqueDeviceConfiguration", fields: &[
    field(1, "driver", String),
    field(2, "parameters", Any),
], embedded: &[] };

pub(super) static ResourceClaim: Type = Type { go: "v1.ResourceClaim", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&ResourceClaimSpec)),
    field(3, "status", Struct(&ResourceClaimStatus)),
], embedded: &[] };

pub(super) static ResourceClaimConsumerReference: Type = Type { go: "v1.ResourceClaimConsumerReference", fields: &[
    omitted(1, "apiGroup", String),
    field(4, "name", String),
    field(3, "resource", String),
    field(5, "uid", Text("types.UID")),
], embedded: &[] };

pub(super) static ResourceClaimSpec: Type = Type { go: "v1.ResourceClaimSpec", fields: &[
    field(1, "devices", Struct(&DeviceClaim)),
], embedded: &[] };

pub(super) static ResourceClaimStatus: Type = Type { go: "v1.ResourceClaimStatus", fields: &[
    field(1, "allocation", Struct(&AllocationResult)),
    omitted(4, "devices", List(&Struct(&AllocatedDeviceStatus))).of(Keyed(&["driver", "device", "pool", "shareID"])),
    omitted(2, "reservedFor", List(&Struct(&ResourceClaimConsumerReference))).of(Keyed(&["uid"])).patched(Merge("uid")),
], embedded: &[] };

pub(super) static ResourceClaimTemplate: Type = Type { go: "v1.ResourceClaimTemplate", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&ResourceClaimTemplateSpec)),
], embedded: &[] };

pub(super) static ResourceClaimTemplateSpec: Type = Type { go: "v1.ResourceClaimTemplateSpec", fields: &[
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&ResourceClaimSpec)),
], embedded: &[] };

pub(super) static ResourcePool: Type = Type { go: "v1.ResourcePool", fields: &[
    field(2, "generation", Int64),
    field(1, "name", String),
    field(3, "resourceSliceCount", Int64),
], embedded: &[] };

pub(super) static ResourceSlice: Type = Type { go: "v1.ResourceSlice", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&ResourceSliceSpec)),
], embedded: &[] };

pub(super) static ResourceSliceSpec: Type = Type { go: "v1.ResourceSliceSpec", fields: &[
    field(5, "allNodes", Bool),
    omitted(6, "devices", List(&Struct(&Device))).of(Atomic),
    field(1, "driver", String),
    field(3, "nodeName", String),
    field(4, "nodeSelector", Struct(&core_v1::NodeSelector)),
    omitted(0, "partitionTypeAttribute", String),
    field(7, "perDeviceNodeSelection", Bool),
    field(2, "pool", Struct(&ResourcePool)),
    omitted(8, "sharedCounters", List(&Struct(&CounterSet))).of(Atomic),
    omitted(0, "skipNodeOperations", List(&String)).of(Set),
], embedded: &[] };
