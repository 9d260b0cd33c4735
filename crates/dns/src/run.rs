//! Serves, and follows the cluster.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use api::NamespacedName;
use api::k8s::api::core::v1::{Namespace, Service};
use api::k8s::api::discovery::v1::EndpointSlice;
use client::kube::Resource;
use client::{Api, Client};
use hickory_server::Server;
use reconcile::{Informer, ListOptions};
use stdx::{Ambient, Backoff, signal};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::forward::Forwarder;
use crate::metrics::Metrics;
use crate::publish::{self, Published};
use crate::server::Handler;
use crate::table::Table;
use crate::zone::{InvalidDomain, Zone};

const DNS_PORT: u16 = 53;
/// A connection without questions is closed after this.
const IDLE_CONNECTION: Duration = Duration::from_secs(10);
const RESPONSES_PER_CONNECTION: usize = 32;
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(30);

pub struct Config {
    pub client: Client,
    /// The node's address that pods reach the server at, e.g. the bridge's.
    pub listen: IpAddr,
    pub port: u16,
    /// The cluster's domain, e.g. `cluster.local`.
    pub domain: String,
    /// The address of the Service `kube-system/kube-dns`.
    pub cluster_dns: IpAddr,
    pub node_name: String,
    /// Who answers for other zones, e.g. what the node's `/etc/resolv.conf` names.
    pub upstreams: Vec<SocketAddr>,
    pub ambient: Ambient,
    /// Tells when questions are answered from a table that holds what the API server showed.
    pub ready: Option<watch::Sender<bool>>,
    pub cancel: CancellationToken,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the cluster's domain cannot be used")]
    Domain(#[from] InvalidDomain),
    #[error("cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error("the DNS server ended")]
    Serve(#[source] hickory_server::net::NetError),
}

/// Runs until cancelled.
pub async fn run(config: Config) -> Result<(), Error> {
    run_telling(config, Metrics::default()).await
}

/// The same; meanwhile `metrics` tell how it fares.
pub async fn run_telling(config: Config, metrics: Metrics) -> Result<(), Error> {
    let address = SocketAddr::new(config.listen, config.port);
    let failed = |source| Error::Listen { address, source };
    let zone = Zone::new(&config.domain, config.cluster_dns)?;
    let datagrams = UdpSocket::bind(address).await.map_err(failed)?;
    let connections = TcpListener::bind(address).await.map_err(failed)?;
    let sources = Sources::start(&config);
    let mut changes = sources.changes();
    tokio::select! {
        () = sources.synced() => {}
        () = config.cancel.cancelled() => return Ok(()),
    }
    let table = Arc::new(RwLock::new(Arc::new(Table::default())));
    changes.mark_seen();
    sources.rebuild(&table, &config.ambient);
    let handler = Handler {
        zone,
        table: Arc::clone(&table),
        forwarder: Forwarder::new(usable_upstreams(&config), config.ambient.clone()),
        random: config.ambient.random.clone(),
        clock: config.ambient.clock,
        name: format!("dns://{address}"),
        metrics,
    };
    let mut server = Server::new(handler);
    server.register_socket(datagrams);
    server.register_listener(connections, IDLE_CONNECTION, RESPONSES_PER_CONNECTION);
    if let Some(ready) = &config.ready {
        ready.send_replace(true);
    }
    tracing::info!(%address, domain = config.domain, "cluster DNS answers");
    tokio::select! {
        ended = server.block_until_done() => return ended.map_err(Error::Serve),
        () = follow(&config, &sources, &mut changes, &table) => {}
        () = config.cancel.cancelled() => {}
    }
    server.shutdown_gracefully().await.map_err(Error::Serve)
}

/// Keeps the table and the published objects current, for ever.
async fn follow(config: &Config, sources: &Sources, changes: &mut Changes, table: &RwLock<Arc<Table>>) {
    let published = Published {
        cluster_address: config.cluster_dns,
        listen: config.listen,
        port: config.port,
        node_name: config.node_name.clone(),
    };
    let service_key = NamespacedName::new(publish::NAMESPACE, publish::SERVICE);
    let slice_key = NamespacedName::new(publish::NAMESPACE, published.slice_name());
    let mut backoff = Backoff::new(FIRST_RETRY, LONGEST_RETRY);
    loop {
        let service = sources.services.get(&service_key);
        let slice = sources.slices.get(&slice_key);
        let mut retry = None;
        if published.is_current(service.as_deref(), slice.as_deref()) {
            backoff.reset();
        } else {
            let result = published.publish(&config.client, service.as_deref(), slice.as_deref()).await;
            // Also after a success: should the watch not show it, it is looked at again.
            retry = Some(backoff.next_delay());
            if let Err(error) = result {
                tracing::warn!(error = stdx::error::chain(&error), "cannot publish the DNS server");
            }
        }
        let wait = async {
            match retry {
                Some(delay) => config.ambient.clock.sleep(delay).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = changes.next() => {}
            () = wait => {}
        }
        changes.mark_seen();
        sources.rebuild(table, &config.ambient);
    }
}

/// A server that is reached through itself would be asked for ever.
fn usable_upstreams(config: &Config) -> Vec<SocketAddr> {
    let own = [SocketAddr::new(config.listen, config.port), SocketAddr::new(config.cluster_dns, DNS_PORT)];
    config.upstreams.iter().copied().filter(|upstream| !own.contains(upstream)).collect()
}

struct Sources {
    namespaces: Informer<Namespace>,
    services: Informer<Service>,
    slices: Informer<EndpointSlice>,
}

struct Changes([signal::Receiver<u64>; 3]);

impl Sources {
    fn start(config: &Config) -> Self {
        Sources {
            namespaces: informer(config, Some(keep_name)),
            services: informer(config, None),
            slices: informer(config, None),
        }
    }

    fn changes(&self) -> Changes {
        Changes([self.namespaces.changed(), self.services.changed(), self.slices.changed()])
    }

    async fn synced(&self) {
        self.namespaces.synced().await;
        self.services.synced().await;
        self.slices.synced().await;
    }

    fn rebuild(&self, table: &RwLock<Arc<Table>>, ambient: &Ambient) {
        let present = Arc::clone(&table.read().unwrap_or_else(PoisonError::into_inner));
        let serial = u32::try_from(ambient.clock.now().as_second()).unwrap_or(0);
        let next = present.updated(&self.namespaces.list(), self.services.list(), self.slices.list(), serial);
        *table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    }
}

impl Changes {
    fn mark_seen(&mut self) {
        self.0.iter_mut().for_each(signal::Receiver::mark_seen);
    }

    /// Waits for the next change of any of the sources.
    async fn next(&mut self) {
        let [namespaces, services, slices] = &mut self.0;
        // The senders live in the informers; should one be gone, there is nothing to wait for.
        let ended = tokio::select! {
            changed = namespaces.changed() => changed.is_err(),
            changed = services.changed() => changed.is_err(),
            changed = slices.changed() => changed.is_err(),
        };
        if ended {
            std::future::pending::<()>().await;
        }
    }
}

fn keep_name(namespace: &mut Namespace) {
    namespace.spec = None;
    namespace.status = None;
    namespace.metadata.labels = None;
    namespace.metadata.annotations = None;
}

fn informer<K>(config: &Config, trim: Option<fn(&mut K)>) -> Informer<K>
where
    K: reconcile::Kind + Resource<DynamicType = ()>,
{
    let options = ListOptions { trim, ..ListOptions::default() };
    Informer::start(Api::all(config.client.clone()), options, &config.ambient, config.cancel.clone())
}
