//! Runs a reconciler: bounded workers, retries with back-off, counters.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt;
use stdx::Clock;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::queue::WorkQueue;

/// What a reconciliation wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing until something changes.
    Done,
    /// To be called again after a time, changes or not: it has computed a deadline.
    RequeueAfter(Duration),
}

/// Brings one object's world closer to what its spec says.
pub trait Reconciler: Send + Sync + 'static {
    type Key: Ord + Clone + fmt::Display + Send + Sync + 'static;
    type Error: Error + Send;

    /// Idempotent; re-reads everything it needs. An error is logged and retried with back-off.
    fn reconcile(&self, key: &Self::Key) -> impl Future<Output = Result<Outcome, Self::Error>> + Send;
}

/// How often reconciliations ended which way since the start.
#[derive(Debug, Default)]
pub struct Counters {
    pub succeeded: AtomicU64,
    pub requeued: AtomicU64,
    pub failed: AtomicU64,
}

/// A reconciler with its queue and its workers.
pub struct Controller<R: Reconciler> {
    name: &'static str,
    reconciler: R,
    queue: WorkQueue<R::Key>,
    workers: usize,
    counters: Arc<Counters>,
}

impl<R: Reconciler> Controller<R> {
    pub fn new(name: &'static str, reconciler: R, clock: Clock) -> Self {
        Controller::with_queue(name, reconciler, WorkQueue::new(clock))
    }

    /// For reconcilers that enqueue keys themselves.
    pub fn with_queue(name: &'static str, reconciler: R, queue: WorkQueue<R::Key>) -> Self {
        Controller { name, reconciler, queue, workers: 5, counters: Arc::default() }
    }

    /// How many keys are worked on at once; five by default.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Where informers' handlers add keys.
    pub fn queue(&self) -> WorkQueue<R::Key> {
        self.queue.clone()
    }

    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Works until cancelled. A reconciliation under way is dropped at its next await then.
    pub async fn run(self, cancel: CancellationToken) {
        let workers = self.workers;
        let controller = Arc::new(self);
        let mut running = JoinSet::new();
        for _ in 0..workers {
            let controller = Arc::clone(&controller);
            running.spawn(async move { controller.work().await });
        }
        tokio::select! {
            biased;
            () = cancel.cancelled() => {}
            // Workers do not end by themselves, and panics are caught where they happen.
            _ = running.join_next() => {}
        }
        running.shutdown().await;
    }

    async fn work(&self) {
        loop {
            let key = self.queue.next().await;
            self.work_on(&key).await;
            self.queue.done(&key);
        }
    }

    async fn work_on(&self, key: &R::Key) {
        let result = AssertUnwindSafe(self.reconciler.reconcile(key)).catch_unwind().await;
        match result {
            Ok(Ok(Outcome::Done)) => {
                self.queue.forget(key);
                self.counters.succeeded.fetch_add(1, Ordering::Relaxed);
            }
            Ok(Ok(Outcome::RequeueAfter(delay))) => {
                self.queue.forget(key);
                self.queue.add_after(key.clone(), delay);
                self.counters.requeued.fetch_add(1, Ordering::Relaxed);
            }
            Ok(Err(error)) => self.retry(key, &stdx::error::chain(&error)),
            Err(_panic) => self.retry(key, "the reconciler panicked"),
        }
    }

    fn retry(&self, key: &R::Key, error: &str) {
        self.counters.failed.fetch_add(1, Ordering::Relaxed);
        // A stale cache makes first attempts fail in passing; what lasts is worth a line.
        if self.queue.failures(key) < 3 {
            tracing::debug!(controller = self.name, %key, error, "reconciling failed");
        } else {
            tracing::warn!(controller = self.name, %key, error, "reconciling keeps failing");
        }
        self.queue.add_backed_off(key.clone());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::time::Instant;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("refused")]
    struct Refused;

    /// Fails, panics, then asks to be called after a minute, then is content.
    struct Scripted {
        calls: Mutex<Vec<u128>>,
        start: Instant,
        finished: CancellationToken,
    }

    impl Reconciler for Scripted {
        type Key = String;
        type Error = Refused;

        async fn reconcile(&self, _key: &String) -> Result<Outcome, Refused> {
            let call = {
                let mut calls = self.calls.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                calls.push(self.start.elapsed().as_millis());
                calls.len()
            };
            match call {
                1 => Err(Refused),
                2 => panic!("on purpose"),
                3 => Ok(Outcome::RequeueAfter(Duration::from_secs(60))),
                _ => {
                    assert_eq!(*self.calls.lock().unwrap(), [0, 5, 15, 60_015]);
                    self.finished.cancel();
                    Ok(Outcome::Done)
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn errors_and_panics_are_retried_with_back_off() {
        let cancel = CancellationToken::new();
        let reconciler = Scripted { calls: Mutex::default(), start: Instant::now(), finished: cancel.clone() };
        let controller = Controller::new("test", reconciler, Clock::simulated());
        let counters = controller.counters();
        controller.queue().add("key".into());
        controller.run(cancel).await;
        assert_eq!(counters.failed.load(Ordering::Relaxed), 2);
        assert_eq!(counters.requeued.load(Ordering::Relaxed), 1);
    }
}
