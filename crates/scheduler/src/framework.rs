//! How plugins are asked, and how their answers become a decision.

use std::sync::Arc;

use stdx::Random;

use crate::cache::{NodeInfo, Snapshot};
use crate::diagnosis::Diagnosis;
use crate::events::ClusterEvent;
use crate::plugins::PLUGINS;
use crate::pod::PodInfo;
use crate::volumes::VolumePlan;

/// Scores run from zero to this.
pub(crate) const BEST: i64 = 100;

/// One rule of placement.
pub(crate) trait Plugin: Sync {
    /// As upstream names it.
    fn name(&self) -> &'static str;

    /// What its scores weigh against other plugins'.
    fn weight(&self) -> i64 {
        1
    }

    /// Whether the event may turn its refusal into consent.
    fn is_helped_by(&self, event: ClusterEvent) -> bool;

    /// Why the pod can run nowhere for now, whatever the node.
    fn refuse(&self, _cycle: Cycle<'_>) -> Option<Rejection> {
        None
    }

    /// Looks at the pod and the whole cluster once; `None` where it has nothing to say of this pod.
    fn prepare<'a>(&self, cycle: Cycle<'a>) -> Option<Box<dyn Judge + 'a>>;
}

/// A plugin's view of one attempt.
#[derive(Clone, Copy)]
pub(crate) struct Cycle<'a> {
    pub(crate) pod: &'a PodInfo,
    pub(crate) snapshot: &'a Snapshot,
}

/// A plugin that has looked.
pub(crate) trait Judge {
    /// Whether the pod may run on the node.
    fn filter(&self, _node: &NodeInfo) -> Result<(), Rejection> {
        Ok(())
    }

    /// How well it would run on each of the nodes that passed, from zero to [`BEST`].
    fn score(&self, _nodes: &[Arc<NodeInfo>]) -> Option<Vec<i64>> {
        None
    }
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) reasons: Vec<String>,
    /// Whether the removal of pods from the node could help.
    pub(crate) is_resolvable: bool,
}

impl Rejection {
    pub(crate) fn resolvable(reason: &str) -> Self {
        Rejection { reasons: vec![reason.to_owned()], is_resolvable: true }
    }

    pub(crate) fn unresolvable(reason: &str) -> Self {
        Rejection { reasons: vec![reason.to_owned()], is_resolvable: false }
    }
}

/// Where a pod goes.
#[derive(Debug)]
pub(crate) struct Placement {
    pub(crate) node: String,
    /// What its claims need there first.
    pub(crate) volumes: VolumePlan,
}

/// The best node for the pod, or why there is none. `ended` hears of each extension point when all plugins have had
/// their say, and of the status that they leave.
pub(crate) fn decide(
    pod: &PodInfo,
    snapshot: &Snapshot,
    random: &Random,
    mut ended: impl FnMut(&'static str, &'static str),
) -> Result<Placement, Diagnosis> {
    let cycle = Cycle { pod, snapshot };
    let refused = PLUGINS.iter().find_map(|plugin| Some((plugin.name(), plugin.refuse(cycle)?)));
    if let Some((plugin, rejection)) = refused {
        ended("PreFilter", if rejection.is_resolvable { "Unschedulable" } else { "UnschedulableAndUnresolvable" });
        return Err(Diagnosis::refused(snapshot.nodes.len(), plugin, rejection));
    }
    let judges = judges(cycle);
    ended("PreFilter", "Success");
    // Room was made for it there: it need not look any further.
    let nominated = snapshot.nominations.node_of(pod);
    let nominated = nominated.and_then(|name| snapshot.nodes.iter().find(|node| node.name == name));
    if let Some(node) = nominated.filter(|node| admit(&judges, cycle, node).is_ok()) {
        ended("Filter", "Success");
        return Ok(placement(cycle, node));
    }
    let mut diagnosis = Diagnosis::new(snapshot.nodes.len());
    let mut feasible = Vec::new();
    for node in &snapshot.nodes {
        match admit(&judges, cycle, node) {
            Err((plugin, rejection)) => diagnosis.add(&node.name, plugin, rejection),
            Ok(()) => feasible.push(Arc::clone(node)),
        }
    }
    // That no node is left is no fault of the filters.
    ended("Filter", "Success");
    match feasible.as_slice() {
        [] => Err(diagnosis),
        [only] => Ok(placement(cycle, only)),
        _ => {
            let mut totals = vec![0; feasible.len()];
            for (plugin, judge) in &judges {
                for (total, score) in totals.iter_mut().zip(judge.score(&feasible).unwrap_or_default()) {
                    *total += score * plugin.weight();
                }
            }
            ended("Score", "Success");
            Ok(placement(cycle, pick(&feasible, &totals, random)))
        }
    }
}

