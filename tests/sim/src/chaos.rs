//! A cluster to which everything happens that may: a seed stands for random objects that are declared, changed
//! and deleted, while processes die, nodes fall silent, connections break and the server is moody. When that is
//! over and some time has passed, the world must be as it was declared; some laws hold at every write.
//!
//! The same seed gives the same trace, byte for byte.

mod laws;
mod observer;
mod oracle;
mod plan;
mod specs;

use std::time::Duration;

use client::Client;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use stdx::{Ambient, Random};
use store::{Revision, Store};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Failure;
use crate::cluster::{Cluster, Room};
use crate::kubelet::Exits;
use crate::network::Weather;
use crate::object::{Object, all};
use crate::script::NodeSize;
use laws::Laws;
use observer::Observer;
use plan::{Act, Deed, NAMESPACES, NODES, Plan, TROUBLE};

/// After that the world must be at rest: beyond every back-off and toleration that the trouble can have caused.
const QUIET: Duration = Duration::from_secs(2400);
/// How often it is looked at meanwhile.
const GLANCE: Duration = Duration::from_secs(60);
/// Then nothing but signs of life is written for so long.
const IDLE: Duration = Duration::from_secs(900);
/// How long a dead component stays dead.
const RESTART: Duration = Duration::from_millis(700);

/// What became of a seed.
#[derive(Debug)]
pub struct Outcome {
    pub trace: Vec<String>,
    /// Laws that were broken, and what was not as declared in the end.
    pub findings: Vec<String>,
    /// What the store remembers of the changes it saw, whole: what two runs must agree on, names and all.
    pub history: Vec<String>,
}

/// Runs a seed to its end.
pub fn run(seed: u64) -> Result<Outcome, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| Failure::Start(error.to_string()))?;
    runtime.block_on(async {
        let plan = plan::plan(seed);
        let ambient = Ambient::simulated(seed);
        let cluster = Cluster::start(ambient.clone(), seed).await.map_err(Failure::Start)?;
        let laws = Laws::new(plan.is_strict);
        let observer = Observer::start(cluster.store(), ambient.clock, laws)
            .map_err(|error| Failure::Start(stdx::error::chain(&error)))?;
        let run = Run { cluster, observer: observer.clone(), ambient, fuses: Vec::new(), pending: Vec::new() };
        tokio::select! {
            biased;
            () = observer.stalled() => {
                Ok(Outcome { trace: observer.lines(), findings: observer.broken(), history: Vec::new() })
            }
            outcome = run.finish(&plan, seed) => outcome,
        }
    })
}

struct Run {
    cluster: Cluster,
    observer: Observer,
    ambient: Ambient,
    fuses: Vec<(Room, CancellationToken)>,
    /// What undoes or follows an act, later.
    pending: Vec<(Instant, Later)>,
}

#[derive(Clone, Debug)]
enum Later {
    Start(Room),
    KillInstance(String),
    LetGo(String),
    ReplaceServer,
}

impl Run {
    async fn finish(mut self, plan: &Plan, seed: u64) -> Result<Outcome, Failure> {
        self.prepare(seed).await;
        let start = self.ambient.clock.instant();
        self.cluster.network.set_weather(plan.weather);
        self.observer.note(&format!("{:?}, strict: {}", plan.weather, plan.is_strict));
        for (time, act) in &plan.acts {
            self.pass_until(start + *time).await;
            self.perform(act).await;
        }
        self.pass_until(start + TROUBLE).await;
        self.make_peace(plan).await;
        let mut findings = self.wait_for_rest().await;
        if findings.is_empty() {
            findings = self.stay_idle().await;
        }
        findings.splice(0..0, self.observer.broken());
        let history = self.cluster.stop().await.unwrap_or_else(|reason| {
            findings.push(reason);
            Vec::new()
        });
        Ok(Outcome { trace: self.observer.lines(), findings, history })
    }

    async fn prepare(&mut self, seed: u64) {
        let random = Random::seeded(seed ^ 0x5eed);
        let behaviour = &self.cluster.behaviour;
        behaviour.set("app:slow", Some(Duration::from_secs(20)));
        let exits = |codes: Vec<i32>| Exits { codes, after: Duration::from_secs(3) };
        let flaky = (0..40).map(|_| i32::from(random.below(3) == 0)).chain([0]).collect();
        behaviour.set_exits("job:good", exits(vec![0]));
        behaviour.set_exits("job:flaky", exits(flaky));
        behaviour.set_exits("job:bad", exits(vec![1]));
        let size = NodeSize { cpu: "4".into(), memory: "8Gi".into(), pods: "110".into() };
        for node in NODES {
            self.cluster.add_node(node, &size);
        }
        let namespace = json!({"metadata": {"name": NAMESPACES[1]}});
        self.perform(&Act::Create { folder: "/api/v1/namespaces".into(), manifest: namespace }).await;
        self.ambient.clock.sleep(Duration::from_secs(10)).await;
    }

