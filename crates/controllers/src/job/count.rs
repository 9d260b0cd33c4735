//! Counts every pod once, whatever fails in between.
//!
//! A pod's end goes first into the status as a UID, then its finalizer is taken off, and only then does
//! the UID become one more in a counter. Whoever comes after a crash finds the UID, and whether the
//! finalizer is still there.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::k8s::api::batch::v1::{JobCondition, JobStatus, UncountedTerminatedPods};
use api::k8s::api::core::v1::Pod;
use api::k8s::apimachinery::pkg::apis::meta::v1::Time;
use api::k8s::jiff::Timestamp;

use super::plan::{End, Plan, Pods, Verdict};
use super::view::{View, count, has_succeeded};
use crate::pods;
use crate::replicaset::non_zero;

/// So many UIDs fit the status: about 20 KB.
const MAX_UNCOUNTED: usize = 500;

/// What became of the plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Effects {
    pub(super) created: usize,
    pub(super) deleted: usize,
    pub(super) deleted_ready: usize,
}

/// What to write, and whose finalizer to take off after that.
#[derive(Clone, Debug, Default)]
pub(super) struct Counting {
    pub(super) status: JobStatus,
    pub(super) release: Vec<Arc<Pod>>,
    /// What the Job comes to, once all is counted and gone.
    pub(super) verdict: Option<Verdict>,
    /// Pods are left that did not fit.
    pub(super) is_partial: bool,
    /// Suspended or resumed: reason and message of an event.
    pub(super) event: Option<(&'static str, &'static str)>,
}

/// The first half: what has ended becomes a UID in the status.
pub(super) fn count_ended(view: &View, plan: &Plan, effects: Effects) -> Counting {
    let now = Time(whole_seconds(view.now));
    let mut status = view.job.status.clone().unwrap_or_default();
    if status.start_time.is_none() && !view.is_suspended() {
        status.start_time = Some(now.clone());
    }
    let active = count((view.active().len() + effects.created).saturating_sub(effects.deleted));
    let mut event = None;
    let mut verdict = plan.verdict.clone();
    if let Pods::End(running) = &plan.pods
        && effects.deleted == running.len()
    {
        // Nothing hides in the cache, and nothing is left: the verdict holds.
    } else if verdict.is_some() {
        verdict = None;
    } else if is_complete(view, active) {
        verdict = Some(Verdict::complete("CompletionsReached", "Reached expected number of succeeded pods"));
    } else if plan.has_managed {
        event = suspend_or_resume(view, &mut status, &now);
    }
    let uncounted = status.uncounted_terminated_pods.get_or_insert_default();
    let (mut succeeded, mut failed) =
        (uncounted.succeeded.take().unwrap_or_default(), uncounted.failed.take().unwrap_or_default());
    let tracked = tracked_uids(view);
    settle_counts(&mut status, &mut succeeded, &mut failed, &tracked);
    let ended = collect_ended(view, verdict.as_ref(), &mut succeeded, &mut failed);

    status.uncounted_terminated_pods = Some(uncounted_of(succeeded, failed));
    status.active = non_zero(active);
    status.ready = Some(view.ready() - count(effects.deleted_ready));
    let newly_leaving = if matches!(plan.pods, Pods::Keep | Pods::Create(_)) { 0 } else { count(effects.deleted) };
    status.terminating = Some(view.terminating() + newly_leaving);
    if view.is_indexed() {
        let indexes = ended.succeeded_indexes;
        status.succeeded = non_zero(indexes.count());
        status.completed_indexes = Some(indexes.to_string()).filter(|text| !text.is_empty());
        status.failed_indexes = view.failed_indexes().map(|indexes| indexes.to_string());
    }
    if let Some(verdict) = &verdict {
        let [interim, _] = verdict.conditions();
        add_condition(&mut status, interim, verdict, now);
    }
    Counting { status, release: ended.release, verdict, is_partial: ended.is_partial, event }
}

/// The second half: UIDs whose finalizers are gone become numbers, and the Job ends if nothing is left.
/// `released` are those taken off just now. Tells whether the Job has ended.
pub(super) fn settle(view: &View, counting: &Counting, released: &BTreeSet<String>) -> (JobStatus, bool) {
    let mut status = counting.status.clone();
    let uncounted = status.uncounted_terminated_pods.get_or_insert_default();
    let (mut succeeded, mut failed) =
        (uncounted.succeeded.take().unwrap_or_default(), uncounted.failed.take().unwrap_or_default());
    let mut tracked = tracked_uids(view);
    tracked.retain(|uid| !released.contains(*uid));
    settle_counts(&mut status, &mut succeeded, &mut failed, &tracked);
    let all_counted = succeeded.is_empty() && failed.is_empty() && !counting.is_partial;
    status.uncounted_terminated_pods = Some(uncounted_of(succeeded, failed));
    let Some(verdict) = &counting.verdict else { return (status, false) };
    if !all_counted || status.terminating.unwrap_or(0) > 0 {
        return (status, false);
    }
    let now = Time(whole_seconds(view.now));
    let [_, last] = verdict.conditions();
    add_condition(&mut status, last, verdict, now.clone());
    if verdict.end == End::Complete {
        status.completion_time = Some(now);
    }
    (status, true)
}

