//! Which pods of a DaemonSet to make, on which nodes, and which to delete.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use api::k8s::api::apps::v1::{DaemonSet, DaemonSetSpec};
use api::k8s::api::core::v1::{Node, Pod};
use api::k8s::apimachinery::pkg::util::intstr::IntOrString;
use api::k8s::jiff::Timestamp;

use super::backoff::Backoffs;
use super::placement::{Placement, placement, target_of};
use crate::pods;
use crate::share::share_of;

pub(super) const HASH: &str = "controller-revision-hash";
const TEMPLATE_GENERATION: &str = "pod-template-generation";
const GENERATION_ANNOTATION: &str = "deprecated.daemonset.template.generation";

/// A DaemonSet, its pods by node, and all nodes there are.
pub(super) struct View<'a> {
    pub(super) set: &'a DaemonSet,
    pub(super) nodes: &'a [Arc<Node>],
    pub(super) by_node: BTreeMap<String, Vec<Arc<Pod>>>,
    /// Of the newest revision.
    pub(super) hash: &'a str,
    pub(super) now: Timestamp,
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// Names of nodes.
    pub(super) create: Vec<String>,
    pub(super) delete: Vec<Arc<Pod>>,
    /// Pods that ended though they never should: reason and message of an event.
    pub(super) events: Vec<(&'static str, String)>,
    /// Nodes whose failed pods are deleted: each time the wait before that doubles.
    pub(super) failed_on: Vec<String>,
    /// When the first failed pod may be deleted.
    pub(super) wait: Option<Duration>,
}

impl<'a> View<'a> {
    pub(super) fn new(
        set: &'a DaemonSet,
        nodes: &'a [Arc<Node>],
        claimed: &[Arc<Pod>],
        hash: &'a str,
        now: Timestamp,
    ) -> Self {
        let mut by_node: BTreeMap<String, Vec<Arc<Pod>>> = BTreeMap::new();
        for pod in claimed {
            // What has ended and is going is past.
            if pods::is_finished(pod) && pods::is_terminating(pod) {
                continue;
            }
            if let Some(node) = target_of(pod) {
                by_node.entry(node.to_owned()).or_default().push(Arc::clone(pod));
            }
        }
        for pods in by_node.values_mut() {
            sort_oldest_first(pods);
        }
        View { set, nodes, by_node, hash, now }
    }

    pub(super) fn spec(&self) -> &DaemonSetSpec {
        &self.set.spec
    }

    pub(super) fn placements(&self) -> impl Iterator<Item = (&str, Placement)> {
        self.nodes.iter().map(|node| (node.metadata.name.as_deref().unwrap_or_default(), placement(self.set, node)))
    }

    pub(super) fn pods_on(&self, node: &str) -> &[Arc<Pod>] {
        self.by_node.get(node).map_or(&[], Vec::as_slice)
    }

    pub(super) fn is_updated(&self, pod: &Pod) -> bool {
        let label = |key: &str| pod.metadata.labels.as_ref().and_then(|labels| labels.get(key));
        let generation = template_generation(self.set);
        label(HASH).is_some_and(|hash| hash == self.hash)
            || (generation.is_some() && label(TEMPLATE_GENERATION).map(String::as_str) == generation)
    }

    pub(super) fn is_available(&self, pod: &Pod) -> bool {
        pods::is_available(pod, self.spec().min_ready_seconds.unwrap_or(0), self.now)
    }

    pub(super) fn is_rolling(&self) -> bool {
        let strategy = self.spec().update_strategy.as_ref().and_then(|strategy| strategy.type_.as_deref());
        strategy.unwrap_or("RollingUpdate") == "RollingUpdate"
    }