    /// Lets time pass; what is to happen meanwhile does.
    async fn pass_until(&mut self, end: Instant) {
        loop {
            let next = self.pending.iter().map(|(at, _)| *at).min().filter(|at| *at <= end);
            let burnt = self.fuses.iter().map(|(_, burnt)| Box::pin(burnt.cancelled())).collect::<Vec<_>>();
            let died = async {
                if burnt.is_empty() {
                    std::future::pending::<()>().await;
                }
                futures::future::select_all(burnt).await;
            };
            tokio::select! {
                biased;
                () = died => self.bury(),
                () = tokio::time::sleep_until(next.unwrap_or(end)) => {
                    if next.is_none() {
                        return;
                    }
                    self.catch_up().await;
                }
            }
        }
    }

    /// Rooms that died in the middle of a write are started again in a while.
    fn bury(&mut self) {
        let at = self.ambient.clock.instant() + RESTART;
        let (dead, alive) = std::mem::take(&mut self.fuses).into_iter().partition(|(_, burnt)| burnt.is_cancelled());
        self.fuses = alive;
        let dead: Vec<(Room, CancellationToken)> = dead;
        for (room, _) in dead {
            self.observer.note(&format!("* {room:?} died"));
            self.cluster.kill_room(room);
            self.pending.push((at, Later::Start(room)));
        }
    }

    /// Does what is due.
    async fn catch_up(&mut self) {
        let now = self.ambient.clock.instant();
        let (due, later) = std::mem::take(&mut self.pending).into_iter().partition(|(at, _)| *at <= now);
        self.pending = later;
        let due: Vec<(Instant, Later)> = due;
        for (_, deed) in due {
            self.observer.note(&format!("* {deed:?}"));
            match deed {
                Later::Start(room) if self.cluster.running(room).is_empty() => {
                    self.cluster.start_room(room);
                }
                Later::Start(_) => {}
                Later::KillInstance(name) => self.cluster.kill_instance(&name),
                Later::LetGo(end) => self.cluster.network.hold(&end, false),
                Later::ReplaceServer => self.replace_server().await,
            }
        }
    }

    async fn replace_server(&mut self) {
        if let Err(reason) = self.cluster.replace_server().await {
            self.observer.report_broken(format!("no server: {reason}"));
        }
    }

    async fn perform(&mut self, act: &Act) {
        self.observer.note(&format!("> {act:?}"));
        let now = self.ambient.clock.instant();
        match act {
            Act::Create { folder, manifest } => self.ask(Method::POST, folder, manifest).await,
            Act::Patch { path, patch } => self.ask(Method::PATCH, path, patch).await,
            Act::Delete { path, policy } => self.ask(Method::DELETE, path, &json!({"propagationPolicy": policy})).await,
            Act::Pod { deed, of } => self.do_to_pod(*deed, *of).await,
            Act::KillNode(node) => self.cluster_node(node, Cluster::kill_node),
            Act::ReviveNode(node) => self.cluster_node(node, Cluster::revive_node),
            Act::PartNode(node, is_apart) => self.cluster.network.part(node, *is_apart),
            Act::DeleteNode(node) => {
                self.cluster_node(node, Cluster::kill_node);
                self.ask(Method::DELETE, &format!("/api/v1/nodes/{node}"), &json!({})).await;
            }
            Act::KillAtWrite(room, writes) => {
                for instance in self.cluster.running(*room) {
                    let burnt = self.cluster.network.kill_at_write(&instance, *writes);
                    self.fuses.push((*room, burnt));
                }
            }
            Act::SecondLeader(time) => {
                let first = self.cluster.running(Room::Controllers);
                self.cluster.start_room(Room::Controllers);
                self.pending.extend(first.into_iter().map(|name| (now + *time, Later::KillInstance(name))));
            }
            Act::CutWatches => self.cut_watches(),
            Act::RestartServer(time) => {
                self.cluster.network.set_down(true);
                self.pending.push((now + *time, Later::ReplaceServer));
            }
            Act::Load { app, millicores } => self.cluster.load.set(app, *millicores),
            Act::HoldWatches(room, time) => {
                for instance in self.cluster.running(*room) {
                    self.cluster.network.hold(&instance, true);
                    self.pending.push((now + *time, Later::LetGo(instance)));
                }
            }
            Act::Compact => {
                self.observer.caught_up().await;
                let store = self.cluster.store();
                let newest: Revision = store.revision();
                if let Err(error) = store.compact(newest).await {
                    self.observer.report_broken(format!("the store does not compact: {error}"));
                }
            }
            Act::JumpClock(milliseconds) => self.ambient.clock.jump(*milliseconds),
        }
    }

    fn cut_watches(&self) {
        for room in [Room::Controllers, Room::Scheduler] {
            for instance in self.cluster.running(room) {
                self.cluster.network.cut(&instance);
            }
        }
        for node in NODES {
            self.cluster.network.cut(node);
        }
    }

