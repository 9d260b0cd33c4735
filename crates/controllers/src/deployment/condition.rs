//! The conditions of a Deployment and how they change.

use api::k8s::api::apps::v1::DeploymentCondition;
use api::k8s::apimachinery::pkg::apis::meta::v1::Time;
use api::k8s::jiff::Timestamp;

use super::view::View;

pub(super) const AVAILABLE: &str = "Available";
pub(super) const PROGRESSING: &str = "Progressing";
pub(super) const REPLICA_FAILURE: &str = "ReplicaFailure";

pub(super) const NEW_REPLICA_SET_AVAILABLE: &str = "NewReplicaSetAvailable";
pub(super) const TIMED_OUT: &str = "ProgressDeadlineExceeded";
const PAUSED: &str = "DeploymentPaused";
const RESUMED: &str = "DeploymentResumed";

pub(super) fn new(r#type: &str, status: &str, reason: &str, message: &str, now: Timestamp) -> DeploymentCondition {
    DeploymentCondition {
        type_: Some(r#type.to_owned()),
        status: Some(status.to_owned()),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_update_time: Some(Time(now)),
        last_transition_time: Some(Time(now)),
    }
}

pub(super) fn current(view: &View) -> Vec<DeploymentCondition> {
    view.deployment().status.as_ref().and_then(|status| status.conditions.clone()).unwrap_or_default()
}

pub(super) fn find<'a>(conditions: &'a [DeploymentCondition], r#type: &str) -> Option<&'a DeploymentCondition> {
    conditions.iter().find(|condition| condition.type_.as_deref() == Some(r#type))
}

/// Puts the condition in, unless one of the same status and reason is there already.
pub(super) fn set(conditions: &mut Vec<DeploymentCondition>, mut condition: DeploymentCondition) {
    let r#type = condition.type_.clone().unwrap_or_default();
    if let Some(present) = find(conditions, &r#type) {
        if present.status == condition.status && present.reason == condition.reason {
            return;
        }
        if present.status == condition.status {
            condition.last_transition_time = present.last_transition_time.clone();
        }
    }
    remove(conditions, &r#type);
    conditions.push(condition);
}

pub(super) fn remove(conditions: &mut Vec<DeploymentCondition>, r#type: &str) {
    conditions.retain(|condition| condition.type_.as_deref() != Some(r#type));
}

/// The conditions after a pause or its end; `None` where there is nothing to tell, so that the progress
/// deadline neither runs during a pause nor counts it.
pub(super) fn paused_or_resumed(view: &View, now: Timestamp) -> Option<Vec<DeploymentCondition>> {
    if !has_deadline(view) {
        return None;
    }
    let mut conditions = current(view);
    let progressing = find(&conditions, PROGRESSING).and_then(|condition| condition.reason.as_deref());
    if progressing == Some(TIMED_OUT) {
        return None;
    }
    let is_marked = progressing == Some(PAUSED);
    let condition = match (view.is_paused(), is_marked) {
        (true, false) => new(PROGRESSING, "Unknown", PAUSED, "Deployment is paused", now),
        (false, true) => new(PROGRESSING, "Unknown", RESUMED, "Deployment is resumed", now),
        _ => return None,
    };
    set(&mut conditions, condition);
    Some(conditions)
}

/// The highest number stands for "no deadline".
pub(super) fn has_deadline(view: &View) -> bool {
    view.spec().progress_deadline_seconds.is_some_and(|seconds| seconds != i32::MAX)
}
