//! Binds claims to volumes, one to one, and frees volumes whose claims are gone.
//!
//! Both sides name each other. Whichever write fails, the next look at claim or volume goes on from there: a volume
//! that names a claim is that claim's first choice, and no other's.

mod bind;
mod claim;
#[cfg(test)]
mod tests;
mod volume;

use std::fmt;

use api::NamespacedName;
use api::k8s::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use api::k8s::api::storage::v1::StorageClass;
use api::volumes::{self, BETA_STORAGE_PROVISIONER, STORAGE_PROVISIONER};
use client::Client;
use client::kube::Api;
use client::kube::api::PostParams;
use reconcile::{Controller, Informer, Outcome, Reconciler, Recorder};
use stdx::Ambient;

use crate::context::{Context, on_each};
use crate::error::{During, ReconcileError};
use crate::pods;

pub(crate) async fn run(context: Context) {
    let claims = context.informers.of::<PersistentVolumeClaim>();
    let persistent_volumes = context.informers.of::<PersistentVolume>();
    let classes = context.informers.of::<StorageClass>();
    let pods = index_by_claim(context.informers.of::<Pod>());
    let binder = Binder {
        client: context.client.clone(),
        recorder: context.recorder(),
        claims: claims.clone(),
        volumes: persistent_volumes.clone(),
        classes: classes.clone(),
        pods: pods.clone(),
        ambient: context.ambient.clone(),
    };
    // One at a time: two claims never reach for one volume.
    let controller = Controller::new("persistentvolume-binder-controller", binder, context.ambient.clock).workers(1);
    let queue = controller.queue();
    claims.on_change({
        let (queue, persistent_volumes) = (queue.clone(), persistent_volumes.clone());
        move |old, new| {
            if let Some(claim) = new {
                queue.add(Key::Claim(NamespacedName::of(&claim.metadata)));
                let chosen = volumes::volume_name(claim);
                if !chosen.is_empty() {
                    queue.add(Key::Volume(chosen.to_owned()));
                }
            } else if let Some(gone) = old {
                // The volume is looked up too: the claim may not have known yet that it was chosen.
                let key = NamespacedName::of(&gone.metadata);
                for volume in persistent_volumes.list().iter().filter(|volume| names_claim(volume, &key)) {
                    queue.add(Key::of_volume(volume));
                }
            }
        }
    });
    on_each(&persistent_volumes, {
        let (queue, claims) = (queue.clone(), claims.clone());
        move |volume| {
            queue.add(Key::of_volume(volume));
            match volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref()) {
                Some(reference) => {
                    let part = |part: &Option<String>| part.clone().unwrap_or_default();
                    queue.add(Key::Claim(NamespacedName::new(part(&reference.namespace), part(&reference.name))));
                }
                // It may be what a claim waits for.
                None => {
                    let volume_class = volumes::class_of_volume(volume);
                    let may_take = |claim: &PersistentVolumeClaim| volumes::class_of_claim(claim) == volume_class;
                    waiting_claims(&claims, may_take).for_each(|claim| queue.add(Key::Claim(claim)));
                }
            }
        }
    });
    on_each(&classes, {
        let (queue, claims) = (queue.clone(), claims.clone());
        move |_| waiting_claims(&claims, |_| true).for_each(|claim| queue.add(Key::Claim(claim)))
    });
    let synced = async {
        claims.synced().await;
        persistent_volumes.synced().await;
        classes.synced().await;
        pods.synced().await;
    };
    context.run(controller, synced).await;
}

/// The index of pods by the claims they use.
pub(crate) const BY_CLAIM: &str = "claim";

pub(crate) fn index_by_claim(pods: Informer<Pod>) -> Informer<Pod> {
    pods.with_index(BY_CLAIM, |pod| {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        claims_of(pod).map(|claim| format!("{namespace}/{claim}")).collect()
    })
}

/// The claims that the pod's volumes use, by name; those made for the pod alone bear its name.
pub(crate) fn claims_of(pod: &Pod) -> impl Iterator<Item = String> {
    let pod_name = pod.metadata.name.as_deref().unwrap_or_default();
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    volumes.filter_map(move |volume| match &volume.persistent_volume_claim {
        Some(source) => Some(source.claim_name.clone()),
        None => volume.ephemeral.as_ref().map(|_| format!("{pod_name}-{}", volume.name)),
    })
}

fn waiting_claims(
    claims: &Informer<PersistentVolumeClaim>,
    may_gain: impl Fn(&PersistentVolumeClaim) -> bool,
) -> impl Iterator<Item = NamespacedName> {
    let waiting = claims.list().into_iter().filter(move |claim| !volumes::is_fully_bound(claim) && may_gain(claim));
    waiting.map(|claim| NamespacedName::of(&claim.metadata))
}

