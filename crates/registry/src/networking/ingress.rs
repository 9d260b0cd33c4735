//! networking.k8s.io `Ingress`.

use crate::kind::Kind;

pub static INGRESS: Kind = Kind {
    group: "networking.k8s.io",
    kind: "Ingress",
    plural: "ingresses",
    singular: "ingress",
    short_names: &["ing"],
    has_status: true,
    ..Kind::NAMESPACED
};
