//! Made by `cargo xtask codegen`; edits are lost.
//!
//! From facts with SHA-256 ffe4f6577d3db1705f4f82361e6f5d8a7a410ed5bedb4f06f41a89425265d874.
//! The other files of this folder have SHA-256 26e2cb7e27256d5017614f618457c21d58fa90c063b6b1e7fdbd68b9cd6a871d.

#[rustfmt::skip]
mod admissionregistration_v1;
#[rustfmt::skip]
mod admissionregistration_v1beta1;
#[rustfmt::skip]
mod apidiscovery_v2;
#[rustfmt::skip]
mod apidiscovery_v2beta1;
#[rustfmt::skip]
mod apiextensions_v1;
#[rustfmt::skip]
mod apiextensions_v1beta1;
#[rustfmt::skip]
mod apiregistration_v1;
#[rustfmt::skip]
mod apiregistration_v1beta1;
#[rustfmt::skip]
mod apps_v1;
#[rustfmt::skip]
mod apps_v1beta1;
#[rustfmt::skip]
mod apps_v1beta2;
#[rustfmt::skip]
mod authentication_v1;
#[rustfmt::skip]
mod authentication_v1beta1;
#[rustfmt::skip]
mod authorization_v1;
#[rustfmt::skip]
mod authorization_v1beta1;
#[rustfmt::skip]
mod autoscaling_v1;
#[rustfmt::skip]
mod autoscaling_v2;
#[rustfmt::skip]
mod autoscaling_v2beta1;
#[rustfmt::skip]
mod autoscaling_v2beta2;
#[rustfmt::skip]
mod batch_v1;
#[rustfmt::skip]
mod batch_v1beta1;
#[rustfmt::skip]
mod batch_v2alpha1;
#[rustfmt::skip]
mod certificates_v1;
#[rustfmt::skip]
mod certificates_v1beta1;
#[rustfmt::skip]
mod coordination_v1;
#[rustfmt::skip]
mod coordination_v1beta1;
#[rustfmt::skip]
mod core_v1;
#[rustfmt::skip]
mod discovery_v1;
#[rustfmt::skip]
mod discovery_v1beta1;
#[rustfmt::skip]
mod events_v1;
#[rustfmt::skip]
mod events_v1beta1;
#[rustfmt::skip]
mod extensions_v1beta1;
#[rustfmt::skip]
mod flowcontrol_v1;
#[rustfmt::skip]
mod flowcontrol_v1beta1;
#[rustfmt::skip]
mod flowcontrol_v1beta2;
#[rustfmt::skip]
mod flowcontrol_v1beta3;
#[rustfmt::skip]
mod meta_v1;
#[rustfmt::skip]
mod metrics_v1beta1;
#[rustfmt::skip]
mod networking_v1;
#[rustfmt::skip]
mod networking_v1beta1;
#[rustfmt::skip]
mod node_v1;
#[rustfmt::skip]
mod node_v1alpha1;
#[rustfmt::skip]
mod node_v1beta1;
#[rustfmt::skip]
mod policy_v1;
#[rustfmt::skip]
mod policy_v1beta1;
#[rustfmt::skip]
mod rbac_v1;
#[rustfmt::skip]
mod rbac_v1alpha1;
#[rustfmt::skip]
mod rbac_v1beta1;
#[rustfmt::skip]
mod resource_v1;
#[rustfmt::skip]
mod resource_v1beta1;
#[rustfmt::skip]
mod resource_v1beta2;
#[rustfmt::skip]
mod scheduling_v1;
#[rustfmt::skip]
mod scheduling_v1alpha1;
#[rustfmt::skip]
mod scheduling_v1alpha3;
#[rustfmt::skip]
mod scheduling_v1beta1;
#[rustfmt::skip]
mod settings_v1alpha1;
#[rustfmt::skip]
mod storage_v1;
#[rustfmt::skip]
mod storage_v1alpha1;
#[rustfmt::skip]
mod storage_v1beta1;
#[rustfmt::skip]
mod storagemigration_v1;
#[rustfmt::skip]
mod storagemigration_v1beta1;

mod prelude {
    pub(super) use super::super::Patch::*;
    pub(super) use super::super::Shape::*;
    pub(super) use super::super::Topology::*;
    pub(super) use super::super::{Type, field, omitted, pointer};
    pub(super) use super::*;
}

