//! What a user sees happen, told in lines.
//!
//! Observations come from one watch per kind and are put in the order of their resource versions.
//! Names that the server makes up are told as numbers: `web.2.1` is the first pod of the second
//! ReplicaSet of `web`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::k8s::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use api::k8s::api::batch::v1::{CronJob, Job};
use api::k8s::api::core::v1::{Node, Pod};
use api::k8s::api::discovery::v1::EndpointSlice;
use api::k8s::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use client::Client;
use reconcile::{Informer, Kind};
use stdx::{Ambient, Clock};
use store::Store;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::condition::ready_status;
use crate::kubelet::is_ready;

/// What the trace and the script's conditions are read from.
pub(crate) struct Informers {
    pub(crate) deployments: Informer<Deployment>,
    pub(crate) nodes: Informer<Node>,
    pub(crate) pods: Informer<Pod>,
    pub(crate) stateful_sets: Informer<StatefulSet>,
    pub(crate) daemon_sets: Informer<DaemonSet>,
    pub(crate) jobs: Informer<Job>,
}

impl Informers {
    /// One for each kind.
    pub(crate) fn changes(&self) -> [watch::Receiver<u64>; 6] {
        [
            self.deployments.changed(),
            self.nodes.changed(),
            self.pods.changed(),
            self.stateful_sets.changed(),
            self.daemon_sets.changed(),
            self.jobs.changed(),
        ]
    }
}

pub(crate) struct Trace {
    informers: Informers,
    log: Log,
}

impl Trace {
    /// Returns once everything that is there has been seen.
    pub(crate) async fn start(
        client: Client,
        store: Arc<dyn Store>,
        ambient: &Ambient,
        cancel: CancellationToken,
    ) -> Trace {
        let log = Log { observations: Arc::default(), store, clock: ambient.clock, start: ambient.clock.instant() };
        let all = reconcile::Informers::new(client, ambient, cancel);
        let informers = Informers {
            deployments: all.of(),
            nodes: all.of(),
            pods: all.of(),
            stateful_sets: all.of(),
            daemon_sets: all.of(),
            jobs: all.of(),
        };
        observe(&log, &informers.nodes, node_changes).await;
        observe(&log, &informers.deployments, deployment_changes).await;
        observe(&log, &all.of::<ReplicaSet>(), replica_set_changes).await;
        observe(&log, &informers.stateful_sets, stateful_set_changes).await;
        observe(&log, &informers.daemon_sets, daemon_set_changes).await;
        observe(&log, &all.of::<CronJob>(), cron_job_changes).await;
        observe(&log, &informers.jobs, job_changes).await;
        observe(&log, &informers.pods, pod_changes).await;
        observe(&log, &all.of::<EndpointSlice>(), endpoint_changes).await;
        Trace { informers, log }
    }

    pub(crate) fn informers(&self) -> &Informers {
        &self.informers
    }

    pub(crate) fn log(&self) -> Log {
        self.log.clone()
    }

    /// A statement of the script.
    pub(crate) fn note(&self, statement: &str) {
        self.log.push(self.log.store.revision().0, Rank::Statement, Subject::Script, format!("> {statement}"));
    }

    pub(crate) fn render(&self) -> String {
        let mut observations = self.log.lock().clone();
        observations.sort_by_key(|observation| (observation.time, observation.revision, observation.rank));
        let mut names = Names::default();
        let mut text = String::new();
        for observation in observations {
            let line = match &observation.subject {
                Subject::Script => observation.what,
                Subject::Named(name) => format!("{name}: {}", observation.what),
                Subject::ReplicaSet { name, owner } => {
                    format!("replicaset {}: {}", names.of(name, owner.as_deref()), observation.what)
                }
                Subject::Pod { name, owner } => {
                    let owner = owner.as_deref().map(|owner| names.of(owner, None));
                    format!("pod {}: {}", names.of(name, owner.as_deref()), observation.what)
                }
                Subject::Endpoints { service, pods } => {
                    let mut pods: Vec<String> = pods.iter().map(|pod| names.of(pod, None)).collect();
                    pods.sort();
                    format!("endpoints {service}: {}", if pods.is_empty() { "none".into() } else { pods.join(" ") })
                }
            };
            text.push_str(&format!("{}  {line}\n", clock_face(observation.time)));
        }
        text
    }
}

