//! Takes back the word of an eviction that has not come: a pod that was to be disrupted and still is not
//! going after two minutes will not be.

use std::time::Duration;

use api::NamespacedName;
use api::k8s::api::core::v1::Pod;
use api::k8s::jiff::Timestamp;
use client::Client;
use client::kube::Api;
use client::kube::api::{Patch, PatchParams};
use reconcile::{Controller, Informer, Outcome, Reconciler};
use serde_json::json;
use stdx::Ambient;

use crate::context::Context;
use crate::error::{During, ReconcileError, unless_gone};
use crate::pods;

const CONDITION: &str = "DisruptionTarget";
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) async fn run(context: Context) {
    let pods = context.informers.of::<Pod>();
    let keeper = Keeper { client: context.client.clone(), pods: pods.clone(), ambient: context.ambient.clone() };
    let controller = Controller::new("disruption-stale-pod", keeper, context.ambient.clock);
    let queue = controller.queue();
    pods.on_change(move |_, new| {
        if let Some(pod) = new.filter(|pod| is_promised(pod)) {
            queue.add(NamespacedName::of(&pod.metadata));
        }
    });
    context.run(controller, pods.synced()).await;
}

struct Keeper {
    client: Client,
    pods: Informer<Pod>,
    ambient: Ambient,
}

impl Reconciler for Keeper {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(pod) = self.pods.get(key).filter(|pod| is_promised(pod)) else { return Ok(Outcome::Done) };
        let left = patience_left(&pod, self.ambient.clock.now());
        if !left.is_zero() {
            return Ok(Outcome::RequeueAfter(left));
        }
        let condition = json!({
            "type": CONDITION,
            "status": "False",
            "reason": null,
            "message": null,
            "lastTransitionTime": self.ambient.clock.now_seconds(),
            "observedGeneration": pod.metadata.generation,
        });
        let patch = json!({
            "metadata": {"uid": pod.metadata.uid, "resourceVersion": pod.metadata.resource_version},
            "status": {"conditions": [condition]},
        });
        let api: Api<Pod> = Api::namespaced(self.client.clone(), &key.namespace);
        let patched = api.patch_status(&key.name, &PatchParams::default(), &Patch::Strategic(patch)).await;
        unless_gone(patched).during("take back the disruption of pod", key)?;
        Ok(Outcome::Done)
    }
}

/// To be disrupted, as far as its condition says, but not going. What a kubelet says is no promise: it may
/// take as long as it needs.
fn is_promised(pod: &Pod) -> bool {
    let target = pods::condition(pod, CONDITION);
    pods::is_active(pod)
        && target
            .is_some_and(|target| target.status == "True" && target.reason.as_deref() != Some("TerminationByKubelet"))
}

fn patience_left(pod: &Pod, now: Timestamp) -> Duration {
    let since = pods::condition(pod, CONDITION).and_then(|target| target.last_transition_time.as_ref());
    let passed = since.map_or(PATIENCE, |since| Duration::try_from(now.duration_since(since.0)).unwrap_or_default());
    PATIENCE.saturating_sub(passed)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(status: &str, reason: &str, phase: &str, deleted: Value) -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": "web", "deletionTimestamp": deleted},
            "status": {"phase": phase, "conditions": [{
                "type": "DisruptionTarget", "status": status, "reason": reason,
                "lastTransitionTime": "2030-01-01T00:00:00Z",
            }]},
        }))
        .unwrap()
    }

    #[test]
    fn a_promise_that_is_not_kept_ends_after_two_minutes() {
        for (status, reason, phase, deleted, expected) in [
            ("True", "EvictionByEvictionAPI", "Running", Value::Null, true),
            ("True", "PreemptionByScheduler", "Pending", Value::Null, true),
            ("True", "TerminationByKubelet", "Running", Value::Null, false),
            ("False", "EvictionByEvictionAPI", "Running", Value::Null, false),
            ("True", "EvictionByEvictionAPI", "Failed", Value::Null, false),
            ("True", "EvictionByEvictionAPI", "Running", json!("2030-01-01T00:00:01Z"), false),
        ] {
            assert_eq!(is_promised(&pod(status, reason, phase, deleted)), expected, "{status} {reason} {phase}");
        }
        let pod = pod("True", "EvictionByEvictionAPI", "Running", Value::Null);
        for (now, seconds) in [
            ("2030-01-01T00:00:00Z", 120),
            ("2030-01-01T00:01:59Z", 1),
            ("2030-01-01T00:02:00Z", 0),
            ("2031-01-01T00:00:00Z", 0),
        ] {
            assert_eq!(patience_left(&pod, now.parse().unwrap()), Duration::from_secs(seconds), "{now}");
        }
        // A clock that went back makes nobody wait longer.
        assert_eq!(patience_left(&pod, "2029-12-31T00:00:00Z".parse().unwrap()), PATIENCE);
    }
}
