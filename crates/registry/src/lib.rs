//! One file per kind: `<group>/<kind>.rs` holds its descriptor and its rules, [`KINDS`] lists them.
//!
//! Everything the API server does with a kind follows from its [`Kind`]: routes, discovery, OpenAPI,
//! table columns, defaults, validation. A handler that names a kind is a design error.

pub mod columns;
pub mod error;
pub mod fields;
pub mod human;
pub mod kind;
pub mod legacy;
pub mod metadata;
pub mod metrics;
pub mod names;
pub mod pod_spec;
pub mod quota;
#[cfg(test)]
mod testing;
mod webhook_client;
mod workload;

pub mod admissionregistration;
pub mod apiextensions;
pub mod apiregistration;
pub mod apps;
pub mod authentication;
pub mod authorization;
pub mod autoscaling;
pub mod batch;
pub mod certificates;
pub mod coordination;
pub mod core;
pub mod discovery;
pub mod events;
pub mod flowcontrol;
pub mod networking;
pub mod node;
pub mod policy;
pub mod rbac;
pub mod resource;
pub mod scheduling;
pub mod storage;
pub mod storagemigration;

pub use error::{FieldError, FieldErrorKind};
pub use kind::{Column, Conversion, Deprecation, Kind, Object, Rules, Scale, Scope, WriteContext, Writer};
pub use names::NameRule;

