//! The cluster: real rooms, wired as the program wires them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use apiserver::{ApiServer, LocalService};
use client::Client;
use futures::{FutureExt, StreamExt};
use stdx::{Ambient, Random};
use store::{Change, HistoryLimits, Memory, Options, Revision, Store, StoreError, WatchItem, WatchRequest};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::administrator;
use crate::condition::Condition;
use crate::kubelet::Behaviour;
use crate::network::Network;
use crate::node::FakeNode;
use crate::script::{NodeSize, Request, Trouble};
use crate::trace::Trace;
use crate::usage::Load;

/// How long a new cluster has to come to rest.
const SETTLING: Duration = Duration::from_secs(10);
/// How long a room that a script kills stays dead.
const REVIVAL: Duration = Duration::from_secs(1);

/// The server that there is at the moment; clones share it.
#[derive(Clone)]
struct Front(Arc<Mutex<Arc<ApiServer>>>);

impl Front {
    fn local(&self, user: &str, groups: &[&str]) -> LocalService {
        self.lock().local(user, groups)
    }

    fn set(&self, server: Arc<ApiServer>) {
        *self.lock() = server;
    }

    fn lock(&self) -> MutexGuard<'_, Arc<ApiServer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What every server of the cluster is started with.
struct Keys {
    client_ca_pem: String,
    service_account_key_pem: String,
    ambient: Ambient,
}

async fn start_server(store: Arc<Memory>, keys: &Keys) -> Result<Arc<ApiServer>, String> {
    let config = apiserver::Config {
        store,
        ambient: keys.ambient.clone(),
        service_cidr: "10.96.0.0/12".into(),
        node_ports: 30000..=32767,
        cluster_domain: "cluster.local".into(),
        client_ca_pem: keys.client_ca_pem.clone(),
        service_account_key_pem: keys.service_account_key_pem.clone(),
        service_account_issuer: "https://kubernetes.default.svc.cluster.local".into(),
        advertise: SocketAddr::new(Ipv4Addr::new(192, 0, 2, 1).into(), 6443),
        kubelet_tls: None,
    };
    ApiServer::start(config).await.map_err(describe)
}

pub(crate) struct Cluster {
    store: Arc<Memory>,
    keys: Keys,
    server: Front,
    admin: Client,
    /// Of the nodes.
    ambient: Ambient,
    for_controllers: Ambient,
    for_scheduler: Ambient,
    cancel: CancellationToken,
    rooms: JoinSet<Result<(), String>>,
    instances: BTreeMap<String, CancellationToken>,
    started: usize,
    /// What kills a room at a write to come.
    fuses: Vec<(Room, CancellationToken)>,
    /// Where the scenario's part of the history begins.
    settled: Revision,
    nodes: BTreeMap<String, FakeNode>,
    pub(crate) network: Network,
    pub(crate) behaviour: Arc<Behaviour>,
    pub(crate) load: Load,
    pub(crate) trace: Trace,
}

/// A room that can die and be started anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    Controllers,
    Scheduler,
}

impl Room {
    fn as_str(self) -> &'static str {
        match self {
            Room::Controllers => "controllers",
            Room::Scheduler => "scheduler",
        }
    }
}

