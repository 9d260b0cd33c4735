//! What the kinds that replicate one pod template have in common.

use api::Selector;
use api::k8s::api::apps::v1::{ReplicaSet, ReplicaSetCondition, ReplicaSetStatus};
use api::k8s::api::core::v1::PodTemplateSpec;
use api::selector::SelectorError;
use serde::Serialize;

use crate::podowner::PodOwner;

pub(crate) trait ReplicaOwner: PodOwner + Serialize {
    fn replicas(&self) -> i32;
    fn template(&self) -> Option<&PodTemplateSpec>;
    fn min_ready_seconds(&self) -> i32;
    fn counts(&self) -> ReplicaCounts;
    fn with_counts(&self, counts: ReplicaCounts) -> Self;

    /// Whether the kind's status says how many of its pods are on their way out.
    const REPORTS_TERMINATING: bool = true;
}

/// The status both kinds have.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ReplicaCounts {
    pub(crate) replicas: i32,
    pub(crate) fully_labeled: i32,
    pub(crate) ready: i32,
    pub(crate) available: i32,
    pub(crate) terminating: i32,
    pub(crate) observed_generation: i64,
    pub(crate) conditions: Vec<ReplicaSetCondition>,
}

impl PodOwner for ReplicaSet {
    fn selector(&self) -> Result<Selector, SelectorError> {
        Selector::from_label_selector(&self.spec.selector)
    }
}

impl ReplicaOwner for ReplicaSet {
    fn replicas(&self) -> i32 {
        self.spec.replicas.unwrap_or(1)
    }

    fn template(&self) -> Option<&PodTemplateSpec> {
        self.spec.template.as_ref()
    }

    fn min_ready_seconds(&self) -> i32 {
        self.spec.min_ready_seconds.unwrap_or(0)
    }

    fn counts(&self) -> ReplicaCounts {
        let Some(status) = &self.status else { return ReplicaCounts::default() };
        ReplicaCounts {
            replicas: status.replicas,
            fully_labeled: status.fully_labeled_replicas.unwrap_or(0),
            ready: status.ready_replicas.unwrap_or(0),
            available: status.available_replicas.unwrap_or(0),
            terminating: status.terminating_replicas.unwrap_or(0),
            observed_generation: status.observed_generation.unwrap_or(0),
            conditions: status.conditions.clone().unwrap_or_default(),
        }
    }

    fn with_counts(&self, counts: ReplicaCounts) -> Self {
        let status = ReplicaSetStatus {
            replicas: counts.replicas,
            fully_labeled_replicas: non_zero(counts.fully_labeled),
            ready_replicas: non_zero(counts.ready),
            available_replicas: non_zero(counts.available),
            terminating_replicas: Some(counts.terminating),
            observed_generation: Some(counts.observed_generation),
            conditions: (!counts.conditions.is_empty()).then_some(counts.conditions),
        };
        ReplicaSet { status: Some(status), ..self.clone() }
    }
}

/// Zero counts are left out, as upstream's encoding does.
pub(crate) fn non_zero(count: i32) -> Option<i32> {
    (count != 0).then_some(count)
}
