//! Telling the API where a pod goes, or why it goes nowhere.

use api::NamespacedName;
use api::k8s::api::core::v1::{Binding, ObjectReference, Pod, PodCondition};
use api::k8s::apimachinery::pkg::apis::meta::v1::Time;
use client::kube::Api;
use client::kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use client::{CallError, Client};
use serde_json::json;

use api::k8s::jiff::Timestamp;

use crate::nominations::nominated_node;

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

/// What becomes of the node that the pod's status names as the one where room is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nomination<'a> {
    Keep,
    Set(&'a str),
    Clear,
}

/// What is to be written into the pod's status; `None` where all of it stands there already.
pub(crate) fn plan_status(
    pod: &Pod,
    condition: Option<PodCondition>,
    nomination: Nomination<'_>,
) -> Option<serde_json::Value> {
    let present = nominated_node(pod);
    let mut status = serde_json::Map::new();
    if let Some(condition) = condition {
        status.insert("conditions".to_owned(), json!([condition]));
    }
    match nomination {
        Nomination::Set(node) if present != Some(node) => drop(status.insert("nominatedNodeName".into(), json!(node))),
        Nomination::Clear if present.is_some() => drop(status.insert("nominatedNodeName".into(), json!(null))),
        _ => {}
    }
    (!status.is_empty()).then(|| json!({"metadata": {"uid": pod.metadata.uid}, "status": status}))
}

pub(crate) async fn patch_status(client: &Client, pod: &Pod, patch: serde_json::Value) -> Result<(), CallError> {
    let key = NamespacedName::of(&pod.metadata);
    let api: Api<Pod> = Api::namespaced(client.clone(), &key.namespace);
    api.patch_status(&key.name, &PatchParams::default(), &Patch::Strategic(patch)).await?;
    Ok(())
}
