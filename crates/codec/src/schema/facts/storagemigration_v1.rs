//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static StorageVersionMigration: Type = Type { name: "StorageVersionMigration", package: "io.k8s.api.storagemigration.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&StorageVersionMigrationSpec)).optional(),
    field(3, "status", Struct(&StorageVersionMigrationStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static StorageVersionMigrationSpec: Type = Type { name: "StorageVersionMigrationSpec", package: "", fields: &[
    field(1, "resource", Struct(&meta_v1::GroupResource)),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static StorageVersionMigrationStatus: Type = Type { name: "StorageVersionMigrationStatus", package: "", fields: &[
    omitted(1, "conditions", List(&Struct(&meta_v1::Condition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted(2, "resourceVersion", String),
], embedded: &[], order: &[0, 1], is_atomic: false };
