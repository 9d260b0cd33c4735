//! Turns changes of the API's objects into changes of cache and queue.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::NamespacedName;
use api::k8s::api::core::v1::{Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod};
use api::k8s::api::policy::v1::PodDisruptionBudget;
use api::k8s::api::storage::v1::{CSINode, StorageClass};
use client::kube::Resource;
use tokio::time::Instant;

use crate::cache::Cache;
use crate::events::ClusterEvent;
use crate::metrics::{Metrics, Pending};
use crate::nominations::nominated_node;
use crate::pod::PodInfo;
use crate::queue::SchedulingQueue;

/// The scheduler a pod names when it names none.
const SCHEDULER_NAME: &str = "default-scheduler";

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) cache: Cache,
    pub(crate) queue: SchedulingQueue,
    /// Pods that are held back by a gate.
    gated: BTreeSet<NamespacedName>,
}

impl State {
    pub(crate) fn told_by(metrics: Metrics) -> Self {
        State { queue: SchedulingQueue::told_by(metrics), ..State::default() }
    }

    pub(crate) fn pending(&self) -> Pending {
        Pending { gated: self.gated.len(), ..self.queue.pending() }
    }

    pub(crate) fn pod_changed(&mut self, old: Option<&Arc<Pod>>, new: Option<&Arc<Pod>>, now: Instant) {
        let Some(pod) = new.or(old) else { return };
        let key = NamespacedName::of(&pod.metadata);
        if new.is_some_and(|new| is_gated(new)) {
            self.gated.insert(key.clone());
        } else {
            self.gated.remove(&key);
        }
        let was_replaced = old.zip(new).is_some_and(|(old, new)| old.metadata.uid != new.metadata.uid);
        if new.is_none() || was_replaced {
            self.pod_gone(&key, now);
        }
        let Some(new) = new else { return };
        if is_finished(new) {
            return self.pod_gone(&key, now);
        }
        let info = match PodInfo::new(Arc::clone(new)) {
            Ok(info) => Arc::new(info),
            Err(error) => {
                tracing::warn!(pod = %key, error = stdx::error::chain(&error), "the pod cannot be understood");
                return self.pod_gone(&key, now);
            }
        };
        match node_of(new) {
            Some(node) => self.assigned_pod_changed(old.filter(|_| !was_replaced), &info, node, now),
            None if is_ours(new) => {
                let matters = old.is_none_or(|old| may_help(old, new));
                self.nominate(old.filter(|_| !was_replaced), &info);
                self.queue.set(info, matters, now);
            }
            None => {
                self.queue.remove(&key);
                self.end_nomination(&key);
            }
        }
    }

    pub(crate) fn node_changed(&mut self, old: Option<&Arc<Node>>, new: Option<&Arc<Node>>, now: Instant) {
        let Some(new) = new else {
            if let Some(name) = old.and_then(|old| old.metadata.name.as_deref()) {
                self.cache.remove_node(name);
            }
            return;
        };
        if let Err(error) = self.cache.set_node(new) {
            let node = new.metadata.name.as_deref().unwrap_or_default();
            tracing::warn!(node, error = stdx::error::chain(&error), "the node cannot be understood");
            return;
        }
        for event in node_events(old.map(AsRef::as_ref), new) {
            self.queue.happened(event, now);
        }
    }

    pub(crate) fn claim_changed(
        &mut self,
        old: Option<&Arc<PersistentVolumeClaim>>,
        new: Option<&Arc<PersistentVolumeClaim>>,
        now: Instant,
    ) {
        let Some(claim) = new.or(old) else { return };
        let key = NamespacedName::of(&claim.metadata);
        let claims = &mut self.cache.volumes_mut().claims;
        match new {
            Some(new) => drop(claims.insert(key, Arc::clone(new))),
            None => drop(claims.remove(&key)),
        }
        self.queue.happened(ClusterEvent::ClaimChanged, now);
    }

    pub(crate) fn volume_changed(
        &mut self,
        old: Option<&Arc<PersistentVolume>>,
        new: Option<&Arc<PersistentVolume>>,
        now: Instant,
    ) {
        replace(&mut self.cache.volumes_mut().volumes, old, new);
        self.queue.happened(ClusterEvent::VolumeChanged, now);
    }

    pub(crate) fn class_changed(
        &mut self,
        old: Option<&Arc<StorageClass>>,
        new: Option<&Arc<StorageClass>>,
        now: Instant,
    ) {
        replace(&mut self.cache.volumes_mut().classes, old, new);
        self.queue.happened(ClusterEvent::ClassChanged, now);
    }

    pub(crate) fn csi_node_changed(&mut self, old: Option<&Arc<CSINode>>, new: Option<&Arc<CSINode>>, now: Instant) {
        replace(&mut self.cache.volumes_mut().csi_nodes, old, new);
        self.queue.happened(ClusterEvent::CsiNodeChanged, now);
    }

    pub(crate) fn namespace_changed(
        &mut self,
        old: Option<&Arc<Namespace>>,
        new: Option<&Arc<Namespace>>,
        now: Instant,
    ) {
        let name = |namespace: &Arc<Namespace>| namespace.metadata.name.clone().unwrap_or_default();
        if let Some(new) = new {
            let labels: BTreeMap<String, String> = new.metadata.labels.clone().unwrap_or_default();
            self.cache.set_namespace(&name(new), labels);
            if old.is_some_and(|old| old.metadata.labels != new.metadata.labels) {
                self.queue.happened(ClusterEvent::NamespaceChanged, now);
            }
        } else if let Some(old) = old {
            self.cache.remove_namespace(&name(old));
        }
    }