fn names_claim(volume: &PersistentVolume, claim: &NamespacedName) -> bool {
    let reference = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref());
    reference.is_some_and(|reference| {
        reference.name.as_deref() == Some(&claim.name) && reference.namespace.as_deref() == Some(&claim.namespace)
    })
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Claim(NamespacedName),
    Volume(String),
}

impl Key {
    fn of_volume(volume: &PersistentVolume) -> Key {
        Key::Volume(volume.metadata.name.clone().unwrap_or_default())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Claim(claim) => write!(formatter, "claim {claim}"),
            Key::Volume(volume) => write!(formatter, "volume {volume}"),
        }
    }
}

/// An event to be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Note {
    is_warning: bool,
    reason: &'static str,
    message: String,
}

impl Note {
    fn normal(reason: &'static str, message: impl Into<String>) -> Note {
        Note { is_warning: false, reason, message: message.into() }
    }

    fn warning(reason: &'static str, message: impl Into<String>) -> Note {
        Note { is_warning: true, reason, message: message.into() }
    }
}

struct Binder {
    client: Client,
    recorder: Recorder,
    claims: Informer<PersistentVolumeClaim>,
    volumes: Informer<PersistentVolume>,
    classes: Informer<StorageClass>,
    pods: Informer<Pod>,
    ambient: Ambient,
}

impl Reconciler for Binder {
    type Key = Key;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &Key) -> Result<Outcome, ReconcileError> {
        match key {
            Key::Claim(key) => {
                if let Some(claim) = self.claims.get(key) {
                    self.settle_claim(key, &claim).await?;
                }
            }
            Key::Volume(name) => {
                if let Some(volume) = self.volumes.get(&NamespacedName::new("", name)) {
                    self.settle_volume(&volume).await?;
                }
            }
        }
        Ok(Outcome::Done)
    }
}

impl Binder {
    async fn settle_claim(&self, key: &NamespacedName, claim: &PersistentVolumeClaim) -> Result<(), ReconcileError> {
        let waiting = self.pods.by_index(BY_CLAIM, &key.to_string());
        let waiting = waiting.iter().filter(|pod| pods::node_name(pod).is_none() && !pods::is_finished(pod));
        let waiting: Vec<String> = waiting.filter_map(|pod| pod.metadata.name.clone()).collect();
        let (volumes, classes) = (self.volumes.list(), self.classes.list());
        let view = claim::View { volumes: &volumes, classes: &classes, waiting_pods: &waiting };
        match claim::plan(claim, &view)? {
            claim::Plan::Bind { volume } => self.bind(key, claim, &volume).await,
            claim::Plan::Classify { class } => {
                let mut classified = claim.clone();
                classified.spec.get_or_insert_default().storage_class_name = Some(class);
                self.write_claim(key, &classified).await.map(drop)
            }
            claim::Plan::Provision { provisioner, note } => {
                let mut asking = claim.clone();
                let annotations = asking.metadata.annotations.get_or_insert_default();
                for annotation in [STORAGE_PROVISIONER, BETA_STORAGE_PROVISIONER] {
                    annotations.insert(annotation.to_owned(), provisioner.clone());
                }
                let asked = if asking == *claim { asking } else { self.write_claim(key, &asking).await? };
                self.tell(&asked, note);
                self.write_claim_status(key, bind::claim_in_phase(&asked, "Pending")).await
            }
            claim::Plan::Wait { note } => {
                self.tell(claim, note);
                self.write_claim_status(key, bind::claim_in_phase(claim, "Pending")).await
            }
            claim::Plan::Lose { note } => match bind::claim_in_phase(claim, "Lost") {
                None => Ok(()),
                lost => {
                    self.tell(claim, Some(note));
                    self.write_claim_status(key, lost).await
                }
            },
            claim::Plan::Retry { claimed_by } => Err(ReconcileError::VolumeClaimed { claimed_by }),
        }
    }

    async fn bind(
        &self,
        key: &NamespacedName,
        claim: &PersistentVolumeClaim,
        volume: &PersistentVolume,
    ) -> Result<(), ReconcileError> {
        let mut volume = volume.clone();
        if let Some(bound) = bind::volume_for_claim(&volume, claim) {
            volume = self.write_volume(&bound).await?;
        }
        if let Some(bound) = bind::volume_in_phase(&volume, "Bound", None, self.ambient.clock.now_seconds()) {
            volume = self.write_volume_status(&bound).await?;
        }
        let mut claim = claim.clone();
        if let Some(bound) = bind::claim_for_volume(&claim, &volume) {
            claim = self.write_claim(key, &bound).await?;
        }
        self.write_claim_status(key, bind::bound_claim(&claim, &volume)).await
    }

