//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static AllowedCSIDriver: Type = Type { name: "AllowedCSIDriver", package: "", fields: &[
    field(1, "name", String),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static AllowedFlexVolume: Type = Type { name: "AllowedFlexVolume", package: "", fields: &[
    field(1, "driver", String),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static AllowedHostPath: Type = Type { name: "AllowedHostPath", package: "", fields: &[
    omitted(1, "pathPrefix", String),
    omitted(2, "readOnly", Bool),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static DaemonSet: Type = Type { name: "DaemonSet", package: "io.k8s.api.extensions.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&DaemonSetSpec)).optional(),
    field(3, "status", Struct(&apps_v1beta2::DaemonSetStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static DaemonSetSpec: Type = Type { name: "DaemonSetSpec", package: "", fields: &[
    omitted(4, "minReadySeconds", Int32),
    pointer(6, "revisionHistoryLimit", Int32),
    pointer(1, "selector", Struct(&meta_v1::LabelSelector)),
    field(2, "template", Struct(&core_v1::PodTemplateSpec)),
    omitted(5, "templateGeneration", Int64),
    field(3, "updateStrategy", Struct(&apps_v1::DaemonSetUpdateStrategy)).optional(),
], embedded: &[], order: &[2, 3, 5, 0, 4, 1], is_atomic: false };

pub(super) static Deployment: Type = Type { name: "Deployment", package: "io.k8s.api.extensions.v1beta1", fields: apps_v1beta1::Deployment.fields, embedded: apps_v1beta1::Deployment.embedded, order: apps_v1beta1::Deployment.order, is_atomic: false };

pub(super) static DeploymentRollback: Type = Type { name: "DeploymentRollback", package: "io.k8s.api.extensions.v1beta1", fields: apps_v1beta1::DeploymentRollback.fields, embedded: apps_v1beta1::DeploymentRollback.embedded, order: apps_v1beta1::DeploymentRollback.order, is_atomic: false };

pub(super) static FSGroupStrategyOptions: Type = Type { name: "FSGroupStrategyOptions", package: "", fields: &[
    omitted(2, "ranges", List(&Struct(&IDRange))),
    omitted(1, "rule", Text("FSGroupStrategyType")),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static HTTPIngressPath: Type = Type { name: "HTTPIngressPath", package: "", fields: &[
    field(2, "backend", Struct(&IngressBackend)),
    omitted(1, "path", String),
    pointer(3, "pathType", Text("PathType")),
], embedded: &[], order: &[1, 0, 2], is_atomic: false };

pub(super) static HTTPIngressRuleValue: Type = Type { name: "HTTPIngressRuleValue", package: "", fields: &[
    field(1, "paths", List(&Struct(&HTTPIngressPath))).of(Atomic),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static HostPortRange: Type = Type { name: "HostPortRange", package: "", fields: &[
    field(2, "max", Int32),
    field(1, "min", Int32),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static IDRange: Type = Type { name: "IDRange", package: "", fields: &[
    field(2, "max", Int64),
    field(1, "min", Int64),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static Ingress: Type = Type { name: "Ingress", package: "io.k8s.api.extensions.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&IngressSpec)).optional(),
    field(3, "status", Struct(&networking_v1::IngressStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static IngressBackend: Type = Type { name: "IngressBackend", package: "", fields: &[
    pointer(3, "resource", Struct(&core_v1::TypedLocalObjectReference)),
    omitted(1, "serviceName", String),
    field(2, "servicePort", IntOrString).optional(),
], embedded: &[], order: &[1, 2, 0], is_atomic: false };

pub(super) static IngressRule: Type = Type { name: "IngressRule", package: "", fields: &[
    omitted(1, "host", String),
    pointer(0, "http", Struct(&HTTPIngressRuleValue)),
], embedded: &[(2, &IngressRuleValue)], order: &[0, 2], is_atomic: false };

pub(super) static IngressRuleValue: Type = Type { name: "IngressRuleValue", package: "", fields: &[
    pointer(1, "http", Struct(&HTTPIngressRuleValue)),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static IngressSpec: Type = Type { name: "IngressSpec", package: "", fields: &[
    pointer(1, "backend", Struct(&IngressBackend)),
    pointer(4, "ingressClassName", String),
    omitted(3, "rules", List(&Struct(&IngressRule))).of(Atomic),
    omitted(2, "tls", List(&Struct(&networking_v1::IngressTLS))).of(Atomic),
], embedded: &[], order: &[0, 3, 2, 1], is_atomic: false };

pub(super) static NetworkPolicy: Type = Type { name: "NetworkPolicy", package: "io.k8s.api.extensions.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&NetworkPolicySpec)).optional(),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static NetworkPolicySpec: Type = Type { name: "NetworkPolicySpec", package: "", fields: &[
    omitted(3, "egress", List(&Struct(&networking_v1::NetworkPolicyEgressRule))).of(Atomic),
    omitted(2, "ingress", List(&Struct(&networking_v1::NetworkPolicyIngressRule))).of(Atomic),
    field(1, "podSelector", Struct(&meta_v1::LabelSelector)),
    omitted(4, "policyTypes", List(&Text("PolicyType"))).of(Atomic),
], embedded: &[], order: &[2, 1, 0, 3], is_atomic: false };

pub(super) static PodSecurityPolicy: Type = Type { name: "PodSecurityPolicy", package: "io.k8s.api.extensions.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&PodSecurityPolicySpec)).optional(),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static PodSecurityPolicySpec: Type = Type { name: "PodSecurityPolicySpec", package: "", fields: &[
    pointer(16, "allowPrivilegeEscalation", Bool),
    omitted(23, "allowedCSIDrivers", List(&Struct(&AllowedCSIDriver))),
    omitted(4, "allowedCapabilities", List(&Text("v1.Capability"))),
    omitted(18, "allowedFlexVolumes", List(&Struct(&AllowedFlexVolume))),
    omitted(17, "allowedHostPaths", List(&Struct(&AllowedHostPath))),
    omitted(21, "allowedProcMountTypes", List(&Text("v1.ProcMountType"))),
    omitted(19, "allowedUnsafeSysctls", List(&String)),
    omitted(2, "defaultAddCapabilities", List(&Text("v1.Capability"))),
    pointer(15, "defaultAllowPrivilegeEscalation", Bool),
    omitted(20, "forbiddenSysctls", List(&String)),
    field(13, "fsGroup", Struct(&FSGroupStrategyOptions)),
    omitted(9, "hostIPC", Bool),
    omitted(6, "hostNetwork", Bool),
    omitted(8, "hostPID", Bool),
    omitted(7, "hostPorts", List(&Struct(&HostPortRange))),
    omitted(1, "privileged", Bool),
    omitted(14, "readOnlyRootFilesystem", Bool),
    omitted(3, "requiredDropCapabilities", List(&Text("v1.Capability"))),
    pointer(22, "runAsGroup", Struct(&RunAsGroupStrategyOptions)),
    field(11, "runAsUser", Struct(&RunAsUserStrategyOptions)),
    pointer(24, "runtimeClass", Struct(&RuntimeClassStrategyOptions)),
    field(10, "seLinux", Struct(&SELinuxStrategyOptions)),
    field(12, "supplementalGroups", Struct(&SupplementalGroupsStrategyOptions)),
    omitted(5, "volumes", List(&Text("FSType"))),
], embedded: &[], order: &[15, 7, 17, 2, 23, 12, 14, 13, 11, 21, 19, 22, 10, 16, 8, 0, 4, 3, 6, 9, 5, 18, 1, 20], is_atomic: false };

pub(super) static ReplicaSet: Type = Type { name: "ReplicaSet", package: "io.k8s.api.extensions.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&ReplicaSetSpec)).optional(),
    field(3, "status", Struct(&apps_v1beta2::ReplicaSetStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static ReplicaSetSpec: Type = Type { name: "ReplicaSetSpec", package: "", fields: &[
    omitted(4, "minReadySeconds", Int32),
    pointer(1, "replicas", Int32),
    pointer(2, "selector", Struct(&meta_v1::LabelSelector)),
    field(3, "template", Struct(&core_v1::PodTemplateSpec)).optional(),
], embedded: &[], order: &[1, 2, 3, 0], is_atomic: false };

pub(super) static RunAsGroupStrategyOptions: Type = Type { name: "RunAsGroupStrategyOptions", package: "", fields: &[
    omitted(2, "ranges", List(&Struct(&IDRange))),
    field(1, "rule", Text("RunAsGroupStrategy")),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static RunAsUserStrategyOptions: Type = Type { name: "RunAsUserStrategyOptions", package: "", fields: &[
    omitted(2, "ranges", List(&Struct(&IDRange))),
    field(1, "rule", Text("RunAsUserStrategy")),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static RuntimeClassStrategyOptions: Type = Type { name: "RuntimeClassStrategyOptions", package: "", fields: &[
    field(1, "allowedRuntimeClassNames", List(&String)),
    pointer(2, "defaultRuntimeClassName", String),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static SELinuxStrategyOptions: Type = Type { name: "SELinuxStrategyOptions", package: "", fields: &[
    field(1, "rule", Text("SELinuxStrategy")),
    pointer(2, "seLinuxOptions", Struct(&core_v1::SELinuxOptions)),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static Scale: Type = Type { name: "Scale", package: "io.k8s.api.extensions.v1beta1", fields: apps_v1beta2::Scale.fields, embedded: apps_v1beta2::Scale.embedded, order: apps_v1beta2::Scale.order, is_atomic: false };

pub(super) static SupplementalGroupsStrategyOptions: Type = Type { name: "SupplementalGroupsStrategyOptions", package: "", fields: &[
    omitted(2, "ranges", List(&Struct(&IDRange))),
    omitted(1, "rule", Text("SupplementalGroupsStrategyType")),
], embedded: &[], order: &[1, 0], is_atomic: false };
