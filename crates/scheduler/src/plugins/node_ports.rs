//! Keeps pods apart that want the same port of the node.

use crate::cache::NodeInfo;
use crate::events::ClusterEvent;
use crate::framework::{Cycle, Judge, Plugin, Rejection};
use crate::pod::HostPort;

pub(super) struct NodePorts;

impl Plugin for NodePorts {
    fn name(&self) -> &'static str {
        "NodePorts"
    }

    fn is_helped_by(&self, event: ClusterEvent) -> bool {
        matches!(event, ClusterEvent::NodeAdded | ClusterEvent::AssignedPodDeleted)
    }

    fn prepare<'a>(&self, cycle: Cycle<'a>) -> Option<Box<dyn Judge + 'a>> {
        let wanted = cycle.pod.host_ports.as_slice();
        (!wanted.is_empty()).then(|| Box::new(Ports { wanted }) as Box<dyn Judge>)
    }
}

struct Ports<'a> {
    wanted: &'a [HostPort],
}

impl Judge for Ports<'_> {
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        let mut used = node.pods.values().flat_map(|pod| &pod.host_ports);
        if used.any(|used| self.wanted.iter().any(|wanted| wanted.conflicts(used))) {
            Err(Rejection::resolvable("node(s) didn't have free ports for the requested pod ports"))
        } else {
            Ok(())
        }
    }
}
