//! The worker of one pod: it looks, plans, acts and reports, and then waits for something to happen.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::k8s::api::core::v1::{Pod, PodStatus};
use cri::{
    ContainerStatsRequest, RemoveContainerRequest, RemovePodSandboxRequest, StopPodSandboxRequest,
    UpdateContainerResourcesRequest,
};
use jiff::{SignedDuration, Timestamp};
use reconcile::EventType::{Normal, Warning};
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::admit::Rejection;
use super::backoff::Backoffs;
use super::observed::{self, Observed, State};
use super::plan::{self, Action, Cause, Ending, Eviction, Plan, Situation, StartFailure, Volumes};
use super::resize::{self, Change, Grants, Progress};
use super::start::{self, Attachment, ContainerStart, Failed};
use super::status::{self, Facts};
use super::stop::ContainerStop;
use super::{Context, cgroups, mirror, publish, spec};
use crate::config::{names, qos, resources};
use crate::housekeeping::logs;
use crate::probe::{Health, Prober};
use crate::volumes::{self, ReadyVolumes};

/// A start that failed for want of something in the API or on the node is tried again after this.
const RETRY_START: SignedDuration = SignedDuration::from_secs(10);
/// A sandbox, or a call that failed, is tried again after this, and then twice as long each time.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_CAP: Duration = Duration::from_secs(60);
/// How long a program that cannot be started reads RunContainerError before it reads CrashLoopBackOff.
const SHOW_RUN_ERROR_FOR: SignedDuration = SignedDuration::from_secs(1);
/// What changes while a new pod starts, or a deleted one ends, waits this long for the rest, so that what is soon over
/// is told in a word.
const HOLD_NEWS_FOR: SignedDuration = SignedDuration::from_millis(250);
/// A pod whose object is gone has no more time than this.
const GRACE_WHEN_GONE: SignedDuration = SignedDuration::from_secs(1);

/// What wakes a worker. Wakes that come while it works are one.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    mail: Mutex<Mail>,
    notify: Notify,
    /// Set by the worker while its pod wants more than the node has left.
    waits_for_room: AtomicBool,
}

#[derive(Debug, Default)]
struct Mail {
    pod: Option<Arc<Pod>>,
    gone: bool,
    references_changed: bool,
    /// The runtime or a probe has news.
    woken: bool,
    /// With the seconds of grace.
    eviction: Option<(Eviction, i64)>,
}

impl Mailbox {
    pub(crate) fn pod_changed(&self, pod: Arc<Pod>) {
        self.change(|mail| mail.pod = Some(pod));
    }

    pub(crate) fn pod_gone(&self) {
        self.change(|mail| mail.gone = true);
    }

    pub(crate) fn references_changed(&self) {
        self.change(|mail| mail.references_changed = true);
    }

    /// The node cannot keep the pod.
    pub(crate) fn evict(&self, eviction: Eviction, grace_seconds: i64) {
        self.change(|mail| mail.eviction = Some((eviction, grace_seconds)));
    }

    pub(crate) fn waits_for_room(&self) -> bool {
        self.waits_for_room.load(Ordering::Relaxed)
    }

    /// The runtime or a probe has news.
    pub(crate) fn wake(&self) {
        self.change(|mail| mail.woken = true);
    }

