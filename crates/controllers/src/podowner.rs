//! What all controllers that make pods share: changes of pods become keys of their owners, and pods are
//! made and deleted with the events and expectations that go with it.

use std::sync::Arc;

use api::k8s::api::core::v1::Pod;
use api::selector::SelectorError;
use api::{NamespacedName, Selector};
use client::Client;
use client::kube::Api;
use client::kube::api::{DeleteParams, PostParams, Preconditions};
use reconcile::{Expectations, Informer, Recorder, WorkQueue, controller_of};

use crate::error::{During, ReconcileError, unless_gone};
use crate::ownership::{Namespaced, resolve_controller};
use crate::pods;

/// A kind whose objects make pods and adopt those that match.
pub(crate) trait PodOwner: Namespaced {
    fn selector(&self) -> Result<Selector, SelectorError>;
}

/// Turns changes of pods into keys of their owners, and observes what was expected.
pub(crate) fn watch_pods<O: PodOwner>(
    pods: &Informer<Pod>,
    owners: &Informer<O>,
    expectations: Arc<Expectations>,
    queue: WorkQueue<NamespacedName>,
) {
    let events = PodEvents { owners: owners.clone(), expectations, queue };
    pods.on_change(move |old, new| events.changed(old, new));
}

struct PodEvents<O> {
    owners: Informer<O>,
    expectations: Arc<Expectations>,
    queue: WorkQueue<NamespacedName>,
}

impl<O: PodOwner> PodEvents<O> {
    fn changed(&self, old: Option<&Arc<Pod>>, new: Option<&Arc<Pod>>) {
        if let Some(old) = old
            && let Some(owner) = resolve_controller(&self.owners, &old.metadata)
        {
            let key = NamespacedName::of(owner.meta());
            if new.is_none_or(|new| pods::is_terminating(new)) {
                self.expectations.deletion_observed(&key, pods::uid(old));
            }
            self.queue.add(key);
        }
        let Some(new) = new else { return };
        if let Some(owner) = resolve_controller(&self.owners, &new.metadata) {
            let key = NamespacedName::of(owner.meta());
            if old.is_none() {
                self.expectations.creation_observed(&key);
            }
            self.queue.add(key);
        } else if controller_of(&new.metadata).is_none() && !pods::is_terminating(new) {
            self.offer_orphan(new);
        }
    }

    /// Any owner whose selector matches may want to adopt it.
    fn offer_orphan(&self, pod: &Pod) {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        for owner in self.owners.list_namespace(namespace) {
            let matches = owner.selector().is_ok_and(|selector| {
                !selector.is_everything() && selector.matches_optional(pod.metadata.labels.as_ref())
            });
            if matches {
                self.queue.add(NamespacedName::of(owner.meta()));
            }
        }
    }
}

/// Makes and deletes pods for their owners. Who calls has said what to expect; what fails is taken off.
#[derive(Clone)]
pub(crate) struct PodControl {
    pub(crate) client: Client,
    pub(crate) recorder: Recorder,
    pub(crate) expectations: Arc<Expectations>,
}

impl PodControl {
    pub(crate) async fn create<O: PodOwner>(&self, owner: &O, pod: &Pod) -> Result<(), ReconcileError> {
        let key = NamespacedName::of(owner.meta());
        let api: Api<Pod> = Api::namespaced(self.client.clone(), &key.namespace);
        let created = api.create(&PostParams::default(), pod).await.during("create pod of", &key);
        match created {
            Ok(pod) => {
                let name = pod.metadata.name.unwrap_or_default();
                self.recorder.normal(owner, "SuccessfulCreate", format!("Created pod: {name}"));
                Ok(())
            }
            Err(error) => {
                self.expectations.creation_observed(&key);
                if let Some(call) = error.call() {
                    if call.is_namespace_terminating() {
                        return Ok(());
                    }
                    self.recorder.warning(owner, "FailedCreate", format!("Error creating: {call}"));
                }
                Err(error)
            }
        }
    }

    pub(crate) async fn delete<O: PodOwner>(&self, owner: &O, pod: &Pod) -> Result<(), ReconcileError> {
        let key = NamespacedName::of(owner.meta());
        let api: Api<Pod> = Api::namespaced(self.client.clone(), &key.namespace);
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        // Another pod may have taken the name meanwhile.
        let only_this = Preconditions { uid: pod.metadata.uid.clone(), resource_version: None };
        let deleted = api.delete(name, &DeleteParams::default().preconditions(only_this)).await;
        let result = unless_gone(deleted).during("delete pod", name);
        match &result {
            Ok(()) => self.recorder.normal(owner, "SuccessfulDelete", format!("Deleted pod: {name}")),
            Err(error) => {
                self.expectations.deletion_observed(&key, pods::uid(pod));
                if let Some(call) = error.call() {
                    self.recorder.warning(owner, "FailedDelete", format!("Error deleting: {call}"));
                }
            }
        }
        result
    }
}
