//! secret: a Secret's keys as files, in memory.

use api::k8s::api::core::v1::Volume;
use async_trait::async_trait;

use super::config_map::{make_in_memory, publish};
use super::{Plugin, Ready, SetUp, VolumeError, payload};

pub(crate) struct SecretVolume;

#[async_trait]
impl Plugin for SecretVolume {
    fn folder(&self) -> &'static str {
        "kubernetes.io~secret"
    }

    fn serves(&self, volume: &Volume) -> bool {
        volume.secret.is_some()
    }

    async fn set_up(&self, request: &SetUp<'_>) -> Result<Ready, VolumeError> {
        let source = request.volume.secret.as_ref().ok_or(VolumeError::NoPlugin)?;
        let name = source.secret_name.as_deref().unwrap_or("");
        let default_mode = source.default_mode.unwrap_or(payload::DEFAULT_MODE);
        let optional = source.optional == Some(true);
        let files = payload::secret(request, name, source.items.as_deref(), default_mode, optional)?;
        make_in_memory(request)?;
        publish(request, &files)?;
        Ok(Ready::at(request.directory.clone()))
    }
}
