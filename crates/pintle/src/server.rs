//! The wiring: every room, started in the order in which they need each other, in one process.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use anyhow::Context;
use api::NamespacedName;
use apiserver::{ApiServer, LocalGroup, LocalRequest, LocalResource};
use client::Client;
use cluster::pki::{self, Authority, Subject};
use cluster::process::{RunLock, ServerInfo};
use cluster::progress::{Report, Step};
use cluster::settings::DNS_PORT;
use cluster::{Choices, Settings, StoreLocation};
use metrics::{Metrics, Sink};
use reconcile::{Election, lead};
use stdx::Ambient;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::commands::VERSION;
use crate::{ready, runtime, state};

/// Two workers serve a small machine; more would only cost memory until something is slow.
const WORKER_THREADS: usize = 2;

pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(WORKER_THREADS).thread_name("pintle").enable_all().build().context("cannot start threads")
}

/// Runs the cluster until it is told to stop or a room fails. Pods go on living either way.
pub(crate) async fn run(settings: Settings, reports: mpsc::Sender<Report>) -> anyhow::Result<()> {
    let _lock = RunLock::acquire(&settings.run_dir)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let cancel = CancellationToken::new();
    let mut rooms = JoinSet::new();
    let outcome = tokio::select! {
        outcome = async {
            start(&settings, reports, &cancel, &mut rooms).await?;
            // A room ends only by failing, until it is cancelled.
            match rooms.join_next().await {
                Some(ended) => ended?,
                None => Ok(()),
            }
        } => outcome,
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    };
    tracing::info!("stopping");
    cancel.cancel();
    while let Some(ended) = rooms.join_next().await {
        if let Err(error) = ended? {
            tracing::warn!("{}", stdx::error::chain(error.as_ref()));
        }
    }
    outcome
}

pub(crate) type Rooms = JoinSet<anyhow::Result<()>>;

