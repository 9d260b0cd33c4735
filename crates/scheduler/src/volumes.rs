//! Claims and volumes as the scheduler sees them, and what a pod's claims still need on a node.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::NamespacedName;
use api::k8s::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use api::k8s::api::storage::v1::{CSINode, StorageClass};
use api::volumes::{self, NO_PROVISIONER, Place, SELECTED_NODE};

use crate::cache::NodeInfo;
use crate::pod::PodInfo;

const BIND_CONFLICT: &str = "node(s) didn't find available persistent volumes to bind";
const NODE_CONFLICT: &str = "node(s) didn't match PersistentVolume's node affinity";
const VOLUME_MISSING: &str = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";

/// The present state, what is decided but not yet written included.
#[derive(Clone, Debug, Default)]
pub(crate) struct Volumes {
    pub(crate) claims: BTreeMap<NamespacedName, Arc<PersistentVolumeClaim>>,
    pub(crate) volumes: BTreeMap<String, Arc<PersistentVolume>>,
    pub(crate) classes: BTreeMap<String, Arc<StorageClass>>,
    pub(crate) csi_nodes: BTreeMap<String, Arc<CSINode>>,
    /// Volumes that claims are about to get.
    promised: BTreeMap<String, NamespacedName>,
    /// Nodes that claims' volumes are about to be made for.
    selected: BTreeMap<NamespacedName, String>,
}

/// What is to be written before the pod can be bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VolumePlan {
    /// Claims and the volumes they get.
    pub(crate) bind: Vec<(NamespacedName, String)>,
    /// Claims whose volumes are to be made for the node.
    pub(crate) provision: Vec<NamespacedName>,
}

impl VolumePlan {
    pub(crate) fn is_empty(&self) -> bool {
        self.bind.is_empty() && self.provision.is_empty()
    }

    pub(crate) fn claims(&self) -> impl Iterator<Item = &NamespacedName> {
        self.bind.iter().map(|(claim, _)| claim).chain(&self.provision)
    }
}

/// One claim of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PodClaim {
    pub(crate) key: NamespacedName,
    /// Made for this pod alone.
    pub(crate) is_ephemeral: bool,
}

pub(crate) fn claims_of(pod: &PodInfo) -> Vec<PodClaim> {
    let (namespace, name) = (pod.namespace(), pod.key().name);
    let volumes = pod.spec().into_iter().flat_map(|spec| spec.volumes.iter().flatten());
    let claim = |name: String, is_ephemeral| PodClaim { key: NamespacedName::new(namespace, name), is_ephemeral };
    volumes
        .filter_map(|volume| match &volume.persistent_volume_claim {
            Some(source) => Some(claim(source.claim_name.clone(), false)),
            None => volume.ephemeral.as_ref().map(|_| claim(format!("{name}-{}", volume.name), true)),
        })
        .collect()
}

impl Volumes {
    /// Counts on a plan until [`Volumes::settle`].
    pub(crate) fn promise(&mut self, plan: &VolumePlan, node: &str) {
        self.promised.extend(plan.bind.iter().map(|(claim, volume)| (volume.clone(), claim.clone())));
        self.selected.extend(plan.provision.iter().map(|claim| (claim.clone(), node.to_owned())));
    }

    /// The plan is carried out, or given up.
    pub(crate) fn settle(&mut self, plan: &VolumePlan) {
        for (_, volume) in &plan.bind {
            self.promised.remove(volume);
        }
        for claim in &plan.provision {
            self.selected.remove(claim);
        }
    }

    /// The claim's class, where there is such a class.
    pub(crate) fn class_of(&self, claim: &PersistentVolumeClaim) -> Option<&Arc<StorageClass>> {
        self.classes.get(volumes::class_of_claim(claim))
    }

    /// Whether the claim's volume is chosen when its first pod is.
    pub(crate) fn waits_for_pod(&self, claim: &PersistentVolumeClaim) -> bool {
        let mode = self.class_of(claim).and_then(|class| class.volume_binding_mode.as_deref());
        mode == Some("WaitForFirstConsumer")
    }

    /// The volumes of the pod's claims that are bound.
    pub(crate) fn bound_volumes(&self, pod: &PodInfo) -> Vec<&Arc<PersistentVolume>> {
        let claims = claims_of(pod).into_iter().filter_map(|claim| self.claims.get(&claim.key));
        claims.filter_map(|claim| self.volumes.get(volumes::volume_name(claim))).collect()
    }

    /// What the pod's claims need on the node, or why they cannot be served there.
    pub(crate) fn plan(&self, pod: &PodInfo, node: &NodeInfo) -> Result<VolumePlan, Vec<&'static str>> {
        let no_labels = BTreeMap::new();
        let labels = node.labels().unwrap_or(&no_labels);
        let mut plan = VolumePlan::default();
        let mut conflicts = Vec::new();
        let mut conflict = |reason| {
            if !conflicts.contains(&reason) {
                conflicts.push(reason);
            }
        };
        for claim in claims_of(pod) {
            let Some(object) = self.claims.get(&claim.key) else { continue };
            if volumes::is_fully_bound(object) {
                match self.volumes.get(volumes::volume_name(object)) {
                    None => conflict(VOLUME_MISSING),
                    Some(volume) if !volumes::is_reachable(volume, &node.name, labels) => conflict(NODE_CONFLICT),
                    Some(_) => {}
                }
                continue;
            }
            match self.selected_node(&claim.key, object) {
                Some(selected) if selected == node.name && self.can_provision(object, node) => {
                    plan.provision.push(claim.key)
                }
                Some(_) => conflict(BIND_CONFLICT),
                None => {
                    let place = Place::Node { name: &node.name, labels };
                    let free = self.volumes.values().filter(|volume| self.is_free(volume, &claim.key, &plan));
                    let found = volumes::best_match(object, free.map(AsRef::as_ref), place);
                    match found.ok().flatten().and_then(|volume| volume.metadata.name.clone()) {
                        Some(volume) => plan.bind.push((claim.key, volume)),
                        None if self.can_provision(object, node) => plan.provision.push(claim.key),
                        None => conflict(BIND_CONFLICT),
                    }
                }
            }
        }
        if conflicts.is_empty() { Ok(plan) } else { Err(conflicts) }
    }

    fn selected_node<'a>(&'a self, key: &NamespacedName, claim: &'a PersistentVolumeClaim) -> Option<&'a str> {
        let written = claim.metadata.annotations.as_ref().and_then(|annotations| annotations.get(SELECTED_NODE));
        self.selected.get(key).or(written).map(String::as_str)
    }

    /// Neither promised to another claim, nor taken by another claim of the same pod.
    fn is_free(&self, volume: &PersistentVolume, claim: &NamespacedName, plan: &VolumePlan) -> bool {
        let name = volume.metadata.name.as_deref().unwrap_or_default();
        self.promised.get(name).is_none_or(|other| other == claim) && plan.bind.iter().all(|(_, taken)| taken != name)
    }

    fn can_provision(&self, claim: &PersistentVolumeClaim, node: &NodeInfo) -> bool {
        let Some(class) = self.class_of(claim) else { return false };
        if class.provisioner.is_empty() || class.provisioner == NO_PROVISIONER {
            return false;
        }
        let Some(terms) = class.allowed_topologies.as_ref().filter(|terms| !terms.is_empty()) else { return true };
        terms.iter().any(|term| {
            let mut requirements = term.match_label_expressions.iter().flatten();
            requirements.all(|requirement| {
                node.label(&requirement.key).is_some_and(|value| requirement.values.iter().any(|one| one == value))
            })
        })
    }
}
