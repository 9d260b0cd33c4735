//! A Job and its pods, as all decisions look at them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::k8s::api::batch::v1::{Job, JobCondition, JobSpec};
use api::k8s::api::core::v1::Pod;
use api::k8s::jiff::Timestamp;

use super::backoff::{Failures, finished_at};
use super::failure::{Action, action_on};
use super::indexes::{Indexes, index_of};
use super::pod::{FINALIZER, all_index_failures, index_failures};
use crate::pods;

/// What the decisions are made from.
pub(super) struct View<'a> {
    pub(super) job: &'a Job,
    pub(super) spec: &'a JobSpec,
    pub(super) pods: &'a [Arc<Pod>],
    /// UIDs of pods whose finalizer is gone, though the cache still shows it.
    pub(super) released: &'a BTreeSet<String>,
    /// Whether the cache shows all pods this controller has made and deleted.
    pub(super) is_settled: bool,
    /// Before the pods that have ended now.
    pub(super) failures: Failures,
    pub(super) now: Timestamp,
}

impl View<'_> {
    pub(super) fn is_going(&self) -> bool {
        self.job.metadata.deletion_timestamp.is_some()
    }

    pub(super) fn is_suspended(&self) -> bool {
        self.spec.suspend == Some(true)
    }

    pub(super) fn is_indexed(&self) -> bool {
        self.spec.completion_mode.as_deref() == Some("Indexed")
    }

    pub(super) fn completions(&self) -> Option<i32> {
        self.spec.completions
    }

    /// Whether a pod on its way out keeps its place until it has failed.
    pub(super) fn replaces_failed_only(&self) -> bool {
        self.spec.pod_replacement_policy.as_deref() == Some("Failed") || self.spec.pod_failure_policy.is_some()
    }

    pub(super) fn start_time(&self) -> Option<Timestamp> {
        self.job.status.as_ref()?.start_time.as_ref().map(|time| time.0)
    }

    pub(super) fn condition(&self, r#type: &str) -> Option<&JobCondition> {
        let conditions = self.job.status.as_ref()?.conditions.as_ref()?;
        conditions.iter().find(|condition| condition.type_ == r#type && condition.status == "True")
    }

    pub(super) fn active(&self) -> Vec<Arc<Pod>> {
        self.pods.iter().filter(|pod| pods::is_active(pod)).cloned().collect()
    }

    pub(super) fn ready(&self) -> i32 {
        count(self.pods.iter().filter(|pod| pods::is_active(pod) && pods::is_ready(pod)).count())
    }

    pub(super) fn terminating(&self) -> i32 {
        count(self.pods.iter().filter(|pod| is_leaving(pod)).count())
    }

    /// Whether the pod still waits to be counted.
    pub(super) fn is_tracked(&self, pod: &Pod) -> bool {
        has_finalizer(pod) && !self.released.contains(pods::uid(pod))
    }

    /// Of an index of the Job's, where it has any.
    pub(super) fn is_valid(&self, pod: &Pod) -> bool {
        !self.is_indexed() || self.index_of(pod).is_some()
    }

    pub(super) fn index_of(&self, pod: &Pod) -> Option<i32> {
        index_of(pod, self.completions().unwrap_or(0))
    }

    /// A pod that was deleted counts as failed even where nobody is left to say so, unless only what
    /// has failed is to be replaced.
    pub(super) fn has_failed(&self, pod: &Pod) -> bool {
        match pods::phase(pod) {
            "Failed" => true,
            "Succeeded" => false,
            _ => !self.replaces_failed_only() && pods::is_terminating(pod),
        }
    }

    pub(super) fn action_on(&self, pod: &Pod) -> Action {
        action_on(self.spec.pod_failure_policy.as_ref(), pod)
    }

    /// UIDs written to the status as ended, though not yet part of its counts.
    pub(super) fn uncounted(&self) -> Uncounted<'_> {
        let uncounted = self.job.status.as_ref().and_then(|status| status.uncounted_terminated_pods.as_ref());
        let Some(uncounted) = uncounted else { return Uncounted::default() };
        Uncounted { succeeded: uids(&uncounted.succeeded), failed: uids(&uncounted.failed) }
    }

    /// Pods that ended well and are in no count yet.
    pub(super) fn newly_succeeded(&self) -> Vec<&Pod> {
        let uncounted = self.uncounted();
        self.tracked().filter(|pod| has_succeeded(pod) && !uncounted.succeeded.contains(pods::uid(pod))).collect()
    }

    pub(super) fn newly_failed(&self) -> Vec<&Pod> {
        let uncounted = self.uncounted();
        self.tracked().filter(|pod| self.has_failed(pod) && !uncounted.failed.contains(pods::uid(pod))).collect()
    }

    /// The failures in a row, those of now included.
    pub(super) fn failures_now(&self) -> Failures {
        self.failures.after(self.newly_succeeded(), self.newly_failed())
    }

    pub(super) fn succeeded(&self) -> i32 {
        if self.is_indexed() {
            return self.succeeded_indexes().count();
        }
        let counted = self.job.status.as_ref().and_then(|status| status.succeeded).unwrap_or(0);
        counted + count(self.newly_succeeded().len()) + count(self.uncounted().succeeded.len())
    }

    pub(super) fn failed(&self) -> i32 {
        let counted = self.job.status.as_ref().and_then(|status| status.failed).unwrap_or(0);
        let new = self.newly_failed().into_iter().filter(|pod| self.action_on(pod).counts()).count();
        counted + count(new) + count(self.uncounted().failed.len())
    }

    /// Those the status names.
    pub(super) fn counted_indexes(&self) -> Indexes {
        let text = self.job.status.as_ref().and_then(|status| status.completed_indexes.as_deref());
        Indexes::parse(text.unwrap_or_default(), self.completions().unwrap_or(0))
    }

    pub(super) fn succeeded_indexes(&self) -> Indexes {
        let mut indexes = self.counted_indexes();
        for pod in self.pods.iter().filter(|pod| has_succeeded(pod) && has_finalizer(pod)) {
            if let Some(index) = self.index_of(pod) {
                indexes.insert(index);
            }
        }
        indexes
    }

    /// `None` where failures do not count by index.
    pub(super) fn failed_indexes(&self) -> Option<Indexes> {
        let limit = self.spec.backoff_limit_per_index?;
        let completions = self.completions().unwrap_or(0);
        let text = self.job.status.as_ref().and_then(|status| status.failed_indexes.as_deref());
        let mut indexes = Indexes::parse(text.unwrap_or_default(), completions);
        for pod in self.pods.iter().filter(|pod| has_finalizer(pod) && self.has_failed(pod)) {
            let Some(index) = self.index_of(pod) else { continue };
            let has_failed = match self.action_on(pod) {
                Action::FailIndex => true,
                Action::Ignore => false,
                Action::Count | Action::FailJob { .. } => index_failures(pod) >= limit,
            };
            if has_failed {
                indexes.insert(index);
            }
        }
        Some(indexes)
    }

    /// By index, the failed pod whose count its replacement is still to take over: until then it must
    /// not go.
    pub(super) fn predecessors(&self) -> BTreeMap<i32, &Pod> {
        let mut last: BTreeMap<i32, &Pod> = BTreeMap::new();
        let Some(failed) = self.failed_indexes() else { return last };
        let succeeded = self.succeeded_indexes();
        let active: BTreeSet<i32> = self.active().iter().filter_map(|pod| self.index_of(pod)).collect();
        for pod in self.tracked().filter(|pod| self.has_failed(pod)) {
            let Some(index) = self.index_of(pod) else { continue };
            if succeeded.contains(index) || failed.contains(index) || active.contains(&index) {
                continue;
            }
            let age = |pod: &Pod| (all_index_failures(pod), finished_at(pod));
            let known = last.entry(index).or_insert(pod);
            if age(pod) >= age(known) {
                *known = pod;
            }
        }
        last
    }

    fn tracked(&self) -> impl Iterator<Item = &Pod> {
        self.pods.iter().map(|pod| &**pod).filter(|pod| self.is_tracked(pod) && self.is_valid(pod))
    }
}

#[derive(Default)]
pub(super) struct Uncounted<'a> {
    pub(super) succeeded: BTreeSet<&'a str>,
    pub(super) failed: BTreeSet<&'a str>,
}

fn uids(list: &Option<Vec<String>>) -> BTreeSet<&str> {
    list.iter().flatten().map(String::as_str).collect()
}

/// Complete or Failed: nothing more will be done about it.
pub(crate) fn is_finished(job: &Job) -> bool {
    finished_condition(job).is_some()
}

/// The condition that says how the Job ended.
pub(crate) fn finished_condition(job: &Job) -> Option<&JobCondition> {
    let mut conditions = job.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.find(|condition| matches!(condition.type_.as_str(), "Complete" | "Failed") && condition.status == "True")
}

pub(super) fn has_finalizer(pod: &Pod) -> bool {
    pod.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == FINALIZER)
}

pub(super) fn is_leaving(pod: &Pod) -> bool {
    pods::is_terminating(pod) && !pods::is_finished(pod)
}

pub(super) fn has_succeeded(pod: &Pod) -> bool {
    pods::phase(pod) == "Succeeded"
}

pub(super) fn count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
