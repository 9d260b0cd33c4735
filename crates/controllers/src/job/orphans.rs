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
            let Some(pod) = new else { return };
            if standing(pod, resolve_controller(&jobs, &pod.metadata).as_deref()) != Standing::Counted {
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
        let is_orphan = match standing(&pod, resolve_controller(&self.jobs, &pod.metadata).as_deref()) {
            Standing::Counted => false,
            Standing::Orphan => true,
            Standing::Unknown => self.is_job_gone(key, &pod).await?,
        };
        if is_orphan {
            release(&self.client, &pod).await?;
        }
        Ok(Outcome::Done)
    }
}

impl Orphans {
    /// Pods may be seen before the Job that they were made for: a pod that is released too early is never counted.
    async fn is_job_gone(&self, key: &NamespacedName, pod: &Pod) -> Result<bool, ReconcileError> {
        let Some(reference) = controller_of(&pod.metadata) else { return Ok(true) };
        let api: Api<Job> = Api::namespaced(self.client.clone(), &key.namespace);
        let present = api.get_opt(&reference.name).await.during("read job", &reference.name)?;
        Ok(present.is_none_or(|job| job.metadata.uid.as_ref() != Some(&reference.uid)))
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

/// Who still counts a pod.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    /// Its Job does, or it is another controller's to release, or released.
    Counted,
    /// It is nobody's, or its Job is at its end.
    Orphan,
    /// Its Job is gone, or not seen yet.
    Unknown,
}

/// `job` is the pod's, where it is known.
fn standing(pod: &Pod, job: Option<&Job>) -> Standing {
    if !has_finalizer(pod) {
        return Standing::Counted;
    }
    let Some(reference) = controller_of(&pod.metadata) else { return Standing::Orphan };
    if reference.kind != "Job" || reference.api_version != "batch/v1" {
        return Standing::Counted;
    }
    match job {
        None => Standing::Unknown,
        Some(job) if is_ours(job) && is_finished(job) => Standing::Orphan,
        Some(_) => Standing::Counted,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_pod_is_released_only_where_no_job_will_count_it() {
        let owner = |api: &str, kind: &str| json!([{"apiVersion": api, "kind": kind, "name": "sum", "uid": "1", "controller": true}]);
        let of_job = owner("batch/v1", "Job");
        let job = |spec: Value, status: Value| -> Job {
            serde_json::from_value(json!({"metadata": {"name": "sum", "uid": "1"}, "spec": spec, "status": status}))
                .unwrap()
        };
        let template = json!({"spec": {"containers": []}});
        let running = job(json!({"template": template}), json!({}));
        let over = json!({"conditions": [{"type": "Complete", "status": "True"}]});
        let finished = job(json!({"template": template}), over.clone());
        let others = job(json!({"template": template, "managedBy": "example.com/other"}), over);
        for (owners, finalizers, job, expected) in [
            (&of_job, json!([FINALIZER]), Some(&running), Standing::Counted),
            (&of_job, json!([FINALIZER]), Some(&finished), Standing::Orphan),
            (&of_job, json!([FINALIZER]), Some(&others), Standing::Counted),
            (&of_job, json!([FINALIZER]), None, Standing::Unknown),
            (&of_job, json!(["example.com/other"]), None, Standing::Counted),
            (&owner("example.com/v1", "Job"), json!([FINALIZER]), None, Standing::Counted),
            (&json!([]), json!([FINALIZER]), None, Standing::Orphan),
        ] {
            let metadata = json!({"name": "sum-1", "ownerReferences": owners, "finalizers": finalizers});
            let pod: Pod = serde_json::from_value(json!({"metadata": metadata})).unwrap();
            assert_eq!(standing(&pod, job), expected, "{metadata}");
        }
    }
}
