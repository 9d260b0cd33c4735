//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static Lease: Type = Type { name: "Lease", package: "io.k8s.api.coordination.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&LeaseSpec)).optional(),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static LeaseSpec: Type = Type { name: "LeaseSpec", package: "", fields: &[
    pointer(3, "acquireTime", MicroTime),
    pointer(1, "holderIdentity", String),
    pointer(2, "leaseDurationSeconds", Int32),
    pointer(5, "leaseTransitions", Int32),
    pointer(7, "preferredHolder", String),
    pointer(4, "renewTime", MicroTime),
    pointer(6, "strategy", Text("CoordinatedLeaseStrategy")),
], embedded: &[], order: &[1, 2, 0, 5, 3, 6, 4], is_atomic: false };