impl Cluster {
    /// What chance decides follows the seed.
    pub(crate) async fn start(ambient: Ambient, seed: u64) -> Result<Cluster, String> {
        // The whole of it is what two runs are compared by.
        let history = HistoryLimits::unlimited();
        let store = Memory::with_options(Options { history, ..Options::default() }, ambient.clock);
        let authority = rcgen::generate_simple_self_signed([]).map_err(describe)?;
        // A sequence for each: what one draws more or less does not change what the others do.
        let [for_server, for_controllers, for_scheduler, for_nodes, for_trace, for_network] = [1, 2, 3, 4, 5, 6]
            .map(|number| Ambient { clock: ambient.clock, random: Random::seeded(seed.wrapping_mul(8) + number) });
        let keys = Keys {
            client_ca_pem: authority.cert.pem(),
            service_account_key_pem: authority.signing_key.serialize_pem(),
            ambient: for_server,
        };
        let server = start_server(store.clone(), &keys).await?;
        let cancel = CancellationToken::new();
        let admin = client::in_process(server.local("admin", &["system:masters"]));
        let network = Network::new(for_network.random);
        let trace = Trace::start(admin.clone(), store.clone(), &for_trace, cancel.clone()).await;
        let load = Load::default();
        server.add_group(load.group(trace.informers().pods.clone(), ambient.clock));
        let mut cluster = Cluster {
            store,
            keys,
            server: Front(Arc::new(Mutex::new(server))),
            admin,
            ambient: for_nodes,
            for_controllers,
            for_scheduler,
            cancel,
            rooms: JoinSet::new(),
            instances: BTreeMap::new(),
            started: 0,
            fuses: Vec::new(),
            settled: Revision::default(),
            nodes: BTreeMap::new(),
            network,
            behaviour: Arc::default(),
            load,
            trace,
        };
        cluster.start_room(Room::Controllers);
        cluster.start_room(Room::Scheduler);
        // A scenario begins on a cluster at rest.
        ambient.clock.sleep(SETTLING).await;
        cluster.settled = cluster.store.revision();
        cluster.trace.begin();
        Ok(cluster)
    }

    pub(crate) fn store(&self) -> Arc<Memory> {
        self.store.clone()
    }

    pub(crate) fn admin(&self) -> &Client {
        &self.admin
    }

    /// Starts one more instance of a room, beside those that run; gives its name.
    pub(crate) fn start_room(&mut self, room: Room) -> String {
        self.started += 1;
        let name = format!("{}-{}", room.as_str(), self.started);
        let cancel = self.cancel.child_token();
        let told = cancel.clone();
        match room {
            Room::Controllers => {
                let work = controllers::run(self.controllers(&name, cancel.clone()));
                self.rooms.spawn(async move { ended(work.await.map_err(describe), &told) });
            }
            Room::Scheduler => {
                let server = self.server.clone();
                let client = self.network.client(move || server.local("system:kube-scheduler", &[]), &name);
                let ambient = self.for_scheduler.clone();
                let work = scheduler::run(scheduler::Config { client, ambient, cancel: cancel.clone() });
                self.rooms.spawn(async move { ended(work.await.map_err(describe), &told) });
            }
        }
        self.instances.insert(name.clone(), cancel);
        name
    }

    /// Ends all instances of a room at once, in the middle of what they do.
    pub(crate) fn kill_room(&mut self, room: Room) {
        for name in self.running(room) {
            self.kill_instance(&name);
        }
    }

    pub(crate) fn kill_instance(&mut self, name: &str) {
        if let Some(cancel) = self.instances.remove(name) {
            self.network.kill(name);
            cancel.cancel();
        }
    }

    /// The instances of a room, by name.
    pub(crate) fn running(&self, room: Room) -> Vec<String> {
        self.instances.keys().filter(|name| name.starts_with(room.as_str())).cloned().collect()
    }

    fn controllers(&self, instance: &str, cancel: CancellationToken) -> controllers::Config {
        let (server, network, instance) = (self.server.clone(), self.network.clone(), instance.to_owned());
        let informers = network.client(
            {
                let server = server.clone();
                move || server.local("system:kube-controller-manager", &[])
            },
            &instance,
        );
        controllers::Config {
            clients: Arc::new(move |name| {
                let (server, user) = (server.clone(), format!("system:serviceaccount:kube-system:{name}"));
                let groups = ["system:serviceaccounts", "system:serviceaccounts:kube-system"];
                network.client(move || server.local(&user, &groups), &instance)
            }),
            informers,
            ambient: self.for_controllers.clone(),
            cluster_ca_pem: "simulated".into(),
            pod_cidr: "10.244.0.0/16".into(),
            node_cidr_bits: 24,
            volumes_dir: "/var/lib/pintle/volumes".into(),
            signing: None,
            cancel,
        }
    }

    pub(crate) fn add_node(&mut self, name: &str, size: &NodeSize) {
        let (server, user) = (self.server.clone(), format!("system:node:{name}"));
        let client = self.network.client(move || server.local(&user, &["system:nodes"]), name);
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
        let informers = self.trace.informers().clone();
        let met = async {
            let mut changes = informers.changes();
            while !condition.holds(&informers) {
                let next = changes.iter_mut().map(|changed| Box::pin(changed.changed()));
                let (changed, _, _) = futures::future::select_all(next).await;
                changed.expect("the informers outlive this wait, and with them the senders");
            }
        };
        let met = tokio::time::timeout(within, met);
        self.meanwhile(met).await?.map_err(|_| format!("not within {within:?}"))
    }

