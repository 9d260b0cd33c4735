//! Keeps pods off cordoned nodes.

use api::k8s::api::core::v1::Taint;

use super::taint_toleration::tolerates;
use crate::cache::NodeInfo;
use crate::events::ClusterEvent;
use crate::framework::{Cycle, Judge, Plugin, Rejection};
use crate::pod::PodInfo;

pub(super) struct NodeUnschedulable;

impl Plugin for NodeUnschedulable {
    fn name(&self) -> &'static str {
        "NodeUnschedulable"
    }

    fn is_helped_by(&self, event: ClusterEvent) -> bool {
        matches!(event, ClusterEvent::NodeAdded | ClusterEvent::NodeTaintsChanged)
    }

    fn prepare<'a>(&self, cycle: Cycle<'a>) -> Option<Box<dyn Judge + 'a>> {
        Some(Box::new(Cordon { pod: cycle.pod }))
    }
}

struct Cordon<'a> {
    pod: &'a PodInfo,
}

impl Judge for Cordon<'_> {
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        if !node.is_unschedulable() {
            return Ok(());
        }
        // A pod may tolerate the taint that a cordon stands for.
        let cordon = Taint {
            key: "node.kubernetes.io/unschedulable".to_owned(),
            effect: "NoSchedule".to_owned(),
            ..Taint::default()
        };
        if tolerates(self.pod, &cordon) { Ok(()) } else { Err(Rejection::unresolvable("node(s) were unschedulable")) }
    }
}
