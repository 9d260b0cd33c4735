//! Prefers nodes whose CPU and memory are used in like measure, so that neither is left stranded.

use std::sync::Arc;

use crate::cache::NodeInfo;
use crate::events::ClusterEvent;
use crate::framework::{BEST, Cycle, Judge, Plugin};
use crate::pod::PodInfo;

pub(super) struct NodeResourcesBalancedAllocation;

impl Plugin for NodeResourcesBalancedAllocation {
    fn name(&self) -> &'static str {
        "NodeResourcesBalancedAllocation"
    }

    fn is_helped_by(&self, _event: ClusterEvent) -> bool {
        // It only scores.
        false
    }

    fn prepare<'a>(&self, cycle: Cycle<'a>) -> Option<Box<dyn Judge + 'a>> {
        // A pod that asks for nothing tips no balance.
        let asks = ["cpu", "memory"].iter().any(|name| cycle.pod.requests.get(name) > 0);
        asks.then(|| Box::new(Balance { pod: cycle.pod }) as Box<dyn Judge>)
    }
}

struct Balance<'a> {
    pod: &'a PodInfo,
}

impl Judge for Balance<'_> {
    fn score(&self, nodes: &[Arc<NodeInfo>]) -> Option<Vec<i64>> {
        Some(nodes.iter().map(|node| self.balance(node)).collect())
    }
}

impl Balance<'_> {
    fn balance(&self, node: &NodeInfo) -> i64 {
        let fraction = |name: &str| {
            let capacity = node.allocatable.get(name);
            let used = node.requested.get(name) + self.pod.requests.get(name);
            if capacity <= 0 { 1.0 } else { (used as f64 / capacity as f64).min(1.0) }
        };
        // Of two numbers, the standard deviation is half of their distance.
        let deviation = (fraction("cpu") - fraction("memory")).abs() / 2.0;
        ((1.0 - deviation) * BEST as f64) as i64
    }
}
