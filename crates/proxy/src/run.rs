//! Keeps the kernel's table as the services want it.

use std::time::Duration;

use api::k8s::api::core::v1::Service;
use api::k8s::api::discovery::v1::EndpointSlice;
use client::kube::Resource;
use client::{Api, Client};
use netlink::nftables::{Monitor, Ruleset, Transaction};
use netlink::{Protocol, Socket};
use reconcile::{Informer, ListOptions};
use stdx::{Ambient, Backoff};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::desired::Desired;
use crate::metrics::Metrics;
use crate::stale::{self, Datagrams};

/// Headless services have no address, and services of another proxy are its business.
const SELECTOR: &str = "!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name";
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(30);

pub struct Config {
    pub client: Client,
    pub node_name: String,
    /// The private table of family `inet`, e.g. the cluster's name.
    pub table: String,
    pub ambient: Ambient,
    pub cancel: CancellationToken,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot watch the service rules")]
    Monitor(#[source] netlink::Error),
    #[error("a thread of the service proxy ended")]
    Thread(#[source] tokio::task::JoinError),
}

#[derive(Debug, thiserror::Error)]
#[error("cannot remove the service rules")]
pub struct DestroyError(#[source] netlink::Error);

/// Runs until cancelled. The rules stay then, so that services go on working.
pub async fn run(config: Config) -> Result<(), Error> {
    run_telling(config, watch::Sender::new(false), Metrics::default()).await
}

/// As [`run`]; `ready` becomes true once the kernel's table holds what the API server showed, and `metrics` tell how
/// the rounds fare.
pub async fn run_telling(config: Config, ready: watch::Sender<bool>, metrics: Metrics) -> Result<(), Error> {
    let services = informer::<Service>(&config);
    let slices = informer::<EndpointSlice>(&config);
    let (mut services_changed, mut slices_changed) = (services.changed(), slices.changed());
    tokio::select! {
        () = async { services.synced().await; slices.synced().await } => {}
        () = config.cancel.cancelled() => return Ok(()),
    }
    let mut desired = Desired::default();
    let mut kernel = Kernel { table: config.table.clone(), present: None, datagrams: Datagrams::default() };
    let mut backoff = Backoff::new(FIRST_RETRY, LONGEST_RETRY);
    let monitor = Monitor::open().map_err(Error::Monitor)?;
    loop {
        services_changed.mark_seen();
        slices_changed.mark_seen();
        desired.update(services.list(), slices.list(), &config.node_name);
        let (wanted, datagrams) = (desired.ruleset(), desired.datagrams());
        let started = config.ambient.clock.instant();
        let (returned, result) = tokio::task::spawn_blocking(move || {
            let result = kernel.sync(wanted, datagrams);
            (kernel, result)
        })
        .await
        .map_err(Error::Thread)?;
        kernel = returned;
        let elapsed = config.ambient.clock.instant().duration_since(started);
        let retry = match result {
            Ok(messages) => {
                backoff.reset();
                metrics.synced(elapsed, config.ambient.clock.now());
                tracing::debug!(messages, ?elapsed, "service rules in place");
                ready.send_if_modified(|ready| !std::mem::replace(ready, true));
                None
            }
            Err(error) => {
                metrics.failed(elapsed);
                let delay = backoff.next_delay();
                tracing::error!(error = stdx::error::chain(&error), ?delay, "cannot set the service rules");
                Some(delay)
            }
        };
        let wait = async {
            match retry {
                Some(delay) => config.ambient.clock.sleep(delay).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = config.cancel.cancelled() => return Ok(()),
            _ = services_changed.changed() => {}
            _ = slices_changed.changed() => {}
            removed = monitor.removed(&config.table) => {
                removed.map_err(Error::Monitor)?;
                tracing::warn!(table = config.table, "somebody removed the service rules; they are set again");
                kernel.present = None;
            }
            () = wait => {}
        }
    }
}

/// Removes the table; a missing one is no error.
pub fn destroy(table: &str) -> Result<(), DestroyError> {
    let mut socket = Socket::open(Protocol::Netfilter).map_err(DestroyError)?;
    Transaction::destroy(table).commit(&mut socket).map_err(DestroyError)
}

fn informer<K>(config: &Config) -> Informer<K>
where
    K: reconcile::Kind + Resource<DynamicType = ()>,
{
    let options = ListOptions::labels(SELECTOR);
    Informer::start(Api::all(config.client.clone()), options, &config.ambient, config.cancel.clone())
}

/// What the kernel holds, as far as this process knows.
struct Kernel {
    table: String,
    /// Nothing at the start, or after a refusal: then the whole table is replaced.
    present: Option<Ruleset>,
    datagrams: Datagrams,
}

impl Kernel {
    /// Returns the number of messages it took.
    fn sync(&mut self, wanted: Ruleset, datagrams: Datagrams) -> Result<usize, netlink::Error> {
        let transaction = match self.present.take() {
            None => Some(Transaction::replace(&self.table, &wanted)),
            Some(present) => Transaction::change(&self.table, &present, &wanted),
        };
        let messages = transaction.as_ref().map_or(0, Transaction::len);
        if let Some(transaction) = transaction {
            transaction.commit(&mut Socket::open(Protocol::Netfilter)?)?;
        }
        self.present = Some(wanted);
        if self.datagrams != datagrams {
            let forgotten = stale::forget(&mut Socket::open(Protocol::Netfilter)?, &datagrams)?;
            if forgotten > 0 {
                tracing::debug!(forgotten, "stale datagram flows forgotten");
            }
            self.datagrams = datagrams;
        }
        Ok(messages)
    }
}
