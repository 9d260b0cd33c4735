//! networking.k8s.io `NetworkPolicy`.

use crate::kind::Kind;

pub static NETWORK_POLICY: Kind = Kind {
    group: "networking.k8s.io",
    kind: "NetworkPolicy",
    plural: "networkpolicies",
    singular: "networkpolicy",
    short_names: &["netpol"],
    ..Kind::NAMESPACED
};
