//! What nodes and pods use of processor and memory.
//!
//! Every node's kubelet is asked for its counters at an interval; the last few answers stay in memory. A rate is the
//! difference of the last two. [`Metrics::answer`] serves them as the group `metrics.k8s.io`, for `kubectl top` and
//! autoscalers.

mod exposition;
mod samples;
mod scrape;
mod serve;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use client::Client;
use stdx::Ambient;
use tokio_util::sync::CancellationToken;

use samples::Samples;
pub use serve::{Answer, GROUP, RESOURCES, Request, ResourceInfo, VERSIONS};

/// How often kubelets are asked, unless told otherwise.
pub const RESOLUTION: Duration = Duration::from_secs(15);

/// What the room is given.
#[derive(Clone)]
pub struct Config {
    /// Of the identity `system:serviceaccount:kube-system:metrics-server`.
    pub client: Client,
    pub resolution: Duration,
    pub ambient: Ambient,
    pub cancel: CancellationToken,
}

/// The samples, and who reads them. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    client: Client,
    ambient: Ambient,
    samples: Arc<Mutex<Samples>>,
}

impl Metrics {
    /// Empty until [`run`] has filled it.
    pub fn new(config: &Config) -> Metrics {
        Metrics { client: config.client.clone(), ambient: config.ambient.clone(), samples: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Samples> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks kubelets until cancelled.
pub async fn run(config: Config, metrics: Metrics) {
    let cancel = config.cancel.clone();
    tokio::select! {
        biased;
        () = cancel.cancelled() => {}
        () = scrape::run(config, metrics) => {}
    }
}