    async fn do_to_pod(&self, deed: Deed, of: u64) {
        self.observer.caught_up().await;
        let world = self.observer.world();
        let pods: Vec<&Object> = all(&world, "core/pods").collect();
        if pods.is_empty() {
            return;
        }
        let pod = pods[(of % pods.len() as u64) as usize];
        let path = format!("/api/v1/namespaces/{}/pods/{}", pod.namespace(), pod.name());
        let is_of_set = pod.value["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet";
        match deed {
            Deed::Delete => self.ask(Method::DELETE, &path, &json!({})).await,
            Deed::Evict => {
                let eviction = json!({"metadata": {"name": pod.name()}});
                self.ask(Method::POST, &format!("{path}/eviction"), &eviction).await;
            }
            Deed::Release if is_of_set => {
                self.ask(Method::PATCH, &path, &json!({"metadata": {"labels": {"app": "free"}}})).await;
            }
            Deed::Release | Deed::Touch => {
                self.ask(Method::PATCH, &path, &json!({"metadata": {"annotations": {"touched": of.to_string()}}}))
                    .await;
            }
        }
    }

    /// Nothing goes wrong from now on, and what was declared can be reached.
    async fn make_peace(&mut self, plan: &Plan) {
        self.observer.note("> peace");
        self.cluster.network.set_weather(Weather::default());
        for (_, deed) in std::mem::take(&mut self.pending) {
            match deed {
                Later::LetGo(end) => self.cluster.network.hold(&end, false),
                Later::KillInstance(name) => self.cluster.kill_instance(&name),
                Later::Start(_) => {}
                Later::ReplaceServer => self.replace_server().await,
            }
        }
        self.fuses.clear();
        self.cluster.network.clear_fuses();
        for room in [Room::Controllers, Room::Scheduler] {
            if self.cluster.running(room).is_empty() {
                self.cluster.start_room(room);
            }
        }
        for node in NODES {
            self.cluster.network.part(node, false);
            self.cluster_node(node, Cluster::revive_node);
        }
        for act in &plan.settlement {
            self.perform(act).await;
        }
    }

    /// What is still not as declared after all the time that there is.
    async fn wait_for_rest(&mut self) -> Vec<String> {
        let end = self.ambient.clock.instant() + QUIET;
        loop {
            self.ambient.clock.sleep(GLANCE).await;
            self.restore_namespace().await;
            self.observer.caught_up().await;
            let findings = oracle::findings(&self.observer.world());
            if findings.is_empty() || self.ambient.clock.instant() >= end {
                return findings;
            }
        }
    }

    /// A namespace that was deleted comes back once it is gone.
    async fn restore_namespace(&self) {
        if !all(&self.observer.world(), "core/namespaces").any(|one| one.name() == NAMESPACES[1]) {
            self.ask(Method::POST, "/api/v1/namespaces", &json!({"metadata": {"name": NAMESPACES[1]}})).await;
        }
    }

    async fn stay_idle(&self) -> Vec<String> {
        self.observer.note("> idle");
        let lines = self.observer.lines().len();
        // What was written last may still lead to something.
        self.ambient.clock.sleep(GLANCE).await;
        let before = self.observer.writes();
        self.ambient.clock.sleep(IDLE).await;
        self.observer.caught_up().await;
        let mut findings = oracle::findings(&self.observer.world());
        let written = self.observer.writes() - before;
        // Events that nobody needs any more go when their time comes.
        if written > 0 && self.observer.lines().len() > lines {
            findings.push(format!("{written} writes while nothing happens"));
        }
        findings
    }

    /// Asks as the administrator. Refusals are part of the game; faults are not.
    async fn ask(&self, method: Method, path: &str, body: &Value) {
        match request(self.cluster.admin(), method, path, body).await {
            Ok(()) => {}
            Err(refusal) if refusal.code < StatusCode::INTERNAL_SERVER_ERROR.as_u16() => {
                self.observer.note(&format!("  refused: {}", refusal.message));
            }
            Err(fault) => self.observer.report_broken(format!("{path}: {}", fault.message)),
        }
    }

    fn cluster_node(&mut self, node: &str, deed: fn(&mut Cluster, &str) -> Result<(), String>) {
        if let Err(reason) = deed(&mut self.cluster, node) {
            self.observer.report_broken(reason);
        }
    }
}

struct Refusal {
    code: u16,
    message: String,
}

async fn request(client: &Client, method: Method, path: &str, body: &Value) -> Result<(), Refusal> {
    let kind = if method == Method::PATCH { "application/strategic-merge-patch+json" } else { "application/json" };
    let request = http::Request::builder().method(method).uri(path).header(http::header::CONTENT_TYPE, kind);
    let fault = |message: String| Refusal { code: 500, message };
    let request = request.body(body.to_string().into_bytes()).map_err(|error| fault(error.to_string()))?;
    match client.request::<Value>(request).await {
        Ok(_) => Ok(()),
        Err(client::ClientError::Api(status)) => Err(Refusal { code: status.code, message: status.message }),
        Err(error) => Err(fault(stdx::error::chain(&error))),
    }
}
