//! Makes volumes for claims: each a folder of its own on one node.
//!
//! It speaks the protocol of external provisioners: the binder marks a claim for it, it writes a volume that names the
//! claim, and the binder completes the binding. The folder itself is made and removed on its node, by the [`agent`].

pub mod agent;
mod plan;

use std::sync::Arc;

use api::NamespacedName;
use api::k8s::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim};
use api::k8s::api::storage::v1::StorageClass;
use api::k8s::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use api::volumes;
use client::kube::Api;
use client::kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use client::{CallError, Client};
use reconcile::{Controller, Informer, Outcome, Reconciler, Recorder};
use serde_json::json;

use crate::context::{Context, on_each};
use crate::error::{During, ReconcileError, unless_gone};
pub(crate) use plan::is_ours;
use plan::{NAME, Plan, View, asks_us, is_usable, node_of, plan};

/// The class of claims that name none.
const DEFAULT_CLASS: &str = "local";

pub(crate) async fn run(context: Context) {
    let claims = context.informers.of::<PersistentVolumeClaim>();
    let persistent_volumes = context.informers.of::<PersistentVolume>();
    let classes = context.informers.of::<StorageClass>();
    let nodes = context.informers.of::<Node>();
    if let Err(error) = make_default_class(&context.client).await {
        tracing::warn!(error = stdx::error::chain(&error), "the default storage class cannot be made");
    }
    let provisioner = Provisioner {
        client: context.client.clone(),
        recorder: context.recorder(),
        claims: claims.clone(),
        volumes: persistent_volumes.clone(),
        classes: classes.clone(),
        nodes: nodes.clone(),
        folder: context.settings.volumes_dir.clone(),
    };
    // One at a time, so that each sees on which nodes the others' volumes are.
    let controller = Controller::new("local-volume-provisioner", provisioner, context.ambient.clock).workers(1);
    let queue = controller.queue();
    on_each(&claims, {
        let queue = queue.clone();
        move |claim| {
            if asks_us(claim) {
                queue.add(NamespacedName::of(&claim.metadata));
            }
        }
    });
    nodes.on_change({
        let (queue, persistent_volumes) = (queue.clone(), persistent_volumes.clone());
        move |old, new| {
            let was_usable = old.is_some_and(|node| is_usable(node));
            if new.is_some_and(|node| is_usable(node)) && !was_usable {
                for claim in claims.list().iter().filter(|claim| asks_us(claim)) {
                    queue.add(NamespacedName::of(&claim.metadata));
                }
            }
            if let Some(gone) = old.filter(|_| new.is_none()) {
                let of_node = |volume: &&Arc<PersistentVolume>| node_of(volume) == gone.metadata.name.as_deref();
                for volume in persistent_volumes.list().iter().filter(of_node) {
                    queue.add(NamespacedName::of(&volume.metadata));
                }
            }
        }
    });
    on_each(&persistent_volumes, move |volume| {
        if plan::is_to_go(volume) {
            queue.add(NamespacedName::of(&volume.metadata));
        }
    });
    let synced = async {
        persistent_volumes.synced().await;
        classes.synced().await;
        nodes.synced().await;
    };
    context.run(controller, synced).await;
}

async fn make_default_class(client: &Client) -> Result<(), CallError> {
    let class = StorageClass {
        metadata: ObjectMeta {
            name: Some(DEFAULT_CLASS.to_owned()),
            annotations: Some([("storageclass.kubernetes.io/is-default-class".to_owned(), "true".to_owned())].into()),
            ..ObjectMeta::default()
        },
        provisioner: NAME.to_owned(),
        reclaim_policy: Some("Delete".to_owned()),
        volume_binding_mode: Some("WaitForFirstConsumer".to_owned()),
        allow_volume_expansion: Some(true),
        ..StorageClass::default()
    };
    let api: Api<StorageClass> = Api::all(client.clone());
    match api.create(&PostParams::default(), &class).await.map_err(CallError::from) {
        Err(error) if !error.is_already_exists() => Err(error),
        _ => Ok(()),
    }
}

