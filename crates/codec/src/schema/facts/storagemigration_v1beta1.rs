//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static StorageVersionMigration: Type = Type { name: "StorageVersionMigration", package: "io.k8s.api.storagemigration.v1beta1", fields: storagemigration_v1::StorageVersionMigration.fields, embedded: storagemigration_v1::StorageVersionMigration.embedded, order: storagemigration_v1::StorageVersionMigration.order, is_atomic: false };
