//! Keeps a volume that is being deleted until no claim is bound to it.

use api::NamespacedName;
use api::k8s::api::core::v1::PersistentVolume;
use client::Client;
use client::kube::Api;
use client::kube::api::PostParams;
use reconcile::{Controller, Informer, Outcome, Reconciler};

use crate::context::{Context, on_each};
use crate::error::{During, ReconcileError, unless_gone};

const FINALIZER: &str = "kubernetes.io/pv-protection";

pub(crate) async fn run(context: Context) {
    let volumes = context.informers.of::<PersistentVolume>();
    let protector = Protector { client: context.client.clone(), volumes: volumes.clone() };
    let controller = Controller::new("pv-protection-controller", protector, context.ambient.clock);
    let queue = controller.queue();
    on_each(&volumes, move |volume| {
        if wanted_finalizers(volume).is_some() {
            queue.add(NamespacedName::of(&volume.metadata));
        }
    });
    context.run(controller, volumes.synced()).await;
}

struct Protector {
    client: Client,
    volumes: Informer<PersistentVolume>,
}

/// The volume's finalizers as they should be; `None` where they are so.
fn wanted_finalizers(volume: &PersistentVolume) -> Option<Vec<String>> {
    let mut finalizers = volume.metadata.finalizers.clone().unwrap_or_default();
    let is_protected = finalizers.iter().any(|finalizer| finalizer == FINALIZER);
    let is_going = volume.metadata.deletion_timestamp.is_some();
    let is_bound = volume.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Bound");
    match (is_going, is_protected) {
        (false, false) => finalizers.push(FINALIZER.to_owned()),
        (true, true) if !is_bound => finalizers.retain(|finalizer| finalizer != FINALIZER),
        _ => return None,
    }
    Some(finalizers)
}

impl Reconciler for Protector {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(volume) = self.volumes.get(key) else { return Ok(Outcome::Done) };
        let Some(finalizers) = wanted_finalizers(&volume) else { return Ok(Outcome::Done) };
        let mut volume = PersistentVolume::clone(&volume);
        volume.metadata.finalizers = Some(finalizers);
        let api: Api<PersistentVolume> = Api::all(self.client.clone());
        unless_gone(api.replace(&key.name, &PostParams::default(), &volume).await).during("protect volume", key)?;
        Ok(Outcome::Done)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn volumes_are_protected_while_they_are_bound() {
        let volume = |metadata: Value, phase: &str| {
            serde_json::from_value(json!({"metadata": metadata, "status": {"phase": phase}})).unwrap()
        };
        let going = "2030-01-01T00:00:00Z";
        for (metadata, phase, expected) in [
            (json!({}), "Available", Some(vec![FINALIZER])),
            (json!({"finalizers": ["other"]}), "Bound", Some(vec!["other", FINALIZER])),
            (json!({"finalizers": [FINALIZER]}), "Bound", None),
            (json!({"finalizers": [FINALIZER], "deletionTimestamp": going}), "Bound", None),
            (json!({"finalizers": ["other", FINALIZER], "deletionTimestamp": going}), "Released", Some(vec!["other"])),
            (json!({"deletionTimestamp": going}), "Released", None),
        ] {
            let expected = expected.map(|all| all.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(wanted_finalizers(&volume(metadata, phase)), expected);
        }
    }
}
