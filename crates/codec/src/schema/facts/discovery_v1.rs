//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static Endpoint: Type = Type { go: "v1.Endpoint", fields: &[
    field("addresses", List(&String)).of(Set),
    field("conditions", Struct(&EndpointConditions)),
    omitted("deprecatedTopology", Map(&String)),
    field("hints", Struct(&EndpointHints)),
    field("hostname", String),
    field("nodeName", String),
    field("targetRef", Struct(&core_v1::ObjectReference)),
    field("zone", String),
] };

pub(super) static EndpointConditions: Type = Type { go: "v1.EndpointConditions", fields: &[
    field("ready", Bool),
    field("serving", Bool),
    field("terminating", Bool),
] };

pub(super) static EndpointHints: Type = Type { go: "v1.EndpointHints", fields: &[
    omitted("forNodes", List(&Struct(&ForNode))).of(Atomic),
    omitted("forZones", List(&Struct(&ForZone))).of(Atomic),
] };

pub(super) static EndpointPort: Type = Type { go: "v1.EndpointPort", fields: &[
    field("appProtocol", String),
    field("name", String),
    field("port", Int32),
    field("protocol", Text("v1.Protocol")),
] };

pub(super) static EndpointSlice: Type = Type { go: "v1.EndpointSlice", fields: &[
    field("addressType", Text("v1.AddressType")),
    omitted("apiVersion", String),
    field("endpoints", List(&Struct(&Endpoint))).of(Atomic),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("ports", List(&Struct(&EndpointPort))).of(Atomic),
] };

pub(super) static ForNode: Type = Type { go: "v1.ForNode", fields: &[
    field("name", String),
] };

pub(super) static ForZone: Type = Type { go: "v1.ForZone", fields: &[
    field("name", String),
] };
