//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static Lease: Type = Type { go: "v1.Lease", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&LeaseSpec)),
], embedded: &[] };

pub(super) static LeaseSpec: Type = Type { go: "v1.LeaseSpec", fields: &[
    field(3, "acquireTime", MicroTime),
    field(1, "holderIdentity", String),
    field(2, "leaseDurationSeconds", Int32),
    field(5, "leaseTransitions", Int32),
    field(7, "preferredHolder", String),
    field(4, "renewTime", MicroTime),
    field(6, "strategy", Text("v1.CoordinatedLeaseStrategy")),
], embedded: &[] };