    async fn settle_volume(&self, volume: &PersistentVolume) -> Result<(), ReconcileError> {
        let claim = self.claim_of(volume).await?;
        match volume::plan(volume, claim.as_ref()) {
            volume::Plan::Phase(phase) => self.set_phase(volume, phase, None).await.map(drop),
            // The claim's own key is in the queue: the volume's change put it there.
            volume::Plan::LookAtClaim { mismatch: None } => Ok(()),
            volume::Plan::LookAtClaim { mismatch: Some(message) } => {
                self.recorder.warning(volume, "VolumeMismatch", message.clone());
                if let Some(claim) = &claim {
                    self.recorder.warning(claim, "VolumeMismatch", message);
                }
                Ok(())
            }
            volume::Plan::Unbind => {
                let free = self.write_volume(&volume::unbound(volume)).await?;
                self.set_phase(&free, "Available", None).await.map(drop)
            }
            volume::Plan::Release => self.release(volume).await,
        }
    }

    async fn release(&self, volume: &PersistentVolume) -> Result<(), ReconcileError> {
        let phase = volume.status.as_ref().and_then(|status| status.phase.as_deref());
        if phase == Some("Failed") {
            return Ok(());
        }
        let released = self.set_phase(volume, "Released", None).await?;
        let volume = released.as_ref().unwrap_or(volume);
        match volume::plan_reclaim(volume) {
            volume::Reclaim::LeaveAlone => Ok(()),
            volume::Reclaim::Fail(note) => {
                let failed = self.set_phase(volume, "Failed", Some(&note.message)).await?;
                self.recorder.warning(failed.as_ref().unwrap_or(volume), note.reason, note.message);
                Ok(())
            }
        }
    }

    /// The claim that the volume names. Before it is taken for gone, the API is asked: the volume's watch may be ahead.
    async fn claim_of(&self, volume: &PersistentVolume) -> Result<Option<PersistentVolumeClaim>, ReconcileError> {
        let Some(reference) = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref()) else { return Ok(None) };
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        let key = NamespacedName::new(part(&reference.namespace), part(&reference.name));
        let seen = self.claims.get(&key).filter(|claim| claim.metadata.uid == reference.uid);
        let phase = volume.status.as_ref().and_then(|status| status.phase.as_deref());
        match seen {
            Some(claim) => Ok(Some(PersistentVolumeClaim::clone(&claim))),
            None if matches!(phase, Some("Released" | "Failed")) || reference.uid.is_none() => Ok(None),
            None => {
                let api: Api<PersistentVolumeClaim> = Api::namespaced(self.client.clone(), &key.namespace);
                api.get_opt(&key.name).await.during("look for claim", &key)
            }
        }
    }

    async fn set_phase(
        &self,
        volume: &PersistentVolume,
        phase: &str,
        message: Option<&str>,
    ) -> Result<Option<PersistentVolume>, ReconcileError> {
        match bind::volume_in_phase(volume, phase, message, self.ambient.clock.now_seconds()) {
            None => Ok(None),
            Some(changed) => self.write_volume_status(&changed).await.map(Some),
        }
    }

    async fn write_volume(&self, volume: &PersistentVolume) -> Result<PersistentVolume, ReconcileError> {
        let api: Api<PersistentVolume> = Api::all(self.client.clone());
        let name = volume.metadata.name.as_deref().unwrap_or_default();
        api.replace(name, &PostParams::default(), volume).await.during("bind volume", name)
    }

    async fn write_volume_status(&self, volume: &PersistentVolume) -> Result<PersistentVolume, ReconcileError> {
        let api: Api<PersistentVolume> = Api::all(self.client.clone());
        let name = volume.metadata.name.as_deref().unwrap_or_default();
        api.replace_status(name, &PostParams::default(), volume).await.during("update status of volume", name)
    }

    async fn write_claim(
        &self,
        key: &NamespacedName,
        claim: &PersistentVolumeClaim,
    ) -> Result<PersistentVolumeClaim, ReconcileError> {
        let api: Api<PersistentVolumeClaim> = Api::namespaced(self.client.clone(), &key.namespace);
        api.replace(&key.name, &PostParams::default(), claim).await.during("update claim", key)
    }

    async fn write_claim_status(
        &self,
        key: &NamespacedName,
        claim: Option<PersistentVolumeClaim>,
    ) -> Result<(), ReconcileError> {
        let Some(claim) = claim else { return Ok(()) };
        let api: Api<PersistentVolumeClaim> = Api::namespaced(self.client.clone(), &key.namespace);
        api.replace_status(&key.name, &PostParams::default(), &claim).await.during("update status of claim", key)?;
        Ok(())
    }

    fn tell(&self, claim: &PersistentVolumeClaim, note: Option<Note>) {
        match note {
            Some(Note { is_warning: true, reason, message }) => self.recorder.warning(claim, reason, message),
            Some(Note { is_warning: false, reason, message }) => self.recorder.normal(claim, reason, message),
            None => {}
        }
    }
}
