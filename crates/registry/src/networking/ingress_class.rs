//! networking.k8s.io `IngressClass`.

use crate::kind::Kind;

pub static INGRESS_CLASS: Kind = Kind {
    group: "networking.k8s.io",
    kind: "IngressClass",
    plural: "ingressclasses",
    singular: "ingressclass",
    ..Kind::CLUSTER
};