async fn start(
    settings: &Settings,
    reports: mpsc::Sender<Report>,
    cancel: &CancellationToken,
    rooms: &mut Rooms,
) -> anyhow::Result<()> {
    let ambient = Ambient::system();
    let report = async |step| {
        tracing::info!(?step, "done");
        // `up` may have left; the cluster starts all the same.
        drop(reports.send(Report::Done { step }).await);
    };

    // Sockets first: a port taken since the checks ends the start before anything is made.
    let api_listener = listen(settings.api_port).await?;
    let kubelet_listener = listen(settings.kubelet_port).await?;

    let node_name = cluster::node::name().context("cannot tell this machine's host name")?;
    let node_ip = cluster::node::address().map_or_else(|| settings.first_gateway(), Ok)?;
    let mut info = ServerInfo {
        pid: std::process::id(),
        version: VERSION.into(),
        is_serving: false,
        is_ready: false,
        node_name: node_name.clone(),
        node_address: node_ip,
        settings: settings.clone(),
    };
    info.write()?;

    let certificates = Certificates::issue(settings, &node_name, node_ip, &ambient)?;
    report(Step::Certificates).await;

    let store = state::open(settings, &ambient).await?;
    let dns_ip = settings.dns_service_ip()?;
    let api = ApiServer::start(apiserver::Config {
        store,
        ambient: ambient.clone(),
        service_cidr: settings.service_cidr.clone(),
        node_ports: 30000..=32767,
        cluster_domain: settings.cluster_domain.clone(),
        client_ca_pem: certificates.authority.certificate_pem().to_owned(),
        service_account_key_pem: pki::service_account_key(&settings.pki_dir())?,
        service_account_issuer: format!("https://kubernetes.default.svc.{}", settings.cluster_domain),
        advertise: SocketAddr::new(node_ip, settings.api_port),
        kubelet_tls: Some(certificates.kubelet_client_tls),
    })
    .await?;
    if !settings.legacy_apis {
        api.hide_legacy_apis();
    }
    rooms.spawn({
        let (api, cancel) = (api.clone(), cancel.clone());
        async move {
            api.serve(api_listener, certificates.api_tls, cancel).await;
            Ok(())
        }
    });
    info.is_serving = true;
    info.write()?;
    report(Step::Api).await;

    let local = {
        let api = api.clone();
        move |user: &str, groups: &[&str]| client::in_process(api.local(user, groups))
    };

    let node = runtime::open(settings, &ambient, cancel, rooms).await?;
    // Nothing that a start could be refused for comes after.
    Choices::remember(settings)?;
    let bridge = node.bridge;

    let volumes_dir = settings.data_dir.join("volumes").to_string_lossy().into_owned();
    let controller_clients: Arc<dyn Fn(&str) -> Client + Send + Sync> = {
        let local = local.clone();
        Arc::new(move |name| {
            let user = format!("system:serviceaccount:kube-system:{name}");
            local(&user, &["system:serviceaccounts", "system:serviceaccounts:kube-system"])
        })
    };
    // Several servers may share an etcd; the folder has one.
    let is_shared = matches!(settings.store, StoreLocation::Etcd(_));
    let standings = reconcile::Standings::default();
    let election = |user: &str, lease: &str| {
        is_shared.then(|| Election {
            client: local(user, &[]),
            lease: NamespacedName::new("kube-system", lease),
            identity: format!("{node_name}_{}", std::process::id()),
            ambient: ambient.clone(),
            standings: standings.clone(),
            cancel: cancel.clone(),
        })
    };
    let controllers = controllers::Config {
        clients: controller_clients,
        informers: local("system:kube-controller-manager", &[]),
        ambient: ambient.clone(),
        cluster_ca_pem: certificates.authority.certificate_pem().to_owned(),
        pod_cidr: settings.pod_cidr.clone(),
        node_cidr_bits: settings.node_cidr_bits,
        volumes_dir: volumes_dir.clone(),
        signing: Some(controllers::Signing {
            certificate_pem: certificates.authority.certificate_pem().to_owned(),
            key_pem: certificates.authority.key_pem(),
        }),
        cancel: cancel.clone(),
    };
    let (controller_metrics, scheduler_metrics) = (controllers::Metrics::default(), scheduler::Metrics::default());
    let (proxy_metrics, dns_metrics) = (proxy::Metrics::default(), dns::Metrics::default());
    api.add_metrics({
        let (controllers, scheduler) = (controller_metrics.clone(), scheduler_metrics.clone());
        let (proxy, dns, standings) = (proxy_metrics.clone(), dns_metrics.clone(), standings.clone());
        Arc::new(move || [controllers.page(), dns.page(), proxy.page(), scheduler.page(), standings.page()].concat())
    });
    spawn(
        rooms,
        "controllers",
        leading(election("system:kube-controller-manager", "kube-controller-manager"), cancel.clone(), move |cancel| {
            controllers::run_telling(controllers::Config { cancel, ..controllers.clone() }, controller_metrics.clone())
        }),
    );
    let sinks: Result<Vec<Sink>, _> = settings.metrics_sinks.iter().map(|sink| Sink::parse(sink)).collect();
    let sinks = sinks?;
    rooms.spawn({
        let account = "system:serviceaccount:kube-system:metrics-server";
        let config = metrics::Config {
            client: local(account, &["system:serviceaccounts", "system:serviceaccounts:kube-system"]),
            resolution: metrics::RESOLUTION,
            sinks,
            history_dir: settings.history_dir(),
            ambient: ambient.clone(),
            cancel: cancel.clone(),
        };
        let metrics = metrics::Metrics::new(&config);
        for group in metrics::GROUPS {
            api.add_group(metrics_group(*group, metrics.clone()));
        }
        api.add_group(model_paths(metrics.clone()));
        async move {
            metrics::run(config, metrics).await;
            Ok(())
        }
    });
    rooms.spawn({
        let account = "system:serviceaccount:kube-system:local-volume-provisioner";
        let config = controllers::provisioner::agent::Config {
            client: local(account, &["system:serviceaccounts", "system:serviceaccounts:kube-system"]),
            node_name: node_name.clone(),
            folder: volumes_dir.into(),
            ambient: ambient.clone(),
            cancel: cancel.clone(),
        };
        async move {
            controllers::provisioner::agent::run(config).await;
            Ok(())
        }
    });
    spawn(
        rooms,
        "scheduler",
        leading(election("system:kube-scheduler", "kube-scheduler"), cancel.clone(), {
            let (client, ambient) = (local("system:kube-scheduler", &[]), ambient.clone());
            move |cancel| {
                let config = scheduler::Config { client: client.clone(), ambient: ambient.clone(), cancel };
                scheduler::run_telling(config, scheduler_metrics.clone())
            }
        }),
    );
    spawn(
        rooms,
        "kubelet",
        kubelet::run(kubelet::Config {
            node_name: node_name.clone(),
            node_ip,
            client: local(&format!("system:node:{node_name}"), &["system:nodes"]),
            runtime: node.runtime,
            images: node.images,
            root_dir: settings.kubelet_dir(),
            pod_log_dir: settings.pod_log_dir(),
            static_pod_dir: settings.data_dir.join("manifests"),
            cgroup_root: settings.cgroup_root(),
            cluster_dns: dns_ip,
            cluster_domain: settings.cluster_domain.clone(),
            api_server_ca_pem: certificates.authority.certificate_pem().to_owned(),
            listener: kubelet_listener,
            tls: certificates.kubelet_tls,
            ambient: ambient.clone(),
            cancel: cancel.clone(),
        }),
    );
    spawn(
        rooms,
        "proxy",
        proxy::run_telling(
            proxy::Config {
                client: local("system:kube-proxy", &[]),
                node_name: node_name.clone(),
                table: settings.name.clone(),
                ambient: ambient.clone(),
                cancel: cancel.clone(),
            },
            tokio::sync::watch::Sender::new(false),
            proxy_metrics,
        ),
    );
    rooms.spawn({
        let (bridge, cancel, ambient, node_name) = (bridge.clone(), cancel.clone(), ambient.clone(), node_name.clone());
        let client = local("system:serviceaccount:kube-system:coredns", &["system:serviceaccounts"]);
        let (domain, service_cidr) = (settings.cluster_domain.clone(), settings.service_cidr.clone());
        async move {
            // On another's pod network there is no address of ours but the node's.
            let listen = match &bridge {
                Some(bridge) => tokio::select! {
                    listen = bridge.gateway() => listen,
                    () = cancel.cancelled() => return Ok(()),
                },
                None => node_ip,
            };
            if let Some(bridge) = &bridge {
                bridge.route_services(&service_cidr).await.context("services")?;
            }
            let config = dns::Config {
                client,
                listen,
                port: DNS_PORT,
                domain,
                cluster_dns: dns_ip,
                node_name,
                upstreams: ready::machine_resolvers(),
                ambient,
                ready: None,
                cancel,
            };
            dns::run_telling(config, dns_metrics).await.context("dns")
        }
    });

    let observer = local("system:pintle", &["system:masters"]);
    tokio::select! {
        // A room that fails before all is ready fails the start, with its own reason.
        Some(ended) = rooms.join_next() => return ended?,
        outcome = async {
            // A node found again still says what it said before its server ended; its network does not.
            if let Some(bridge) = &bridge {
                bridge.gateway().await;
            }
            ready::node(&observer, &node_name, &ambient).await;
            ready::service_account(&observer, &ambient).await;
            report(Step::Node).await;
            ready::dns(dns_ip, &settings.cluster_domain).await?;
            report(Step::Dns).await;
            anyhow::Ok(())
        } => outcome?,
    }
    info.is_ready = true;
    info.write()?;
    drop(reports.send(Report::Ready).await);
    Ok(())
}

