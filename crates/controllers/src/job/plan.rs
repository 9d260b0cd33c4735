//! Whether the Job is at its end, and which pods to make or delete.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use api::k8s::api::batch::v1::JobCondition;
use api::k8s::api::core::v1::Pod;

use super::backoff::{Failures, finished_at};
use super::failure::{Action, success_policy_met};
use super::pod::all_index_failures;
use super::view::{View, count, is_leaving};
use crate::pods;
use crate::replicaset::round_up;

/// One reconciliation creates or deletes at most so many pods.
const BURST: usize = 500;

/// The end that the Job is going to come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Complete,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) end: End,
    pub(super) reason: String,
    pub(super) message: String,
}

impl Verdict {
    fn failed(reason: &str, message: impl Into<String>) -> Self {
        Verdict { end: End::Failed, reason: reason.to_owned(), message: message.into() }
    }

    pub(super) fn complete(reason: &str, message: impl Into<String>) -> Self {
        Verdict { end: End::Complete, reason: reason.to_owned(), message: message.into() }
    }

    /// As the status already has it, from an earlier reconciliation.
    fn noted(end: End, condition: &JobCondition) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Verdict { end, reason: text(&condition.reason), message: text(&condition.message) }
    }

    /// The condition that tells of it before all pods are gone and counted, and the one after.
    pub(super) fn conditions(&self) -> [&'static str; 2] {
        match self.end {
            End::Complete => ["SuccessCriteriaMet", "Complete"],
            End::Failed => ["FailureTarget", "Failed"],
        }
    }
}

/// What to do to the pods.
#[derive(Clone, Debug, Default)]
pub(super) enum Pods {
    #[default]
    Keep,
    /// One for each entry: an index, where the Job has them.
    Create(Vec<Option<i32>>),
    /// Too many: they go without being counted.
    Remove(Vec<Arc<Pod>>),
    /// The Job has its verdict: what still runs goes, and is counted.
    End(Vec<Arc<Pod>>),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) verdict: Option<Verdict>,
    pub(super) pods: Pods,
    /// When to look again, if nothing happens.
    pub(super) wait: Option<Duration>,
    /// Whether the number of pods was looked at: only then does a change of `suspend` take effect.
    pub(super) has_managed: bool,
}

pub(super) fn plan(view: &View) -> Plan {
    if let Some(verdict) = verdict(view) {
        let pods = if view.is_settled { Pods::End(view.active()) } else { Pods::Keep };
        return Plan { verdict: Some(verdict), pods, ..Plan::default() };
    }
    let deadline = time_until_deadline(view);
    if !view.is_settled || view.is_going() {
        return Plan { wait: deadline, ..Plan::default() };
    }
    let (pods, back_off) = manage(view);
    let wait = deadline.into_iter().chain(back_off).min();
    Plan { verdict: None, pods, wait, has_managed: true }
}

fn verdict(view: &View) -> Option<Verdict> {
    if let Some(met) = view.condition("SuccessCriteriaMet") {
        return Some(Verdict::noted(End::Complete, met));
    }
    if let Some(target) = view.condition("FailureTarget") {
        return Some(Verdict::noted(End::Failed, target));
    }
    if let Some(message) = job_failing_pod(view) {
        return Some(Verdict::failed("PodFailurePolicy", message));
    }
    if view.failed() > view.spec.backoff_limit.unwrap_or(6) || restarts_exceed_limit(view) {
        return Some(Verdict::failed("BackoffLimitExceeded", "Job has reached the specified backoff limit"));
    }
    if time_until_deadline(view).is_some_and(|left| left.is_zero()) {
        return Some(Verdict::failed("DeadlineExceeded", "Job was active longer than specified deadline"));
    }
    if !view.is_indexed() {
        return None;
    }
    let (succeeded, completions) = (view.succeeded_indexes(), view.completions().unwrap_or(0));
    if let Some(failed) = view.failed_indexes() {
        if view.spec.max_failed_indexes.is_some_and(|limit| failed.count() > limit) {
            let message = "Job has exceeded the specified maximal number of failed indexes";
            return Some(Verdict::failed("MaxFailedIndexesExceeded", message));
        }
        if failed.count() > 0 && failed.count() + succeeded.count() >= completions {
            return Some(Verdict::failed("FailedIndexes", "Job has failed indexes"));
        }
    }
    let message = success_policy_met(view.spec.success_policy.as_ref(), &succeeded, completions)?;
    Some(Verdict::complete("SuccessPolicy", message))
}

fn job_failing_pod(view: &View) -> Option<String> {
    view.pods.iter().filter(|pod| view.has_failed(pod)).find_map(|pod| match view.action_on(pod) {
        Action::FailJob { message } => Some(message),
        _ => None,
    })
}

/// Where containers restart in place, their restarts count as failures.
fn restarts_exceed_limit(view: &View) -> bool {
    let template = view.spec.template.spec.as_ref();
    if template.and_then(|spec| spec.restart_policy.as_deref()) != Some("OnFailure") {
        return false;
    }
    let live = view.pods.iter().filter(|pod| matches!(pods::phase(pod), "Running" | "Pending"));
    let statuses = live.filter_map(|pod| pod.status.as_ref()).flat_map(|status| {
        status.init_container_statuses.iter().flatten().chain(status.container_statuses.iter().flatten())
    });
    let restarts: i64 = statuses.map(|status| i64::from(status.restart_count)).sum();
    let limit = i64::from(view.spec.backoff_limit.unwrap_or(6));
    restarts >= limit.max(1)
}

