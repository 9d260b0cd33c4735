//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static HTTPIngressPath: Type = Type { go: "v1.HTTPIngressPath", fields: &[
    field(2, "backend", Struct(&IngressBackend)),
    omitted(1, "path", String),
    field(3, "pathType", Text("v1.PathType")),
], embedded: &[] };

pub(super) static HTTPIngressRuleValue: Type = Type { go: "v1.HTTPIngressRuleValue", fields: &[
    field(1, "paths", List(&Struct(&HTTPIngressPath))).of(Atomic),
], embedded: &[] };

pub(super) static IPAddress: Type = Type { go: "v1.IPAddress", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&IPAddressSpec)),
], embedded: &[] };

pub(super) static IPAddressSpec: Type = Type { go: "v1.IPAddressSpec", fields: &[
    field(1, "parentRef", Struct(&ParentReference)),
], embedded: &[] };

pub(super) static IPBlock: Type = Type { go: "v1.IPBlock", fields: &[
    field(1, "cidr", String),
    omitted(2, "except", List(&String)).of(Atomic),
], embedded: &[] };

pub(super) static Ingress: Type = Type { go: "v1.Ingress", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&IngressSpec)),
    field(3, "status", Struct(&IngressStatus)),
], embedded: &[] };

pub(super) static IngressBackend: Type = Type { go: "v1.IngressBackend", fields: &[
    field(3, "resource", Struct(&core_v1::TypedLocalObjectReference)),
    field(4, "service", Struct(&IngressServiceBackend)),
], embedded: &[] };

pub(super) static IngressClass: Type = Type { go: "v1.IngressClass", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&IngressClassSpec)),
], embedded: &[] };

pub(super) static IngressClassParametersReference: Type = Type { go: "v1.IngressClassParametersReference", fields: &[
    field(1, "apiGroup", String),
    field(2, "kind", String),
    field(3, "name", String),
    field(5, "namespace", String),
    field(4, "scope", String),
], embedded: &[] };

pub(super) static IngressClassSpec: Type = Type { go: "v1.IngressClassSpec", fields: &[
    omitted(1, "controller", String),
    field(2, "parameters", Struct(&IngressClassParametersReference)),
], embedded: &[] };

pub(super) static IngressLoadBalancerIngress: Type = Type { go: "v1.IngressLoadBalancerIngress", fields: &[
    omitted(2, "hostname", String),
    omitted(1, "ip", String),
    omitted(4, "ports", List(&Struct(&IngressPortStatus))).of(Atomic),
], embedded: &[] };

pub(super) static IngressLoadBalancerStatus: Type = Type { go: "v1.IngressLoadBalancerStatus", fields: &[
    omitted(1, "ingress", List(&Struct(&IngressLoadBalancerIngress))).of(Atomic),
], embedded: &[] };

pub(super) static IngressPortStatus: Type = Type { go: "v1.IngressPortStatus", fields: &[
    field(3, "error", String),
    field(1, "port", Int32),
    field(2, "protocol", Text("v1.Protocol")),
], embedded: &[] };

pub(super) static IngressRule: Type = Type { go: "v1.IngressRule", fields: &[
    omitted(1, "host", String),
    field(0, "http", Struct(&HTTPIngressRuleValue)),
], embedded: &[(2, &IngressRuleValue)] };

pub(super) static IngressRuleValue: Type = Type { go: "v1.IngressRuleValue", fields: &[
    field(1, "http", Struct(&HTTPIngressRuleValue)),
], embedded: &[] };

pub(super) static IngressServiceBackend: Type = Type { go: "v1.IngressServiceBackend", fields: &[
    field(1, "name", String),
    field(2, "port", Struct(&ServiceBackendPort)),
], embedded: &[] };

