//! Deployments: roll ReplicaSets over to a new pod template without letting the service down.

mod annotations;
mod cleanup;
mod condition;
mod revision;
mod rollback;
mod rollout;
mod scale;
mod status;
mod view;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use api::k8s::api::apps::v1::{Deployment, ReplicaSet};
use api::k8s::api::core::v1::Pod;
use api::{NamespacedName, Selector};
use client::Client;
use client::kube::Api;
use client::kube::api::{DeleteParams, PostParams};
use reconcile::{Controller, Informer, Outcome, Reconciler, Recorder, WorkQueue, controller_of, reference_to};
use stdx::Ambient;

use crate::context::{Context, on_each};
use crate::error::{During, ReconcileError, unless_gone};
use crate::ownership::{claim_dependents, controlled_by, index_by_controller, resolve_controller};
use crate::pods;
use revision::NewReplicaSet;
use scale::Resize;
use view::View;

pub(crate) async fn run(context: Context) {
    let deployments = context.informers.of::<Deployment>();
    let replica_sets = index_by_controller(context.informers.of::<ReplicaSet>());
    let pods = index_by_controller(context.informers.of::<Pod>());
    let deployer = Deployer {
        client: context.client.clone(),
        recorder: context.recorder(),
        deployments: deployments.clone(),
        replica_sets: replica_sets.clone(),
        pods: pods.clone(),
        ambient: context.ambient.clone(),
    };
    let controller = Controller::new("deployment-controller", deployer, context.ambient.clock);
    let queue = controller.queue();
    on_each(&deployments, {
        let queue = queue.clone();
        move |deployment| queue.add(NamespacedName::of(&deployment.metadata))
    });
    replica_sets.on_change({
        let (deployments, queue) = (deployments.clone(), queue.clone());
        move |old, new| {
            for replica_set in old.into_iter().chain(new) {
                enqueue_owner(&deployments, &queue, replica_set);
            }
        }
    });
    pods.on_change({
        let (deployments, replica_sets) = (deployments.clone(), replica_sets.clone());
        move |old, new| {
            // Only a Recreate rollout waits for pods to be gone.
            let Some(gone) = old.filter(|_| new.is_none()) else { return };
            let Some(replica_set) = resolve_controller::<ReplicaSet>(&replica_sets, &gone.metadata) else { return };
            if let Some(owner) = resolve_controller(&deployments, &replica_set.metadata)
                && view::is_recreate(&owner)
            {
                queue.add(NamespacedName::of(&owner.metadata));
            }
        }
    });
    let synced = async {
        deployments.synced().await;
        replica_sets.synced().await;
        pods.synced().await;
    };
    context.run(controller, synced).await;
}

fn enqueue_owner(deployments: &Informer<Deployment>, queue: &WorkQueue<NamespacedName>, replica_set: &ReplicaSet) {
    if let Some(owner) = resolve_controller::<Deployment>(deployments, &replica_set.metadata) {
        return queue.add(NamespacedName::of(&owner.metadata));
    }
    if controller_of(&replica_set.metadata).is_some() {
        return;
    }
    // An orphan: any Deployment whose selector matches may adopt it.
    for deployment in deployments.list_namespace(replica_set.metadata.namespace.as_deref().unwrap_or_default()) {
        if let Ok(selector) = Selector::from_label_selector(&deployment.spec.selector)
            && !selector.is_everything()
            && selector.matches_optional(replica_set.metadata.labels.as_ref())
        {
            queue.add(NamespacedName::of(&deployment.metadata));
        }
    }
}

struct Deployer {
    client: Client,
    recorder: Recorder,
    deployments: Informer<Deployment>,
    replica_sets: Informer<ReplicaSet>,
    pods: Informer<Pod>,
    ambient: Ambient,
}

impl Reconciler for Deployer {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(deployment) = self.deployments.get(key) else { return Ok(Outcome::Done) };
        let selector = Selector::from_label_selector(&deployment.spec.selector)?;
        if selector.is_everything() {
            self.recorder.warning(
                &*deployment,
                "SelectingAll",
                "This deployment is selecting all pods. A non-empty selector is required.",
            );
            return Ok(Outcome::Done);
        }
        let claimed =
            claim_dependents(&self.client, &self.replica_sets, &*deployment, &selector, |_: &ReplicaSet| true).await?;
        let view = View::new(&deployment, &claimed);
        self.advance(key, &view).await
    }
}

