//! The loop: take a pod, decide, assume, bind in the background.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::k8s::api::core::v1::{Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod};
use api::k8s::api::policy::v1::PodDisruptionBudget;
use api::k8s::api::storage::v1::{CSINode, StorageClass};
use client::CallError;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use reconcile::{Informers, Recorder};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::Config;
use crate::binding::{Nomination, bind, patch_status, plan_condition, plan_status};
use crate::eviction::evict;
use crate::framework::{Placement, decide};
use crate::intake::State;
use crate::metrics::{Ending, Lap, Metrics};
use crate::nominations::nominated_node;
use crate::pod::PodInfo;
use crate::prebind::{Binder, Labels, VolumeError};
use crate::preemption::{Candidate, Preemption, preempt};
use crate::queue::Attempt;
use crate::volumes::VolumePlan;

/// Bindings under way at once; more pods wait in the queue.
const BINDINGS: usize = 64;
/// Pods that are pushed out at once for one other.
const EVICTIONS: usize = 16;

pub(crate) async fn run(config: Config, metrics: Metrics) {
    let informers = Informers::new(config.client.clone(), &config.ambient, config.cancel.clone());
    let scheduler = Arc::new(Scheduler {
        binder: Binder {
            client: config.client.clone(),
            claims: informers.of::<PersistentVolumeClaim>(),
            volumes: informers.of::<PersistentVolume>(),
        },
        recorder: Recorder::start(
            config.client.clone(),
            "default-scheduler",
            None,
            &config.ambient,
            config.cancel.clone(),
        ),
        config,
        state: Mutex::new(State::told_by(metrics.clone())),
        wake: Notify::new(),
        metrics,
    });
    scheduler.metrics.ask_pending({
        let scheduler = Arc::downgrade(&scheduler);
        move || scheduler.upgrade().map(|scheduler| scheduler.lock().pending()).unwrap_or_default()
    });
    watch(&scheduler, &informers).await;
    scheduler.schedule().await;
}

/// Connects the caches; returns once they are filled.
async fn watch(scheduler: &Arc<Scheduler>, informers: &Informers) {
    let (nodes, namespaces, pods) = (informers.of::<Node>(), informers.of::<Namespace>(), informers.of::<Pod>());
    let target = Arc::clone(scheduler);
    nodes.on_change(move |old, new| target.update(|state, now| state.node_changed(old, new, now)));
    let target = Arc::clone(scheduler);
    namespaces.on_change(move |old, new| target.update(|state, now| state.namespace_changed(old, new, now)));
    let target = Arc::clone(scheduler);
    pods.on_change(move |old, new| target.update(|state, now| state.pod_changed(old, new, now)));
    let (claims, volumes) = (&scheduler.binder.claims, &scheduler.binder.volumes);
    let (classes, csi_nodes) = (informers.of::<StorageClass>(), informers.of::<CSINode>());
    let target = Arc::clone(scheduler);
    claims.on_change(move |old, new| target.update(|state, now| state.claim_changed(old, new, now)));
    let target = Arc::clone(scheduler);
    volumes.on_change(move |old, new| target.update(|state, now| state.volume_changed(old, new, now)));
    let target = Arc::clone(scheduler);
    classes.on_change(move |old, new| target.update(|state, now| state.class_changed(old, new, now)));
    let target = Arc::clone(scheduler);
    csi_nodes.on_change(move |old, new| target.update(|state, now| state.csi_node_changed(old, new, now)));
    let budgets = informers.of::<PodDisruptionBudget>();
    let target = Arc::clone(scheduler);
    budgets.on_change(move |old, new| target.update(|state, _now| state.budget_changed(old, new)));
    nodes.synced().await;
    budgets.synced().await;
    namespaces.synced().await;
    pods.synced().await;
    claims.synced().await;
    volumes.synced().await;
    classes.synced().await;
    csi_nodes.synced().await;
}

