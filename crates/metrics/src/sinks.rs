//! Where each moment goes besides the history in memory: Prometheus, InfluxDB, a ring on disk.
//!
//! Each has a queue of its own. One that is down is tried again less and less often, and loses the oldest moments of
//! those that wait.

mod folder;
mod influx;
mod prometheus;

use std::collections::VecDeque;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::k8s::jiff::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use stdx::Backoff;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::history::{History, Moment};

/// Half an hour of moments.
const WAITING: usize = 60;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
const TIMEOUT: Duration = Duration::from_secs(30);
/// Of a receiver's answer, which says at most what it did not like.
const LONGEST_ANSWER_BYTES: usize = 64 << 10;

/// Where to send what is used, as a setting says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// Prometheus' remote write, version 1.
    Prometheus(Uri),
    /// InfluxDB's line protocol.
    Influx(Uri),
    /// A ring of bounded size in the cluster's own folder.
    Folder,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of prometheus:http[s]://HOST:PORT/PATH, influxdb:http[s]://HOST:PORT and folder")]
pub struct SinkError(String);

impl Sink {
    pub fn parse(text: &str) -> Result<Sink, SinkError> {
        let refused = || SinkError(text.to_owned());
        let (kind, address) = text.split_once(':').unwrap_or((text, ""));
        if kind == "folder" && address.is_empty() {
            return Ok(Sink::Folder);
        }
        let uri: Uri = address.parse().map_err(|_| refused())?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none_or(str::is_empty) {
            return Err(refused());
        }
        match kind {
            "prometheus" => Ok(Sink::Prometheus(uri)),
            "influxdb" => Ok(Sink::Influx(uri)),
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Without what may be secret in it.
            Sink::Prometheus(uri) => write!(formatter, "prometheus at {}", uri.host().unwrap_or_default()),
            Sink::Influx(uri) => write!(formatter, "influxdb at {}", uri.host().unwrap_or_default()),
            Sink::Folder => formatter.write_str("folder"),
        }
    }
}

/// The moments that wait for one sink.
#[derive(Default)]
struct Queue {
    moments: Mutex<VecDeque<Arc<Moment>>>,
    more: Notify,
}

impl Queue {
    fn add(&self, moment: Arc<Moment>) {
        let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        moments.push_back(moment);
        if moments.len() > WAITING {
            moments.pop_front();
        }
        drop(moments);
        self.more.notify_one();
    }

    async fn next(&self) -> Arc<Moment> {
        loop {
            let next = self.moments.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            match next {
                Some(moment) => return moment,
                None => self.more.notified().await,
            }
        }
    }
}

/// All sinks of a cluster.
pub(crate) struct Sinks(Vec<(Sink, Arc<Queue>)>);

impl Sinks {
    pub(crate) fn new(sinks: &[Sink]) -> Sinks {
        Sinks(sinks.iter().map(|sink| (sink.clone(), Arc::default())).collect())
    }

    /// Never waits.
    pub(crate) fn add(&self, moment: &Arc<Moment>) {
        for (_, queue) in &self.0 {
            queue.add(Arc::clone(moment));
        }
    }

    /// Sends until it is dropped.
    pub(crate) async fn run(&self, folder: &Path) {
        let all = self.0.iter().map(|(sink, queue)| drain(sink, queue, folder));
        futures::future::join_all(all).await;
    }

    /// What the ring on disk, where there is one, kept of the time before the start.
    pub(crate) fn restore(&self, folder: &Path, since: Timestamp, history: &mut History) {
        if !self.0.iter().any(|(sink, _)| *sink == Sink::Folder) {
            return;
        }
        match folder::kept(folder, since) {
            Ok(moments) => moments.into_iter().for_each(|moment| drop(history.add(moment))),
            Err(error) => tracing::warn!("{}", stdx::error::chain(&error)),
        }
    }
}

