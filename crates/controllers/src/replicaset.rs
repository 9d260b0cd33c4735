//! ReplicaSets: keep so many pods of one template.
//!
//! The core is generic over [`ReplicaOwner`]; ReplicationControllers are the same thing in older clothes.

mod owner;
mod plan;
mod status;

use std::sync::Arc;
use std::time::Duration;

use api::NamespacedName;
use api::k8s::api::apps::v1::ReplicaSet;
use api::k8s::api::core::v1::{Pod, PodTemplateSpec};
use client::Client;
use client::kube::Api;
use client::kube::api::{ObjectMeta, PostParams};
use reconcile::{
    Controller, Expectations, Informer, Outcome, Reconciler, WorkQueue, controller_of, controller_reference, slow_start,
};
use stdx::Ambient;

pub(crate) use owner::{ReplicaCounts, ReplicaOwner, non_zero};

use crate::context::{Context, on_each};
use crate::error::{During, ReconcileError};
use crate::ownership::{claim_dependents, controlled_by, index_by_controller};
use crate::pace::rest_after;
use crate::podowner::{PodControl, watch_pods};
use crate::pods;
use plan::{ReplicaPlan, plan_replicas};
use status::{next_availability, plan_status};

pub(crate) async fn run(context: Context) {
    run_for::<ReplicaSet>(context, "replicaset-controller").await;
}

/// The controller of any kind that replicates one pod template.
pub(crate) async fn run_for<O: ReplicaOwner>(context: Context, name: &'static str) {
    let owners = index_by_controller(context.informers.of::<O>());
    let pods = index_by_controller(context.informers.of::<Pod>());
    let expectations = Arc::new(Expectations::new(context.ambient.clock));
    let queue = WorkQueue::new(context.ambient.clock);
    let replicator = Replicator {
        client: context.client.clone(),
        queue: queue.clone(),
        owners: owners.clone(),
        pods: pods.clone(),
        expectations: Arc::clone(&expectations),
        pod_control: PodControl {
            client: context.client.clone(),
            recorder: context.recorder(),
            expectations: Arc::clone(&expectations),
        },
        ambient: context.ambient.clone(),
    };
    let controller = Controller::with_queue(name, replicator, queue.clone());
    on_each(&owners, {
        let queue = queue.clone();
        move |owner| queue.add(NamespacedName::of(owner.meta()))
    });
    watch_pods(&pods, &owners, expectations, queue);
    let synced = async {
        owners.synced().await;
        pods.synced().await;
    };
    context.run(controller, synced).await;
}

struct Replicator<O> {
    client: Client,
    queue: WorkQueue<NamespacedName>,
    owners: Informer<O>,
    pods: Informer<Pod>,
    expectations: Arc<Expectations>,
    pod_control: PodControl,
    ambient: Ambient,
}

impl<O: ReplicaOwner> Reconciler for Replicator<O> {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(owner) = self.owners.get(key) else {
            self.expectations.forget(key);
            return Ok(Outcome::Done);
        };
        let began = self.ambient.clock.instant();
        let is_settled = self.expectations.satisfied(key);
        let selector = owner.selector()?;
        let dependents =
            claim_dependents(&self.client, &self.pods, &*owner, &selector, |pod| !pods::is_finished(pod)).await?;
        let (terminating, active): (Vec<_>, Vec<_>) = dependents.into_iter().partition(|pod| pods::is_terminating(pod));
        let plan = if is_settled && owner.meta().deletion_timestamp.is_none() {
            let now = self.ambient.clock.now();
            plan_replicas(owner.replicas(), &active, || self.related_pods(&owner), now)
        } else {
            ReplicaPlan::default()
        };
        self.queue.rest(key, rest_after(began.elapsed()));
        let managed = self.manage(key, &owner, &plan).await;
        self.update_status(key, &owner, &active, terminating.len(), managed.as_ref().err()).await?;
        managed?;
        let now = self.ambient.clock.now();
        Ok(next_availability(&*owner, &active, now).map_or(Outcome::Done, Outcome::RequeueAfter))
    }
}

