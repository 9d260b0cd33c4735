//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static TopologyConstraint: Type = Type { go: "v1alpha3.TopologyConstraint", fields: &[
    omitted("key", String),
] };

pub(super) static WorkloadPodGroupAllDisruptionMode: Type = Type { go: "v1alpha3.WorkloadPodGroupAllDisruptionMode", fields: &[
] };

pub(super) static WorkloadPodGroupBasicSchedulingPolicy: Type = Type { go: "v1alpha3.WorkloadPodGroupBasicSchedulingPolicy", fields: &[
] };

pub(super) static WorkloadPodGroupDisruptionMode: Type = Type { go: "v1alpha3.WorkloadPodGroupDisruptionMode", fields: &[
    omitted("all", Struct(&WorkloadPodGroupAllDisruptionMode)),
    omitted("single", Struct(&WorkloadPodGroupSingleDisruptionMode)),
] };

pub(super) static WorkloadPodGroupGangSchedulingPolicy: Type = Type { go: "v1alpha3.WorkloadPodGroupGangSchedulingPolicy", fields: &[
    omitted("minCount", Int32),
] };

pub(super) static WorkloadPodGroupResourceClaim: Type = Type { go: "v1alpha3.WorkloadPodGroupResourceClaim", fields: &[
    omitted("name", String),
    omitted("resourceClaimName", String),
    omitted("resourceClaimTemplateName", String),
] };

pub(super) static WorkloadPodGroupSchedulingConstraints: Type = Type { go: "v1alpha3.WorkloadPodGroupSchedulingConstraints", fields: &[
    omitted("topology", List(&Struct(&TopologyConstraint))).of(Atomic),
] };

pub(super) static WorkloadPodGroupSchedulingPolicy: Type = Type { go: "v1alpha3.WorkloadPodGroupSchedulingPolicy", fields: &[
    omitted("basic", Struct(&WorkloadPodGroupBasicSchedulingPolicy)),
    omitted("gang", Struct(&WorkloadPodGroupGangSchedulingPolicy)),
] };

pub(super) static WorkloadPodGroupSingleDisruptionMode: Type = Type { go: "v1alpha3.WorkloadPodGroupSingleDisruptionMode", fields: &[
] };