pub(super) static IngressSpec: Type = Type { go: "v1.IngressSpec", fields: &[
    field(1, "defaultBackend", Struct(&IngressBackend)),
    field(4, "ingressClassName", String),
    omitted(3, "rules", List(&Struct(&IngressRule))).of(Atomic),
    omitted(2, "tls", List(&Struct(&IngressTLS))).of(Atomic),
], embedded: &[] };

pub(super) static IngressStatus: Type = Type { go: "v1.IngressStatus", fields: &[
    field(1, "loadBalancer", Struct(&IngressLoadBalancerStatus)),
], embedded: &[] };

pub(super) static IngressTLS: Type = Type { go: "v1.IngressTLS", fields: &[
    omitted(1, "hosts", List(&String)).of(Atomic),
    omitted(2, "secretName", String),
], embedded: &[] };

pub(super) static NetworkPolicy: Type = Type { go: "v1.NetworkPolicy", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&NetworkPolicySpec)),
], embedded: &[] };

pub(super) static NetworkPolicyEgressRule: Type = Type { go: "v1.NetworkPolicyEgressRule", fields: &[
    omitted(1, "ports", List(&Struct(&NetworkPolicyPort))).of(Atomic),
    omitted(2, "to", List(&Struct(&NetworkPolicyPeer))).of(Atomic),
], embedded: &[] };

pub(super) static NetworkPolicyIngressRule: Type = Type { go: "v1.NetworkPolicyIngressRule", fields: &[
    omitted(2, "from", List(&Struct(&NetworkPolicyPeer))).of(Atomic),
    omitted(1, "ports", List(&Struct(&NetworkPolicyPort))).of(Atomic),
], embedded: &[] };

pub(super) static NetworkPolicyPeer: Type = Type { go: "v1.NetworkPolicyPeer", fields: &[
    field(3, "ipBlock", Struct(&IPBlock)),
    field(2, "namespaceSelector", Struct(&meta_v1::LabelSelector)),
    field(1, "podSelector", Struct(&meta_v1::LabelSelector)),
], embedded: &[] };

pub(super) static NetworkPolicyPort: Type = Type { go: "v1.NetworkPolicyPort", fields: &[
    field(3, "endPort", Int32),
    field(2, "port", IntOrString),
    field(1, "protocol", Text("v1.Protocol")),
], embedded: &[] };

pub(super) static NetworkPolicySpec: Type = Type { go: "v1.NetworkPolicySpec", fields: &[
    omitted(3, "egress", List(&Struct(&NetworkPolicyEgressRule))).of(Atomic),
    omitted(2, "ingress", List(&Struct(&NetworkPolicyIngressRule))).of(Atomic),
    field(1, "podSelector", Struct(&meta_v1::LabelSelector)),
    omitted(4, "policyTypes", List(&Text("v1.PolicyType"))).of(Atomic),
], embedded: &[] };

pub(super) static ParentReference: Type = Type { go: "v1.ParentReference", fields: &[
    omitted(1, "group", String),
    omitted(4, "name", String),
    omitted(3, "namespace", String),
    omitted(2, "resource", String),
], embedded: &[] };

pub(super) static ServiceBackendPort: Type = Type { go: "v1.ServiceBackendPort", fields: &[
    omitted(1, "name", String),
    omitted(2, "number", Int32),
], embedded: &[] };

pub(super) static ServiceCIDR: Type = Type { go: "v1.ServiceCIDR", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&ServiceCIDRSpec)),
    field(3, "status", Struct(&ServiceCIDRStatus)),
], embedded: &[] };

pub(super) static ServiceCIDRSpec: Type = Type { go: "v1.ServiceCIDRSpec", fields: &[
    omitted(1, "cidrs", List(&String)).of(Atomic),
], embedded: &[] };

pub(super) static ServiceCIDRStatus: Type = Type { go: "v1.ServiceCIDRStatus", fields: &[
    omitted(1, "conditions", List(&Struct(&meta_v1::Condition))).of(Keyed(&["type"])).patched(Merge("type")),
], embedded: &[] };
