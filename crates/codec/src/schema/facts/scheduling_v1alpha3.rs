//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static TopologyConstraint: Type = Type { go: "v1alpha3.TopologyConstraint", fields: &[
    omitted(0, "key", String),
], embedded: &[] };

pub(super) static WorkloadPodGroupAllDisruptionMode: Type = Type { go: "v1alpha3.WorkloadPodGroupAllDisruptionMode", fields: &[
], embedded: &[] };

pub(super) static WorkloadPodGroupBasicSchedulingPolicy: Type = Type { go: "v1alpha3.WorkloadPodGroupBasicSchedulingPolicy", fields: &[
], embedded: &[] };

pub(super) static WorkloadPodGroupDisruptionMode: Type = Type { go: "v1alpha3.WorkloadPodGroupDisruptionMode", fields: &[
    omitted(0, "all", Struct(&WorkloadPodGroupAllDisruptionMode)),
    omitted(0, "single", Struct(&WorkloadPodGroupSingleDisruptionMode)),
], embedded: &[] };

pub(super) static WorkloadPodGroupGangSchedulingPolicy: Type = Type { go: "v1alpha3.WorkloadPodGroupGangSchedulingPolicy", fields: &[
    omitted(0, "minCount", Int32),
], embedded: &[] };

pub(super) static WorkloadPodGroupResourceClaim: Type = Type { go: "v1alpha3.WorkloadPodGroupResourceClaim", fields: &[
    omitted(0, "name", String),
    omitted(0, "resourceClaimName", String),
    omitted(0, "resourceClaimTemplateName", String),
], embedded: &[] };

pub(super) static WorkloadPodGroupSchedulingConstraints: Type = Type { go: "v1alpha3.WorkloadPodGroupSchedulingConstraints", fields: &[
    omitted(0, "topology", List(&Struct(&TopologyConstraint))).of(Atomic),
], embedded: &[] };

pub(super) static WorkloadPodGroupSchedulingPolicy: Type = Type { go: "v1alpha3.WorkloadPodGroupSchedulingPolicy", fields: &[
    omitted(0, "basic", Struct(&WorkloadPodGroupBasicSchedulingPolicy)),
    omitted(0, "gang", Struct(&WorkloadPodGroupGangSchedulingPolicy)),
], embedded: &[] };

pub(super) static WorkloadPodGroupSingleDisruptionMode: Type = Type { go: "v1alpha3.WorkloadPodGroupSingleDisruptionMode", fields: &[
], embedded: &[] };