/// Whether the pod may run on the node, which is one of the snapshot's.
pub(crate) fn fits(pod: &PodInfo, snapshot: &Snapshot, node: &NodeInfo) -> Result<(), Rejection> {
    let cycle = Cycle { pod, snapshot };
    admit(&judges(cycle), cycle, node).map_err(|(_, rejection)| rejection)
}

type Judges<'a> = Vec<(&'static dyn Plugin, Box<dyn Judge + 'a>)>;

fn judges(cycle: Cycle<'_>) -> Judges<'_> {
    PLUGINS.iter().filter_map(|plugin| Some((*plugin, plugin.prepare(cycle)?))).collect()
}

/// Asks the plugins of the node as it is, and as it will be with those pods that room is being made for:
/// they may never come, so the pod must not rely on them either.
fn admit(judges: &Judges<'_>, cycle: Cycle<'_>, node: &NodeInfo) -> Result<(), (&'static str, Rejection)> {
    refusal(judges, node)?;
    let nominations = &cycle.snapshot.nominations;
    if nominations.is_empty() || nominations.before(cycle.pod, &node.name).next().is_none() {
        return Ok(());
    }
    let mut fuller = node.clone();
    for expected in nominations.before(cycle.pod, &node.name) {
        fuller.add(expected);
    }
    let snapshot = cycle.snapshot.with_node(&fuller);
    refusal(&self::judges(Cycle { pod: cycle.pod, snapshot: &snapshot }), &fuller)
}

fn refusal(judges: &Judges<'_>, node: &NodeInfo) -> Result<(), (&'static str, Rejection)> {
    judges.iter().try_for_each(|(plugin, judge)| judge.filter(node).map_err(|rejection| (plugin.name(), rejection)))
}

/// One of the nodes with the highest total, by chance, so that equal nodes fill evenly.
fn pick<'a>(nodes: &'a [Arc<NodeInfo>], totals: &[i64], random: &Random) -> &'a NodeInfo {
    let best = totals.iter().max().copied().unwrap_or(0);
    let candidates: Vec<_> = nodes.iter().zip(totals).filter(|(_, total)| **total == best).collect();
    let chosen = usize::try_from(random.below(candidates.len() as u64)).unwrap_or(0);
    candidates[chosen].0
}

fn placement(cycle: Cycle<'_>, node: &NodeInfo) -> Placement {
    // The plugin has consented to this very plan.
    let volumes = cycle.snapshot.volumes.plan(cycle.pod, node).unwrap_or_default();
    Placement { node: node.name.clone(), volumes }
}

/// Stretches raw scores so that the highest becomes [`BEST`]; with `reverse`, so that the lowest does.
pub(crate) fn normalize(scores: &mut [i64], reverse: bool) {
    let highest = scores.iter().max().copied().unwrap_or(0);
    for score in scores {
        let scaled = if highest == 0 { 0 } else { *score * BEST / highest };
        *score = if reverse { BEST - scaled } else { scaled };
    }
}

#[cfg(test)]
mod tests {
    use api::k8s::api::core::v1::{Affinity, PodAffinityTerm, PodAntiAffinity, TopologySpreadConstraint};
    use api::k8s::apimachinery::pkg::apis::meta::v1::LabelSelector;

    use super::*;
    use crate::cache::Cache;
    use crate::fixture::{self, NodeBuilder, PodBuilder};

    fn cluster(nodes: Vec<NodeBuilder>, placed: Vec<(PodBuilder, &str)>) -> Snapshot {
        let mut cache = Cache::default();
        for node in nodes {
            cache.set_node(&node.build()).unwrap();
        }
        for (pod, node) in placed {
            cache.confirm(&pod.info(), node);
        }
        cache.snapshot()
    }

    fn place(pod: PodBuilder, snapshot: &Snapshot) -> String {
        match decide(&pod.info(), snapshot, &Random::seeded(1), |_, _| {}) {
            Ok(placement) => placement.node,
            Err(diagnosis) => diagnosis.message().trim_end_matches('.').to_owned(),
        }
    }

    fn web() -> LabelSelector {
        LabelSelector { match_labels: Some([("app".to_owned(), "web".to_owned())].into()), match_expressions: None }
    }

