//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static APIGroupDiscovery: Type = Type { name: "APIGroupDiscovery", package: "io.k8s.api.apidiscovery.v2", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    omitted(2, "versions", List(&Struct(&APIVersionDiscovery))).of(Keyed(&["version"])),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static APIResourceDiscovery: Type = Type { name: "APIResourceDiscovery", package: "", fields: &[
    omitted(7, "categories", List(&String)).of(Set),
    field(1, "resource", String),
    pointer(2, "responseKind", Struct(&meta_v1::GroupVersionKind)),
    field(3, "scope", Text("ResourceScope")),
    omitted(6, "shortNames", List(&String)).of(Set),
    field(4, "singularResource", String),
    omitted(8, "subresources", List(&Struct(&APISubresourceDiscovery))).of(Keyed(&["subresource"])),
    field(5, "verbs", List(&String)).of(Set),
], embedded: &[], order: &[1, 2, 3, 5, 7, 4, 0, 6], is_atomic: false };

pub(super) static APISubresourceDiscovery: Type = Type { name: "APISubresourceDiscovery", package: "", fields: &[
    omitted(3, "acceptedTypes", List(&Struct(&meta_v1::GroupVersionKind))).of(Keyed(&["group", "version", "kind"])),
    pointer(2, "responseKind", Struct(&meta_v1::GroupVersionKind)),
    field(1, "subresource", String),
    field(4, "verbs", List(&String)).of(Set),
], embedded: &[], order: &[2, 1, 0, 3], is_atomic: false };

pub(super) static APIVersionDiscovery: Type = Type { name: "APIVersionDiscovery", package: "", fields: &[
    omitted(3, "freshness", Text("DiscoveryFreshness")),
    omitted(2, "resources", List(&Struct(&APIResourceDiscovery))).of(Keyed(&["resource"])),
    field(1, "version", String),
], embedded: &[], order: &[2, 1, 0], is_atomic: false };
