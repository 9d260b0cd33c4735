//! The loop: take a pod, decide, assume, bind in the background.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::k8s::api::core::v1::{Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod};
use api::k8s::api::storage::v1::{CSINode, StorageClass};
use client::CallError;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use reconcile::{Informers, Recorder};
use tokio::sync::Notify;

use crate::Config;
use crate::binding::{bind, plan_condition, set_condition};
use crate::diagnosis::Diagnosis;
use crate::framework::{Placement, decide};
use crate::intake::State;
use crate::pod::PodInfo;
use crate::prebind::{Binder, Labels, VolumeError};
use crate::volumes::VolumePlan;

/// Bindings under way at once; more pods wait in the queue.
const BINDINGS: usize = 64;

pub(crate) async fn run(config: Config) {
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
        state: Mutex::default(),
        wake: Notify::new(),
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
    nodes.synced().await;
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
    pod: Arc<PodInfo>,
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
        let pod = loop {
            let attempt = state.queue.take(self.config.ambient.clock.instant())?;
            if !state.cache.is_placed(&attempt.pod) && !attempt.pod.is_going() {
                break attempt.pod;
            }
        };
        let snapshot = state.cache.snapshot();
        match decide(&pod, &snapshot, &self.config.ambient.random) {
            Ok(Placement { node, volumes }) => {
                state.cache.assume(&pod, &node);
                if volumes.is_empty() {
                    drop(state);
                    return Some(self.bind(pod, node));
                }
                state.cache.volumes_mut().promise(&volumes, &node);
                let chosen = snapshot.nodes.iter().find(|info| info.name == node);
                let labels = chosen.and_then(|info| info.labels()).cloned().unwrap_or_default();
                drop(state);
                Some(self.bind_volumes(pod, node, labels, volumes))
            }
            Err(diagnosis) => {
                let now = self.config.ambient.clock.instant();
                state.queue.unschedulable(&pod, diagnosis.plugins.clone(), now);
                drop(state);
                Some(self.report_unschedulable(&pod, &diagnosis))
            }
        }
    }

    fn bind(self: &Arc<Self>, pod: Arc<PodInfo>, node: String) -> Afterwork {
        let scheduler = Arc::clone(self);
        Box::pin(async move {
            match bind(&scheduler.config.client, &pod.pod, &node).await {
                Ok(()) => {
                    let message = format!("Successfully assigned {} to {node}", pod.key());
                    scheduler.recorder.normal(&*pod.pod, "Scheduled", message);
                    Remainder::Nothing
                }
                Err(error) => Remainder::Failed(BindingFailure { pod, error: BindError::Pod(error) }),
            }
        })
    }

    /// Binds the pod's claims, then the pod.
    fn bind_volumes(self: &Arc<Self>, pod: Arc<PodInfo>, node: String, labels: Labels, plan: VolumePlan) -> Afterwork {
        let scheduler = Arc::clone(self);
        Box::pin(async move {
            if let Err(error) = scheduler.binder.write(&plan, &node).await {
                return scheduler.volumes_failed(pod, &plan, error);
            }
            Remainder::Wait(Box::pin(async move {
                match scheduler.binder.wait(&plan, &node, &labels).await {
                    Ok(()) => {
                        scheduler.lock().cache.volumes_mut().settle(&plan);
                        scheduler.bind(pod, node).await
                    }
                    Err(error) => scheduler.volumes_failed(pod, &plan, error),
                }
            }))
        })
    }

    fn volumes_failed(&self, pod: Arc<PodInfo>, plan: &VolumePlan, error: VolumeError) -> Remainder {
        self.lock().cache.volumes_mut().settle(plan);
        Remainder::Failed(BindingFailure { pod, error: BindError::Volumes(error) })
    }

    fn binding_failed(self: &Arc<Self>, failure: &BindingFailure) -> Afterwork {
        let BindingFailure { pod, error } = failure;
        {
            let mut state = self.lock();
            state.cache.forget_assumed(pod);
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
        self.report(pod, "SchedulerError", message)
    }

    fn report_unschedulable(self: &Arc<Self>, pod: &Arc<PodInfo>, diagnosis: &Diagnosis) -> Afterwork {
        self.report(pod, "Unschedulable", diagnosis.message())
    }

    /// Says on the pod and by an event why it waits.
    fn report(self: &Arc<Self>, pod: &Arc<PodInfo>, reason: &'static str, message: String) -> Afterwork {
        self.recorder.warning(&*pod.pod, "FailedScheduling", message.clone());
        let (scheduler, pod) = (Arc::clone(self), Arc::clone(pod));
        Box::pin(async move {
            let now = scheduler.config.ambient.clock.now_seconds();
            if let Some(condition) = plan_condition(&pod.pod, reason, &message, now)
                && let Err(error) = set_condition(&scheduler.config.client, &pod.pod, &condition).await
                && !error.is_not_found()
            {
                tracing::warn!(pod = %pod.key(), error = stdx::error::chain(&error), "cannot say why the pod waits");
            }
            Remainder::Nothing
        })
    }

    fn update(&self, change: impl FnOnce(&mut State, tokio::time::Instant)) {
        change(&mut self.lock(), self.config.ambient.clock.instant());
        self.wake.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn sleep_until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
