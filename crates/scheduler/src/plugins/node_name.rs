//! A pod that names its node goes there or nowhere.

use crate::cache::NodeInfo;
use crate::events::ClusterEvent;
use crate::framework::{Cycle, Judge, Plugin, Rejection};

pub(super) struct NodeName;

impl Plugin for NodeName {
    fn name(&self) -> &'static str {
        "NodeName"
    }

    fn is_helped_by(&self, event: ClusterEvent) -> bool {
        event == ClusterEvent::NodeAdded
    }

    fn prepare<'a>(&self, cycle: Cycle<'a>) -> Option<Box<dyn Judge + 'a>> {
        let name = cycle.pod.spec()?.node_name.as_deref().filter(|name| !name.is_empty())?;
        Some(Box::new(Wanted { name }))
    }
}

struct Wanted<'a> {
    name: &'a str,
}

impl Judge for Wanted<'_> {
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        if node.name == self.name {
            Ok(())
        } else {
            Err(Rejection::unresolvable("node(s) didn't match the requested node name"))
        }
    }
}
