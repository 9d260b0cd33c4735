//! Carries out what preemption decided: the victims go, and say why.

use api::k8s::api::core::v1::Pod;
use api::k8s::jiff::Timestamp;
use client::kube::Api;
use client::kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use client::{CallError, Client};
use serde_json::json;

use crate::pod::PodInfo;
use crate::preemption::REASON;

/// Marks the pod as preempted and deletes it, if it is still the same pod; its own grace holds.
pub(crate) async fn evict(
    client: &Client,
    victim: &PodInfo,
    preemptor: &PodInfo,
    now: Timestamp,
) -> Result<(), CallError> {
    // Whoever is on its way out is not asked twice.
    if victim.is_going() {
        return Ok(());
    }
    let key = victim.key();
    let api: Api<Pod> = Api::namespaced(client.clone(), &key.namespace);
    let scheduler = preemptor.spec().and_then(|spec| spec.scheduler_name.as_deref()).unwrap_or("default-scheduler");
    let condition = json!({
        "type": "DisruptionTarget",
        "status": "True",
        "reason": REASON,
        "message": format!("{scheduler}: preempting to accommodate a higher priority pod"),
        "lastTransitionTime": now,
        "observedGeneration": victim.pod.metadata.generation,
    });
    let patch = json!({"metadata": {"uid": victim.uid()}, "status": {"conditions": [condition]}});
    let patched = api.patch_status(&key.name, &PatchParams::default(), &Patch::Strategic(patch)).await;
    unless_gone(patched.map(drop))?;
    let only_this = Preconditions { uid: victim.pod.metadata.uid.clone(), resource_version: None };
    let deleted = api.delete(&key.name, &DeleteParams::default().preconditions(only_this)).await;
    unless_gone(deleted.map(drop))
}

/// Room is room, whoever made it. A conflict says that another pod bears the name now.
fn unless_gone(result: Result<(), client::kube::Error>) -> Result<(), CallError> {
    match result.map_err(CallError::from) {
        Err(error) if error.is_not_found() || error.is_conflict() => Ok(()),
        other => other,
    }
}
