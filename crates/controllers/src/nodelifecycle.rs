//! Watches over nodes: one that falls silent is marked so, tainted, and its pods are no longer ready.

mod plan;
mod zones;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::NamespacedName;
use api::k8s::api::coordination::v1::Lease;
use api::k8s::api::core::v1::{Node, Pod};
use client::Client;
use client::kube::Api;
use client::kube::api::{Patch, PatchParams, PostParams};
use reconcile::{Controller, Informer, Outcome, Reconciler, Recorder};
use serde_json::json;
use stdx::Ambient;
use tokio::time::Instant;

use crate::context::{Context, on_each};
use crate::error::{During, ReconcileError};
use crate::metrics::Figures;
use crate::pods;
use plan::{GRACE, STARTUP_GRACE, gives_up, is_given_up, is_ready, plan_silent_conditions, plan_taints, ready_status};
use zones::{Limiter, Pace, pace, zone_label, zone_of};

const LEASES: &str = "kube-node-lease";

pub(crate) async fn run(context: Context) {
    let nodes = context.informers.of::<Node>();
    let leases = context.informers.of::<Lease>();
    let pods = index_by_node(context.informers.of::<Pod>());
    let heartbeats = Arc::new(Heartbeats { ambient: context.ambient.clone(), seen: Mutex::default() });
    let watcher = Watcher {
        client: context.client.clone(),
        recorder: context.recorder(),
        nodes: nodes.clone(),
        pods: pods.clone(),
        heartbeats: Arc::clone(&heartbeats),
        limiter: Mutex::default(),
        figures: Arc::clone(&context.figures),
        ambient: context.ambient.clone(),
    };
    let controller = Controller::new("node-lifecycle-controller", watcher, context.ambient.clock);
    let queue = controller.queue();
    // A renewal only moves the deadline: the node is looked at when that comes.
    on_each(&leases, {
        let heartbeats = Arc::clone(&heartbeats);
        move |lease| {
            if lease.metadata.namespace.as_deref() == Some(LEASES) {
                heartbeats.beat(lease.metadata.name.as_deref().unwrap_or_default());
            }
        }
    });
    nodes.on_change({
        let (nodes, recorder) = (nodes.clone(), context.recorder());
        move |old, new| {
            let name = |node: &Node| node.metadata.name.clone().unwrap_or_default();
            match (old, new) {
                (None, Some(node)) => {
                    heartbeats.beat(&name(node));
                    let name = name(node);
                    recorder.normal(
                        &**node,
                        "RegisteredNode",
                        format!("Node {name} event: Registered Node {name} in Controller"),
                    );
                }
                (Some(gone), None) => {
                    let name = name(gone);
                    heartbeats.forget(&name);
                    recorder.normal(
                        &**gone,
                        "RemovingNode",
                        format!("Node {name} event: Removing Node {name} from Controller"),
                    );
                }
                (Some(old), Some(new)) if plan::heartbeat(old) != plan::heartbeat(new) => heartbeats.beat(&name(new)),
                _ => {}
            }
            // Whether pods are evicted depends on whether any node is well.
            if old.map(|node| ready_status(node)) != new.map(|node| ready_status(node)) {
                for node in nodes.list() {
                    queue.add(NamespacedName::of(&node.metadata));
                }
            } else if let Some(node) = new {
                queue.add(NamespacedName::of(&node.metadata));
            }
        }
    });
    let synced = async {
        nodes.synced().await;
        leases.synced().await;
        pods.synced().await;
    };
    context.run(controller, synced).await;
}

/// The index of pods by their node.
pub(crate) const BY_NODE: &str = "node";

pub(crate) fn index_by_node(pods: Informer<Pod>) -> Informer<Pod> {
    pods.with_index(BY_NODE, |pod| pods::node_name(pod).map(str::to_owned).into_iter().collect())
}

/// When each node was last heard of, by our own clock: nodes' clocks may be wrong.
struct Heartbeats {
    ambient: Ambient,
    seen: Mutex<BTreeMap<String, Instant>>,
}

impl Heartbeats {
    fn beat(&self, node: &str) {
        self.lock().insert(node.to_owned(), self.ambient.clock.instant());
    }

    fn forget(&self, node: &str) {
        self.lock().remove(node);
    }

