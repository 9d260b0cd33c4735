//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static APIService: Type = Type { name: "APIService", package: "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1beta1", fields: apiregistration_v1::APIService.fields, embedded: apiregistration_v1::APIService.embedded, order: apiregistration_v1::APIService.order, is_atomic: false };