impl Deployer {
    /// One step: what the view asks for first. The watch shows its effect and leads to the next.
    async fn advance(&self, key: &NamespacedName, view: &View) -> Result<Outcome, ReconcileError> {
        let now = self.ambient.clock.now_seconds();
        if view.is_going() {
            return self.update_status(key, view, status::counts_only(view, now)).await;
        }
        if let Some(conditions) = condition::paused_or_resumed(view, now) {
            let status = status::with_conditions(view, conditions);
            return self.update_status(key, view, status).await;
        }
        if !view.is_paused()
            && let Some(rollback) = rollback::plan_rollback(view)
        {
            let api: Api<Deployment> = Api::namespaced(self.client.clone(), &key.namespace);
            api.replace(&key.name, &PostParams::default(), &rollback.deployment).await.during("roll back", key)?;
            let (r#type, reason, message) = rollback.event;
            self.recorder.event(&reference_to(view.deployment()), r#type, reason, message);
            return Ok(Outcome::Done);
        }
        if let Some(updated) = revision::plan_deployment_revision(view) {
            let api: Api<Deployment> = Api::namespaced(self.client.clone(), &key.namespace);
            api.replace(&key.name, &PostParams::default(), &updated).await.during("update revision of", key)?;
            return Ok(Outcome::Done);
        }
        let pods_run = view.is_recreate() && self.old_pods_run(view);
        match revision::plan_new(view, pods_run) {
            NewReplicaSet::Update(replica_set) => {
                self.update_replica_set(key, &replica_set).await?;
                return Ok(Outcome::Done);
            }
            NewReplicaSet::Create(replica_set) => {
                // Its number of replicas is part of its creation.
                let name = self.create(key, view, *replica_set).await?;
                return self.update_status(key, view, status::progressing(view, now, name.as_deref())).await;
            }
            NewReplicaSet::Keep | NewReplicaSet::Wait => {}
        }
        if view.is_paused() || view.is_scaling() {
            self.resize(key, view, &scale::plan_scale(view)).await?;
            if view.is_paused() {
                self.clean_up(key, view).await?;
            }
            return self.update_status(key, view, status::counts_only(view, now)).await;
        }
        let resizes = rollout::plan_rollout(view, pods_run);
        if !resizes.is_empty() {
            self.resize(key, view, &resizes).await?;
        } else if view.is_complete() {
            self.clean_up(key, view).await?;
        }
        self.update_status(key, view, status::progressing(view, now, None)).await
    }

    async fn update_replica_set(&self, key: &NamespacedName, updated: &ReplicaSet) -> Result<(), ReconcileError> {
        let api: Api<ReplicaSet> = Api::namespaced(self.client.clone(), &key.namespace);
        let name = updated.metadata.name.as_deref().unwrap_or_default();
        api.replace(name, &PostParams::default(), updated).await.during("update replica set", name)?;
        Ok(())
    }

    /// Gives the name of what was created; none where it was there, or its namespace is going.
    async fn create(
        &self,
        key: &NamespacedName,
        view: &View,
        replica_set: ReplicaSet,
    ) -> Result<Option<String>, ReconcileError> {
        let api: Api<ReplicaSet> = Api::namespaced(self.client.clone(), &key.namespace);
        let name = replica_set.metadata.name.clone().unwrap_or_default();
        let created = api.create(&PostParams::default(), &replica_set).await.during("create replica set", &name);
        match created {
            Ok(created) => {
                let size = view::size(&created);
                if size > 0 {
                    self.recorder.normal(
                        view.deployment(),
                        "ScalingReplicaSet",
                        format!("Scaled up replica set {name} from 0 to {size}"),
                    );
                }
                Ok(Some(name))
            }
            Err(error) => {
                let Some(call) = error.call() else { return Err(error) };
                if call.is_already_exists() {
                    return self.settle_name_collision(key, view, &replica_set, error).await.map(|()| None);
                }
                if call.is_namespace_terminating() {
                    return Ok(None);
                }
                if condition::has_deadline(view) {
                    let message = format!("Failed to create new replica set {name:?}: {call}");
                    self.recorder.warning(view.deployment(), "ReplicaSetCreateError", &message);
                    let status = status::creation_failed(view, &message, self.ambient.clock.now_seconds());
                    self.update_status(key, view, status).await?;
                }
                Err(error)
            }
        }
    }

    /// The name is taken: by our own ReplicaSet that the cache does not show yet, or by another whose
    /// template has the same hash, and then the hash is salted with a count.
    async fn settle_name_collision(
        &self,
        key: &NamespacedName,
        view: &View,
        wanted: &ReplicaSet,
        error: ReconcileError,
    ) -> Result<(), ReconcileError> {
        let api: Api<ReplicaSet> = Api::namespaced(self.client.clone(), &key.namespace);
        let name = wanted.metadata.name.as_deref().unwrap_or_default();
        let present = api.get(name).await.during("read replica set", name)?;
        if view.owns(&present) && view::same_template(wanted, &present) {
            return Ok(());
        }
        self.update_status(key, view, status::with_collision(view)).await?;
        Err(error)
    }

    async fn resize(&self, key: &NamespacedName, view: &View, resizes: &[Resize]) -> Result<(), ReconcileError> {
        for resize in resizes {
            let Some(replica_set) = view.find(&resize.name) else { continue };
            let Some(updated) = scale::resized(view, replica_set, resize.to) else { continue };
            self.update_replica_set(key, &updated).await?;
            let from = view::size(replica_set);
            if from != resize.to {
                let direction = if resize.to > from { "up" } else { "down" };
                let message = format!("Scaled {direction} replica set {} from {from} to {}", resize.name, resize.to);
                self.recorder.normal(view.deployment(), "ScalingReplicaSet", message);
            }
        }
        Ok(())
    }

    async fn clean_up(&self, key: &NamespacedName, view: &View) -> Result<(), ReconcileError> {
        let api: Api<ReplicaSet> = Api::namespaced(self.client.clone(), &key.namespace);
        for name in cleanup::plan_cleanup(view) {
            unless_gone(api.delete(&name, &DeleteParams::default()).await).during("delete replica set", &name)?;
        }
        Ok(())
    }

    async fn update_status(
        &self,
        key: &NamespacedName,
        view: &View,
        status: status::Planned,
    ) -> Result<Outcome, ReconcileError> {
        if view.deployment().status.as_ref() != Some(&status.status) {
            let api: Api<Deployment> = Api::namespaced(self.client.clone(), &key.namespace);
            let updated = Deployment { status: Some(status.status), ..view.deployment().clone() };
            api.replace_status(&key.name, &PostParams::default(), &updated).await.during("update status of", key)?;
        }
        Ok(status.deadline.map_or(Outcome::Done, Outcome::RequeueAfter))
    }

    /// Pods of old ReplicaSets that have not come to an end, those on their way out included.
    fn old_pods_run(&self, view: &View) -> bool {
        let mut pods = view.old().iter().flat_map(|old| controlled_by(&self.pods, &old.metadata));
        pods.any(|pod: Arc<Pod>| !pods::is_finished(&pod))
    }
}
