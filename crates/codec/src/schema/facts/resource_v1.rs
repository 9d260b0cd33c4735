//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static AllocatedDeviceStatus: Type = Type { go: "v1.AllocatedDeviceStatus", fields: &[
    field("conditions", List(&Struct(&meta_v1::Condition))).of(Keyed(&["type"])),
    field("data", Any),
    field("device", String),
    field("driver", String),
    field("networkData", Struct(&NetworkDeviceData)),
    field("pool", String),
    field("shareID", String),
] };

pub(super) static AllocationResult: Type = Type { go: "v1.AllocationResult", fields: &[
    field("allocationTimestamp", Time),
    field("devices", Struct(&DeviceAllocationResult)),
    field("nodeSelector", Struct(&core_v1::NodeSelector)),
] };

pub(super) static CELDeviceSelector: Type = Type { go: "v1.CELDeviceSelector", fields: &[
    field("expression", String),
] };

pub(super) static CapacityRequestPolicy: Type = Type { go: "v1.CapacityRequestPolicy", fields: &[
    field("default", Quantity),
    field("validRange", Struct(&CapacityRequestPolicyRange)),
    omitted("validValues", List(&Quantity)).of(Atomic),
] };

pub(super) static CapacityRequestPolicyRange: Type = Type { go: "v1.CapacityRequestPolicyRange", fields: &[
    field("max", Quantity),
    field("min", Quantity),
    field("step", Quantity),
] };

pub(super) static CapacityRequirements: Type = Type { go: "v1.CapacityRequirements", fields: &[
    omitted("requests", Map(&Quantity)),
] };

pub(super) static Counter: Type = Type { go: "v1.Counter", fields: &[
    field("value", Quantity),
] };

pub(super) static CounterSet: Type = Type { go: "v1.CounterSet", fields: &[
    omitted("counters", Map(&Struct(&Counter))),
    field("name", String),
] };

pub(super) static Device: Type = Type { go: "v1.Device", fields: &[
    field("allNodes", Bool),
    field("allowMultipleAllocations", Bool),
    omitted("attributes", Map(&Struct(&DeviceAttribute))),
    omitted("bindingConditions", List(&String)).of(Atomic),
    omitted("bindingFailureConditions", List(&String)).of(Atomic),
    field("bindsToNode", Bool),
    omitted("capacity", Map(&Struct(&DeviceCapacity))),
    omitted("consumesCounters", List(&Struct(&DeviceCounterConsumption))).of(Atomic),
    field("name", String),
    omitted("nodeAllocatableResourceMappings", Map(&Struct(&NodeAllocatableResourceMapping))),
    omitted("nodeAllocatableResources", Map(&Struct(&NodeAllocatableResource))),
    field("nodeName", String),
    field("nodeSelector", Struct(&core_v1::NodeSelector)),
    omitted("taints", List(&Struct(&DeviceTaint))).of(Atomic),
] };

pub(super) static DeviceAllocationConfiguration: Type = Type { go: "v1.DeviceAllocationConfiguration", fields: &[
    field("opaque", Struct(&OpaqueDeviceConfiguration)),
    omitted("requests", List(&String)).of(Atomic),
    field("source", Text("v1.AllocationConfigSource")),
] };

pub(super) static DeviceAllocationResult: Type = Type { go: "v1.DeviceAllocationResult", fields: &[
    omitted("config", List(&Struct(&DeviceAllocationConfiguration))).of(Atomic),
    omitted("results", List(&Struct(&DeviceRequestAllocationResult))).of(Atomic),
] };

pub(super) static DeviceAttribute: Type = Type { go: "v1.DeviceAttribute", fields: &[
    field("bool", Bool),
    omitted("bools", List(&Bool)).of(Atomic),
    field("int", Int64),
    omitted("ints", List(&Int64)).of(Atomic),
    field("string", String),
    omitted("strings", List(&String)).of(Atomic),
    field("version", String),
    omitted("versions", List(&String)).of(Atomic),
] };

pub(super) static DeviceCapacity: Type = Type { go: "v1.DeviceCapacity", fields: &[
    field("requestPolicy", Struct(&CapacityRequestPolicy)),
    field("value", Quantity),
] };

pub(super) static DeviceClaim: Type = Type { go: "v1.DeviceClaim", fields: &[
    omitted("config", List(&Struct(&DeviceClaimConfiguration))).of(Atomic),
    omitted("constraints", List(&Struct(&DeviceConstraint))).of(Atomic),
    field("requests", List(&Struct(&DeviceRequest))).of(Atomic),
] };

pub(super) static DeviceClaimConfiguration: Type = Type { go: "v1.DeviceClaimConfiguration", fields: &[
    field("opaque", Struct(&OpaqueDeviceConfiguration)),
    omitted("requests", List(&String)).of(Atomic),
] };

