//! The next step from old pods to new ones.

use std::sync::Arc;

use api::k8s::api::apps::v1::ReplicaSet;

use super::scale::Resize;
use super::view::{View, available, size};

/// Which ReplicaSets to resize now. Empty where the rollout waits for pods, or is over.
/// `old_pods_run` matters to Recreate alone.
pub(super) fn plan_rollout(view: &View, old_pods_run: bool) -> Vec<Resize> {
    if view.is_recreate() { recreate(view, old_pods_run) } else { rolling_update(view) }
}

/// The size the new ReplicaSet may have at once.
pub(super) fn new_set_size(view: &View) -> i32 {
    let present = view.new_set().map_or(0, |set| size(set));
    if view.is_recreate() {
        return view.replicas();
    }
    let room = view.replicas() + view.max_surge() - view.total_size();
    if room <= 0 { present } else { present + room.min(view.replicas() - present) }
}

fn recreate(view: &View, old_pods_run: bool) -> Vec<Resize> {
    let shrink: Vec<Resize> = view.old().iter().filter(|old| size(old) > 0).map(|old| Resize::new(old, 0)).collect();
    if !shrink.is_empty() || old_pods_run {
        return shrink;
    }
    let grow = view.new_set().filter(|new| size(new) != view.replicas());
    grow.map(|new| Resize::new(new, view.replicas())).into_iter().collect()
}

fn rolling_update(view: &View) -> Vec<Resize> {
    let Some(new) = view.new_set() else { return Vec::new() };
    let target = if size(new) > view.replicas() { view.replicas() } else { new_set_size(view) };
    if size(new) != target {
        return vec![Resize::new(new, target)];
    }
    shrink_old(view, new)
}

/// Takes away old pods as long as enough remain available: first those that do not work anyway, which
/// cannot make things worse, then working ones.
fn shrink_old(view: &View, new: &ReplicaSet) -> Vec<Resize> {
    if view.old_size() == 0 {
        return Vec::new();
    }
    // One that is to get smaller may not have said yet what is left: what it says of itself would be taken for spare.
    if view.old().iter().any(|old| size(old) > 0 && available(old) > size(old)) {
        return Vec::new();
    }
    let minimum = view.replicas() - view.max_unavailable();
    let new_unavailable = size(new) - available(new);
    let mut budget = view.total_size() - minimum - new_unavailable;
    if budget <= 0 {
        return Vec::new();
    }
    let mut sizes: Vec<(Arc<ReplicaSet>, i32)> = view.old().iter().map(|old| (Arc::clone(old), size(old))).collect();
    for (old, remaining) in &mut sizes {
        let unhealthy = (*remaining - available(old)).clamp(0, budget.max(0));
        *remaining -= unhealthy;
        budget -= unhealthy;
    }
    let mut spare = view.all().map(|set| available(set).min(size(set))).sum::<i32>() - minimum;
    for (_, remaining) in &mut sizes {
        let healthy = (*remaining).clamp(0, spare.max(0));
        *remaining -= healthy;
        spare -= healthy;
    }
    sizes.iter().filter(|(old, remaining)| size(old) != *remaining).map(|(old, to)| Resize::new(old, *to)).collect()
}
