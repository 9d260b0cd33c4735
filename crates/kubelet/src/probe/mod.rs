//! Probes: whether a container has started, lives, and is ready.
//!
//! A task per probe exists while its container runs; a pod without probes has no timer.

mod check;
pub(crate) mod http;
mod tally;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::k8s::api::core::v1::{Container as ContainerSpec, Pod, Probe};
use jiff::Timestamp;
use reconcile::EventType::Warning;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::counts::ProbeKey;
use crate::pod::observed::{Observed, State};
use crate::pod::{Context, spec};
use check::Verdict;
use tally::Tally;

/// What the probes of one running container amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Health {
    pub(crate) started: bool,
    pub(crate) ready: bool,
    pub(crate) liveness_failed: bool,
    pub(crate) startup_failed: bool,
    /// How long a container that failed has to end, where the probe says so.
    pub(crate) grace_seconds: Option<i64>,
}

impl Default for Health {
    /// A container without probes.
    fn default() -> Self {
        Health { started: true, ready: true, liveness_failed: false, startup_failed: false, grace_seconds: None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Startup,
    Liveness,
    Readiness,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Startup, Kind::Liveness, Kind::Readiness];

    fn of(self, container: &ContainerSpec) -> Option<&Probe> {
        match self {
            Kind::Startup => container.startup_probe.as_ref(),
            Kind::Liveness => container.liveness_probe.as_ref(),
            Kind::Readiness => container.readiness_probe.as_ref(),
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Startup => "Startup",
            Kind::Liveness => "Liveness",
            Kind::Readiness => "Readiness",
        }
    }
}

/// The probes of one pod.
pub(crate) struct Prober {
    context: Arc<Context>,
    wake: Arc<dyn Fn() + Send + Sync>,
    watched: BTreeMap<String, Watched>,
}

/// One running container; dropping it ends its probes.
struct Watched {
    name: String,
    health: Arc<Mutex<Health>>,
    _readiness: DropGuard,
    /// The probes whose failure restarts the container.
    _restarting: Option<DropGuard>,
}

impl Prober {
    /// `wake` is called whenever a verdict changes.
    pub(crate) fn new(context: Arc<Context>, wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        Prober { context, wake, watched: BTreeMap::new() }
    }

    /// Starts the probes of containers that run now, and ends those of containers that do not. While
    /// a pod ends only readiness is asked for: nothing is to be restarted any more.
    pub(crate) fn sync(&mut self, pod: &Arc<Pod>, observed: &Observed, address: &str, ending: bool) {
        self.watched.retain(|id, _| observed.running().any(|container| &container.id == id));
        if ending {
            for watched in self.watched.values_mut() {
                watched._restarting = None;
            }
        }
        for container in observed.running() {
            let State::Running { started_at } = container.state else { continue };
            let Some((container_spec, _)) = spec::find(pod, &container.name) else { continue };
            let probed = Kind::ALL.iter().any(|kind| kind.of(&container_spec).is_some());
            if !probed || self.watched.contains_key(&container.id) {
                continue;
            }
            let watched = self.watch(pod, container_spec, &container.id, started_at, address, ending);
            self.watched.insert(container.id.clone(), watched);
        }
    }

    /// By container id, for those that have probes.
    pub(crate) fn health(&self) -> BTreeMap<String, Health> {
        self.watched.iter().map(|(id, watched)| (id.clone(), *lock(&watched.health))).collect()
    }

    fn watch(
        &self,
        pod: &Arc<Pod>,
        container: ContainerSpec,
        id: &str,
        started_at: Timestamp,
        address: &str,
        ending: bool,
    ) -> Watched {
        // After a restart of this program the API still knows what the probes had found.
        let reported = reported_health(pod, &container.name, id);
        let has_startup = container.startup_probe.is_some() && !reported.started;
        let health = Health {
            started: !has_startup,
            ready: container.readiness_probe.is_none() || reported.ready,
            ..Health::default()
        };
        let health = Arc::new(Mutex::new(health));
        let (readiness, restarting) = (CancellationToken::new(), CancellationToken::new());
        let started = Arc::new(watch::Sender::new(!has_startup));
        let name = container.name.clone();
        let container = Arc::new(container);
        for kind in Kind::ALL {
            let Some(probe) = kind.of(&container) else { continue };
            let needless = kind == Kind::Startup && !has_startup;
            if needless || (ending && kind != Kind::Readiness) {
                continue;
            }
            let task = Task {
                context: Arc::clone(&self.context),
                wake: Arc::clone(&self.wake),
                pod: Arc::clone(pod),
                container: Arc::clone(&container),
                container_id: id.to_owned(),
                address: address.to_owned(),
                kind,
                probe: probe.clone(),
                started_at,
                health: Arc::clone(&health),
                started: Arc::clone(&started),
            };
            let cancel = if kind == Kind::Readiness { readiness.clone() } else { restarting.clone() };
            tokio::spawn(async move { cancel.run_until_cancelled(task.run()).await });
        }
        let restarting = Some(restarting.drop_guard());
        Watched { name, health, _readiness: readiness.drop_guard(), _restarting: restarting }
    }
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Watched").field("name", &self.name).finish_non_exhaustive()
    }
}

