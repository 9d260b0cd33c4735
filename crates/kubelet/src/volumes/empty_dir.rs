//! emptyDir: room that lives as long as the pod, on disk or in memory.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use api::Quantity;
use api::k8s::api::core::v1::Volume;
use async_trait::async_trait;

use super::{Plugin, Ready, SetUp, VolumeError, ownership};

pub(crate) struct EmptyDir;

#[async_trait]
impl Plugin for EmptyDir {
    fn folder(&self) -> &'static str {
        "kubernetes.io~empty-dir"
    }

    fn serves(&self, volume: &Volume) -> bool {
        volume.empty_dir.is_some()
    }

    async fn set_up(&self, request: &SetUp<'_>) -> Result<Ready, VolumeError> {
        let directory = &request.directory;
        let failed = |step| VolumeError::file(step, directory);
        let source = request.volume.empty_dir.as_ref();
        let fresh = !directory.exists();
        fs::create_dir_all(directory).map_err(failed("make"))?;
        let in_memory = source.and_then(|source| source.medium.as_deref()) == Some("Memory");
        if in_memory && !request.mounter.is_mount_point(directory).map_err(failed("look at the mounts of"))? {
            let limit = source.and_then(|source| source.size_limit.as_ref());
            let limit = limit.and_then(|limit| Quantity::of(limit).ok()).map_or(0, Quantity::units);
            let size_bytes = u64::try_from(limit).unwrap_or(0);
            request.mounter.mount_tmpfs(directory, size_bytes).map_err(failed("mount tmpfs at"))?;
        }
        // What the pod has done inside since is the pod's own business.
        if fresh {
            fs::set_permissions(directory, fs::Permissions::from_mode(0o777)).map_err(failed("open"))?;
            if let Some(group) = request.fs_group() {
                ownership::give_to_group(directory, group, false).map_err(failed("set the group of"))?;
            }
        }
        Ok(Ready { host_path: directory.clone(), refresh_at: None })
    }
}
