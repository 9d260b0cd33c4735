//! Node selectors, and required and preferred node affinity.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::k8s::api::core::v1::{NodeSelectorTerm, PreferredSchedulingTerm};
use api::node_selector;

use crate::cache::NodeInfo;
use crate::events::ClusterEvent;
use crate::framework::{Cycle, Judge, Plugin, Rejection, normalize};
use crate::pod::PodInfo;

pub(super) struct NodeAffinity;

impl Plugin for NodeAffinity {
    fn name(&self) -> &'static str {
        "NodeAffinity"
    }

    fn weight(&self) -> i64 {
        2
    }

    fn is_helped_by(&self, event: ClusterEvent) -> bool {
        matches!(event, ClusterEvent::NodeAdded | ClusterEvent::NodeLabelsChanged)
    }

    fn prepare<'a>(&self, cycle: Cycle<'a>) -> Option<Box<dyn Judge + 'a>> {
        let spec = cycle.pod.spec()?;
        let affinity = spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
        if affinity.is_none() && spec.node_selector.as_ref().is_none_or(BTreeMap::is_empty) {
            return None;
        }
        let preferred =
            affinity.and_then(|affinity| affinity.preferred_during_scheduling_ignored_during_execution.as_deref());
        Some(Box::new(Wishes { pod: cycle.pod, preferred: preferred.unwrap_or_default() }))
    }
}

struct Wishes<'a> {
    pod: &'a PodInfo,
    preferred: &'a [PreferredSchedulingTerm],
}

impl Judge for Wishes<'_> {
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        if matches_node(self.pod, node) {
            Ok(())
        } else {
            Err(Rejection::unresolvable("node(s) didn't match Pod's node affinity/selector"))
        }
    }

    fn score(&self, nodes: &[Arc<NodeInfo>]) -> Option<Vec<i64>> {
        if self.preferred.is_empty() {
            return None;
        }
        let weight = |node: &Arc<NodeInfo>| {
            let granted = self.preferred.iter().filter(|term| term_matches(&term.preference, node));
            granted.map(|term| i64::from(term.weight)).sum()
        };
        let mut scores: Vec<i64> = nodes.iter().map(weight).collect();
        normalize(&mut scores, false);
        Some(scores)
    }
}

/// Whether the pod's node selector and its required affinity admit the node.
pub(crate) fn matches_node(pod: &PodInfo, node: &NodeInfo) -> bool {
    let Some(spec) = pod.spec() else { return true };
    let selected = spec.node_selector.iter().flatten().all(|(key, value)| node.label(key) == Some(value));
    let required = spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    let required = required.and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution.as_ref());
    // The terms are alternatives; none matches nothing.
    selected && required.is_none_or(|selector| selector.node_selector_terms.iter().any(|term| term_matches(term, node)))
}

fn term_matches(term: &NodeSelectorTerm, node: &NodeInfo) -> bool {
    let no_labels = BTreeMap::new();
    node_selector::term_admits(term, &node.name, node.labels().unwrap_or(&no_labels))
}
