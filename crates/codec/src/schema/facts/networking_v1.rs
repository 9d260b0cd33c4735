//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static HTTPIngressPath: Type = Type { name: "HTTPIngressPath", package: "", fields: &[
    field(2, "backend", Struct(&IngressBackend)),
    omitted(1, "path", String),
    pointer(3, "pathType", Text("PathType")).required(),
], embedded: &[], order: &[1, 0, 2], is_atomic: false };

pub(super) static HTTPIngressRuleValue: Type = Type { name: "HTTPIngressRuleValue", package: "", fields: &[
    field(1, "paths", List(&Struct(&HTTPIngressPath))).of(Atomic),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static IPAddress: Type = Type { name: "IPAddress", package: "io.k8s.api.networking.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&IPAddressSpec)),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static IPAddressSpec: Type = Type { name: "IPAddressSpec", package: "", fields: &[
    pointer(1, "parentRef", Struct(&ParentReference)).required(),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static IPBlock: Type = Type { name: "IPBlock", package: "", fields: &[
    field(1, "cidr", String),
    omitted(2, "except", List(&String)).of(Atomic),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static Ingress: Type = Type { name: "Ingress", package: "io.k8s.api.networking.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&IngressSpec)).optional(),
    field(3, "status", Struct(&IngressStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static IngressBackend: Type = Type { name: "IngressBackend", package: "", fields: &[
    pointer(3, "resource", Struct(&core_v1::TypedLocalObjectReference)),
    pointer(4, "service", Struct(&IngressServiceBackend)),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static IngressClass: Type = Type { name: "IngressClass", package: "io.k8s.api.networking.v1", fields: &[
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
    pointer(4, "scope", String),
], embedded: &[], order: &[0, 1, 2, 4, 3], is_atomic: false };

pub(super) static IngressClassSpec: Type = Type { name: "IngressClassSpec", package: "", fields: &[
    omitted(1, "controller", String),
    pointer(2, "parameters", Struct(&IngressClassParametersReference)),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static IngressLoadBalancerIngress: Type = Type { name: "IngressLoadBalancerIngress", package: "", fields: &[
    omitted(2, "hostname", String),
    omitted(1, "ip", String),
    omitted(4, "ports", List(&Struct(&IngressPortStatus))).of(Atomic),
], embedded: &[], order: &[1, 0, 2], is_atomic: false };

pub(super) static IngressLoadBalancerStatus: Type = Type { name: "IngressLoadBalancerStatus", package: "", fields: &[
    omitted(1, "ingress", List(&Struct(&IngressLoadBalancerIngress))).of(Atomic),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static IngressPortStatus: Type = Type { name: "IngressPortStatus", package: "", fields: &[
    pointer(3, "error", String),
    field(1, "port", Int32),
    field(2, "protocol", Text("v1.Protocol")),
], embedded: &[], order: &[1, 2, 0], is_atomic: false };

pub(super) static IngressRule: Type = Type { name: "IngressRule", package: "", fields: &[
    omitted(1, "host", String),
    pointer(0, "http", Struct(&HTTPIngressRuleValue)),
], embedded: &[(2, &IngressRuleValue)], order: &[0, 2], is_atomic: false };

pub(super) static IngressRuleValue: Type = Type { name: "IngressRuleValue", package: "", fields: &[
    pointer(1, "http", Struct(&HTTPIngressRuleValue)),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static IngressServiceBackend: Type = Type { name: "IngressServiceBackend", package: "", fields: &[
    field(1, "name", String),
    field(2, "port", Struct(&ServiceBackendPort)).optional(),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static IngressSpec: Type = Type { name: "IngressSpec", package: "", fields: &[
    pointer(1, "defaultBackend", Struct(&IngressBackend)),
    pointer(4, "ingressClassName", String),
    omitted(3, "rules", List(&Struct(&IngressRule))).of(Atomic),
    omitted(2, "tls", List(&Struct(&IngressTLS))).of(Atomic),
], embedded: &[], order: &[0, 3, 2, 1], is_atomic: false };

pub(super) static IngressStatus: Type = Type { name: "IngressStatus", package: "", fields: &[
    field(1, "loadBalancer", Struct(&IngressLoadBalancerStatus)).optional(),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static IngressTLS: Type = Type { name: "IngressTLS", package: "", fields: &[
    omitted(1, "hosts", List(&String)).of(Atomic),
    omitted(2, "secretName", String),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static NetworkPolicy: Type = Type { name: "NetworkPolicy", package: "io.k8s.api.networking.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&NetworkPolicySpec)).optional(),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static NetworkPolicyEgressRule: Type = Type { name: "NetworkPolicyEgressRule", package: "", fields: &[
    omitted(1, "ports", List(&Struct(&NetworkPolicyPort))).of(Atomic),
    omitted(2, "to", List(&Struct(&NetworkPolicyPeer))).of(Atomic),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static NetworkPolicyIngressRule: Type = Type { name: "NetworkPolicyIngressRule", package: "", fields: &[
    omitted(2, "from", List(&Struct(&NetworkPolicyPeer))).of(Atomic),
    omitted(1, "ports", List(&Struct(&NetworkPolicyPort))).of(Atomic),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static NetworkPolicyPeer: Type = Type { name: "NetworkPolicyPeer", package: "", fields: &[
    pointer(3, "ipBlock", Struct(&IPBlock)),
    pointer(2, "namespaceSelector", Struct(&meta_v1::LabelSelector)),
    pointer(1, "podSelector", Struct(&meta_v1::LabelSelector)),
], embedded: &[], order: &[2, 1, 0], is_atomic: false };

pub(super) static NetworkPolicyPort: Type = Type { name: "NetworkPolicyPort", package: "", fields: &[
    pointer(3, "endPort", Int32),
    pointer(2, "port", IntOrString),
    pointer(1, "protocol", Text("v1.Protocol")),
], embedded: &[], order: &[2, 1, 0], is_atomic: false };

pub(super) static NetworkPolicySpec: Type = Type { name: "NetworkPolicySpec", package: "", fields: &[
    omitted(3, "egress", List(&Struct(&NetworkPolicyEgressRule))).of(Atomic),
    omitted(2, "ingress", List(&Struct(&NetworkPolicyIngressRule))).of(Atomic),
    field(1, "podSelector", Struct(&meta_v1::LabelSelector)).optional(),
    omitted(4, "policyTypes", List(&Text("PolicyType"))).of(Atomic),
], embedded: &[], order: &[2, 1, 0, 3], is_atomic: false };

pub(super) static ParentReference: Type = Type { name: "ParentReference", package: "", fields: &[
    omitted(1, "group", String),
    omitted(4, "name", String).required(),
    omitted(3, "namespace", String),
    omitted(2, "resource", String).required(),
], embedded: &[], order: &[0, 3, 2, 1], is_atomic: false };

pub(super) static ServiceBackendPort: Type = Type { name: "ServiceBackendPort", package: "", fields: &[
    omitted(1, "name", String),
    omitted(2, "number", Int32),
], embedded: &[], order: &[0, 1], is_atomic: true };

pub(super) static ServiceCIDR: Type = Type { name: "ServiceCIDR", package: "io.k8s.api.networking.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&ServiceCIDRSpec)).optional(),
    field(3, "status", Struct(&ServiceCIDRStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static ServiceCIDRSpec: Type = Type { name: "ServiceCIDRSpec", package: "", fields: &[
    omitted(1, "cidrs", List(&String)).of(Atomic),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static ServiceCIDRStatus: Type = Type { name: "ServiceCIDRStatus", package: "", fields: &[
    omitted(1, "conditions", List(&Struct(&meta_v1::Condition))).of(Keyed(&["type"])).patched(Merge("type")),
], embedded: &[], order: &[0], is_atomic: false };
