//! Which pods to make or delete next, in the order of their ordinals.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::k8s::api::apps::v1::{RollingUpdateStatefulSetStrategy, StatefulSet, StatefulSetSpec, StatefulSetStatus};
use api::k8s::api::core::v1::Pod;
use api::k8s::jiff::Timestamp;

use super::identity::{missing_labels, ordinal_of, revision_of};
use crate::pods;
use crate::replicaset::non_zero;
use crate::share::share_of;

/// A StatefulSet, its pods, and the names of its revisions.
pub(super) struct View<'a> {
    pub(super) set: &'a StatefulSet,
    pub(super) pods: &'a [Arc<Pod>],
    /// Where a rollout comes from.
    pub(super) current: &'a str,
    /// Where it leads.
    pub(super) update: &'a str,
    pub(super) now: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Revision {
    Current,
    Update,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    /// With its claims, before it.
    Create {
        ordinal: i32,
        revision: Revision,
    },
    /// The pod waits for its claims: one may be missing.
    SupplyClaims {
        ordinal: i32,
    },
    /// Its labels do not say who it is.
    Label {
        pod: Arc<Pod>,
        labels: BTreeMap<String, String>,
    },
    Delete(Arc<Pod>),
}

/// An ordinal the set wants, and its pod.
type Replica<'a> = (i32, Option<&'a Arc<Pod>>);

/// What to do now, first to last. In order means that nothing is done beyond a pod that is not ready yet.
pub(super) fn plan(view: &View) -> Vec<Action> {
    let mut actions = Vec::new();
    if view.set.metadata.deletion_timestamp.is_some() {
        return actions;
    }
    let (replicas, condemned) = view.partition();
    let in_order = view.is_in_order();
    if !settle_replicas(view, &replicas, in_order, &mut actions) {
        return actions;
    }
    if !remove_condemned(view, &replicas, &condemned, in_order, &mut actions) {
        return actions;
    }
    if view.is_rolling() {
        actions.extend(outdated(view, &replicas).into_iter().map(Action::Delete));
    }
    actions
}

