//! What claims and volumes say of each other: shared by who binds them and who schedules by them.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};

use crate::node_selector;
use crate::quantity::{ParseQuantityError, Quantity};
use crate::selector::Selector;

/// On a claim: both sides of its binding are written.
pub const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
/// On a claim or a volume: the binding is the controller's doing, not the user's.
pub const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
/// On a volume: who made it.
pub const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
/// On a claim: who is to make its volume, by its present and its older name.
pub const STORAGE_PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";
pub const BETA_STORAGE_PROVISIONER: &str = "volume.beta.kubernetes.io/storage-provisioner";
/// On a claim: the node that the scheduler chose for its first pod.
pub const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
/// The class of a claim or a volume before there was a field for it.
pub const BETA_STORAGE_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
/// The provisioner of classes whose volumes are made by hand.
pub const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

/// Where the volume is to be used, as far as that is known.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    Anywhere,
    /// Its first pod will tell: only what was bound to the claim by hand is taken.
    NotYetKnown,
    Node {
        name: &'a str,
        labels: &'a BTreeMap<String, String>,
    },
}

/// The claim's class; empty for none.
pub fn class_of_claim(claim: &PersistentVolumeClaim) -> &str {
    let older = claim.metadata.annotations.as_ref().and_then(|annotations| annotations.get(BETA_STORAGE_CLASS));
    let field = claim.spec.as_ref().and_then(|spec| spec.storage_class_name.as_ref());
    older.or(field).map(String::as_str).unwrap_or_default()
}

/// The volume's class; empty for none.
pub fn class_of_volume(volume: &PersistentVolume) -> &str {
    let older = volume.metadata.annotations.as_ref().and_then(|annotations| annotations.get(BETA_STORAGE_CLASS));
    let field = volume.spec.as_ref().and_then(|spec| spec.storage_class_name.as_ref());
    older.or(field).map(String::as_str).unwrap_or_default()
}

/// The volume that the claim names; empty for none.
pub fn volume_name(claim: &PersistentVolumeClaim) -> &str {
    claim.spec.as_ref().and_then(|spec| spec.volume_name.as_deref()).unwrap_or_default()
}

/// Whether the claim's binding is complete.
pub fn is_fully_bound(claim: &PersistentVolumeClaim) -> bool {
    let annotations = claim.metadata.annotations.as_ref();
    !volume_name(claim).is_empty() && annotations.is_some_and(|annotations| annotations.contains_key(BIND_COMPLETED))
}

/// Whether the volume names the claim; by its UID too, where it names one.
pub fn is_bound_to(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    let Some(reference) = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref()) else { return false };
    reference.name == claim.metadata.name
        && reference.namespace == claim.metadata.namespace
        && reference.uid.as_deref().is_none_or(|uid| uid.is_empty() || Some(uid) == claim.metadata.uid.as_deref())
}

/// What the claim asks for.
pub fn requested(claim: &PersistentVolumeClaim) -> Result<Quantity, ParseQuantityError> {
    let resources = claim.spec.as_ref().and_then(|spec| spec.resources.as_ref());
    let storage = resources.and_then(|resources| resources.requests.as_ref()?.get("storage"));
    storage.map_or(Ok(Quantity::ZERO), Quantity::of)
}

/// What the volume has.
pub fn capacity(volume: &PersistentVolume) -> Result<Quantity, ParseQuantityError> {
    let storage = volume.spec.as_ref().and_then(|spec| spec.capacity.as_ref()?.get("storage"));
    storage.map_or(Ok(Quantity::ZERO), Quantity::of)
}

/// Why the claim cannot have the volume that it names.
pub fn mismatch(
    volume: &PersistentVolume,
    claim: &PersistentVolumeClaim,
) -> Result<Option<&'static str>, ParseQuantityError> {
    Ok(if requested(claim)? > capacity(volume)? {
        Some("requested PV is too small")
    } else if class_of_claim(claim) != class_of_volume(volume) {
        Some("storageClassName does not match")
    } else if attributes_class_of_claim(claim) != attributes_class_of_volume(volume) {
        Some("volumeAttributesClassName does not match")
    } else if mode_of_claim(claim) != mode_of_volume(volume) {
        Some("incompatible volumeMode")
    } else if !has_modes(volume, claim) {
        Some("incompatible accessMode")
    } else {
        None
    })
}

