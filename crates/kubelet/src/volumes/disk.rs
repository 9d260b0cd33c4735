//! What a pod's volumes take on disk.

use std::io;
use std::path::Path;

use api::k8s::api::core::v1::{Pod, Volume};

use super::claims::MountedClaim;
use crate::config::names;
use crate::pod::spec;
use crate::usage::{self, Disk, Tree};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VolumeUsage {
    pub(crate) name: String,
    /// On the node's own disk: it counts as the pod's ephemeral storage.
    pub(crate) is_local: bool,
    /// Namespace and name.
    pub(crate) claim: Option<(String, String)>,
    /// The file system it is on.
    pub(crate) disk: Disk,
    pub(crate) tree: Tree,
}

/// Walks the pod's volumes; what is not set up is left out.
pub(crate) fn of_pod(root_dir: &Path, pod: &Pod, claims: &[MountedClaim]) -> io::Result<Vec<VolumeUsage>> {
    let folder = names::pod_dir(root_dir, spec::uid(pod)).join("volumes");
    let mut found = Vec::new();
    for volume in spec::spec(pod).volumes.iter().flatten() {
        let Some((plugin, is_local)) = place(volume) else { continue };
        let path = folder.join(plugin).join(&volume.name);
        if path.exists() {
            let tree = usage::tree(&path)?;
            found.push(VolumeUsage {
                name: volume.name.clone(),
                is_local,
                claim: None,
                disk: usage::disk(&path)?,
                tree,
            });
        }
    }
    for claim in claims {
        let disk = usage::disk(&claim.path)?;
        found.push(VolumeUsage {
            name: claim.volume.clone(),
            is_local: false,
            claim: Some((claim.namespace.clone(), claim.claim.clone())),
            disk,
            tree: Tree { bytes: disk.used_bytes, inodes: disk.inodes.saturating_sub(disk.inodes_free) },
        });
    }
    Ok(found)
}

/// The plugin's folder, and whether upstream counts the volume as ephemeral storage of the node.
fn place(volume: &Volume) -> Option<(&'static str, bool)> {
    if let Some(source) = &volume.empty_dir {
        let on_disk = source.medium.as_deref().unwrap_or("").is_empty();
        return Some(("kubernetes.io~empty-dir", on_disk));
    }
    volume.config_map.as_ref().map(|_| ("kubernetes.io~configmap", true))
}
