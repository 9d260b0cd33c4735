//! Removes pods that nobody else will: of nodes that are gone or out of service, and finished ones past a number.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use api::NamespacedName;
use api::k8s::api::core::v1::{Node, Pod};
use client::Client;
use client::kube::Api;
use client::kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use reconcile::{Controller, Informer, Outcome, Reconciler};
use serde_json::{Value, json};
use stdx::Ambient;

use crate::context::Context;
use crate::error::{During, ReconcileError, unless_gone};
use crate::nodelifecycle::{BY_NODE, index_by_node};
use crate::pods;

/// Finished pods that may stay, for their logs.
const FINISHED: usize = 12_500;
/// A node that vanished may come back: its pods are given so long.
const QUARANTINE: Duration = Duration::from_secs(40);
/// Set by who knows that the node is shut down: no kubelet of it will ever end its pods.
const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

pub(crate) async fn run(context: Context) {
    let nodes = context.informers.of::<Node>();
    let pods = index_by_node(context.informers.of::<Pod>());
    let collector = Collector {
        client: context.client.clone(),
        nodes: nodes.clone(),
        pods: pods.clone(),
        ambient: context.ambient.clone(),
    };
    let controller = Controller::new("pod-garbage-collector-controller", collector, context.ambient.clock);
    let queue = controller.queue();
    nodes.on_change({
        let (pods, queue) = (pods.clone(), queue.clone());
        move |old, new| {
            if let Some(gone) = old.filter(|_| new.is_none()) {
                for pod in pods.by_index(BY_NODE, gone.metadata.name.as_deref().unwrap_or_default()) {
                    queue.add_after(NamespacedName::of(&pod.metadata), QUARANTINE);
                }
            }
            if let Some(node) = new.filter(|node| is_out_of_service(node)) {
                for pod in pods.by_index(BY_NODE, node.metadata.name.as_deref().unwrap_or_default()) {
                    queue.add(NamespacedName::of(&pod.metadata));
                }
            }
        }
    });
    pods.on_change({
        let (nodes, queue) = (nodes.clone(), queue.clone());
        move |_, new| {
            let Some(pod) = new else { return };
            let key = NamespacedName::of(&pod.metadata);
            match pods::node_name(pod) {
                Some(node) if nodes.get(&NamespacedName::new("", node)).is_none() => queue.add_after(key, QUARANTINE),
                None if pods::is_terminating(pod) => queue.add(key),
                Some(node) if pods::is_terminating(pod) && is_lost(&nodes, node) => queue.add(key),
                _ if pods::is_finished(pod) => queue.add(key),
                _ => {}
            }
        }
    });
    let synced = async {
        nodes.synced().await;
        pods.synced().await;
    };
    context.run(controller, synced).await;
}

struct Collector {
    client: Client,
    nodes: Informer<Node>,
    pods: Informer<Pod>,
    ambient: Ambient,
}

impl Reconciler for Collector {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(pod) = self.pods.get(key) else { return Ok(Outcome::Done) };
        match pods::node_name(&pod) {
            Some(node) if self.nodes.get(&NamespacedName::new("", node)).is_none() => {
                // The cache may lag behind a node that has just come.
                let api: Api<Node> = Api::all(self.client.clone());
                if api.get_opt(node).await.during("look for node", node)?.is_none() {
                    self.remove_orphan(key, &pod).await?;
                }
            }
            Some(node) if pods::is_terminating(&pod) && is_lost(&self.nodes, node) => {
                self.mark_failed(key, &pod, None).await?;
                self.delete(key, &pod).await?;
            }
            None if pods::is_terminating(&pod) => self.delete(key, &pod).await?,
            _ if pods::is_finished(&pod) => self.thin_out().await?,
            _ => {}
        }
        Ok(Outcome::Done)
    }
}

impl Collector {
    async fn remove_orphan(&self, key: &NamespacedName, pod: &Pod) -> Result<(), ReconcileError> {
        let condition = json!({
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "DeletionByPodGC",
            "message": "PodGC: node no longer exists",
            "lastTransitionTime": self.ambient.clock.now_seconds(),
        });
        self.mark_failed(key, pod, Some(condition)).await?;
        self.delete(key, pod).await
    }

