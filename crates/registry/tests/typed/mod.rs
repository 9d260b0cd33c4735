//! Objects through the types that were made from upstream's published schema.

use api::k8s::api as types;
use api::k8s::apiextensions_apiserver::pkg::apis::apiextensions;
use api::k8s::kube_aggregator::pkg::apis::apiregistration;
use registry::Kind;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Error, Value};

/// What the type of the kind makes of the object; `None` for requests that the published schema has no type of.
pub(crate) fn through(kind: &Kind, object: &Value) -> Option<Result<Value, Error>> {
    let read: fn(&Value) -> Result<Value, Error> = match (kind.group, kind.version, kind.kind) {
        ("", "v1", "Pod") => trip::<types::core::v1::Pod>,
        ("", "v1", "Service") => trip::<types::core::v1::Service>,
        ("", "v1", "Endpoints") => trip::<types::core::v1::Endpoints>,
        ("", "v1", "Namespace") => trip::<types::core::v1::Namespace>,
        ("", "v1", "Node") => trip::<types::core::v1::Node>,
        ("", "v1", "ConfigMap") => trip::<types::core::v1::ConfigMap>,
        ("", "v1", "Secret") => trip::<types::core::v1::Secret>,
        ("", "v1", "ServiceAccount") => trip::<types::core::v1::ServiceAccount>,
        ("", "v1", "Event") => trip::<types::core::v1::Event>,
        ("", "v1", "ReplicationController") => trip::<types::core::v1::ReplicationController>,
        ("", "v1", "PersistentVolume") => trip::<types::core::v1::PersistentVolume>,
        ("", "v1", "PersistentVolumeClaim") => trip::<types::core::v1::PersistentVolumeClaim>,
        ("", "v1", "PodTemplate") => trip::<types::core::v1::PodTemplate>,
        ("", "v1", "Binding") => trip::<types::core::v1::Binding>,
        ("", "v1", "LimitRange") => trip::<types::core::v1::LimitRange>,
        ("", "v1", "ResourceQuota") => trip::<types::core::v1::ResourceQuota>,
        ("", "v1", "ComponentStatus") => trip::<types::core::v1::ComponentStatus>,
        ("admissionregistration.k8s.io", version, kind) => match (version, kind) {
            ("v1", "MutatingAdmissionPolicy") => trip::<types::admissionregistration::v1::MutatingAdmissionPolicy>,
            ("v1", "MutatingAdmissionPolicyBinding") => {
                trip::<types::admissionregistration::v1::MutatingAdmissionPolicyBinding>
            }
            ("v1", "MutatingWebhookConfiguration") => {
                trip::<types::admissionregistration::v1::MutatingWebhookConfiguration>
            }
            ("v1", "ValidatingAdmissionPolicy") => trip::<types::admissionregistration::v1::ValidatingAdmissionPolicy>,
            ("v1", "ValidatingAdmissionPolicyBinding") => {
                trip::<types::admissionregistration::v1::ValidatingAdmissionPolicyBinding>
            }
            ("v1", "ValidatingWebhookConfiguration") => {
                trip::<types::admissionregistration::v1::ValidatingWebhookConfiguration>
            }
            ("v1beta1", "MutatingAdmissionPolicy") => {
                trip::<types::admissionregistration::v1beta1::MutatingAdmissionPolicy>
            }
            ("v1beta1", "MutatingAdmissionPolicyBinding") => {
                trip::<types::admissionregistration::v1beta1::MutatingAdmissionPolicyBinding>
            }
            _ => return None,
        },
        ("apiextensions.k8s.io", "v1", _) => trip::<apiextensions::v1::CustomResourceDefinition>,
        ("apiregistration.k8s.io", "v1", _) => trip::<apiregistration::v1::APIService>,
        ("apps", "v1", "Deployment") => trip::<types::apps::v1::Deployment>,
        ("apps", "v1", "ReplicaSet") => trip::<types::apps::v1::ReplicaSet>,
        ("apps", "v1", "StatefulSet") => trip::<types::apps::v1::StatefulSet>,
        ("apps", "v1", "DaemonSet") => trip::<types::apps::v1::DaemonSet>,
        ("apps", "v1", "ControllerRevision") => trip::<types::apps::v1::ControllerRevision>,
        ("authentication.k8s.io", "v1", "TokenReview") => trip::<types::authentication::v1::TokenReview>,
        ("authentication.k8s.io", "v1", "SelfSubjectReview") => trip::<types::authentication::v1::SelfSubjectReview>,
        ("authorization.k8s.io", "v1", "SubjectAccessReview") => trip::<types::authorization::v1::SubjectAccessReview>,
        ("authorization.k8s.io", "v1", "SelfSubjectAccessReview") => {
            trip::<types::authorization::v1::SelfSubjectAccessReview>
        }
        ("authorization.k8s.io", "v1", "LocalSubjectAccessReview") => {
            trip::<types::authorization::v1::LocalSubjectAccessReview>
        }
        ("authorization.k8s.io", "v1", "SelfSubjectRulesReview") => {
            trip::<types::authorization::v1::SelfSubjectRulesReview>
        }
        ("autoscaling", "v2", _) => trip::<types::autoscaling::v2::HorizontalPodAutoscaler>,
        ("autoscaling", "v1", _) => trip::<types::autoscaling::v1::HorizontalPodAutoscaler>,
        ("batch", "v1", "Job") => trip::<types::batch::v1::Job>,
        ("batch", "v1", "CronJob") => trip::<types::batch::v1::CronJob>,
        ("certificates.k8s.io", "v1", "CertificateSigningRequest") => {
            trip::<types::certificates::v1::CertificateSigningRequest>
        }
        ("certificates.k8s.io", "v1", "ClusterTrustBundle") => trip::<types::certificates::v1::ClusterTrustBundle>,
        ("certificates.k8s.io", "v1", "PodCertificateRequest") => {
            trip::<types::certificates::v1::PodCertificateRequest>
        }
        ("certificates.k8s.io", "v1beta1", "ClusterTrustBundle") => {
            trip::<types::certificates::v1beta1::ClusterTrustBundle>
        }
        ("certificates.k8s.io", "v1beta1", "PodCertificateRequest") => {
            trip::<types::certificates::v1beta1::PodCertificateRequest>
        }
        ("coordination.k8s.io", "v1", "Lease") => trip::<types::coordination::v1::Lease>,
        ("coordination.k8s.io", "v1beta1", "LeaseCandidate") => trip::<types::coordination::v1beta1::LeaseCandidate>,
        ("discovery.k8s.io", "v1", "EndpointSlice") => trip::<types::discovery::v1::EndpointSlice>,
        ("events.k8s.io", "v1", "Event") => trip::<types::events::v1::Event>,
        ("flowcontrol.apiserver.k8s.io", "v1", "FlowSchema") => trip::<types::flowcontrol::v1::FlowSchema>,
        ("flowcontrol.apiserver.k8s.io", "v1", "PriorityLevelConfiguration") => {
            trip::<types::flowcontrol::v1::PriorityLevelConfiguration>
        }
        ("networking.k8s.io", "v1", "Ingress") => trip::<types::networking::v1::Ingress>,
        ("networking.k8s.io", "v1", "IngressClass") => trip::<types::networking::v1::IngressClass>,
        ("networking.k8s.io", "v1", "NetworkPolicy") => trip::<types::networking::v1::NetworkPolicy>,
        // The beta is the stable version under another name.
        ("networking.k8s.io", _, "IPAddress") => trip::<types::networking::v1::IPAddress>,
        ("networking.k8s.io", _, "ServiceCIDR") => trip::<types::networking::v1::ServiceCIDR>,
        ("node.k8s.io", "v1", "RuntimeClass") => trip::<types::node::v1::RuntimeClass>,
        ("policy", "v1", "PodDisruptionBudget") => trip::<types::policy::v1::PodDisruptionBudget>,
        ("rbac.authorization.k8s.io", "v1", "ClusterRole") => trip::<types::rbac::v1::ClusterRole>,
        ("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding") => trip::<types::rbac::v1::ClusterRoleBinding>,
        ("rbac.authorization.k8s.io", "v1", "Role") => trip::<types::rbac::v1::Role>,
        ("rbac.authorization.k8s.io", "v1", "RoleBinding") => trip::<types::rbac::v1::RoleBinding>,
        ("resource.k8s.io", version, kind) => match (version, kind) {
            ("v1", "DeviceClass") => trip::<types::resource::v1::DeviceClass>,
            ("v1", "DeviceTaintRule") => trip::<types::resource::v1::DeviceTaintRule>,
            ("v1", "ResourceClaim") => trip::<types::resource::v1::ResourceClaim>,
            ("v1", "ResourceClaimTemplate") => trip::<types::resource::v1::ResourceClaimTemplate>,
            ("v1", "ResourceSlice") => trip::<types::resource::v1::ResourceSlice>,
            ("v1beta2", "DeviceClass") => trip::<types::resource::v1beta2::DeviceClass>,
            ("v1beta2", "DeviceTaintRule") => trip::<types::resource::v1beta2::DeviceTaintRule>,
            ("v1beta2", "ResourceClaim") => trip::<types::resource::v1beta2::ResourceClaim>,
            ("v1beta2", "ResourceClaimTemplate") => trip::<types::resource::v1beta2::ResourceClaimTemplate>,
            ("v1beta2", "ResourceSlice") => trip::<types::resource::v1beta2::ResourceSlice>,
            ("v1beta1", "DeviceClass") => trip::<types::resource::v1beta1::DeviceClass>,
            ("v1beta1", "ResourceClaim") => trip::<types::resource::v1beta1::ResourceClaim>,
            ("v1beta1", "ResourceClaimTemplate") => trip::<types::resource::v1beta1::ResourceClaimTemplate>,
            ("v1beta1", "ResourceSlice") => trip::<types::resource::v1beta1::ResourceSlice>,
            _ => return None,
        },
        ("scheduling.k8s.io", "v1", "PriorityClass") => trip::<types::scheduling::v1::PriorityClass>,
        ("scheduling.k8s.io", "v1beta1", "PodGroup") => trip::<types::scheduling::v1beta1::PodGroup>,
        ("scheduling.k8s.io", "v1beta1", "Workload") => trip::<types::scheduling::v1beta1::Workload>,
        ("storage.k8s.io", "v1", "CSIDriver") => trip::<types::storage::v1::CSIDriver>,
        ("storage.k8s.io", "v1", "CSINode") => trip::<types::storage::v1::CSINode>,
        ("storage.k8s.io", "v1", "CSIStorageCapacity") => trip::<types::storage::v1::CSIStorageCapacity>,
        ("storage.k8s.io", "v1", "StorageClass") => trip::<types::storage::v1::StorageClass>,
        ("storage.k8s.io", "v1", "VolumeAttachment") => trip::<types::storage::v1::VolumeAttachment>,
        // The beta is the stable version under another name.
        ("storage.k8s.io", _, "VolumeAttributesClass") => trip::<types::storage::v1::VolumeAttributesClass>,
        ("storagemigration.k8s.io", "v1", _) => trip::<types::storagemigration::v1::StorageVersionMigration>,
        ("storagemigration.k8s.io", "v1beta1", _) => trip::<types::storagemigration::v1beta1::StorageVersionMigration>,
        _ => return None,
    };
    Some(read(object))
}

fn trip<T: DeserializeOwned + Serialize>(object: &Value) -> Result<Value, Error> {
    serde_json::to_value(serde_json::from_value::<T>(object.clone())?)
}
