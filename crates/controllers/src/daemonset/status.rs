//! What to report of a DaemonSet.

use std::time::Duration;

use api::k8s::api::apps::v1::DaemonSetStatus;

use super::plan::View;
use crate::pods;
use crate::replicaset::{non_zero, round_up};

pub(super) fn plan_status(view: &View, collisions: Option<i32>) -> DaemonSetStatus {
    let mut status = DaemonSetStatus {
        observed_generation: view.set.metadata.generation,
        collision_count: collisions,
        conditions: view.set.status.as_ref().and_then(|status| status.conditions.clone()),
        ..DaemonSetStatus::default()
    };
    let (mut available, mut updated) = (0, 0);
    for (node, placement) in view.placements() {
        let oldest = view.pods_on(node).first();
        if !placement.should_run {
            status.number_misscheduled += i32::from(oldest.is_some());
            continue;
        }
        status.desired_number_scheduled += 1;
        let Some(pod) = oldest else { continue };
        status.current_number_scheduled += 1;
        status.number_ready += i32::from(pods::is_ready(pod));
        available += i32::from(view.is_available(pod));
        updated += i32::from(view.is_updated(pod));
    }
    status.number_available = non_zero(available);
    status.updated_number_scheduled = non_zero(updated);
    status.number_unavailable = non_zero(status.desired_number_scheduled - available);
    status
}

/// When the next pod that is ready now becomes available.
pub(super) fn next_availability(view: &View) -> Option<Duration> {
    let minimum = view.spec().min_ready_seconds.filter(|seconds| *seconds > 0)?;
    let all = view.by_node.values().flatten();
    let waits = all.filter_map(|pod| pods::time_until_available(pod, minimum, view.now));
    waits.filter(|wait| !wait.is_zero()).min().map(round_up)
}
