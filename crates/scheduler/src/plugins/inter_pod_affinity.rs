//! Pods that want to be near others, or far from them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cache::NodeInfo;
use crate::events::ClusterEvent;
use crate::framework::{BEST, Cycle, Judge, Plugin, Rejection};
use crate::pod::{AffinityTerm, PodInfo};

/// What a pod that must be near another is worth to that other's own placement.
const HARD_AFFINITY_WEIGHT: i64 = 1;

pub(super) struct InterPodAffinity;

impl Plugin for InterPodAffinity {
    fn name(&self) -> &'static str {
        "InterPodAffinity"
    }

    fn weight(&self) -> i64 {
        2
    }

    fn is_helped_by(&self, event: ClusterEvent) -> bool {
        event != ClusterEvent::NodeAllocatableChanged
    }

    fn prepare<'a>(&self, cycle: Cycle<'a>) -> Option<Box<dyn Judge + 'a>> {
        if !cycle.pod.has_affinity() && cycle.snapshot.nodes.iter().all(|node| node.with_affinity == 0) {
            return None;
        }
        Some(Box::new(Neighbourhood::look(cycle)))
    }
}

/// A label of nodes and one of its values: a place that nodes share.
type Place = (String, String);

struct Neighbourhood<'a> {
    pod: &'a PodInfo,
    /// Places of pods that match all of the pod's affinity terms, by term.
    near: Vec<BTreeMap<Place, usize>>,
    /// Places of pods that match one of its anti-affinity terms.
    avoided: BTreeMap<Place, usize>,
    /// Places whose pods do not want this one.
    unwelcome: BTreeMap<Place, usize>,
    /// What each place adds to a node's score.
    preferences: BTreeMap<Place, i64>,
    matches_itself: bool,
}

impl<'a> Neighbourhood<'a> {
    fn look(cycle: Cycle<'a>) -> Self {
        let Cycle { pod, snapshot } = cycle;
        let namespaces = &snapshot.namespaces;
        let mut view = Neighbourhood {
            pod,
            near: vec![BTreeMap::new(); pod.affinity.len()],
            avoided: BTreeMap::new(),
            unwelcome: BTreeMap::new(),
            preferences: BTreeMap::new(),
            matches_itself: pod.affinity.iter().all(|term| term.matches(pod, namespaces)),
        };
        for node in &snapshot.nodes {
            for other in node.pods.values() {
                // Terms of one affinity are met by one and the same kind of pod.
                if !pod.affinity.is_empty() && pod.affinity.iter().all(|term| term.matches(other, namespaces)) {
                    for (term, near) in pod.affinity.iter().zip(&mut view.near) {
                        count(near, place(term, node));
                    }
                }
                for term in pod.anti_affinity.iter().filter(|term| term.matches(other, namespaces)) {
                    count(&mut view.avoided, place(term, node));
                }
                for term in other.anti_affinity.iter().filter(|term| term.matches(pod, namespaces)) {
                    count(&mut view.unwelcome, place(term, node));
                }
                view.weigh(other, node, &|term, pod| term.matches(pod, namespaces));
            }
        }
        view
    }

    fn weigh(&mut self, other: &PodInfo, node: &NodeInfo, matches: &dyn Fn(&AffinityTerm, &PodInfo) -> bool) {
        let own = |terms: &'a [(i64, AffinityTerm)], sign: i64| {
            terms.iter().filter(|(_, term)| matches(term, other)).map(move |(weight, term)| (sign * weight, term))
        };
        let pod = self.pod;
        let mut wishes: Vec<(i64, &AffinityTerm)> = own(&pod.preferred_affinity, 1).collect();
        wishes.extend(own(&pod.preferred_anti_affinity, -1));
        let theirs = |terms: &[(i64, AffinityTerm)], sign: i64| -> Vec<(i64, usize)> {
            let matching = terms.iter().enumerate().filter(|(_, (_, term))| matches(term, pod));
            matching.map(|(index, (weight, _))| (sign * weight, index)).collect()
        };
        for (weight, index) in theirs(&other.preferred_affinity, 1) {
            wishes.push((weight, &other.preferred_affinity[index].1));
        }
        for (weight, index) in theirs(&other.preferred_anti_affinity, -1) {
            wishes.push((weight, &other.preferred_anti_affinity[index].1));
        }
        wishes.extend(other.affinity.iter().filter(|term| matches(term, pod)).map(|term| (HARD_AFFINITY_WEIGHT, term)));
        for (weight, term) in wishes {
            if let Some(place) = place(term, node) {
                *self.preferences.entry(place).or_default() += weight;
            }
        }
    }

    fn is_near(&self, node: &NodeInfo) -> bool {
        let terms = &self.pod.affinity;
        let has_all = terms
            .iter()
            .zip(&self.near)
            .all(|(term, near)| place(term, node).is_some_and(|place| near.contains_key(&place)));
        // The first of a group that wants to be near its own kind has nobody to be near to yet.
        let is_first = self.near.iter().all(BTreeMap::is_empty) && self.matches_itself;
        has_all || (is_first && terms.iter().all(|term| node.label(&term.topology_key).is_some()))
    }
}

impl Judge for Neighbourhood<'_> {
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        if !self.pod.affinity.is_empty() && !self.is_near(node) {
            return Err(Rejection::unresolvable("node(s) didn't match pod affinity rules"));
        }
        let is_avoided = |term: &AffinityTerm| place(term, node).is_some_and(|place| self.avoided.contains_key(&place));
        if self.pod.anti_affinity.iter().any(is_avoided) {
            return Err(Rejection::resolvable("node(s) didn't match pod anti-affinity rules"));
        }
        let on_node = |place: &Place| node.label(&place.0) == Some(place.1.as_str());
        if self.unwelcome.keys().any(on_node) {
            return Err(Rejection::resolvable("node(s) didn't satisfy existing pods anti-affinity rules"));
        }
        Ok(())
    }

    fn score(&self, nodes: &[Arc<NodeInfo>]) -> Option<Vec<i64>> {
        if self.preferences.is_empty() {
            return None;
        }
        let sum = |node: &Arc<NodeInfo>| -> i64 {
            let here = self.preferences.iter().filter(|(place, _)| node.label(&place.0) == Some(place.1.as_str()));
            here.map(|(_, weight)| weight).sum()
        };
        let sums: Vec<i64> = nodes.iter().map(sum).collect();
        let (lowest, highest) = (sums.iter().min().copied()?, sums.iter().max().copied()?);
        let scaled = |sum: &i64| if highest == lowest { 0 } else { BEST * (sum - lowest) / (highest - lowest) };
        Some(sums.iter().map(scaled).collect())
    }
}

fn place(term: &AffinityTerm, node: &NodeInfo) -> Option<Place> {
    node.label(&term.topology_key).map(|value| (term.topology_key.clone(), value.to_owned()))
}

fn count(places: &mut BTreeMap<Place, usize>, place: Option<Place>) {
    if let Some(place) = place {
        *places.entry(place).or_default() += 1;
    }
}
