//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static TopologyConstraint: Type = Type { name: "TopologyConstraint", package: "io.k8s.api.scheduling.v1alpha3", fields: &[
    omitted(0, "key", String).required(),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static WorkloadPodGroupAllDisruptionMode: Type = Type { name: "WorkloadPodGroupAllDisruptionMode", package: "io.k8s.api.scheduling.v1alpha3", fields: &[
], embedded: &[], order: &[], is_atomic: false };

pub(super) static WorkloadPodGroupBasicSchedulingPolicy: Type = Type { name: "WorkloadPodGroupBasicSchedulingPolicy", package: "io.k8s.api.scheduling.v1alpha3", fields: &[
], embedded: &[], order: &[], is_atomic: false };

pub(super) static WorkloadPodGroupDisruptionMode: Type = Type { name: "WorkloadPodGroupDisruptionMode", package: "io.k8s.api.scheduling.v1alpha3", fields: &[
    pointer(0, "all", Struct(&WorkloadPodGroupAllDisruptionMode)),
    pointer(0, "single", Struct(&WorkloadPodGroupSingleDisruptionMode)),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static WorkloadPodGroupGangSchedulingPolicy: Type = Type { name: "WorkloadPodGroupGangSchedulingPolicy", package: "io.k8s.api.scheduling.v1alpha3", fields: &[
    pointer(0, "minCount", Int32),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static WorkloadPodGroupResourceClaim: Type = Type { name: "WorkloadPodGroupResourceClaim", package: "io.k8s.api.scheduling.v1alpha3", fields: &[
    omitted(0, "name", String).required(),
    omitted(0, "resourceClaimName", String),
    omitted(0, "resourceClaimTemplateName", String),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static WorkloadPodGroupSchedulingConstraints: Type = Type { name: "WorkloadPodGroupSchedulingConstraints", package: "io.k8s.api.scheduling.v1alpha3", fields: &[
    omitted(0, "topology", List(&Struct(&TopologyConstraint))).of(Atomic),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static WorkloadPodGroupSchedulingPolicy: Type = Type { name: "WorkloadPodGroupSchedulingPolicy", package: "io.k8s.api.scheduling.v1alpha3", fields: &[
    pointer(0, "basic", Struct(&WorkloadPodGroupBasicSchedulingPolicy)),
    pointer(0, "gang", Struct(&WorkloadPodGroupGangSchedulingPolicy)),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static WorkloadPodGroupSingleDisruptionMode: Type = Type { name: "WorkloadPodGroupSingleDisruptionMode", package: "io.k8s.api.scheduling.v1alpha3", fields: &[
], embedded: &[], order: &[], is_atomic: false };
