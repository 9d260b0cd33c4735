//! Lets claims grow: a folder takes what it is given, so volume and claim only have to say so.

use api::NamespacedName;
use api::k8s::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use api::k8s::api::storage::v1::StorageClass;
use api::quantity::{ParseQuantityError, Quantity};
use api::volumes::{self, PROVISIONED_BY};
use client::Client;
use client::kube::Api;
use client::kube::api::PostParams;
use reconcile::{Controller, Informer, Outcome, Reconciler, Recorder};

use crate::context::{Context, on_each};
use crate::error::{During, ReconcileError};
use crate::provisioner::is_ours;

const STORAGE: &str = "storage";

pub(crate) async fn run(context: Context) {
    let claims = context.informers.of::<PersistentVolumeClaim>();
    let persistent_volumes = context.informers.of::<PersistentVolume>();
    let classes = context.informers.of::<StorageClass>();
    let expander = Expander {
        client: context.client.clone(),
        recorder: context.recorder(),
        claims: claims.clone(),
        volumes: persistent_volumes.clone(),
        classes: classes.clone(),
    };
    let controller = Controller::new("volume-expand", expander, context.ambient.clock);
    let queue = controller.queue();
    on_each(&claims, move |claim| {
        if is_to_grow(claim) {
            queue.add(NamespacedName::of(&claim.metadata));
        }
    });
    let synced = async {
        claims.synced().await;
        persistent_volumes.synced().await;
        classes.synced().await;
    };
    context.run(controller, synced).await;
}

struct Expander {
    client: Client,
    recorder: Recorder,
    claims: Informer<PersistentVolumeClaim>,
    volumes: Informer<PersistentVolume>,
    classes: Informer<StorageClass>,
}

/// Whether the claim asks for more than it has been told it has. One that cannot be read is looked at, to say so.
fn is_to_grow(claim: &PersistentVolumeClaim) -> bool {
    volumes::is_fully_bound(claim) && wanted(claim).is_ok_and(|(wanted, present)| wanted > present)
}

fn wanted(claim: &PersistentVolumeClaim) -> Result<(Quantity, Quantity), ParseQuantityError> {
    let capacity = claim.status.as_ref().and_then(|status| status.capacity.as_ref()?.get(STORAGE));
    // Not told yet: the binder tells first.
    let present = capacity.map_or_else(|| volumes::requested(claim), Quantity::of)?;
    Ok((volumes::requested(claim)?, present))
}

#[derive(Debug, PartialEq)]
enum Plan {
    Nothing,
    /// Somebody else's volume.
    Leave,
    Grow {
        volume: Option<Box<PersistentVolume>>,
        claim: Box<PersistentVolumeClaim>,
    },
}

fn plan(
    claim: &PersistentVolumeClaim,
    volume: &PersistentVolume,
    class: Option<&StorageClass>,
) -> Result<Plan, ParseQuantityError> {
    let (size, present) = wanted(claim)?;
    let may_grow = class.is_some_and(|class| class.allow_volume_expansion == Some(true));
    if size <= present || !may_grow || !volumes::is_bound_to(volume, claim) {
        return Ok(Plan::Nothing);
    }
    let maker = volume.metadata.annotations.as_ref().and_then(|annotations| annotations.get(PROVISIONED_BY));
    if !maker.is_some_and(|maker| is_ours(maker)) {
        return Ok(Plan::Leave);
    }
    let requests = claim.spec.as_ref().and_then(|spec| spec.resources.as_ref()?.requests.as_ref());
    let Some(asked) = requests.and_then(|requests| requests.get(STORAGE)).cloned() else { return Ok(Plan::Nothing) };
    let grown_volume = (volumes::capacity(volume)? < size).then(|| {
        let mut volume = volume.clone();
        let capacity = volume.spec.get_or_insert_default().capacity.get_or_insert_default();
        capacity.insert(STORAGE.to_owned(), asked.clone());
        Box::new(volume)
    });
    let mut claim = claim.clone();
    let status = claim.status.get_or_insert_default();
    status.capacity.get_or_insert_default().insert(STORAGE.to_owned(), asked.clone());
    status.allocated_resources.get_or_insert_default().insert(STORAGE.to_owned(), asked);
    if let Some(statuses) = &mut status.allocated_resource_statuses {
        statuses.remove(STORAGE);
    }
    if let Some(conditions) = &mut status.conditions {
        conditions.retain(|condition| !matches!(condition.type_.as_str(), "Resizing" | "FileSystemResizePending"));
    }
    Ok(Plan::Grow { volume: grown_volume, claim: Box::new(claim) })
}