struct Scheduler {
    config: Config,
    recorder: Recorder,
    binder: Binder,
    state: Mutex<State>,
    /// Something changed that may make a pod ready.
    wake: Notify,
    metrics: Metrics,
}

/// Work in the background, and what it leaves to do.
type Afterwork = BoxFuture<'static, Remainder>;

enum Remainder {
    Nothing,
    Failed(BindingFailure),
    /// The pod waits for its volumes, which may take long, and takes no room of those that are bound meanwhile.
    Wait(Afterwork),
}

struct BindingFailure {
    attempt: Attempt,
    error: BindError,
}

#[derive(Debug, thiserror::Error)]
enum BindError {
    #[error("running Bind plugin \"DefaultBinder\": {0}")]
    Pod(CallError),
    #[error("running PreBind plugin \"VolumeBinding\": binding volumes: {0}")]
    Volumes(VolumeError),
}

impl BindError {
    /// There is no such pod any more.
    fn is_pod_gone(&self) -> bool {
        matches!(self, BindError::Pod(error) if error.is_not_found())
    }
}

impl Scheduler {
    async fn schedule(self: &Arc<Self>) {
        let mut background: FuturesUnordered<Afterwork> = FuturesUnordered::new();
        // No more than there are pods.
        let mut waiting: FuturesUnordered<Afterwork> = FuturesUnordered::new();
        loop {
            while background.len() < BINDINGS
                && let Some(afterwork) = self.try_next()
            {
                background.push(afterwork);
            }
            let deadline = self.lock().queue.deadline();
            tokio::select! {
                biased;
                Some(finished) = background.next(), if !background.is_empty() => match finished {
                    Remainder::Nothing => {}
                    Remainder::Failed(failure) => background.push(self.binding_failed(&failure)),
                    Remainder::Wait(wait) => waiting.push(wait),
                },
                Some(finished) = waiting.next(), if !waiting.is_empty() => match finished {
                    Remainder::Nothing => {}
                    Remainder::Failed(failure) => background.push(self.binding_failed(&failure)),
                    Remainder::Wait(wait) => waiting.push(wait),
                },
                () = self.wake.notified(), if background.len() < BINDINGS => {}
                () = sleep_until(deadline), if background.len() < BINDINGS => {}
            }
        }
    }

    /// Decides on one pod; `None` where none is ready.
    fn try_next(self: &Arc<Self>) -> Option<Afterwork> {
        let mut state = self.lock();
        let attempt = loop {
            let attempt = state.queue.take(self.config.ambient.clock.instant())?;
            if !state.cache.is_placed(&attempt.pod) && !attempt.pod.is_going() {
                break attempt;
            }
        };
        let pod = Arc::clone(&attempt.pod);
        let snapshot = state.cache.snapshot();
        let mut lap = self.lap();
        let decision = decide(&pod, &snapshot, &self.config.ambient.random, |point, status| lap.end(point, status));
        self.metrics.decided(self.since(attempt.began));
        match decision {
            Ok(Placement { node, volumes }) => {
                let chosen = snapshot.nodes.iter().find(|info| info.name == node && !volumes.is_empty());
                let labels = chosen.and_then(|info| info.labels()).cloned().unwrap_or_default();
                // What a snapshot shares is copied when it is written to.
                drop(snapshot);
                state.cache.assume(&pod, &node);
                state.end_nomination(&pod.key());
                if volumes.is_empty() {
                    drop(state);
                    return Some(self.bind(attempt, node));
                }
                state.cache.volumes_mut().promise(&volumes, &node);
                drop(state);
                Some(self.bind_volumes(attempt, node, labels, volumes))
            }
            Err(diagnosis) => {
                let random = &self.config.ambient.random;
                let preemption = diagnosis.has_nodes().then(|| {
                    let mut lap = self.lap();
                    let preemption = preempt(&pod, &snapshot, &diagnosis, random);
                    let victims = preemption.victims();
                    lap.end("PostFilter", if victims.is_some() { "Success" } else { "Unschedulable" });
                    self.metrics.tried_preemption(victims);
                    preemption
                });
                self.metrics.attempted(Ending::Unschedulable, self.since(attempt.began));
                let mut message = diagnosis.message();
                if let Some(preemption) = &preemption {
                    message = format!("{message} preemption: {}", preemption.message());
                }
                if let Some(Preemption::Nominated(candidate)) = preemption {
                    let displaced = state.nominate_for_victims(&pod, &candidate.node);
                    drop(state);
                    return Some(self.make_room(pod, candidate, displaced, message, diagnosis.plugins));
                }
                let is_void = matches!(preemption, Some(Preemption::Helpless { .. }));
                if is_void {
                    state.end_nomination(&pod.key());
                }
                let now = self.config.ambient.clock.instant();
                state.queue.unschedulable(&pod, diagnosis.plugins, now);
                drop(state);
                let nomination = if is_void { Nomination::Clear } else { Nomination::Keep };
                Some(self.report(&pod, "Unschedulable", message, nomination))
            }
        }
    }

