//! Pods that wait: to be tried, for their back-off, or for something to happen.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use api::NamespacedName;
use tokio::time::Instant;

use crate::events::ClusterEvent;
use crate::metrics::{Metrics, Pending};
use crate::plugins::PLUGINS;
use crate::pod::PodInfo;

const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LAST_BACKOFF: Duration = Duration::from_secs(10);
/// A pod that no event has helped is tried again after this, in case one was missed.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// Why pods come to a queue, where it is not something that happened in the cluster; as upstream's metrics name it.
mod cause {
    pub(super) const ADDED: &str = "UnschedulablePodAdd";
    pub(super) const UPDATED: &str = "UnschedulablePodUpdate";
    pub(super) const FAILED: &str = "ScheduleAttemptFailure";
    pub(super) const BACKED_OFF: &str = "BackoffComplete";
    pub(super) const TIMED_OUT: &str = "UnschedulableTimeout";
}

/// Pure: time comes in, and [`SchedulingQueue::deadline`] says when to look again.
#[derive(Debug, Default)]
pub(crate) struct SchedulingQueue {
    waiting: BTreeMap<NamespacedName, Waiting>,
    /// Ready to be tried: highest priority first, then first come.
    active: BTreeSet<(Reverse<i32>, u64, NamespacedName)>,
    /// Everything with a time at which it becomes ready.
    timed: BTreeSet<(Instant, u64, NamespacedName)>,
    /// Those that events matter to: of thousands that are ready to be tried, none.
    listening: BTreeSet<NamespacedName>,
    sequence: u64,
    /// Told of every pod that comes to a queue.
    metrics: Metrics,
}

#[derive(Debug)]
struct Waiting {
    pod: Arc<PodInfo>,
    attempts: u32,
    since: Instant,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Active {
        sequence: u64,
    },
    /// Waits for its back-off to end.
    BackingOff {
        until: Instant,
        sequence: u64,
    },
    /// Waits for an event that helps one of the plugins that refused it.
    Unschedulable {
        plugins: BTreeSet<&'static str>,
        failed_at: Instant,
        until: Instant,
        sequence: u64,
    },
    /// Being tried. Events meanwhile are remembered: they may concern the very reason it fails for.
    InFlight {
        missed: Vec<ClusterEvent>,
    },
}

/// A pod taken from the queue.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) pod: Arc<PodInfo>,
    /// The how manieth it is.
    pub(crate) number: u32,
    /// Since when the pod waits for a node.
    pub(crate) waits_since: Instant,
    pub(crate) began: Instant,
}

impl SchedulingQueue {
    pub(crate) fn told_by(metrics: Metrics) -> Self {
        SchedulingQueue { metrics, ..SchedulingQueue::default() }
    }

    /// A pod without a node came or changed. `matters` says that the change may make it schedulable.
    pub(crate) fn set(&mut self, pod: Arc<PodInfo>, matters: bool, now: Instant) {
        let key = pod.key();
        let known = self.waiting.get(&key).is_some_and(|waiting| waiting.pod.uid() == pod.uid());
        if !known {
            self.remove(&key);
            self.waiting.insert(
                key.clone(),
                Waiting { pod, attempts: 0, since: now, place: Place::InFlight { missed: Vec::new() } },
            );
            return self.activate(&key, cause::ADDED);
        }
        let Some(waiting) = self.waiting.get_mut(&key) else { return };
        let priority_changed = waiting.pod.priority() != pod.priority();
        match &waiting.place {
            Place::Active { .. } if priority_changed => {
                self.unlink(&key);
                self.replace_pod(&key, pod);
                self.enlist(&key);
            }
            Place::Unschedulable { failed_at, .. } if matters => {
                let (failed_at, attempts) = (*failed_at, waiting.attempts);
                waiting.pod = pod;
                self.back_off_from(&key, failed_at, attempts, now, cause::UPDATED);
            }
            _ => waiting.pod = pod,
        }
    }

    /// The pod is gone, has a node, or is no longer ours.
    pub(crate) fn remove(&mut self, key: &NamespacedName) {
        self.unlink(key);
        self.waiting.remove(key);
    }

