//! The node's pods: one worker for each, and who wakes it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use api::k8s::api::core::v1::Pod;
use cri::{
    ContainerEventResponse, ContainerEventType, ListContainersRequest, ListPodSandboxRequest, RemovePodSandboxRequest,
    StopPodSandboxRequest,
};
use futures::StreamExt;
use reconcile::Informer;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::admit::{self, Rejection, Verdict};
use super::plan::Eviction;
use super::worker::{Mailbox, Worker};
use super::{Context, labels, spec};
use crate::eviction::local::has_limits;
use crate::volumes;

/// How long to wait before listening to a runtime again that hung up.
const RECONNECT: Duration = Duration::from_secs(1);
/// A critical pod waits at least so long for one that makes room.
const LEAST_PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Pods {
    context: Arc<Context>,
    mailboxes: Arc<Mailboxes>,
    /// Moves whenever a pod comes, changes or goes.
    moved: watch::Sender<u64>,
    limited: Notify,
    cancel: CancellationToken,
}

/// What is to be done with a pod that comes.
#[derive(Debug)]
enum Judgement {
    /// The node had it before.
    Known,
    AtOnce(Rejection),
    /// Once processors, memory and devices were given out, where that succeeds.
    After(Verdict),
}

/// Every worker's mailbox by pod uid.
#[derive(Debug, Default)]
pub(crate) struct Mailboxes {
    by_uid: Mutex<BTreeMap<String, Entry>>,
}

/// A pod that has a worker.
#[derive(Debug)]
struct Entry {
    mailbox: Arc<Mailbox>,
    pod: Arc<Pod>,
    /// It was not taken, or is being evicted: it counts as gone.
    is_leaving: bool,
}

impl Mailboxes {
    pub(crate) fn references_changed(&self, uid: &str) {
        if let Some(entry) = self.lock().get(uid) {
            entry.mailbox.references_changed();
        }
    }

    /// The pods that the node has taken and that have not ended.
    pub(crate) fn active(&self) -> Vec<Arc<Pod>> {
        self.lock().values().filter(|entry| entry.is_active()).map(|entry| Arc::clone(&entry.pod)).collect()
    }

    /// The node cannot keep it: it counts as gone.
    pub(crate) fn set_leaving(&self, uid: &str) {
        if let Some(entry) = self.lock().get_mut(uid) {
            entry.is_leaving = true;
        }
        self.wake_waiting_for_room();
    }

    /// There is room again: whoever waits for some looks anew.
    fn wake_waiting_for_room(&self) {
        for entry in self.lock().values().filter(|entry| entry.mailbox.waits_for_room()) {
            entry.mailbox.wake();
        }
    }

    fn wake(&self, uid: &str) {
        if let Some(entry) = self.lock().get(uid) {
            entry.mailbox.wake();
        }
    }