    pub(crate) fn budget_changed(
        &mut self,
        old: Option<&Arc<PodDisruptionBudget>>,
        new: Option<&Arc<PodDisruptionBudget>>,
    ) {
        match (old, new) {
            (_, Some(new)) => self.cache.budgets_mut().set(new),
            (Some(old), None) => self.cache.budgets_mut().remove(&NamespacedName::of(&old.metadata)),
            (None, None) => {}
        }
    }

    /// A nomination that is decided but not yet written stands until the API tells of another.
    fn nominate(&mut self, old: Option<&Arc<Pod>>, pod: &Arc<PodInfo>) {
        let told = nominated_node(&pod.pod);
        let was_told = old.and_then(|old| nominated_node(old));
        let known = self.cache.nominations().node_of(pod).map(str::to_owned);
        match (told, known) {
            (Some(node), _) => self.cache.nominations_mut().set(pod, node),
            (None, Some(_)) if was_told.is_some() => self.cache.nominations_mut().remove(&pod.key()),
            (None, Some(node)) => self.cache.nominations_mut().set(pod, &node),
            (None, None) => {}
        }
    }

    fn assigned_pod_changed(&mut self, old: Option<&Arc<Pod>>, pod: &Arc<PodInfo>, node: &str, now: Instant) {
        self.queue.remove(&pod.key());
        self.end_nomination(&pod.key());
        let was_assigned = old.is_some_and(|old| node_of(old).is_some());
        let unchanged = old.is_some_and(|old| {
            old.metadata.labels == pod.pod.metadata.labels && old.spec == pod.pod.spec && was_assigned
        });
        self.cache.confirm(pod, node);
        if !was_assigned {
            self.queue.happened(ClusterEvent::AssignedPodAdded, now);
        } else if !unchanged {
            self.queue.happened(ClusterEvent::AssignedPodUpdated, now);
        }
    }

    /// The pod will have the room of its victims. Gives the less important pods that had hoped for it.
    pub(crate) fn nominate_for_victims(&mut self, pod: &Arc<PodInfo>, node: &str) -> Vec<Arc<PodInfo>> {
        let lesser = |other: &&Arc<PodInfo>| other.priority() < pod.priority();
        let displaced: Vec<_> = self.cache.nominations().at(node).filter(lesser).cloned().collect();
        let nominations = self.cache.nominations_mut();
        for other in &displaced {
            nominations.remove(&other.key());
        }
        nominations.set(pod, node);
        displaced
    }

    /// Written to only where there is something to write, for a snapshot may share it.
    pub(crate) fn end_nomination(&mut self, key: &NamespacedName) {
        if !self.cache.nominations().is_empty() {
            self.cache.nominations_mut().remove(key);
        }
    }

    fn pod_gone(&mut self, key: &NamespacedName, now: Instant) {
        self.queue.remove(key);
        self.end_nomination(key);
        if self.cache.remove_pod(key) {
            self.queue.happened(ClusterEvent::AssignedPodDeleted, now);
        }
    }
}

/// Keeps an object of a kind without namespaces by its name.
fn replace<K: Resource>(objects: &mut BTreeMap<String, Arc<K>>, old: Option<&Arc<K>>, new: Option<&Arc<K>>) {
    let Some(name) = new.or(old).and_then(|object| object.meta().name.clone()) else { return };
    match new {
        Some(new) => drop(objects.insert(name, Arc::clone(new))),
        None => drop(objects.remove(&name)),
    }
}

fn node_events(old: Option<&Node>, new: &Node) -> Vec<ClusterEvent> {
    let Some(old) = old else { return vec![ClusterEvent::NodeAdded] };
    let allocatable = |node: &Node| node.status.as_ref().and_then(|status| status.allocatable.clone());
    let taints = |node: &Node| {
        node.spec.as_ref().map(|spec| (spec.taints.clone().unwrap_or_default(), spec.unschedulable.unwrap_or(false)))
    };
    let mut events = Vec::new();
    if allocatable(old) != allocatable(new) {
        events.push(ClusterEvent::NodeAllocatableChanged);
    }
    if old.metadata.labels != new.metadata.labels {
        events.push(ClusterEvent::NodeLabelsChanged);
    }
    if taints(old) != taints(new) {
        events.push(ClusterEvent::NodeTaintsChanged);
    }
    events
}

/// To be scheduled here: not on its way out, for this scheduler, and not held back by a gate.
fn is_ours(pod: &Pod) -> bool {
    asks_for_us(pod) && gates(pod) == 0
}

fn is_gated(pod: &Pod) -> bool {
    asks_for_us(pod) && gates(pod) > 0 && node_of(pod).is_none()
}

fn asks_for_us(pod: &Pod) -> bool {
    let Some(spec) = &pod.spec else { return false };
    pod.metadata.deletion_timestamp.is_none()
        && spec.scheduler_name.as_deref().unwrap_or(SCHEDULER_NAME) == SCHEDULER_NAME
}

fn gates(pod: &Pod) -> usize {
    pod.spec.as_ref().and_then(|spec| spec.scheduling_gates.as_ref()).map_or(0, Vec::len)
}

/// Whether the change of a waiting pod can make it schedulable: not that of its status alone, which is
/// often our own doing.
fn may_help(old: &Pod, new: &Pod) -> bool {
    old.spec != new.spec || old.metadata.labels != new.metadata.labels
}

fn node_of(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref().filter(|name| !name.is_empty())
}

fn is_finished(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}
