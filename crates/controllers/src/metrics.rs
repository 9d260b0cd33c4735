//! What the controllers tell Prometheus, under upstream's names.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use reconcile::Queues;
use stdx::metrics::{Counter, Family, Histogram, Page, Stability, exponential};

static JOB_SYNC_SECONDS: [f64; 15] = exponential(0.004, 2.0);
static SKEW_SECONDS: [f64; 10] = exponential(1.0, 2.0);

/// Outlives the terms of controllers that lead for a while only. Clones share everything.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Arc<Figures>);

/// What each controller counts.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) queues: Queues,
    /// By action, completion mode and result.
    pub(crate) job_syncs: Counter,
    pub(crate) job_sync_seconds: Histogram,
    /// By completion mode, reason and result.
    pub(crate) finished_jobs: Counter,
    /// By completion mode and result.
    pub(crate) finished_pods: Counter,
    /// By what happened to a finished pod's finalizer: add or delete.
    pub(crate) tracked_pods: Counter,
    pub(crate) cron_job_skew_seconds: Histogram,
    /// By zone.
    pub(crate) node_evictions: Counter,
    stateful_sets: Source<StatefulSetFigure>,
}

/// Of one StatefulSet, now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StatefulSetFigure {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) pod_management_policy: String,
    pub(crate) max_unavailable: usize,
    pub(crate) unavailable: usize,
}

impl Metrics {
    /// In Prometheus' text format.
    pub fn page(&self) -> String {
        let figures = &self.0;
        let mut page = Page::default();
        page.histogram(&figures.cron_job_skew_seconds);
        page.counter(&figures.finished_pods);
        page.histogram(&figures.job_sync_seconds);
        page.counter(&figures.job_syncs);
        page.counter(&figures.finished_jobs);
        page.counter(&figures.tracked_pods);
        page.counter(&figures.node_evictions);
        figures.tell_stateful_sets(&mut page);
        figures.queues.tell(&mut page);
        page.into_text()
    }

    pub(crate) fn figures(&self) -> Arc<Figures> {
        Arc::clone(&self.0)
    }
}

impl Figures {
    /// From now on `source` tells of all StatefulSets.
    pub(crate) fn ask_stateful_sets(&self, source: impl Fn() -> Vec<StatefulSetFigure> + Send + 'static) {
        *self.stateful_sets.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(source));
    }

    fn tell_stateful_sets(&self, page: &mut Page) {
        let labels = &["pod_management_policy", "statefulset_name", "statefulset_namespace"];
        let beta = |name, help| Family { name, help, stability: Stability::Beta, labels };
        let sets = self.stateful_sets.ask();
        let all = |value: fn(&StatefulSetFigure) -> usize| {
            let values = |set: &StatefulSetFigure| {
                vec![set.pod_management_policy.clone(), set.name.clone(), set.namespace.clone()]
            };
            sets.iter().map(move |set| (values(set), value(set) as f64)).collect::<Vec<_>>()
        };
        page.gauge(
            &beta(
                "statefulset_controller_statefulset_max_unavailable",
                "Maximum number of unavailable pods allowed during StatefulSet rolling updates",
            ),
            all(|set| set.max_unavailable),
        );
        page.gauge(
            &beta(
                "statefulset_controller_statefulset_unavailable_replicas",
                "Current number of unavailable pods in StatefulSet",
            ),
            all(|set| set.unavailable),
        );
    }
}

