//! What to report of the pods there are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::k8s::api::apps::v1::ReplicaSetCondition;
use api::k8s::api::core::v1::Pod;
use api::k8s::apimachinery::pkg::apis::meta::v1::Time;
use api::k8s::jiff::Timestamp;

use super::owner::{ReplicaCounts, ReplicaOwner};
use super::round_up;
use crate::error::ReconcileError;
use crate::pods;

const REPLICA_FAILURE: &str = "ReplicaFailure";

pub(super) fn plan_status<O: ReplicaOwner>(
    owner: &O,
    active: &[Arc<Pod>],
    terminating: usize,
    failure: Option<&ReconcileError>,
    now: Timestamp,
) -> ReplicaCounts {
    let template_labels = owner.template().and_then(|template| template.metadata.as_ref()?.labels.as_ref());
    let count = |matches: &dyn Fn(&Pod) -> bool| to_count(active.iter().filter(|pod| matches(pod)).count());
    ReplicaCounts {
        replicas: to_count(active.len()),
        fully_labeled: count(&|pod| has_all(pod.metadata.labels.as_ref(), template_labels)),
        ready: count(&pods::is_ready),
        available: count(&|pod| pods::is_available(pod, owner.min_ready_seconds(), now)),
        terminating: if O::REPORTS_TERMINATING { to_count(terminating) } else { 0 },
        observed_generation: owner.meta().generation.unwrap_or(0),
        conditions: plan_conditions(owner, active.len(), failure, now),
    }
}

/// When the next pod that is ready now becomes available.
pub(super) fn next_availability<O: ReplicaOwner>(owner: &O, active: &[Arc<Pod>], now: Timestamp) -> Option<Duration> {
    let minimum = owner.min_ready_seconds();
    if minimum <= 0 {
        return None;
    }
    let waits = active.iter().filter_map(|pod| pods::time_until_available(pod, minimum, now));
    waits.filter(|wait| !wait.is_zero()).min().map(round_up)
}

fn plan_conditions<O: ReplicaOwner>(
    owner: &O,
    active: usize,
    failure: Option<&ReconcileError>,
    now: Timestamp,
) -> Vec<ReplicaSetCondition> {
    let old = owner.counts().conditions;
    let is_failure = |condition: &ReplicaSetCondition| condition.type_.as_deref() == Some(REPLICA_FAILURE);
    let mut conditions: Vec<_> = old.iter().filter(|condition| !is_failure(condition)).cloned().collect();
    if let Some(failure) = failure {
        let is_short = active < usize::try_from(owner.replicas()).unwrap_or(0);
        let reason = if is_short { "FailedCreate" } else { "FailedDelete" };
        let known = old.iter().find(|condition| is_failure(condition) && condition.reason.as_deref() == Some(reason));
        conditions.push(known.cloned().unwrap_or_else(|| ReplicaSetCondition {
            type_: Some(REPLICA_FAILURE.to_owned()),
            status: Some("True".to_owned()),
            reason: Some(reason.to_owned()),
            message: Some(failure.call().map_or_else(|| failure.to_string(), ToString::to_string)),
            last_transition_time: Some(Time(now)),
        }));
    }
    conditions
}

fn has_all(labels: Option<&BTreeMap<String, String>>, wanted: Option<&BTreeMap<String, String>>) -> bool {
    wanted.into_iter().flatten().all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
}

fn to_count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
