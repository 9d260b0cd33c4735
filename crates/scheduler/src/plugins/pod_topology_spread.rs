//! Spreads like pods over zones and nodes.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::Selector;
use api::k8s::api::core::v1::TopologySpreadConstraint;
use api::selector::Requirement;

use super::{matches_node, tolerates_all};
use crate::cache::NodeInfo;
use crate::events::ClusterEvent;
use crate::framework::{BEST, Cycle, Judge, Plugin, Rejection};
use crate::pod::{PodController, PodInfo};

const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

pub(super) struct PodTopologySpread;

impl Plugin for PodTopologySpread {
    fn name(&self) -> &'static str {
        "PodTopologySpread"
    }

    fn weight(&self) -> i64 {
        2
    }

    fn is_helped_by(&self, event: ClusterEvent) -> bool {
        event != ClusterEvent::NodeAllocatableChanged && event != ClusterEvent::NamespaceChanged
    }

    fn prepare<'a>(&self, cycle: Cycle<'a>) -> Option<Box<dyn Judge + 'a>> {
        let given = cycle.pod.spec()?.topology_spread_constraints.as_deref().unwrap_or_default();
        let constraints: Vec<Constraint> = if given.is_empty() {
            default_constraints(cycle.pod)?
        } else {
            given.iter().map(|constraint| Constraint::new(cycle.pod, constraint)).collect()
        };
        let (hard, soft): (Vec<_>, Vec<_>) = constraints.into_iter().partition(|constraint| constraint.is_hard);
        let hard_keys: Vec<String> = hard.iter().map(|constraint| constraint.key.clone()).collect();
        let hard = hard.into_iter().map(|constraint| Domains::count(constraint, cycle, &hard_keys)).collect();
        Some(Box::new(Spread { cycle, hard, soft }))
    }
}

/// Which pods count as like the one being placed.
enum Likeness {
    Selector(Option<Selector>),
    /// Without constraints of its own, a pod is spread from those of its controller.
    Controller(PodController),
}

struct Constraint {
    key: String,
    max_skew: i64,
    min_domains: Option<usize>,
    is_hard: bool,
    likeness: Likeness,
    honors_affinity: bool,
    honors_taints: bool,
}

impl Constraint {
    fn new(pod: &PodInfo, given: &TopologySpreadConstraint) -> Self {
        let mut selector =
            given.label_selector.as_ref().and_then(|selector| Selector::from_label_selector(selector).ok());
        if let Some(selector) = &mut selector {
            for key in given.match_label_keys.iter().flatten() {
                let value = pod.labels().and_then(|labels| labels.get(key));
                selector
                    .requirements
                    .extend(value.and_then(|value| Requirement::from_parts(key, "In", vec![value.clone()]).ok()));
            }
        }
        Constraint {
            key: given.topology_key.clone(),
            max_skew: i64::from(given.max_skew),
            min_domains: given.min_domains.and_then(|minimum| usize::try_from(minimum).ok()),
            is_hard: given.when_unsatisfiable == "DoNotSchedule",
            likeness: Likeness::Selector(selector),
            honors_affinity: given.node_affinity_policy.as_deref() != Some("Ignore"),
            honors_taints: given.node_taints_policy.as_deref() == Some("Honor"),
        }
    }

    fn is_like(&self, pod: &PodInfo, other: &PodInfo) -> bool {
        if other.namespace() != pod.namespace() || other.is_going() {
            return false;
        }
        match &self.likeness {
            Likeness::Selector(selector) => {
                selector.as_ref().is_some_and(|selector| selector.matches_optional(other.labels()))
            }
            Likeness::Controller(controller) => other.controller().is_some_and(|other| other == *controller),
        }
    }

    fn counts_node(&self, pod: &PodInfo, node: &NodeInfo) -> bool {
        (!self.honors_affinity || matches_node(pod, node)) && (!self.honors_taints || tolerates_all(pod, node))
    }

    fn count_on(&self, pod: &PodInfo, node: &NodeInfo) -> i64 {
        let like = match &self.likeness {
            Likeness::Controller(controller) => node.controlled_by(controller),
            Likeness::Selector(_) => node.pods.values().filter(|other| self.is_like(pod, other)).count(),
        };
        i64::try_from(like).unwrap_or(i64::MAX)
    }
}

/// What every pod with a controller is spread by, unless it says otherwise.
fn default_constraints(pod: &PodInfo) -> Option<Vec<Constraint>> {
    let controller = pod.controller()?;
    let soft = |key: &str, max_skew| Constraint {
        key: key.to_owned(),
        max_skew,
        min_domains: None,
        is_hard: false,
        likeness: Likeness::Controller(controller.clone()),
        honors_affinity: true,
        honors_taints: false,
    };
    Some(vec![soft(HOSTNAME, 3), soft(ZONE, 5)])
}