    /// Pushes the victims out, then waits like any other pod: their going will bring this one back.
    fn make_room(
        self: &Arc<Self>,
        pod: Arc<PodInfo>,
        candidate: Candidate,
        displaced: Vec<Arc<PodInfo>>,
        message: String,
        plugins: BTreeSet<&'static str>,
    ) -> Afterwork {
        let scheduler = Arc::clone(self);
        Box::pin(async move {
            drop(scheduler.report(&pod, "Unschedulable", message, Nomination::Set(&candidate.node)).await);
            for other in displaced {
                let patch = plan_status(&other.pod, None, Nomination::Clear);
                scheduler.write_status(&other, patch).await;
            }
            let Candidate { node, victims, .. } = candidate;
            let pushes = victims.into_iter().map(|victim| scheduler.push_out(victim, &pod, &node));
            let failures: Vec<CallError> = futures::stream::iter(pushes)
                .buffer_unordered(EVICTIONS)
                .filter_map(|pushed| std::future::ready(pushed.err()))
                .collect()
                .await;
            let now = scheduler.config.ambient.clock.instant();
            let mut state = scheduler.lock();
            match failures.first() {
                None => state.queue.unschedulable(&pod, plugins, now),
                Some(error) => {
                    tracing::warn!(pod = %pod.key(), error = stdx::error::chain(error), "cannot make room for the pod");
                    state.queue.failed(&pod, now);
                }
            }
            Remainder::Nothing
        })
    }

    async fn push_out(&self, victim: Arc<PodInfo>, preemptor: &PodInfo, node: &str) -> Result<(), CallError> {
        evict(&self.config.client, &victim, preemptor, self.config.ambient.clock.now_seconds()).await?;
        let message = format!("Preempted by pod {} on node {node}", preemptor.uid());
        self.recorder.normal(&*victim.pod, "Preempted", message);
        Ok(())
    }

    fn bind(self: &Arc<Self>, attempt: Attempt, node: String) -> Afterwork {
        let scheduler = Arc::clone(self);
        Box::pin(async move {
            let pod = &attempt.pod;
            let mut lap = scheduler.lap();
            let bound = bind(&scheduler.config.client, &pod.pod, &node).await;
            lap.end("Bind", status_of(&bound));
            match bound {
                Ok(()) => {
                    scheduler.metrics.attempted(Ending::Scheduled, scheduler.since(attempt.began));
                    scheduler.metrics.scheduled(attempt.number, scheduler.since(attempt.waits_since));
                    let message = format!("Successfully assigned {} to {node}", pod.key());
                    scheduler.recorder.normal(&*pod.pod, "Scheduled", message);
                    Remainder::Nothing
                }
                Err(error) => Remainder::Failed(BindingFailure { attempt, error: BindError::Pod(error) }),
            }
        })
    }

