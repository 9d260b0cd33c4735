//! A node's side of its volumes: makes their folders, and removes those that nobody needs.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use api::NamespacedName;
use api::k8s::api::core::v1::PersistentVolume;
use client::Client;
use client::kube::Api;
use client::kube::api::DeleteParams;
use reconcile::{Controller, Informer, Informers, Outcome, Reconciler, Recorder};
use stdx::Ambient;
use tokio_util::sync::CancellationToken;

use super::plan::{folder_name, is_to_go, node_of};
use crate::context::on_each;
use crate::error::{During, ReconcileError, unless_gone};

/// Pods of any user may write into their volume.
const FOLDER_MODE: u32 = 0o777;

/// What the agent is given.
#[derive(Clone)]
pub struct Config {
    /// Of the identity `system:serviceaccount:kube-system:local-volume-provisioner`.
    pub client: Client,
    pub node_name: String,
    /// Where the node keeps its volumes; the controllers know it too.
    pub folder: PathBuf,
    pub ambient: Ambient,
    pub cancel: CancellationToken,
}

/// Minds the node's folders until cancelled.
pub async fn run(config: Config) {
    let informers = Informers::new(config.client.clone(), &config.ambient, config.cancel.clone());
    let volumes = informers.of::<PersistentVolume>();
    let agent = Agent {
        client: config.client.clone(),
        recorder: Recorder::start(
            config.client.clone(),
            "pintle.dev/local",
            Some(&config.node_name),
            &config.ambient,
            config.cancel.clone(),
        ),
        volumes: volumes.clone(),
        folder: config.folder,
    };
    let controller = Controller::new("local-volume-agent", agent, config.ambient.clock);
    let queue = controller.queue();
    on_each(&volumes, move |volume| {
        if node_of(volume) == Some(&config.node_name) {
            queue.add(NamespacedName::of(&volume.metadata));
        }
    });
    controller.run(config.cancel).await;
}

struct Agent {
    client: Client,
    recorder: Recorder,
    volumes: Informer<PersistentVolume>,
    folder: PathBuf,
}

impl Reconciler for Agent {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(volume) = self.volumes.get(key) else { return Ok(Outcome::Done) };
        let Some(folder) = own_folder(&self.folder, &volume) else { return Ok(Outcome::Done) };
        if is_to_go(&volume) {
            self.remove(key, &volume, &folder).await?;
        } else if is_awaited(&volume) {
            make(&folder).await.map_err(|source| ReconcileError::Folder { folder, source })?;
        }
        Ok(Outcome::Done)
    }
}

impl Agent {
    async fn remove(
        &self,
        key: &NamespacedName,
        volume: &PersistentVolume,
        folder: &Path,
    ) -> Result<(), ReconcileError> {
        match tokio::fs::remove_dir_all(folder).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                self.recorder.warning(volume, "VolumeFailedDelete", error.to_string());
                return Err(ReconcileError::Folder { folder: folder.to_owned(), source: error });
            }
            _ => {}
        }
        let api: Api<PersistentVolume> = Api::all(self.client.clone());
        unless_gone(api.delete(&key.name, &DeleteParams::default()).await).during("delete volume", key)
    }
}

/// Whether pods may come to use the volume.
fn is_awaited(volume: &PersistentVolume) -> bool {
    let phase = volume.status.as_ref().and_then(|status| status.phase.as_deref());
    volume.metadata.deletion_timestamp.is_none() && !matches!(phase, Some("Released" | "Failed"))
}

/// The volume's folder, where it is one that the provisioner would name: nothing else is ever touched.
fn own_folder(root: &Path, volume: &PersistentVolume) -> Option<PathBuf> {
    let spec = volume.spec.as_ref()?;
    let claim = spec.claim_ref.as_ref()?;
    let claim = NamespacedName::new(claim.namespace.clone()?, claim.name.clone()?);
    let expected = root.join(folder_name(volume.metadata.name.as_deref()?, &claim));
    let is_one_below = expected.parent() == Some(root);
    (is_one_below && Path::new(&spec.host_path.as_ref()?.path) == expected).then_some(expected)
}

/// One that is there already may be in use, and is left as it is.
async fn make(folder: &Path) -> std::io::Result<()> {
    if let Some(root) = folder.parent() {
        tokio::fs::create_dir_all(root).await?;
    }
    match tokio::fs::create_dir(folder).await {
        Ok(()) => tokio::fs::set_permissions(folder, std::fs::Permissions::from_mode(FOLDER_MODE)).await,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_folders_that_the_provisioner_named_are_touched() {
        let volume = |path: &str, claim: &str| -> PersistentVolume {
            let spec = json!({"hostPath": {"path": path}, "claimRef": {"namespace": "shop", "name": claim}});
            serde_json::from_value(json!({"metadata": {"name": "pvc-1"}, "spec": spec})).unwrap()
        };
        let root = Path::new("/data/volumes");
        for (path, claim, is_ours) in [
            ("/data/volumes/pvc-1_shop_data", "data", true),
            ("/data/volumes/pvc-1_shop_data", "other", false),
            ("/data/volumes", "data", false),
            ("/etc", "data", false),
            ("/data/volumes/../../etc", "data", false),
            ("/data/volumes/pvc-1_shop_../../etc", "../../etc", false),
        ] {
            assert_eq!(own_folder(root, &volume(path, claim)).is_some(), is_ours, "{path}");
        }
    }
}
