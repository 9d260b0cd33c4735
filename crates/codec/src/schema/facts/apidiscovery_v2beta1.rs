//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static APIGroupDiscovery: Type = Type { name: "APIGroupDiscovery", package: "io.k8s.api.apidiscovery.v2beta1", fields: apidiscovery_v2::APIGroupDiscovery.fields, embedded: apidiscovery_v2::APIGroupDiscovery.embedded, order: apidiscovery_v2::APIGroupDiscovery.order, is_atomic: false };
