//! The arithmetic of budgets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::k8s::api::core::v1::Pod;
use api::k8s::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetStatus};
use api::k8s::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use api::k8s::apimachinery::pkg::util::intstr::IntOrString;
use api::k8s::jiff::Timestamp;

use crate::pods;
use crate::share::share_of;

/// How long an evicted pod may take to be marked as going; after that, its eviction has failed.
const DELETION_PATIENCE: Duration = Duration::from_secs(120);

/// Whether the budget is a share of what the pods' owners want, and not a plain number of pods.
pub(super) fn needs_scale(budget: &PodDisruptionBudget) -> bool {
    let Some(spec) = &budget.spec else { return false };
    spec.max_unavailable.is_some() || matches!(spec.min_available, Some(IntOrString::String(_)))
}

pub(super) fn desired_healthy(budget: &PodDisruptionBudget, expected: i32) -> i32 {
    let Some(spec) = &budget.spec else { return 0 };
    match (&spec.max_unavailable, &spec.min_available) {
        (Some(maximum), _) => (expected - share_of(maximum, expected, true)).max(0),
        (None, Some(minimum)) => share_of(minimum, expected, true),
        (None, None) => 0,
    }
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct Disrupted {
    /// Evicted, but not yet marked as going.
    pub(super) awaited: BTreeMap<String, Time>,
    /// Evicted long ago, and still there.
    pub(super) overdue: Vec<String>,
    /// When the next of the awaited becomes overdue.
    pub(super) recheck_after: Option<Duration>,
}

pub(super) fn disrupted_pods(budget: &PodDisruptionBudget, pods: &[Arc<Pod>], now: Timestamp) -> Disrupted {
    let mut disrupted = Disrupted::default();
    let noted = budget.status.as_ref().and_then(|status| status.disrupted_pods.as_ref());
    for pod in pods.iter().filter(|pod| !pods::is_terminating(pod)) {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let Some(evicted) = noted.and_then(|noted| noted.get(name)) else { continue };
        let passed = Duration::try_from(now.duration_since(evicted.0)).unwrap_or(Duration::ZERO);
        match DELETION_PATIENCE.checked_sub(passed).filter(|left| !left.is_zero()) {
            None => disrupted.overdue.push(name.to_owned()),
            Some(left) => {
                disrupted.awaited.insert(name.to_owned(), evicted.clone());
                disrupted.recheck_after = Some(disrupted.recheck_after.map_or(left, |earlier| earlier.min(left)));
            }
        }
    }
    disrupted
}

/// Ready, and neither going nor about to.
pub(super) fn healthy_pods(pods: &[Arc<Pod>], awaited: &BTreeMap<String, Time>) -> i32 {
    let name = |pod: &Pod| pod.metadata.name.clone().unwrap_or_default();
    let healthy = pods
        .iter()
        .filter(|pod| pods::is_ready(pod) && !pods::is_terminating(pod) && !awaited.contains_key(&name(pod)));
    i32::try_from(healthy.count()).unwrap_or(i32::MAX)
}

pub(super) fn status(
    budget: &PodDisruptionBudget,
    expected: i32,
    desired: i32,
    healthy: i32,
    awaited: BTreeMap<String, Time>,
    now: Timestamp,
) -> PodDisruptionBudgetStatus {
    let allowed = if expected > 0 { (healthy - desired).max(0) } else { 0 };
    let (status, reason) = if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    PodDisruptionBudgetStatus {
        conditions: Some(vec![condition(budget, status, reason, "", now)]),
        current_healthy: Some(healthy),
        desired_healthy: Some(desired),
        disrupted_pods: (!awaited.is_empty()).then_some(awaited),
        disruptions_allowed: Some(allowed),
        expected_pods: Some(expected),
        observed_generation: budget.metadata.generation,
    }
}

/// No pod may go until the fault is gone.
pub(super) fn failed_status(budget: &PodDisruptionBudget, why: &str, now: Timestamp) -> PodDisruptionBudgetStatus {
    let present = budget.status.clone().unwrap_or_default();
    PodDisruptionBudgetStatus {
        conditions: Some(vec![condition(budget, "False", "SyncFailed", why, now)]),
        disruptions_allowed: Some(0),
        observed_generation: budget.metadata.generation,
        ..present
    }
}

fn condition(budget: &PodDisruptionBudget, status: &str, reason: &str, message: &str, now: Timestamp) -> Condition {
    const TYPE: &str = "DisruptionAllowed";
    let present = budget.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let present = present.into_iter().find(|condition| condition.type_ == TYPE && condition.status == status);
    Condition {
        type_: TYPE.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        last_transition_time: present.map_or(Time(now), |condition| condition.last_transition_time.clone()),
        observed_generation: budget.metadata.generation,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn budget(spec: Value, status: Value) -> PodDisruptionBudget {
        serde_json::from_value(json!({"metadata": {"name": "b", "generation": 3}, "spec": spec, "status": status}))
            .unwrap()
    }

    fn pod(name: &str, ready: bool, going: bool) -> Arc<Pod> {
        let condition = json!({"type": "Ready", "status": if ready { "True" } else { "False" }});
        let mut metadata = json!({"name": name});
        if going {
            metadata["deletionTimestamp"] = json!("2030-01-01T00:00:00Z");
        }
        Arc::new(serde_json::from_value(json!({"metadata": metadata, "status": {"conditions": [condition]}})).unwrap())
    }

    #[test]
    fn bounds_are_numbers_or_shares() {
        for (spec, expected, desired) in [
            (json!({"minAvailable": 2}), 5, 2),
            (json!({"minAvailable": "50%"}), 5, 3),
            (json!({"minAvailable": "100%"}), 5, 5),
            (json!({"maxUnavailable": 1}), 5, 4),
            (json!({"maxUnavailable": "30%"}), 5, 3),
            (json!({"maxUnavailable": 9}), 5, 0),
            (json!({"maxUnavailable": "0%"}), 5, 5),
            (json!({}), 5, 0),
        ] {
            assert_eq!(desired_healthy(&budget(spec.clone(), json!({})), expected), desired, "{spec}");
        }
        assert!(!needs_scale(&budget(json!({"minAvailable": 2}), json!({}))));
        assert!(needs_scale(&budget(json!({"minAvailable": "2%"}), json!({}))));
        assert!(needs_scale(&budget(json!({"maxUnavailable": 2}), json!({}))));
    }

    #[test]
    fn an_evicted_pod_is_awaited_for_two_minutes() {
        let noted = json!({"disruptedPods": {
            "fresh": "2030-01-01T00:01:30Z", "old": "2030-01-01T00:00:00Z", "gone": "2030-01-01T00:01:00Z",
            "going": "2030-01-01T00:01:00Z",
        }, "currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0});
        let budget = budget(json!({}), noted);
        let pods =
            [pod("fresh", true, false), pod("old", true, false), pod("going", true, true), pod("new", true, false)];
        let disrupted = disrupted_pods(&budget, &pods, "2030-01-01T00:02:00Z".parse().unwrap());
        assert_eq!(disrupted.awaited.keys().collect::<Vec<_>>(), ["fresh"]);
        assert_eq!(disrupted.overdue, ["old"]);
        assert_eq!(disrupted.recheck_after, Some(Duration::from_secs(90)));
        assert_eq!(healthy_pods(&pods, &disrupted.awaited), 2);
    }

    #[test]
    fn the_status_says_what_may_go_and_since_when() {
        let now = Timestamp::UNIX_EPOCH;
        let told = |expected, desired, healthy| {
            let status = status(&budget(json!({}), json!(null)), expected, desired, healthy, BTreeMap::new(), now);
            let condition = &status.conditions.unwrap()[0];
            (status.disruptions_allowed.unwrap(), condition.reason.clone(), status.observed_generation)
        };
        assert_eq!(told(5, 3, 5), (2, "SufficientPods".into(), Some(3)));
        assert_eq!(told(5, 3, 3), (0, "InsufficientPods".into(), Some(3)));
        assert_eq!(told(5, 3, 1), (0, "InsufficientPods".into(), Some(3)));
        assert_eq!(told(0, 0, 1), (0, "InsufficientPods".into(), Some(3)));
        let failed = failed_status(&budget(json!({}), json!(null)), "no owner", now);
        let condition = &failed.conditions.unwrap()[0];
        assert_eq!((condition.reason.as_str(), condition.message.as_str()), ("SyncFailed", "no owner"));
    }

    proptest! {
        /// Whatever is allowed to go leaves as many healthy pods as are wanted.
        #[test]
        fn what_may_go_never_breaks_the_budget(expected in 0i32..1000, healthy in 0i32..1000, bound in 0i32..=100,
                                               is_share in any::<bool>(), is_minimum in any::<bool>()) {
            let bound = if is_share { json!(format!("{bound}%")) } else { json!(bound) };
            let spec = if is_minimum { json!({"minAvailable": bound}) } else { json!({"maxUnavailable": bound}) };
            let budget = budget(spec, json!(null));
            let desired = desired_healthy(&budget, expected);
            let status = status(&budget, expected, desired, healthy, BTreeMap::new(), Timestamp::UNIX_EPOCH);
            let allowed = status.disruptions_allowed.unwrap();
            prop_assert!(allowed >= 0);
            prop_assert!(allowed == 0 || healthy - allowed >= desired);
        }
    }
}
