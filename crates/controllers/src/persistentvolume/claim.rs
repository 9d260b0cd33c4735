//! What is to be done about a claim.

use std::sync::Arc;

use api::k8s::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use api::k8s::api::storage::v1::StorageClass;
use api::quantity::ParseQuantityError;
use api::volumes::{self, BOUND_BY_CONTROLLER, Place};

use super::Note;
use crate::provisioner;

/// What a decision about a claim looks at.
pub(super) struct View<'a> {
    pub(super) volumes: &'a [Arc<PersistentVolume>],
    pub(super) classes: &'a [Arc<StorageClass>],
    /// Pods without a node that use the claim, by name.
    pub(super) waiting_pods: &'a [String],
}

#[derive(Debug, PartialEq)]
pub(super) enum Plan {
    Bind {
        volume: Arc<PersistentVolume>,
    },
    /// Asks the class's provisioner for a volume.
    Provision {
        provisioner: String,
        note: Option<Note>,
    },
    /// Gives the claim the class that stands where none is named.
    Classify {
        class: String,
    },
    Wait {
        note: Option<Note>,
    },
    Lose {
        note: Note,
    },
    /// What is seen of claim and volume disagrees; a later look will tell.
    Retry {
        claimed_by: String,
    },
}

pub(super) fn plan(claim: &PersistentVolumeClaim, view: &View<'_>) -> Result<Plan, ParseQuantityError> {
    if has_annotation(claim, volumes::BIND_COMPLETED) {
        Ok(plan_bound(claim, view))
    } else if volumes::volume_name(claim).is_empty() {
        plan_free(claim, view)
    } else {
        plan_prebound(claim, view)
    }
}

/// The claim's binding was complete: it must still be.
fn plan_bound(claim: &PersistentVolumeClaim, view: &View<'_>) -> Plan {
    let lose = |reason, message: &str| Plan::Lose { note: Note::warning(reason, message) };
    let name = volumes::volume_name(claim);
    if name.is_empty() {
        let message = "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!";
        return lose("ClaimLost", message);
    }
    let Some(volume) = view.volume(name) else {
        return lose("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
    };
    let reference = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref());
    match reference {
        Some(reference) if reference.uid != claim.metadata.uid => {
            lose("ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly")
        }
        _ => Plan::Bind { volume },
    }
}

