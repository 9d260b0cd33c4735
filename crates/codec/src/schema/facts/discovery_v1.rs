//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static Endpoint: Type = Type { name: "Endpoint", package: "", fields: &[
    field(1, "addresses", List(&String)).of(Set),
    field(2, "conditions", Struct(&EndpointConditions)).optional(),
    omitted(5, "deprecatedTopology", Map(&String)),
    pointer(8, "hints", Struct(&EndpointHints)),
    pointer(3, "hostname", String),
    pointer(6, "nodeName", String),
    pointer(4, "targetRef", Struct(&core_v1::ObjectReference)),
    pointer(7, "zone", String),
], embedded: &[], order: &[0, 1, 4, 6, 2, 5, 7, 3], is_atomic: false };

pub(super) static EndpointConditions: Type = Type { name: "EndpointConditions", package: "", fields: &[
    pointer(1, "ready", Bool),
    pointer(2, "serving", Bool),
    pointer(3, "terminating", Bool),
], embedded: &[], order: &[0, 1, 2], is_atomic: false };

pub(super) static EndpointHints: Type = Type { name: "EndpointHints", package: "", fields: &[
    omitted(2, "forNodes", List(&Struct(&ForNode))).of(Atomic),
    omitted(1, "forZones", List(&Struct(&ForZone))).of(Atomic),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static EndpointPort: Type = Type { name: "EndpointPort", package: "", fields: &[
    pointer(4, "appProtocol", String),
    pointer(1, "name", String),
    pointer(3, "port", Int32),
    pointer(2, "protocol", Text("v1.Protocol")),
], embedded: &[], order: &[1, 3, 2, 0], is_atomic: true };

pub(super) static EndpointSlice: Type = Type { name: "EndpointSlice", package: "io.k8s.api.discovery.v1", fields: &[
    field(4, "addressType", Text("AddressType")),
    omitted(0, "apiVersion", String),
    field(2, "endpoints", List(&Struct(&Endpoint))).optional().of(Atomic),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(3, "ports", List(&Struct(&EndpointPort))).optional().of(Atomic),
], embedded: &[], order: &[4, 2, 5, 0], is_atomic: false };

pub(super) static ForNode: Type = Type { name: "ForNode", package: "", fields: &[
    field(1, "name", String),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static ForZone: Type = Type { name: "ForZone", package: "", fields: &[
    field(1, "name", String),
], embedded: &[], order: &[0], is_atomic: false };