    /// Lets time pass.
    pub(crate) async fn pass_until(&mut self, moment: Instant) -> Result<(), String> {
        self.meanwhile(tokio::time::sleep_until(moment)).await
    }

    /// Waits; rooms that are killed meanwhile are started again, one that ends by itself is an error.
    async fn meanwhile<T>(&mut self, awaited: impl Future<Output = T>) -> Result<T, String> {
        let mut awaited = std::pin::pin!(awaited);
        loop {
            tokio::select! {
                biased;
                result = &mut awaited => return Ok(result),
                Some(ended) = self.rooms.join_next() => ended.map_err(describe)??,
                room = death(&self.fuses) => {
                    self.trace.note(&format!("! {} died", room.as_str()));
                    self.fuses.clear();
                    self.kill_room(room);
                    tokio::time::sleep(REVIVAL).await;
                    self.start_room(room);
                }
            }
        }
    }

    pub(crate) async fn send(&self, request: &Request) -> Result<(), String> {
        administrator::send(&self.admin, request).await
    }

    pub(crate) async fn drain(&self, node: &str) -> Result<(), String> {
        administrator::drain(&self.admin, node).await
    }

    /// Puts a new server in the place of the one that is away. What watched the old one beside the components, the
    /// administrator and the trace, goes on with that: to them there are two over one store.
    pub(crate) async fn replace_server(&mut self) -> Result<(), String> {
        let server = start_server(self.store.clone(), &self.keys).await?;
        server.add_group(self.load.group(self.trace.informers().pods.clone(), self.ambient.clock));
        self.server.set(server);
        self.network.set_down(false);
        Ok(())
    }

    pub(crate) async fn trouble(&mut self, trouble: Trouble) -> Result<(), String> {
        match trouble {
            Trouble::Restart(room) => {
                self.kill_room(room);
                self.start_room(room);
            }
            Trouble::KillAtWrite(room, number) => {
                for instance in self.running(room) {
                    self.fuses.push((room, self.network.kill_at_write(&instance, number.saturating_sub(1))));
                }
            }
            Trouble::SecondLeader(time) => {
                let first = self.running(Room::Controllers);
                self.start_room(Room::Controllers);
                tokio::time::sleep(time).await;
                first.iter().for_each(|instance| self.kill_instance(instance));
            }
            Trouble::CutWatches => self.instances.keys().for_each(|instance| self.network.cut(instance)),
            Trouble::Compact => {
                let newest = self.store.revision();
                self.store.compact(newest).await.map_err(describe)?;
            }
            Trouble::JumpClock(milliseconds) => self.ambient.clock.jump(milliseconds),
        }
        Ok(())
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

/// The room that dies first; none may for ever.
async fn death(fuses: &[(Room, CancellationToken)]) -> Room {
    if fuses.is_empty() {
        std::future::pending::<()>().await;
    }
    let burnt = fuses.iter().map(|(_, burnt)| Box::pin(burnt.cancelled()));
    let (_, index, _) = futures::future::select_all(burnt).await;
    fuses[index].0
}

/// How a room ended that was to work until it was told otherwise.
fn ended(result: Result<(), String>, told: &CancellationToken) -> Result<(), String> {
    if told.is_cancelled() { result } else { result.and(Err("a room ended before it was told to".into())) }
}

fn describe(error: impl std::error::Error) -> String {
    stdx::error::chain(&error)
}

/// Every change after a revision that history still knows.
fn history(store: &dyn Store, after: Revision) -> Result<Vec<String>, String> {
    let from = |after| store.watch(WatchRequest { after, ..WatchRequest::default() });
    let mut watch = match from(after) {
        // Whoever has history dropped does without it.
        Err(StoreError::Compacted { oldest, .. }) => from(Revision(oldest)).map_err(describe)?,
        watch => watch.map_err(describe)?,
    };
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