/// The claim names no volume: any that suits will do, or one is made.
fn plan_free(claim: &PersistentVolumeClaim, view: &View<'_>) -> Result<Plan, ParseQuantityError> {
    let class_name = volumes::class_of_claim(claim);
    let class = view.class(class_name);
    let is_delayed = class.is_some_and(|class| class.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer"));
    let place = if is_delayed { Place::NotYetKnown } else { Place::Anywhere };
    if let Some(volume) = volumes::best_match(claim, view.volumes.iter().map(AsRef::as_ref), place)? {
        // The reference is one of the list's own.
        let volume = view.volumes.iter().find(|one| std::ptr::eq(one.as_ref(), volume)).cloned();
        return Ok(volume.map_or(Plan::Wait { note: None }, |volume| Plan::Bind { volume }));
    }
    if !has_class(claim)
        && let Some(class) = default_class(view.classes)
    {
        return Ok(Plan::Classify { class });
    }
    if is_delayed && !has_annotation(claim, volumes::SELECTED_NODE) {
        return Ok(Plan::Wait { note: Some(waits_for_pod(view.waiting_pods)) });
    }
    if class_name.is_empty() {
        let message = "no persistent volumes available for this claim and no storage class is set";
        return Ok(Plan::Wait { note: Some(Note::normal("FailedBinding", message)) });
    }
    Ok(plan_provisioning(class_name, class))
}

fn plan_provisioning(class_name: &str, class: Option<&StorageClass>) -> Plan {
    let failed = |message: String| Plan::Wait { note: Some(Note::warning("ProvisioningFailed", message)) };
    let Some(class) = class else {
        return failed(format!("storageclass.storage.k8s.io \"{class_name}\" not found"));
    };
    let provisioner = class.provisioner.clone();
    if provisioner::is_ours(&provisioner) {
        return Plan::Provision { provisioner, note: None };
    }
    if provisioner.starts_with("kubernetes.io/") {
        return failed(format!("no volume plugin matched name: {provisioner}"));
    }
    let message = format!(
        "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the \
         system administrator. If volume creation is delayed, please verify that the provisioner is running and \
         correctly registered."
    );
    Plan::Provision { provisioner, note: Some(Note::normal("ExternalProvisioning", message)) }
}

/// The claim names a volume that is not yet its own.
fn plan_prebound(claim: &PersistentVolumeClaim, view: &View<'_>) -> Result<Plan, ParseQuantityError> {
    let name = volumes::volume_name(claim);
    let Some(volume) = view.volume(name) else { return Ok(Plan::Wait { note: None }) };
    let Some(reference) = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref()) else {
        return Ok(match volumes::mismatch(&volume, claim)? {
            None => Plan::Bind { volume },
            Some(why) => {
                let message = format!("Cannot bind to requested volume \"{name}\": {why}");
                Plan::Wait { note: Some(Note::warning("VolumeMismatch", message)) }
            }
        });
    };
    if volumes::is_bound_to(&volume, claim) {
        return Ok(Plan::Bind { volume });
    }
    if has_annotation(claim, BOUND_BY_CONTROLLER) {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        let claimed_by = format!("{}/{}", part(&reference.namespace), part(&reference.name));
        return Ok(Plan::Retry { claimed_by });
    }
    let message = format!("volume \"{name}\" already bound to a different claim.");
    Ok(Plan::Wait { note: Some(Note::warning("FailedBinding", message)) })
}

fn waits_for_pod(pods: &[String]) -> Note {
    match pods {
        [] => Note::normal("WaitForFirstConsumer", "waiting for first consumer to be created before binding"),
        [one] => Note::normal("WaitForPodScheduled", format!("waiting for pod {one} to be scheduled")),
        more => Note::normal("WaitForPodScheduled", format!("waiting for pods {} to be scheduled", more.join(","))),
    }
}

/// The class that stands where none is named: the latest of those marked so.
pub(super) fn default_class(classes: &[Arc<StorageClass>]) -> Option<String> {
    let is_default = |class: &&Arc<StorageClass>| {
        let annotations = class.metadata.annotations.as_ref();
        ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"]
            .iter()
            .any(|key| annotations.and_then(|annotations| annotations.get(*key)).is_some_and(|value| value == "true"))
    };
    let name = |class: &StorageClass| class.metadata.name.clone().unwrap_or_default();
    let created = |class: &StorageClass| class.metadata.creation_timestamp.as_ref().map(|time| time.0);
    let newest = classes.iter().filter(is_default).min_by_key(|class| (std::cmp::Reverse(created(class)), name(class)));
    newest.map(|class| name(class))
}

/// Whether the claim says anything of a class; also that it wants none.
fn has_class(claim: &PersistentVolumeClaim) -> bool {
    has_annotation(claim, volumes::BETA_STORAGE_CLASS)
        || claim.spec.as_ref().is_some_and(|spec| spec.storage_class_name.is_some())
}

fn has_annotation(claim: &PersistentVolumeClaim, key: &str) -> bool {
    claim.metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(key))
}

impl View<'_> {
    fn volume(&self, name: &str) -> Option<Arc<PersistentVolume>> {
        self.volumes.iter().find(|volume| volume.metadata.name.as_deref() == Some(name)).cloned()
    }

    fn class(&self, name: &str) -> Option<&StorageClass> {
        self.classes.iter().find(|class| class.metadata.name.as_deref() == Some(name)).map(AsRef::as_ref)
    }
}