/// Whether one gives file systems where the other wants raw blocks.
pub fn has_other_mode(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    mode_of_claim(claim) != mode_of_volume(volume)
}

/// Whether the volume can be used on the node.
pub fn is_reachable(volume: &PersistentVolume, name: &str, labels: &BTreeMap<String, String>) -> bool {
    let affinity = volume.spec.as_ref().and_then(|spec| spec.node_affinity.as_ref());
    let required = affinity.and_then(|affinity| affinity.required.as_ref());
    required.is_none_or(|selector| node_selector::admits(selector, name, labels))
}

/// The volume that suits the claim best: one bound to it by hand, else the smallest that is large enough. Of volumes
/// with more access modes than asked for, those with fewer go first.
pub fn best_match<'a>(
    claim: &PersistentVolumeClaim,
    volumes: impl IntoIterator<Item = &'a PersistentVolume>,
    place: Place<'_>,
) -> Result<Option<&'a PersistentVolume>, ParseQuantityError> {
    let wanted = requested(claim)?;
    let selector = claim.spec.as_ref().and_then(|spec| spec.selector.as_ref());
    // One that cannot be read selects nothing.
    let selector = selector.map(|selector| Selector::from_label_selector(selector).ok());
    let mut best: Option<((usize, Quantity, &str), &PersistentVolume)> = None;
    for volume in volumes {
        let is_ours = is_bound_to(volume, claim);
        let is_taken = volume.spec.as_ref().is_some_and(|spec| spec.claim_ref.is_some()) && !is_ours;
        let Ok(size) = capacity(volume) else { continue };
        if is_taken || size < wanted || has_other_mode(volume, claim) || volume.metadata.deletion_timestamp.is_some() {
            continue;
        }
        let is_reachable = match place {
            Place::Node { name, labels } => is_reachable(volume, name, labels),
            Place::Anywhere | Place::NotYetKnown => true,
        };
        if is_ours {
            return Ok(is_reachable.then_some(volume));
        }
        let is_selected = match &selector {
            None => true,
            Some(selector) => selector.as_ref().is_some_and(|it| it.matches_optional(volume.metadata.labels.as_ref())),
        };
        let phase = volume.status.as_ref().and_then(|status| status.phase.as_deref());
        if matches!(place, Place::NotYetKnown)
            || phase != Some("Available")
            || !is_reachable
            || !is_selected
            || class_of_claim(claim) != class_of_volume(volume)
            || attributes_class_of_claim(claim) != attributes_class_of_volume(volume)
            || !has_modes(volume, claim)
        {
            continue;
        }
        let modes = volume.spec.as_ref().and_then(|spec| spec.access_modes.as_ref()).map_or(0, Vec::len);
        let rank = (modes, size, volume.metadata.name.as_deref().unwrap_or_default());
        if best.as_ref().is_none_or(|(other, _)| rank < *other) {
            best = Some((rank, volume));
        }
    }
    Ok(best.map(|(_, volume)| volume))
}

fn attributes_class_of_claim(claim: &PersistentVolumeClaim) -> &str {
    claim.spec.as_ref().and_then(|spec| spec.volume_attributes_class_name.as_deref()).unwrap_or_default()
}

fn attributes_class_of_volume(volume: &PersistentVolume) -> &str {
    volume.spec.as_ref().and_then(|spec| spec.volume_attributes_class_name.as_deref()).unwrap_or_default()
}

fn mode_of_claim(claim: &PersistentVolumeClaim) -> &str {
    claim.spec.as_ref().and_then(|spec| spec.volume_mode.as_deref()).unwrap_or("Filesystem")
}

fn mode_of_volume(volume: &PersistentVolume) -> &str {
    volume.spec.as_ref().and_then(|spec| spec.volume_mode.as_deref()).unwrap_or("Filesystem")
}

