//! How many pods to create, or which to delete.

use std::cmp::Reverse;
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

/// `related` gives the pods of the same workload: where several stand on one node, one of those goes first.
pub(crate) fn plan_replicas(
    replicas: i32,
    active: &[Arc<Pod>],
    related: impl FnOnce() -> Vec<Arc<Pod>>,
    now: Timestamp,
) -> ReplicaPlan {
    let wanted = usize::try_from(replicas).unwrap_or(0);
    if active.len() <= wanted {
        return ReplicaPlan { create: (wanted - active.len()).min(BURST), delete: Vec::new() };
    }
    let excess = (active.len() - wanted).min(BURST);
    ReplicaPlan { create: 0, delete: first_to_go(active, &related(), excess, now) }
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
    candidates.sort_by_cached_key(|pod| worth(pod, rank(pod), now));
    candidates.truncate(count);
    candidates
}

/// What orders pods by how much their loss is felt, the least first. Looked up once for each pod.
fn worth(pod: &Pod, neighbours: usize, now: Timestamp) -> impl Ord + use<> {
    let progress = match pods::phase(pod) {
        "Running" => 2,
        "Unknown" => 1,
        _ => 0,
    };
    (
        (pods::node_name(pod).is_some(), progress, pods::is_ready(pod)),
        deletion_cost(pod),
        Reverse(neighbours),
        age_bucket(pods::ready_since(pod), now),
        Reverse(pods::most_restarts(pod)),
        age_bucket(created(pod), now),
        pod.metadata.uid.clone(),
    )
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
    mod properties;

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
        let plan = plan_replicas(wanted, &pods, || pods.clone(), at(2000));
        plan.delete.iter().map(|pod| pod.metadata.name.clone().unwrap()).collect()
    }

    #[test]
    fn creates_what_is_missing_up_to_a_burst() {
        assert_eq!(plan_replicas(3, &[], Vec::new, at(0)).create, 3);
        assert_eq!(plan_replicas(9999, &[], Vec::new, at(0)).create, 500);
        let one = [Arc::new(pod("a", None, "Pending", None))];
        let unasked = || panic!("who is related matters only where something goes");
        assert_eq!(plan_replicas(1, &one, unasked, at(0)), ReplicaPlan::default());
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