    #[test]
    fn every_refusal_is_told() {
        let snapshot = cluster(
            vec![
                fixture::node("cordoned").cordoned(),
                fixture::node("tainted").taint("dedicated", "NoSchedule"),
                fixture::node("small").allocatable(&[("cpu", "500m"), ("pods", "1")]),
                fixture::node("taken"),
            ],
            vec![
                (fixture::pod("one").container(&[]), "small"),
                (fixture::pod("two").host_port(80).container(&[("cpu", "1")]), "taken"),
            ],
        );
        let pod = || fixture::pod("new").container(&[("cpu", "1")]);
        assert_eq!(
            place(pod().host_port(80), &snapshot),
            "0/4 nodes are available: 1 Insufficient cpu, 1 Too many pods, 1 node(s) didn't have free ports for the \
             requested pod ports, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable"
        );
        assert_eq!(place(pod().host_port(81), &snapshot), "taken");
        assert_eq!(place(pod().tolerate("dedicated"), &snapshot), "tainted");
        assert_eq!(place(pod().tolerate("node.kubernetes.io/unschedulable").host_port(80), &snapshot), "cordoned");
        assert_eq!(
            place(
                pod().edit(|spec| spec.node_selector = Some([("disk".to_owned(), "ssd".to_owned())].into())),
                &snapshot
            ),
            "0/4 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, \
             2 node(s) didn't match Pod's node affinity/selector"
        );
    }

    #[test]
    fn the_emptier_node_wins() {
        let snapshot = cluster(
            vec![fixture::node("a"), fixture::node("b"), fixture::node("c")],
            vec![
                (fixture::pod("one").container(&[("cpu", "2"), ("memory", "4Gi")]), "a"),
                (fixture::pod("two").container(&[("cpu", "1"), ("memory", "2Gi")]), "c"),
            ],
        );
        assert_eq!(place(fixture::pod("new").container(&[("cpu", "1"), ("memory", "2Gi")]), &snapshot), "b");
    }

    #[test]
    fn hard_spreading_keeps_the_skew() {
        let spread = |pod: PodBuilder| {
            pod.label("app", "web").edit(|spec| {
                spec.topology_spread_constraints = Some(vec![TopologySpreadConstraint {
                    topology_key: "zone".into(),
                    max_skew: 1,
                    when_unsatisfiable: "DoNotSchedule".into(),
                    label_selector: Some(web()),
                    ..TopologySpreadConstraint::default()
                }]);
            })
        };
        let nodes = || {
            vec![
                fixture::node("a").label("zone", "left"),
                fixture::node("b").label("zone", "right").allocatable(&[("pods", "1")]),
                fixture::node("c"),
            ]
        };
        let one = || (spread(fixture::pod("one")), "a");
        assert_eq!(place(spread(fixture::pod("new")), &cluster(nodes(), vec![one()])), "b");
        let full = cluster(nodes(), vec![one(), (fixture::pod("other"), "b")]);
        assert_eq!(
            place(spread(fixture::pod("new")), &full),
            "0/3 nodes are available: 1 Too many pods, 1 node(s) didn't match pod topology spread constraints, \
             1 node(s) didn't match pod topology spread constraints (missing required label)"
        );
    }

    #[test]
    fn anti_affinity_holds_in_both_directions() {
        let loner = |name: &str| {
            fixture::pod(name).label("app", "web").edit(|spec| {
                let term = PodAffinityTerm {
                    topology_key: "kubernetes.io/hostname".into(),
                    label_selector: Some(web()),
                    ..PodAffinityTerm::default()
                };
                let anti = PodAntiAffinity {
                    required_during_scheduling_ignored_during_execution: Some(vec![term]),
                    ..PodAntiAffinity::default()
                };
                spec.affinity = Some(Affinity { pod_anti_affinity: Some(anti), ..Affinity::default() });
            })
        };
        let snapshot = cluster(vec![fixture::node("a"), fixture::node("b")], vec![(loner("one"), "a")]);
        assert_eq!(place(loner("new"), &snapshot), "b");
        assert_eq!(place(fixture::pod("plain").label("app", "web"), &snapshot), "b");
        let full = cluster(vec![fixture::node("a")], vec![(loner("one"), "a")]);
        assert_eq!(
            place(loner("new"), &full),
            "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules"
        );
        assert_eq!(
            place(fixture::pod("plain").label("app", "web"), &full),
            "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules"
        );
    }
}