/// False where something has to happen first.
fn settle_replicas(view: &View, replicas: &[Replica<'_>], in_order: bool, actions: &mut Vec<Action>) -> bool {
    for (ordinal, pod) in replicas {
        let Some(pod) = pod else {
            actions.push(Action::Create { ordinal: *ordinal, revision: view.revision_for(*ordinal) });
            if in_order {
                return false;
            }
            continue;
        };
        // However it ended: a pod of a set is meant to run. Its name is free once it is gone.
        if pods::is_finished(pod) {
            if !pods::is_terminating(pod) {
                actions.push(Action::Delete(Arc::clone(pod)));
            }
            if in_order {
                return false;
            }
            continue;
        }
        if pods::phase(pod) == "Pending" && !pods::is_terminating(pod) {
            actions.push(Action::SupplyClaims { ordinal: *ordinal });
        }
        if in_order && !view.is_available(pod) {
            return false;
        }
        let labels = missing_labels(view.set, *ordinal, pod);
        if !labels.is_empty() && !pods::is_terminating(pod) {
            actions.push(Action::Label { pod: Arc::clone(pod), labels });
        }
    }
    true
}

/// Highest ordinals go first; in order, one after the other, and only while all others are well. False
/// where some are still to go.
fn remove_condemned(
    view: &View,
    replicas: &[Replica<'_>],
    condemned: &[(i32, &Arc<Pod>)],
    in_order: bool,
    actions: &mut Vec<Action>,
) -> bool {
    let ill = |pod: &Arc<Pod>| !view.is_available(pod);
    let first_ill = replicas
        .iter()
        .filter_map(|(_, pod)| *pod)
        .find(|pod| ill(pod))
        .or_else(|| condemned.iter().rev().map(|(_, pod)| *pod).find(|pod| ill(pod)));
    for (_, pod) in condemned {
        if pods::is_terminating(pod) {
            if in_order {
                return false;
            }
            continue;
        }
        let may_go = !in_order || view.is_available(pod) || first_ill.is_some_and(|first| Arc::ptr_eq(first, pod));
        if may_go {
            actions.push(Action::Delete(Arc::clone(pod)));
        }
        if in_order {
            return false;
        }
    }
    true
}

/// Pods of old revisions to replace now: as many as may be unavailable, highest ordinals first. What is
/// unavailable anyhow costs nothing.
fn outdated(view: &View, replicas: &[Replica<'_>]) -> Vec<Arc<Pod>> {
    let is_down = |pod: &Option<&Arc<Pod>>| pod.is_none_or(|pod| !view.is_available(pod));
    let down = replicas.iter().filter(|(_, pod)| is_down(pod)).count();
    let allowed = view.max_unavailable();
    let mut budget = allowed.saturating_sub(down);
    let (mut passed_down, mut doomed) = (0, Vec::new());
    for (nth, (_, pod)) in replicas.iter().enumerate().rev() {
        if nth < view.partition_start() || passed_down >= allowed {
            break;
        }
        let is_old = pod.is_some_and(|pod| revision_of(pod) != view.update && !pods::is_terminating(pod));
        match (pod, is_old, is_down(pod)) {
            (Some(pod), true, true) => {
                doomed.push(Arc::clone(pod));
                passed_down += 1;
            }
            (Some(pod), true, false) if budget > 0 => {
                doomed.push(Arc::clone(pod));
                budget -= 1;
                passed_down += 1;
            }
            (_, false, true) => passed_down += 1,
            _ => {}
        }
    }
    doomed
}

pub(super) fn plan_status(view: &View, collisions: Option<i32>) -> StatefulSetStatus {
    let (mut replicas, mut ready, mut available, mut current, mut updated) = (0, 0, 0, 0, 0);
    for pod in view.pods.iter().filter(|pod| !pods::phase(pod).is_empty()) {
        replicas += 1;
        let is_ready = is_running_and_ready(pod);
        ready += i32::from(is_ready);
        available += i32::from(is_ready && pods::is_available(pod, view.min_ready_seconds(), view.now));
        if !pods::is_terminating(pod) {
            current += i32::from(revision_of(pod) == view.current);
            updated += i32::from(revision_of(pod) == view.update);
        }
    }
    let wanted = view.size();
    let is_done = view.is_rolling() && updated == wanted && ready == wanted && replicas == wanted;
    let (current, current_revision) = if is_done { (updated, view.update) } else { (current, view.current) };
    StatefulSetStatus {
        observed_generation: view.set.metadata.generation,
        replicas,
        ready_replicas: non_zero(ready),
        available_replicas: Some(available),
        current_replicas: non_zero(current),
        updated_replicas: non_zero(updated),
        current_revision: Some(current_revision.to_owned()),
        update_revision: Some(view.update.to_owned()),
        collision_count: Some(collisions.unwrap_or(0)),
        conditions: view.set.status.as_ref().and_then(|status| status.conditions.clone()),
    }
}

impl View<'_> {
    fn spec(&self) -> &StatefulSetSpec {
        &self.set.spec
    }

    pub(super) fn size(&self) -> i32 {
        self.spec().replicas.unwrap_or(1)
    }

    pub(super) fn start(&self) -> i32 {
        self.spec().ordinals.as_ref().and_then(|ordinals| ordinals.start).unwrap_or(0)
    }

    /// Whether the set still wants a pod of this ordinal.
    pub(super) fn wants(&self, ordinal: i32) -> bool {
        (self.start()..self.start().saturating_add(self.size())).contains(&ordinal)
    }

    pub(super) fn min_ready_seconds(&self) -> i32 {
        self.spec().min_ready_seconds.unwrap_or(0)
    }

    pub(super) fn is_in_order(&self) -> bool {
        self.spec().pod_management_policy.as_deref() != Some("Parallel")
    }

    fn is_rolling(&self) -> bool {
        let strategy = self.spec().update_strategy.as_ref().and_then(|strategy| strategy.type_.as_deref());
        strategy.unwrap_or("RollingUpdate") == "RollingUpdate"
    }

    fn rolling(&self) -> Option<&RollingUpdateStatefulSetStrategy> {
        self.spec().update_strategy.as_ref()?.rolling_update.as_ref()
    }

    /// Counted from the first pod, not by its ordinal.
    fn partition_start(&self) -> usize {
        let partition = self.rolling().and_then(|rolling| rolling.partition).unwrap_or(0);
        usize::try_from(partition).unwrap_or(0)
    }

    fn max_unavailable(&self) -> usize {
        max_unavailable(self.spec())
    }

    /// Beneath the partition, a pod that was lost comes back as it was.
    fn revision_for(&self, ordinal: i32) -> Revision {
        if !self.is_rolling() {
            return Revision::Update;
        }
        let kept = match self.rolling() {
            Some(rolling) => rolling.partition.unwrap_or(0),
            None => self.set.status.as_ref().and_then(|status| status.current_replicas).unwrap_or(0),
        };
        if ordinal < self.start().saturating_add(kept) { Revision::Current } else { Revision::Update }
    }

    /// Every ordinal with its pod, and pods of ordinals that are no longer wanted, highest first.
    fn partition(&self) -> (Vec<Replica<'_>>, Vec<(i32, &Arc<Pod>)>) {
        let mut by_ordinal: BTreeMap<i32, &Arc<Pod>> = BTreeMap::new();
        by_ordinal.extend(self.pods.iter().filter_map(|pod| Some((ordinal_of(self.set, pod)?, pod))));
        let end = self.start().saturating_add(self.size());
        let replicas = (self.start()..end).map(|ordinal| (ordinal, by_ordinal.get(&ordinal).copied())).collect();
        let condemned = by_ordinal.into_iter().rev().filter(|(ordinal, _)| !self.wants(*ordinal)).collect();
        (replicas, condemned)
    }

    /// Runs, has been ready long enough, and is not on its way out.
    fn is_available(&self, pod: &Pod) -> bool {
        is_running_and_ready(pod)
            && !pods::is_terminating(pod)
            && pods::is_available(pod, self.min_ready_seconds(), self.now)
    }
}

/// Pods that a roll-out may take away at once.
pub(super) fn max_unavailable(spec: &StatefulSetSpec) -> usize {
    let rolling = spec.update_strategy.as_ref().and_then(|strategy| strategy.rolling_update.as_ref());
    let bound = rolling.and_then(|rolling| rolling.max_unavailable.as_ref());
    let count = bound.map_or(1, |bound| share_of(bound, spec.replicas.unwrap_or(1), true));
    usize::try_from(count).unwrap_or(0).max(1)
}

fn is_running_and_ready(pod: &Pod) -> bool {
    pods::phase(pod) == "Running" && pods::is_ready(pod)
}
