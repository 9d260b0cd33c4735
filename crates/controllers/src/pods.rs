//! What controllers ask about a pod.

use std::time::Duration;

use api::k8s::api::core::v1::{Pod, PodCondition};
use api::k8s::jiff::Timestamp;

/// Ran to its end, well or not.
pub(crate) fn is_finished(pod: &Pod) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// Neither finished nor on its way out.
pub(crate) fn is_active(pod: &Pod) -> bool {
    !is_finished(pod) && !is_terminating(pod)
}

pub(crate) fn is_terminating(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some()
}

/// None is left out once the API has taken the pod in.
pub(crate) fn uid(pod: &Pod) -> &str {
    pod.metadata.uid.as_deref().unwrap_or_default()
}

pub(crate) fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

pub(crate) fn condition<'a>(pod: &'a Pod, r#type: &str) -> Option<&'a PodCondition> {
    pod.status.as_ref()?.conditions.iter().flatten().find(|condition| condition.type_ == r#type)
}

pub(crate) fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|condition| condition.status == "True")
}

/// Since when the pod is ready; `None` where it is not.
pub(crate) fn ready_since(pod: &Pod) -> Option<Timestamp> {
    let condition = condition(pod, "Ready").filter(|condition| condition.status == "True")?;
    condition.last_transition_time.as_ref().map(|time| time.0)
}

/// Ready for at least `min_ready_seconds`.
pub(crate) fn is_available(pod: &Pod, min_ready_seconds: i32, now: Timestamp) -> bool {
    is_ready(pod)
        && (min_ready_seconds <= 0
            || time_until_available(pod, min_ready_seconds, now).is_none_or(|wait| wait.is_zero()))
}

/// How long until a ready pod counts as available, if nothing happens to it.
pub(crate) fn time_until_available(pod: &Pod, min_ready_seconds: i32, now: Timestamp) -> Option<Duration> {
    let since = ready_since(pod)?;
    let required = Duration::from_secs(u64::try_from(min_ready_seconds).unwrap_or(0));
    let passed = Duration::try_from(now.duration_since(since)).unwrap_or(Duration::ZERO);
    Some(required.saturating_sub(passed))
}

/// By how little the loss is felt: what comes first goes first. As upstream's `ActivePods`, for controllers
/// that do not spread their pods.
pub(crate) fn compare_usefulness(a: &Pod, b: &Pod) -> std::cmp::Ordering {
    let progress = |pod: &Pod| match phase(pod) {
        "Running" => 2,
        "Unknown" => 1,
        _ => 0,
    };
    let rank = |pod: &Pod| (node_name(pod).is_some(), progress(pod), is_ready(pod));
    let created = |pod: &Pod| pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
    rank(a)
        .cmp(&rank(b))
        .then_with(|| ready_since(b).cmp(&ready_since(a)))
        .then_with(|| most_restarts(b).cmp(&most_restarts(a)))
        .then_with(|| created(b).cmp(&created(a)))
        .then_with(|| a.metadata.name.cmp(&b.metadata.name))
}

pub(crate) fn node_name(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref().filter(|name| !name.is_empty())
}

/// The restarts of the container that restarted most, init containers that keep running included.
pub(crate) fn most_restarts(pod: &Pod) -> i32 {
    let Some(status) = &pod.status else { return 0 };
    let statuses = status.container_statuses.iter().chain(status.init_container_statuses.iter());
    statuses.flatten().map(|container| container.restart_count).max().unwrap_or(0)
}
