//! The cluster: real rooms, wired as the program wires them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use apiserver::ApiServer;
use client::Client;
use futures::{FutureExt, StreamExt};
use stdx::{Ambient, Random};
use store::{Change, HistoryLimits, Memory, Options, Revision, Store, WatchItem, WatchRequest};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::administrator;
use crate::condition::Condition;
use crate::kubelet::Behaviour;
use crate::node::FakeNode;
use crate::script::{NodeSize, Request};
use crate::trace::Trace;

/// How long a new cluster has to come to rest.
const SETTLING: Duration = Duration::from_secs(10);

pub(crate) struct Cluster {
    store: Arc<Memory>,
    server: Arc<ApiServer>,
    admin: Client,
    ambient: Ambient,
    cancel: CancellationToken,
    rooms: JoinSet<Result<(), String>>,
    /// Where the scenario's part of the history begins.
    settled: Revision,
    nodes: BTreeMap<String, FakeNode>,
    pub(crate) behaviour: Arc<Behaviour>,
    pub(crate) trace: Trace,
}

impl Cluster {
    pub(crate) async fn start(ambient: Ambient) -> Result<Cluster, String> {
        // The whole of it is what two runs are compared by.
        let history = HistoryLimits::unlimited();
        let store = Memory::with_options(Options { history, ..Options::default() }, ambient.clock);
        let authority = rcgen::generate_simple_self_signed([]).map_err(describe)?;
        // A sequence for each: what one draws more or less does not change what the others do.
        let [for_server, for_controllers, for_scheduler, for_nodes, for_trace] =
            [1, 2, 3, 4, 5].map(|seed| Ambient { clock: ambient.clock, random: Random::seeded(seed) });
        let server = ApiServer::start(apiserver::Config {
            store: store.clone(),
            ambient: for_server.clone(),
            service_cidr: "10.96.0.0/12".into(),
            node_ports: 30000..=32767,
            cluster_domain: "cluster.local".into(),
            client_ca_pem: authority.cert.pem(),
            service_account_key_pem: authority.signing_key.serialize_pem(),
            service_account_issuer: "https://kubernetes.default.svc.cluster.local".into(),
            advertise: SocketAddr::new(Ipv4Addr::new(192, 0, 2, 1).into(), 6443),
            kubelet_tls: None,
        })
        .await
        .map_err(describe)?;
        let cancel = CancellationToken::new();
        let admin = client::in_process(server.local("admin", &["system:masters"]));
        let mut rooms = JoinSet::new();
        let local = server.clone();
        let controllers = controllers::run(controllers::Config {
            clients: Arc::new(move |name| {
                let user = format!("system:serviceaccount:kube-system:{name}");
                let groups = ["system:serviceaccounts", "system:serviceaccounts:kube-system"];
                client::in_process(local.local(&user, &groups))
            }),
            informers: client::in_process(server.local("system:kube-controller-manager", &[])),
            ambient: for_controllers.clone(),
            cluster_ca_pem: "simulated".into(),
            pod_cidr: "10.244.0.0/16".into(),
            node_cidr_bits: 24,
            volumes_dir: "/var/lib/pintle/volumes".into(),
            signing: None,
            cancel: cancel.clone(),
        });
        let scheduler = scheduler::run(scheduler::Config {
            client: client::in_process(server.local("system:kube-scheduler", &[])),
            ambient: for_scheduler.clone(),
            cancel: cancel.clone(),
        });
        rooms.spawn(async move { controllers.await.map_err(describe) });
        rooms.spawn(async move { scheduler.await.map_err(describe) });

        // A scenario begins on a cluster at rest: controllers that wait for the same cache are woken
        // in no certain order, so what they do first has none either.
        ambient.clock.sleep(SETTLING).await;
        for settled in [&for_server, &for_controllers, &for_scheduler] {
            skip_to_landmark(&settled.random);
        }
        let settled = store.revision();
        let trace = Trace::start(admin.clone(), store.clone(), &for_trace, cancel.clone()).await;
        Ok(Cluster {
            store,
            server,
            admin,
            ambient: for_nodes,
            cancel,
            rooms,
            settled,
            nodes: BTreeMap::new(),
            behaviour: Arc::default(),
            trace,
        })
    }