/// Where observations go.
#[derive(Clone)]
pub(crate) struct Log {
    observations: Arc<Mutex<Vec<Observation>>>,
    store: Arc<dyn Store>,
    clock: Clock,
    start: Instant,
}

#[derive(Clone, Debug)]
struct Observation {
    time: Duration,
    revision: u64,
    rank: Rank,
    subject: Subject,
    what: String,
}

/// What comes first at one revision: a statement sees the state that it stands behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Change,
    Statement,
    Fault,
}

#[derive(Clone, Debug)]
enum Subject {
    Script,
    Named(String),
    ReplicaSet { name: String, owner: Option<String> },
    Pod { name: String, owner: Option<String> },
    Endpoints { service: String, pods: Vec<String> },
}

impl Log {
    /// Something that should not happen.
    pub(crate) fn fault(&self, who: &str, what: &str) {
        self.push(self.store.revision().0, Rank::Fault, Subject::Named(who.to_owned()), format!("FAULT: {what}"));
    }

    fn push(&self, revision: u64, rank: Rank, subject: Subject, what: String) {
        let time = self.clock.instant() - self.start;
        self.lock().push(Observation { time, revision, rank, subject, what });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Observation>> {
        self.observations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells what a user would see of a change, if anything.
type Describe<K> = fn(Option<&K>, Option<&K>) -> Option<(Subject, String)>;

/// The numbers that stand for made-up names.
#[derive(Default)]
struct Names {
    known: BTreeMap<String, String>,
    children: BTreeMap<String, usize>,
}

impl Names {
    /// The name to show; a new name under an owner gets the owner's next number.
    fn of(&mut self, name: &str, owner: Option<&str>) -> String {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        let Some(owner) = owner else { return name.to_owned() };
        let number = self.children.entry(owner.to_owned()).or_default();
        *number += 1;
        let shown = format!("{owner}.{number}");
        self.known.insert(name.to_owned(), shown.clone());
        shown
    }
}

/// Has `describe` tell of each change from the state before to the state after.
async fn observe<K: Kind>(log: &Log, informer: &Informer<K>, describe: Describe<K>) {
    informer.synced().await;
    let log = log.clone();
    informer.on_change(move |old, new| {
        let object = new.or(old);
        let version = object.and_then(|object| object.meta().resource_version.as_deref()?.parse().ok());
        if let Some((subject, what)) = describe(old.map(Arc::as_ref), new.map(Arc::as_ref)) {
            log.push(version.unwrap_or(0), Rank::Change, subject, what);
        }
    });
}

fn node_changes(old: Option<&Node>, new: Option<&Node>) -> Option<(Subject, String)> {
    let name = new.or(old)?.metadata.name.clone()?;
    let mut told = Vec::new();
    match (old, new) {
        (None, Some(_)) => told.push("registered".to_owned()),
        (_, None) => told.push("gone".to_owned()),
        (Some(_), Some(_)) => {}
    }
    if let Some(new) = new {
        let ready = old.and_then(ready_status);
        if let Some(now) = ready_status(new).filter(|now| Some(*now) != ready) {
            told.push(format!("Ready={now}"));
        }
        let (before, after) = (old.map(taints).unwrap_or_default(), taints(new));
        told.extend(after.iter().filter(|taint| !before.contains(taint)).map(|taint| format!("+{taint}")));
        told.extend(before.iter().filter(|taint| !after.contains(taint)).map(|taint| format!("-{taint}")));
    }
    tell(Subject::Named(format!("node {name}")), told)
}

fn taints(node: &Node) -> Vec<String> {
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_ref());
    let mut taints: Vec<String> =
        taints.into_iter().flatten().map(|taint| format!("{}:{}", taint.key, taint.effect)).collect();
    taints.sort();
    taints
}

fn deployment_changes(old: Option<&Deployment>, new: Option<&Deployment>) -> Option<(Subject, String)> {
    let subject = Subject::Named(format!("deployment {}", new.or(old)?.metadata.name.as_deref()?));
    let (Some(new), counts) = (new, old.map(counts)) else { return Some((subject, "gone".into())) };
    let now = self::counts(new);
    if counts.as_deref() == Some(&now) { None } else { Some((subject, now)) }
}

fn counts(deployment: &Deployment) -> String {
    let wanted = deployment.spec.replicas.unwrap_or(1);
    let status = deployment.status.clone().unwrap_or_default();
    format!(
        "{wanted} wanted, {} there, {} updated, {} available",
        status.replicas.unwrap_or(0),
        status.updated_replicas.unwrap_or(0),
        status.available_replicas.unwrap_or(0)
    )
}

fn stateful_set_changes(old: Option<&StatefulSet>, new: Option<&StatefulSet>) -> Option<(Subject, String)> {
    let counts = |set: &StatefulSet| {
        let status = set.status.clone().unwrap_or_default();
        format!(
            "{} wanted, {} there, {} updated, {} ready",
            set.spec.replicas.unwrap_or(1),
            status.replicas,
            status.updated_replicas.unwrap_or(0),
            status.ready_replicas.unwrap_or(0)
        )
    };
    changes("statefulset", old, new, counts)
}

fn daemon_set_changes(old: Option<&DaemonSet>, new: Option<&DaemonSet>) -> Option<(Subject, String)> {
    let counts = |set: &DaemonSet| {
        let status = set.status.clone().unwrap_or_default();
        format!(
            "{} wanted, {} there, {} updated, {} available",
            status.desired_number_scheduled,
            status.current_number_scheduled,
            status.updated_number_scheduled.unwrap_or(0),
            status.number_available.unwrap_or(0)
        )
    };
    changes("daemonset", old, new, counts)
}

fn job_changes(old: Option<&Job>, new: Option<&Job>) -> Option<(Subject, String)> {
    let counts = |job: &Job| {
        let status = job.status.clone().unwrap_or_default();
        let mut told = format!(
            "{} active, {} succeeded, {} failed",
            status.active.unwrap_or(0),
            status.succeeded.unwrap_or(0),
            status.failed.unwrap_or(0)
        );
        if let Some(indexes) = status.completed_indexes {
            told.push_str(&format!(", indexes {indexes} done"));
        }
        for condition in status.conditions.iter().flatten().filter(|condition| condition.status == "True") {
            told.push_str(&format!(", {} ({})", condition.type_, condition.reason.as_deref().unwrap_or_default()));
        }
        told
    };
    changes("job", old, new, counts)
}

fn cron_job_changes(old: Option<&CronJob>, new: Option<&CronJob>) -> Option<(Subject, String)> {
    let told = |cron_job: &CronJob| {
        let status = cron_job.status.clone().unwrap_or_default();
        let moment = |time: &Option<Time>| time.as_ref().map_or("never".to_owned(), |time| time.0.to_string());
        format!(
            "{} active, last scheduled {}, last successful {}",
            status.active.iter().flatten().count(),
            moment(&status.last_schedule_time),
            moment(&status.last_successful_time)
        )
    };
    changes("cronjob", old, new, told)
}

/// What `describe` says now, where it said otherwise before.
fn changes<K: Kind>(
    kind: &str,
    old: Option<&K>,
    new: Option<&K>,
    describe: impl Fn(&K) -> String,
) -> Option<(Subject, String)> {
    let subject = Subject::Named(format!("{kind} {}", new.or(old)?.meta().name.as_deref()?));
    let Some(new) = new else { return Some((subject, "gone".into())) };
    let now = describe(new);
    if old.map(describe).as_ref() == Some(&now) { None } else { Some((subject, now)) }
}

fn replica_set_changes(old: Option<&ReplicaSet>, new: Option<&ReplicaSet>) -> Option<(Subject, String)> {
    let metadata = &new.or(old)?.metadata;
    let subject = Subject::ReplicaSet { name: metadata.name.clone()?, owner: owner(metadata) };
    let wanted = |set: &ReplicaSet| set.spec.replicas.unwrap_or(1);
    let what = match (old.map(wanted), new.map(wanted)) {
        (None, Some(now)) => format!("created for {now}"),
        (Some(before), Some(now)) if before != now => format!("scaled {before} to {now}"),
        (_, None) => "gone".to_owned(),
        _ => return None,
    };
    Some((subject, what))
}

fn pod_changes(old: Option<&Pod>, new: Option<&Pod>) -> Option<(Subject, String)> {
    let metadata = &new.or(old)?.metadata;
    // A StatefulSet's pods have names that mean something.
    let has_own_name = metadata.labels.iter().flatten().any(|(key, _)| key == "statefulset.kubernetes.io/pod-name");
    let owner = owner(metadata).filter(|_| !has_own_name);
    let subject = Subject::Pod { name: metadata.name.clone()?, owner };
    let Some(new) = new else { return Some((subject, "gone".into())) };
    let mut told = Vec::new();
    if old.is_none() {
        told.push("created".to_owned());
    }
    let node = |pod: &Pod| pod.spec.as_ref().and_then(|spec| spec.node_name.clone());
    if let Some(bound) = node(new).filter(|_| old.and_then(node).is_none()) {
        told.push(format!("bound to {bound}"));
    }
    let phase = |pod: &Pod| pod.status.as_ref().and_then(|status| status.phase.clone());
    if let Some(now) = phase(new).filter(|now| old.and_then(phase).as_ref() != Some(now)) {
        told.push(now);
    }
    match (old.is_some_and(is_ready), is_ready(new)) {
        (false, true) => told.push("ready".to_owned()),
        (true, false) => told.push("not ready".to_owned()),
        _ => {}
    }
    if let Some(why) = unschedulable(new).filter(|why| old.and_then(unschedulable) != Some(why)) {
        told.push(format!("unschedulable: {why}"));
    }
    if new.metadata.deletion_timestamp.is_some() && old.is_none_or(|old| old.metadata.deletion_timestamp.is_none()) {
        told.push(format!("to go within {}s", new.metadata.deletion_grace_period_seconds.unwrap_or(0)));
    }
    tell(subject, told)
}

/// What the scheduler says of a pod that it cannot place.
fn unschedulable(pod: &Pod) -> Option<&str> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let scheduled = conditions.iter().find(|condition| condition.type_ == "PodScheduled")?;
    scheduled.message.as_deref().filter(|_| scheduled.status == "False")
}

fn endpoint_changes(old: Option<&EndpointSlice>, new: Option<&EndpointSlice>) -> Option<(Subject, String)> {
    let service = new.or(old)?.metadata.labels.as_ref()?.get("kubernetes.io/service-name")?.clone();
    // The API server's own addresses are no pods.
    if service == "kubernetes" {
        return None;
    }
    let pods = new.map(ready_pods).unwrap_or_default();
    if old.is_some_and(|old| ready_pods(old) == pods) {
        return None;
    }
    Some((Subject::Endpoints { service, pods }, String::new()))
}

fn ready_pods(slice: &EndpointSlice) -> Vec<String> {
    let ready = slice
        .endpoints
        .iter()
        .flatten()
        .filter(|endpoint| endpoint.conditions.as_ref().and_then(|conditions| conditions.ready).unwrap_or(true));
    let mut pods: Vec<String> =
        ready.filter_map(|endpoint| endpoint.target_ref.as_ref().and_then(|target| target.name.clone())).collect();
    pods.sort();
    pods
}

fn owner(metadata: &ObjectMeta) -> Option<String> {
    let owners = metadata.owner_references.iter().flatten();
    owners.filter(|owner| owner.controller == Some(true)).map(|owner| owner.name.clone()).next()
}

fn tell(subject: Subject, told: Vec<String>) -> Option<(Subject, String)> {
    if told.is_empty() { None } else { Some((subject, told.join(", "))) }
}

/// `mm:ss.mmm` since the start.
fn clock_face(time: Duration) -> String {
    let milliseconds = time.as_millis();
    format!("{:02}:{:02}.{:03}", milliseconds / 60_000, milliseconds / 1000 % 60, milliseconds % 1000)
}
