//! Decides which node each pod runs on.
//!
//! A pod waits in the [`queue`], is judged by the [`plugins`] against an immutable snapshot of the
//! [`cache`], is assumed to be on its node at once, and is bound in the background. What cannot be placed
//! waits for an event that may help it; what is important may push others out ([`preemption`]).

mod binding;
mod budgets;
mod cache;
mod cycle;
mod diagnosis;
mod events;
mod eviction;
mod framework;
mod intake;
mod metrics;
mod nominations;
mod plugins;
mod pod;
mod prebind;
mod preemption;
mod queue;
mod resources;
mod volumes;

#[cfg(test)]
mod fixture;

use client::Client;
use futures::future::BoxFuture;
use stdx::Ambient;
use tokio_util::sync::CancellationToken;

pub use metrics::Metrics;

/// What the scheduler is given.
#[derive(Clone)]
pub struct Config {
    /// Of the identity `system:kube-scheduler`.
    pub client: Client,
    pub ambient: Ambient,
    pub cancel: CancellationToken,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the scheduler ended before it was told to")]
    Ended,
}

/// Schedules pods until cancelled.
pub async fn run(config: Config) -> Result<(), Error> {
    run_telling(config, Metrics::default()).await
}

/// The same; meanwhile `metrics` tell how it fares.
pub async fn run_telling(config: Config, metrics: Metrics) -> Result<(), Error> {
    let cancel = config.cancel.clone();
    tokio::select! {
        biased;
        () = cancel.cancelled() => Ok(()),
        () = boxed_cycle(config, metrics) => Err(Error::Ended),
    }
}

/// Boxed here, it is compiled here and not again by whoever runs it.
#[inline(never)]
fn boxed_cycle(config: Config, metrics: Metrics) -> BoxFuture<'static, ()> {
    Box::pin(cycle::run(config, metrics))
}
