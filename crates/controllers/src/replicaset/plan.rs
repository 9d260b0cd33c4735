//! How many pods to create, or which to delete.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::sync::Arc;

use api::k8s::api::core::v1::Pod;
use api::k8s::jiff::Timestamp;

use crate::pods;

/// One reconciliation creates or deletes at most so many.
const BURST: usize = 500;
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

#[derive(Debug, Default, PartialEq)]
pub(crate) struct ReplicaPlan {
    pub(crate) create: usize,
    pub(crate) delete: Vec<Arc<Pod>>,
}

/// `related` are the pods of the same workload: where several stand on one node, one of those goes first.
pub(crate) fn plan_replicas(replicas: i32, active: &[Arc<Pod>], related: &[Arc<Pod>], now: Timestamp) -> ReplicaPlan {
    let wanted = usize::try_from(replicas).unwrap_or(0);
    if active.len() <= wanted {
        return ReplicaPlan { create: (wanted - active.len()).min(BURST), delete: Vec::new() };
    }
    let excess = (active.len() - wanted).min(BURST);
    ReplicaPlan { create: 0, delete: first_to_go(active, related, excess, now) }
}

/// The `count` pods whose loss is felt least, in upstream's order.
fn first_to_go(active: &[Arc<Pod>], related: &[Arc<Pod>], count: usize, now: Timestamp) -> Vec<Arc<Pod>> {
    let mut neighbours: BTreeMap<&str, usize> = BTreeMap::new();
    for pod in related.iter().filter(|pod| pods::is_active(pod)) {
        if let Some(node) = pods::node_name(pod) {
            *neighbours.entry(node).or_default() += 1;
        }
    }
    let rank = |pod: &Pod| pods::node_name(pod).and_then(|node| neighbours.get(node)).copied().unwrap_or(0);
    let mut candidates = active.to_vec();
    candidates.sort_by(|a, b| compare(a, b, rank(a), rank(b), now));
    candidates.truncate(count);
    candidates
}

/// Less means: deleted sooner.
fn compare(a: &Pod, b: &Pod, rank_a: usize, rank_b: usize, now: Timestamp) -> Ordering {
    let is_assigned = |pod: &Pod| pods::node_name(pod).is_some();
    let progress = |pod: &Pod| match pods::phase(pod) {
        "Running" => 2,
        "Unknown" => 1,
        _ => 0,
    };
    is_assigned(a)
        .cmp(&is_assigned(b))
        .then_with(|| progress(a).cmp(&progress(b)))
        .then_with(|| pods::is_ready(a).cmp(&pods::is_ready(b)))
        .then_with(|| deletion_cost(a).cmp(&deletion_cost(b)))
        .then_with(|| rank_b.cmp(&rank_a))
        .then_with(|| age_bucket(pods::ready_since(a), now).cmp(&age_bucket(pods::ready_since(b), now)))
        .then_with(|| Reverse(pods::most_restarts(a)).cmp(&Reverse(pods::most_restarts(b))))
        .then_with(|| age_bucket(created(a), now).cmp(&age_bucket(created(b), now)))
        .then_with(|| a.metadata.uid.cmp(&b.metadata.uid))
}

fn created(pod: &Pod) -> Option<Timestamp> {
    pod.metadata.creation_timestamp.as_ref().map(|time| time.0)
}

/// Ages that differ by less than a factor of two count as equal, so that the choice falls on any of
/// many young pods and not always on the same failure domain.
fn age_bucket(since: Option<Timestamp>, now: Timestamp) -> u32 {
    let seconds = since.map_or(0, |since| now.duration_since(since).as_secs().max(0));
    u64::try_from(seconds).unwrap_or(0).checked_ilog2().map_or(0, |bucket| bucket + 1)
}

fn deletion_cost(pod: &Pod) -> i32 {
    let cost = pod.metadata.annotations.as_ref().and_then(|annotations| annotations.get(DELETION_COST));
    cost.and_then(|cost| cost.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use api::k8s::api::core::v1::{ContainerStatus, PodCondition, PodSpec, PodStatus};
    use api::k8s::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn pod(name: &str, node: Option<&str>, phase: &str, ready_since: Option<i64>) -> Pod {
        Pod {
            metadata: ObjectMeta {
                name: Some(name.into()),
                uid: Some(name.into()),
                creation_timestamp: Some(Time(at(1000))),
                ..ObjectMeta::default()
            },
            spec: Some(PodSpec { node_name: node.map(str::to_owned), ..PodSpec::default() }),
            status: Some(PodStatus {
                phase: Some(phase.into()),
                conditions: ready_since.map(|since| {
                    vec![PodCondition {
                        type_: "Ready".into(),
                        status: "True".into(),
                        last_transition_time: Some(Time(at(since))),
                        ..PodCondition::default()
                    }]
                }),
                ..PodStatus::default()
            }),
        }
    }

    fn order(candidates: &[Pod], count: usize) -> Vec<String> {
        let pods: Vec<Arc<Pod>> = candidates.iter().cloned().map(Arc::new).collect();
        let wanted = i32::try_from(pods.len() - count).unwrap();
        let plan = plan_replicas(wanted, &pods, &pods, at(2000));
        plan.delete.iter().map(|pod| pod.metadata.name.clone().unwrap()).collect()
    }

    #[test]
    fn creates_what_is_missing_up_to_a_burst() {
        assert_eq!(plan_replicas(3, &[], &[], at(0)).create, 3);
        assert_eq!(plan_replicas(9999, &[], &[], at(0)).create, 500);
        let one = [Arc::new(pod("a", None, "Pending", None))];
        assert_eq!(plan_replicas(1, &one, &one, at(0)), ReplicaPlan::default());
    }

    #[test]
    fn the_least_useful_pod_goes_first() {
        let mut costly = pod("costly", Some("d"), "Running", Some(1000));
        costly.metadata.annotations = Some([(DELETION_COST.to_owned(), "10".to_owned())].into());
        let mut cheap = pod("cheap", Some("e"), "Running", Some(1000));
        cheap.metadata.annotations = Some([(DELETION_COST.to_owned(), "-1".to_owned())].into());
        let mut restarted = pod("restarted", Some("f"), "Running", Some(1000));
        restarted.status.as_mut().unwrap().container_statuses =
            Some(vec![ContainerStatus { restart_count: 3, ..ContainerStatus::default() }]);
        let all = [
            costly,
            pod("old", Some("a"), "Running", Some(1000)),
            pod("young", Some("b"), "Running", Some(1990)),
            restarted,
            pod("crowded-1", Some("c"), "Running", Some(1000)),
            pod("crowded-2", Some("c"), "Running", Some(1000)),
            cheap,
            pod("unready", Some("g"), "Running", None),
            pod("pending", Some("h"), "Pending", None),
            pod("unassigned", None, "Pending", None),
        ];
        let expected = [
            "unassigned",
            "pending",
            "unready",
            "cheap",
            "crowded-1",
            "crowded-2",
            "young",
            "restarted",
            "old",
            "costly",
        ];
        assert_eq!(order(&all, all.len()), expected);
        assert_eq!(order(&all, 2), expected[..2]);
    }
}
