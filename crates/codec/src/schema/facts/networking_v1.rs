//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static HTTPIngressPath: Type = Type { go: "v1.HTTPIngressPath", fields: &[
    field("backend", Struct(&IngressBackend)),
    omitted("path", String),
    field("pathType", Text("v1.PathType")),
] };

pub(super) static HTTPIngressRuleValue: Type = Type { go: "v1.HTTPIngressRuleValue", fields: &[
    field("paths", List(&Struct(&HTTPIngressPath))).of(Atomic),
] };

pub(super) static IPAddress: Type = Type { go: "v1.IPAddress", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&IPAddressSpec)),
] };

pub(super) static IPAddressSpec: Type = Type { go: "v1.IPAddressSpec", fields: &[
    field("parentRef", Struct(&ParentReference)),
] };

pub(super) static IPBlock: Type = Type { go: "v1.IPBlock", fields: &[
    field("cidr", String),
    omitted("except", List(&String)).of(Atomic),
] };

pub(super) static Ingress: Type = Type { go: "v1.Ingress", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&IngressSpec)),
    field("status", Struct(&IngressStatus)),
] };

pub(super) static IngressBackend: Type = Type { go: "v1.IngressBackend", fields: &[
    field("resource", Struct(&core_v1::TypedLocalObjectReference)),
    field("service", Struct(&IngressServiceBackend)),
] };

pub(super) static IngressClass: Type = Type { go: "v1.IngressClass", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&IngressClassSpec)),
] };

pub(super) static IngressClassParametersReference: Type = Type { go: "v1.IngressClassParametersReference", fields: &[
    field("apiGroup", String),
    field("kind", String),
    field("name", String),
    field("namespace", String),
    field("scope", String),
] };

pub(super) static IngressClassSpec: Type = Type { go: "v1.IngressClassSpec", fields: &[
    omitted("controller", String),
    field("parameters", Struct(&IngressClassParametersReference)),
] };

pub(super) static IngressLoadBalancerIngress: Type = Type { go: "v1.IngressLoadBalancerIngress", fields: &[
    omitted("hostname", String),
    omitted("ip", String),
    omitted("ports", List(&Struct(&IngressPortStatus))).of(Atomic),
] };

pub(super) static IngressLoadBalancerStatus: Type = Type { go: "v1.IngressLoadBalancerStatus", fields: &[
    omitted("ingress", List(&Struct(&IngressLoadBalancerIngress))).of(Atomic),
] };

pub(super) static IngressPortStatus: Type = Type { go: "v1.IngressPortStatus", fields: &[
    field("error", String),
    field("port", Int32),
    field("protocol", Text("v1.Protocol")),
] };

pub(super) static IngressRule: Type = Type { go: "v1.IngressRule", fields: &[
    omitted("host", String),
    field("http", Struct(&HTTPIngressRuleValue)),
] };

pub(super) static IngressServiceBackend: Type = Type { go: "v1.IngressServiceBackend", fields: &[
    field("name", String),
    field("port", Struct(&ServiceBackendPort)),
] };

pub(super) static IngressSpec: Type = Type { go: "v1.IngressSpec", fields: &[
    field("defaultBackend", Struct(&IngressBackend)),
    field("ingressClassName", String),
    omitted("rules", List(&Struct(&IngressRule))).of(Atomic),
    omitted("tls", List(&Struct(&IngressTLS))).of(Atomic),
] };

pub(super) static IngressStatus: Type = Type { go: "v1.IngressStatus", fields: &[
    field("loadBalancer", Struct(&IngressLoadBalancerStatus)),
] };

pub(super) static IngressTLS: Type = Type { go: "v1.IngressTLS", fields: &[
    omitted("hosts", List(&String)).of(Atomic),
    omitted("secretName", String),
] };

pub(super) static NetworkPolicy: Type = Type { go: "v1.NetworkPolicy", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&NetworkPolicySpec)),
] };

pub(super) static NetworkPolicyEgressRule: Type = Type { go: "v1.NetworkPolicyEgressRule", fields: &[
    omitted("ports", List(&Struct(&NetworkPolicyPort))).of(Atomic),
    omitted("to", List(&Struct(&NetworkPolicyPeer))).of(Atomic),
] };

pub(super) static NetworkPolicyIngressRule: Type = Type { go: "v1.NetworkPolicyIngressRule", fields: &[
    omitted("from", List(&Struct(&NetworkPolicyPeer))).of(Atomic),
    omitted("ports", List(&Struct(&NetworkPolicyPort))).of(Atomic),
] };

pub(super) static NetworkPolicyPeer: Type = Type { go: "v1.NetworkPolicyPeer", fields: &[
    field("ipBlock", Struct(&IPBlock)),
    field("namespaceSelector", Struct(&meta_v1::LabelSelector)),
    field("podSelector", Struct(&meta_v1::LabelSelector)),
] };

pub(super) static NetworkPolicyPort: Type = Type { go: "v1.NetworkPolicyPort", fields: &[
    field("endPort", Int32),
    field("port", IntOrString),
    field("protocol", Text("v1.Protocol")),
] };

pub(super) static NetworkPolicySpec: Type = Type { go: "v1.NetworkPolicySpec", fields: &[
    omitted("egress", List(&Struct(&NetworkPolicyEgressRule))).of(Atomic),
    omitted("ingress", List(&Struct(&NetworkPolicyIngressRule))).of(Atomic),
    field("podSelector", Struct(&meta_v1::LabelSelector)),
    omitted("policyTypes", List(&Text("v1.PolicyType"))).of(Atomic),
] };

pub(super) static ParentReference: Type = Type { go: "v1.ParentReference", fields: &[
    omitted("group", String),
    omitted("name", String),
    omitted("namespace", String),
    omitted("resource", String),
] };

pub(super) static ServiceBackendPort: Type = Type { go: "v1.ServiceBackendPort", fields: &[
    omitted("name", String),
    omitted("number", Int32),
] };

pub(super) static ServiceCIDR: Type = Type { go: "v1.ServiceCIDR", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&ServiceCIDRSpec)),
    field("status", Struct(&ServiceCIDRStatus)),
] };

pub(super) static ServiceCIDRSpec: Type = Type { go: "v1.ServiceCIDRSpec", fields: &[
    omitted("cidrs", List(&String)).of(Atomic),
] };

pub(super) static ServiceCIDRStatus: Type = Type { go: "v1.ServiceCIDRStatus", fields: &[
    omitted("conditions", List(&Struct(&meta_v1::Condition))).of(Keyed(&["type"])).patched(Merge("type")),
] };
