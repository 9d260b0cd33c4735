//! Makes the claims that pods bring with them; they go with their pod.

use api::NamespacedName;
use api::k8s::api::core::v1::{PersistentVolumeClaim, Pod, Volume};
use api::k8s::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use client::kube::Api;
use client::kube::api::PostParams;
use client::{CallError, Client};
use reconcile::{Controller, Informer, Outcome, Reconciler, Recorder, controller_of, controller_reference};

use crate::context::Context;
use crate::error::{During, ReconcileError};
use crate::persistentvolume::{BY_CLAIM, index_by_claim};
use crate::pods;

pub(crate) async fn run(context: Context) {
    let pods = index_by_claim(context.informers.of::<Pod>());
    let claims = context.informers.of::<PersistentVolumeClaim>();
    let maker = Maker {
        client: context.client.clone(),
        recorder: context.recorder(),
        pods: pods.clone(),
        claims: claims.clone(),
    };
    let controller = Controller::new("ephemeral-volume-controller", maker, context.ambient.clock);
    let queue = controller.queue();
    pods.on_change({
        let queue = queue.clone();
        move |_, new| {
            if let Some(pod) = new.filter(|pod| pods::is_active(pod) && ephemeral(pod).next().is_some()) {
                queue.add(NamespacedName::of(&pod.metadata));
            }
        }
    });
    claims.on_change({
        let pods = pods.clone();
        move |old, new| {
            // Gone while its pod lives: it is made again.
            if let Some(gone) = old.filter(|_| new.is_none()) {
                for pod in pods.by_index(BY_CLAIM, &NamespacedName::of(&gone.metadata).to_string()) {
                    queue.add(NamespacedName::of(&pod.metadata));
                }
            }
        }
    });
    let synced = async {
        pods.synced().await;
        claims.synced().await;
    };
    context.run(controller, synced).await;
}

struct Maker {
    client: Client,
    recorder: Recorder,
    pods: Informer<Pod>,
    claims: Informer<PersistentVolumeClaim>,
}

fn ephemeral(pod: &Pod) -> impl Iterator<Item = &Volume> {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    volumes.filter(|volume| volume.ephemeral.is_some())
}

/// The claim for the pod's volume; `None` where the volume has no template.
fn claim_for(pod: &Pod, volume: &Volume) -> Option<PersistentVolumeClaim> {
    let template = volume.ephemeral.as_ref()?.volume_claim_template.as_ref()?;
    let given = template.metadata.clone().unwrap_or_default();
    let pod_name = pod.metadata.name.as_deref().unwrap_or_default();
    Some(PersistentVolumeClaim {
        metadata: ObjectMeta {
            annotations: given.annotations,
            labels: given.labels,
            name: Some(format!("{pod_name}-{}", volume.name)),
            namespace: pod.metadata.namespace.clone(),
            owner_references: Some(vec![controller_reference(pod)]),
            ..ObjectMeta::default()
        },
        spec: Some(template.spec.clone()),
        status: None,
    })
}

impl Reconciler for Maker {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(pod) = self.pods.get(key).filter(|pod| pods::is_active(pod)) else { return Ok(Outcome::Done) };
        for claim in ephemeral(&pod).filter_map(|volume| claim_for(&pod, volume)) {
            self.ensure(&pod, &claim).await?;
        }
        Ok(Outcome::Done)
    }
}

impl Maker {
    async fn ensure(&self, pod: &Pod, claim: &PersistentVolumeClaim) -> Result<(), ReconcileError> {
        let key = NamespacedName::of(&claim.metadata);
        if let Some(present) = self.claims.get(&key) {
            let is_pods =
                controller_of(&present.metadata).is_some_and(|owner| Some(&owner.uid) == pod.metadata.uid.as_ref());
            if is_pods {
                return Ok(());
            }
            let pod = NamespacedName::of(&pod.metadata);
            return Err(ReconcileError::ForeignClaim { claim: key, pod });
        }
        let api: Api<PersistentVolumeClaim> = Api::namespaced(self.client.clone(), &key.namespace);
        match api.create(&PostParams::default(), claim).await.map_err(CallError::from) {
            Ok(_) => Ok(()),
            // The cache is behind; what is there is looked at once it has caught up.
            Err(error) if error.is_already_exists() => Ok(()),
            Err(error) => {
                let message = format!("ephemeral volume controller failed to create PVC {}: {error}", key.name);
                self.recorder.warning(pod, "FailedCreate", message);
                Err(error).during("create claim", key)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_claim_is_its_pods() {
        let template = json!({
            "metadata": {"labels": {"app": "web"}},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        });
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "7"},
            "spec": {"containers": [], "volumes": [
                {"name": "plain", "emptyDir": {}},
                {"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}},
            ]},
        }))
        .unwrap();
        let claims: Vec<_> = ephemeral(&pod).filter_map(|volume| claim_for(&pod, volume)).collect();
        let [claim] = claims.as_slice() else { panic!("{claims:?}") };
        assert_eq!(NamespacedName::of(&claim.metadata).to_string(), "shop/web-scratch");
        assert_eq!(controller_of(&claim.metadata).unwrap().uid, "7");
        assert_eq!(claim.metadata.labels.as_ref().unwrap()["app"], "web");
    }
}
