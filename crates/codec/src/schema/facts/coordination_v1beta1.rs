//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static Lease: Type = Type { name: "Lease", package: "io.k8s.api.coordination.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&LeaseSpec)).optional(),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static LeaseCandidate: Type = Type { name: "LeaseCandidate", package: "io.k8s.api.coordination.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&LeaseCandidateSpec)),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static LeaseCandidateSpec: Type = Type { name: "LeaseCandidateSpec", package: "", fields: &[
    field(4, "binaryVersion", String),
    omitted(5, "emulationVersion", String),
    field(1, "leaseName", String),
    pointer(2, "pingTime", MicroTime),
    pointer(3, "renewTime", MicroTime),
    omitted(6, "strategy", Text("v1.CoordinatedLeaseStrategy")).required(),
], embedded: &[], order: &[2, 3, 4, 0, 1, 5], is_atomic: false };

pub(super) static LeaseSpec: Type = Type { name: "LeaseSpec", package: "", fields: &[
    pointer(3, "acquireTime", MicroTime),
    pointer(1, "holderIdentity", String),
    pointer(2, "leaseDurationSeconds", Int32),
    pointer(5, "leaseTransitions", Int32),
    pointer(7, "preferredHolder", String),
    pointer(4, "renewTime", MicroTime),
    pointer(6, "strategy", Text("v1.CoordinatedLeaseStrategy")),
], embedded: &[], order: &[1, 2, 0, 5, 3, 6, 4], is_atomic: false };
