//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static AllCompositeDisruptionMode: Type = Type { name: "AllCompositeDisruptionMode", package: "", fields: &[
], embedded: &[], order: &[], is_atomic: false };

pub(super) static AllDisruptionMode: Type = Type { name: "AllDisruptionMode", package: "", fields: &[
], embedded: &[], order: &[], is_atomic: false };

pub(super) static BasicSchedulingPolicy: Type = Type { name: "BasicSchedulingPolicy", package: "", fields: &[
], embedded: &[], order: &[], is_atomic: false };

pub(super) static CompositeBasicSchedulingPolicy: Type = Type { name: "CompositeBasicSchedulingPolicy", package: "", fields: &[
], embedded: &[], order: &[], is_atomic: false };

pub(super) static CompositeDisruptionMode: Type = Type { name: "CompositeDisruptionMode", package: "", fields: &[
    pointer(0, "all", Struct(&AllCompositeDisruptionMode)),
    pointer(0, "single", Struct(&SingleCompositeDisruptionMode)),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static CompositeGangSchedulingPolicy: Type = Type { name: "CompositeGangSchedulingPolicy", package: "", fields: &[
    pointer(0, "minGroupCount", Int32).required(),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static CompositePodGroupSchedulingConstraints: Type = Type { name: "CompositePodGroupSchedulingConstraints", package: "", fields: &[
    omitted(0, "topology", List(&Struct(&TopologyConstraint))).of(Atomic),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static CompositePodGroupSchedulingPolicy: Type = Type { name: "CompositePodGroupSchedulingPolicy", package: "", fields: &[
    pointer(0, "basic", Struct(&CompositeBasicSchedulingPolicy)),
    pointer(0, "gang", Struct(&CompositeGangSchedulingPolicy)),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static CompositePodGroupTemplate: Type = Type { name: "CompositePodGroupTemplate", package: "", fields: &[
    omitted(0, "compositePodGroupTemplates", List(&Struct(&CompositePodGroupTemplate))).of(Keyed(&["name"])),
    pointer(0, "disruptionMode", Struct(&CompositeDisruptionMode)),
    omitted(0, "name", String).required(),
    omitted(0, "podGroupTemplates", List(&Struct(&PodGroupTemplate))).of(Keyed(&["name"])),
    omitted(0, "preemptionPolicy", String),
    pointer(0, "priority", Int32),
    omitted(0, "priorityClassName", String),
    pointer(0, "schedulingConstraints", Struct(&CompositePodGroupSchedulingConstraints)),
    pointer(0, "schedulingPolicy", Struct(&CompositePodGroupSchedulingPolicy)).required(),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static DisruptionMode: Type = Type { name: "DisruptionMode", package: "", fields: &[
    pointer(0, "all", Struct(&AllDisruptionMode)),
    pointer(0, "single", Struct(&SingleDisruptionMode)),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static GangSchedulingPolicy: Type = Type { name: "GangSchedulingPolicy", package: "", fields: &[
    pointer(0, "minCount", Int32).required(),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static PodGroup: Type = Type { name: "PodGroup", package: "io.k8s.api.scheduling.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    pointer(0, "metadata", Struct(&meta_v1::ObjectMeta)),
    pointer(0, "spec", Struct(&PodGroupSpec)).required(),
    pointer(0, "status", Struct(&PodGroupStatus)),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static PodGroupResourceClaim: Type = Type { name: "PodGroupResourceClaim", package: "", fields: &[
    omitted(0, "name", String).required(),
    omitted(0, "resourceClaimName", String),
    omitted(0, "resourceClaimTemplateName", String),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static PodGroupResourceClaimStatus: Type = Type { name: "PodGroupResourceClaimStatus", package: "", fields: &[
    omitted(0, "name", String).required(),
    omitted(0, "resourceClaimName", String),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static PodGroupSchedulingConstraints: Type = Type { name: "PodGroupSchedulingConstraints", package: "", fields: &[
    omitted(0, "topology", List(&Struct(&TopologyConstraint))).of(Atomic),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static PodGroupSchedulingPolicy: Type = Type { name: "PodGroupSchedulingPolicy", package: "", fields: &[
    pointer(0, "basic", Struct(&BasicSchedulingPolicy)),
    pointer(0, "gang", Struct(&GangSchedulingPolicy)),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static PodGroupSpec: Type = Type { name: "PodGroupSpec", package: "", fields: &[
    pointer(0, "disruptionMode", Struct(&DisruptionMode)),
    omitted(0, "parentCompositePodGroupName", String),
    omitted(0, "preemptionPolicy", String),
    pointer(0, "priority", Int32),
    omitted(0, "priorityClassName", String),
    omitted(0, "resourceClaims", List(&Struct(&PodGroupResourceClaim))).of(Keyed(&["name"])).patched(MergeRetainingKeys("name")),
    pointer(0, "schedulingConstraints", Struct(&PodGroupSchedulingConstraints)),
    pointer(0, "schedulingPolicy", Struct(&PodGroupSchedulingPolicy)).required(),
    pointer(0, "workloadRef", Struct(&WorkloadReference)),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static PodGroupStatus: Type = Type { name: "PodGroupStatus", package: "", fields: &[
    omitted(0, "conditions", List(&Struct(&meta_v1::Condition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted(0, "resourceClaimStatuses", List(&Struct(&PodGroupResourceClaimStatus))).of(Keyed(&["name"])).patched(MergeRetainingKeys("name")),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static PodGroupTemplate: Type = Type { name: "PodGroupTemplate", package: "", fields: &[
    pointer(0, "disruptionMode", Struct(&DisruptionMode)),
    omitted(0, "name", String).required(),
    omitted(0, "preemptionPolicy", String),
    pointer(0, "priority", Int32),
    omitted(0, "priorityClassName", String),
    omitted(0, "resourceClaims", List(&Struct(&PodGroupResourceClaim))).of(Keyed(&["name"])).patched(MergeRetainingKeys("name")),
    pointer(0, "schedulingConstraints", Struct(&PodGroupSchedulingConstraints)),
    pointer(0, "schedulingPolicy", Struct(&PodGroupSchedulingPolicy)).required(),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static PriorityClass: Type = Type { name: "PriorityClass", package: "io.k8s.api.scheduling.v1beta1", fields: scheduling_v1::PriorityClass.fields, embedded: scheduling_v1::PriorityClass.embedded, order: scheduling_v1::PriorityClass.order, is_atomic: false };

pub(super) static SingleCompositeDisruptionMode: Type = Type { name: "SingleCompositeDisruptionMode", package: "", fields: &[
], embedded: &[], order: &[], is_atomic: false };

pub(super) static SingleDisruptionMode: Type = Type { name: "SingleDisruptionMode", package: "", fields: &[
], embedded: &[], order: &[], is_atomic: false };

pub(super) static TopologyConstraint: Type = Type { name: "TopologyConstraint", package: "", fields: &[
    omitted(0, "key", String).required(),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static TypedLocalObjectReference: Type = Type { name: "TypedLocalObjectReference", package: "", fields: &[
    omitted(0, "apiGroup", String),
    omitted(0, "kind", String).required(),
    omitted(0, "name", String).required(),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static Workload: Type = Type { name: "Workload", package: "io.k8s.api.scheduling.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    pointer(0, "metadata", Struct(&meta_v1::ObjectMeta)),
    pointer(0, "spec", Struct(&WorkloadSpec)).required(),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static WorkloadReference: Type = Type { name: "WorkloadReference", package: "", fields: &[
    omitted(0, "templateName", String).required(),
    omitted(0, "workloadName", String).required(),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static WorkloadSpec: Type = Type { name: "WorkloadSpec", package: "", fields: &[
    omitted(0, "compositePodGroupTemplates", List(&Struct(&CompositePodGroupTemplate))).of(Keyed(&["name"])),
    pointer(0, "controllerRef", Struct(&TypedLocalObjectReference)),
    omitted(0, "podGroupTemplates", List(&Struct(&PodGroupTemplate))).of(Keyed(&["name"])),
], embedded: &[], order: &[], is_atomic: false };
