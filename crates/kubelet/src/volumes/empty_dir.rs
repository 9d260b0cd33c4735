//! emptyDir: room that lives as long as the pod, on disk or in memory.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;

use api::Quantity;
use api::k8s::api::core::v1::Volume;
use async_trait::async_trait;
use cri::LinuxContainerResources;

use super::{Plugin, Ready, SetUp, VolumeError, ownership};
use crate::config::resources;

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
        if !directory.exists() {
            make(request).map_err(failed("make"))?;
        }
        let in_memory = source.and_then(|source| source.medium.as_deref()) == Some("Memory");
        if in_memory && !request.mounter.is_mount_point(directory).map_err(failed("look at the mounts of"))? {
            let limit = source.and_then(|source| source.size_limit.as_ref());
            let limit = limit.and_then(|limit| Quantity::of(limit).ok()).map(Quantity::units);
            let size_bytes = memory_size(limit, resources::for_pod(request.pod), request.node.memory_bytes);
            request.mounter.mount_tmpfs(directory, size_bytes).map_err(failed("mount tmpfs at"))?;
            if let Some(group) = request.fs_group() {
                ownership::give_to_group(directory, group, false).map_err(failed("set the group of"))?;
            }
        }
        Ok(Ready::at(directory.clone()))
    }
}

/// Makes the folder beside its place and moves it there, so that what is found is always finished. What
/// the pod has done inside since is the pod's own business.
fn make(request: &SetUp<'_>) -> io::Result<()> {
    let parent = request.directory.parent().ok_or(io::ErrorKind::InvalidInput)?;
    // No volume's name holds a dot.
    let unfinished = parent.join(format!("{}.new", request.volume.name));
    fs::create_dir_all(&unfinished)?;
    fs::set_permissions(&unfinished, fs::Permissions::from_mode(0o777))?;
    if let Some(group) = request.fs_group() {
        ownership::give_to_group(&unfinished, group, false)?;
    }
    fs::rename(&unfinished, &request.directory)
}

/// A volume in memory holds no more than the pod may use, nor more than it says itself.
fn memory_size(limit_bytes: Option<i64>, pod: LinuxContainerResources, node_bytes: i64) -> u64 {
    let of_pod = Some(pod.memory_limit_in_bytes).filter(|bytes| *bytes > 0).unwrap_or(node_bytes);
    let own = limit_bytes.filter(|bytes| *bytes > 0);
    u64::try_from(own.map_or(of_pod, |own| own.min(of_pod))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_by_volume_pod_and_node() {
        let pod = |memory_limit_in_bytes| LinuxContainerResources { memory_limit_in_bytes, ..Default::default() };
        assert_eq!(memory_size(None, pod(0), 100), 100);
        assert_eq!(memory_size(Some(30), pod(0), 100), 30);
        assert_eq!(memory_size(Some(30), pod(20), 100), 20);
        assert_eq!(memory_size(Some(0), pod(50), 100), 50);
    }
}
