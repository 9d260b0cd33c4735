//! What a Deployment reports of itself.

use std::sync::Arc;
use std::time::Duration;

use api::k8s::api::apps::v1::{DeploymentCondition, DeploymentStatus, ReplicaSet};
use api::k8s::jiff::Timestamp;

use super::condition::{self, AVAILABLE, NEW_REPLICA_SET_AVAILABLE, PROGRESSING, REPLICA_FAILURE, TIMED_OUT};
use super::view::View;
use crate::replicaset::non_zero;

/// A status, and when to look again if nothing happens: then the rollout has taken too long.
pub(super) struct Planned {
    pub(super) status: DeploymentStatus,
    pub(super) deadline: Option<Duration>,
}

/// Numbers and availability; progress is not judged while the Deployment is paused, scaled or going.
pub(super) fn counts_only(view: &View, now: Timestamp) -> Planned {
    Planned { status: counts(view, now), deadline: None }
}

/// The present status with other conditions.
pub(super) fn with_conditions(view: &View, conditions: Vec<DeploymentCondition>) -> Planned {
    let status = view.deployment().status.clone().unwrap_or_default();
    Planned { status: DeploymentStatus { conditions: Some(conditions), ..status }, deadline: None }
}

/// The present status with one more collision of hashes.
pub(super) fn with_collision(view: &View) -> Planned {
    let mut status = view.deployment().status.clone().unwrap_or_default();
    status.collision_count = Some(status.collision_count.unwrap_or(0).saturating_add(1));
    Planned { status, deadline: None }
}

pub(super) fn creation_failed(view: &View, message: &str, now: Timestamp) -> Planned {
    let mut conditions = condition::current(view);
    condition::set(&mut conditions, condition::new(PROGRESSING, "False", "ReplicaSetCreateError", message, now));
    with_conditions(view, conditions)
}

/// Numbers, availability, progress and failures. `created` names the new ReplicaSet where it was
/// made just now and the view does not show it yet.
pub(super) fn progressing(view: &View, now: Timestamp, created: Option<&str>) -> Planned {
    let mut status = counts(view, now);
    let mut conditions = status.conditions.take().unwrap_or_default();
    if condition::has_deadline(view) {
        judge_progress(view, &status, &mut conditions, created, now);
    } else {
        condition::remove(&mut conditions, PROGRESSING);
    }
    match replica_failure(view) {
        Some(failure) => condition::set(&mut conditions, failure),
        None => condition::remove(&mut conditions, REPLICA_FAILURE),
    }
    status.conditions = Some(conditions).filter(|conditions| !conditions.is_empty());
    let deadline = deadline(view, &status, now);
    Planned { status, deadline }
}

fn counts(view: &View, now: Timestamp) -> DeploymentStatus {
    let old = view.deployment().status.as_ref();
    let sum = |count: fn(&ReplicaSet) -> i32| view.all().map(|set| count(set)).sum::<i32>();
    let available = view.total_available();
    let mut conditions = condition::current(view);
    let condition = if available >= view.replicas() - view.max_unavailable() {
        let message = "Deployment has minimum availability.";
        condition::new(AVAILABLE, "True", "MinimumReplicasAvailable", message, now)
    } else {
        let message = "Deployment does not have minimum availability.";
        condition::new(AVAILABLE, "False", "MinimumReplicasUnavailable", message, now)
    };
    condition::set(&mut conditions, condition);
    DeploymentStatus {
        observed_generation: view.deployment().metadata.generation,
        replicas: non_zero(sum(reported_replicas)),
        updated_replicas: non_zero(view.new_set().map_or(0, |new| reported_replicas(new))),
        ready_replicas: non_zero(sum(|set| set.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0))),
        available_replicas: non_zero(available),
        unavailable_replicas: non_zero((view.total_size() - available).max(0)),
        terminating_replicas: terminating(view),
        collision_count: old.and_then(|status| status.collision_count),
        conditions: Some(conditions),
    }
}

fn reported_replicas(replica_set: &ReplicaSet) -> i32 {
    replica_set.status.as_ref().map_or(0, |status| status.replicas)
}

/// Unknown while any ReplicaSet does not say.
fn terminating(view: &View) -> Option<i32> {
    view.all().map(|set| set.status.as_ref()?.terminating_replicas).sum()
}

