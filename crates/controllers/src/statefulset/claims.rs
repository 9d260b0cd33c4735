//! The claims of a StatefulSet's pods, and who takes them along when going.

use std::sync::Arc;

use api::NamespacedName;
use api::k8s::api::apps::v1::StatefulSet;
use api::k8s::api::core::v1::{PersistentVolumeClaim, Pod};
use api::k8s::apimachinery::pkg::apis::meta::v1::OwnerReference;
use client::Client;
use client::kube::Api;
use client::kube::api::PostParams;
use reconcile::{Informer, Recorder, controller_reference};

use super::identity::{claims_of, pod_name};
use crate::error::{During, ReconcileError};

/// Makes the claims of pods and keeps their owners as the retention policy says.
pub(super) struct Claims {
    pub(super) client: Client,
    pub(super) recorder: Recorder,
    pub(super) informer: Informer<PersistentVolumeClaim>,
}

impl Claims {
    /// Makes what is missing of an ordinal's claims.
    pub(super) async fn supply(&self, set: &StatefulSet, ordinal: i32) -> Result<(), ReconcileError> {
        for mut claim in claims_of(set, ordinal) {
            let key = NamespacedName::of(&claim.metadata);
            match self.informer.get(&key) {
                Some(present) if present.metadata.deletion_timestamp.is_some() => {
                    return Err(ReconcileError::ClaimGoing { claim: key });
                }
                Some(_) => continue,
                None => {}
            }
            claim.metadata.owner_references = wanted_owners(set, &claim, None, true);
            self.create(set, &claim, &key, &pod_name(set, ordinal)).await?;
        }
        Ok(())
    }

    /// Writes the owners that the policy wants. `pod` is the ordinal's, if there is one.
    pub(super) async fn settle_owners(
        &self,
        set: &StatefulSet,
        ordinal: i32,
        pod: Option<&Pod>,
        is_wanted: bool,
    ) -> Result<(), ReconcileError> {
        for claim in claims_of(set, ordinal) {
            let key = NamespacedName::of(&claim.metadata);
            let Some(present) = self.informer.get(&key) else { continue };
            let owners = wanted_owners(set, &present, pod, is_wanted);
            if owners == present.metadata.owner_references {
                continue;
            }
            let mut updated = PersistentVolumeClaim::clone(&present);
            updated.metadata.owner_references = owners;
            let api: Api<PersistentVolumeClaim> = Api::namespaced(self.client.clone(), &key.namespace);
            api.replace(&key.name, &PostParams::default(), &updated).await.during("update owners of claim", &key)?;
        }
        Ok(())
    }

    /// A claim that goes with an earlier pod of the ordinal must be gone before the next one comes.
    pub(super) fn has_stale(&self, set: &StatefulSet, ordinal: i32) -> bool {
        let name = pod_name(set, ordinal);
        let claims = claims_of(set, ordinal).into_iter();
        let mut present = claims.filter_map(|claim| self.informer.get(&NamespacedName::of(&claim.metadata)));
        present.any(|claim: Arc<PersistentVolumeClaim>| {
            let mut owners = claim.metadata.owner_references.iter().flatten();
            owners.any(|owner| owner.kind == "Pod" && owner.name == name)
        })
    }

    async fn create(
        &self,
        set: &StatefulSet,
        claim: &PersistentVolumeClaim,
        key: &NamespacedName,
        pod: &str,
    ) -> Result<(), ReconcileError> {
        let api: Api<PersistentVolumeClaim> = Api::namespaced(self.client.clone(), &key.namespace);
        let created = api.create(&PostParams::default(), claim).await.during("create claim", key);
        let (claim, owner) = (&key.name, set.metadata.name.as_deref().unwrap_or_default());
        let Err(error) = created else {
            let message = format!("create Claim {claim} Pod {pod} in StatefulSet {owner} success");
            self.recorder.normal(set, "SuccessfulCreate", message);
            return Ok(());
        };
        let Some(call) = error.call() else { return Err(error) };
        if call.is_already_exists() {
            return Ok(());
        }
        let message = format!("create Claim {claim} for Pod {pod} in StatefulSet {owner} failed error: {call}");
        self.recorder.warning(set, "FailedCreate", message);
        Err(error)
    }
}

/// The claim's owners as the policy wants them: the set, where the claim goes with the set; its pod, where
/// it goes because the set has shrunk.
fn wanted_owners(
    set: &StatefulSet,
    claim: &PersistentVolumeClaim,
    pod: Option<&Pod>,
    is_wanted: bool,
) -> Option<Vec<OwnerReference>> {
    let policy = set.spec.persistent_volume_claim_retention_policy.as_ref();
    let deletes = |when: Option<&String>| when.is_some_and(|when| when == "Delete");
    let with_set = deletes(policy.and_then(|policy| policy.when_deleted.as_ref()));
    let with_pod = deletes(policy.and_then(|policy| policy.when_scaled.as_ref()));
    let goes_with_pod = with_pod && !is_wanted;
    let goes_with_set = with_set && !goes_with_pod;

    let set_reference = controller_reference(set);
    let pod_reference = pod.map(controller_reference);
    let mut owners = claim.metadata.owner_references.clone().unwrap_or_default();
    let is_ours = |owner: &OwnerReference| {
        owner.uid == set_reference.uid
            || (owner.kind == "Pod" && pod_reference.as_ref().is_none_or(|pod| pod.name == owner.name))
    };
    // Whoever else controls it keeps it.
    if owners.iter().any(|owner| owner.controller == Some(true) && !is_ours(owner)) {
        return claim.metadata.owner_references.clone();
    }
    owners.retain(|owner| !is_ours(owner));
    owners.extend(goes_with_set.then_some(set_reference));
    owners.extend(pod_reference.filter(|_| goes_with_pod));
    (!owners.is_empty()).then_some(owners)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_claim_belongs_to_whom_it_goes_with() {
        let owners = |scaled: &str, deleted: &str, is_wanted: bool| -> Vec<String> {
            let policy = json!({"whenScaled": scaled, "whenDeleted": deleted});
            let set: StatefulSet = serde_json::from_value(json!({
                "metadata": {"name": "db", "uid": "set"},
                "spec": {"selector": {}, "template": {}, "persistentVolumeClaimRetentionPolicy": policy},
            }))
            .unwrap();
            let pod: Pod = serde_json::from_value(json!({"metadata": {"name": "db-0", "uid": "pod"}})).unwrap();
            let claim: PersistentVolumeClaim = serde_json::from_value(json!({"metadata": {"ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "set", "controller": true},
                {"apiVersion": "v1", "kind": "ConfigMap", "name": "mine", "uid": "other"},
            ]}}))
            .unwrap();
            let owners = wanted_owners(&set, &claim, Some(&pod), is_wanted).unwrap_or_default();
            owners.into_iter().map(|owner| owner.uid).collect()
        };
        assert_eq!(owners("Retain", "Retain", true), ["other"]);
        assert_eq!(owners("Retain", "Retain", false), ["other"]);
        assert_eq!(owners("Retain", "Delete", true), ["other", "set"]);
        assert_eq!(owners("Retain", "Delete", false), ["other", "set"]);
        assert_eq!(owners("Delete", "Retain", true), ["other"]);
        assert_eq!(owners("Delete", "Retain", false), ["other", "pod"]);
        assert_eq!(owners("Delete", "Delete", true), ["other", "set"]);
        assert_eq!(owners("Delete", "Delete", false), ["other", "pod"]);
    }
}