    fn wake_all(&self) {
        for entry in self.lock().values() {
            entry.mailbox.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.by_uid.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn is_active(&self) -> bool {
        !self.is_leaving && !spec::has_ended(&self.pod)
    }
}

impl Pods {
    pub(crate) fn new(context: Arc<Context>, cancel: CancellationToken) -> Arc<Self> {
        let mailboxes = Arc::clone(&context.mailboxes);
        let (moved, limited) = (watch::Sender::new(0), Notify::new());
        Arc::new(Pods { context, mailboxes, moved, limited, cancel })
    }

    /// Follows the informer of this node's pods; returns at once.
    pub(crate) fn follow(self: &Arc<Self>, pods: &Informer<Pod>) {
        let weak = Arc::downgrade(self);
        pods.on_change(move |old, new| {
            let Some(this) = Weak::upgrade(&weak) else { return };
            match (old, new) {
                (old, Some(new)) => {
                    // The same name with another uid is another pod.
                    if let Some(old) = old.filter(|old| old.metadata.uid != new.metadata.uid) {
                        this.removed(old);
                    }
                    this.changed(new);
                }
                (Some(old), None) => this.removed(old),
                (None, None) => {}
            }
        });
    }

    /// Runs a pod that a file tells of.
    pub(crate) fn add_static(self: &Arc<Self>, pod: Arc<Pod>) {
        self.changed(&pod);
    }

    /// Its file is gone, or tells of another.
    pub(crate) fn remove_static(&self, uid: &str) {
        if let Some(entry) = self.mailboxes.lock().get(uid) {
            entry.mailbox.pod_gone();
        }
    }

    pub(crate) fn static_pods(&self) -> Vec<Arc<Pod>> {
        let mailboxes = self.mailboxes.lock();
        mailboxes.values().map(|entry| Arc::clone(&entry.pod)).filter(|pod| spec::is_static(pod)).collect()
    }

    /// Returns when nothing is left of the pod.
    pub(crate) async fn removed_entirely(&self, uid: &str) {
        let mut moved = self.moved.subscribe();
        while self.mailboxes.lock().contains_key(uid) && moved.changed().await.is_ok() {}
    }

    /// What the API shows of a static pod: the pod itself looks after it; what shows none is taken away.
    fn mirror_changed(self: &Arc<Self>, mirror: &Arc<Pod>) {
        let uid = spec::uid(mirror);
        if self.mailboxes.lock().contains_key(uid) {
            self.mailboxes.wake(uid);
            return;
        }
        let (client, mirror) = (self.context.client.clone(), Arc::clone(mirror));
        tokio::spawn(async move {
            if let Err(error) = super::mirror::delete(&client, &mirror).await {
                tracing::warn!(error = stdx::error::chain(&error), "a mirror that shows no pod was not removed");
            }
        });
    }

    fn changed(self: &Arc<Self>, pod: &Arc<Pod>) {
        if spec::is_mirror(pod) {
            self.mirror_changed(pod);
            return;
        }
        let uid = spec::uid(pod).to_owned();
        let mut mailboxes = self.mailboxes.lock();
        if let Some(entry) = mailboxes.get_mut(&uid) {
            entry.pod = Arc::clone(pod);
            entry.mailbox.pod_changed(Arc::clone(pod));
            drop(mailboxes);
            self.mailboxes.wake_waiting_for_room();
            self.moved.send_modify(|count| *count = count.wrapping_add(1));
            return;
        }
        drop(mailboxes);
        let mailbox = Arc::new(Mailbox::default());
        let (context, own_mailbox, own_pod) = (Arc::clone(&self.context), Arc::clone(&mailbox), Arc::clone(pod));
        let verdict = self.admit(pod);
        let is_leaving =
            !matches!(verdict, Judgement::Known | Judgement::After(Verdict::Admit | Verdict::AdmitAfter(_)));
        self.mailboxes.lock().insert(uid.clone(), Entry { mailbox, pod: Arc::clone(pod), is_leaving });
        self.context.references.follow(pod);
        let worker = Worker::new(context, own_mailbox, own_pod);
        if has_limits(pod) {
            self.limited.notify_one();
        }
        let this = Arc::clone(self);
        tokio::spawn(async move {
            let cancel = this.cancel.clone();
            if cancel.run_until_cancelled(this.take_in(worker, verdict)).await.is_some() {
                this.mailboxes.lock().remove(&uid);
                this.context.volumes_in_use.forget(&uid);
                this.mailboxes.wake_waiting_for_room();
                this.moved.send_modify(|count| *count = count.wrapping_add(1));
            }
        });
    }

    /// A pod that was taken before stays, whatever has changed since.
    fn admit(&self, pod: &Pod) -> Judgement {
        let is_known = pod.status.as_ref().is_some_and(|status| status.start_time.is_some());
        if is_known || spec::has_ended(pod) || pod.metadata.deletion_timestamp.is_some() {
            return Judgement::Known;
        }
        if self.context.is_shutting_down.load(Ordering::Relaxed) {
            return Judgement::AtOnce(Rejection {
                reason: "NodeShutdown".to_owned(),
                message: "Pod was rejected as the node is shutting down.".to_owned(),
            });
        }
        let node = self.context.own_node();
        let situation = admit::Situation {
            pod,
            node: node.as_deref(),
            node_name: &self.context.node.node_name,
            pressure: self.context.pressures.get(),
            has_app_armor: self.context.node.has_app_armor,
            plugin_resources: &self.context.managers.devices.amounts().into_keys().collect(),
            others: &self.active(),
        };
        match admit::refuse_at_once(&situation) {
            Some(rejection) => Judgement::AtOnce(rejection),
            // Decided now, while it is known who came before; it counts once the managers have been asked.
            None => Judgement::After(admit::judge(&situation)),
        }
    }

    /// From the pod's first moment on this node to its last.
    async fn take_in(&self, mut worker: Worker, judgement: Judgement) {
        if let Judgement::AtOnce(rejection) = judgement {
            worker.reject(rejection);
            return worker.run().await;
        }
        worker.allot().await;
        match judgement {
            Judgement::After(Verdict::Reject(rejection)) => worker.reject(rejection),
            Judgement::After(Verdict::AdmitAfter(victims)) if !worker.is_rejected() => self.make_room(&victims).await,
            _ => {}
        }
        worker.run().await;
    }

    /// Ends pods for a critical one's sake, each with the grace it asks for.
    async fn make_room(&self, victims: &[Arc<Pod>]) {
        for victim in victims {
            let grace_seconds = spec::termination_grace_seconds(victim);
            self.evict(Eviction::preemption(victim), grace_seconds);
            let seconds = u64::try_from(grace_seconds.saturating_add(grace_seconds / 2)).unwrap_or(0);
            let patience = Duration::from_secs(seconds).max(LEAST_PATIENCE);
            if tokio::time::timeout(patience, self.ended(spec::uid(victim))).await.is_err() {
                tracing::warn!(pod = spec::long_name(victim), "a pod that makes room has not ended yet");
            }
        }
    }

    fn removed(&self, pod: &Pod) {
        let mailboxes = self.mailboxes.lock();
        let Some(entry) = mailboxes.get(spec::uid(pod)) else { return };
        if spec::is_mirror(pod) {
            // The pod goes on, and shows itself anew.
            entry.mailbox.wake();
        } else {
            entry.mailbox.pod_gone();
        }
    }

    /// The pods that the node has taken and that have not ended.
    pub(crate) fn active(&self) -> Vec<Arc<Pod>> {
        self.mailboxes.active()
    }

    /// Uids of pods that have ended and are still known.
    pub(crate) fn ended_pods(&self) -> BTreeSet<String> {
        let mailboxes = self.mailboxes.lock();
        mailboxes.iter().filter(|(_, entry)| spec::has_ended(&entry.pod)).map(|(uid, _)| uid.clone()).collect()
    }

    pub(crate) fn evict(&self, eviction: Eviction, grace_seconds: i64) {
        let mut mailboxes = self.mailboxes.lock();
        let Some(entry) = mailboxes.get_mut(&eviction.uid) else { return };
        tracing::warn!(
            pod = spec::long_name(&entry.pod),
            reason = eviction.reason,
            message = eviction.message,
            "a pod must go"
        );
        entry.is_leaving = true;
        entry.mailbox.evict(eviction, grace_seconds);
    }

    /// Returns when the pod has ended or is gone.
    pub(crate) async fn ended(&self, uid: &str) {
        let mut moved = self.moved.subscribe();
        let lives = || self.mailboxes.lock().get(uid).is_some_and(|entry| !spec::has_ended(&entry.pod));
        while lives() && moved.changed().await.is_ok() {}
    }

    /// Returns when there is a pod with limits of its own on disk.
    pub(crate) async fn limits_changed(&self) {
        self.limited.notified().await;
    }

    /// Wakes workers at the runtime's events, until cancelled.
    pub(crate) async fn listen(&self) {
        loop {
            match self.context.runtime.container_events().await {
                Ok(mut events) => {
                    // What happened before the subscription, each worker sees by looking.
                    self.mailboxes.wake_all();
                    self.context.runtime_events.send_modify(|count| *count = count.wrapping_add(1));
                    while let Some(event) = events.next().await {
                        match event {
                            Ok(event) => self.dispatch(&event),
                            Err(status) => {
                                tracing::debug!(error = %status, "the runtime's events were cut off");
                                break;
                            }
                        }
                    }
                }
                Err(status) => tracing::warn!(error = %status, "the runtime's events cannot be heard"),
            }
            self.context.ambient.clock.sleep(RECONNECT).await;
        }
    }

    fn dispatch(&self, event: &ContainerEventResponse) {
        self.context.runtime_events.send_modify(|count| *count = count.wrapping_add(1));
        if is_own_doing(event) {
            return;
        }
        let of_sandbox = event.pod_sandbox_status.as_ref().and_then(|status| {
            let labelled = status.labels.get(labels::POD_UID);
            labelled.or(status.metadata.as_ref().map(|metadata| &metadata.uid))
        });
        let of_container = || event.containers_statuses.iter().find_map(|status| status.labels.get(labels::POD_UID));
        match of_sandbox.or_else(of_container).filter(|uid| !uid.is_empty()) {
            Some(uid) => self.mailboxes.wake(uid),
            None => self.mailboxes.wake_all(),
        }
    }

    /// Before the first pod of the API is looked at: what pods had that are no longer this node's is free again.
    pub(crate) fn release_allotments(&self, pods: &Informer<Pod>) {
        self.context.managers.keep_only(&self.known(pods));
    }

    /// The uids of this node's pods.
    fn known(&self, pods: &Informer<Pod>) -> BTreeSet<String> {
        let of_api = pods.list().into_iter().filter(|pod| !spec::is_mirror(pod)).chain(self.static_pods());
        of_api.map(|pod| spec::uid(&pod).to_owned()).collect()
    }

    /// After a start: stops and removes what the runtime and the disk still hold of pods that are no
    /// longer this node's.
    pub(crate) async fn remove_orphans(&self, pods: &Informer<Pod>) -> cri::Result<()> {
        let known = self.known(pods);
        let runtime = &self.context.runtime;
        let containers = runtime.list_containers(ListContainersRequest { filter: None }).await?.containers;
        for sandbox in runtime.list_pod_sandbox(ListPodSandboxRequest { filter: None }).await?.items {
            let Some(uid) = sandbox.labels.get(labels::POD_UID).filter(|uid| !known.contains(*uid)) else { continue };
            tracing::info!(pod_uid = uid, sandbox = sandbox.id, "removing a pod that is gone");
            let timeout = grace_of(&sandbox.annotations);
            let own = containers.iter().filter(|container| container.pod_sandbox_id == sandbox.id);
            let stops = own.map(|container| {
                let request = cri::StopContainerRequest { container_id: container.id.clone(), timeout };
                runtime.stop_container(request)
            });
            for stopped in futures::future::join_all(stops).await {
                stopped?;
            }
            runtime.stop_pod_sandbox(StopPodSandboxRequest { pod_sandbox_id: sandbox.id.clone() }).await?;
            runtime.remove_pod_sandbox(RemovePodSandboxRequest { pod_sandbox_id: sandbox.id }).await?;
        }
        self.remove_orphaned_folders(&known);
        Ok(())
    }

    fn remove_orphaned_folders(&self, known: &BTreeSet<String>) {
        let node = &self.context.node;
        for uid in folder_names(&node.root_dir.join("pods")) {
            if !known.contains(&uid)
                && let Err(error) = volumes::remove_pod_dir(&node.root_dir, &uid)
            {
                tracing::warn!(pod_uid = uid, error = stdx::error::chain(&error), "a folder was not removed");
            }
        }
        for name in folder_names(&node.pod_log_dir) {
            // `<namespace>_<name>_<uid>`; none of the three can hold an underscore.
            let uid = name.splitn(3, '_').nth(2);
            if uid.is_some_and(|uid| !known.contains(uid))
                && let Err(error) = std::fs::remove_dir_all(node.pod_log_dir.join(&name))
            {
                tracing::warn!(folder = name, %error, "logs were not removed");
            }
        }
    }
}

/// Whether it tells of the first half of a start: the worker that ordered it hears of the whole.
fn is_own_doing(event: &ContainerEventResponse) -> bool {
    let is_sandbox = || event.pod_sandbox_status.as_ref().is_some_and(|status| status.id == event.container_id);
    match event.container_event_type() {
        ContainerEventType::CreatedEvent => true,
        ContainerEventType::StartedEvent => is_sandbox(),
        ContainerEventType::StoppedEvent | ContainerEventType::DeletedEvent => false,
    }
}

/// A pod that is gone from the API can only be told by what was noted on its sandbox.
fn grace_of(annotations: &HashMap<String, String>) -> i64 {
    annotations.get(labels::POD_TERMINATION_GRACE_PERIOD).and_then(|seconds| seconds.parse().ok()).unwrap_or(30)
}

/// Empty where the folder does not exist yet.
fn folder_names(folder: &std::path::Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()
}
