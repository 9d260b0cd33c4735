//! The four steps of a binding, each as the object it leads to; `None` where it is so already.

use api::k8s::api::core::v1::{ObjectReference, PersistentVolume, PersistentVolumeClaim};
use api::k8s::apimachinery::pkg::apis::meta::v1::Time;
use api::k8s::jiff::Timestamp;
use api::volumes::{self, BIND_COMPLETED, BOUND_BY_CONTROLLER};

/// First the volume names the claim.
pub(super) fn volume_for_claim(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> Option<PersistentVolume> {
    let present = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref());
    if present.is_some_and(|reference| is_reference_to(reference, claim)) {
        return None;
    }
    let by_hand = volumes::is_bound_to(volume, claim);
    let mut volume = volume.clone();
    volume.spec.get_or_insert_default().claim_ref = Some(reference_to(claim));
    if !by_hand {
        volume.metadata.annotations.get_or_insert_default().insert(BOUND_BY_CONTROLLER.to_owned(), "yes".to_owned());
    }
    Some(volume)
}

/// The volume in a phase.
pub(super) fn volume_in_phase(
    volume: &PersistentVolume,
    phase: &str,
    message: Option<&str>,
    now: Timestamp,
) -> Option<PersistentVolume> {
    if volume.status.as_ref().and_then(|status| status.phase.as_deref()) == Some(phase) {
        return None;
    }
    let mut volume = volume.clone();
    let status = volume.status.get_or_insert_default();
    status.phase = Some(phase.to_owned());
    status.message = message.map(str::to_owned);
    status.last_phase_transition_time = Some(Time(now));
    Some(volume)
}

/// Then the claim names the volume.
pub(super) fn claim_for_volume(
    claim: &PersistentVolumeClaim,
    volume: &PersistentVolume,
) -> Option<PersistentVolumeClaim> {
    let name = volume.metadata.name.clone().unwrap_or_default();
    let is_named = volumes::volume_name(claim) == name;
    if is_named && volumes::is_fully_bound(claim) {
        return None;
    }
    let mut claim = claim.clone();
    let annotations = claim.metadata.annotations.get_or_insert_default();
    if !is_named {
        annotations.insert(BOUND_BY_CONTROLLER.to_owned(), "yes".to_owned());
    }
    annotations.insert(BIND_COMPLETED.to_owned(), "yes".to_owned());
    claim.spec.get_or_insert_default().volume_name = Some(name);
    Some(claim)
}

/// Last, the claim tells what it got. A size once told is changed by who expands volumes alone.
pub(super) fn bound_claim(claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> Option<PersistentVolumeClaim> {
    let present = claim.status.clone().unwrap_or_default();
    let mut status = present.clone();
    status.phase = Some("Bound".to_owned());
    status.access_modes = volume.spec.as_ref().and_then(|spec| spec.access_modes.clone());
    let was_bound = present.phase.as_deref() == Some("Bound");
    if !was_bound || present.capacity.as_ref().is_none_or(|capacity| !capacity.contains_key("storage")) {
        status.capacity = volume.spec.as_ref().and_then(|spec| spec.capacity.clone());
    }
    let class = volume.spec.as_ref().and_then(|spec| spec.volume_attributes_class_name.clone());
    status.current_volume_attributes_class_name = class.or(status.current_volume_attributes_class_name);
    (status != present).then(|| PersistentVolumeClaim { status: Some(status), ..claim.clone() })
}

/// The claim in a phase in which it has nothing.
pub(super) fn claim_in_phase(claim: &PersistentVolumeClaim, phase: &str) -> Option<PersistentVolumeClaim> {
    let present = claim.status.clone().unwrap_or_default();
    let mut status = present.clone();
    status.phase = Some(phase.to_owned());
    status.access_modes = None;
    status.capacity = None;
    (status != present).then(|| PersistentVolumeClaim { status: Some(status), ..claim.clone() })
}

fn reference_to(claim: &PersistentVolumeClaim) -> ObjectReference {
    ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("PersistentVolumeClaim".to_owned()),
        name: claim.metadata.name.clone(),
        namespace: claim.metadata.namespace.clone(),
        uid: claim.metadata.uid.clone(),
        resource_version: claim.metadata.resource_version.clone(),
        ..ObjectReference::default()
    }
}

fn is_reference_to(reference: &ObjectReference, claim: &PersistentVolumeClaim) -> bool {
    reference.name == claim.metadata.name
        && reference.namespace == claim.metadata.namespace
        && reference.uid == claim.metadata.uid
}
