//! A pod fits where what it asks for is free; the emptier the node, the better.

use std::sync::Arc;

use crate::cache::NodeInfo;
use crate::events::ClusterEvent;
use crate::framework::{BEST, Cycle, Judge, Plugin, Rejection};
use crate::pod::PodInfo;

pub(super) struct NodeResourcesFit;

impl Plugin for NodeResourcesFit {
    fn name(&self) -> &'static str {
        "NodeResourcesFit"
    }

    fn is_helped_by(&self, event: ClusterEvent) -> bool {
        matches!(
            event,
            ClusterEvent::NodeAdded
                | ClusterEvent::NodeAllocatableChanged
                | ClusterEvent::AssignedPodDeleted
                | ClusterEvent::AssignedPodUpdated
        )
    }

    fn prepare<'a>(&self, cycle: Cycle<'a>) -> Option<Box<dyn Judge + 'a>> {
        Some(Box::new(Fit { pod: cycle.pod }))
    }
}

struct Fit<'a> {
    pod: &'a PodInfo,
}

impl Judge for Fit<'_> {
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        let mut reasons = Vec::new();
        // More than the whole node has: no removal of pods can help.
        let mut is_resolvable = true;
        let limit = node.allocatable.get("pods");
        if i64::try_from(node.pods.len()).unwrap_or(i64::MAX) >= limit {
            reasons.push("Too many pods".to_owned());
        }
        for (name, wanted) in self.pod.requests.iter().filter(|(_, wanted)| *wanted > 0) {
            let allocatable = node.allocatable.get(name);
            if wanted > allocatable - node.requested.get(name) {
                reasons.push(format!("Insufficient {name}"));
                is_resolvable &= wanted <= allocatable;
            }
        }
        if reasons.is_empty() { Ok(()) } else { Err(Rejection { reasons, is_resolvable }) }
    }

    fn score(&self, nodes: &[Arc<NodeInfo>]) -> Option<Vec<i64>> {
        Some(nodes.iter().map(|node| free_after(self.pod, node)).collect())
    }
}

/// The share of CPU and memory that stays free with the pod on the node, in the mean.
fn free_after(pod: &PodInfo, node: &NodeInfo) -> i64 {
    let (mut sum, mut count) = (0, 0);
    for name in ["cpu", "memory"] {
        let capacity = node.allocatable.get(name);
        if capacity <= 0 {
            continue;
        }
        let used = node.assumed_requested.get(name) + pod.assumed_requests.get(name);
        sum += if used > capacity { 0 } else { share(capacity - used, capacity) };
        count += 1;
    }
    if count == 0 { 0 } else { sum / count }
}

fn share(part: i64, whole: i64) -> i64 {
    i64::try_from(i128::from(part) * i128::from(BEST) / i128::from(whole)).unwrap_or(BEST)
}