pub(super) static DeviceClass: Type = Type { go: "v1.DeviceClass", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&DeviceClassSpec)),
] };

pub(super) static DeviceClassConfiguration: Type = Type { go: "v1.DeviceClassConfiguration", fields: &[
    field("opaque", Struct(&OpaqueDeviceConfiguration)),
] };

pub(super) static DeviceClassSpec: Type = Type { go: "v1.DeviceClassSpec", fields: &[
    omitted("config", List(&Struct(&DeviceClassConfiguration))).of(Atomic),
    field("extendedResourceName", String),
    omitted("selectors", List(&Struct(&DeviceSelector))).of(Atomic),
] };

pub(super) static DeviceConstraint: Type = Type { go: "v1.DeviceConstraint", fields: &[
    field("distinctAttribute", Text("v1.FullyQualifiedName")),
    field("matchAttribute", Text("v1.FullyQualifiedName")),
    omitted("requests", List(&String)).of(Atomic),
] };

pub(super) static DeviceCounterConsumption: Type = Type { go: "v1.DeviceCounterConsumption", fields: &[
    omitted("compatibilityGroups", List(&String)).of(Atomic),
    field("counterSet", String),
    omitted("counters", Map(&Struct(&Counter))),
] };

pub(super) static DeviceDerivedAttribute: Type = Type { go: "v1.DeviceDerivedAttribute", fields: &[
    omitted("expression", String),
    omitted("name", String),
] };

pub(super) static DeviceRequest: Type = Type { go: "v1.DeviceRequest", fields: &[
    field("exactly", Struct(&ExactDeviceRequest)),
    omitted("firstAvailable", List(&Struct(&DeviceSubRequest))).of(Atomic),
    field("name", String),
] };

pub(super) static DeviceRequestAllocationResult: Type = Type { go: "v1.DeviceRequestAllocationResult", fields: &[
    field("adminAccess", Bool),
    omitted("bindingConditions", List(&String)).of(Atomic),
    omitted("bindingFailureConditions", List(&String)).of(Atomic),
    omitted("consumedCapacity", Map(&Quantity)),
    field("device", String),
    field("driver", String),
    field("pool", String),
    field("request", String),
    field("shareID", Text("types.UID")),
    omitted("skipNodeOperations", List(&String)).of(Set),
    omitted("tolerations", List(&Struct(&DeviceToleration))).of(Atomic),
] };

pub(super) static DeviceSelector: Type = Type { go: "v1.DeviceSelector", fields: &[
    field("cel", Struct(&CELDeviceSelector)),
] };

pub(super) static DeviceSubRequest: Type = Type { go: "v1.DeviceSubRequest", fields: &[
    omitted("allocationMode", Text("v1.DeviceAllocationMode")),
    field("capacity", Struct(&CapacityRequirements)),
    omitted("count", Int64),
    omitted("derivedAttributes", List(&Struct(&DeviceDerivedAttribute))).of(Atomic),
    field("deviceClassName", String),
    field("name", String),
    omitted("selectors", List(&Struct(&DeviceSelector))).of(Atomic),
    omitted("tolerations", List(&Struct(&DeviceToleration))).of(Atomic),
] };

pub(super) static DeviceTaint: Type = Type { go: "v1.DeviceTaint", fields: &[
    field("effect", Text("v1.DeviceTaintEffect")),
    field("key", String),
    field("timeAdded", Time),
    omitted("value", String),
] };

pub(super) static DeviceTaintRule: Type = Type { go: "v1.DeviceTaintRule", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    omitted("metadata", Struct(&meta_v1::ObjectMeta)),
    omitted("spec", Struct(&DeviceTaintRuleSpec)),
    omitted("status", Struct(&DeviceTaintRuleStatus)),
] };

pub(super) static DeviceTaintRuleSpec: Type = Type { go: "v1.DeviceTaintRuleSpec", fields: &[
    omitted("deviceSelector", Struct(&DeviceTaintSelector)),
    omitted("taint", Struct(&DeviceTaint)),
] };

pub(super) static DeviceTaintRuleStatus: Type = Type { go: "v1.DeviceTaintRuleStatus", fields: &[
    omitted("conditions", List(&Struct(&meta_v1::Condition))).of(Keyed(&["type"])).patched(Merge("type")),
] };

pub(super) static DeviceTaintSelector: Type = Type { go: "v1.DeviceTaintSelector", fields: &[
    omitted("device", String),
    omitted("driver", String),
    omitted("pool", String),
] };

