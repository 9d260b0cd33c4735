//! A change of the Deployment's size, spread over the ReplicaSets it has.

use std::cmp::Reverse;
use std::sync::Arc;

use api::k8s::api::apps::v1::ReplicaSet;

use super::annotations;
use super::view::{View, available, size};

/// A ReplicaSet is to have `to` pods. Where it has them already, its notes on the Deployment's size
/// may still need writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resize {
    pub(super) name: String,
    pub(super) to: i32,
}

impl Resize {
    pub(super) fn new(replica_set: &ReplicaSet, to: i32) -> Self {
        Resize { name: replica_set.metadata.name.clone().unwrap_or_default(), to }
    }
}

/// Spreads the size: all to the one active ReplicaSet; in the middle of a rolling update, in proportion,
/// so that a bad new version does not get all of the increase.
pub(super) fn plan_scale(view: &View) -> Vec<Resize> {
    if let Some(only) = active_or_latest(view) {
        return vec![Resize::new(only, view.replicas())];
    }
    if let Some(new) = view.new_set()
        && is_saturated(view, new)
    {
        return view.old().iter().filter(|old| size(old) > 0).map(|old| Resize::new(old, 0)).collect();
    }
    if view.is_recreate() { Vec::new() } else { proportional(view) }
}

/// The ReplicaSet at its new size; `None` where nothing needs writing.
pub(super) fn resized(view: &View, replica_set: &ReplicaSet, to: i32) -> Option<ReplicaSet> {
    let mut updated = replica_set.clone();
    let notes_changed =
        annotations::set_sizes(&mut updated.metadata, view.replicas(), view.replicas() + view.max_surge());
    if size(replica_set) == to && !notes_changed {
        return None;
    }
    updated.spec.replicas = Some(to);
    Some(updated)
}

/// The ReplicaSet that alone has pods; where none has, the new one, or the latest.
fn active_or_latest(view: &View) -> Option<&Arc<ReplicaSet>> {
    let active: Vec<_> = view.all().filter(|set| size(set) > 0).collect();
    match active.as_slice() {
        [] => view.new_set().or_else(|| view.old().last()),
        [only] => Some(only),
        _ => None,
    }
}

fn is_saturated(view: &View, new: &ReplicaSet) -> bool {
    let replicas = view.replicas();
    annotations::desired_replicas(new) == Some(replicas) && size(new) == replicas && available(new) == replicas
}

fn proportional(view: &View) -> Vec<Resize> {
    let mut active: Vec<&Arc<ReplicaSet>> = view.all().filter(|set| size(set) > 0).collect();
    let allowed = if view.replicas() > 0 { view.replicas() + view.max_surge() } else { 0 };
    let to_add = allowed - active.iter().map(|set| size(set)).sum::<i32>();
    // The largest changes most; among equals the newer grows, the older shrinks.
    let created = |set: &ReplicaSet| set.metadata.creation_timestamp.as_ref().map(|time| time.0);
    if to_add > 0 {
        active.sort_by_key(|set| (Reverse(size(set)), Reverse(created(set))));
    } else {
        active.sort_by_key(|set| (Reverse(size(set)), created(set)));
    }
    let mut added = 0;
    let mut plan = Vec::new();
    for set in &active {
        let share = share_of(view, set, to_add, added);
        added += share;
        plan.push(Resize::new(set, size(set) + share));
    }
    if let Some(first) = plan.first_mut() {
        first.to = (first.to + to_add - added).max(0);
    }
    plan
}

/// The part of the change that falls to one ReplicaSet, by the size it had when the Deployment was
/// last scaled.
fn share_of(view: &View, set: &ReplicaSet, to_add: i32, added: i32) -> i32 {
    let left = to_add - added;
    if left == 0 {
        return 0;
    }
    if view.replicas() == 0 {
        return (-size(set)).max(left);
    }
    let reported = view.deployment().status.as_ref().and_then(|status| status.replicas).unwrap_or(0);
    let before = annotations::max_replicas(set).filter(|max| *max > 0).unwrap_or(reported).max(1);
    let after = view.replicas() + view.max_surge();
    let target = f64::from(size(set)) * f64::from(after) / f64::from(before);
    let fraction = target.round() as i32 - size(set);
    if to_add > 0 { fraction.min(left) } else { fraction.max(left) }
}