    fn bounds(&self, desired: i32) -> Bounds {
        let rolling = self.spec().update_strategy.as_ref().and_then(|strategy| strategy.rolling_update.as_ref());
        let share =
            |bound: Option<&IntOrString>, default: i32| bound.map_or(default, |bound| share_of(bound, desired, true));
        let surge = share(rolling.and_then(|rolling| rolling.max_surge.as_ref()), 0);
        let unavailable = share(rolling.and_then(|rolling| rolling.max_unavailable.as_ref()), 1);
        // With neither, nothing would ever be updated.
        let unavailable = if desired > 0 && surge == 0 && unavailable == 0 { 1 } else { unavailable };
        Bounds { surge, unavailable }
    }

    fn allows_surge(&self) -> bool {
        self.is_rolling() && self.bounds(1).surge > 0
    }
}

struct Bounds {
    surge: i32,
    unavailable: i32,
}

pub(super) fn template_generation(set: &DaemonSet) -> Option<&str> {
    let generation = set.metadata.annotations.as_ref()?.get(GENERATION_ANNOTATION)?;
    generation.parse::<i64>().ok().map(|_| generation.as_str())
}

/// One pod on every node that should have one, and none where none should be.
pub(super) fn plan_nodes(view: &View, backoffs: &Backoffs) -> Plan {
    let mut plan = Plan::default();
    let mut known = BTreeSet::new();
    for (node, placement) in view.placements() {
        known.insert(node);
        let present = view.pods_on(node);
        if placement.should_run && present.is_empty() {
            plan.create.push(node.to_owned());
        } else if placement.may_stay {
            let running = clear_ended(view, node, present, backoffs, &mut plan);
            plan.delete.extend(excess(view, running));
        } else {
            plan.delete.extend(present.iter().filter(|pod| !pods::is_terminating(pod)).cloned());
        }
    }
    // What waits for a node that is gone would wait for ever.
    let stranded = view.by_node.iter().filter(|(node, _)| !known.contains(node.as_str()));
    plan.delete.extend(stranded.flat_map(|(_, pods)| pods).filter(|pod| pods::node_name(pod).is_none()).cloned());
    plan
}

/// Marks ended pods for deletion, so that new ones follow. Gives those that run, oldest first.
fn clear_ended(view: &View, node: &str, present: &[Arc<Pod>], backoffs: &Backoffs, plan: &mut Plan) -> Vec<Arc<Pod>> {
    let mut running = Vec::new();
    for pod in present.iter().filter(|pod| !pods::is_terminating(pod)) {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        match pods::phase(pod) {
            "Failed" => {
                // The node may refuse it at once, every time.
                let wait = backoffs.remaining(node, view.now);
                if !wait.is_zero() {
                    plan.wait = Some(plan.wait.map_or(wait, |soonest| soonest.min(wait)));
                    continue;
                }
                let message = format!("Found failed daemon pod {namespace}/{name} on node {node}, will try to kill it");
                plan.events.push(("FailedDaemonPod", message));
                plan.failed_on.push(node.to_owned());
                plan.delete.push(Arc::clone(pod));
            }
            "Succeeded" => {
                let message =
                    format!("Found succeeded daemon pod {namespace}/{name} on node {node}, will try to delete it");
                plan.events.push(("SucceededDaemonPod", message));
                plan.delete.push(Arc::clone(pod));
            }
            _ => running.push(Arc::clone(pod)),
        }
    }
    running
}

/// All but the oldest; with a surge, all but the oldest of the new and of the old template.
fn excess(view: &View, running: Vec<Arc<Pod>>) -> Vec<Arc<Pod>> {
    if !view.allows_surge() {
        return running.into_iter().skip(1).collect();
    }
    let (new, old): (Vec<_>, Vec<_>) = running.into_iter().partition(|pod| view.is_updated(pod));
    let mut excess: Vec<Arc<Pod>> = new.iter().skip(1).chain(old.iter().skip(1)).cloned().collect();
    if let (Some(new), Some(old)) = (new.first(), old.first())
        && (!pods::is_ready(old) || view.is_available(new))
    {
        excess.push(Arc::clone(old));
    }
    excess
}

