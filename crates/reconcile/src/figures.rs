//! What work queues tell Prometheus, under upstream's names.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::queue::WorkQueue;

/// Ten times as much from one to the next, from ten nanoseconds on, as Go's floats have it.
const BOUNDS: [(f64, &str); 12] = [
    (1e-8, "1e-08"),
    (1e-7, "1e-07"),
    (1e-6, "1e-06"),
    (1e-5, "9.999999999999999e-06"),
    (1e-4, "9.999999999999999e-05"),
    (1e-3, "0.001"),
    (1e-2, "0.01"),
    (1e-1, "0.1"),
    (1.0, "1"),
    (10.0, "10"),
    (100.0, "100"),
    (1000.0, "1000"),
];

/// Of one queue, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Keys that wait.
    pub depth: usize,
    /// How often a key began to wait.
    pub adds: u64,
    /// How often a key was put back after a failure.
    pub retries: u64,
    pub waited: Durations,
    pub worked: Durations,
    /// Of the keys that are worked on.
    pub unfinished: Duration,
    pub longest: Duration,
}

/// How long something took, each time.
#[derive(Clone, Debug, Default)]
pub struct Durations {
    /// Of each bound, how many took no longer, and longer than the bound before.
    buckets: [u64; BOUNDS.len()],
    count: u64,
    sum: Duration,
}

impl Durations {
    pub fn add(&mut self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        if let Some(bucket) = BOUNDS.iter().position(|(bound, _)| seconds <= *bound) {
            self.buckets[bucket] += 1;
        }
        self.count += 1;
        self.sum += duration;
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
        let all: Vec<(&str, Figures)> = self.lock().iter().map(|(name, figures)| (*name, figures())).collect();
        let mut page = Page::default();
        page.counts(&all, "workqueue_adds_total", "counter", "Total number of adds handled by workqueue", |one| {
            one.adds
        });
        page.counts(&all, "workqueue_depth", "gauge", "Current depth of workqueue", |one| one.depth);
        page.counts(
            &all,
            "workqueue_longest_running_processor_seconds",
            "gauge",
            "How many seconds has the longest running processor for workqueue been running.",
            |one| one.longest.as_secs_f64(),
        );
        page.durations(
            &all,
            "workqueue_queue_duration_seconds",
            "How long in seconds an item stays in workqueue before being requested.",
            |one| &one.waited,
        );
        page.counts(
            &all,
            "workqueue_retries_total",
            "counter",
            "Total number of retries handled by workqueue",
            |one| one.retries,
        );
        page.counts(
            &all,
            "workqueue_unfinished_work_seconds",
            "gauge",
            "How many seconds of work has done that is in progress and hasn't been observed by work_duration. Large \
             values indicate stuck threads. One can deduce the number of stuck threads by observing the rate at which \
             this increases.",
            |one| one.unfinished.as_secs_f64(),
        );
        page.durations(
            &all,
            "workqueue_work_duration_seconds",
            "How long in seconds processing an item from workqueue takes.",
            |one| &one.worked,
        );
        page.0
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

#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, line: fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("a String takes every write");
    }

    fn family(&mut self, name: &str, r#type: &str, help: &str) {
        self.line(format_args!("# HELP {name} [ALPHA] {help}\n# TYPE {name} {type}"));
    }

    fn counts<V: Display>(
        &mut self,
        all: &[(&str, Figures)],
        name: &str,
        r#type: &str,
        help: &str,
        value: impl Fn(&Figures) -> V,
    ) {
        self.family(name, r#type, help);
        for (queue, figures) in all {
            self.line(format_args!("{name}{{name=\"{queue}\"}} {}", value(figures)));
        }
    }

    fn durations(&mut self, all: &[(&str, Figures)], name: &str, help: &str, of: impl Fn(&Figures) -> &Durations) {
        self.family(name, "histogram", help);
        for (queue, figures) in all {
            let durations = of(figures);
            let mut up_to = 0;
            for ((_, bound), bucket) in BOUNDS.iter().zip(durations.buckets) {
                up_to += bucket;
                self.line(format_args!("{name}_bucket{{name=\"{queue}\",le=\"{bound}\"}} {up_to}"));
            }
            let (count, sum) = (durations.count, durations.sum.as_secs_f64());
            self.line(format_args!("{name}_bucket{{name=\"{queue}\",le=\"+Inf\"}} {count}"));
            self.line(format_args!("{name}_sum{{name=\"{queue}\"}} {sum}\n{name}_count{{name=\"{queue}\"}} {count}"));
        }
    }
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
