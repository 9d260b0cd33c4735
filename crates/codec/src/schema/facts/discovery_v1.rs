//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static Endpoint: Type = Type { go: "v1.Endpoint", fields: &[
    field(1, "addresses", List(&String)).of(Set),
    field(2, "conditions", Struct(&EndpointConditions)),
    omitted(5, "deprecatedTopology", Map(&String)),
    field(8, "hints", Struct(&EndpointHints)),
    field(3, "hostname", String),
    field(6, "nodeName", String),
    field(4, "targetRef", Struct(&core_v1::ObjectReference)),
    field(7, "zone", String),
], embedded: &[] };

pub(super) static EndpointConditions: Type = Type { go: "v1.EndpointConditions", fields: &[
    field(1, "ready", Bool),
    field(2, "serving", Bool),
    field(3, "terminating", Bool),
], embedded: &[] };

pub(super) static EndpointHints: Type = Type { go: "v1.EndpointHints", fields: &[
    omitted(2, "forNodes", List(&Struct(&ForNode))).of(Atomic),
    omitted(1, "forZones", List(&Struct(&ForZone))).of(Atomic),
], embedded: &[] };

pub(super) static EndpointPort: Type = Type { go: "v1.EndpointPort", fields: &[
    field(4, "appProtocol", String),
    field(1, "name", String),
    field(3, "port", Int32),
    field(2, "protocol", Text("v1.Protocol")),
], embedded: &[] };

pub(super) static EndpointSlice: Type = Type { go: "v1.EndpointSlice", fields: &[
    field(4, "addressType", Text("v1.AddressType")),
    omitted(0, "apiVersion", String),
    field(2, "endpoints", List(&Struct(&Endpoint))).of(Atomic),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(3, "ports", List(&Struct(&EndpointPort))).of(Atomic),
], embedded: &[] };

pub(super) static ForNode: Type = Type { go: "v1.ForNode", fields: &[
    field(1, "name", String),
], embedded: &[] };

pub(super) static ForZone: Type = Type { go: "v1.ForZone", fields: &[
    field(1, "name", String),
], embedded: &[] };
