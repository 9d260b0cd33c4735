//! What nodes and pods use of processor and memory, and what pods tell of themselves.
//!
//! Every node's kubelet is asked for its counters at an interval; the last few answers stay in memory. A rate is the
//! difference of the last two. Pods whose annotations ask for it are read too. [`Metrics::answer`] serves both, as the
//! groups `metrics.k8s.io`, `custom.metrics.k8s.io` and `external.metrics.k8s.io`, for `kubectl top` and autoscalers.
//! The last quarter of an hour is told by [`Metrics::model`], in the way of Heapster.

mod adapter;
mod exposition;
mod history;
mod model;
mod samples;
mod scrape;
mod serve;
mod sinks;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::k8s::jiff::Timestamp;
use client::Client;
use stdx::Ambient;
use tokio_util::sync::CancellationToken;

use adapter::Series;
use history::History;
use samples::Samples;
pub use serve::{Answer, GROUPS, Group, Request, ResourceInfo};
use sinks::Sinks;
pub use sinks::{Sink, SinkError};

/// Below it lie the paths of [`Metrics::model`].
pub const MODEL_PATH: &str = "/api/v1/model";

/// How often kubelets are asked, unless told otherwise.
pub const RESOLUTION: Duration = Duration::from_secs(15);

/// What the room is given.
#[derive(Clone)]
pub struct Config {
    /// Of the identity `system:serviceaccount:kube-system:metrics-server`.
    pub client: Client,
    pub resolution: Duration,
    /// Where history is kept besides memory.
    pub sinks: Vec<Sink>,
    /// Of the sink that is a folder.
    pub history_dir: PathBuf,
    pub ambient: Ambient,
    pub cancel: CancellationToken,
}

/// The samples, and who reads them. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    client: Client,
    ambient: Ambient,
    samples: Arc<Mutex<Samples>>,
    series: Arc<Mutex<Series>>,
    history: Arc<Mutex<History>>,
    sinks: Arc<Sinks>,
}

impl Metrics {
    /// Empty until [`run`] has filled it, but for what a folder kept of the time before.
    pub fn new(config: &Config) -> Metrics {
        let (mut history, sinks) = (History::default(), Sinks::new(&config.sinks));
        let oldest = config.ambient.clock.now().saturating_sub(history::DEPTH).unwrap_or(Timestamp::MIN);
        sinks.restore(&config.history_dir, oldest, &mut history);
        Metrics {
            client: config.client.clone(),
            ambient: config.ambient.clone(),
            samples: Arc::default(),
            series: Arc::default(),
            history: Arc::new(Mutex::new(history)),
            sinks: Arc::new(sinks),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Samples> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the moment into the history, if it is time for one.
    fn remember(&self, config: &Config) {
        let now = self.ambient.clock.now();
        if !self.history().is_due(now, config.resolution) {
            return;
        }
        let moment = self.lock().moment(now);
        if !moment.nodes.is_empty() {
            let moment = self.history().add(moment);
            self.sinks.add(&moment);
        }
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn series(&self) -> MutexGuard<'_, Series> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks kubelets and pods until cancelled.
pub async fn run(config: Config, metrics: Metrics) {
    let cancel = config.cancel.clone();
    tokio::select! {
        biased;
        () = cancel.cancelled() => {}
        ((), (), ()) = async { tokio::join!(scrape::run(&config, &metrics), adapter::run(&config, &metrics), metrics.sinks.run(&config.history_dir)) } => {}
    }
}

#[cfg(test)]
mod tests;
