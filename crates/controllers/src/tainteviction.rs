//! Removes pods from nodes whose taints they do not tolerate, or no longer.

use std::sync::Arc;
use std::time::Duration;

use api::NamespacedName;
use api::k8s::api::core::v1::{Node, Pod, Taint, Toleration};
use api::k8s::jiff::Timestamp;
use client::Client;
use client::kube::Api;
use client::kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use reconcile::{Controller, Informer, Outcome, Reconciler, Recorder};
use serde_json::json;
use stdx::Ambient;

use crate::context::{Context, on_each};
use crate::error::{During, ReconcileError, unless_gone};
use crate::nodelifecycle::{BY_NODE, index_by_node};
use crate::pods;

pub(crate) async fn run(context: Context) {
    let nodes = context.informers.of::<Node>();
    let pods = index_by_node(context.informers.of::<Pod>());
    let evictor = Evictor {
        client: context.client.clone(),
        recorder: context.recorder(),
        nodes: nodes.clone(),
        pods: pods.clone(),
        ambient: context.ambient.clone(),
    };
    let controller = Controller::new("taint-eviction-controller", evictor, context.ambient.clock);
    let queue = controller.queue();
    on_each(&pods, {
        let (queue, nodes) = (queue.clone(), nodes.clone());
        move |pod| {
            let node = pods::node_name(pod).and_then(|name| nodes.get(&NamespacedName::new("", name)));
            if node.is_some_and(|node| !evicting_taints(&node).is_empty()) {
                queue.add(NamespacedName::of(&pod.metadata));
            }
        }
    });
    nodes.on_change({
        let pods = pods.clone();
        move |old, new| {
            let Some(node) = new else { return };
            if old.is_some_and(|old| evicting_taints(old) == evicting_taints(node)) {
                return;
            }
            for pod in pods.by_index(BY_NODE, node.metadata.name.as_deref().unwrap_or_default()) {
                queue.add(NamespacedName::of(&pod.metadata));
            }
        }
    });
    let synced = async {
        nodes.synced().await;
        pods.synced().await;
    };
    context.run(controller, synced).await;
}

struct Evictor {
    client: Client,
    recorder: Recorder,
    nodes: Informer<Node>,
    pods: Informer<Pod>,
    ambient: Ambient,
}

impl Reconciler for Evictor {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(pod) = self.pods.get(key) else { return Ok(Outcome::Done) };
        if pods::is_terminating(&pod) || pods::is_finished(&pod) {
            return Ok(Outcome::Done);
        }
        let Some(node) = pods::node_name(&pod).and_then(|name| self.nodes.get(&NamespacedName::new("", name))) else {
            return Ok(Outcome::Done);
        };
        let tolerations = pod.spec.as_ref().and_then(|spec| spec.tolerations.as_deref()).unwrap_or_default();
        match time_left(&evicting_taints(&node), tolerations, self.ambient.clock.now()) {
            None => Ok(Outcome::Done),
            Some(left) if !left.is_zero() => Ok(Outcome::RequeueAfter(left)),
            Some(_) => self.evict(key, &pod).await,
        }
    }
}

impl Evictor {
    async fn evict(&self, key: &NamespacedName, pod: &Arc<Pod>) -> Result<Outcome, ReconcileError> {
        self.recorder.normal(&**pod, "TaintManagerEviction", format!("Marking for deletion Pod {key}"));
        let api: Api<Pod> = Api::namespaced(self.client.clone(), &key.namespace);
        let condition = json!({
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "DeletionByTaintManager",
            "message": "Taint manager: deleting due to NoExecute taint",
            "lastTransitionTime": self.ambient.clock.now_seconds(),
        });
        let patch = json!({"metadata": {"uid": pod.metadata.uid}, "status": {"conditions": [condition]}});
        let patched = api.patch_status(&key.name, &PatchParams::default(), &Patch::Strategic(patch)).await;
        unless_gone(patched).during("mark pod for eviction", key)?;
        let only_this = Preconditions { uid: pod.metadata.uid.clone(), resource_version: None };
        let deleted = api.delete(&key.name, &DeleteParams::default().preconditions(only_this)).await;
        unless_gone(deleted).during("evict pod", key)?;
        Ok(Outcome::Done)
    }
}

fn evicting_taints(node: &Node) -> Vec<Taint> {
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_deref()).unwrap_or_default();
    taints.iter().filter(|taint| taint.effect == "NoExecute").cloned().collect()
}

/// How long the pod may stay; `None` for ever. Of the tolerations it needs, the shortest counts.
fn time_left(taints: &[Taint], tolerations: &[Toleration], now: Timestamp) -> Option<Duration> {
    let mut shortest: Option<Duration> = None;
    for taint in taints {
        let mut covering = tolerations.iter().filter(|toleration| covers(toleration, taint)).peekable();
        if covering.peek().is_none() {
            return Some(Duration::ZERO);
        }
        let seconds = covering.filter_map(|toleration| toleration.toleration_seconds).min();
        let Some(seconds) = seconds else { continue };
        let allowed = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        let since = taint.time_added.as_ref().map_or(now, |time| time.0);
        let passed = Duration::try_from(now.duration_since(since)).unwrap_or(Duration::ZERO);
        let left = allowed.saturating_sub(passed);
        shortest = Some(shortest.map_or(left, |shortest| shortest.min(left)));
    }
    shortest
}

/// An empty effect covers all effects, an empty key with `Exists` all keys.
pub(crate) fn covers(toleration: &Toleration, taint: &Taint) -> bool {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let has_effect = given(&toleration.effect).is_none_or(|effect| effect == taint.effect);
    let has_key = given(&toleration.key).is_none_or(|key| key == taint.key);
    let has_value = match toleration.operator.as_deref() {
        Some("Exists") => true,
        _ => toleration.value.as_deref().unwrap_or_default() == taint.value.as_deref().unwrap_or_default(),
    };
    has_effect && has_key && has_value
}

#[cfg(test)]
mod tests {
    use api::k8s::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;

    #[test]
    fn the_shortest_toleration_counts_from_when_the_taint_came() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let taint = |key: &str| Taint {
            key: key.into(),
            effect: "NoExecute".into(),
            time_added: Some(Time(at(100))),
            ..Taint::default()
        };
        let toleration = |key: &str, seconds: Option<i64>| Toleration {
            key: Some(key.into()),
            operator: Some("Exists".into()),
            toleration_seconds: seconds,
            ..Toleration::default()
        };
        let left = |taints: &[Taint], tolerations: &[Toleration]| {
            time_left(taints, tolerations, at(160)).map(|left| left.as_secs())
        };
        assert_eq!(left(&[], &[]), None);
        assert_eq!(left(&[taint("a")], &[]), Some(0));
        assert_eq!(left(&[taint("a")], &[toleration("a", None)]), None);
        assert_eq!(left(&[taint("a")], &[toleration("a", Some(300))]), Some(240));
        assert_eq!(left(&[taint("a")], &[toleration("a", Some(30))]), Some(0));
        let both = [toleration("a", Some(300)), toleration("b", Some(90))];
        assert_eq!(left(&[taint("a"), taint("b")], &both), Some(30));
    }
}