struct Provisioner {
    client: Client,
    recorder: Recorder,
    claims: Informer<PersistentVolumeClaim>,
    volumes: Informer<PersistentVolume>,
    classes: Informer<StorageClass>,
    nodes: Informer<Node>,
    /// Under which nodes keep the volumes' folders.
    folder: String,
}

impl Reconciler for Provisioner {
    /// A claim, or a volume, which has no namespace.
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        if key.namespace.is_empty() {
            self.forget_lost(key).await?;
        } else if let Some(claim) = self.claims.get(key).filter(|claim| asks_us(claim)) {
            self.provision(key, &claim).await?;
        }
        Ok(Outcome::Done)
    }
}

impl Provisioner {
    async fn provision(&self, key: &NamespacedName, claim: &PersistentVolumeClaim) -> Result<(), ReconcileError> {
        let class = self.classes.get(&NamespacedName::new("", volumes::class_of_claim(claim)));
        let Some(class) = class else { return Ok(()) };
        let (nodes, volumes) = (self.nodes.list(), self.volumes.list());
        let view = View { class: &class, nodes: &nodes, volumes: &volumes, folder: &self.folder };
        match plan(claim, &view) {
            Plan::Wait => Ok(()),
            Plan::Fail(message) => {
                self.recorder.warning(claim, "ProvisioningFailed", message);
                Ok(())
            }
            Plan::Reschedule => {
                let remove = json!({"metadata": {
                    "uid": claim.metadata.uid,
                    "annotations": {volumes::SELECTED_NODE: null},
                }});
                let api: Api<PersistentVolumeClaim> = Api::namespaced(self.client.clone(), &key.namespace);
                api.patch(&key.name, &PatchParams::default(), &Patch::Merge(remove)).await.during("unselect", key)?;
                Ok(())
            }
            Plan::Make(volume) => self.make(key, claim, &volume, &class).await,
        }
    }

    async fn make(
        &self,
        key: &NamespacedName,
        claim: &PersistentVolumeClaim,
        volume: &PersistentVolume,
        class: &StorageClass,
    ) -> Result<(), ReconcileError> {
        if class.provisioner != NAME {
            let message = format!(
                "No cloud serves \"{}\" here: storage class \"{}\" gets its volumes from a node's folders",
                class.provisioner,
                volumes::class_of_claim(claim)
            );
            self.recorder.normal(claim, "ProvisioningLocally", message);
        }
        let message = format!("External provisioner is provisioning volume for claim \"{key}\"");
        self.recorder.normal(claim, "Provisioning", message);
        let name = volume.metadata.name.clone().unwrap_or_default();
        let api: Api<PersistentVolume> = Api::all(self.client.clone());
        match api.create(&PostParams::default(), volume).await.map_err(CallError::from) {
            Ok(_) => {
                self.recorder.normal(claim, "ProvisioningSucceeded", format!("Successfully provisioned volume {name}"));
                Ok(())
            }
            Err(error) if error.is_already_exists() => Ok(()),
            Err(error) => Err(error).during("make volume", name),
        }
    }

    /// Removes a volume whose node is gone, and its folder with it.
    async fn forget_lost(&self, key: &NamespacedName) -> Result<(), ReconcileError> {
        let Some(volume) = self.volumes.get(key).filter(|volume| plan::is_to_go(volume)) else { return Ok(()) };
        let Some(node) = node_of(&volume) else { return Ok(()) };
        if self.nodes.get(&NamespacedName::new("", node)).is_some() {
            return Ok(());
        }
        let api: Api<PersistentVolume> = Api::all(self.client.clone());
        unless_gone(api.delete(&key.name, &DeleteParams::default()).await).during("delete lost volume", key)
    }
}
