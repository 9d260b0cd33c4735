//! ReplicationControllers: ReplicaSets with a plain selector.

use api::Selector;
use api::k8s::api::apps::v1::ReplicaSetCondition;
use api::k8s::api::core::v1::{
    PodTemplateSpec, ReplicationController, ReplicationControllerCondition, ReplicationControllerStatus,
};
use api::selector::SelectorError;

use crate::context::Context;
use crate::podowner::PodOwner;
use crate::replicaset::{ReplicaCounts, ReplicaOwner, non_zero, run_for};

pub(crate) async fn run(context: Context) {
    run_for::<ReplicationController>(context, "replicationcontroller-controller").await;
}

impl PodOwner for ReplicationController {
    fn selector(&self) -> Result<Selector, SelectorError> {
        Ok(Selector::from_map(self.spec.iter().flat_map(|spec| spec.selector.iter().flatten())))
    }
}

impl ReplicaOwner for ReplicationController {
    fn replicas(&self) -> i32 {
        self.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
    }

    fn template(&self) -> Option<&PodTemplateSpec> {
        self.spec.as_ref().and_then(|spec| spec.template.as_ref())
    }

    fn min_ready_seconds(&self) -> i32 {
        self.spec.as_ref().and_then(|spec| spec.min_ready_seconds).unwrap_or(0)
    }

    fn counts(&self) -> ReplicaCounts {
        let Some(status) = &self.status else { return ReplicaCounts::default() };
        ReplicaCounts {
            replicas: status.replicas,
            fully_labeled: status.fully_labeled_replicas.unwrap_or(0),
            ready: status.ready_replicas.unwrap_or(0),
            available: status.available_replicas.unwrap_or(0),
            // The older kind does not report it; see below.
            terminating: 0,
            observed_generation: status.observed_generation.unwrap_or(0),
            conditions: status.conditions.iter().flatten().map(to_common).collect(),
        }
    }

    fn with_counts(&self, counts: ReplicaCounts) -> Self {
        let status = ReplicationControllerStatus {
            replicas: counts.replicas,
            fully_labeled_replicas: non_zero(counts.fully_labeled),
            ready_replicas: non_zero(counts.ready),
            available_replicas: non_zero(counts.available),
            observed_generation: Some(counts.observed_generation),
            conditions: (!counts.conditions.is_empty())
                .then(|| counts.conditions.into_iter().map(from_common).collect()),
        };
        ReplicationController { status: Some(status), ..self.clone() }
    }

    const REPORTS_TERMINATING: bool = false;
}

fn to_common(condition: &ReplicationControllerCondition) -> ReplicaSetCondition {
    ReplicaSetCondition {
        type_: Some(condition.type_.clone()),
        status: Some(condition.status.clone()),
        reason: condition.reason.clone(),
        message: condition.message.clone(),
        last_transition_time: condition.last_transition_time.clone(),
    }
}

fn from_common(condition: ReplicaSetCondition) -> ReplicationControllerCondition {
    ReplicationControllerCondition {
        type_: condition.type_.unwrap_or_default(),
        status: condition.status.unwrap_or_default(),
        reason: condition.reason,
        message: condition.message,
        last_transition_time: condition.last_transition_time,
    }
}
