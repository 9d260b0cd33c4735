//! discovery.k8s.io `EndpointSlice`.

use crate::kind::Kind;

pub static ENDPOINT_SLICE: Kind = Kind {
    group: "discovery.k8s.io",
    kind: "EndpointSlice",
    plural: "endpointslices",
    singular: "endpointslice",
    ..Kind::NAMESPACED
};
