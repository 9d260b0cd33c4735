//! Which old ReplicaSets the history no longer keeps.

use super::annotations;
use super::view::{View, size};

/// Names of finished ReplicaSets over the limit, oldest revision first.
pub(super) fn plan_cleanup(view: &View) -> Vec<String> {
    let limit = view.spec().revision_history_limit.unwrap_or(10);
    let Ok(limit) = usize::try_from(limit) else { return Vec::new() };
    let mut kept: Vec<_> = view.old().iter().filter(|old| old.metadata.deletion_timestamp.is_none()).collect();
    let excess = kept.len().saturating_sub(limit);
    kept.sort_by_key(|old| annotations::revision(&old.metadata));
    let over = kept.into_iter().take(excess);
    let finished = over.filter(|old| {
        let status = old.status.as_ref();
        let observed = status.and_then(|status| status.observed_generation).unwrap_or(0);
        size(old) == 0
            && status.is_none_or(|status| status.replicas == 0)
            && old.metadata.generation.unwrap_or(0) <= observed
    });
    finished.filter_map(|old| old.metadata.name.clone()).collect()
}
