//! configMap: a ConfigMap's keys as files.

use std::fs;

use api::k8s::api::core::v1::Volume;
use async_trait::async_trait;

use super::{Plugin, Ready, SetUp, VolumeError, atomic_writer, ownership, payload};

pub(crate) struct ConfigMapVolume;

#[async_trait]
impl Plugin for ConfigMapVolume {
    fn folder(&self) -> &'static str {
        "kubernetes.io~configmap"
    }

    fn serves(&self, volume: &Volume) -> bool {
        volume.config_map.is_some()
    }

    async fn set_up(&self, request: &SetUp<'_>) -> Result<Ready, VolumeError> {
        let source = request.volume.config_map.as_ref().ok_or(VolumeError::NoPlugin)?;
        let default_mode = source.default_mode.unwrap_or(payload::DEFAULT_MODE);
        let optional = source.optional == Some(true);
        let files = payload::config_map(request, &source.name, source.items.as_deref(), default_mode, optional)?;
        let directory = &request.directory;
        fs::create_dir_all(directory).map_err(VolumeError::file("make", directory))?;
        publish(request, &files)?;
        Ok(Ready::at(directory.clone()))
    }
}

/// Writes the files so that the pod's group can read them.
pub(crate) fn publish(request: &SetUp<'_>, files: &atomic_writer::Payload) -> Result<(), VolumeError> {
    let group = request.fs_group();
    let finish = |folder: &std::path::Path| match group {
        Some(group) => ownership::give_to_group(folder, group, true),
        None => Ok(()),
    };
    atomic_writer::write(&request.directory, files, request.now, finish)?;
    Ok(())
}

/// Makes the volume's folder a file system in memory, so that what is secret is never on disk.
pub(crate) fn make_in_memory(request: &SetUp<'_>) -> Result<(), VolumeError> {
    let directory = &request.directory;
    let failed = |step| VolumeError::file(step, directory);
    fs::create_dir_all(directory).map_err(failed("make"))?;
    if !request.mounter.is_file_system(directory).map_err(failed("look at the mounts of"))? {
        request.mounter.mount_tmpfs(directory, 0).map_err(failed("mount tmpfs at"))?;
    }
    Ok(())
}