use super::Type;

/// The metadata of every list.
pub static LIST_METADATA: &Type = &meta_v1::ListMeta;

/// Every kind, ordered by group, version and kind.
#[rustfmt::skip]
pub static KINDS: &[(&str, &str, &str, &Type)] = &[
    ("", "v1", "APIGroup", &meta_v1::APIGroup),
    ("", "v1", "APIGroupList", &meta_v1::APIGroupList),
    ("", "v1", "APIResourceList", &meta_v1::APIResourceList),
    ("", "v1", "APIVersions", &meta_v1::APIVersions),
    ("", "v1", "Binding", &core_v1::Binding),
    ("", "v1", "ComponentStatus", &core_v1::ComponentStatus),
    ("", "v1", "ConfigMap", &core_v1::ConfigMap),
    ("", "v1", "DeleteOptions", &meta_v1::DeleteOptions),
    ("", "v1", "Endpoints", &core_v1::Endpoints),
    ("", "v1", "Event", &core_v1::Event),
    ("", "v1", "LimitRange", &core_v1::LimitRange),
    ("", "v1", "Namespace", &core_v1::Namespace),
    ("", "v1", "Node", &core_v1::Node),
    ("", "v1", "NodeProxyOptions", &core_v1::NodeProxyOptions),
    ("", "v1", "PersistentVolume", &core_v1::PersistentVolume),
    ("", "v1", "PersistentVolumeClaim", &core_v1::PersistentVolumeClaim),
    ("", "v1", "Pod", &core_v1::Pod),
    ("", "v1", "PodAttachOptions", &core_v1::PodAttachOptions),
    ("", "v1", "PodExecOptions", &core_v1::PodExecOptions),
    ("", "v1", "PodLogOptions", &core_v1::PodLogOptions),
    ("", "v1", "PodPortForwardOptions", &core_v1::PodPortForwardOptions),
    ("", "v1", "PodProxyOptions", &core_v1::PodProxyOptions),
    ("", "v1", "PodStatusResult", &core_v1::PodStatusResult),
    ("", "v1", "PodTemplate", &core_v1::PodTemplate),
    ("", "v1", "RangeAllocation", &core_v1::RangeAllocation),
    ("", "v1", "ReplicationController", &core_v1::ReplicationController),
    ("", "v1", "ResourceQuota", &core_v1::ResourceQuota),
    ("", "v1", "Secret", &core_v1::Secret),
    ("", "v1", "SerializedReference", &core_v1::SerializedReference),
    ("", "v1", "Service", &core_v1::Service),
    ("", "v1", "ServiceAccount", &core_v1::ServiceAccount),
    ("", "v1", "ServiceProxyOptions", &core_v1::ServiceProxyOptions),
    ("", "v1", "Status", &meta_v1::Status),
    ("admissionregistration.k8s.io", "v1", "MutatingAdmissionPolicy", &admissionregistration_v1::MutatingAdmissionPolicy),
    ("admissionregistration.k8s.io", "v1", "MutatingAdmissionPolicyBinding", &admissionregistration_v1::MutatingAdmissionPolicyBinding),
    ("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration", &admissionregistration_v1::MutatingWebhookConfiguration),
    ("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy", &admissionregistration_v1::ValidatingAdmissionPolicy),
    ("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicyBinding", &admissionregistration_v1::ValidatingAdmissionPolicyBinding),
    ("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration", &admissionregistration_v1::ValidatingWebhookConfiguration),
    ("admissionregistration.k8s.io", "v1beta1", "MutatingAdmissionPolicy", &admissionregistration_v1beta1::MutatingAdmissionPolicy),
    ("admissionregistration.k8s.io", "v1beta1", "MutatingAdmissionPolicyBinding", &admissionregistration_v1beta1::MutatingAdmissionPolicyBinding),
    ("admissionregistration.k8s.io", "v1beta1", "MutatingWebhookConfiguration", &admissionregistration_v1beta1::MutatingWebhookConfiguration),
    ("admissionregistration.k8s.io", "v1beta1", "ValidatingAdmissionPolicy", &admissionregistration_v1beta1::ValidatingAdmissionPolicy),
    ("admissionregistration.k8s.io", "v1beta1", "ValidatingAdmissionPolicyBinding", &admissionregistration_v1beta1::ValidatingAdmissionPolicyBinding),
    ("admissionregistration.k8s.io", "v1beta1", "ValidatingWebhookConfiguration", &admissionregistration_v1beta1::ValidatingWebhookConfiguration),
    ("apidiscovery.k8s.io", "v2", "APIGroupDiscovery", &apidiscovery_v2::APIGroupDiscovery),
    ("apidiscovery.k8s.io", "v2beta1", "APIGroupDiscovery", &apidiscovery_v2beta1::APIGroupDiscovery),
    ("apiextensions.k8s.io", "v1", "ConversionReview", &apiextensions_v1::ConversionReview),
    ("apiextensions.k8s.io", "v1", "CustomResourceDefinition", &apiextensions_v1::CustomResourceDefinition),
    ("apiextensions.k8s.io", "v1beta1", "ConversionReview", &apiextensions_v1beta1::ConversionReview),
    ("apiextensions.k8s.io", "v1beta1", "CustomResourceDefinition", &apiextensions_v1beta1::CustomResourceDefinition),
    ("apiregistration.k8s.io", "v1", "APIService", &apiregistration_v1::APIService),
    ("apiregistration.k8s.io", "v1beta1", "APIService", &apiregistration_v1beta1::APIService),
    ("apps", "v1", "ControllerRevision", &apps_v1::ControllerRevision),
    ("apps", "v1", "DaemonSet", &apps_v1::DaemonSet),
    ("apps", "v1", "Deployment", &apps_v1::Deployment),
    ("apps", "v1", "ReplicaSet", &apps_v1::ReplicaSet),
    ("apps", "v1", "StatefulSet", &apps_v1::StatefulSet),
    ("apps", "v1beta1", "ControllerRevision", &apps_v1beta1::ControllerRevision),
    ("apps", "v1beta1", "Deployment", &apps_v1beta1::Deployment),
    ("apps", "v1beta1", "DeploymentRollback", &apps_v1beta1::DeploymentRollback),
    ("apps", "v1beta1", "Scale", &apps_v1beta1::Scale),
    ("apps", "v1beta1", "StatefulSet", &apps_v1beta1::StatefulSet),
    ("apps", "v1beta2", "ControllerRevision", &apps_v1beta2::ControllerRevision),
    ("apps", "v1beta2", "DaemonSet", &apps_v1beta2::DaemonSet),
    ("apps", "v1beta2", "Deployment", &apps_v1beta2::Deployment),
    ("apps", "v1beta2", "ReplicaSet", &apps_v1beta2::ReplicaSet),
    ("apps", "v1beta2", "Scale", &apps_v1beta2::Scale),
    ("apps", "v1beta2", "StatefulSet", &apps_v1beta2::StatefulSet),
    ("authentication.k8s.io", "v1", "SelfSubjectReview", &authentication_v1::SelfSubjectReview),
    ("authentication.k8s.io", "v1", "TokenRequest", &authentication_v1::TokenRequest),
    ("authentication.k8s.io", "v1", "TokenReview", &authentication_v1::TokenReview),
    ("authentication.k8s.io", "v1beta1", "SelfSubjectReview", &authentication_v1beta1::SelfSubjectReview),
    ("authentication.k8s.io", "v1beta1", "TokenReview", &authentication_v1beta1::TokenReview),
    ("authorization.k8s.io", "v1", "LocalSubjectAccessReview", &authorization_v1::LocalSubjectAccessReview),
    ("authorization.k8s.io", "v1", "SelfSubjectAccessReview", &authorization_v1::SelfSubjectAccessReview),
    ("authorization.k8s.io", "v1", "SelfSubjectRulesReview", &authorization_v1::SelfSubjectRulesReview),
    ("authorization.k8s.io", "v1", "SubjectAccessReview", &authorization_v1::SubjectAccessReview),
    ("authorization.k8s.io", "v1beta1", "LocalSubjectAccessReview", &authorization_v1beta1::LocalSubjectAccessReview),
    ("authorization.k8s.io", "v1beta1", "SelfSubjectAccessReview", &authorization_v1beta1::SelfSubjectAccessReview),
    ("authorization.k8s.io", "v1beta1", "SelfSubjectRulesReview", &authorization_v1beta1::SelfSubjectRulesReview),
    ("authorization.k8s.io", "v1beta1", "SubjectAccessReview", &authorization_v1beta1::SubjectAccessReview),
    ("autoscaling", "v1", "HorizontalPodAutoscaler", &autoscaling_v1::HorizontalPodAutoscaler),
    ("autoscaling", "v1", "Scale", &autoscaling_v1::Scale),
    ("autoscaling", "v2", "HorizontalPodAutoscaler", &autoscaling_v2::HorizontalPodAutoscaler),
    ("autoscaling", "v2beta1", "HorizontalPodAutoscaler", &autoscaling_v2beta1::HorizontalPodAutoscaler),
    ("autoscaling", "v2beta2", "HorizontalPodAutoscaler", &autoscaling_v2beta2::HorizontalPodAutoscaler),
    ("batch", "v1", "CronJob", &batch_v1::CronJob),
    ("batch", "v1", "Job", &batch_v1::Job),
    ("batch", "v1beta1", "CronJob", &batch_v1beta1::CronJob),
    ("batch", "v1beta1", "JobTemplate", &batch_v1beta1::JobTemplate),
    ("batch", "v2alpha1", "CronJob", &batch_v2alpha1::CronJob),
    ("batch", "v2alpha1", "JobTemplate", &batch_v2alpha1::JobTemplate),
    ("certificates.k8s.io", "v1", "CertificateSigningRequest", &certificates_v1::CertificateSigningRequest),
    ("certificates.k8s.io", "v1", "ClusterTrustBundle", &certificates_v1::ClusterTrustBundle),
    ("certificates.k8s.io", "v1", "PodCertificateRequest", &certificates_v1::PodCertificateRequest),
    ("certificates.k8s.io", "v1beta1", "CertificateSigningRequest", &certificates_v1beta1::CertificateSigningRequest),
    ("certificates.k8s.io", "v1beta1", "ClusterTrustBundle", &certificates_v1beta1::ClusterTrustBundle),
    ("certificates.k8s.io", "v1beta1", "PodCertificateRequest", &certificates_v1beta1::PodCertificateRequest),
    ("coordination.k8s.io", "v1", "Lease", &coordination_v1::Lease),
    ("coordination.k8s.io", "v1beta1", "Lease", &coordination_v1beta1::Lease),
    ("coordination.k8s.io", "v1beta1", "LeaseCandidate", &coordination_v1beta1::LeaseCandidate),
    ("discovery.k8s.io", "v1", "EndpointSlice", &discovery_v1::EndpointSlice),
    ("discovery.k8s.io", "v1beta1", "EndpointSlice", &discovery_v1beta1::EndpointSlice),
    ("events.k8s.io", "v1", "Event", &events_v1::Event),
    ("events.k8s.io", "v1beta1", "Event", &events_v1beta1::Event),
    ("extensions", "v1beta1", "DaemonSet", &extensions_v1beta1::DaemonSet),
    ("extensions", "v1beta1", "Deployment", &extensions_v1beta1::Deployment),
    ("extensions", "v1beta1", "DeploymentRollback", &extensions_v1beta1::DeploymentRollback),
    ("extensions", "v1beta1", "Ingress", &extensions_v1beta1::Ingress),
    ("extensions", "v1beta1", "NetworkPolicy", &extensions_v1beta1::NetworkPolicy),
    ("extensions", "v1beta1", "PodSecurityPolicy", &extensions_v1beta1::PodSecurityPolicy),
    ("extensions", "v1beta1", "ReplicaSet", &extensions_v1beta1::ReplicaSet),
    ("extensions", "v1beta1", "Scale", &extensions_v1beta1::Scale),
    ("flowcontrol.apiserver.k8s.io", "v1", "FlowSchema", &flowcontrol_v1::FlowSchema),
    ("flowcontrol.apiserver.k8s.io", "v1", "PriorityLevelConfiguration", &flowcontrol_v1::PriorityLevelConfiguration),
    ("flowcontrol.apiserver.k8s.io", "v1beta1", "FlowSchema", &flowcontrol_v1beta1::FlowSchema),
    ("flowcontrol.apiserver.k8s.io", "v1beta1", "PriorityLevelConfiguration", &flowcontrol_v1beta1::PriorityLevelConfiguration),
    ("flowcontrol.apiserver.k8s.io", "v1beta2", "FlowSchema", &flowcontrol_v1beta2::FlowSchema),
    ("flowcontrol.apiserver.k8s.io", "v1beta2", "PriorityLevelConfiguration", &flowcontrol_v1beta2::PriorityLevelConfiguration),
    ("flowcontrol.apiserver.k8s.io", "v1beta3", "FlowSchema", &flowcontrol_v1beta3::FlowSchema),
    ("flowcontrol.apiserver.k8s.io", "v1beta3", "PriorityLevelConfiguration", &flowcontrol_v1beta3::PriorityLevelConfiguration),
    ("meta.k8s.io", "v1", "CreateOptions", &meta_v1::CreateOptions),
    ("meta.k8s.io", "v1", "DeleteOptions", &meta_v1::DeleteOptions),
    ("meta.k8s.io", "v1", "PartialObjectMetadata", &meta_v1::PartialObjectMetadata),
    ("meta.k8s.io", "v1", "PatchOptions", &meta_v1::PatchOptions),
    ("meta.k8s.io", "v1", "UpdateOptions", &meta_v1::UpdateOptions),
    ("metrics.k8s.io", "v1beta1", "NodeMetrics", &metrics_v1beta1::NodeMetrics),
    ("metrics.k8s.io", "v1beta1", "PodMetrics", &metrics_v1beta1::PodMetrics),
    ("networking.k8s.io", "v1", "IPAddress", &networking_v1::IPAddress),
    ("networking.k8s.io", "v1", "Ingress", &networking_v1::Ingress),
    ("networking.k8s.io", "v1", "IngressClass", &networking_v1::IngressClass),
    ("networking.k8s.io", "v1", "NetworkPolicy", &networking_v1::NetworkPolicy),
    ("networking.k8s.io", "v1", "ServiceCIDR", &networking_v1::ServiceCIDR),
    ("networking.k8s.io", "v1beta1", "IPAddress", &networking_v1beta1::IPAddress),
    ("networking.k8s.io", "v1beta1", "Ingress", &networking_v1beta1::Ingress),
    ("networking.k8s.io", "v1beta1", "IngressClass", &networking_v1beta1::IngressClass),
    ("networking.k8s.io", "v1beta1", "ServiceCIDR", &networking_v1beta1::ServiceCIDR),
    ("node.k8s.io", "v1", "RuntimeClass", &node_v1::RuntimeClass),
    ("node.k8s.io", "v1alpha1", "RuntimeClass", &node_v1alpha1::RuntimeClass),
    ("node.k8s.io", "v1beta1", "RuntimeClass", &node_v1beta1::RuntimeClass),
    ("policy", "v1", "Eviction", &policy_v1::Eviction),
    ("policy", "v1", "PodDisruptionBudget", &policy_v1::PodDisruptionBudget),
    ("policy", "v1beta1", "Eviction", &policy_v1beta1::Eviction),
    ("policy", "v1beta1", "PodDisruptionBudget", &policy_v1beta1::PodDisruptionBudget),
    ("policy", "v1beta1", "PodSecurityPolicy", &policy_v1beta1::PodSecurityPolicy),
    ("rbac.authorization.k8s.io", "v1", "ClusterRole", &rbac_v1::ClusterRole),
    ("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", &rbac_v1::ClusterRoleBinding),
    ("rbac.authorization.k8s.io", "v1", "Role", &rbac_v1::Role),
    ("rbac.authorization.k8s.io", "v1", "RoleBinding", &rbac_v1::RoleBinding),
    ("rbac.authorization.k8s.io", "v1alpha1", "ClusterRole", &rbac_v1alpha1::ClusterRole),
    ("rbac.authorization.k8s.io", "v1alpha1", "ClusterRoleBinding", &rbac_v1alpha1::ClusterRoleBinding),
    ("rbac.authorization.k8s.io", "v1alpha1", "Role", &rbac_v1alpha1::Role),
    ("rbac.authorization.k8s.io", "v1alpha1", "RoleBinding", &rbac_v1alpha1::RoleBinding),
    ("rbac.authorization.k8s.io", "v1beta1", "ClusterRole", &rbac_v1beta1::ClusterRole),
    ("rbac.authorization.k8s.io", "v1beta1", "ClusterRoleBinding", &rbac_v1beta1::ClusterRoleBinding),
    ("rbac.authorization.k8s.io", "v1beta1", "Role", &rbac_v1beta1::Role),
    ("rbac.authorization.k8s.io", "v1beta1", "RoleBinding", &rbac_v1beta1::RoleBinding),
    ("resource.k8s.io", "v1", "DeviceClass", &resource_v1::DeviceClass),
    ("resource.k8s.io", "v1", "DeviceTaintRule", &resource_v1::DeviceTaintRule),
    ("resource.k8s.io", "v1", "ResourceClaim", &resource_v1::ResourceClaim),
    ("resource.k8s.io", "v1", "ResourceClaimTemplate", &resource_v1::ResourceClaimTemplate),
    ("resource.k8s.io", "v1", "ResourceSlice", &resource_v1::ResourceSlice),
    ("resource.k8s.io", "v1beta1", "DeviceClass", &resource_v1beta1::DeviceClass),
    ("resource.k8s.io", "v1beta1", "ResourceClaim", &resource_v1beta1::ResourceClaim),
    ("resource.k8s.io", "v1beta1", "ResourceClaimTemplate", &resource_v1beta1::ResourceClaimTemplate),
    ("resource.k8s.io", "v1beta1", "ResourceSlice", &resource_v1beta1::ResourceSlice),
    ("resource.k8s.io", "v1beta2", "DeviceClass", &resource_v1beta2::DeviceClass),
    ("resource.k8s.io", "v1beta2", "DeviceTaintRule", &resource_v1beta2::DeviceTaintRule),
    ("resource.k8s.io", "v1beta2", "ResourceClaim", &resource_v1beta2::ResourceClaim),
    ("resource.k8s.io", "v1beta2", "ResourceClaimTemplate", &resource_v1beta2::ResourceClaimTemplate),
    ("resource.k8s.io", "v1beta2", "ResourceSlice", &resource_v1beta2::ResourceSlice),
    ("scheduling.k8s.io", "v1", "PriorityClass", &scheduling_v1::PriorityClass),
    ("scheduling.k8s.io", "v1alpha1", "PriorityClass", &scheduling_v1alpha1::PriorityClass),
    ("scheduling.k8s.io", "v1beta1", "PodGroup", &scheduling_v1beta1::PodGroup),
    ("scheduling.k8s.io", "v1beta1", "PriorityClass", &scheduling_v1beta1::PriorityClass),
    ("scheduling.k8s.io", "v1beta1", "Workload", &scheduling_v1beta1::Workload),
    ("settings.k8s.io", "v1alpha1", "PodPreset", &settings_v1alpha1::PodPreset),
    ("storage.k8s.io", "v1", "CSIDriver", &storage_v1::CSIDriver),
    ("storage.k8s.io", "v1", "CSINode", &storage_v1::CSINode),
    ("storage.k8s.io", "v1", "CSIStorageCapacity", &storage_v1::CSIStorageCapacity),
    ("storage.k8s.io", "v1", "StorageClass", &storage_v1::StorageClass),
    ("storage.k8s.io", "v1", "VolumeAttachment", &storage_v1::VolumeAttachment),
    ("storage.k8s.io", "v1", "VolumeAttributesClass", &storage_v1::VolumeAttributesClass),
    ("storage.k8s.io", "v1alpha1", "CSIStorageCapacity", &storage_v1alpha1::CSIStorageCapacity),
    ("storage.k8s.io", "v1alpha1", "VolumeAttachment", &storage_v1alpha1::VolumeAttachment),
    ("storage.k8s.io", "v1alpha1", "VolumeAttributesClass", &storage_v1alpha1::VolumeAttributesClass),
    ("storage.k8s.io", "v1beta1", "CSIDriver", &storage_v1beta1::CSIDriver),
    ("storage.k8s.io", "v1beta1", "CSINode", &storage_v1beta1::CSINode),
    ("storage.k8s.io", "v1beta1", "CSIStorageCapacity", &storage_v1beta1::CSIStorageCapacity),
    ("storage.k8s.io", "v1beta1", "StorageClass", &storage_v1beta1::StorageClass),
    ("storage.k8s.io", "v1beta1", "VolumeAttachment", &storage_v1beta1::VolumeAttachment),
    ("storage.k8s.io", "v1beta1", "VolumeAttributesClass", &storage_v1beta1::VolumeAttributesClass),
    ("storagemigration.k8s.io", "v1", "StorageVersionMigration", &storagemigration_v1::StorageVersionMigration),
    ("storagemigration.k8s.io", "v1beta1", "StorageVersionMigration", &storagemigration_v1beta1::StorageVersionMigration),
];