fn judge_progress(
    view: &View,
    status: &DeploymentStatus,
    conditions: &mut Vec<DeploymentCondition>,
    created: Option<&str>,
    now: Timestamp,
) {
    let present = condition::find(conditions, PROGRESSING).cloned();
    let reason = present.as_ref().and_then(|condition| condition.reason.as_deref());
    if let Some(name) = created {
        let message = format!("Created new replica set {name:?}");
        return condition::set(conditions, condition::new(PROGRESSING, "True", "NewReplicaSetCreated", &message, now));
    }
    let was_complete = status.replicas == status.updated_replicas && reason == Some(NEW_REPLICA_SET_AVAILABLE);
    if was_complete {
        return;
    }
    let subject = view.new_set().map_or_else(|| format!("Deployment {:?}", view.name()), quoted);
    if view.completes(status) {
        let message = format!("{subject} has successfully progressed.");
        condition::set(conditions, condition::new(PROGRESSING, "True", NEW_REPLICA_SET_AVAILABLE, &message, now));
    } else if makes_progress(view, status) || present.is_none() {
        // Set anew even where it stands already: its update time is when progress was last seen.
        let message = format!("{subject} is progressing.");
        let mut condition = condition::new(PROGRESSING, "True", "ReplicaSetUpdated", &message, now);
        if let Some(present) = present
            && present.status == condition.status
        {
            condition.last_transition_time = present.last_transition_time;
        }
        condition::remove(conditions, PROGRESSING);
        conditions.push(condition);
    } else if time_left(view, present.as_ref(), now).is_some_and(|left| left.is_zero()) {
        let message = format!("{subject} has timed out progressing.");
        condition::set(conditions, condition::new(PROGRESSING, "False", TIMED_OUT, &message, now));
    }
}

fn quoted(replica_set: &Arc<ReplicaSet>) -> String {
    format!("ReplicaSet {:?}", replica_set.metadata.name.as_deref().unwrap_or_default())
}

fn makes_progress(view: &View, status: &DeploymentStatus) -> bool {
    let old = view.deployment().status.clone().unwrap_or_default();
    let of = |count: Option<i32>| count.unwrap_or(0);
    let outdated = |status: &DeploymentStatus| of(status.replicas) - of(status.updated_replicas);
    of(status.updated_replicas) > of(old.updated_replicas)
        || outdated(status) < outdated(&old)
        || of(status.ready_replicas) > of(old.ready_replicas)
        || of(status.available_replicas) > of(old.available_replicas)
}

/// How long until the rollout counts as stuck; `None` where it cannot.
fn time_left(view: &View, progressing: Option<&DeploymentCondition>, now: Timestamp) -> Option<Duration> {
    let progressing = progressing?;
    if matches!(progressing.reason.as_deref(), Some(NEW_REPLICA_SET_AVAILABLE | TIMED_OUT)) {
        return None;
    }
    let limit = u64::try_from(view.spec().progress_deadline_seconds?).unwrap_or(0);
    let since = progressing.last_update_time.as_ref()?.0;
    let passed = Duration::try_from(now.duration_since(since)).unwrap_or(Duration::ZERO);
    Some(Duration::from_secs(limit).saturating_sub(passed))
}

fn deadline(view: &View, status: &DeploymentStatus, now: Timestamp) -> Option<Duration> {
    if !condition::has_deadline(view) || view.completes(status) {
        return None;
    }
    let progressing = condition::find(status.conditions.as_deref().unwrap_or_default(), PROGRESSING);
    time_left(view, progressing, now).map(|left| left.max(Duration::from_secs(1)))
}

fn replica_failure(view: &View) -> Option<DeploymentCondition> {
    let failure = |set: &Arc<ReplicaSet>| {
        let conditions = set.status.as_ref()?.conditions.as_ref()?;
        let failure = conditions.iter().find(|condition| condition.type_.as_deref() == Some(REPLICA_FAILURE))?;
        Some(DeploymentCondition {
            type_: failure.type_.clone(),
            status: failure.status.clone(),
            reason: failure.reason.clone(),
            message: failure.message.clone(),
            last_transition_time: failure.last_transition_time.clone(),
            last_update_time: failure.last_transition_time.clone(),
        })
    };
    view.new_set().and_then(failure).or_else(|| view.old().iter().find_map(failure))
}