/// Zero once it has passed; none where there is no deadline, or it does not run.
fn time_until_deadline(view: &View) -> Option<Duration> {
    let allowed = u64::try_from(view.spec.active_deadline_seconds?).unwrap_or(0);
    if view.is_suspended() {
        return None;
    }
    // The clock of a Job that is being resumed starts anew.
    let is_resumed = view.condition("Suspended").is_some();
    let started = view.start_time().filter(|_| !is_resumed).unwrap_or(view.now);
    let passed = Duration::try_from(view.now.duration_since(started)).unwrap_or(Duration::ZERO);
    let left = Duration::from_secs(allowed).saturating_sub(passed);
    Some(if left.is_zero() { left } else { round_up(left) })
}

fn manage(view: &View) -> (Pods, Option<Duration>) {
    let active = view.active();
    if view.is_suspended() {
        let all = remove(view, active, usize::MAX);
        return (all, None);
    }
    let running = count(active.len());
    let parallelism = view.spec.parallelism.unwrap_or(1);
    let wanted = match view.completions() {
        // Without a number, the first success means that the work is done: the others may finish.
        None if view.succeeded() > 0 => running,
        None => parallelism,
        Some(completions) => (completions - view.succeeded()).min(parallelism).max(0),
    };
    let excess = usize::try_from(running - wanted).unwrap_or(0);
    let removal = remove(view, active, excess);
    if !matches!(removal, Pods::Keep) {
        return (removal, None);
    }
    let leaving = if view.replaces_failed_only() { view.terminating() } else { 0 };
    let missing = usize::try_from(wanted - leaving - running).unwrap_or(0).min(BURST);
    create(view, missing)
}

/// At least `excess` of the active pods: of several with one index, all but one.
fn remove(view: &View, active: Vec<Arc<Pod>>, excess: usize) -> Pods {
    let mut sorted = active;
    sorted.sort_by(|a, b| pods::compare_usefulness(a, b));
    let mut doomed = Vec::new();
    if view.is_indexed() {
        // The most useful of each index stays, so they are met from the other end.
        let mut seen = BTreeSet::new();
        let (mut kept, mut doubles) = (Vec::new(), Vec::new());
        for pod in sorted.into_iter().rev() {
            match view.index_of(&pod) {
                Some(index) if seen.insert(index) => kept.push(pod),
                _ => doubles.push(pod),
            }
        }
        kept.reverse();
        doomed = doubles;
        sorted = kept;
    }
    let more = excess.saturating_sub(doomed.len()).min(sorted.len());
    doomed.extend(sorted.drain(..more));
    doomed.truncate(BURST);
    if doomed.is_empty() { Pods::Keep } else { Pods::Remove(doomed) }
}

fn create(view: &View, missing: usize) -> (Pods, Option<Duration>) {
    if missing == 0 {
        return (Pods::Keep, None);
    }
    if view.spec.backoff_limit_per_index.is_some() && view.is_indexed() {
        return create_each_in_its_time(view, missing);
    }
    let wait = view.failures_now().remaining(view.now);
    if !wait.is_zero() {
        return (Pods::Keep, Some(round_up(wait)));
    }
    let entries =
        if view.is_indexed() { pending_indexes(view).take(missing).map(Some).collect() } else { vec![None; missing] };
    if entries.is_empty() { (Pods::Keep, None) } else { (Pods::Create(entries), None) }
}

/// Each index has its own back-off.
fn create_each_in_its_time(view: &View, missing: usize) -> (Pods, Option<Duration>) {
    let predecessors = view.predecessors();
    let (mut due, mut soonest) = (Vec::new(), None);
    for index in pending_indexes(view) {
        let wait = remaining_for(&predecessors, index, view);
        if wait.is_zero() {
            due.push(Some(index));
        } else {
            soonest = Some(soonest.map_or(wait, |soonest: Duration| soonest.min(wait)));
        }
        if due.len() == missing {
            break;
        }
    }
    let soonest = soonest.map(round_up);
    if due.is_empty() { (Pods::Keep, soonest) } else { (Pods::Create(due), soonest) }
}

fn remaining_for(predecessors: &BTreeMap<i32, &Pod>, index: i32, view: &View) -> Duration {
    let Some(failed) = predecessors.get(&index) else { return Duration::ZERO };
    let count = u32::try_from(all_index_failures(failed)).unwrap_or(0).saturating_add(1);
    Failures { count, last: Some(finished_at(failed)) }.remaining(view.now)
}

/// Those that have neither ended nor a pod at work, lowest first.
fn pending_indexes(view: &View) -> impl Iterator<Item = i32> {
    let (succeeded, failed) = (view.succeeded_indexes(), view.failed_indexes().unwrap_or_default());
    let keeps_leaving = view.replaces_failed_only();
    let holding = view.pods.iter().filter(|pod| pods::is_active(pod) || (keeps_leaving && is_leaving(pod)));
    let held: BTreeSet<i32> = holding.filter_map(|pod| view.index_of(pod)).collect();
    (0..view.completions().unwrap_or(0))
        .filter(move |index| !succeeded.contains(*index) && !failed.contains(*index) && !held.contains(index))
}