    fn last(&self, node: &str) -> Instant {
        let now = self.ambient.clock.instant();
        *self.lock().entry(node.to_owned()).or_insert(now)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Instant>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Watcher {
    client: Client,
    recorder: Recorder,
    nodes: Informer<Node>,
    pods: Informer<Pod>,
    heartbeats: Arc<Heartbeats>,
    limiter: Mutex<Limiter>,
    figures: Arc<Figures>,
    ambient: Ambient,
}

impl Reconciler for Watcher {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(node) = self.nodes.get(key) else { return Ok(Outcome::Done) };
        let grace = if ready_status(&node).is_some() { GRACE } else { STARTUP_GRACE };
        let silence = self.ambient.clock.instant().duration_since(self.heartbeats.last(&key.name));
        if silence >= grace
            && let Some(conditions) = plan_silent_conditions(&node, self.ambient.clock.now_seconds())
        {
            let mut status = node.status.clone().unwrap_or_default();
            status.conditions = Some(conditions);
            let updated = Node { status: Some(status), ..Node::clone(&node) };
            let api: Api<Node> = Api::all(self.client.clone());
            api.replace_status(&key.name, &PostParams::default(), &updated).await.during("mark silent node", key)?;
            // The watch shows the new conditions and leads here again, to the taints.
            return Ok(Outcome::Done);
        }
        let turn = self.update_taints(key, &node).await?;
        if !is_ready(&node) && ready_status(&node).is_some() {
            self.mark_pods_not_ready(key, &node).await?;
        }
        // Its silence, or its turn to be given up, whichever comes first.
        let until_silent = grace.checked_sub(silence).filter(|left| !left.is_zero());
        let next = [until_silent, turn].into_iter().flatten().min();
        Ok(next.map_or(Outcome::Done, Outcome::RequeueAfter))
    }
}

impl Watcher {
    /// Gives how long until the node's turn to be given up comes, where it has to wait for that.
    async fn update_taints(&self, key: &NamespacedName, node: &Node) -> Result<Option<Duration>, ReconcileError> {
        let (may_evict, turn) = self.may_evict(node);
        let Some(taints) = plan_taints(node, may_evict, self.ambient.clock.now_seconds()) else { return Ok(turn) };
        let is_eviction = !is_given_up(node) && gives_up(&taints);
        let patch = json!({
            "metadata": {"resourceVersion": node.metadata.resource_version},
            "spec": {"taints": if taints.is_empty() { None } else { Some(taints) }},
        });
        let api: Api<Node> = Api::all(self.client.clone());
        api.patch(&key.name, &PatchParams::default(), &Patch::Merge(patch)).await.during("taint node", key)?;
        if is_eviction {
            self.figures.node_evictions.count(&[zone_label(&zone_of(node))]);
        }
        Ok(turn)
    }

    /// Whether the node's pods may be evicted, and how long until they may where others come first.
    fn may_evict(&self, node: &Node) -> (bool, Option<Duration>) {
        let zone = zone_of(node);
        let pace = pace(&zone, &self.nodes.list());
        match pace {
            Pace::TakeBack => (false, None),
            _ if is_ready(node) || ready_status(node).is_none() || is_given_up(node) => (true, None),
            Pace::Stop => (false, None),
            Pace::Every(interval) => {
                let mut limiter = self.limiter.lock().unwrap_or_else(PoisonError::into_inner);
                match limiter.take(&zone, interval, self.ambient.clock.instant()) {
                    Ok(()) => (true, None),
                    Err(wait) => (false, Some(wait)),
                }
            }
        }
    }

    /// Endpoints must not lead to pods that may be dead.
    async fn mark_pods_not_ready(&self, key: &NamespacedName, node: &Node) -> Result<(), ReconcileError> {
        let mut was_told = false;
        for pod in self.pods.by_index(BY_NODE, &key.name).iter().filter(|pod| pods::is_ready(pod)) {
            if !was_told {
                was_told = true;
                let message = format!("Node {} status is now: NodeNotReady", key.name);
                self.recorder.normal(node, "NodeNotReady", message);
            }
            let pod_key = NamespacedName::of(&pod.metadata);
            let condition =
                json!({"type": "Ready", "status": "False", "lastTransitionTime": self.ambient.clock.now_seconds()});
            let patch = json!({"metadata": {"uid": pod.metadata.uid}, "status": {"conditions": [condition]}});
            let api: Api<Pod> = Api::namespaced(self.client.clone(), &pod_key.namespace);
            let patched = api.patch_status(&pod_key.name, &PatchParams::default(), &Patch::Strategic(patch)).await;
            crate::error::unless_gone(patched).during("mark pod not ready", &pod_key)?;
            self.recorder.warning(&**pod, "NodeNotReady", "Node is not ready");
        }
        Ok(())
    }
}
