//! The loop: take a pod, decide, assume, bind in the background.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::k8s::api::core::v1::{Namespace, Node, Pod};
use client::CallError;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use reconcile::{Informers, Recorder};
use tokio::sync::Notify;

use crate::Config;
use crate::binding::{bind, plan_condition, set_condition};
use crate::diagnosis::Diagnosis;
use crate::framework::decide;
use crate::intake::State;
use crate::pod::PodInfo;

/// Bindings under way at once; more pods wait in the queue.
const BINDINGS: usize = 64;

pub(crate) async fn run(config: Config) {
    let scheduler = Arc::new(Scheduler {
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
    watch(&scheduler).await;
    scheduler.schedule().await;
}

/// Connects the caches; returns once they are filled.
async fn watch(scheduler: &Arc<Scheduler>) {
    let config = &scheduler.config;
    let informers = Informers::new(config.client.clone(), &config.ambient, config.cancel.clone());
    let (nodes, namespaces, pods) = (informers.of::<Node>(), informers.of::<Namespace>(), informers.of::<Pod>());
    let target = Arc::clone(scheduler);
    nodes.on_change(move |old, new| target.update(|state, now| state.node_changed(old, new, now)));
    let target = Arc::clone(scheduler);
    namespaces.on_change(move |old, new| target.update(|state, now| state.namespace_changed(old, new, now)));
    let target = Arc::clone(scheduler);
    pods.on_change(move |old, new| target.update(|state, now| state.pod_changed(old, new, now)));
    nodes.synced().await;
    namespaces.synced().await;
    pods.synced().await;
}

struct Scheduler {
    config: Config,
    recorder: Recorder,
    state: Mutex<State>,
    /// Something changed that may make a pod ready.
    wake: Notify,
}

/// What a background call has left to do.
type Afterwork = BoxFuture<'static, Option<BindingFailure>>;

struct BindingFailure {
    pod: Arc<PodInfo>,
    error: CallError,
}

impl Scheduler {
    async fn schedule(self: &Arc<Self>) {
        let mut background: FuturesUnordered<Afterwork> = FuturesUnordered::new();
        loop {
            while background.len() < BINDINGS
                && let Some(afterwork) = self.try_next()
            {
                background.push(afterwork);
            }
            let deadline = self.lock().queue.deadline();
            tokio::select! {
                biased;
                Some(finished) = background.next(), if !background.is_empty() => {
                    if let Some(failure) = finished {
                        background.push(self.binding_failed(&failure));
                    }
                }
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
            Ok(node) => {
                state.cache.assume(&pod, &node);
                drop(state);
                Some(self.bind(pod, node))
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
                    None
                }
                Err(error) => Some(BindingFailure { pod, error }),
            }
        })
    }

    fn binding_failed(self: &Arc<Self>, failure: &BindingFailure) -> Afterwork {
        let BindingFailure { pod, error } = failure;
        {
            let mut state = self.lock();
            state.cache.forget_assumed(pod);
            let now = self.config.ambient.clock.instant();
            if error.is_not_found() {
                state.queue.remove(&pod.key());
            } else {
                state.queue.failed(pod, now);
            }
        }
        let message = format!("running Bind plugin \"DefaultBinder\": {error}");
        tracing::debug!(pod = %pod.key(), error = message, "binding failed");
        if error.is_not_found() {
            return Box::pin(std::future::ready(None));
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
            None
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
