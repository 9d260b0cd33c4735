//! Persistent volumes: a claim's place on this node.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use api::k8s::api::core::v1::{PersistentVolume, Volume};
use api::volumes::{PROVISIONED_BY, is_reachable};
use async_trait::async_trait;

use super::claims::BoundClaim;
use super::{Plugin, Ready, SetUp, VolumeError, host_path, ownership};

/// Volumes of these makers are folders of this node, made when they are first mounted.
const OWN_PROVISIONERS: &str = "pintle.dev/";
/// As the provisioners of node-local folders do it: whoever the pod runs as may write.
const FOLDER_MODE: u32 = 0o777;

pub(crate) struct Persistent;

#[async_trait]
impl Plugin for Persistent {
    fn folder(&self) -> &'static str {
        "kubernetes.io~local-volume"
    }

    fn serves(&self, volume: &Volume) -> bool {
        volume.persistent_volume_claim.is_some() || volume.ephemeral.is_some()
    }

    async fn set_up(&self, request: &SetUp<'_>) -> Result<Ready, VolumeError> {
        let bound = request.claims.get(&request.volume.name);
        let BoundClaim { volume, read_only, .. } = bound.ok_or(VolumeError::NoPlugin)?;
        let name = volume.metadata.name.clone().unwrap_or_default();
        let in_volume = |source| VolumeError::OfPersistent { name, source: Box::new(source) };
        mount(request, volume, *read_only).map_err(in_volume)
    }
}

fn mount(request: &SetUp<'_>, volume: &PersistentVolume, read_only: bool) -> Result<Ready, VolumeError> {
    let Some(spec) = &volume.spec else { return Err(VolumeError::NoPlugin) };
    let labels = request.node_labels;
    if !is_reachable(volume, &request.node.node_name, labels.unwrap_or(&BTreeMap::new())) {
        return Err(VolumeError::NodeAffinity);
    }
    if let Some(driver) = &spec.csi {
        return Err(VolumeError::NoDeviceDriver(driver.driver.clone()));
    }
    if let Some(source) = &spec.host_path {
        let path = Path::new(&source.path);
        make_own_folder(volume, path)?;
        host_path::check(path, source.type_.as_deref().unwrap_or(""))?;
        return Ok(Ready { read_only, ..Ready::at(path.to_owned()) });
    }
    let Some(source) = &spec.local else { return Err(VolumeError::NoPlugin) };
    let path = Path::new(&source.path);
    make_own_folder(volume, path)?;
    if !path.exists() {
        return Err(VolumeError::NoLocalPath(source.path.clone()));
    }
    if let (Some(group), false) = (request.fs_group(), read_only) {
        let given = ownership::give_to_group_unless(path, group, request.changes_group_on_root_mismatch());
        given.map_err(VolumeError::file("set the group of", path))?;
    }
    Ok(Ready { read_only, ..Ready::at(path.to_owned()) })
}

/// A folder of our own making is there from its first mount on; anybody else's must be there already.
fn make_own_folder(volume: &PersistentVolume, path: &Path) -> Result<(), VolumeError> {
    let maker = volume.metadata.annotations.as_ref().and_then(|annotations| annotations.get(PROVISIONED_BY));
    if !maker.is_some_and(|maker| maker.starts_with(OWN_PROVISIONERS)) || path.exists() {
        return Ok(());
    }
    let failed = |step| VolumeError::file(step, path);
    if let Some(parent) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o755).create(parent).map_err(failed("make"))?;
    }
    fs::create_dir(path).map_err(failed("make"))?;
    fs::set_permissions(path, fs::Permissions::from_mode(FOLDER_MODE)).map_err(failed("open"))
}
