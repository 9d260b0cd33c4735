//! The ReplicaSet of the current template, and the number of its revision.

use api::k8s::api::apps::v1::{Deployment, ReplicaSet, ReplicaSetSpec};
use client::kube::api::ObjectMeta;
use reconcile::controller_reference;

use super::annotations;
use super::rollout::new_set_size;
use super::view::{TEMPLATE_HASH, View};
use crate::hash::short_hash;

/// What to do about the new ReplicaSet.
pub(super) enum NewReplicaSet {
    /// It is there and right.
    Keep,
    /// It is missing, and must not be made yet.
    Wait,
    /// Its annotations or its minReadySeconds lag behind the Deployment's.
    Update(Box<ReplicaSet>),
    Create(Box<ReplicaSet>),
}

/// `old_pods_run` matters to Recreate alone.
pub(super) fn plan_new(view: &View, old_pods_run: bool) -> NewReplicaSet {
    let deployment = view.deployment();
    let revision = new_revision(view);
    if let Some(present) = view.new_set() {
        let mut updated = ReplicaSet::clone(present);
        let mut changed = annotations::sync(&mut updated.metadata, &deployment.metadata, revision, true);
        if updated.spec.min_ready_seconds.unwrap_or(0) != view.min_ready_seconds() {
            updated.spec.min_ready_seconds = Some(view.min_ready_seconds());
            changed = true;
        }
        return if changed { NewReplicaSet::Update(Box::new(updated)) } else { NewReplicaSet::Keep };
    }
    let waits = view.is_paused()
        || (view.is_scaling() && view.old_size() > 0)
        || (view.is_recreate() && (view.old_size() > 0 || old_pods_run));
    if waits {
        return NewReplicaSet::Wait;
    }
    let spec = view.spec();
    let hash = short_hash(&spec.template, view.deployment().status.as_ref().and_then(|status| status.collision_count));
    let mut template = spec.template.clone();
    let metadata = template.metadata.get_or_insert_default();
    metadata.labels.get_or_insert_default().insert(TEMPLATE_HASH.to_owned(), hash.clone());
    let mut selector = spec.selector.clone();
    selector.match_labels.get_or_insert_default().insert(TEMPLATE_HASH.to_owned(), hash.clone());
    let mut replica_set = ReplicaSet {
        metadata: ObjectMeta {
            name: Some(format!("{}-{hash}", view.name())),
            namespace: deployment.metadata.namespace.clone(),
            labels: metadata.labels.clone(),
            owner_references: Some(vec![controller_reference(deployment)]),
            ..ObjectMeta::default()
        },
        spec: ReplicaSetSpec {
            replicas: Some(new_set_size(view)),
            min_ready_seconds: spec.min_ready_seconds,
            selector,
            template: Some(template),
        },
        status: None,
    };
    annotations::sync(&mut replica_set.metadata, &deployment.metadata, revision, false);
    annotations::set_sizes(&mut replica_set.metadata, view.replicas(), view.replicas() + view.max_surge());
    NewReplicaSet::Create(Box::new(replica_set))
}

/// The Deployment with the revision of its new ReplicaSet, where it says otherwise now.
pub(super) fn plan_deployment_revision(view: &View) -> Option<Deployment> {
    let new = view.new_set()?;
    let revision = annotations::revision(&new.metadata).max(new_revision(view));
    if annotations::revision(&view.deployment().metadata) == revision {
        return None;
    }
    let mut updated = view.deployment().clone();
    let annotations = updated.metadata.annotations.get_or_insert_default();
    annotations.insert(annotations::REVISION.to_owned(), revision.to_string());
    Some(updated)
}

/// One more than every old ReplicaSet has: a template that comes back takes a new number.
fn new_revision(view: &View) -> i64 {
    view.old().iter().map(|old| annotations::revision(&old.metadata)).max().unwrap_or(0) + 1
}
