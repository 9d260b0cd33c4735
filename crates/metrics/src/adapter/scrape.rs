//! Reads the pods that ask for it, through the API server.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::NamespacedName;
use api::k8s::api::core::v1::Pod;
use api::k8s::apimachinery::pkg::apis::meta::v1::Status;
use client::kube::Api;
use client::{CallError, ClientError};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use reconcile::{Informer, ListOptions, Recorder};
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::series::{Labels, SeriesError};
use super::target::{Target, TargetError, asks, target, trim};
use crate::{Config, Metrics};

/// Pods read at once.
const AT_ONCE: usize = 16;
/// Prometheus' own default.
const TIMEOUT: Duration = Duration::from_secs(10);
const LONGEST_ANSWER_BYTES: usize = 4 << 20;
/// Between the attempts to read a pod that keeps failing.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
const ASKING: &str = "asking";
const ACCEPT: &str = "text/plain;version=0.0.4;q=0.9,*/*;q=0.1";

#[derive(Debug, thiserror::Error)]
enum ScrapeError {
    #[error("{0}")]
    Target(TargetError),
    #[error("{0}")]
    Call(CallError),
    #[error("the pod answered {0}")]
    Status(StatusCode),
    #[error("{0}")]
    Unreachable(String),
    #[error("the answer is longer than {LONGEST_ANSWER_BYTES} bytes")]
    TooLong,
    #[error("the answer is no text")]
    NotText,
    #[error("the answer broke off")]
    BrokeOff,
    #[error("no answer within {} seconds", TIMEOUT.as_secs())]
    Slow,
    #[error("{0}")]
    Refused(SeriesError),
}

/// How often a pod failed in a row, and what was said of it.
struct Failing {
    count: u32,
    not_before: Instant,
    message: String,
}

type Failures = BTreeMap<NamespacedName, Failing>;

pub(crate) async fn run(config: &Config, metrics: &Metrics) {
    let client = config.client.clone();
    let options = ListOptions { trim: Some(trim as fn(&mut Pod)), ..ListOptions::default() };
    let pods: Informer<Pod> =
        Informer::start(Api::all(client.clone()), options, &config.ambient, config.cancel.clone())
            .with_index(ASKING, |pod| if asks(pod) { vec![ASKING.to_owned()] } else { Vec::new() });
    let recorder = Recorder::start(client, "metrics-server", None, &config.ambient, config.cancel.clone());
    let asked = Arc::new(Notify::new());
    let wake = asked.clone();
    pods.on_change(move |old, new| {
        if old.or(new).is_some_and(|pod| asks(pod)) || new.is_some_and(|pod| asks(pod)) {
            wake.notify_one();
        }
    });
    pods.synced().await;
    let mut failures = Failures::new();
    loop {
        let present = pods.by_index(ASKING, ASKING);
        if present.is_empty() {
            metrics.series().keep(|_| false);
            failures.clear();
            asked.notified().await;
            continue;
        }
        let mut ticks = interval(config.resolution);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let present = pods.by_index(ASKING, ASKING);
            if present.is_empty() {
                break;
            }
            let is_there = |pod: &NamespacedName| pods.get(pod).is_some_and(|pod| asks(&pod));
            metrics.series().keep(is_there);
            failures.retain(|pod, _| is_there(pod));
            round(config, metrics, &recorder, present, &mut failures).await;
        }
    }
}

/// Reads all pods whose time has come.
async fn round(config: &Config, metrics: &Metrics, recorder: &Recorder, pods: Vec<Arc<Pod>>, failures: &mut Failures) {
    let now = config.ambient.clock.instant();
    let due = |pod: &Pod| failures.get(&NamespacedName::of(&pod.metadata)).is_none_or(|one| one.not_before <= now);
    let mut left = pods.into_iter().filter(|pod| due(pod)).collect::<Vec<_>>().into_iter();
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < AT_ONCE
            && let Some(pod) = left.next()
        {
            running.push(async move {
                let outcome = one(config, metrics, &pod).await;
                (pod, outcome)
            });
        }
        let Some((pod, outcome)) = running.next().await else { return };
        let key = NamespacedName::of(&pod.metadata);
        match outcome {
            Ok(()) => {
                failures.remove(&key);
            }
            Err(error) => {
                metrics.series().doubt(&key);
                let message = format!("metrics cannot be read: {error}");
                let count = failures.get(&key).map_or(0, |failing| failing.count);
                // Said once, not at every attempt.
                if failures.get(&key).is_none_or(|failing| failing.message != message) {
                    tracing::info!(pod = %key, message);
                    recorder.warning(&*pod, "FailedScrape", message.clone());
                }
                let not_before = config.ambient.clock.instant() + pause(config.resolution, count);
                failures.insert(key, Failing { count: count.saturating_add(1), not_before, message });
            }
        }
    }
}

/// The first failures are tried again at the next tick.
fn pause(resolution: Duration, failed_before: u32) -> Duration {
    match failed_before {
        0..3 => Duration::ZERO,
        count => resolution.saturating_mul(1 << (count - 2).min(16)).min(LONGEST_PAUSE),
    }
}

async fn one(config: &Config, metrics: &Metrics, pod: &Pod) -> Result<(), ScrapeError> {
    let Some(target) = target(pod).map_err(ScrapeError::Target)? else {
        metrics.series().doubt(&NamespacedName::of(&pod.metadata));
        return Ok(());
    };
    let text = timeout(TIMEOUT, read(config, &target)).await.map_err(|_| ScrapeError::Slow)??;
    let none = Labels::new();
    let labels = pod.metadata.labels.as_ref().unwrap_or(&none);
    let now = config.ambient.clock.now();
    metrics.series().add(&target.pod, labels, &text, now).map_err(ScrapeError::Refused)
}

async fn read(config: &Config, target: &Target) -> Result<String, ScrapeError> {
    let call = |error: ClientError| ScrapeError::Call(error.into());
    let request = Request::get(&target.path).header(header::ACCEPT, ACCEPT).body(client::Body::empty());
    let request = request.map_err(|error| call(ClientError::HttpError(error)))?;
    let response = config.client.send(request).await.map_err(call)?;
    let (code, bytes) = (response.status(), gather(response.into_body()).await?);
    if code == StatusCode::OK {
        return String::from_utf8(bytes).map_err(|_| ScrapeError::NotText);
    }
    // The proxy's own answer says why the pod could not be reached.
    match serde_json::from_slice::<Status>(&bytes) {
        Ok(Status { message: Some(message), .. }) => Err(ScrapeError::Unreachable(message)),
        Ok(_) | Err(_) => Err(ScrapeError::Status(code)),
    }
}

async fn gather(mut body: client::Body) -> Result<Vec<u8>, ScrapeError> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ScrapeError::BrokeOff)?;
        let Some(data) = frame.data_ref() else { continue };
        if bytes.len() + data.len() > LONGEST_ANSWER_BYTES {
            return Err(ScrapeError::TooLong);
        }
        bytes.extend_from_slice(data);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_keeps_failing_is_asked_less_and_less_often() {
        let pause = |count| pause(Duration::from_secs(15), count).as_secs();
        assert_eq!([pause(0), pause(2), pause(3), pause(4), pause(5)], [0, 0, 30, 60, 120]);
        assert_eq!([pause(10), pause(u32::MAX)], [300, 300]);
    }
}