    /// Says of a pod that had not finished that it never will.
    async fn mark_failed(
        &self,
        key: &NamespacedName,
        pod: &Pod,
        condition: Option<Value>,
    ) -> Result<(), ReconcileError> {
        if pods::is_finished(pod) {
            return Ok(());
        }
        let mut patch = json!({"metadata": {"uid": pod.metadata.uid}, "status": {"phase": "Failed"}});
        if let Some(condition) = condition {
            patch["status"]["conditions"] = json!([condition]);
        }
        let api: Api<Pod> = Api::namespaced(self.client.clone(), &key.namespace);
        let patched = api.patch_status(&key.name, &PatchParams::default(), &Patch::Strategic(patch)).await;
        unless_gone(patched).during("mark orphaned pod", key)
    }

    /// At once: no kubelet is there to end it gracefully.
    async fn delete(&self, key: &NamespacedName, pod: &Pod) -> Result<(), ReconcileError> {
        let only_this = Preconditions { uid: pod.metadata.uid.clone(), resource_version: None };
        let parameters = DeleteParams::default().grace_period(0).preconditions(only_this);
        let api: Api<Pod> = Api::namespaced(self.client.clone(), &key.namespace);
        unless_gone(api.delete(&key.name, &parameters).await).during("delete pod", key)
    }

    async fn thin_out(&self) -> Result<(), ReconcileError> {
        // The count alone is looked at nearly always.
        if self.pods.len() <= FINISHED {
            return Ok(());
        }
        for pod in over_the_limit(self.pods.list(), FINISHED) {
            self.delete(&NamespacedName::of(&pod.metadata), &pod).await?;
        }
        Ok(())
    }
}

fn is_lost(nodes: &Informer<Node>, name: &str) -> bool {
    nodes.get(&NamespacedName::new("", name)).is_some_and(|node| is_out_of_service(&node))
}

/// Both unwell and said to be shut down: one alone may be a mistake.
fn is_out_of_service(node: &Node) -> bool {
    let taints = node.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let is_ready = conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True");
    !is_ready && taints.into_iter().any(|taint| taint.key == OUT_OF_SERVICE)
}

/// The finished pods past the limit: evicted ones first, then the oldest.
fn over_the_limit(pods: Vec<Arc<Pod>>, limit: usize) -> Vec<Arc<Pod>> {
    let mut finished: Vec<_> =
        pods.into_iter().filter(|pod| pods::is_finished(pod) && !pods::is_terminating(pod)).collect();
    let excess = finished.len().saturating_sub(limit);
    finished.sort_by_key(|pod| {
        let is_evicted = pod.status.as_ref().and_then(|status| status.reason.as_deref()) == Some("Evicted");
        let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
        (Reverse(is_evicted), created, pod.metadata.name.clone())
    });
    finished.truncate(excess);
    finished
}

#[cfg(test)]
mod tests {
    use api::k8s::api::core::v1::PodStatus;
    use api::k8s::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
    use api::k8s::jiff::Timestamp;

    use super::*;

    #[test]
    fn a_node_is_out_of_service_when_it_is_unwell_and_said_to_be() {
        let node = |ready: &str, taint: &str| -> Node {
            serde_json::from_value(json!({
                "metadata": {"name": "one"},
                "spec": {"taints": [{"key": taint, "value": "nodeshutdown", "effect": "NoExecute"}]},
                "status": {"conditions": [{"type": "Ready", "status": ready}]},
            }))
            .unwrap()
        };
        assert!(is_out_of_service(&node("Unknown", OUT_OF_SERVICE)));
        assert!(is_out_of_service(&node("False", OUT_OF_SERVICE)));
        assert!(!is_out_of_service(&node("True", OUT_OF_SERVICE)));
        assert!(!is_out_of_service(&node("Unknown", "node.kubernetes.io/unreachable")));
    }

    #[test]
    fn evicted_and_old_pods_go_first() {
        let pod = |name: &str, phase: &str, reason: Option<&str>, second: i64| {
            Arc::new(Pod {
                metadata: ObjectMeta {
                    name: Some(name.into()),
                    creation_timestamp: Some(Time(Timestamp::from_second(second).unwrap())),
                    ..ObjectMeta::default()
                },
                status: Some(PodStatus {
                    phase: Some(phase.into()),
                    reason: reason.map(str::to_owned),
                    ..PodStatus::default()
                }),
                ..Pod::default()
            })
        };
        let pods = vec![
            pod("old", "Succeeded", None, 1),
            pod("new", "Failed", None, 9),
            pod("evicted", "Failed", Some("Evicted"), 5),
            pod("running", "Running", None, 0),
        ];
        let names = |limit| -> Vec<_> {
            over_the_limit(pods.clone(), limit).iter().map(|pod| pod.metadata.name.clone().unwrap()).collect()
        };
        assert_eq!(names(1), ["evicted", "old"]);
        assert!(names(3).is_empty());
    }
}