/// Every kind served, in the order of discovery.
#[rustfmt::skip]
pub static KINDS: &[&Kind] = &[
    &core::pod::POD,
    &core::service::SERVICE,
    &core::endpoints::ENDPOINTS,
    &core::namespace::NAMESPACE,
    &core::node::NODE,
    &core::config_map::CONFIG_MAP,
    &core::secret::SECRET,
    &core::service_account::SERVICE_ACCOUNT,
    &core::event::EVENT,
    &core::replication_controller::REPLICATION_CONTROLLER,
    &core::persistent_volume::PERSISTENT_VOLUME,
    &core::persistent_volume_claim::PERSISTENT_VOLUME_CLAIM,
    &core::pod_template::POD_TEMPLATE,
    &core::binding::BINDING,
    &core::limit_range::LIMIT_RANGE,
    &core::resource_quota::RESOURCE_QUOTA,
    &core::component_status::COMPONENT_STATUS,
    &admissionregistration::mutating_admission_policy::MUTATING_ADMISSION_POLICY,
    &admissionregistration::mutating_admission_policy_binding::MUTATING_ADMISSION_POLICY_BINDING,
    &admissionregistration::mutating_webhook_configuration::MUTATING_WEBHOOK_CONFIGURATION,
    &admissionregistration::validating_admission_policy::VALIDATING_ADMISSION_POLICY,
    &admissionregistration::validating_admission_policy_binding::VALIDATING_ADMISSION_POLICY_BINDING,
    &admissionregistration::validating_webhook_configuration::VALIDATING_WEBHOOK_CONFIGURATION,
    &admissionregistration::mutating_admission_policy::MUTATING_ADMISSION_POLICY_V1BETA1,
    &admissionregistration::mutating_admission_policy_binding::MUTATING_ADMISSION_POLICY_BINDING_V1BETA1,
    &apiextensions::custom_resource_definition::CUSTOM_RESOURCE_DEFINITION,
    &apiregistration::api_service::API_SERVICE,
    &apps::deployment::DEPLOYMENT,
    &apps::replica_set::REPLICA_SET,
    &apps::stateful_set::STATEFUL_SET,
    &apps::daemon_set::DAEMON_SET,
    &apps::controller_revision::CONTROLLER_REVISION,
    &authentication::token_review::TOKEN_REVIEW,
    &authentication::self_subject_review::SELF_SUBJECT_REVIEW,
    &authorization::subject_access_review::SUBJECT_ACCESS_REVIEW,
    &authorization::self_subject_access_review::SELF_SUBJECT_ACCESS_REVIEW,
    &authorization::local_subject_access_review::LOCAL_SUBJECT_ACCESS_REVIEW,
    &authorization::self_subject_rules_review::SELF_SUBJECT_RULES_REVIEW,
    &autoscaling::horizontal_pod_autoscaler::HORIZONTAL_POD_AUTOSCALER,
    &autoscaling::horizontal_pod_autoscaler_v1::HORIZONTAL_POD_AUTOSCALER_V1,
    &batch::job::JOB,
    &batch::cron_job::CRON_JOB,
    &certificates::certificate_signing_request::CERTIFICATE_SIGNING_REQUEST,
    &certificates::cluster_trust_bundle::CLUSTER_TRUST_BUNDLE,
    &certificates::cluster_trust_bundle::CLUSTER_TRUST_BUNDLE_V1BETA1,
    &certificates::pod_certificate_request::POD_CERTIFICATE_REQUEST,
    &certificates::pod_certificate_request::POD_CERTIFICATE_REQUEST_V1BETA1,
    &coordination::lease::LEASE,
    &coordination::lease_candidate::LEASE_CANDIDATE,
    &discovery::endpoint_slice::ENDPOINT_SLICE,
    &events::event::EVENT,
    &flowcontrol::flow_schema::FLOW_SCHEMA,
    &flowcontrol::priority_level_configuration::PRIORITY_LEVEL_CONFIGURATION,
    &networking::ingress::INGRESS,
    &networking::ingress_class::INGRESS_CLASS,
    &networking::network_policy::NETWORK_POLICY,
    &networking::ip_address::IP_ADDRESS,
    &networking::service_cidr::SERVICE_CIDR,
    &node::runtime_class::RUNTIME_CLASS,
    &policy::pod_disruption_budget::POD_DISRUPTION_BUDGET,
    &rbac::cluster_role::CLUSTER_ROLE,
    &rbac::cluster_role_binding::CLUSTER_ROLE_BINDING,
    &rbac::role::ROLE,
    &rbac::role_binding::ROLE_BINDING,
    &resource::device_class::DEVICE_CLASS,
    &resource::device_taint_rule::DEVICE_TAINT_RULE,
    &resource::resource_claim::RESOURCE_CLAIM,
    &resource::resource_claim_template::RESOURCE_CLAIM_TEMPLATE,
    &resource::resource_slice::RESOURCE_SLICE,
    &resource::device_class::DEVICE_CLASS_V1BETA2,
    &resource::device_taint_rule::DEVICE_TAINT_RULE_V1BETA2,
    &resource::resource_claim::RESOURCE_CLAIM_V1BETA2,
    &resource::resource_claim_template::RESOURCE_CLAIM_TEMPLATE_V1BETA2,
    &resource::resource_slice::RESOURCE_SLICE_V1BETA2,
    &resource::device_class::DEVICE_CLASS_V1BETA1,
    &resource::resource_claim::RESOURCE_CLAIM_V1BETA1,
    &resource::resource_claim_template::RESOURCE_CLAIM_TEMPLATE_V1BETA1,
    &resource::resource_slice::RESOURCE_SLICE_V1BETA1,
    &scheduling::priority_class::PRIORITY_CLASS,
    &scheduling::pod_group::POD_GROUP,
    &scheduling::workload::WORKLOAD,
    &storage::csi_driver::CSI_DRIVER,
    &storage::csi_node::CSI_NODE,
    &storage::csi_storage_capacity::CSI_STORAGE_CAPACITY,
    &storage::storage_class::STORAGE_CLASS,
    &storage::volume_attachment::VOLUME_ATTACHMENT,
    &storage::volume_attributes_class::VOLUME_ATTRIBUTES_CLASS,
    &storagemigration::storage_version_migration::STORAGE_VERSION_MIGRATION,
    &storagemigration::storage_version_migration::STORAGE_VERSION_MIGRATION_V1BETA1,
    &legacy::apps::DEPLOYMENT_V1BETA2,
    &legacy::apps::REPLICA_SET_V1BETA2,
    &legacy::apps::STATEFUL_SET_V1BETA2,
    &legacy::apps::DAEMON_SET_V1BETA2,
    &legacy::apps::CONTROLLER_REVISION_V1BETA2,
    &legacy::apps::DEPLOYMENT_V1BETA1,
    &legacy::apps::STATEFUL_SET_V1BETA1,
    &legacy::apps::CONTROLLER_REVISION_V1BETA1,
    &legacy::networking::INGRESS_V1BETA1,
    &legacy::networking::INGRESS_CLASS_V1BETA1,
    &legacy::networking::IP_ADDRESS_V1BETA1,
    &legacy::networking::SERVICE_CIDR_V1BETA1,
    &legacy::policy::POD_DISRUPTION_BUDGET_V1BETA1,
    &legacy::policy::POD_SECURITY_POLICY,
    &legacy::rbac::ROLE_V1BETA1,
    &legacy::rbac::ROLE_BINDING_V1BETA1,
    &legacy::rbac::CLUSTER_ROLE_V1BETA1,
    &legacy::rbac::CLUSTER_ROLE_BINDING_V1BETA1,
    &legacy::rbac::ROLE_V1ALPHA1,
    &legacy::rbac::ROLE_BINDING_V1ALPHA1,
    &legacy::rbac::CLUSTER_ROLE_V1ALPHA1,
    &legacy::rbac::CLUSTER_ROLE_BINDING_V1ALPHA1,
    &legacy::flowcontrol::FLOW_SCHEMA_V1BETA3,
    &legacy::flowcontrol::FLOW_SCHEMA_V1BETA2,
    &legacy::flowcontrol::FLOW_SCHEMA_V1BETA1,
    &legacy::flowcontrol::PRIORITY_LEVEL_CONFIGURATION_V1BETA3,
    &legacy::flowcontrol::PRIORITY_LEVEL_CONFIGURATION_V1BETA2,
    &legacy::flowcontrol::PRIORITY_LEVEL_CONFIGURATION_V1BETA1,
    &legacy::discovery::ENDPOINT_SLICE_V1BETA1,
    &legacy::certificates::CERTIFICATE_SIGNING_REQUEST_V1BETA1,
    &legacy::webhooks::VALIDATING_WEBHOOK_CONFIGURATION_V1BETA1,
    &legacy::webhooks::MUTATING_WEBHOOK_CONFIGURATION_V1BETA1,
    &legacy::webhooks::VALIDATING_ADMISSION_POLICY_V1BETA1,
    &legacy::webhooks::VALIDATING_ADMISSION_POLICY_BINDING_V1BETA1,
    &legacy::definitions::CUSTOM_RESOURCE_DEFINITION_V1BETA1,
    &legacy::reviews::TOKEN_REVIEW_V1BETA1,
    &legacy::reviews::SELF_SUBJECT_REVIEW_V1BETA1,
    &legacy::reviews::SELF_SUBJECT_ACCESS_REVIEW_V1BETA1,
    &legacy::reviews::SELF_SUBJECT_RULES_REVIEW_V1BETA1,
    &legacy::reviews::SUBJECT_ACCESS_REVIEW_V1BETA1,
    &legacy::reviews::LOCAL_SUBJECT_ACCESS_REVIEW_V1BETA1,
    &legacy::node::RUNTIME_CLASS_V1BETA1,
    &legacy::node::RUNTIME_CLASS_V1ALPHA1,
    &legacy::autoscaling::HORIZONTAL_POD_AUTOSCALER_V2BETA1,
    &legacy::alike::API_SERVICE_V1BETA1,
    &legacy::alike::HORIZONTAL_POD_AUTOSCALER_V2BETA2,
    &legacy::alike::CRON_JOB_V1BETA1,
    &legacy::alike::CRON_JOB_V2ALPHA1,
    &legacy::alike::LEASE_V1BETA1,
    &legacy::alike::EVENT_V1BETA1,
    &legacy::alike::PRIORITY_CLASS_V1BETA1,
    &legacy::alike::PRIORITY_CLASS_V1ALPHA1,
    &legacy::alike::STORAGE_CLASS_V1BETA1,
    &legacy::alike::VOLUME_ATTACHMENT_V1BETA1,
    &legacy::alike::VOLUME_ATTACHMENT_V1ALPHA1,
    &legacy::alike::CSI_DRIVER_V1BETA1,
    &legacy::alike::CSI_NODE_V1BETA1,
    &legacy::alike::CSI_STORAGE_CAPACITY_V1BETA1,
    &legacy::alike::CSI_STORAGE_CAPACITY_V1ALPHA1,
    &legacy::alike::VOLUME_ATTRIBUTES_CLASS_V1BETA1,
    &legacy::alike::VOLUME_ATTRIBUTES_CLASS_V1ALPHA1,
    &legacy::settings::POD_PRESET,
    &legacy::apps::EXTENSIONS_DEPLOYMENT,
    &legacy::apps::EXTENSIONS_DAEMON_SET,
    &legacy::apps::EXTENSIONS_REPLICA_SET,
    &legacy::networking::EXTENSIONS_INGRESS,
    &legacy::networking::EXTENSIONS_NETWORK_POLICY,
    &legacy::policy::EXTENSIONS_POD_SECURITY_POLICY,
];