struct Task {
    context: Arc<Context>,
    wake: Arc<dyn Fn() + Send + Sync>,
    pod: Arc<Pod>,
    container: Arc<ContainerSpec>,
    container_id: String,
    address: String,
    kind: Kind,
    probe: Probe,
    started_at: Timestamp,
    health: Arc<Mutex<Health>>,
    started: Arc<watch::Sender<bool>>,
}

impl Task {
    async fn run(self) {
        let period = seconds(self.probe.period_seconds, 10);
        self.wait_before_first(period).await;
        let ready = lock(&self.health).ready;
        let mut tally = Tally::new(
            (self.kind == Kind::Readiness).then_some(ready),
            self.probe.success_threshold.unwrap_or(1),
            self.probe.failure_threshold.unwrap_or(3),
        );
        if self.kind != Kind::Startup {
            let mut started = self.started.subscribe();
            if started.wait_for(|started| *started).await.is_err() {
                return;
            }
        }
        loop {
            let verdict = self.probe_once().await;
            if let Some(passes) = tally.count(matches!(verdict, Verdict::Success)) {
                self.record(passes);
                let settled = match self.kind {
                    Kind::Startup => true,
                    // A new container gets new probes.
                    Kind::Liveness => !passes,
                    Kind::Readiness => false,
                };
                if settled {
                    return;
                }
            }
            self.context.ambient.clock.sleep(period).await;
        }
    }

    /// The initial delay, counted from the container's start. After this program starts, the probes
    /// of all pods at once would be a burst: they spread over their period.
    async fn wait_before_first(&self, period: Duration) {
        let clock = &self.context.ambient.clock;
        let delay = seconds(self.probe.initial_delay_seconds, 0);
        let age = Duration::try_from(clock.now().duration_since(self.started_at)).unwrap_or_default();
        clock.sleep(delay.saturating_sub(age)).await;
        let adopted = age > self.context.started_at.elapsed();
        if adopted {
            clock.sleep(period.mul_f64(self.context.ambient.random.fraction())).await;
        }
    }

    async fn probe_once(&self) -> Verdict {
        let timeout = seconds(self.probe.timeout_seconds, 1);
        let runtime = &*self.context.runtime;
        let verdict =
            check::run(&self.probe, &self.container, &self.container_id, &self.address, timeout, runtime).await;
        let result = if verdict == Verdict::Success { "successful" } else { "failed" };
        self.context.probe_counts.add(ProbeKey {
            container: self.container.name.clone(),
            namespace: spec::namespace(&self.pod).to_owned(),
            pod: spec::name(&self.pod).to_owned(),
            pod_uid: spec::uid(&self.pod).to_owned(),
            kind: self.kind,
            result,
        });
        if let Verdict::Failure(output) = &verdict {
            let message = format!("{} probe failed: {output}", self.kind.as_str());
            self.context.container_event(&self.pod, &self.container.name, Warning, "Unhealthy", message);
        }
        verdict
    }

    fn record(&self, passes: bool) {
        let changed = {
            let mut health = lock(&self.health);
            let before = *health;
            match self.kind {
                Kind::Startup => {
                    health.started = passes;
                    health.startup_failed = !passes;
                }
                Kind::Liveness => health.liveness_failed = !passes,
                Kind::Readiness => health.ready = passes,
            }
            if !passes && self.kind != Kind::Readiness {
                health.grace_seconds = self.probe.termination_grace_period_seconds;
            }
            before != *health
        };
        if self.kind == Kind::Startup && passes {
            self.started.send_replace(true);
        }
        if changed {
            (self.wake)();
        }
    }
}

fn reported_health(pod: &Pod, name: &str, id: &str) -> Health {
    let status = pod.status.as_ref();
    let lists = status.map(|status| [&status.container_statuses, &status.init_container_statuses]);
    let reported = lists.into_iter().flatten().flatten().flatten().find(|status| {
        let same = status.container_id.as_deref().and_then(|full| full.split_once("://")).map(|(_, id)| id);
        status.name == name && same == Some(id)
    });
    Health {
        started: reported.is_some_and(|status| status.started == Some(true)),
        ready: reported.is_some_and(|status| status.ready),
        ..Health::default()
    }
}

fn seconds(value: Option<i32>, default: u64) -> Duration {
    Duration::from_secs(value.map_or(default, |value| u64::try_from(value).unwrap_or(default)))
}

fn lock(health: &Mutex<Health>) -> std::sync::MutexGuard<'_, Health> {
    health.lock().unwrap_or_else(PoisonError::into_inner)
}