    pub(crate) fn add_node(&mut self, name: &str, size: &NodeSize) {
        let client = client::in_process(self.server.local(&format!("system:node:{name}"), &["system:nodes"]));
        let host = Ipv4Addr::new(192, 0, 2, 10 + self.nodes.len() as u8);
        let node = FakeNode::new(name, host, size.clone(), client, self.behaviour.clone(), &self.ambient, &self.trace);
        self.nodes.entry(name.to_owned()).or_insert(node).start();
    }

    pub(crate) fn kill_node(&mut self, name: &str) -> Result<(), String> {
        self.node(name)?.kill();
        Ok(())
    }

    pub(crate) fn revive_node(&mut self, name: &str) -> Result<(), String> {
        self.node(name)?.start();
        Ok(())
    }

    /// Waits; a room that ends meanwhile ends the wait too.
    pub(crate) async fn wait_for(&mut self, condition: &Condition, within: Duration) -> Result<(), String> {
        let informers = self.trace.informers();
        let met = async {
            let mut changes = informers.changes();
            while !condition.holds(informers) {
                let next = changes.iter_mut().map(|changed| Box::pin(changed.changed()));
                let (changed, _, _) = futures::future::select_all(next).await;
                changed.expect("the informers outlive this wait, and with them the senders");
            }
        };
        tokio::select! {
            biased;
            met = tokio::time::timeout(within, met) => met.map_err(|_| format!("not within {within:?}")),
            Some(ended) = self.rooms.join_next() => match ended.map_err(describe)? {
                Ok(()) => Err("a room ended before it was told to".into()),
                Err(reason) => Err(reason),
            },
        }
    }

    pub(crate) async fn send(&self, request: &Request) -> Result<(), String> {
        administrator::send(&self.admin, request).await
    }

    /// Ends everything, and tells what the store has seen of the scenario. An error when a room has
    /// ended by itself.
    pub(crate) async fn stop(mut self) -> Result<Vec<String>, String> {
        for node in self.nodes.values_mut() {
            node.kill();
        }
        self.cancel.cancel();
        while let Some(ended) = self.rooms.join_next().await {
            ended.map_err(describe)??;
        }
        history(&*self.store, self.settled)
    }

    fn node(&mut self, name: &str) -> Result<&mut FakeNode, String> {
        self.nodes.get_mut(name).ok_or_else(|| format!("there is no node {name}"))
    }
}

/// Goes on to the next of a sequence's few landmarks, so that some draws more or less while the
/// cluster started change nothing of what follows.
fn skip_to_landmark(random: &Random) {
    const DISTANCE: u64 = 1 << 16;
    while !random.next_u64().is_multiple_of(DISTANCE) {}
}

fn describe(error: impl std::error::Error) -> String {
    stdx::error::chain(&error)
}

/// Every change after a revision.
fn history(store: &dyn Store, after: Revision) -> Result<Vec<String>, String> {
    let mut watch = store.watch(WatchRequest { after, ..WatchRequest::default() }).map_err(describe)?;
    let items = std::iter::from_fn(|| tokio::task::unconstrained(watch.next()).now_or_never().flatten());
    let changes = items.map_while(|item| match item {
        Ok(WatchItem::Event(event)) => Some(match &event.change {
            Change::Put(entry) => {
                format!("{} {} {}", event.revision.0, entry.key, String::from_utf8_lossy(&entry.value))
            }
            Change::Delete { key } => format!("{} {key} deleted", event.revision.0),
        }),
        _ => None,
    });
    Ok(changes.collect())
}
