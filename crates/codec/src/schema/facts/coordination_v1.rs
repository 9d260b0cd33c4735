//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static Lease: Type = Type { go: "v1.Lease", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&LeaseSpec)),
] };

pub(super) static LeaseSpec: Type = Type { go: "v1.LeaseSpec", fields: &[
    field("acquireTime", MicroTime),
    field("holderIdentity", String),
    field("leaseDurationSeconds", Int32),
    field("leaseTransitions", Int32),
    field("preferredHolder", String),
    field("renewTime", MicroTime),
    field("strategy", Text("v1.CoordinatedLeaseStrategy")),
] };