/// Why a moment did not get where it should.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error("cannot be reached")]
    Unreachable(#[source] hyper_util::client::legacy::Error),
    #[error("its answer broke off")]
    BrokeOff,
    #[error("no answer within {} seconds", TIMEOUT.as_secs())]
    Slow,
    #[error("answered {code}: {text}")]
    Answer { code: StatusCode, text: String },
    #[error("the address cannot be asked")]
    Request(#[from] http::Error),
    #[error("the moment cannot be compressed")]
    Compress(#[from] snap::Error),
    #[error("the ring on disk cannot be written")]
    Ring(#[from] folder::RingError),
}

impl SendError {
    /// Whether another attempt may succeed. What is refused for its content will be refused again.
    fn may_pass(&self) -> bool {
        match self {
            SendError::Answer { code, .. } => code.is_server_error() || *code == StatusCode::TOO_MANY_REQUESTS,
            SendError::Request(_) | SendError::Compress(_) => false,
            SendError::Unreachable(_) | SendError::BrokeOff | SendError::Slow | SendError::Ring(_) => true,
        }
    }
}

async fn drain(sink: &Sink, queue: &Queue, folder: &Path) {
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    let mut sender = Sender::new(sink, folder);
    let mut is_down = false;
    loop {
        let moment = queue.next().await;
        loop {
            match sender.send(&moment).await {
                Ok(()) => {
                    if std::mem::take(&mut is_down) {
                        tracing::info!(%sink, "takes metrics again");
                    }
                    backoff.reset();
                    break;
                }
                Err(error) => {
                    let may_pass = error.may_pass();
                    if !std::mem::replace(&mut is_down, true) {
                        tracing::warn!(%sink, error = stdx::error::chain(&error), "takes no metrics");
                    }
                    if !may_pass {
                        break;
                    }
                    tokio::time::sleep(backoff.next_delay()).await;
                }
            }
        }
    }
}

enum Sender {
    Prometheus(prometheus::Writer),
    Influx(influx::Writer),
    Folder { folder: PathBuf, ring: Option<folder::Ring> },
}

impl Sender {
    fn new(sink: &Sink, folder: &Path) -> Sender {
        match sink {
            Sink::Prometheus(uri) => Sender::Prometheus(prometheus::Writer::new(uri.clone())),
            Sink::Influx(uri) => Sender::Influx(influx::Writer::new(uri.clone())),
            Sink::Folder => Sender::Folder { folder: folder.to_owned(), ring: None },
        }
    }

    async fn send(&mut self, moment: &Arc<Moment>) -> Result<(), SendError> {
        match self {
            Sender::Prometheus(writer) => writer.send(moment).await,
            Sender::Influx(writer) => writer.send(moment).await,
            Sender::Folder { folder, ring } => {
                let (folder, taken, moment) = (folder.clone(), ring.take(), Arc::clone(moment));
                let written = tokio::task::spawn_blocking(move || {
                    let mut ring = match taken {
                        Some(ring) => ring,
                        None => folder::Ring::open(&folder, folder::LIMIT_BYTES)?,
                    };
                    ring.add(&moment)?;
                    Ok::<folder::Ring, folder::RingError>(ring)
                });
                // A writer that panicked has lost its ring; the next moment opens it anew.
                *ring = Some(written.await.map_err(|_| folder::RingError::Broken)??);
                Ok(())
            }
        }
    }
}

/// Speaks HTTP with one receiver.
struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    uri: Uri,
    authorization: Option<String>,
}

impl Http {
    /// A name and password before the host become basic authentication. Over TLS the receiver must be vouched for by
    /// an authority that the machine trusts.
    fn new(uri: Uri) -> Http {
        let is_secure = uri.scheme_str() == Some("https");
        Http::over(uri, if is_secure { trusting_the_machines_authorities() } else { trusting_nobody() })
    }

    fn over(uri: Uri, tls: ClientConfig) -> Http {
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        // Connections are seldom used: none is kept.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        let user = uri.authority().and_then(|authority| authority.as_str().rsplit_once('@')).map(|(user, _)| user);
        let authorization = user.map(|user| format!("Basic {}", STANDARD.encode(user)));
        Http { client, uri, authorization }
    }

    async fn post(&self, uri: &Uri, headers: &[(&str, &str)], body: Vec<u8>) -> Result<(), SendError> {
        let mut request = Request::post(uri).header(header::USER_AGENT, "pintle");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.body(Full::from(body))?;
        timeout(TIMEOUT, self.exchange(request)).await.map_err(|_| SendError::Slow)?
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<(), SendError> {
        let response = self.client.request(request).await.map_err(SendError::Unreachable)?;
        let code = response.status();
        if code.is_success() {
            return Ok(());
        }
        let body = Limited::new(response.into_body(), LONGEST_ANSWER_BYTES).collect().await;
        let bytes = body.map_err(|_| SendError::BrokeOff)?.to_bytes();
        Err(SendError::Answer { code, text: String::from_utf8_lossy(&bytes).trim().to_owned() })
    }
}

/// Read from where the machine keeps them, which costs some time and memory.
fn trusting_the_machines_authorities() -> ClientConfig {
    match tls().with_native_roots() {
        Ok(trusting) => trusting.with_no_client_auth(),
        Err(error) => {
            tracing::warn!(%error, "this machine trusts no authority: no sink can be reached over TLS");
            trusting_nobody()
        }
    }
}

fn trusting_nobody() -> ClientConfig {
    tls().with_root_certificates(RootCertStore::empty()).with_no_client_auth()
}

fn tls() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has the suites of the default versions")
}

#[cfg(test)]
mod tests;