    /// The next pod to try.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Attempt> {
        while let Some((until, _, key)) = self.timed.first().cloned() {
            if until > now {
                break;
            }
            let place = self.waiting.get(&key).map(|waiting| &waiting.place);
            let is_timeout = matches!(place, Some(Place::Unschedulable { .. }));
            self.unlink(&key);
            self.activate(&key, if is_timeout { cause::TIMED_OUT } else { cause::BACKED_OFF });
        }
        let (_, _, key) = self.active.pop_first()?;
        let waiting = self.waiting.get_mut(&key)?;
        waiting.attempts = waiting.attempts.saturating_add(1);
        waiting.place = Place::InFlight { missed: Vec::new() };
        self.listening.insert(key);
        let Waiting { pod, attempts, since, .. } = waiting;
        Some(Attempt { pod: Arc::clone(pod), number: *attempts, waits_since: *since, began: now })
    }

    /// When the next pod becomes ready by time alone.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.timed.first().map(|(until, _, _)| *until)
    }

    /// No node would do; `plugins` refused.
    pub(crate) fn unschedulable(&mut self, pod: &PodInfo, plugins: BTreeSet<&'static str>, now: Instant) {
        let key = pod.key();
        let Some(waiting) = self.in_flight(&key, pod) else { return };
        let Place::InFlight { missed } = &waiting.place else { return };
        let attempts = waiting.attempts;
        if missed.iter().any(|event| helps(&plugins, *event)) {
            return self.back_off_from(&key, now, attempts, now, cause::FAILED);
        }
        self.metrics.entered("unschedulable", cause::FAILED);
        let (until, sequence) = (now + LONGEST_WAIT, self.next_sequence());
        self.timed.insert((until, sequence, key.clone()));
        if let Some(waiting) = self.waiting.get_mut(&key) {
            waiting.place = Place::Unschedulable { plugins, failed_at: now, until, sequence };
        }
    }

    /// The attempt failed for no fault of the pod's: it is tried again after its back-off.
    pub(crate) fn failed(&mut self, pod: &PodInfo, now: Instant) {
        let key = pod.key();
        if let Some(waiting) = self.in_flight(&key, pod) {
            let attempts = waiting.attempts;
            self.back_off_from(&key, now, attempts, now, cause::FAILED);
        }
    }

    /// Something happened: pods it may help come back.
    pub(crate) fn happened(&mut self, event: ClusterEvent, now: Instant) {
        let mut helped = Vec::new();
        for key in &self.listening {
            let Some(waiting) = self.waiting.get_mut(key) else { continue };
            match &mut waiting.place {
                // A handful of kinds of events exist; each is kept once.
                Place::InFlight { missed } if !missed.contains(&event) => missed.push(event),
                Place::Unschedulable { plugins, failed_at, .. } if helps(plugins, event) => {
                    helped.push((key.clone(), *failed_at, waiting.attempts));
                }
                _ => {}
            }
        }
        for (key, failed_at, attempts) in helped {
            self.back_off_from(&key, failed_at, attempts, now, event.label());
        }
    }

    /// Who waits for what. Those that are being tried wait for nothing.
    pub(crate) fn pending(&self) -> Pending {
        let mut pending = Pending::default();
        for waiting in self.waiting.values() {
            match waiting.place {
                Place::Active { .. } => pending.active += 1,
                Place::BackingOff { .. } => pending.backoff += 1,
                Place::Unschedulable { .. } => pending.unschedulable += 1,
                Place::InFlight { .. } => {}
            }
        }
        pending
    }

    fn in_flight(&self, key: &NamespacedName, pod: &PodInfo) -> Option<&Waiting> {
        let waiting = self.waiting.get(key)?;
        (waiting.pod.uid() == pod.uid() && matches!(waiting.place, Place::InFlight { .. })).then_some(waiting)
    }

    fn replace_pod(&mut self, key: &NamespacedName, pod: Arc<PodInfo>) {
        if let Some(waiting) = self.waiting.get_mut(key) {
            waiting.pod = pod;
        }
    }

    fn activate(&mut self, key: &NamespacedName, cause: &str) {
        self.metrics.entered("active", cause);
        self.enlist(key);
    }

    /// Among those that are ready.
    fn enlist(&mut self, key: &NamespacedName) {
        let sequence = self.next_sequence();
        if let Some(waiting) = self.waiting.get_mut(key) {
            waiting.place = Place::Active { sequence };
            self.active.insert((Reverse(waiting.pod.priority()), sequence, key.clone()));
        }
    }

    /// Ready once its back-off since the failure is over, which may be at once.
    fn back_off_from(&mut self, key: &NamespacedName, failed_at: Instant, attempts: u32, now: Instant, cause: &str) {
        self.unlink(key);
        let until = failed_at + backoff(attempts);
        if until <= now {
            return self.activate(key, cause);
        }
        self.metrics.entered("backoff", cause);
        let sequence = self.next_sequence();
        self.timed.insert((until, sequence, key.clone()));
        if let Some(waiting) = self.waiting.get_mut(key) {
            waiting.place = Place::BackingOff { until, sequence };
        }
    }

    /// Takes the pod out of whichever order it stands in.
    fn unlink(&mut self, key: &NamespacedName) {
        let Some(waiting) = self.waiting.get(key) else { return };
        self.listening.remove(key);
        match waiting.place {
            Place::Active { sequence } => {
                self.active.remove(&(Reverse(waiting.pod.priority()), sequence, key.clone()));
            }
            Place::BackingOff { until, sequence } | Place::Unschedulable { until, sequence, .. } => {
                self.timed.remove(&(until, sequence, key.clone()));
            }
            Place::InFlight { .. } => {}
        }
    }

    fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
}

fn backoff(attempts: u32) -> Duration {
    FIRST_BACKOFF.saturating_mul(2u32.saturating_pow(attempts.saturating_sub(1))).min(LAST_BACKOFF)
}

