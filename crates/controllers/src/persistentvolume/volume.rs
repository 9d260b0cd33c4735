//! What is to be done about a volume.

use api::NamespacedName;
use api::k8s::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use api::volumes::{self, BOUND_BY_CONTROLLER, PROVISIONED_BY};

use super::Note;

#[derive(Debug, PartialEq)]
pub(super) enum Plan {
    /// The volume is in this phase, and nothing else is to do.
    Phase(&'static str),
    /// The claim has to act first.
    LookAtClaim { mismatch: Option<String> },
    /// The volume's claim chose another: it is free again.
    Unbind,
    /// The volume's claim is gone.
    Release,
}

/// `claim` is the one that the volume names, if there is one of that name.
pub(super) fn plan(volume: &PersistentVolume, claim: Option<&PersistentVolumeClaim>) -> Plan {
    let Some(reference) = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref()) else {
        return Plan::Phase("Available");
    };
    // Kept by hand for a claim that has not come yet.
    let Some(uid) = reference.uid.as_deref().filter(|uid| !uid.is_empty()) else { return Plan::Phase("Available") };
    let Some(claim) = claim.filter(|claim| claim.metadata.uid.as_deref() == Some(uid)) else { return Plan::Release };
    let chosen = volumes::volume_name(claim);
    let name = volume.metadata.name.as_deref().unwrap_or_default();
    if chosen == name {
        Plan::Phase("Bound")
    } else if chosen.is_empty() {
        let mismatch = volumes::has_other_mode(volume, claim).then(|| {
            format!(
                "Cannot bind PersistentVolume to requested PersistentVolumeClaim \"{}\" due to incompatible volumeMode.",
                NamespacedName::of(&claim.metadata).name
            )
        });
        Plan::LookAtClaim { mismatch }
    } else if annotation(volume, PROVISIONED_BY).is_some() && reclaim_policy(volume) == "Delete" {
        // Made for a claim that took another meanwhile: nobody needs it.
        Plan::Release
    } else {
        Plan::Unbind
    }
}

/// What a released volume's policy asks of this controller.
#[derive(Debug, PartialEq)]
pub(super) enum Reclaim {
    /// It stays as it is, or whoever made it removes it.
    LeaveAlone,
    Fail(Note),
}

pub(super) fn plan_reclaim(volume: &PersistentVolume) -> Reclaim {
    let name = volume.metadata.name.as_deref().unwrap_or_default();
    match reclaim_policy(volume) {
        "Retain" => Reclaim::LeaveAlone,
        "Delete" if annotation(volume, PROVISIONED_BY).is_some() => Reclaim::LeaveAlone,
        "Delete" => Reclaim::Fail(Note::warning(
            "VolumeFailedDelete",
            format!("error getting deleter volume plugin for volume \"{name}\": no deletable volume plugin matched"),
        )),
        "Recycle" => Reclaim::Fail(Note::warning("VolumeFailedRecycle", "No recycler plugin found for the volume!")),
        _ => Reclaim::Fail(Note::warning(
            "VolumeUnknownReclaimPolicy",
            "Volume has an unrecognized PersistentVolumeReclaimPolicy",
        )),
    }
}

/// The volume as its claim no longer holds it: free, or kept for the claim as it was by hand.
pub(super) fn unbound(volume: &PersistentVolume) -> PersistentVolume {
    let mut volume = volume.clone();
    let by_controller = volume
        .metadata
        .annotations
        .as_mut()
        .is_some_and(|annotations| annotations.remove(BOUND_BY_CONTROLLER).is_some());
    if let Some(spec) = &mut volume.spec {
        if by_controller {
            spec.claim_ref = None;
        } else if let Some(reference) = &mut spec.claim_ref {
            reference.uid = None;
            reference.resource_version = None;
        }
    }
    volume
}

pub(super) fn reclaim_policy(volume: &PersistentVolume) -> &str {
    let policy = volume.spec.as_ref().and_then(|spec| spec.persistent_volume_reclaim_policy.as_deref());
    policy.unwrap_or("Retain")
}

fn annotation<'a>(volume: &'a PersistentVolume, key: &str) -> Option<&'a str> {
    volume.metadata.annotations.as_ref()?.get(key).map(String::as_str)
}
