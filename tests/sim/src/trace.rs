//! What a user sees happen, told in lines.
//!
//! Observations come from one watch per kind and are put in the order of their resource versions.
//! Names that the server makes up are told as numbers: `web.2.1` is the first pod of the second
//! ReplicaSet of `web`.

mod kinds;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::k8s::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use api::k8s::api::autoscaling::v2::HorizontalPodAutoscaler;
use api::k8s::api::batch::v1::{CronJob, Job};
use api::k8s::api::core::v1::{Namespace, Node, PersistentVolumeClaim, Pod, ResourceQuota};
use api::k8s::api::discovery::v1::EndpointSlice;
use api::k8s::api::policy::v1::PodDisruptionBudget;
use client::Client;
use reconcile::{Informer, Kind};
use stdx::{Ambient, Clock, signal};
use store::Store;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use kinds::{
    autoscaler_changes, budget_changes, claim_changes, cron_job_changes, daemon_set_changes, deployment_changes,
    endpoint_changes, job_changes, namespace_changes, node_changes, pod_changes, quota_changes, replica_set_changes,
    stateful_set_changes,
};

/// What the trace and the script's conditions are read from.
#[derive(Clone)]
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
    pub(crate) fn changes(&self) -> [signal::Receiver<u64>; 6] {
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
    start: Instant,
}

impl Trace {
    /// Returns once everything that is there has been seen.
    pub(crate) async fn start(
        client: Client,
        store: Arc<dyn Store>,
        ambient: &Ambient,
        cancel: CancellationToken,
    ) -> Trace {
        let log = Log { observations: Arc::default(), store, clock: ambient.clock };
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
        observe(&log, &all.of::<Namespace>(), namespace_changes).await;
        observe(&log, &all.of::<PersistentVolumeClaim>(), claim_changes).await;
        observe(&log, &all.of::<ResourceQuota>(), quota_changes).await;
        observe(&log, &all.of::<PodDisruptionBudget>(), budget_changes).await;
        observe(&log, &all.of::<HorizontalPodAutoscaler>(), autoscaler_changes).await;
        observe(&log, &informers.pods, pod_changes).await;
        observe(&log, &all.of::<EndpointSlice>(), endpoint_changes).await;
        Trace { informers, log, start: ambient.clock.instant() }
    }

    /// The scenario begins now.
    pub(crate) fn begin(&mut self) {
        self.log.lock().clear();
        self.start = self.log.clock.instant();
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
            text.push_str(&format!("{}  {line}\n", clock_face(observation.time - self.start)));
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
}

#[derive(Clone, Debug)]
struct Observation {
    time: Instant,
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
        let time = self.clock.instant();
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

/// `mm:ss.mmm` since the start.
pub(crate) fn clock_face(time: Duration) -> String {
    let milliseconds = time.as_millis();
    format!("{:02}:{:02}.{:03}", milliseconds / 60_000, milliseconds / 1000 % 60, milliseconds % 1000)
}
