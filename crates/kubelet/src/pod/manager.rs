//! The node's pods: one worker for each, and who wakes it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use api::k8s::api::core::v1::Pod;
use cri::{
    ContainerEventResponse, ListContainersRequest, ListPodSandboxRequest, RemovePodSandboxRequest,
    StopPodSandboxRequest,
};
use futures::StreamExt;
use reconcile::Informer;
use tokio_util::sync::CancellationToken;

use super::worker::{Mailbox, Worker};
use super::{Context, labels, spec};
use crate::volumes;

/// How long to wait before listening to a runtime again that hung up.
const RECONNECT: Duration = Duration::from_secs(1);

pub(crate) struct Pods {
    context: Arc<Context>,
    mailboxes: Arc<Mailboxes>,
    cancel: CancellationToken,
}

/// Every worker's mailbox by pod uid.
#[derive(Debug, Default)]
pub(crate) struct Mailboxes {
    by_uid: Mutex<BTreeMap<String, Arc<Mailbox>>>,
}

impl Mailboxes {
    pub(crate) fn references_changed(&self, uid: &str) {
        if let Some(mailbox) = self.lock().get(uid) {
            mailbox.references_changed();
        }
    }

    fn wake(&self, uid: &str) {
        if let Some(mailbox) = self.lock().get(uid) {
            mailbox.wake();
        }
    }

    fn wake_all(&self) {
        for mailbox in self.lock().values() {
            mailbox.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Mailbox>>> {
        self.by_uid.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pods {
    pub(crate) fn new(context: Arc<Context>, mailboxes: Arc<Mailboxes>, cancel: CancellationToken) -> Arc<Self> {
        Arc::new(Pods { context, mailboxes, cancel })
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

    fn changed(&self, pod: &Arc<Pod>) {
        let uid = spec::uid(pod).to_owned();
        let mut mailboxes = self.mailboxes.lock();
        if let Some(mailbox) = mailboxes.get(&uid) {
            mailbox.pod_changed(Arc::clone(pod));
            return;
        }
        let mailbox = Arc::new(Mailbox::default());
        mailboxes.insert(uid.clone(), Arc::clone(&mailbox));
        self.context.references.follow(pod);
        let worker = Worker::new(Arc::clone(&self.context), mailbox, Arc::clone(pod));
        let (all, cancel) = (Arc::clone(&self.mailboxes), self.cancel.clone());
        tokio::spawn(async move {
            if cancel.run_until_cancelled(worker.run()).await.is_some() {
                all.lock().remove(&uid);
            }
        });
    }

    fn removed(&self, pod: &Pod) {
        if let Some(mailbox) = self.mailboxes.lock().get(spec::uid(pod)) {
            mailbox.pod_gone();
        }
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

    /// After a start: stops and removes what the runtime and the disk still hold of pods that are no
    /// longer this node's.
    pub(crate) async fn remove_orphans(&self, pods: &Informer<Pod>) -> cri::Result<()> {
        let known: BTreeSet<String> = pods.list().iter().map(|pod| spec::uid(pod).to_owned()).collect();
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
                && let Err(error) = volumes::remove_pod_dir(&node.root_dir, &uid, &*self.context.mounter)
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

/// A pod that is gone from the API can only be told by what was noted on its sandbox.
fn grace_of(annotations: &HashMap<String, String>) -> i64 {
    annotations.get(labels::POD_TERMINATION_GRACE_PERIOD).and_then(|seconds| seconds.parse().ok()).unwrap_or(30)
}

/// Empty where the folder does not exist yet.
fn folder_names(folder: &std::path::Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()
}