pub(super) static DeviceToleration: Type = Type { go: "v1.DeviceToleration", fields: &[
    omitted("effect", Text("v1.DeviceTaintEffect")),
    omitted("key", String),
    omitted("operator", Text("v1.DeviceTolerationOperator")),
    field("tolerationSeconds", Int64),
    omitted("value", String),
] };

pub(super) static ExactDeviceRequest: Type = Type { go: "v1.ExactDeviceRequest", fields: &[
    field("adminAccess", Bool),
    omitted("allocationMode", Text("v1.DeviceAllocationMode")),
    field("capacity", Struct(&CapacityRequirements)),
    omitted("count", Int64),
    omitted("derivedAttributes", List(&Struct(&DeviceDerivedAttribute))).of(Atomic),
    field("deviceClassName", String),
    omitted("selectors", List(&Struct(&DeviceSelector))).of(Atomic),
    omitted("tolerations", List(&Struct(&DeviceToleration))).of(Atomic),
] };

pub(super) static NetworkDeviceData: Type = Type { go: "v1.NetworkDeviceData", fields: &[
    omitted("hardwareAddress", String),
    omitted("interfaceName", String),
    omitted("ips", List(&String)).of(Atomic),
] };

pub(super) static NodeAllocatableMapping: Type = Type { go: "v1.NodeAllocatableMapping", fields: &[
    omitted("capacityKey", String),
    omitted("capacityMultiplier", Quantity),
    omitted("deviceMultiplier", Quantity),
] };

pub(super) static NodeAllocatableOverhead: Type = Type { go: "v1.NodeAllocatableOverhead", fields: &[
    omitted("perContainer", Quantity),
    omitted("perPod", Quantity),
] };

pub(super) static NodeAllocatableResource: Type = Type { go: "v1.NodeAllocatableResource", fields: &[
    omitted("mapping", Struct(&NodeAllocatableMapping)),
    omitted("overhead", Struct(&NodeAllocatableOverhead)),
] };

pub(super) static NodeAllocatableResourceMapping: Type = Type { go: "v1.NodeAllocatableResourceMapping", fields: &[
    field("allocationMultiplier", Quantity),
    field("capacityKey", Text("v1.QualifiedName")),
] };

pub(super) static OpaqueDeviceConfiguration: Type = Type { go: "v1.OpaqueDeviceConfiguration", fields: &[
    field("driver", String),
    field("parameters", Any),
] };

pub(super) static ResourceClaim: Type = Type { go: "v1.ResourceClaim", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&ResourceClaimSpec)),
    field("status", Struct(&ResourceClaimStatus)),
] };

pub(super) static ResourceClaimConsumerReference: Type = Type { go: "v1.ResourceClaimConsumerReference", fields: &[
    omitted("apiGroup", String),
    field("name", String),
    field("resource", String),
    field("uid", Text("types.UID")),
] };

pub(super) static ResourceClaimSpec: Type = Type { go: "v1.ResourceClaimSpec", fields: &[
    field("devices", Struct(&DeviceClaim)),
] };

pub(super) static ResourceClaimStatus: Type = Type { go: "v1.ResourceClaimStatus", fields: &[
    field("allocation", Struct(&AllocationResult)),
    omitted("devices", List(&Struct(&AllocatedDeviceStatus))).of(Keyed(&["driver", "device", "pool", "shareID"])),
    omitted("reservedFor", List(&Struct(&ResourceClaimConsumerReference))).of(Keyed(&["uid"])).patched(Merge("uid")),
] };

pub(super) static ResourceClaimTemplate: Type = Type { go: "v1.ResourceClaimTemplate", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&ResourceClaimTemplateSpec)),
] };

pub(super) static ResourceClaimTemplateSpec: Type = Type { go: "v1.ResourceClaimTemplateSpec", fields: &[
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&ResourceClaimSpec)),
] };

pub(super) static ResourcePool: Type = Type { go: "v1.ResourcePool", fields: &[
    field("generation", Int64),
    field("name", String),
    field("resourceSliceCount", Int64),
] };

pub(super) static ResourceSlice: Type = Type { go: "v1.ResourceSlice", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&ResourceSliceSpec)),
] };

pub(super) static ResourceSliceSpec: Type = Type { go: "v1.ResourceSliceSpec", fields: &[
    field("allNodes", Bool),
    omitted("devices", List(&Struct(&Device))).of(Atomic),
    field("driver", String),
    field("nodeName", String),
    field("nodeSelector", Struct(&core_v1::NodeSelector)),
    omitted("partitionTypeAttribute", String),
    field("perDeviceNodeSelection", Bool),
    field("pool", Struct(&ResourcePool)),
    omitted("sharedCounters", List(&Struct(&CounterSet))).of(Atomic),
    omitted("skipNodeOperations", List(&String)).of(Set),
] };