    /// Returns when there is something to look at. To a worker whose pod has this revision, the echo of what it wrote
    /// itself is nothing.
    async fn news(&self, known: u64) {
        loop {
            self.notify.notified().await;
            if self.mail.lock().unwrap_or_else(PoisonError::into_inner).is_news(known) {
                return;
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut Mail)) {
        change(&mut self.mail.lock().unwrap_or_else(PoisonError::into_inner));
        self.notify.notify_one();
    }

    fn take(&self) -> Mail {
        std::mem::take(&mut self.mail.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Mail {
    fn is_news(&self, known: u64) -> bool {
        // Pods of files have no revisions.
        let is_newer = self.pod.as_ref().is_some_and(|pod| known == 0 || revision(pod) > known);
        is_newer || self.gone || self.references_changed || self.woken || self.eviction.is_some()
    }
}

pub(crate) struct Worker {
    context: Arc<Context>,
    mailbox: Arc<Mailbox>,
    pod: Arc<Pod>,
    gone: bool,
    /// When the pod was first looked at, which is when it started.
    seen_at: Option<Timestamp>,
    observed: Observed,
    prober: Prober,
    backoffs: Backoffs,
    failures: BTreeMap<String, StartFailure>,
    attempts: BTreeMap<String, u32>,
    starting: Option<(String, CancellationToken)>,
    stopping: BTreeMap<String, Stopping>,
    volumes: Option<Arc<ReadyVolumes>>,
    volumes_stale: bool,
    /// Read when the pod is first looked at.
    grants: Option<Grants>,
    resize: Progress,
    ending: Option<Ending>,
    /// Everything has stopped and the volumes are released.
    finished: bool,
    /// The restart each BackOff event was about, so that one wait is told once.
    told: BTreeMap<String, (String, u32)>,
    /// Since when there is something that the API does not know.
    untold_since: Option<Timestamp>,
    tasks: JoinSet<Outcome>,
    retry: Retry,
}

#[derive(Debug)]
struct Stopping {
    deadline: Timestamp,
    task: AbortHandle,
    /// Set where it failed: until then it counts as under way.
    retry_at: Option<Timestamp>,
}

/// What a task of the worker brings back.
enum Outcome {
    Volumes(Result<Arc<ReadyVolumes>, Failed>),
    Started(String, Result<(), Failed>),
    Stopped(String, cri::Result<()>),
}

/// When to try again what failed without leaving a trace elsewhere.
#[derive(Debug, Default)]
struct Retry {
    failures: u32,
    at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    /// Look again at once.
    Again,
    Wait,
    Done,
}

impl Worker {
    pub(crate) fn new(context: Arc<Context>, mailbox: Arc<Mailbox>, pod: Arc<Pod>) -> Self {
        let woken = Arc::clone(&mailbox);
        let prober = Prober::new(Arc::clone(&context), Arc::new(move || woken.wake()));
        Worker {
            context,
            mailbox,
            pod,
            gone: false,
            seen_at: None,
            observed: Observed::default(),
            prober,
            backoffs: Backoffs::default(),
            failures: BTreeMap::new(),
            attempts: BTreeMap::new(),
            starting: None,
            stopping: BTreeMap::new(),
            volumes: None,
            volumes_stale: false,
            grants: None,
            resize: Progress::default(),
            ending: None,
            finished: false,
            told: BTreeMap::new(),
            untold_since: None,
            tasks: JoinSet::new(),
            retry: Retry::default(),
        }
    }

    /// The node does not take the pod. The first reason stands.
    pub(crate) fn reject(&mut self, rejection: Rejection) {
        if self.ending.is_some() {
            return;
        }
        self.context.pod_event(&self.pod, Warning, &rejection.reason, rejection.message.clone());
        let now = self.now();
        self.end(Cause::Rejected(rejection), now);
        self.context.mailboxes.set_leaving(spec::uid(&self.pod));
    }

    pub(crate) fn is_rejected(&self) -> bool {
        self.ending.is_some()
    }

    /// Gets the pod's processors, memory and devices before anything of it starts; a pod that had them keeps them.
    pub(crate) async fn allot(&mut self) {
        if self.pod.metadata.deletion_timestamp.is_some() || spec::has_ended(&self.pod) {
            return;
        }
        if let Err(rejection) = self.context.managers.admit(&self.pod).await {
            self.reject(rejection);
        }
    }

    /// Ends when nothing is left of the pod.
    pub(crate) async fn run(mut self) {
        loop {
            self.read_mail();
            let (flow, wake_at) = self.step().await;
            match flow {
                Flow::Done => return,
                Flow::Again => {}
                Flow::Wait => self.wait(wake_at).await,
            }
        }
    }

    fn read_mail(&mut self) {
        let mail = self.mailbox.take();
        if let Some(pod) = mail.pod
            && revision(&pod) >= revision(&self.pod)
        {
            let told = |pod: &Pod| (pod.metadata.labels.clone(), pod.metadata.annotations.clone());
            self.volumes_stale |= told(&pod) != told(&self.pod);
            self.pod = pod;
            self.context.references.follow(&self.pod);
        }
        if mail.references_changed {
            self.volumes_stale = true;
            // What was missing may be there now.
            self.failures.retain(|name, failure| !name.is_empty() && failure.reason != "CreateContainerConfigError");
        }
        self.gone |= mail.gone;
        if let Some((eviction, grace_seconds)) = mail.eviction.filter(|_| self.ending.is_none()) {
            let now = self.now();
            if eviction.has_event {
                self.context.pod_event(&self.pod, Warning, eviction.reason, eviction.message.clone());
            }
            let deadline = now.saturating_add(SignedDuration::from_secs(grace_seconds)).unwrap_or(now);
            self.end(Cause::Evicted(eviction), deadline);
        }
    }

    /// One look, plan and act; when to look again at the latest.
    async fn step(&mut self) -> (Flow, Option<Timestamp>) {
        let now = self.now();
        self.seen_at.get_or_insert(now);
        match observed::observe(&*self.context.runtime, spec::uid(&self.pod)).await {
            Ok(observed) => self.observed = observed,
            Err(status) => {
                tracing::warn!(pod = self.long_name(), error = %status, "the runtime cannot be read");
                return (Flow::Wait, Some(self.retry.later(now)));
            }
        }
        let deadline = self.decide_ending(now);
        if self.ending.is_none() {
            self.resize().await;
        }
        self.sync_probes();
        self.stopping.retain(|_, stopping| stopping.retry_at.map_or(!stopping.task.is_finished(), |at| at > now));
        let health = self.prober.health();
        let mut plan = self.plan(now, &health);
        self.tell_back_offs(&plan);
        // A start takes longer than to say so, and does not wait for the API's disk. The flow is the others' to decide.
        let (starts, mut others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut plan.actions).into_iter().partition(Action::is_start);
        self.act(starts).await;
        if self.is_leaving(&others) {
            // The next round tells of this one too, and takes but a moment; unless there is none.
            if self.act(std::mem::take(&mut others)).await == Flow::Again {
                return (Flow::Again, None);
            }
        }
        let mut wake_at = earliest(plan.wake_at, deadline);
        if !self.gone {
            match self.publish(&plan, &health, self.is_passing(&others)).await {
                Ok(held_until) => wake_at = earliest(wake_at, held_until),
                Err(error) => {
                    let pod = self.long_name();
                    tracing::warn!(pod, error = stdx::error::chain(&error), "the status was not written");
                    wake_at = earliest(wake_at, Some(self.retry.later(now)));
                }
            }
        }
        self.collect_garbage().await;
        let flow = self.act(others).await;
        if flow == Flow::Wait {
            self.refresh_volumes().await;
            wake_at = earliest(wake_at, self.volumes.as_ref().and_then(|volumes| volumes.refresh_at()));
            wake_at = earliest(wake_at, self.retry.at);
        }
        (flow, wake_at)
    }

    fn plan(&self, now: Timestamp, health: &BTreeMap<String, Health>) -> Plan {
        let stopping = self.stopping.iter().map(|(id, stopping)| (id.clone(), stopping.deadline)).collect();
        plan::plan(&Situation {
            pod: &self.pod,
            observed: &self.observed,
            now,
            ending: self.ending.as_ref(),
            volumes: if self.volumes.is_some() { Volumes::Ready } else { Volumes::Absent },
            health,
            backoffs: &self.backoffs,
            failures: &self.failures,
            starting: self.starting.as_ref().map(|(name, _)| name.as_str()),
            stopping: &stopping,
        })
    }

    /// Grants what the pod wants by now and brings it to the containers that run.
    async fn resize(&mut self) {
        let before = self.resize.clone();
        let (begins, error) = match self.try_resize().await {
            Ok(begins) => (begins, None),
            Err(error) => {
                tracing::warn!(pod = self.long_name(), error, "a resize failed");
                self.retry.later(self.now());
                (self.resize.is_under_way, Some(error))
            }
        };
        self.resize.error = error;
        self.resize.has_begun = self.resize.is_under_way;
        let granted = self.granted();
        for news in resize::news(&self.pod, &granted, &before, &self.resize, begins) {
            let event_type = if news.is_warning { Warning } else { Normal };
            self.context.pod_event(&self.pod, event_type, news.reason, news.message);
        }
    }

    /// The pod with what it was granted.
    fn granted(&self) -> Arc<Pod> {
        self.grants.as_ref().map_or_else(|| Arc::clone(&self.pod), |grants| grants.apply(&self.pod))
    }

    /// Whether there was something to change.
    async fn try_resize(&mut self) -> Result<bool, String> {
        let root_dir = &self.context.node.root_dir;
        let mut grants = match self.grants.take() {
            Some(grants) => grants,
            None => Grants::load(root_dir, &self.pod).map_err(|error| format!("reading what was granted: {error}"))?,
        };
        let before = grants.clone();
        grants.follow(&self.observed);
        let node = self.context.own_node();
        let others = || -> Vec<Arc<Pod>> {
            let active = self.context.mailboxes.active().into_iter();
            active.filter(|pod| spec::uid(pod) != spec::uid(&self.pod)).collect()
        };
        let fixed = self.context.managers.fixed_by(&self.pod).filter(|_| !grants.suffice(&self.pod));
        let pending = match fixed {
            Some(message) => Some((resize::INFEASIBLE, message.to_owned())),
            None => resize::grant(&mut grants, &self.pod, node.as_deref(), others),
        };
        let waits = pending.as_ref().is_some_and(|(reason, _)| *reason == resize::DEFERRED);
        self.mailbox.waits_for_room.store(waits, Ordering::Relaxed);
        // What was granted is on disk before it is in force.
        if grants != before {
            grants.save(root_dir, &self.pod).map_err(|error| format!("noting what was granted: {error}"))?;
        }
        let changes = resize::changes(&grants, &self.pod, &self.observed);
        let begins = !changes.is_empty();
        self.resize = Progress { pending, is_under_way: begins, ..Progress::default() };
        let effective = grants.apply(&self.pod);
        self.grants = Some(grants);
        if !changes.is_empty() {
            self.bound_pod(&effective)?;
        }
        for change in changes {
            match change {
                Change::Update { id, name } => self.update_container(&effective, id, &name).await?,
                Change::Restart { id, name } if !self.stopping.contains_key(&id) => {
                    let why = format!("Container {name} resize requires restart, will be restarted");
                    let grace = SignedDuration::from_secs(spec::termination_grace_seconds(&self.pod));
                    let deadline = self.now().saturating_add(grace).unwrap_or(Timestamp::MAX);
                    self.stop_container(id, name, why, deadline);
                }
                Change::Restart { .. } => {}
            }
        }
        Ok(begins)
    }

    fn bound_pod(&self, pod: &Pod) -> Result<(), String> {
        let cgroup = qos::cgroup_parent(&self.context.node.cgroup_root, pod);
        let limits = cgroups::Limits::of(pod, &self.context.node);
        let limits = if self.context.managers.has_own_cpus(pod) { limits.unthrottled() } else { limits };
        let bounded = cgroups::bound(&self.context.node.cgroup_mount, &cgroup, &limits);
        bounded.map_err(|error| format!("changing the pod's limits: {error}"))
    }

    async fn update_container(&mut self, effective: &Pod, id: String, name: &str) -> Result<(), String> {
        let Some((container, _)) = spec::find(effective, name) else { return Ok(()) };
        let limits = resources::for_container(effective, &container, &self.context.node);
        let request = ContainerStatsRequest { container_id: id.clone() };
        let stats = self.context.runtime.container_stats(request).await.map_err(|status| status.message)?.stats;
        let memory = stats.and_then(|stats| stats.memory?.working_set_bytes).map_or(0, |bytes| bytes.value);
        let limit = u64::try_from(limits.memory_limit_in_bytes).unwrap_or(0);
        if limit > 0 && memory > limit {
            return Err(format!(
                "attempting to set container {name:?} memory limit ({limit}) below current usage ({memory})"
            ));
        }
        let request = UpdateContainerResourcesRequest {
            container_id: id.clone(),
            linux: Some(limits),
            ..UpdateContainerResourcesRequest::default()
        };
        self.context.runtime.update_container_resources(request).await.map_err(|status| status.message)?;
        if let Some(grants) = &mut self.grants {
            grants.note_actuated(&id, name);
            let saved = grants.save(&self.context.node.root_dir, &self.pod);
            saved.map_err(|error| format!("noting what was granted: {error}"))?;
            let left = resize::changes(grants, &self.pod, &self.observed);
            self.resize.is_under_way = !left.is_empty();
        }
        Ok(())
    }

    /// Sees whether the pod is to end; when its active deadline is, if that is still to come.
    fn decide_ending(&mut self, now: Timestamp) -> Option<Timestamp> {
        let grace = |seconds: i64| now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(now);
        if self.gone && spec::is_static(&self.pod) {
            self.end(Cause::Deleted, grace(spec::termination_grace_seconds(&self.pod)));
            return None;
        }
        if self.gone {
            let deadline = now.saturating_add(GRACE_WHEN_GONE).unwrap_or(now);
            self.end(Cause::Deleted, deadline);
            return None;
        }
        if self.pod.metadata.deletion_timestamp.is_some() {
            let seconds = self.pod.metadata.deletion_grace_period_seconds;
            let seconds = seconds.unwrap_or_else(|| spec::termination_grace_seconds(&self.pod)).max(1);
            self.end(Cause::Deleted, grace(seconds));
            return None;
        }
        if self.ending.is_some() {
            return None;
        }
        let status = self.pod.status.as_ref();
        if matches!(status.and_then(|status| status.phase.as_deref()), Some("Succeeded" | "Failed")) {
            self.end(Cause::Terminal, grace(spec::termination_grace_seconds(&self.pod)));
            return None;
        }
        let told = status.and_then(|status| status.start_time.as_ref()).map(|time| time.0);
        let started = told.or(self.seen_at)?;
        let seconds = spec::spec(&self.pod).active_deadline_seconds?;
        let deadline = started.saturating_add(SignedDuration::from_secs(seconds)).ok()?;
        if deadline > now {
            return Some(deadline);
        }
        let message = "Pod was active on the node longer than the specified deadline";
        self.context.pod_event(&self.pod, Normal, "DeadlineExceeded", message);
        self.end(Cause::DeadlineExceeded, grace(spec::termination_grace_seconds(&self.pod)));
        None
    }

    /// Ends the pod, or hastens its end: a deadline only moves forward in the pod's life, never back.
    fn end(&mut self, cause: Cause, deadline: Timestamp) {
        let deadline = self.ending.as_ref().map_or(deadline, |ending| ending.deadline.min(deadline));
        self.ending = Some(Ending { cause, deadline });
    }

    fn sync_probes(&mut self) {
        let address = start::address(&self.context, &self.pod, &self.observed);
        self.prober.sync(&self.pod, &self.observed, &address, self.ending.is_some());
    }

    fn tell_back_offs(&mut self, plan: &Plan) {
        for (name, waiting) in &plan.waiting {
            let count = self.observed.latest(name).map_or(0, |latest| latest.restart_count);
            let attempt = self.attempts.get(name).copied().unwrap_or(0);
            let occasion = (waiting.reason.clone(), count.saturating_add(attempt));
            if self.told.get(name) == Some(&occasion) {
                continue;
            }
            match waiting.reason.as_str() {
                "CrashLoopBackOff" => {
                    let pod = spec::long_name(&self.pod);
                    let message = format!("Back-off restarting failed container {name} in pod {pod}");
                    self.context.container_event(&self.pod, name, Warning, "BackOff", message);
                }
                "ImagePullBackOff" => {
                    let message = plan::back_off_pulling(&self.pod, name);
                    self.context.container_event(&self.pod, name, Normal, "BackOff", message);
                    self.context.container_event(&self.pod, name, Warning, "Failed", "Error: ImagePullBackOff");
                }
                _ => continue,
            }
            self.told.insert(name.clone(), occasion);
        }
    }

    /// Whether nothing of a deleted pod runs any more, and only the way out is left: the sandbox, the volumes. Upstream
    /// tells of the end of all that in one word, too.
    fn is_leaving(&self, actions: &[Action]) -> bool {
        let is_deleted = self.ending.as_ref().is_some_and(|ending| ending.cause == Cause::Deleted);
        is_deleted && !self.finished && actions.iter().any(Action::is_way_out)
    }

    /// Whether the pod may soon be in another state, which all will want to know of rather than of this one.
    fn is_passing(&self, actions: &[Action]) -> bool {
        let is_deleted = self.ending.as_ref().is_some_and(|ending| ending.cause == Cause::Deleted);
        let stops = !self.stopping.is_empty() || actions.iter().any(Action::is_stop);
        (self.starting.is_some() && !has_run(&self.pod)) || (is_deleted && stops)
    }

    /// Tells the API what became of the pod; until when that waits, where it does.
    async fn publish(
        &mut self,
        plan: &Plan,
        health: &BTreeMap<String, Health>,
        is_passing: bool,
    ) -> Result<Option<Timestamp>, publish::PublishError> {
        let now = self.now();
        let facts = Facts {
            observed: &self.observed,
            waiting: &plan.waiting,
            health,
            ending: self.ending.as_ref(),
            starting: self.starting.as_ref().map(|(name, _)| name.as_str()),
            finished: self.finished,
            grants: self.grants.as_ref(),
            resize: &self.resize,
            host_ips: &self.context.node.node_ips,
            runtime_name: &self.context.node.runtime_name,
            seen_at: self.seen_at.unwrap_or(now),
            now,
        };
        let generate = |pod: &Pod| -> PodStatus { status::generate(pod, &facts) };
        if self.pod.status.as_ref() == Some(&generate(&self.pod)) && !spec::is_static(&self.pod) {
            self.untold_since = None;
            return Ok(None);
        }
        let hold_until = self.untold_since.get_or_insert(now).saturating_add(HOLD_NEWS_FOR).unwrap_or(now);
        if is_passing && hold_until > now {
            return Ok(Some(hold_until));
        }
        if spec::is_static(&self.pod) {
            let node = self.context.own_node();
            let pod = mirror::status(&self.context.client, &self.pod, node.as_deref(), generate).await?;
            self.pod = Arc::new(pod);
            self.untold_since = None;
            return Ok(None);
        }
        match publish::status(&self.context.client, &self.pod, generate).await? {
            Some(newest) => self.pod = Arc::new(newest),
            None => self.gone = true,
        }
        self.untold_since = None;
        Ok(None)
    }

    async fn act(&mut self, actions: Vec<Action>) -> Flow {
        let mut flow = if self.gone && self.ending.as_ref().is_none_or(|ending| ending.cause != Cause::Deleted) {
            Flow::Again
        } else {
            Flow::Wait
        };
        for action in actions {
            match action {
                Action::StartSandbox { attempt } => self.start_sandbox(Some(attempt)),
                Action::SetUpVolumes => self.start_sandbox(None),
                Action::StartContainer { name, restart_count, restarts_since } => {
                    self.start_container(name, restart_count, restarts_since);
                }
                Action::StopContainer { id, name, why, deadline } => self.stop_container(id, name, why, deadline),
                Action::StopSandbox { id } => flow = self.stop_sandbox(id).await,
                Action::CancelStart => {
                    if let Some((_, cancel)) = &self.starting {
                        cancel.cancel();
                    }
                }
                Action::Finish => flow = self.finish().await,
            }
        }
        flow
    }

    fn start_sandbox(&mut self, attempt: Option<u32>) {
        let (context, pod, observed) = (Arc::clone(&self.context), Arc::clone(&self.pod), self.observed.clone());
        let volumes = self.volumes.clone();
        self.start(String::new(), |cancel| async move {
            let volumes = match volumes {
                Some(volumes) => Ok(volumes),
                None => start::set_up_volumes(&context, &pod, &observed, Attachment::Awaited(&cancel)).await,
            };
            match (volumes, attempt) {
                (Ok(volumes), Some(attempt)) => {
                    Outcome::Volumes(start::start_sandbox(&context, &pod, attempt).await.map(|()| volumes))
                }
                (volumes, _) => Outcome::Volumes(volumes),
            }
        });
    }

    fn start_container(&mut self, name: String, restart_count: u32, restarts_since: Option<Timestamp>) {
        let Some(volumes) = self.volumes.clone() else { return };
        let pod = self.granted();
        if let Some(exited_at) = restarts_since {
            self.backoffs.advance(&name, exited_at, self.now());
        }
        let (context, observed) = (Arc::clone(&self.context), self.observed.clone());
        self.start(name.clone(), |cancel| async move {
            let start = ContainerStart { context, pod, observed, volumes, name: name.clone(), restart_count, cancel };
            Outcome::Started(name, start.run().await)
        });
    }

    /// Puts a start on its lane. The token is cancelled when the pod is to end meanwhile.
    fn start<W>(&mut self, name: String, work: impl FnOnce(CancellationToken) -> W)
    where
        W: Future<Output = Outcome> + Send + 'static,
    {
        let cancel = CancellationToken::new();
        self.starting = Some((name, cancel.clone()));
        self.tasks.spawn(work(cancel));
    }

    fn stop_container(&mut self, id: String, name: String, why: String, deadline: Timestamp) {
        if let Some(slower) = self.stopping.remove(&id) {
            slower.task.abort();
        }
        let stop = ContainerStop {
            context: Arc::clone(&self.context),
            pod: Arc::clone(&self.pod),
            id: id.clone(),
            name,
            why,
            deadline,
            address: start::address(&self.context, &self.pod, &self.observed),
        };
        let stopped = id.clone();
        let task = self.tasks.spawn(async move { Outcome::Stopped(stopped, stop.run().await) });
        self.stopping.insert(id, Stopping { deadline, task, retry_at: None });
    }

    async fn stop_sandbox(&mut self, id: String) -> Flow {
        match self.context.runtime.stop_pod_sandbox(StopPodSandboxRequest { pod_sandbox_id: id }).await {
            Ok(_) => {
                self.retry.succeeded();
                Flow::Again
            }
            Err(status) => {
                let message = format!("error killing pod: failed to stop sandbox: {status}");
                self.context.pod_event(&self.pod, Warning, "FailedKillPod", message);
                self.retry.later(self.now());
                Flow::Wait
            }
        }
    }

    /// Releases what the pod held. Of a deleted pod nothing stays.
    async fn finish(&mut self) -> Flow {
        let uid = spec::uid(&self.pod).to_owned();
        if !self.finished {
            self.context.references.forget(&uid);
            self.context.tokens.forget(&uid);
            self.context.managers.release(&uid);
            self.context.mounted_claims.set(&uid, Vec::new());
            self.context.probe_counts.retain(|key| key.pod_uid != uid);
            if let Err(error) = volumes::tear_down(&self.context.node.root_dir, &uid) {
                tracing::warn!(pod = self.long_name(), error = stdx::error::chain(&error), "volumes were not released");
                self.retry.later(self.now());
                return Flow::Wait;
            }
            if self.context.volumes_in_use.release(&uid) {
                self.context.node_changed.notify_one();
            }
            self.volumes = None;
            self.finished = true;
            // The last status is written on the next round.
            return Flow::Again;
        }
        if self.ending.as_ref().is_none_or(|ending| ending.cause != Cause::Deleted) {
            return Flow::Wait;
        }
        match self.remove_everything(&uid).await {
            Ok(()) => Flow::Done,
            Err(message) => {
                tracing::warn!(pod = self.long_name(), error = message, "the pod was not removed");
                self.retry.later(self.now());
                Flow::Wait
            }
        }
    }

    async fn remove_everything(&mut self, uid: &str) -> Result<(), String> {
        if spec::is_static(&self.pod) {
            mirror::delete(&self.context.client, &self.pod).await.map_err(|error| stdx::error::chain(&error))?;
        } else if !self.gone {
            publish::delete(&self.context.client, &self.pod).await.map_err(|error| stdx::error::chain(&error))?;
            self.gone = true;
        }
        for container in &self.observed.containers {
            let request = RemoveContainerRequest { container_id: container.id.clone() };
            self.context.runtime.remove_container(request).await.map_err(|status| status.message)?;
        }
        for sandbox in &self.observed.sandboxes {
            let request = RemovePodSandboxRequest { pod_sandbox_id: sandbox.id.clone() };
            self.context.runtime.remove_pod_sandbox(request).await.map_err(|status| status.message)?;
        }
        volumes::remove_pod_dir(&self.context.node.root_dir, uid).map_err(|error| stdx::error::chain(&error))?;
        let cgroup = qos::cgroup_parent(&self.context.node.cgroup_root, &self.pod);
        if let Err(error) = cgroups::remove(&self.context.node.cgroup_mount, &cgroup) {
            // Of no harm: it is empty, or it tells who is still in it.
            tracing::debug!(pod = self.long_name(), cgroup, %error, "the pod's cgroup was not removed");
        }
        let logs = names::log_dir(&self.context.node.pod_log_dir, &self.pod);
        match std::fs::remove_dir_all(&logs) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.to_string()),
            _ => Ok(()),
        }
    }

    /// Of each container the last end is kept, for its logs and its exit code; of old sandboxes none.
    async fn collect_garbage(&mut self) {
        let (containers, sandboxes) = garbage(&self.observed);
        for (id, log_path) in containers {
            let request = RemoveContainerRequest { container_id: id.clone() };
            match self.context.runtime.remove_container(request).await {
                Ok(_) => {
                    if let Err(error) = logs::remove(Path::new(&log_path)) {
                        tracing::warn!(log_path, %error, "a dead container's logs were not removed");
                    }
                }
                Err(status) => tracing::warn!(container = id, error = %status, "a dead container was not removed"),
            }
        }
        for id in sandboxes {
            let request = RemovePodSandboxRequest { pod_sandbox_id: id.clone() };
            if let Err(status) = self.context.runtime.remove_pod_sandbox(request).await {
                tracing::warn!(sandbox = id, error = %status, "an old sandbox was not removed");
            }
        }
    }

    /// Brings files up to date with what they show, and tokens before they expire.
    async fn refresh_volumes(&mut self) {
        let Some(current) = &self.volumes else { return };
        let due = current.refresh_at().is_some_and(|at| at <= self.now());
        if !(due || self.volumes_stale) || self.ending.is_some() || self.starting.is_some() {
            return;
        }
        match start::set_up_volumes(&self.context, &self.pod, &self.observed, Attachment::Stands).await {
            Ok(volumes) => {
                self.volumes = Some(volumes);
                self.volumes_stale = false;
                self.retry.succeeded();
            }
            Err(_) => {
                self.retry.later(self.now());
            }
        }
    }

    async fn wait(&mut self, wake_at: Option<Timestamp>) {
        let now = self.now();
        let span = wake_at.map(|at| Duration::try_from(at.duration_since(now)).unwrap_or_default());
        let deadline = async {
            match span {
                // A timer may fire within its own millisecond; the calendar must have passed the moment.
                Some(span) => self.context.ambient.clock.sleep(span + Duration::from_millis(1)).await,
                None => std::future::pending().await,
            }
        };
        let outcome = tokio::select! {
            () = self.mailbox.news(revision(&self.pod)) => None,
            Some(outcome) = self.tasks.join_next() => Some(outcome),
            () = deadline => None,
        };
        if self.retry.at.is_some_and(|at| at <= self.now()) {
            self.retry.at = None;
        }
        match outcome {
            Some(Ok(outcome)) => self.take_outcome(outcome),
            Some(Err(error)) if error.is_panic() => {
                tracing::error!(pod = self.long_name(), error = %error, "a task of the pod panicked");
                self.starting = None;
            }
            Some(Err(_)) | None => {}
        }
    }

    fn take_outcome(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Volumes(result) => {
                self.starting = None;
                match result {
                    Ok(volumes) => {
                        self.volumes = Some(volumes);
                        self.volumes_stale = false;
                        self.succeeded("");
                    }
                    Err(failed) => self.failed("", failed),
                }
            }
            Outcome::Started(name, result) => {
                self.starting = None;
                match result {
                    Ok(()) => self.succeeded(&name),
                    Err(failed) => self.failed(&name, failed),
                }
            }
            Outcome::Stopped(id, Ok(())) => drop(self.stopping.remove(&id)),
            Outcome::Stopped(id, Err(status)) => {
                tracing::warn!(pod = self.long_name(), container = id, error = %status, "a container was not stopped");
                let retry_at = self.retry.later(self.now());
                if let Some(stopping) = self.stopping.get_mut(&id) {
                    stopping.retry_at = Some(retry_at);
                }
            }
        }
    }

    fn succeeded(&mut self, name: &str) {
        self.failures.remove(name);
        self.attempts.remove(name);
        self.backoffs.forget(&image_key(name));
    }

    fn failed(&mut self, name: &str, failed: Failed) {
        let now = self.now();
        let attempt = self.attempts.entry(name.to_owned()).or_default();
        *attempt = attempt.saturating_add(1);
        let later = |wait: SignedDuration| now.saturating_add(wait).unwrap_or(now);
        let retry_at = match failed.reason {
            "ErrImagePull" | "InvalidImageName" => {
                let key = image_key(name);
                self.backoffs.advance(&key, now, now);
                self.backoffs.waiting(&key, now, now).map_or(now, |(_, until)| until)
            }
            _ if name.is_empty() => later(doubled(*attempt)),
            // What ran and ended waits as every crash does.
            "PostStartHookError" => now,
            // So does what could not be run; the error itself is to be seen first.
            start::RUN_CONTAINER_ERROR => later(SHOW_RUN_ERROR_FOR),
            _ => later(RETRY_START),
        };
        let Failed { reason, message } = failed;
        let failure = StartFailure { reason: reason.to_owned(), message, failed_at: now, retry_at };
        self.failures.insert(name.to_owned(), failure);
    }

    fn now(&self) -> Timestamp {
        self.context.ambient.clock.now()
    }

    fn long_name(&self) -> String {
        spec::long_name(&self.pod)
    }
}

impl Retry {
    fn later(&mut self, now: Timestamp) -> Timestamp {
        self.failures = self.failures.saturating_add(1);
        let at = now.saturating_add(doubled(self.failures)).unwrap_or(now);
        self.at = Some(at);
        at
    }

