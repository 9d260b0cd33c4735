//! What the scheduler tells Prometheus, under upstream's names.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stdx::Clock;
use stdx::metrics::{Counter, Family, Histogram, Page, Stability, exponential};
use tokio::time::Instant;

/// The one profile there is, by the name that pods ask for it.
const PROFILE: &str = "default-scheduler";
/// From so many attempts on, pods are told of together.
const MANY_ATTEMPTS: u32 = 15;

static ATTEMPT_SECONDS: [f64; 15] = exponential(0.001, 2.0);
static EXTENSION_POINT_SECONDS: [f64; 12] = exponential(0.0001, 2.0);
static SLI_SECONDS: [f64; 20] = exponential(0.01, 2.0);
static POD_ATTEMPTS: [f64; 5] = exponential(1.0, 2.0);
static VICTIMS: [f64; 7] = exponential(1.0, 2.0);

const PENDING_PODS: Family = family(
    "scheduler_pending_pods",
    "Number of pending pods, by the queue type. 'active' means number of pods in activeQ; 'backoff' means number of \
     pods in backoffQ; 'unschedulable' means number of pods in unschedulablePods that the scheduler attempted to \
     schedule and failed; 'gated' is the number of unschedulable pods that the scheduler never attempted to schedule \
     because they are gated.",
    &["queue"],
);

/// Outlives the terms of a scheduler that leads for a while only. Clones share everything.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Arc<Figures>);

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Scheduled,
    Unschedulable,
    Error,
}

/// Pods that wait, by what they wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) active: usize,
    pub(crate) backoff: usize,
    pub(crate) unschedulable: usize,
    pub(crate) gated: usize,
}

type PendingSource = Box<dyn Fn() -> Pending + Send>;

struct Figures {
    attempts: Counter,
    attempt_seconds: Histogram,
    algorithm_seconds: Histogram,
    extension_point_seconds: Histogram,
    pod_attempts: Histogram,
    pod_seconds: Histogram,
    incoming: Counter,
    preemptions: Counter,
    victims: Histogram,
    pending: Mutex<Option<PendingSource>>,
}

/// Measures one extension point after the other.
pub(crate) struct Lap<'a> {
    metrics: &'a Metrics,
    clock: Clock,
    begun: Instant,
}

impl Lap<'_> {
    pub(crate) fn end(&mut self, extension_point: &str, status: &str) {
        let now = self.clock.instant();
        self.metrics.ran(extension_point, status, now.duration_since(self.begun));
        self.begun = now;
    }
}

impl Metrics {
    /// In Prometheus' text format.
    pub fn page(&self) -> String {
        let figures = &self.0;
        let mut page = Page::default();
        page.histogram(&figures.extension_point_seconds);
        let pending = figures.pending().as_ref().map(|source| source()).unwrap_or_default();
        let counts = [
            ("active", pending.active),
            ("backoff", pending.backoff),
            ("gated", pending.gated),
            ("unschedulable", pending.unschedulable),
        ];
        page.gauge(&PENDING_PODS, counts.map(|(queue, count)| (vec![queue], count as f64)));
        page.histogram(&figures.pod_attempts);
        page.histogram(&figures.pod_seconds);
        page.counter(&figures.preemptions);
        page.histogram(&figures.victims);
        page.counter(&figures.incoming);
        page.counter(&figures.attempts);
        page.histogram(&figures.algorithm_seconds);
        page.histogram(&figures.attempt_seconds);
        page.into_text()
    }

    pub(crate) fn attempted(&self, ending: Ending, took: Duration) {
        let result = match ending {
            Ending::Scheduled => "scheduled",
            Ending::Unschedulable => "unschedulable",
            Ending::Error => "error",
        };
        self.0.attempts.count(&[PROFILE, result]);
        self.0.attempt_seconds.observe(&[PROFILE, result], took.as_secs_f64());
    }

    /// The pod has its node, after so many attempts and so long since it first waited for one.
    pub(crate) fn scheduled(&self, attempts: u32, waited: Duration) {
        self.0.pod_attempts.observe(&[], f64::from(attempts));
        let label = if attempts >= MANY_ATTEMPTS { format!("{MANY_ATTEMPTS}+") } else { attempts.to_string() };
        self.0.pod_seconds.observe(&[&label], waited.as_secs_f64());
    }

    pub(crate) fn decided(&self, took: Duration) {
        self.0.algorithm_seconds.observe(&[], took.as_secs_f64());
    }

    pub(crate) fn lap(&self, clock: Clock) -> Lap<'_> {
        Lap { metrics: self, clock, begun: clock.instant() }
    }

    /// All plugins of the extension point have had their say, to this effect.
    pub(crate) fn ran(&self, extension_point: &str, status: &str, took: Duration) {
        self.0.extension_point_seconds.observe(&[extension_point, PROFILE, status], took.as_secs_f64());
    }

    pub(crate) fn tried_preemption(&self, victims: Option<usize>) {
        self.0.preemptions.count(&[]);
        if let Some(victims) = victims {
            self.0.victims.observe(&[], victims as f64);
        }
    }

    /// A pod came to one of the queues, because of the event.
    pub(crate) fn entered(&self, queue: &str, event: &str) {
        self.0.incoming.count(&[event, queue]);
    }

    /// From now on `source` tells who waits.
    pub(crate) fn ask_pending(&self, source: impl Fn() -> Pending + Send + 'static) {
        *self.0.pending() = Some(Box::new(source));
    }
}