    /// Binds the pod's claims, then the pod.
    fn bind_volumes(self: &Arc<Self>, attempt: Attempt, node: String, labels: Labels, plan: VolumePlan) -> Afterwork {
        let scheduler = Arc::clone(self);
        Box::pin(async move {
            let begun = scheduler.config.ambient.clock.instant();
            if let Err(error) = scheduler.binder.write(&plan, &node).await {
                scheduler.metrics.ran("PreBind", "Error", scheduler.since(begun));
                return scheduler.volumes_failed(attempt, &plan, error);
            }
            Remainder::Wait(Box::pin(async move {
                let waited = scheduler.binder.wait(&plan, &node, &labels).await;
                scheduler.metrics.ran("PreBind", status_of(&waited), scheduler.since(begun));
                match waited {
                    Ok(()) => {
                        scheduler.lock().cache.volumes_mut().settle(&plan);
                        scheduler.bind(attempt, node).await
                    }
                    Err(error) => scheduler.volumes_failed(attempt, &plan, error),
                }
            }))
        })
    }

    fn volumes_failed(&self, attempt: Attempt, plan: &VolumePlan, error: VolumeError) -> Remainder {
        self.lock().cache.volumes_mut().settle(plan);
        Remainder::Failed(BindingFailure { attempt, error: BindError::Volumes(error) })
    }

    fn binding_failed(self: &Arc<Self>, failure: &BindingFailure) -> Afterwork {
        let BindingFailure { attempt, error } = failure;
        let pod = &attempt.pod;
        self.metrics.attempted(Ending::Error, self.since(attempt.began));
        {
            let mut state = self.lock();
            state.cache.forget_assumed(pod);
            if let Some(node) = nominated_node(&pod.pod) {
                state.cache.nominations_mut().set(pod, node);
            }
            let now = self.config.ambient.clock.instant();
            if error.is_pod_gone() {
                state.queue.remove(&pod.key());
            } else {
                state.queue.failed(pod, now);
            }
        }
        let message = error.to_string();
        tracing::debug!(pod = %pod.key(), error = message, "binding failed");
        if error.is_pod_gone() {
            return Box::pin(std::future::ready(Remainder::Nothing));
        }
        self.report(pod, "SchedulerError", message, Nomination::Keep)
    }

    /// Says on the pod and by an event why it waits.
    fn report(
        self: &Arc<Self>,
        pod: &Arc<PodInfo>,
        reason: &'static str,
        message: String,
        nomination: Nomination<'_>,
    ) -> Afterwork {
        self.recorder.warning(&*pod.pod, "FailedScheduling", message.clone());
        let condition = plan_condition(&pod.pod, reason, &message, self.config.ambient.clock.now_seconds());
        let patch = plan_status(&pod.pod, condition, nomination);
        let (scheduler, pod) = (Arc::clone(self), Arc::clone(pod));
        Box::pin(async move {
            scheduler.write_status(&pod, patch).await;
            Remainder::Nothing
        })
    }

    async fn write_status(&self, pod: &PodInfo, patch: Option<serde_json::Value>) {
        if let Some(patch) = patch
            && let Err(error) = patch_status(&self.config.client, &pod.pod, patch).await
            && !error.is_not_found()
        {
            tracing::warn!(pod = %pod.key(), error = stdx::error::chain(&error), "cannot say why the pod waits");
        }
    }

    fn lap(&self) -> Lap<'_> {
        self.metrics.lap(self.config.ambient.clock)
    }

    fn since(&self, moment: Instant) -> Duration {
        self.config.ambient.clock.instant().duration_since(moment)
    }

    fn update(&self, change: impl FnOnce(&mut State, Instant)) {
        change(&mut self.lock(), self.config.ambient.clock.instant());
        self.wake.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn status_of<T, E>(result: &Result<T, E>) -> &'static str {
    if result.is_ok() { "Success" } else { "Error" }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