    fn succeeded(&mut self) {
        *self = Retry::default();
    }
}

/// 1 s, 2 s, 4 s … 60 s.
fn doubled(failures: u32) -> SignedDuration {
    let wait = RETRY_FIRST.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(RETRY_CAP);
    SignedDuration::try_from(wait).unwrap_or(SignedDuration::ZERO)
}

/// Whether the API has heard of the pod as more than pending.
fn has_run(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    phase.is_some_and(|phase| phase != "Pending")
}

fn image_key(container: &str) -> String {
    format!("image/{container}")
}

fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

/// Of one object's versions the higher is the newer.
fn revision(pod: &Pod) -> u64 {
    pod.metadata.resource_version.as_deref().and_then(|version| version.parse().ok()).unwrap_or(0)
}

/// Ids and logs of dead containers that have a later end of the same name, and ids of dead sandboxes
/// behind the current one that hold no container any more.
fn garbage(observed: &Observed) -> (Vec<(String, String)>, Vec<String>) {
    let mut seen = std::collections::BTreeSet::new();
    let mut dead = Vec::new();
    for container in &observed.containers {
        if matches!(container.state, State::Exited(_)) && !seen.insert(container.name.as_str()) {
            dead.push((container.id.clone(), container.log_path.clone()));
        }
    }
    let kept = |sandbox: &str| {
        let mut containers = observed.containers.iter().filter(|container| container.sandbox_id == sandbox);
        containers.any(|container| !dead.iter().any(|(id, _)| id == &container.id))
    };
    let sandboxes = observed.sandboxes.iter().skip(1).filter(|sandbox| !sandbox.ready && !kept(&sandbox.id));
    (dead.clone(), sandboxes.map(|sandbox| sandbox.id.clone()).collect())
}

#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;