fn helps(plugins: &BTreeSet<&'static str>, event: ClusterEvent) -> bool {
    // Refused by no plugin means that there was no node at all.
    if plugins.is_empty() {
        return event == ClusterEvent::NodeAdded;
    }
    PLUGINS.iter().any(|plugin| plugins.contains(plugin.name()) && plugin.is_helped_by(event))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn take(queue: &mut SchedulingQueue, now: Instant) -> Option<String> {
        queue.take(now).map(|attempt| attempt.pod.key().name)
    }

    #[tokio::test(start_paused = true)]
    async fn the_highest_priority_goes_first_then_the_first_come() {
        let (mut queue, now) = (SchedulingQueue::default(), Instant::now());
        for (name, priority) in [("a", 0), ("b", 10), ("c", 10), ("d", -1)] {
            queue.set(fixture::pod(name).priority(priority).info(), true, now);
        }
        queue.set(fixture::pod("d").priority(99).info(), true, now);
        let order: Vec<_> = std::iter::from_fn(|| take(&mut queue, now)).collect();
        assert_eq!(order, ["d", "b", "c", "a"]);
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_helpful_event_brings_a_pod_back_and_not_before_its_back_off() {
        let (mut queue, start) = (SchedulingQueue::default(), Instant::now());
        let pod = fixture::pod("a").info();
        queue.set(Arc::clone(&pod), true, start);
        assert!(take(&mut queue, start).is_some());
        queue.unschedulable(&pod, ["NodeResourcesFit"].into(), start);
        queue.happened(ClusterEvent::NodeTaintsChanged, start);
        assert_eq!(queue.deadline(), Some(start + LONGEST_WAIT));
        queue.happened(ClusterEvent::AssignedPodDeleted, start);
        assert_eq!(queue.deadline(), Some(start + FIRST_BACKOFF));
        assert_eq!(take(&mut queue, start), None);
        assert_eq!(take(&mut queue, start + FIRST_BACKOFF).as_deref(), Some("a"));
        let later = start + FIRST_BACKOFF;
        queue.unschedulable(&pod, ["NodeResourcesFit"].into(), later);
        queue.happened(ClusterEvent::NodeAdded, later + LAST_BACKOFF);
        assert_eq!(take(&mut queue, later + LAST_BACKOFF).as_deref(), Some("a"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_during_the_attempt_is_not_missed() {
        let (mut queue, now) = (SchedulingQueue::default(), Instant::now());
        let pod = fixture::pod("a").info();
        queue.set(Arc::clone(&pod), true, now);
        take(&mut queue, now);
        queue.happened(ClusterEvent::NodeAdded, now);
        queue.unschedulable(&pod, BTreeSet::new(), now);
        assert_eq!(queue.deadline(), Some(now + FIRST_BACKOFF));
        queue.remove(&pod.key());
        assert_eq!((take(&mut queue, now + LONGEST_WAIT), queue.deadline()), (None, None));
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_to_which_queue_and_why_is_counted() {
        let metrics = Metrics::default();
        let (mut queue, start) = (SchedulingQueue::told_by(metrics.clone()), Instant::now());
        let [refused, failed, ready] = ["a", "b", "c"].map(|name| fixture::pod(name).info());
        for pod in [&refused, &failed, &ready] {
            queue.set(Arc::clone(pod), true, start);
        }
        assert_eq!(take(&mut queue, start).as_deref(), Some("a"));
        assert_eq!(take(&mut queue, start).as_deref(), Some("b"));
        queue.unschedulable(&refused, ["NodeResourcesFit"].into(), start);
        queue.failed(&failed, start);
        assert_eq!(queue.pending(), Pending { active: 1, backoff: 1, unschedulable: 1, gated: 0 });
        queue.happened(ClusterEvent::AssignedPodDeleted, start);
        assert_eq!(queue.pending(), Pending { active: 1, backoff: 2, unschedulable: 0, gated: 0 });
        let later = start + FIRST_BACKOFF;
        let attempt = queue.take(later).unwrap();
        assert_eq!((attempt.number, attempt.waits_since, attempt.began), (1, start, later));
        queue.unschedulable(&attempt.pod, BTreeSet::new(), later);
        assert_eq!(queue.pending(), Pending { active: 2, backoff: 0, unschedulable: 1, gated: 0 });
        take(&mut queue, later + LONGEST_WAIT);
        let page = metrics.page();
        for (event, to, count) in [
            ("UnschedulablePodAdd", "active", 3),
            ("ScheduleAttemptFailure", "unschedulable", 2),
            ("ScheduleAttemptFailure", "backoff", 1),
            ("AssignedPodDelete", "backoff", 1),
            ("BackoffComplete", "active", 2),
            ("UnschedulableTimeout", "active", 1),
        ] {
            let line = format!("scheduler_queue_incoming_pods_total{{event=\"{event}\",queue=\"{to}\"}} {count}");
            assert!(page.lines().any(|one| one == line), "{line}\n{page}");
        }
    }
}