/// A Job without a number of completions is done when one pod has succeeded and none is at work.
fn is_complete(view: &View, active: i32) -> bool {
    let wanted = view.completions();
    active == 0 && wanted.map_or(view.succeeded() > 0, |completions| view.succeeded() >= completions)
}

fn suspend_or_resume(view: &View, status: &mut JobStatus, now: &Time) -> Option<(&'static str, &'static str)> {
    let conditions = status.conditions.get_or_insert_default();
    let known = conditions.iter_mut().find(|condition| condition.type_ == "Suspended");
    let (wanted, reason, message, event) = if view.is_suspended() {
        ("True", "JobSuspended", "Job suspended", "Suspended")
    } else {
        ("False", "JobResumed", "Job resumed", "Resumed")
    };
    match known {
        Some(condition) if condition.status == wanted => return None,
        Some(condition) => {
            condition.status = wanted.to_owned();
            condition.reason = Some(reason.to_owned());
            condition.message = Some(message.to_owned());
            condition.last_transition_time = Some(now.clone());
        }
        // What was never suspended is not resumed.
        None if wanted == "False" => {
            if conditions.is_empty() {
                status.conditions = None;
            }
            return None;
        }
        None => conditions.push(condition("Suspended", reason, message, now.clone())),
    }
    if wanted == "False" {
        // The deadline counts from here: the Job was not active while suspended.
        status.start_time = Some(now.clone());
    }
    Some((event, message))
}

struct Ended {
    release: Vec<Arc<Pod>>,
    succeeded_indexes: super::indexes::Indexes,
    is_partial: bool,
}

/// Puts what has ended into the lists, until they are full.
fn collect_ended(
    view: &View,
    verdict: Option<&Verdict>,
    succeeded: &mut Vec<String>,
    failed: &mut Vec<String>,
) -> Ended {
    let was = view.uncounted();
    let predecessors: BTreeSet<&str> = view.predecessors().values().map(|pod| pods::uid(pod)).collect();
    let mut ended = Ended { release: Vec::new(), succeeded_indexes: view.counted_indexes(), is_partial: false };
    let mut new_indexes = 0;
    let mut sorted: Vec<&Arc<Pod>> = view.pods.iter().filter(|pod| view.is_tracked(pod)).collect();
    sorted.sort_by_key(|pod| view.index_of(pod));
    for pod in sorted {
        if new_indexes + succeeded.len() + failed.len() >= MAX_UNCOUNTED {
            ended.is_partial = true;
            break;
        }
        let uid = pods::uid(pod);
        let has_failed = view.has_failed(pod);
        let may_go =
            view.is_going() || verdict.is_some() || has_succeeded(pod) || (has_failed && !predecessors.contains(uid));
        if !may_go {
            continue;
        }
        ended.release.push(Arc::clone(pod));
        let failed_before = was.failed.contains(uid);
        if has_succeeded(pod) && !failed_before {
            match view.index_of(pod) {
                Some(index) if view.is_indexed() && !ended.succeeded_indexes.contains(index) => {
                    // The index says enough: no UID needs to be kept.
                    ended.succeeded_indexes.insert(index);
                    new_indexes += 1;
                }
                _ if view.is_indexed() || was.succeeded.contains(uid) => {}
                _ => succeeded.push(uid.to_owned()),
            }
            continue;
        }
        // With the Job's failure, all that has not ended has failed.
        let counts_as_failed = has_failed || verdict.is_some_and(|verdict| verdict.end == End::Failed);
        if counts_as_failed && !failed_before && view.is_valid(pod) && view.action_on(pod).counts() {
            failed.push(uid.to_owned());
        }
    }
    ended
}

/// UIDs of pods that wait to be counted, as far as the cache shows.
fn tracked_uids<'a>(view: &'a View) -> BTreeSet<&'a str> {
    view.pods.iter().filter(|pod| view.is_tracked(pod)).map(|pod| pods::uid(pod)).collect()
}

fn settle_counts(
    status: &mut JobStatus,
    succeeded: &mut Vec<String>,
    failed: &mut Vec<String>,
    tracked: &BTreeSet<&str>,
) {
    let settle = |uids: &mut Vec<String>, counter: &mut Option<i32>| {
        let before = uids.len();
        uids.retain(|uid| tracked.contains(uid.as_str()));
        *counter = non_zero(counter.unwrap_or(0) + count(before - uids.len()));
    };
    settle(succeeded, &mut status.succeeded);
    settle(failed, &mut status.failed);
}

fn uncounted_of(succeeded: Vec<String>, failed: Vec<String>) -> UncountedTerminatedPods {
    let filled = |uids: Vec<String>| (!uids.is_empty()).then_some(uids);
    UncountedTerminatedPods { succeeded: filled(succeeded), failed: filled(failed) }
}

fn add_condition(status: &mut JobStatus, r#type: &str, verdict: &Verdict, now: Time) {
    let conditions = status.conditions.get_or_insert_default();
    if !conditions.iter().any(|condition| condition.type_ == r#type && condition.status == "True") {
        conditions.retain(|condition| condition.type_ != r#type);
        conditions.push(condition(r#type, &verdict.reason, &verdict.message, now));
    }
}

fn condition(r#type: &str, reason: &str, message: &str, now: Time) -> JobCondition {
    JobCondition {
        type_: r#type.to_owned(),
        status: "True".to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_probe_time: Some(now.clone()),
        last_transition_time: Some(now),
    }
}

fn whole_seconds(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}