fn has_modes(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    let offered = volume.spec.as_ref().and_then(|spec| spec.access_modes.as_deref()).unwrap_or_default();
    let wanted = claim.spec.as_ref().and_then(|spec| spec.access_modes.as_deref()).unwrap_or_default();
    wanted.iter().all(|mode| offered.contains(mode))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn volume(name: &str, size: &str, more: Value) -> PersistentVolume {
        let mut spec = json!({"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"]});
        for (key, value) in more.as_object().unwrap() {
            spec[key] = value.clone();
        }
        let labels = json!({"tier": if name == "gold" { "gold" } else { "plain" }});
        let metadata = json!({"name": name, "labels": labels});
        serde_json::from_value(json!({"metadata": metadata, "spec": spec, "status": {"phase": "Available"}})).unwrap()
    }

    fn claim(more: Value) -> PersistentVolumeClaim {
        let mut spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}});
        for (key, value) in more.as_object().unwrap() {
            spec[key] = value.clone();
        }
        let metadata = json!({"name": "data", "namespace": "shop", "uid": "1"});
        serde_json::from_value(json!({"metadata": metadata, "spec": spec})).unwrap()
    }

    fn far() -> Value {
        json!({"required": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["far"]}]},
        ]}})
    }

    #[test]
    fn the_smallest_that_suits_is_taken() {
        let volumes = [
            volume("small", "1Gi", json!({})),
            volume("large", "100Gi", json!({})),
            volume("fitting", "5Gi", json!({"storageClassName": "fast"})),
            volume("gold", "10Gi", json!({})),
            volume("shared", "6Gi", json!({"accessModes": ["ReadWriteOnce", "ReadWriteMany"]})),
            volume("raw", "7Gi", json!({"volumeMode": "Block"})),
            volume("far", "8Gi", json!({"storageClassName": "local", "nodeAffinity": far()})),
            volume("taken", "5Gi", json!({"claimRef": {"namespace": "shop", "name": "other"}})),
            volume(
                "kept",
                "50Gi",
                json!({"storageClassName": "kept", "claimRef": {"namespace": "shop", "name": "data"}}),
            ),
        ];
        let near = BTreeMap::from([("zone".to_owned(), "near".to_owned())]);
        let find = |more: Value, place: Place<'_>, skip: &[&str]| {
            let offered = volumes.iter().filter(|volume| !skip.contains(&volume.metadata.name.as_deref().unwrap()));
            best_match(&claim(more), offered, place).unwrap().and_then(|volume| volume.metadata.name.clone())
        };
        let kept = ["kept"];
        for (more, place, skip, expected) in [
            (json!({}), Place::Anywhere, &kept[..], Some("gold")),
            (json!({}), Place::Anywhere, &[], Some("kept")),
            (json!({}), Place::NotYetKnown, &[], Some("kept")),
            (json!({}), Place::NotYetKnown, &kept, None),
            (json!({"accessModes": ["ReadWriteMany"]}), Place::Anywhere, &kept, Some("shared")),
            (json!({"storageClassName": "fast"}), Place::Anywhere, &kept, Some("fitting")),
            (json!({"volumeMode": "Block"}), Place::Anywhere, &kept, Some("raw")),
            (json!({"selector": {"matchLabels": {"tier": "plain"}}}), Place::Anywhere, &kept, Some("large")),
            (json!({"storageClassName": "local"}), Place::Anywhere, &kept, Some("far")),
            (json!({"storageClassName": "local"}), Place::Node { name: "one", labels: &near }, &kept, None),
            (json!({"resources": {"requests": {"storage": "1Ti"}}}), Place::Anywhere, &kept, None),
        ] {
            assert_eq!(find(more.clone(), place, skip).as_deref(), expected, "{more}");
        }
    }

    #[test]
    fn what_does_not_match_is_named() {
        let offered = |more: Value| volume("v", "5Gi", more);
        for (more, expected) in [
            (json!({}), None),
            (json!({"resources": {"requests": {"storage": "6Gi"}}}), Some("requested PV is too small")),
            (json!({"storageClassName": "fast"}), Some("storageClassName does not match")),
            (json!({"volumeAttributesClassName": "gold"}), Some("volumeAttributesClassName does not match")),
            (json!({"volumeMode": "Block"}), Some("incompatible volumeMode")),
            (json!({"accessModes": ["ReadOnlyMany"]}), Some("incompatible accessMode")),
        ] {
            assert_eq!(mismatch(&offered(json!({})), &claim(more)), Ok(expected));
        }
    }
}