impl Default for Figures {
    fn default() -> Self {
        let sync_labels = &["action", "completion_mode", "result"];
        Figures {
            queues: Queues::default(),
            job_syncs: Counter::new(stable("job_controller_job_syncs_total", "The number of job syncs", sync_labels)),
            job_sync_seconds: Histogram::new(
                stable("job_controller_job_sync_duration_seconds", "The time it took to sync a job", sync_labels),
                &JOB_SYNC_SECONDS,
            ),
            finished_jobs: Counter::new(stable(
                "job_controller_jobs_finished_total",
                "The number of finished jobs",
                &["completion_mode", "reason", "result"],
            )),
            finished_pods: Counter::new(stable(
                "job_controller_job_pods_finished_total",
                "The number of finished Pods that are fully tracked",
                &["completion_mode", "result"],
            )),
            tracked_pods: Counter::new(Family {
                stability: Stability::Beta,
                ..stable(
                    "job_controller_terminated_pods_tracking_finalizer_total",
                    "The number of terminated pods (phase=Failed|Succeeded) that have the finalizer \
                     batch.kubernetes.io/job-tracking. The event label can be \"add\" or \"delete\".",
                    &["event"],
                )
            }),
            cron_job_skew_seconds: Histogram::new(
                stable(
                    "cronjob_controller_job_creation_skew_duration_seconds",
                    "Time between when a cronjob is scheduled to be run, and when the corresponding job is created",
                    &[],
                ),
                &SKEW_SECONDS,
            ),
            node_evictions: Counter::new(stable(
                "node_collector_evictions_total",
                "Number of Node evictions that happened since current instance of NodeController started.",
                &["zone"],
            )),
            stateful_sets: Source::default(),
        }
    }
}

const fn stable(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> Family {
    Family { name, help, stability: Stability::Stable, labels }
}

/// What is looked up when somebody asks.
struct Source<T>(Mutex<Option<Look<T>>>);

type Look<T> = Box<dyn Fn() -> Vec<T> + Send>;

impl<T> Source<T> {
    fn ask(&self) -> Vec<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|look| look()).unwrap_or_default()
    }
}

impl<T> Default for Source<T> {
    fn default() -> Self {
        Source(Mutex::new(None))
    }
}

impl<T> fmt::Debug for Source<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Source").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_controllers_count_is_told_under_upstreams_names() {
        let metrics = Metrics::default();
        let figures = metrics.figures();
        figures.job_syncs.count(&["pods_created", "NonIndexed", "success"]);
        figures.job_sync_seconds.observe(&["pods_created", "NonIndexed", "success"], 0.02);
        figures.finished_jobs.count(&["Indexed", "BackoffLimitExceeded", "failed"]);
        figures.finished_pods.add(&["NonIndexed", "succeeded"], 3);
        figures.tracked_pods.count(&["add"]);
        figures.cron_job_skew_seconds.observe(&[], 3.0);
        figures.node_evictions.count(&["eu:\0:a"]);
        figures.ask_stateful_sets(|| {
            vec![StatefulSetFigure {
                namespace: "shop".into(),
                name: "db".into(),
                pod_management_policy: "OrderedReady".into(),
                max_unavailable: 2,
                unavailable: 1,
            }]
        });
        let page = metrics.page();
        let set = "{pod_management_policy=\"OrderedReady\",statefulset_name=\"db\",statefulset_namespace=\"shop\"}";
        for line in [
            "# TYPE job_controller_job_sync_duration_seconds histogram".to_owned(),
            "job_controller_job_syncs_total{action=\"pods_created\",completion_mode=\"NonIndexed\",result=\"success\"} 1"
                .to_owned(),
            "job_controller_job_sync_duration_seconds_bucket{action=\"pods_created\",completion_mode=\"NonIndexed\",\
             result=\"success\",le=\"0.032\"} 1"
                .to_owned(),
            "job_controller_jobs_finished_total{completion_mode=\"Indexed\",reason=\"BackoffLimitExceeded\",\
             result=\"failed\"} 1"
                .to_owned(),
            "job_controller_job_pods_finished_total{completion_mode=\"NonIndexed\",result=\"succeeded\"} 3".to_owned(),
            "job_controller_terminated_pods_tracking_finalizer_total{event=\"add\"} 1".to_owned(),
            "cronjob_controller_job_creation_skew_duration_seconds_bucket{le=\"2\"} 0".to_owned(),
            "cronjob_controller_job_creation_skew_duration_seconds_bucket{le=\"4\"} 1".to_owned(),
            "node_collector_evictions_total{zone=\"eu:\0:a\"} 1".to_owned(),
            format!("statefulset_controller_statefulset_max_unavailable{set} 2"),
            format!("statefulset_controller_statefulset_unavailable_replicas{set} 1"),
        ] {
            assert!(page.lines().any(|one| one == line), "{line}\n{page}");
        }
    }
}
