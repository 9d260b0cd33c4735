//! downwardAPI: the pod's own fields as files.

use api::k8s::api::core::v1::Volume;
use async_trait::async_trait;

use super::config_map::{make_in_memory, publish};
use super::{Plugin, Ready, SetUp, VolumeError, payload};

pub(crate) struct DownwardApi;

#[async_trait]
impl Plugin for DownwardApi {
    fn folder(&self) -> &'static str {
        "kubernetes.io~downward-api"
    }

    fn serves(&self, volume: &Volume) -> bool {
        volume.downward_api.is_some()
    }

    async fn set_up(&self, request: &SetUp<'_>) -> Result<Ready, VolumeError> {
        let source = request.volume.downward_api.as_ref().ok_or(VolumeError::NoPlugin)?;
        let default_mode = source.default_mode.unwrap_or(payload::DEFAULT_MODE);
        let files = payload::downward(request, source.items.as_deref(), default_mode)?;
        make_in_memory(request)?;
        publish(request, &files)?;
        Ok(Ready::at(request.directory.clone()))
    }
}
