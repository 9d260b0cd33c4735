//! What work queues tell Prometheus, under upstream's names.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stdx::metrics::{Distribution, Family, Page, Stability, exponential};

use crate::queue::WorkQueue;

/// From ten nanoseconds on.
static BOUNDS: [f64; 12] = exponential(1e-8, 10.0);

/// Of one queue, at one moment.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Keys that wait.
    pub depth: usize,
    /// How often a key began to wait.
    pub adds: u64,
    /// How often a key was put back after a failure.
    pub retries: u64,
    pub waited: Distribution,
    pub worked: Distribution,
    /// Of the keys that are worked on.
    pub unfinished: Duration,
    pub longest: Duration,
}

impl Default for Figures {
    fn default() -> Self {
        let nothing = || Distribution::new(&BOUNDS);
        Figures {
            depth: 0,
            adds: 0,
            retries: 0,
            waited: nothing(),
            worked: nothing(),
            unfinished: Duration::ZERO,
            longest: Duration::ZERO,
        }
    }
}

/// The queues of a process by name; clones share them.
#[derive(Clone, Default)]
pub struct Queues(Arc<Mutex<BTreeMap<&'static str, Source>>>);

type Source = Box<dyn Fn() -> Figures + Send>;

impl Queues {
    /// A queue that takes the place of one of the same name, which belonged to an earlier term.
    pub fn add<K: Ord + Clone + Send + Sync + 'static>(&self, name: &'static str, queue: &WorkQueue<K>) {
        let queue = queue.clone();
        self.lock().insert(name, Box::new(move || queue.figures()));
    }

    /// In Prometheus' text format.
    pub fn page(&self) -> String {
        let mut page = Page::default();
        self.tell(&mut page);
        page.into_text()
    }

    /// Adds to a page that others write to as well.
    pub fn tell(&self, page: &mut Page) {
        let all: Vec<([&str; 1], Figures)> = self.lock().iter().map(|(name, figures)| ([*name], figures())).collect();
        let mut told = Told { page, all: &all };
        told.numbers("workqueue_adds_total", "counter", "Total number of adds handled by workqueue", |one| {
            one.adds as f64
        });
        told.numbers("workqueue_depth", "gauge", "Current depth of workqueue", |one| one.depth as f64);
        told.numbers(
            "workqueue_longest_running_processor_seconds",
            "gauge",
            "How many seconds has the longest running processor for workqueue been running.",
            |one| one.longest.as_secs_f64(),
        );
        told.durations(
            "workqueue_queue_duration_seconds",
            "How long in seconds an item stays in workqueue before being requested.",
            |one| &one.waited,
        );
        told.numbers("workqueue_retries_total", "counter", "Total number of retries handled by workqueue", |one| {
            one.retries as f64
        });
        told.numbers(
            "workqueue_unfinished_work_seconds",
            "gauge",
            "How many seconds of work has done that is in progress and hasn't been observed by work_duration. Large \
             values indicate stuck threads. One can deduce the number of stuck threads by observing the rate at which \
             this increases.",
            |one| one.unfinished.as_secs_f64(),
        );
        told.durations(
            "workqueue_work_duration_seconds",
            "How long in seconds processing an item from workqueue takes.",
            |one| &one.worked,
        );
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Source>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Queues {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.lock().keys()).finish()
    }
}

struct Told<'a> {
    page: &'a mut Page,
    all: &'a [([&'a str; 1], Figures)],
}

impl Told<'_> {
    fn numbers(&mut self, name: &'static str, kind: &str, help: &'static str, value: impl Fn(&Figures) -> f64) {
        let samples = self.all.iter().map(|(name, figures)| (name.as_slice(), value(figures)));
        self.page.samples(&family(name, help), kind, samples);
    }

    fn durations(&mut self, name: &'static str, help: &'static str, of: impl Fn(&Figures) -> &Distribution) {
        let all = self.all.iter().map(|(name, figures)| (name.as_slice(), of(figures)));
        self.page.distributions(&family(name, help), all);
    }
}

const fn family(name: &'static str, help: &'static str) -> Family {
    Family { name, help, stability: Stability::Alpha, labels: &["name"] }
}

#[cfg(test)]
mod tests {
    use stdx::Clock;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_queue_tells_what_waits_how_long_it_did_and_how_long_it_took() {
        let queue: WorkQueue<&str> = WorkQueue::new(Clock::simulated());
        let queues = Queues::default();
        queues.add("deployment", &queue);
        for key in ["a", "b", "a"] {
            queue.add(key);
        }
        tokio::time::advance(Duration::from_secs(5)).await;
        let key = queue.next().await;
        tokio::time::advance(Duration::from_millis(50)).await;
        queue.add_backed_off(key);
        let begun = queues.page();
        queue.done(&key);
        let done = queues.page();
        let has = |page: &str, line: &str| assert!(page.lines().any(|one| one == line), "{line}\n{page}");
        for line in [
            "# TYPE workqueue_adds_total counter",
            "workqueue_adds_total{name=\"deployment\"} 2",
            "workqueue_depth{name=\"deployment\"} 1",
            "workqueue_retries_total{name=\"deployment\"} 1",
            "workqueue_unfinished_work_seconds{name=\"deployment\"} 0.05",
            "workqueue_longest_running_processor_seconds{name=\"deployment\"} 0.05",
            "workqueue_queue_duration_seconds_bucket{name=\"deployment\",le=\"1\"} 0",
            "workqueue_queue_duration_seconds_bucket{name=\"deployment\",le=\"10\"} 1",
            "workqueue_queue_duration_seconds_sum{name=\"deployment\"} 5",
            "workqueue_work_duration_seconds_count{name=\"deployment\"} 0",
        ] {
            has(&begun, line);
        }
        for line in [
            "workqueue_unfinished_work_seconds{name=\"deployment\"} 0",
            "workqueue_work_duration_seconds_bucket{name=\"deployment\",le=\"0.01\"} 0",
            "workqueue_work_duration_seconds_bucket{name=\"deployment\",le=\"0.1\"} 1",
            "workqueue_work_duration_seconds_bucket{name=\"deployment\",le=\"+Inf\"} 1",
            "workqueue_work_duration_seconds_sum{name=\"deployment\"} 0.05",
        ] {
            has(&done, line);
        }
    }
}
