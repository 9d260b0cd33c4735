//! Node selectors, and required and preferred node affinity.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::k8s::api::core::v1::{NodeSelectorRequirement, NodeSelectorTerm, PreferredSchedulingTerm};
use api::selector::Requirement;

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
    let expressions = term.match_expressions.as_deref().unwrap_or_default();
    let fields = term.match_fields.as_deref().unwrap_or_default();
    if expressions.is_empty() && fields.is_empty() {
        return false;
    }
    let no_labels = BTreeMap::new();
    let labels = node.labels().unwrap_or(&no_labels);
    let node_fields = BTreeMap::from([("metadata.name".to_owned(), node.name.clone())]);
    expressions.iter().all(|requirement| holds(requirement, labels))
        && fields.iter().all(|requirement| holds(requirement, &node_fields))
}

/// A requirement that cannot be read holds nowhere.
fn holds(requirement: &NodeSelectorRequirement, labels: &BTreeMap<String, String>) -> bool {
    let values = requirement.values.clone().unwrap_or_default();
    Requirement::from_parts(&requirement.key, &requirement.operator, values)
        .is_ok_and(|requirement| requirement.matches(labels))
}
