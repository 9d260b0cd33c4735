//! Admission: what may change or refuse a write, after authorisation and before the store.
//!
//! One file per plugin, one line in [`PLUGINS`]. Each sees the stored old object, never one the
//! client described.

use async_trait::async_trait;
use registry::{Kind, Object};

use store::{RangeRequest, ReadAt};

use crate::call::Call;
use crate::kinds;
use crate::status::{ApiError, Subject};
use crate::storage::{self, Stored};

mod certificates;
mod claim_resize;
mod default_ingress_class;
mod default_storage_class;
mod default_toleration_seconds;
mod defaults_by_class;
mod deny_service_external_ips;
mod limit_ranger;
mod namespace_lifecycle;
mod node_restriction;
mod pod_preset;
mod pod_security;
mod pod_topology_labels;
mod priority;
mod rbac_escalation;
mod resource_quota;
mod runtime_class;
mod service_account;
mod service_addresses;
mod storage_protection;
mod taint_nodes_by_condition;

pub(crate) use resource_quota::Turns as QuotaTurns;

/// Every plugin, in the order they run, which is upstream's. What sets something aside comes late,
/// and quotas last: what they charge for is then sure to be written but for a race.
const PLUGINS: &[&dyn Plugin] = &[
    &namespace_lifecycle::NamespaceLifecycle,
    &pod_preset::PodPreset,
    &limit_ranger::LimitRanger,
    &service_account::ServiceAccount,
    &node_restriction::NodeRestriction,
    &taint_nodes_by_condition::TaintNodesByCondition,
    &pod_security::PodSecurity,
    &priority::Priority,
    &default_toleration_seconds::DefaultTolerationSeconds,
    &default_storage_class::DefaultStorageClass,
    &claim_resize::PersistentVolumeClaimResize,
    &storage_protection::StorageObjectInUseProtection,
    &runtime_class::RuntimeClass,
    &certificates::CertificateSigning,
    &certificates::ClusterTrustBundleAttest,
    &certificates::CertificateSubjectRestriction,
    &default_ingress_class::DefaultIngressClass,
    &deny_service_external_ips::DenyServiceExternalIps,
    &pod_topology_labels::PodTopologyLabels,
    &rbac_escalation::RbacEscalation,
    &service_addresses::ServiceAddresses,
    &resource_quota::ResourceQuota,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Update,
    Delete,
}

/// What is about to happen.
pub(crate) struct Attributes<'a> {
    pub(crate) call: &'a Call,
    pub(crate) operation: Operation,
    pub(crate) kind: &'static Kind,
    /// Empty for the object itself.
    pub(crate) subresource: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    /// As it stands in the store; none on creation.
    pub(crate) old: Option<&'a Object>,
}

impl Attributes<'_> {
    /// Whether the write is on this resource itself, or on its subresource.
    pub(crate) fn is(&self, group: &str, plural: &str, subresource: &str) -> bool {
        self.kind.group == group && self.kind.plural == plural && self.subresource == subresource
    }

    pub(crate) fn forbidden(&self, why: &str) -> ApiError {
        ApiError::forbidden(Subject::of(self.kind, self.name), why)
    }
}

/// Something a plugin set aside for the write; dropping it gives it back. It is dropped after the
/// write, when the store itself shows what was taken.
pub(crate) type Reservation = Box<dyn Send + Sync>;

#[async_trait]
pub(crate) trait Plugin: Send + Sync {
    fn name(&self) -> &'static str;

    fn handles(&self, attributes: &Attributes<'_>) -> bool;

    /// May change the object.
    async fn admit(&self, _attributes: &Attributes<'_>, _object: &mut Object) -> Result<Option<Reservation>, ApiError> {
        Ok(None)
    }

    /// Sees the final object; on deletion there is none.
    async fn validate(&self, _attributes: &Attributes<'_>, _object: Option<&Object>) -> Result<(), ApiError> {
        Ok(())
    }
}

pub(crate) async fn admit(attributes: &Attributes<'_>, object: &mut Object) -> Result<Vec<Reservation>, ApiError> {
    let mut reservations = Vec::new();
    for plugin in PLUGINS {
        if !plugin.handles(attributes) {
            continue;
        }
        let admitted = plugin.admit(attributes, object).await;
        if let Err(error) = &admitted {
            tracing::debug!(plugin = plugin.name(), reason = error.message(), "admission refused a write");
        }
        reservations.extend(admitted?);
    }
    Ok(reservations)
}

pub(crate) async fn validate(attributes: &Attributes<'_>, object: Option<&Object>) -> Result<(), ApiError> {
    for plugin in PLUGINS {
        if plugin.handles(attributes) {
            plugin.validate(attributes, object).await?;
        }
    }
    Ok(())
}

/// The objects of a kind in the namespace of the write, as memory holds them.
async fn objects_of_namespace(attributes: &Attributes<'_>, kind: &Kind) -> Result<Vec<Object>, ApiError> {
    objects_of(attributes, kind, attributes.namespace).await
}

/// The objects of a kind in some namespace, as memory holds them.
async fn objects_of(attributes: &Attributes<'_>, kind: &Kind, namespace: &str) -> Result<Vec<Object>, ApiError> {
    stored(attributes, kind, namespace).await?.iter().map(|stored| stored.decode()).collect()
}

/// The quotas of the namespace, with the revisions they stand at.
async fn quotas_of_namespace(attributes: &Attributes<'_>) -> Result<Vec<Stored>, ApiError> {
    stored(attributes, kinds::required("", "v1", "resourcequotas"), attributes.namespace).await
}

async fn stored(attributes: &Attributes<'_>, kind: &Kind, namespace: &str) -> Result<Vec<Stored>, ApiError> {
    let prefix = storage::prefix(kind, namespace);
    let request = RangeRequest { prefix, at: ReadAt::Memory, ..RangeRequest::default() };
    let range = attributes.call.server.storage.range(request).await?;
    Ok(range.entries.into_iter().map(Stored::from).collect())
}