fn spawn<E>(rooms: &mut Rooms, name: &'static str, room: impl Future<Output = Result<(), E>> + Send + 'static)
where
    E: std::error::Error + Send + Sync + 'static,
{
    rooms.spawn(async move { room.await.context(name) });
}

/// Runs a room now, or, where several servers stand for election, whenever this one leads.
async fn leading<E, F>(
    election: Option<Election>,
    cancel: CancellationToken,
    room: impl Fn(CancellationToken) -> F,
) -> Result<(), E>
where
    F: Future<Output = Result<(), E>>,
{
    match election {
        Some(election) => lead(election, room).await.unwrap_or(Ok(())),
        None => room(cancel).await,
    }
}

/// How the API server asks for what nodes and pods use and tell.
fn metrics_group(group: metrics::Group, metrics: Metrics) -> LocalGroup {
    let resource = |of: metrics::ResourceInfo| LocalResource {
        name: of.name,
        kind: of.kind,
        is_namespaced: of.is_namespaced,
        verbs: of.verbs,
    };
    let told = metrics.clone();
    LocalGroup {
        name: group.name,
        versions: group.versions,
        resources: Arc::new(move || told.resources(group.name).into_iter().map(resource).collect()),
        answer: Arc::new(move |request| {
            let metrics = metrics.clone();
            Box::pin(async move {
                let LocalRequest { version, resource, namespace, name, subresource, path: _, query } = request;
                let request = metrics::Request { version, resource, namespace, name, subresource, query };
                metrics.answer(group.name, &request).await
            })
        }),
    }
}

/// Heapster's model, below a path of the core group.
fn model_paths(metrics: Metrics) -> LocalGroup {
    LocalGroup {
        name: "",
        versions: &["v1"],
        resources: Arc::new(Vec::new),
        answer: Arc::new(move |LocalRequest { path, query, .. }| {
            let answer = path.strip_prefix(metrics::MODEL_PATH).and_then(|path| metrics.model(path, &query));
            Box::pin(async move { answer })
        }),
    }
}

async fn listen(port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::from(([0, 0, 0, 0], port));
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// What the components prove themselves with; made at every start.
struct Certificates {
    authority: Authority,
    api_tls: Arc<rustls::ServerConfig>,
    kubelet_tls: Arc<rustls::ServerConfig>,
    kubelet_client_tls: Arc<rustls::ClientConfig>,
}

impl Certificates {
    fn issue(settings: &Settings, node_name: &str, node_ip: IpAddr, ambient: &Ambient) -> anyhow::Result<Self> {
        let authority = Authority::open(&settings.pki_dir(), ambient.clock.now())?;
        let service = "kubernetes.default.svc";
        let names = ["kubernetes", "kubernetes.default", service, "localhost", node_name].map(str::to_owned);
        let names = [&names[..], &[format!("{service}.{}", settings.cluster_domain)]].concat();
        let addresses = [IpAddr::from([127, 0, 0, 1]), node_ip, settings.api_service_ip()?];
        let api = authority.issue_server("kube-apiserver", &names, &addresses)?;
        let node = format!("system:node:{node_name}");
        let kubelet = authority.issue_server(&node, &[node_name.to_owned()], &[node_ip])?;
        let subject = Subject { user: "kube-apiserver-kubelet-client", groups: &[] };
        let kubelet_client = authority.issue_client(subject, pki::COMPONENT_YEARS)?;
        Ok(Certificates {
            api_tls: authority.server_tls(&api)?,
            kubelet_tls: authority.server_tls(&kubelet)?,
            kubelet_client_tls: authority.client_tls(&kubelet_client)?,
            authority,
        })
    }
}
