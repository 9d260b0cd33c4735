//! image: the files of an image, read only. The runtime mounts it; its image is fetched when a container
//! that wants it starts.

use std::path::PathBuf;

use api::k8s::api::core::v1::Volume;
use async_trait::async_trait;

use super::{Plugin, Ready, SetUp, VolumeError};

pub(crate) struct ImageVolume;

#[async_trait]
impl Plugin for ImageVolume {
    fn folder(&self) -> &'static str {
        "kubernetes.io~image"
    }

    fn serves(&self, volume: &Volume) -> bool {
        volume.image.is_some()
    }

    async fn set_up(&self, _request: &SetUp<'_>) -> Result<Ready, VolumeError> {
        Ok(Ready { read_only: true, is_image: true, ..Ready::at(PathBuf::new()) })
    }
}