/// A hard constraint with its count of like pods per domain.
struct Domains {
    constraint: Constraint,
    counts: BTreeMap<String, i64>,
    minimum: i64,
    /// One, where the pod is like itself.
    own: i64,
}

impl Domains {
    fn count(constraint: Constraint, cycle: Cycle<'_>, keys: &[String]) -> Self {
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        for node in &cycle.snapshot.nodes {
            let has_all_keys = keys.iter().all(|key| node.label(key).is_some());
            if let Some(domain) = node.label(&constraint.key).filter(|_| has_all_keys)
                && constraint.counts_node(cycle.pod, node)
            {
                *counts.entry(domain.to_owned()).or_default() += constraint.count_on(cycle.pod, node);
            }
        }
        let has_few = constraint.min_domains.is_some_and(|minimum| counts.len() < minimum);
        let minimum = if has_few { 0 } else { counts.values().min().copied().unwrap_or(0) };
        let own = i64::from(constraint.is_like(cycle.pod, cycle.pod));
        Domains { constraint, counts, minimum, own }
    }
}

struct Spread<'a> {
    cycle: Cycle<'a>,
    hard: Vec<Domains>,
    soft: Vec<Constraint>,
}

impl Judge for Spread<'_> {
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        const MISMATCH: &str = "node(s) didn't match pod topology spread constraints";
        for domains in &self.hard {
            let Some(domain) = node.label(&domains.constraint.key) else {
                return Err(Rejection::unresolvable(&format!("{MISMATCH} (missing required label)")));
            };
            let present = domains.counts.get(domain).copied().unwrap_or(0);
            if present + domains.own - domains.minimum > domains.constraint.max_skew {
                return Err(Rejection::resolvable(MISMATCH));
            }
        }
        Ok(())
    }

    fn score(&self, nodes: &[Arc<NodeInfo>]) -> Option<Vec<i64>> {
        let applicable: Vec<&Constraint> =
            self.soft.iter().filter(|constraint| self.applies(constraint, nodes)).collect();
        if applicable.is_empty() {
            return None;
        }
        let has_all = |node: &NodeInfo| applicable.iter().all(|constraint| node.label(&constraint.key).is_some());
        let mut raw = vec![0.0; nodes.len()];
        for constraint in &applicable {
            let counts = self.soft_counts(constraint);
            // Many domains make each count for less: the logarithm keeps constraints comparable.
            let weight = (counts.len() as f64 + 2.0).ln();
            for (score, node) in raw.iter_mut().zip(nodes) {
                let count = node.label(&constraint.key).and_then(|domain| counts.get(domain)).copied().unwrap_or(0);
                *score += count as f64 * weight + (constraint.max_skew - 1) as f64;
            }
        }
        let rounded: Vec<Option<i64>> =
            raw.iter().zip(nodes).map(|(score, node)| has_all(node).then(|| score.round() as i64)).collect();
        Some(reverse(&rounded))
    }
}

impl Spread<'_> {
    /// A default constraint says nothing where no node bears its label.
    fn applies(&self, constraint: &Constraint, nodes: &[Arc<NodeInfo>]) -> bool {
        match constraint.likeness {
            Likeness::Selector(_) => true,
            Likeness::Controller(_) => nodes.iter().any(|node| node.label(&constraint.key).is_some()),
        }
    }

    fn soft_counts(&self, constraint: &Constraint) -> BTreeMap<String, i64> {
        let mut counts = BTreeMap::new();
        for node in &self.cycle.snapshot.nodes {
            if let Some(domain) = node.label(&constraint.key)
                && constraint.counts_node(self.cycle.pod, node)
            {
                *counts.entry(domain.to_owned()).or_default() += constraint.count_on(self.cycle.pod, node);
            }
        }
        counts
    }
}

/// The fewer like pods, the better; a node without the label is the worst.
fn reverse(counts: &[Option<i64>]) -> Vec<i64> {
    let (lowest, highest) = (counts.iter().flatten().min(), counts.iter().flatten().max());
    let (Some(lowest), Some(highest)) = (lowest, highest) else { return vec![0; counts.len()] };
    let score = |count: &Option<i64>| match count {
        None => 0,
        Some(_) if *highest == 0 => BEST,
        Some(count) => BEST * (highest + lowest - count) / highest,
    };
    counts.iter().map(score).collect()
}