impl<O: ReplicaOwner> Replicator<O> {
    /// Creates what is missing, or deletes what is too much.
    async fn manage(&self, key: &NamespacedName, owner: &O, plan: &ReplicaPlan) -> Result<(), ReconcileError> {
        if plan.create > 0 {
            return self.create_pods(key, owner, plan.create).await;
        }
        if plan.delete.is_empty() {
            return Ok(());
        }
        self.delete_pods(key, owner, &plan.delete).await
    }

    /// The pods of all that share this owner's own controller: a Deployment's old and new ReplicaSets.
    fn related_pods(&self, owner: &O) -> Vec<Arc<Pod>> {
        let siblings = match controller_of(owner.meta()) {
            Some(reference) => {
                let parent = ObjectMeta { uid: Some(reference.uid.clone()), ..ObjectMeta::default() };
                controlled_by(&self.owners, &parent)
            }
            None => return controlled_by(&self.pods, owner.meta()),
        };
        siblings.iter().flat_map(|sibling| controlled_by(&self.pods, sibling.meta())).collect()
    }

    async fn create_pods(&self, key: &NamespacedName, owner: &O, count: usize) -> Result<(), ReconcileError> {
        self.expectations.expect(key, count, []);
        let pod = pod_from_template(owner.template(), &key.name, Some(controller_reference(owner)));
        let result = slow_start(count, |_| self.pod_control.create(owner, &pod)).await;
        for _ in 0..result.skipped {
            self.expectations.creation_observed(key);
        }
        result.first_error.map_or(Ok(()), Err)
    }

    async fn delete_pods(&self, key: &NamespacedName, owner: &O, doomed: &[Arc<Pod>]) -> Result<(), ReconcileError> {
        self.expectations.expect(key, 0, doomed.iter().map(|pod| pods::uid(pod).to_owned()));
        let deletions = doomed.iter().map(|pod| self.pod_control.delete(owner, pod));
        let mut errors = futures::future::join_all(deletions).await.into_iter().filter_map(Result::err);
        errors.next().map_or(Ok(()), Err)
    }

    async fn update_status(
        &self,
        key: &NamespacedName,
        owner: &O,
        active: &[Arc<Pod>],
        terminating: usize,
        failure: Option<&ReconcileError>,
    ) -> Result<(), ReconcileError> {
        let counts = plan_status(owner, active, terminating, failure, self.ambient.clock.now());
        if counts == owner.counts() {
            return Ok(());
        }
        let api: Api<O> = Api::namespaced(self.client.clone(), &key.namespace);
        let updated = owner.with_counts(counts);
        api.replace_status(&key.name, &PostParams::default(), &updated).await.during("update status of", key)?;
        Ok(())
    }
}

/// A pod of a template, named after its owner.
pub(crate) fn pod_from_template(
    template: Option<&PodTemplateSpec>,
    owner_name: &str,
    reference: Option<api::k8s::apimachinery::pkg::apis::meta::v1::OwnerReference>,
) -> Pod {
    let metadata = template.and_then(|template| template.metadata.as_ref());
    Pod {
        metadata: ObjectMeta {
            generate_name: Some(format!("{owner_name}-")),
            labels: metadata.and_then(|metadata| metadata.labels.clone()),
            annotations: metadata.and_then(|metadata| metadata.annotations.clone()),
            finalizers: metadata.and_then(|metadata| metadata.finalizers.clone()),
            owner_references: reference.map(|reference| vec![reference]),
            ..ObjectMeta::default()
        },
        spec: template.and_then(|template| template.spec.clone()),
        status: None,
    }
}

/// A deadline must not come a hair too early, or it is computed once more for nothing.
pub(crate) fn round_up(wait: Duration) -> Duration {
    wait + Duration::from_millis(1)
}
