//! One file per kind: `<group>/<kind>.rs` holds its descriptor and its rules, [`KINDS`] lists them.
//!
//! Everything the API server does with a kind follows from its [`Kind`]: routes, discovery, OpenAPI,
//! table columns, defaults, validation. A handler that names a kind is a design error.

pub mod columns;
pub mod error;
pub mod fields;
pub mod human;
pub mod kind;
pub mod metadata;
pub mod names;
pub mod pod_spec;
mod workload;

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
pub mod networking;
pub mod node;
pub mod policy;
pub mod rbac;
pub mod scheduling;
pub mod storage;

pub use error::{FieldError, FieldErrorKind};
pub use kind::{Column, Kind, Object, Rules, Scale, Scope, WriteContext};
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
    &core::limit_range::LIMIT_RANGE,
    &core::resource_quota::RESOURCE_QUOTA,
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
    &batch::job::JOB,
    &batch::cron_job::CRON_JOB,
    &certificates::certificate_signing_request::CERTIFICATE_SIGNING_REQUEST,
    &coordination::lease::LEASE,
    &discovery::endpoint_slice::ENDPOINT_SLICE,
    &events::event::EVENT,
    &networking::ingress::INGRESS,
    &networking::ingress_class::INGRESS_CLASS,
    &networking::network_policy::NETWORK_POLICY,
    &node::runtime_class::RUNTIME_CLASS,
    &policy::pod_disruption_budget::POD_DISRUPTION_BUDGET,
    &rbac::cluster_role::CLUSTER_ROLE,
    &rbac::cluster_role_binding::CLUSTER_ROLE_BINDING,
    &rbac::role::ROLE,
    &rbac::role_binding::ROLE_BINDING,
    &scheduling::priority_class::PRIORITY_CLASS,
    &storage::csi_driver::CSI_DRIVER,
    &storage::csi_node::CSI_NODE,
    &storage::storage_class::STORAGE_CLASS,
    &storage::volume_attachment::VOLUME_ATTACHMENT,
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
