//! A Deployment and its ReplicaSets, as all decisions look at them.

use std::sync::Arc;

use api::k8s::api::apps::v1::{Deployment, DeploymentSpec, ReplicaSet, RollingUpdateDeployment};
use api::k8s::api::core::v1::PodTemplateSpec;
use api::k8s::apimachinery::pkg::util::intstr::IntOrString;
use reconcile::controller_of;

use super::annotations;
use crate::share::share_of;

pub(super) const TEMPLATE_HASH: &str = "pod-template-hash";

pub(super) struct View {
    deployment: Arc<Deployment>,
    /// The one whose template is the Deployment's own.
    new: Option<Arc<ReplicaSet>>,
    /// All others, oldest first.
    old: Vec<Arc<ReplicaSet>>,
}

impl View {
    pub(super) fn new(deployment: &Arc<Deployment>, claimed: &[Arc<ReplicaSet>]) -> Self {
        let mut sorted = claimed.to_vec();
        sorted.sort_by_key(|replica_set| {
            let created = replica_set.metadata.creation_timestamp.as_ref().map(|time| time.0);
            (created, replica_set.metadata.name.clone())
        });
        let template = &deployment.spec.template;
        let position = sorted.iter().position(|replica_set| has_template(replica_set, template));
        let new = position.map(|position| sorted.remove(position));
        View { deployment: Arc::clone(deployment), new, old: sorted }
    }

    pub(super) fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    pub(super) fn spec(&self) -> &DeploymentSpec {
        &self.deployment.spec
    }

    pub(super) fn name(&self) -> &str {
        self.deployment.metadata.name.as_deref().unwrap_or_default()
    }

    pub(super) fn new_set(&self) -> Option<&Arc<ReplicaSet>> {
        self.new.as_ref()
    }

    pub(super) fn old(&self) -> &[Arc<ReplicaSet>] {
        &self.old
    }

    /// Old ones first, as they came.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<ReplicaSet>> {
        self.old.iter().chain(&self.new)
    }

    pub(super) fn find(&self, name: &str) -> Option<&Arc<ReplicaSet>> {
        self.all().find(|replica_set| replica_set.metadata.name.as_deref() == Some(name))
    }

    pub(super) fn owns(&self, replica_set: &ReplicaSet) -> bool {
        controller_of(&replica_set.metadata).map(|reference| &reference.uid) == self.deployment.metadata.uid.as_ref()
    }

    pub(super) fn replicas(&self) -> i32 {
        self.spec().replicas.unwrap_or(1)
    }

    pub(super) fn min_ready_seconds(&self) -> i32 {
        self.spec().min_ready_seconds.unwrap_or(0)
    }

    pub(super) fn is_going(&self) -> bool {
        self.deployment.metadata.deletion_timestamp.is_some()
    }

    pub(super) fn is_paused(&self) -> bool {
        self.spec().paused.unwrap_or(false)
    }

    pub(super) fn is_recreate(&self) -> bool {
        is_recreate(&self.deployment)
    }

    /// Whether the Deployment's size changed since its ReplicaSets were last told of it.
    pub(super) fn is_scaling(&self) -> bool {
        let desired = self.all().filter(|set| size(set) > 0).filter_map(|set| annotations::desired_replicas(set));
        desired.into_iter().any(|desired| desired != self.replicas())
    }

    /// Pods that may be made over the wanted number.
    pub(super) fn max_surge(&self) -> i32 {
        if self.is_recreate() { 0 } else { self.fence_posts().0 }
    }

    /// Pods that may be missing from the wanted number.
    pub(super) fn max_unavailable(&self) -> i32 {
        if self.is_recreate() || self.replicas() == 0 { 0 } else { self.fence_posts().1.min(self.replicas()) }
    }

    /// Both bounds resolved: surge rounds up, unavailability down, and not both may be zero.
    fn fence_posts(&self) -> (i32, i32) {
        let default = RollingUpdateDeployment::default();
        let strategy = self.spec().strategy.as_ref().and_then(|strategy| strategy.rolling_update.as_ref());
        let strategy = strategy.unwrap_or(&default);
        let surge = resolve(strategy.max_surge.as_ref(), self.replicas(), true);
        let unavailable = resolve(strategy.max_unavailable.as_ref(), self.replicas(), false);
        if surge == 0 && unavailable == 0 { (0, 1) } else { (surge, unavailable) }
    }

    /// Pods that all ReplicaSets are to have together.
    pub(super) fn total_size(&self) -> i32 {
        self.all().map(|set| size(set)).sum()
    }

    pub(super) fn old_size(&self) -> i32 {
        self.old.iter().map(|set| size(set)).sum()
    }

    pub(super) fn total_available(&self) -> i32 {
        self.all().map(|set| available(set)).sum()
    }

    /// As the status last reported: everything updated, available, and nothing left over.
    pub(super) fn is_complete(&self) -> bool {
        self.deployment.status.as_ref().is_some_and(|status| self.completes(status))
    }

    pub(super) fn completes(&self, status: &api::k8s::api::apps::v1::DeploymentStatus) -> bool {
        let replicas = self.replicas();
        status.updated_replicas.unwrap_or(0) == replicas
            && status.replicas.unwrap_or(0) == replicas
            && status.available_replicas.unwrap_or(0) == replicas
            && status.observed_generation.unwrap_or(0) >= self.deployment.metadata.generation.unwrap_or(0)
    }
}

pub(super) fn is_recreate(deployment: &Deployment) -> bool {
    deployment.spec.strategy.as_ref().and_then(|strategy| strategy.type_.as_deref()) == Some("Recreate")
}

/// The pods a ReplicaSet is to have.
pub(super) fn size(replica_set: &ReplicaSet) -> i32 {
    replica_set.spec.replicas.unwrap_or(1)
}

pub(super) fn available(replica_set: &ReplicaSet) -> i32 {
    replica_set.status.as_ref().and_then(|status| status.available_replicas).unwrap_or(0)
}

pub(super) fn same_template(a: &ReplicaSet, b: &ReplicaSet) -> bool {
    b.spec.template.as_ref().is_some_and(|template| has_template(a, &without_hash(template)))
}

/// Whether the ReplicaSet was made of this template; its own hash label aside.
pub(super) fn has_template(replica_set: &ReplicaSet, template: &PodTemplateSpec) -> bool {
    replica_set.spec.template.as_ref().is_some_and(|own| normal(without_hash(own)) == normal(without_hash(template)))
}

pub(super) fn without_hash(template: &PodTemplateSpec) -> PodTemplateSpec {
    let mut template = template.clone();
    if let Some(labels) = template.metadata.as_mut().and_then(|metadata| metadata.labels.as_mut()) {
        labels.remove(TEMPLATE_HASH);
    }
    template
}

/// An absent map and an empty one mean the same.
fn normal(mut template: PodTemplateSpec) -> PodTemplateSpec {
    let mut metadata = template.metadata.take().unwrap_or_default();
    metadata.labels = metadata.labels.filter(|labels| !labels.is_empty());
    metadata.annotations = metadata.annotations.filter(|annotations| !annotations.is_empty());
    template.metadata = Some(metadata);
    template
}

fn resolve(bound: Option<&IntOrString>, replicas: i32, round_up: bool) -> i32 {
    let quarter = IntOrString::String("25%".to_owned());
    share_of(bound.unwrap_or(&quarter), replicas, round_up)
}