/// Replaces pods of old templates, as many at once as the strategy allows.
pub(super) fn plan_rollout(view: &View) -> Plan {
    let running: BTreeSet<&str> =
        view.placements().filter(|(_, placement)| placement.should_run).map(|(node, _)| node).collect();
    let bounds = view.bounds(count(running.len()));
    // Nodes that should have a pod, and all that have one.
    let nodes: BTreeSet<&str> = running.iter().copied().chain(view.by_node.keys().map(String::as_str)).collect();
    if bounds.surge == 0 {
        replace_in_place(view, &nodes, bounds.unavailable)
    } else {
        replace_with_surge(view, &nodes, &running, bounds.surge)
    }
}

fn replace_in_place(view: &View, nodes: &BTreeSet<&str>, max_unavailable: i32) -> Plan {
    let mut unavailable = 0;
    let (mut broken, mut candidates) = (Vec::new(), Vec::new());
    for node in nodes {
        match updated_and_old(view, node) {
            Some((Some(new), None)) => unavailable += i32::from(!view.is_available(&new)),
            Some((None, Some(old))) if !view.is_available(&old) => {
                // Nothing is lost with it.
                unavailable += 1;
                broken.push(old);
            }
            Some((None, Some(old))) => candidates.push(old),
            // None, both, or too many: the other plan comes first.
            _ => unavailable += 1,
        }
    }
    let allowed = usize::try_from(max_unavailable - unavailable).unwrap_or(0);
    broken.extend(candidates.into_iter().take(allowed));
    Plan { delete: broken, ..Plan::default() }
}

fn replace_with_surge(view: &View, nodes: &BTreeSet<&str>, running: &BTreeSet<&str>, max_surge: i32) -> Plan {
    let mut plan = Plan::default();
    let (mut candidates, mut misplaced) = (Vec::new(), Vec::new());
    let (mut surge, mut available) = (0, 0);
    for node in nodes {
        let Some((new, old)) = updated_and_old(view, node) else {
            surge += 1;
            continue;
        };
        available += i32::from(old.as_ref().or(new.as_ref()).is_some_and(|pod| view.is_available(pod)));
        let should_run = running.contains(node);
        match (new, old) {
            (_, None) => {}
            (None, Some(old)) => match (view.is_available(&old), should_run) {
                (false, false) => plan.delete.push(old),
                (false, true) => plan.create.push((*node).to_owned()),
                (true, false) => misplaced.push(old),
                (true, true) => candidates.push((*node).to_owned()),
            },
            (Some(new), Some(_)) if !view.is_available(&new) => surge += 1,
            (Some(_), Some(old)) => plan.delete.push(old),
        }
    }
    // Where nodes have changed places, the old ones serve until the new ones do.
    let spare = usize::try_from(available - count(running.len())).unwrap_or(0);
    plan.delete.extend(misplaced.into_iter().take(spare));
    let allowed = usize::try_from(max_surge - surge).unwrap_or(0);
    plan.create.extend(candidates.into_iter().take(allowed));
    plan
}

type Pair = (Option<Arc<Pod>>, Option<Arc<Pod>>);

/// The node's pod of the new template and that of an old one; nothing where there are several of either.
fn updated_and_old(view: &View, node: &str) -> Option<Pair> {
    let (mut new, mut old) = (None, None);
    for pod in view.pods_on(node).iter().filter(|pod| !pods::is_terminating(pod)) {
        let slot = if view.is_updated(pod) { &mut new } else { &mut old };
        if slot.replace(Arc::clone(pod)).is_some() {
            return None;
        }
    }
    Some((new, old))
}

fn sort_oldest_first(pods: &mut [Arc<Pod>]) {
    pods.sort_by_cached_key(|pod| {
        let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
        (pods::node_name(pod).is_none(), created, pod.metadata.name.clone())
    });
}

pub(super) fn count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
