//! Keeps a claim that is being deleted until no pod uses it.

use std::sync::Arc;

use api::NamespacedName;
use api::k8s::api::core::v1::{PersistentVolumeClaim, Pod};
use client::Client;
use client::kube::Api;
use client::kube::api::PostParams;
use reconcile::{Controller, Informer, Outcome, Reconciler};

use crate::context::{Context, on_each};
use crate::error::{During, ReconcileError, unless_gone};
use crate::persistentvolume::{BY_CLAIM, claims_of, index_by_claim};
use crate::pods;

const FINALIZER: &str = "kubernetes.io/pvc-protection";

pub(crate) async fn run(context: Context) {
    let claims = context.informers.of::<PersistentVolumeClaim>();
    let pods = index_by_claim(context.informers.of::<Pod>());
    let protector = Protector { client: context.client.clone(), claims: claims.clone(), pods: pods.clone() };
    let controller = Controller::new("pvc-protection-controller", protector, context.ambient.clock);
    let queue = controller.queue();
    on_each(&claims, {
        let queue = queue.clone();
        move |claim| {
            if change(claim).is_some() {
                queue.add(NamespacedName::of(&claim.metadata));
            }
        }
    });
    pods.on_change(move |old, new| {
        let is_done = new.is_none_or(|pod| pods::is_finished(pod));
        if let Some(pod) = new.or(old).filter(|_| is_done) {
            let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
            for claim in claims_of(pod) {
                queue.add(NamespacedName::new(namespace, claim));
            }
        }
    });
    let synced = async {
        pods.synced().await;
        claims.synced().await;
    };
    context.run(controller, synced).await;
}

struct Protector {
    client: Client,
    claims: Informer<PersistentVolumeClaim>,
    pods: Informer<Pod>,
}

#[derive(Debug, PartialEq)]
enum Change {
    Add,
    /// Where nothing uses the claim.
    RemoveIfUnused,
}

/// A claim is protected from its begin, and freed when it is to go.
fn change(claim: &PersistentVolumeClaim) -> Option<Change> {
    let is_protected = claim.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == FINALIZER);
    match (claim.metadata.deletion_timestamp.is_some(), is_protected) {
        (false, false) => Some(Change::Add),
        (true, true) => Some(Change::RemoveIfUnused),
        _ => None,
    }
}

/// A pod holds its claims from the moment it has a node until it has finished.
fn uses(pod: &Pod) -> bool {
    pods::node_name(pod).is_some() && !pods::is_finished(pod)
}

impl Reconciler for Protector {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(claim) = self.claims.get(key) else { return Ok(Outcome::Done) };
        match change(&claim) {
            Some(Change::Add) => self.write(key, &claim, |finalizers| finalizers.push(FINALIZER.to_owned())).await?,
            Some(Change::RemoveIfUnused) if !self.is_used(key, &claim).await? => {
                self.write(key, &claim, |finalizers| finalizers.retain(|one| one != FINALIZER)).await?;
            }
            _ => {}
        }
        Ok(Outcome::Done)
    }
}

impl Protector {
    async fn is_used(&self, key: &NamespacedName, claim: &PersistentVolumeClaim) -> Result<bool, ReconcileError> {
        let is_user = |pod: &Pod| uses(pod) && claims_of(pod).any(|name| name == key.name);
        if self.pods.by_index(BY_CLAIM, &key.to_string()).iter().any(|pod| is_user(pod)) {
            return Ok(true);
        }
        // Data is at stake: what the cache has not seen yet, the API has.
        let api: Api<Pod> = Api::namespaced(self.client.clone(), &key.namespace);
        let pods = api.list(&Default::default()).await.during("look for users of claim", key)?;
        tracing::debug!(claim = %key, uid = claim.metadata.uid, "no cached pod uses the claim");
        Ok(pods.items.iter().any(is_user))
    }

    async fn write(
        &self,
        key: &NamespacedName,
        claim: &Arc<PersistentVolumeClaim>,
        edit: impl FnOnce(&mut Vec<String>),
    ) -> Result<(), ReconcileError> {
        let mut claim = PersistentVolumeClaim::clone(claim);
        edit(claim.metadata.finalizers.get_or_insert_default());
        let api: Api<PersistentVolumeClaim> = Api::namespaced(self.client.clone(), &key.namespace);
        unless_gone(api.replace(&key.name, &PostParams::default(), &claim).await).during("protect claim", key)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn claims_are_protected_until_they_are_to_go() {
        let claim = |metadata: Value| serde_json::from_value(json!({"metadata": metadata})).unwrap();
        let going = "2030-01-01T00:00:00Z";
        for (metadata, expected) in [
            (json!({}), Some(Change::Add)),
            (json!({"finalizers": [FINALIZER]}), None),
            (json!({"finalizers": [FINALIZER], "deletionTimestamp": going}), Some(Change::RemoveIfUnused)),
            (json!({"finalizers": ["other"], "deletionTimestamp": going}), None),
        ] {
            assert_eq!(change(&claim(metadata)), expected);
        }
    }

    #[test]
    fn only_pods_on_a_node_hold_their_claims() {
        let pod = |spec: Value, phase: &str| serde_json::from_value(json!({"spec": spec, "status": {"phase": phase}}));
        for (spec, phase, expected) in [
            (json!({"containers": []}), "Pending", false),
            (json!({"containers": [], "nodeName": "one"}), "Pending", true),
            (json!({"containers": [], "nodeName": "one"}), "Running", true),
            (json!({"containers": [], "nodeName": "one"}), "Succeeded", false),
        ] {
            assert_eq!(uses(&pod(spec, phase).unwrap()), expected);
        }
    }
}