impl Reconciler for Expander {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(claim) = self.claims.get(key).filter(|claim| is_to_grow(claim)) else { return Ok(Outcome::Done) };
        let name = volumes::volume_name(&claim);
        let Some(volume) = self.volumes.get(&NamespacedName::new("", name)) else { return Ok(Outcome::Done) };
        let class = self.classes.get(&NamespacedName::new("", volumes::class_of_claim(&claim)));
        match plan(&claim, &volume, class.as_deref())? {
            Plan::Nothing => {}
            Plan::Leave => {
                let message = "waiting for an external controller to expand this PVC";
                self.recorder.normal(&*claim, "ExternalExpanding", message);
            }
            Plan::Grow { volume, claim: grown } => {
                if let Some(volume) = volume {
                    let message = format!("External resizer is resizing volume {name}");
                    self.recorder.normal(&*claim, "Resizing", message);
                    let api: Api<PersistentVolume> = Api::all(self.client.clone());
                    api.replace(name, &PostParams::default(), &volume).await.during("expand volume", name)?;
                }
                let api: Api<PersistentVolumeClaim> = Api::namespaced(self.client.clone(), &key.namespace);
                api.replace_status(&key.name, &PostParams::default(), &grown).await.during("expand claim", key)?;
                self.recorder.normal(&*claim, "VolumeResizeSuccessful", "Resize volume succeeded");
            }
        }
        Ok(Outcome::Done)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claim(asked: &str, has: &str) -> PersistentVolumeClaim {
        serde_json::from_value(json!({
            "metadata": {
                "name": "data", "namespace": "shop", "uid": "1",
                "annotations": {volumes::BIND_COMPLETED: "yes"},
            },
            "spec": {"volumeName": "v", "resources": {"requests": {"storage": asked}}},
            "status": {"capacity": {"storage": has}, "conditions": [{"type": "Resizing", "status": "True"}]},
        }))
        .unwrap()
    }

    fn volume(maker: &str, size: &str) -> PersistentVolume {
        serde_json::from_value(json!({
            "metadata": {"name": "v", "annotations": {PROVISIONED_BY: maker}},
            "spec": {"capacity": {"storage": size}, "claimRef": {"namespace": "shop", "name": "data", "uid": "1"}},
        }))
        .unwrap()
    }

    #[test]
    fn a_claim_grows_where_its_class_lets_it() {
        let class = |may: bool| StorageClass { allow_volume_expansion: Some(may), ..StorageClass::default() };
        let told = |claim: &PersistentVolumeClaim, volume: &PersistentVolume, class: &StorageClass| match plan(
            claim,
            volume,
            Some(class),
        )
        .unwrap()
        {
            Plan::Nothing => "nothing".to_owned(),
            Plan::Leave => "leave".to_owned(),
            Plan::Grow { volume, claim } => {
                let status = claim.status.unwrap();
                assert_eq!(status.conditions, Some(Vec::new()));
                let volume = volume.map(|volume| volume.spec.unwrap().capacity.unwrap()["storage"].0.clone());
                format!("{volume:?} {}", status.capacity.unwrap()["storage"].0)
            }
        };
        let ours = "pintle.dev/local";
        for (asked, has, maker, size, may, expected) in [
            ("2Gi", "1Gi", ours, "1Gi", true, "Some(\"2Gi\") 2Gi"),
            ("2Gi", "1Gi", ours, "2Gi", true, "None 2Gi"),
            ("1Gi", "1Gi", ours, "1Gi", true, "nothing"),
            ("1Gi", "2Gi", ours, "2Gi", true, "nothing"),
            ("2Gi", "1Gi", ours, "1Gi", false, "nothing"),
            ("2Gi", "1Gi", "ebs.csi.aws.com", "1Gi", true, "leave"),
        ] {
            assert_eq!(told(&claim(asked, has), &volume(maker, size), &class(may)), expected);
        }
    }
}
