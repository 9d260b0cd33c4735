//! Lets go of pods that no Job will count any more.

use std::sync::Arc;

use api::NamespacedName;
use api::k8s::api::batch::v1::Job;
use api::k8s::api::core::v1::Pod;
use client::Client;
use client::kube::Api;
use client::kube::api::{Patch, PatchParams};
use reconcile::{Controller, Informer, Outcome, Reconciler, controller_of};
use serde_json::json;

use super::is_ours;
use super::pod::FINALIZER;
use super::view::{has_finalizer, is_finished};
use crate::context::Context;
use crate::error::{During, ReconcileError, unless_gone};
use crate::ownership::{controlled_by, resolve_controller};

pub(super) fn controller(context: &Context, jobs: &Informer<Job>, pods: &Informer<Pod>) -> Controller<Orphans> {
    let orphans = Orphans { client: context.client.clone(), jobs: jobs.clone(), pods: pods.clone() };
    let controller = Controller::new("job-controller-orphans", orphans, context.ambient.clock);
    let queue = controller.queue();
    pods.on_change({
        let (jobs, queue) = (jobs.clone(), queue.clone());
        move |_, new| {
            if let Some(pod) = new.filter(|pod| is_orphan(&jobs, pod)) {
                queue.add(NamespacedName::of(&pod.metadata));
            }
        }
    });
    jobs.on_change({
        let pods = pods.clone();
        move |old, new| {
            let Some(ended) = new.filter(|new| is_finished(new)).or(old.filter(|_| new.is_none())) else { return };
            for pod in controlled_by(&pods, &ended.metadata) {
                if has_finalizer(&pod) {
                    queue.add(NamespacedName::of(&pod.metadata));
                }
            }
        }
    });
    controller
}

pub(super) struct Orphans {
    client: Client,
    jobs: Informer<Job>,
    pods: Informer<Pod>,
}

impl Reconciler for Orphans {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(pod) = self.pods.get(key) else { return Ok(Outcome::Done) };
        if is_orphan(&self.jobs, &pod) {
            release(&self.client, &pod).await?;
        }
        Ok(Outcome::Done)
    }
}

/// Takes the finalizer off. A pod that is gone is released already.
pub(super) async fn release(client: &Client, pod: &Arc<Pod>) -> Result<(), ReconcileError> {
    if !has_finalizer(pod) {
        return Ok(());
    }
    let key = NamespacedName::of(&pod.metadata);
    let api: Api<Pod> = Api::namespaced(client.clone(), &key.namespace);
    let patch = json!({"metadata": {"uid": pod.metadata.uid, "$deleteFromPrimitiveList/finalizers": [FINALIZER]}});
    let patched = api.patch(&key.name, &PatchParams::default(), &Patch::Strategic(patch)).await;
    // A conflict says that the name is another pod's now.
    match unless_gone(patched) {
        Err(error) if error.is_conflict() => Ok(()),
        other => other.during("release pod", &key),
    }
}

/// Nobody's, or of a Job that is gone or at its end. What other controllers own is theirs to release.
fn is_orphan(jobs: &Informer<Job>, pod: &Pod) -> bool {
    if !has_finalizer(pod) {
        return false;
    }
    let Some(reference) = controller_of(&pod.metadata) else { return true };
    if reference.kind != "Job" || reference.api_version != "batch/v1" {
        return false;
    }
    resolve_controller::<Job>(jobs, &pod.metadata).is_none_or(|job| is_ours(&job) && is_finished(&job))
}
