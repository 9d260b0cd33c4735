//! What is told of reconciliations of Jobs.

use std::sync::Arc;
use std::time::Duration;

use api::k8s::api::batch::v1::JobStatus;
use api::k8s::api::core::v1::Pod;
use reconcile::Informer;

use super::plan::{End, Plan, Pods, Verdict};
use super::view::{View, has_finalizer};
use crate::metrics::Figures;
use crate::pods;

/// Counts finished pods as they get, and lose, the finalizer that keeps them until they are counted.
pub(super) fn count_tracked_pods(informer: &Informer<Pod>, figures: Arc<Figures>) {
    let waits = |pod: &Arc<Pod>| pods::is_finished(pod) && has_finalizer(pod);
    informer.on_change(move |old, new| match (old.is_some_and(waits), new.is_some_and(waits)) {
        (false, true) => figures.tracked_pods.count(&["add"]),
        (true, false) => figures.tracked_pods.count(&["delete"]),
        _ => {}
    });
}

pub(super) fn tell_sync(figures: &Figures, view: &View<'_>, plan: &Plan, took: Duration, is_success: bool) {
    let labels = [action(plan), mode(view), if is_success { "success" } else { "error" }];
    figures.job_syncs.count(&labels);
    figures.job_sync_seconds.observe(&labels, took.as_secs_f64());
}

/// Pods that were counted between the two.
pub(super) fn tell_counted(figures: &Figures, view: &View<'_>, before: &JobStatus, now: &JobStatus) {
    let more =
        |before: Option<i32>, now: Option<i32>| u64::try_from(now.unwrap_or(0) - before.unwrap_or(0)).unwrap_or(0);
    for (result, count) in
        [("succeeded", more(before.succeeded, now.succeeded)), ("failed", more(before.failed, now.failed))]
    {
        if count > 0 {
            figures.finished_pods.add(&[mode(view), result], count);
        }
    }
}

pub(super) fn tell_end(figures: &Figures, view: &View<'_>, verdict: &Verdict) {
    let result = match verdict.end {
        End::Complete => "succeeded",
        End::Failed => "failed",
    };
    figures.finished_jobs.count(&[mode(view), &verdict.reason, result]);
}

fn action(plan: &Plan) -> &'static str {
    match plan.pods {
        // With a verdict, or before earlier creations and deletions are seen, the number of pods is not looked at.
        _ if !plan.has_managed => "reconciling",
        Pods::Keep => "tracking",
        Pods::Create(_) => "pods_created",
        Pods::Remove(_) | Pods::End(_) => "pods_deleted",
    }
}

fn mode(view: &View<'_>) -> &'static str {
    if view.is_indexed() { "Indexed" } else { "NonIndexed" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_named_by_what_becomes_of_pods() {
        let plan = |pods, has_managed| Plan { pods, has_managed, ..Plan::default() };
        for (plan, expected) in [
            (plan(Pods::Keep, false), "reconciling"),
            (plan(Pods::End(Vec::new()), false), "reconciling"),
            (plan(Pods::Keep, true), "tracking"),
            (plan(Pods::Create(vec![None]), true), "pods_created"),
            (plan(Pods::Remove(Vec::new()), true), "pods_deleted"),
        ] {
            assert_eq!(action(&plan), expected, "{plan:?}");
        }
    }
}
