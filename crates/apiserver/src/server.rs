//! The server: its state, its start, its listeners.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use stdx::Ambient;
use store::{Store, StoreError};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::admission::QuotaTurns;
use crate::auth::User;
use crate::auth::token::{KeyError, TokenAuthority};
use crate::authorize::rbac::Rbac;
use crate::discovery::Documents;
use crate::encodings::Encodings;
use crate::groups::{LocalGroup, LocalGroups};
use crate::index::Indexes;
use crate::limits::Limits;
use crate::local::LocalService;
use crate::metrics::Metrics;
use crate::services::Services;
use crate::storage::Storage;
use crate::verbs::fanout::Fanouts;
use crate::{bootstrap, connection};

/// What a server is made of.
pub struct Config {
    pub store: Arc<dyn Store>,
    pub ambient: Ambient,
    /// Where Services get their addresses, e.g. `10.96.0.0/12`.
    pub service_cidr: String,
    pub node_ports: RangeInclusive<u16>,
    /// Where the cluster's names live, e.g. `cluster.local`. Nothing here depends on it yet.
    pub cluster_domain: String,
    /// The authority that signs client certificates.
    pub client_ca_pem: String,
    /// PKCS#8, EC P-256.
    pub service_account_key_pem: String,
    pub service_account_issuer: String,
    /// Where clients reach this server; the endpoint of the Service `default/kubernetes`.
    pub advertise: SocketAddr,
    /// The client side of connections to kubelets; without it logs, exec and port-forward are refused.
    pub kubelet_tls: Option<Arc<rustls::ClientConfig>>,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the service account key cannot be used")]
    Key(#[from] KeyError),
    #[error("the range of service addresses {0:?} is no IPv4 network in CIDR notation with room for addresses")]
    ServiceCidr(String),
    #[error("the store did not answer")]
    Store(#[from] StoreError),
    #[error("the cluster's first objects could not be written: {0}")]
    Bootstrap(String),
}

/// Tells figures in Prometheus' text format, at the moment it is called.
pub type MetricsPage = Arc<dyn Fn() -> String + Send + Sync>;

/// The API server of one cluster.
pub struct ApiServer {
    pub(crate) storage: Storage,
    pub(crate) ambient: Ambient,
    pub(crate) client_ca_pem: String,
    pub(crate) advertise: SocketAddr,
    pub(crate) kubelet_tls: Option<Arc<rustls::ClientConfig>>,
    pub(crate) tokens: TokenAuthority,
    pub(crate) anonymous: Arc<User>,
    pub(crate) rbac: Rbac,
    pub(crate) services: Services,
    pub(crate) encodings: Arc<Encodings>,
    pub(crate) indexes: Indexes,
    pub(crate) fanouts: Fanouts,
    pub(crate) limits: Limits,
    pub(crate) quota_turns: QuotaTurns,
    pub(crate) metrics: Metrics,
    more_metrics: RwLock<Vec<MetricsPage>>,
    /// Ends watches and other long answers.
    pub(crate) shutdown: CancellationToken,
    started: AtomicBool,
    hides_legacy_apis: AtomicBool,
    pub(crate) groups: LocalGroups,
    pub(crate) discovery: Documents,
}

impl ApiServer {
    /// Opens the server over the store, and writes what every cluster has from the beginning.
    pub async fn start(config: Config) -> Result<Arc<ApiServer>, StartError> {
        let storage = Storage::new(config.store);
        let shutdown = CancellationToken::new();
        let server = Arc::new(ApiServer {
            tokens: TokenAuthority::new(&config.service_account_key_pem, &config.service_account_issuer)?,
            anonymous: Arc::new(User::anonymous()),
            rbac: Rbac::open(storage.clone()).await?,
            services: Services::open(storage.clone(), &config.service_cidr, config.node_ports).await?,
            encodings: Arc::default(),
            indexes: Indexes::new(storage.clone(), config.ambient.clock, shutdown.clone()),
            fanouts: Fanouts::new(storage.clone(), shutdown.clone()),
            storage,
            ambient: config.ambient,
            client_ca_pem: config.client_ca_pem,
            advertise: config.advertise,
            kubelet_tls: config.kubelet_tls,
            limits: Limits::default(),
            quota_turns: QuotaTurns::default(),
            metrics: Metrics::default(),
            more_metrics: RwLock::default(),
            shutdown,
            started: AtomicBool::new(false),
            hides_legacy_apis: AtomicBool::new(false),
            groups: LocalGroups::default(),
            discovery: Documents::default(),
        });
        bootstrap::run(&server).await.map_err(|error| StartError::Bootstrap(error.message().to_owned()))?;
        server.started.store(true, Ordering::Release);
        Ok(server)
    }

    /// A service that answers requests of this process, made under the given identity. Feed it to
    /// `client::in_process`.
    pub fn local(self: &Arc<Self>, user: &str, groups: &[&str]) -> LocalService {
        let groups = groups.iter().map(|group| (*group).to_owned());
        LocalService::new(self.clone(), User::authenticated(user, groups))
    }

    /// Serves TLS connections until `cancel`, then ends watches, lets short requests finish and returns.
    ///
    /// `tls` offers (and does not demand) client certificates of the cluster's authority.
    pub async fn serve(
        self: &Arc<Self>,
        listener: TcpListener,
        tls: Arc<rustls::ServerConfig>,
        cancel: CancellationToken,
    ) {
        connection::serve(self.clone(), listener, tls, cancel).await;
    }

    /// Whether a node may have this address. A node that claims a loopback or link-local one would
    /// make this server speak to its own machine; only where the cluster itself lives on loopback
    /// (a test, a single process) is that what is meant.
    pub(crate) fn may_dial(&self, address: IpAddr) -> bool {
        let link_local = match address {
            IpAddr::V4(address) => address.is_link_local(),
            IpAddr::V6(address) => address.is_unicast_link_local(),
        };
        let inner = address.is_loopback() && !self.advertise.ip().is_loopback();
        !(link_local || inner || address.is_unspecified() || address.is_multicast())
    }

    /// Serves a group that another room answers, from now on.
    pub fn add_group(&self, group: LocalGroup) {
        self.groups.add(group);
    }

    /// Adds what another room of this process has to tell to the page at `/metrics`.
    pub fn add_metrics(&self, page: MetricsPage) {
        self.more_metrics.write().unwrap_or_else(PoisonError::into_inner).push(page);
    }

    /// The page at `/metrics`.
    pub(crate) fn metrics_page(&self) -> String {
        let own = self.metrics.render(self.limits.in_flight(), self.storage.revision().0);
        let more = self.more_metrics.read().unwrap_or_else(PoisonError::into_inner);
        more.iter().fold(own, |page, told| page + &told())
    }

    /// Serves no version any more that upstream has removed.
    pub fn hide_legacy_apis(&self) {
        self.hides_legacy_apis.store(true, Ordering::Relaxed);
    }

    pub(crate) fn serves_legacy_apis(&self) -> bool {
        !self.hides_legacy_apis.load(Ordering::Relaxed)
    }

    /// Whether what every cluster has from the beginning has been written.
    pub(crate) fn is_started(&self) -> bool {
        self.started.load(Ordering::Acquire)
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
