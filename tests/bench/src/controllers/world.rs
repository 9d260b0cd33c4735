//! The cluster, and what its store saw.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use apiserver::ApiServer;
use client::Client;
use cluster::pki;
use futures::StreamExt;
use stdx::Ambient;
use store::{Embedded, Store, WatchItem, WatchRequest};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::kubelet::{Kubelet, node_name};
use super::ledger::Ledger;
use crate::api::server::authority;

/// How long anything that is waited for may take.
const PATIENCE: Duration = Duration::from_secs(150);

pub(super) struct World {
    pub(super) admin: Client,
    store: Arc<Embedded>,
    ledger: watch::Receiver<Ledger>,
    /// Moves with every write that is not a lease's.
    work: watch::Receiver<u64>,
    cancel: CancellationToken,
    rooms: JoinSet<anyhow::Result<()>>,
}

impl World {
    pub(super) async fn start(folder: &Path, nodes: usize) -> anyhow::Result<World> {
        std::fs::create_dir_all(folder)?;
        let (ambient, cancel) = (Ambient::system(), CancellationToken::new());
        let store = Embedded::open(&folder.join("store"), store::Options::default(), ambient.clone())?;
        let authority = authority(folder)?;
        let server = ApiServer::start(apiserver::Config {
            store: store.clone(),
            ambient: ambient.clone(),
            service_cidr: "10.96.0.0/12".to_owned(),
            node_ports: 30000..=32767,
            cluster_domain: "cluster.local".to_owned(),
            client_ca_pem: authority.certificate_pem().to_owned(),
            service_account_key_pem: pki::service_account_key(&folder.join("pki"))?,
            service_account_issuer: "https://kubernetes.default.svc.cluster.local".to_owned(),
            advertise: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 6443),
            kubelet_tls: None,
        })
        .await?;
        let (rooms, ledger, work) = (JoinSet::new(), watch::channel(Ledger::default()), watch::channel(0));
        let admin = client::in_process(server.local("admin", &["system:masters"]));
        let mut world = World { admin, store, ledger: ledger.1, work: work.1, cancel, rooms };
        world.rooms.spawn(keep_books(world.store.clone(), ledger.0, work.0, world.cancel.clone()));
        world.start_rooms(&server, &ambient);
        for index in 0..nodes {
            let client =
                client::in_process(server.local(&format!("system:node:{}", node_name(index)), &["system:nodes"]));
            let kubelet = Kubelet { index, client, ambient: ambient.clone(), cancel: world.cancel.clone() };
            world.rooms.spawn(kubelet.run());
        }
        // Pods can be made once the namespace has its account.
        world.until("the default service account", |ledger| ledger.live("serviceaccounts") > 3).await?;
        Ok(world)
    }

    fn start_rooms(&mut self, server: &Arc<ApiServer>, ambient: &Ambient) {
        let local = server.clone();
        let controllers = controllers::run(controllers::Config {
            clients: Arc::new(move |name| {
                let user = format!("system:serviceaccount:kube-system:{name}");
                let groups = ["system:serviceaccounts", "system:serviceaccounts:kube-system"];
                client::in_process(local.local(&user, &groups))
            }),
            informers: client::in_process(server.local("system:kube-controller-manager", &[])),
            ambient: ambient.clone(),
            cluster_ca_pem: "measured".to_owned(),
            pod_cidr: "10.0.0.0/8".to_owned(),
            node_cidr_bits: 24,
            volumes_dir: "/var/lib/pintle/volumes".to_owned(),
            signing: None,
            cancel: self.cancel.clone(),
        });
        let scheduler = scheduler::run(scheduler::Config {
            client: client::in_process(server.local("system:kube-scheduler", &[])),
            ambient: ambient.clone(),
            cancel: self.cancel.clone(),
        });
        self.rooms.spawn(async move { Ok(controllers.await?) });
        self.rooms.spawn(async move { Ok(scheduler.await?) });
    }

    pub(super) fn ledger(&self) -> Ledger {
        self.ledger.borrow().clone()
    }

    pub(super) async fn until(&self, what: &str, condition: impl Fn(&Ledger) -> bool) -> anyhow::Result<()> {
        let mut ledger = self.ledger.clone();
        let met = tokio::time::timeout(PATIENCE, ledger.wait_for(condition)).await;
        match met {
            Ok(met) => met.map(drop).context("a part of the cluster ended"),
            Err(_) => bail!("waited {} s for {what}; the store saw {:?}", PATIENCE.as_secs(), self.ledger()),
        }
    }

    /// Waits until nothing but leases was written for as long.
    pub(super) async fn quiet(&self, period: Duration) -> anyhow::Result<()> {
        let mut work = self.work.clone();
        let rest = async { while tokio::time::timeout(period, work.changed()).await.is_ok() {} };
        let at_rest = tokio::time::timeout(PATIENCE, rest).await;
        at_rest.with_context(|| format!("the cluster finds no rest: {:?}", self.ledger()))
    }

    pub(super) async fn end(mut self) -> anyhow::Result<()> {
        self.cancel.cancel();
        while let Some(ended) = self.rooms.join_next().await {
            ended??;
        }
        self.store.close();
        Ok(())
    }
}

async fn keep_books(
    store: Arc<Embedded>,
    ledger: watch::Sender<Ledger>,
    work: watch::Sender<u64>,
    cancel: CancellationToken,
) -> anyhow::Result<()> {
    let mut items = store.watch(WatchRequest { prefix: "/registry/".to_owned(), ..WatchRequest::default() })?;
    loop {
        let item = tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            item = items.next() => item.context("the store closed")??,
        };
        if let WatchItem::Event(event) = item {
            let mut is_work = false;
            ledger.send_modify(|ledger| is_work = ledger.note(&event));
            if is_work {
                work.send_modify(|count| *count += 1);
            }
        }
    }
}
