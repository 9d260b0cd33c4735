//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static Endpoint: Type = Type { name: "Endpoint", package: "", fields: &[
    field(1, "addresses", List(&String)).of(Set),
    field(2, "conditions", Struct(&discovery_v1::EndpointConditions)).optional(),
    pointer(7, "hints", Struct(&discovery_v1::EndpointHints)),
    pointer(3, "hostname", String),
    pointer(6, "nodeName", String),
    pointer(4, "targetRef", Struct(&core_v1::ObjectReference)),
    omitted(5, "topology", Map(&String)),
], embedded: &[], order: &[0, 1, 3, 5, 6, 4, 2], is_atomic: false };

pub(super) static EndpointPort: Type = Type { name: "EndpointPort", package: "", fields: &[
    pointer(4, "appProtocol", String),
    pointer(1, "name", String),
    pointer(3, "port", Int32),
    pointer(2, "protocol", Text("v1.Protocol")),
], embedded: &[], order: &[1, 3, 2, 0], is_atomic: false };

pub(super) static EndpointSlice: Type = Type { name: "EndpointSlice", package: "io.k8s.api.discovery.v1beta1", fields: &[
    field(4, "addressType", Text("AddressType")),
    omitted(0, "apiVersion", String),
    field(2, "endpoints", List(&Struct(&Endpoint))).of(Atomic),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(3, "ports", List(&Struct(&EndpointPort))).optional().of(Atomic),
], embedded: &[], order: &[4, 2, 5, 0], is_atomic: false };
