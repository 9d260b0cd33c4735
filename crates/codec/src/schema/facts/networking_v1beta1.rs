//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static IPAddress: Type = Type { name: "IPAddress", package: "io.k8s.api.networking.v1beta1", fields: networking_v1::IPAddress.fields, embedded: networking_v1::IPAddress.embedded, order: networking_v1::IPAddress.order, is_atomic: false };

pub(super) static Ingress: Type = Type { name: "Ingress", package: "io.k8s.api.networking.v1beta1", fields: extensions_v1beta1::Ingress.fields, embedded: extensions_v1beta1::Ingress.embedded, order: extensions_v1beta1::Ingress.order, is_atomic: false };

pub(super) static IngressClass: Type = Type { name: "IngressClass", package: "io.k8s.api.networking.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&IngressClassSpec)).optional(),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static IngressClassParametersReference: Type = Type { name: "IngressClassParametersReference", package: "", fields: &[
    pointer(1, "apiGroup", String),
    field(2, "kind", String),
    field(3, "name", String),
    pointer(5, "namespace", String),
    pointer(4, "scope", String).required(),
], embedded: &[], order: &[0, 1, 2, 4, 3], is_atomic: false };

pub(super) static IngressClassSpec: Type = Type { name: "IngressClassSpec", package: "", fields: &[
    omitted(1, "controller", String),
    pointer(2, "parameters", Struct(&IngressClassParametersReference)),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static ServiceCIDR: Type = Type { name: "ServiceCIDR", package: "io.k8s.api.networking.v1beta1", fields: networking_v1::ServiceCIDR.fields, embedded: networking_v1::ServiceCIDR.embedded, order: networking_v1::ServiceCIDR.order, is_atomic: false };
