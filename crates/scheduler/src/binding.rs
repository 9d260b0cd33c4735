//! Telling the API where a pod goes, or why it goes nowhere.

use api::NamespacedName;
use api::k8s::api::core::v1::{Binding, ObjectReference, Pod, PodCondition};
use api::k8s::apimachinery::pkg::apis::meta::v1::Time;
use client::kube::Api;
use client::kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use client::{CallError, Client};
use serde_json::json;

use api::k8s::jiff::Timestamp;

/// Binds the pod to the node, if it is still the same pod.
pub(crate) async fn bind(client: &Client, pod: &Pod, node: &str) -> Result<(), CallError> {
    let key = NamespacedName::of(&pod.metadata);
    let binding = Binding {
        metadata: ObjectMeta {
            name: Some(key.name.clone()),
            namespace: Some(key.namespace.clone()),
            uid: pod.metadata.uid.clone(),
            ..ObjectMeta::default()
        },
        target: ObjectReference { kind: Some("Node".to_owned()), name: Some(node.to_owned()), ..Default::default() },
    };
    let api: Api<Pod> = Api::namespaced(client.clone(), &key.namespace);
    // The answer is a Status, not a Pod.
    let _status: serde_json::Value =
        api.create_subresource("binding", &key.name, &PostParams::default(), &binding).await?;
    Ok(())
}

/// The condition that says why the pod waits; `None` where it says so already.
pub(crate) fn plan_condition(pod: &Pod, reason: &str, message: &str, now: Timestamp) -> Option<PodCondition> {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let present = conditions.iter().find(|condition| condition.type_ == "PodScheduled");
    let is_same = |present: &PodCondition| {
        present.status == "False"
            && present.reason.as_deref() == Some(reason)
            && present.message.as_deref() == Some(message)
    };
    if present.is_some_and(is_same) {
        return None;
    }
    let since =
        present.filter(|present| present.status == "False").and_then(|present| present.last_transition_time.clone());
    Some(PodCondition {
        type_: "PodScheduled".to_owned(),
        status: "False".to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_transition_time: since.or(Some(Time(now))),
        observed_generation: pod.metadata.generation,
        ..PodCondition::default()
    })
}

pub(crate) async fn set_condition(client: &Client, pod: &Pod, condition: &PodCondition) -> Result<(), CallError> {
    let key = NamespacedName::of(&pod.metadata);
    let api: Api<Pod> = Api::namespaced(client.clone(), &key.namespace);
    let patch = json!({"metadata": {"uid": pod.metadata.uid}, "status": {"conditions": [condition]}});
    api.patch_status(&key.name, &PatchParams::default(), &Patch::Strategic(patch)).await?;
    Ok(())
}
