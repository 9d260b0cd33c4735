//! csi: a volume of a driver. This node has none, and says which is missing.

use api::k8s::api::core::v1::Volume;
use async_trait::async_trait;

use super::{Plugin, Ready, SetUp, VolumeError};

pub(crate) struct Csi;

#[async_trait]
impl Plugin for Csi {
    fn folder(&self) -> &'static str {
        "kubernetes.io~csi"
    }

    fn serves(&self, volume: &Volume) -> bool {
        volume.csi.is_some()
    }

    async fn set_up(&self, request: &SetUp<'_>) -> Result<Ready, VolumeError> {
        let source = request.volume.csi.as_ref().ok_or(VolumeError::NoPlugin)?;
        Err(VolumeError::NoDriver(source.driver.clone()))
    }
}
