//! Gets a pod's claims bound before the pod is.

use std::time::Duration;

use api::NamespacedName;
use api::k8s::api::core::v1::{ObjectReference, PersistentVolume, PersistentVolumeClaim};
use api::volumes::{self, BOUND_BY_CONTROLLER, SELECTED_NODE};
use client::kube::Api;
use client::kube::api::{Patch, PatchParams, PostParams};
use client::{CallError, Client};
use reconcile::Informer;
use serde_json::json;

use crate::volumes::VolumePlan;

/// How long a pod waits for its claims to be bound, as upstream's default.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Debug, thiserror::Error)]
pub(crate) enum VolumeError {
    #[error("{0}")]
    Call(CallError),
    #[error("persistentvolume \"{0}\" not found")]
    VolumeGone(String),
    #[error("persistentvolumeclaim \"{0}\" not found")]
    ClaimGone(String),
    #[error("provisioning failed for PVC \"{0}\"")]
    GivenUp(String),
    #[error("pv \"{volume}\" node affinity doesn't match node \"{node}\"")]
    Elsewhere { volume: String, node: String },
    #[error("context deadline exceeded")]
    TimedOut,
}

/// Reads and writes claims and volumes.
#[derive(Clone)]
pub(crate) struct Binder {
    pub(crate) client: Client,
    pub(crate) claims: Informer<PersistentVolumeClaim>,
    pub(crate) volumes: Informer<PersistentVolume>,
}

impl Binder {
    /// Says which claim gets which volume, and for which node volumes are to be made.
    pub(crate) async fn write(&self, plan: &VolumePlan, node: &str) -> Result<(), VolumeError> {
        for (claim, volume) in &plan.bind {
            self.promise(claim, volume).await?;
        }
        for claim in &plan.provision {
            self.select_node(claim, node).await?;
        }
        Ok(())
    }

    /// Returns once all the plan's claims are bound to volumes that the node reaches.
    pub(crate) async fn wait(&self, plan: &VolumePlan, node: &str, labels: &Labels) -> Result<(), VolumeError> {
        let (mut claims, mut volumes) = (self.claims.changed(), self.volumes.changed());
        let mut seen_selected: Vec<&NamespacedName> = Vec::new();
        let all_bound = async {
            loop {
                let mut waits = false;
                for claim in plan.claims() {
                    waits |= !self.is_bound(claim, node, labels, plan, &mut seen_selected)?;
                }
                if !waits {
                    return Ok(());
                }
                // The informers live as long as this, and with them the senders.
                tokio::select! {
                    biased;
                    _ = claims.changed() => {}
                    _ = volumes.changed() => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, all_bound).await.unwrap_or(Err(VolumeError::TimedOut))
    }

    fn is_bound<'a>(
        &self,
        key: &'a NamespacedName,
        node: &str,
        labels: &Labels,
        plan: &VolumePlan,
        seen_selected: &mut Vec<&'a NamespacedName>,
    ) -> Result<bool, VolumeError> {
        let Some(claim) = self.claims.get(key) else { return Err(VolumeError::ClaimGone(key.name.clone())) };
        if volumes::is_fully_bound(&claim) {
            let name = volumes::volume_name(&claim);
            let Some(volume) = self.volumes.get(&NamespacedName::new("", name)) else { return Ok(false) };
            if !volumes::is_reachable(&volume, node, labels) {
                return Err(VolumeError::Elsewhere { volume: name.to_owned(), node: node.to_owned() });
            }
            return Ok(true);
        }
        if plan.provision.contains(key) {
            let annotations = claim.metadata.annotations.as_ref();
            let selected = annotations.and_then(|annotations| annotations.get(SELECTED_NODE));
            let was_seen = seen_selected.contains(&key);
            match selected {
                Some(_) if !was_seen => seen_selected.push(key),
                // The provisioner took it off: this node will not do.
                None if was_seen => return Err(VolumeError::GivenUp(key.name.clone())),
                _ => {}
            }
        }
        Ok(false)
    }

    async fn promise(&self, claim: &NamespacedName, volume: &str) -> Result<(), VolumeError> {
        let Some(claim_object) = self.claims.get(claim) else { return Err(VolumeError::ClaimGone(claim.name.clone())) };
        let found = self.volumes.get(&NamespacedName::new("", volume));
        let Some(found) = found else { return Err(VolumeError::VolumeGone(volume.to_owned())) };
        let mut bound = PersistentVolume::clone(&found);
        let by_hand = volumes::is_bound_to(&found, &claim_object);
        bound.spec.get_or_insert_default().claim_ref = Some(ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("PersistentVolumeClaim".to_owned()),
            name: Some(claim.name.clone()),
            namespace: Some(claim.namespace.clone()),
            uid: claim_object.metadata.uid.clone(),
            resource_version: claim_object.metadata.resource_version.clone(),
            ..ObjectReference::default()
        });
        if !by_hand {
            bound.metadata.annotations.get_or_insert_default().insert(BOUND_BY_CONTROLLER.to_owned(), "yes".to_owned());
        }
        let api: Api<PersistentVolume> = Api::all(self.client.clone());
        let replaced = api.replace(volume, &PostParams::default(), &bound).await;
        replaced.map(drop).map_err(|error| VolumeError::Call(error.into()))
    }

    async fn select_node(&self, claim: &NamespacedName, node: &str) -> Result<(), VolumeError> {
        let Some(object) = self.claims.get(claim) else { return Err(VolumeError::ClaimGone(claim.name.clone())) };
        let patch = json!({"metadata": {
            "uid": object.metadata.uid,
            "resourceVersion": object.metadata.resource_version,
            "annotations": {SELECTED_NODE: node},
        }});
        let api: Api<PersistentVolumeClaim> = Api::namespaced(self.client.clone(), &claim.namespace);
        let patched = api.patch(&claim.name, &PatchParams::default(), &Patch::Merge(patch)).await;
        patched.map(drop).map_err(|error| VolumeError::Call(error.into()))
    }
}

/// A node's labels.
pub(crate) type Labels = std::collections::BTreeMap<String, String>;