impl Figures {
    fn pending(&self) -> MutexGuard<'_, Option<PendingSource>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Figures {
    fn default() -> Self {
        let alpha = |family: Family| Family { stability: Stability::Alpha, ..family };
        Figures {
            attempts: Counter::new(family(
                "scheduler_schedule_attempts_total",
                "Number of attempts to schedule pods, by the result. 'unschedulable' means a pod could not be \
                 scheduled, while 'error' means an internal scheduler problem.",
                &["profile", "result"],
            )),
            attempt_seconds: Histogram::new(
                family(
                    "scheduler_scheduling_attempt_duration_seconds",
                    "Scheduling attempt latency in seconds (scheduling algorithm + binding)",
                    &["profile", "result"],
                ),
                &ATTEMPT_SECONDS,
            ),
            algorithm_seconds: Histogram::new(
                alpha(family(
                    "scheduler_scheduling_algorithm_duration_seconds",
                    "Scheduling algorithm latency in seconds",
                    &[],
                )),
                &ATTEMPT_SECONDS,
            ),
            extension_point_seconds: Histogram::new(
                family(
                    "scheduler_framework_extension_point_duration_seconds",
                    "Latency for running all plugins of a specific extension point.",
                    &["extension_point", "profile", "status"],
                ),
                &EXTENSION_POINT_SECONDS,
            ),
            pod_attempts: Histogram::new(
                family("scheduler_pod_scheduling_attempts", "Number of attempts to successfully schedule a pod.", &[]),
                &POD_ATTEMPTS,
            ),
            pod_seconds: Histogram::new(
                Family {
                    stability: Stability::Beta,
                    ..family(
                        "scheduler_pod_scheduling_sli_duration_seconds",
                        "E2e latency for a pod being scheduled, from the time the pod enters the scheduling queue and \
                         might involve multiple scheduling attempts.",
                        &["attempts"],
                    )
                },
                &SLI_SECONDS,
            ),
            incoming: Counter::new(family(
                "scheduler_queue_incoming_pods_total",
                "Number of pods added to scheduling queues by event and queue type.",
                &["event", "queue"],
            )),
            preemptions: Counter::new(family(
                "scheduler_preemption_attempts_total",
                "Total preemption attempts in the cluster till now",
                &[],
            )),
            victims: Histogram::new(
                family("scheduler_preemption_victims", "Number of selected preemption victims", &[]),
                &VICTIMS,
            ),
            pending: Mutex::default(),
        }
    }
}

impl fmt::Debug for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Figures").finish_non_exhaustive()
    }
}

const fn family(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> Family {
    Family { name, help, stability: Stability::Stable, labels }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_and_waits_are_told_under_upstreams_names() {
        let metrics = Metrics::default();
        metrics.attempted(Ending::Unschedulable, Duration::from_millis(3));
        metrics.attempted(Ending::Scheduled, Duration::from_millis(20));
        metrics.scheduled(2, Duration::from_secs(1));
        metrics.scheduled(40, Duration::from_secs(90));
        metrics.decided(Duration::from_micros(300));
        metrics.ran("Filter", "Success", Duration::from_micros(150));
        metrics.tried_preemption(None);
        metrics.tried_preemption(Some(3));
        metrics.entered("active", "UnschedulablePodAdd");
        metrics.ask_pending(|| Pending { active: 4, backoff: 3, unschedulable: 2, gated: 1 });
        let page = metrics.page();
        for line in [
            "# HELP scheduler_schedule_attempts_total [STABLE] Number of attempts to schedule pods, by the result. \
             'unschedulable' means a pod could not be scheduled, while 'error' means an internal scheduler problem.",
            "# TYPE scheduler_schedule_attempts_total counter",
            "scheduler_schedule_attempts_total{profile=\"default-scheduler\",result=\"unschedulable\"} 1",
            "scheduler_scheduling_attempt_duration_seconds_bucket{profile=\"default-scheduler\",result=\"scheduled\",le=\"0.016\"} 0",
            "scheduler_scheduling_attempt_duration_seconds_bucket{profile=\"default-scheduler\",result=\"scheduled\",le=\"0.032\"} 1",
            "scheduler_scheduling_attempt_duration_seconds_bucket{profile=\"default-scheduler\",result=\"scheduled\",le=\"16.384\"} 1",
            "scheduler_pod_scheduling_attempts_bucket{le=\"2\"} 1",
            "scheduler_pod_scheduling_attempts_bucket{le=\"16\"} 1",
            "scheduler_pod_scheduling_attempts_count 2",
            "scheduler_pod_scheduling_sli_duration_seconds_bucket{attempts=\"2\",le=\"1.28\"} 1",
            "scheduler_pod_scheduling_sli_duration_seconds_sum{attempts=\"15+\"} 90",
            "scheduler_scheduling_algorithm_duration_seconds_count 1",
            "scheduler_framework_extension_point_duration_seconds_bucket{extension_point=\"Filter\",profile=\"default-scheduler\",status=\"Success\",le=\"0.0002\"} 1",
            "scheduler_preemption_attempts_total 2",
            "scheduler_preemption_victims_bucket{le=\"4\"} 1",
            "scheduler_queue_incoming_pods_total{event=\"UnschedulablePodAdd\",queue=\"active\"} 1",
            "scheduler_pending_pods{queue=\"active\"} 4",
            "scheduler_pending_pods{queue=\"backoff\"} 3",
            "scheduler_pending_pods{queue=\"gated\"} 1",
            "scheduler_pending_pods{queue=\"unschedulable\"} 2",
        ] {
            assert!(page.lines().any(|one| one == line), "{line}\n{page}");
        }
    }
}