/// The kind of a resource path: `apps`, `v1`, `deployments`.
pub fn by_resource(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.group == group && kind.version == version && kind.plural == plural)
}

/// The kind an object states: `apps`, `v1`, `Deployment`.
pub fn by_kind(group: &str, version: &str, kind: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|known| known.group == group && known.version == version && known.kind == kind)
}

/// The kind an object states in one string: `apps/v1`, `Deployment`.
pub fn by_api_version(api_version: &str, kind: &str) -> Option<&'static Kind> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    by_kind(group, version, kind)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_kinds_share_a_path_or_a_name() {
        let paths: BTreeSet<_> = KINDS.iter().map(|kind| (kind.group, kind.version, kind.plural)).collect();
        let names: BTreeSet<_> = KINDS.iter().map(|kind| (kind.group, kind.version, kind.kind)).collect();
        assert_eq!((paths.len(), names.len()), (KINDS.len(), KINDS.len()));
        for kind in KINDS {
            assert!(std::ptr::eq(by_resource(kind.group, kind.version, kind.plural).unwrap(), *kind));
            assert!(std::ptr::eq(by_api_version(&kind.api_version(), kind.kind).unwrap(), *kind));
        }
    }

    #[test]
    fn a_row_has_a_cell_for_every_column() {
        let now = "2030-01-01T00:00:00Z".parse().unwrap();
        for kind in KINDS {
            assert_eq!(kind.rules.columns().len(), kind.rules.row(&Object::new(), now).len(), "{kind:?}");
        }
    }

    #[test]
    fn defaulting_twice_is_defaulting_once() {
        for kind in KINDS {
            let mut once = Object::from_iter([("spec".to_owned(), serde_json::json!({}))]);
            kind.rules.default(&mut once);
            let mut twice = once.clone();
            kind.rules.default(&mut twice);
            assert_eq!(once, twice, "{kind:?}");
        }
    }
}
