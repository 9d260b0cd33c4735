//! A pod's volumes: what is mounted where on the node. One file per plugin, listed in [`PLUGINS`].

pub(crate) mod atomic_writer;
pub(crate) mod attach;
pub(crate) mod claims;
mod config_map;
mod csi;
pub(crate) mod disk;
mod downward_api;
mod empty_dir;
mod host_path;
mod image;
pub(crate) mod mounts;
mod ownership;
mod payload;
mod persistent;
mod projected;
pub(crate) mod removal;
mod secret;
mod sub_path;
pub(crate) mod tokens;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use api::k8s::api::core::v1::{Container, Pod, Volume};
use async_trait::async_trait;
use cri::{ImageSpec, Mount, MountPropagation};
use jiff::Timestamp;

use crate::config::environment::Objects;
use crate::config::expansion::expand;
use crate::config::fields::{Addresses, FieldError};
use crate::config::{NodeFacts, names};
use crate::pod::spec;
use claims::BoundClaims;
use mounts::Mounter;
use tokens::{TokenError, Tokens};

/// Every kind of volume there is code for.
static PLUGINS: [&dyn Plugin; 9] = [
    &empty_dir::EmptyDir,
    &host_path::HostPath,
    &config_map::ConfigMapVolume,
    &secret::SecretVolume,
    &projected::Projected,
    &downward_api::DownwardApi,
    &persistent::Persistent,
    &image::ImageVolume,
    &csi::Csi,
];

/// One kind of volume.
#[async_trait]
pub(crate) trait Plugin: Send + Sync {
    /// The folder its volumes live in below `volumes/`, in upstream's spelling.
    fn folder(&self) -> &'static str;
    fn serves(&self, volume: &Volume) -> bool;
    /// Makes the volume be as it should. Called again whenever something it rests on changed.
    async fn set_up(&self, request: &SetUp<'_>) -> Result<Ready, VolumeError>;
}

/// What a plugin may use.
pub(crate) struct SetUp<'a> {
    pub(crate) pod: &'a Pod,
    pub(crate) volume: &'a Volume,
    /// Where the volume is to appear.
    pub(crate) directory: PathBuf,
    pub(crate) objects: &'a Objects,
    pub(crate) claims: &'a BoundClaims,
    pub(crate) addresses: Addresses<'a>,
    pub(crate) node: &'a NodeFacts,
    /// Labels of the node's object, where it is known.
    pub(crate) node_labels: Option<&'a BTreeMap<String, String>>,
    pub(crate) mounter: &'a dyn Mounter,
    pub(crate) tokens: &'a Tokens,
    pub(crate) now: Timestamp,
}

impl SetUp<'_> {
    pub(crate) fn fs_group(&self) -> Option<u32> {
        let context = spec::spec(self.pod).security_context.as_ref()?;
        context.fs_group.and_then(|group| u32::try_from(group).ok())
    }

    /// Whether a volume whose root already belongs to the group is left as it is.
    pub(crate) fn changes_group_on_root_mismatch(&self) -> bool {
        let context = spec::spec(self.pod).security_context.as_ref();
        context.and_then(|context| context.fs_group_change_policy.as_deref()) == Some("OnRootMismatch")
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    pub(crate) host_path: PathBuf,
    /// When it must be set up again even if nothing changes: a token grows old.
    pub(crate) refresh_at: Option<Timestamp>,
    /// Whatever the container's mount says.
    pub(crate) read_only: bool,
    /// The runtime mounts an image; there is no path.
    pub(crate) is_image: bool,
}

impl Ready {
    pub(crate) fn at(host_path: PathBuf) -> Ready {
        Ready { host_path, refresh_at: None, read_only: false, is_image: false }
    }
}

/// The volumes of a pod by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ReadyVolumes {
    by_name: BTreeMap<String, Ready>,
}

impl ReadyVolumes {
    pub(crate) fn refresh_at(&self) -> Option<Timestamp> {
        self.by_name.values().filter_map(|ready| ready.refresh_at).min()
    }

    pub(crate) fn path(&self, name: &str) -> Option<&Path> {
        self.by_name.get(name).map(|ready| ready.host_path.as_path())
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum VolumeError {
    // The space is upstream's: the cause follows as ` : cause`.
    #[error("{step} failed for volume {volume:?} ")]
    Step {
        step: &'static str,
        volume: String,
        #[source]
        source: Box<VolumeError>,
    },
    // What is above names the claim's volume by the pod's name, this by the volume's own.
    #[error("volume {name:?}")]
    OfPersistent {
        name: String,
        #[source]
        source: Box<VolumeError>,
    },
    #[error("no volume plugin matched")]
    NoPlugin,
    #[error("no matching NodeSelectorTerms")]
    NodeAffinity,
    #[error(
        "kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: \
         driver name {0} not found in the list of registered CSI drivers"
    )]
    NoDriver(String),
    #[error(
        "kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: \
         driver name {0} not found in the list of registered CSI drivers"
    )]
    NoDeviceDriver(String),
    #[error("unknown storage medium {0:?}")]
    UnknownMedium(String),
    #[error("medium: {0} can't be used if container requests multiple huge page sizes")]
    SeveralPageSizes(String),
    #[error("medium {0}: hugePages storage requested, but there is no resource request for huge pages")]
    NoHugePages(String),
    #[error("path {0:?} does not exist")]
    NoLocalPath(String),
    #[error("{kind} {name:?} not found")]
    MissingObject { kind: &'static str, name: String },
    #[error("references non-existent {kind} key: {key}")]
    MissingKey { kind: &'static str, key: String },
    #[error("invalid path {0:?}: must be relative and stay inside the volume")]
    InvalidPath(String),
    #[error("hostPath type check failed: {path} is not {expected}")]
    HostPathType { path: String, expected: &'static str },
    #[error("failed to fetch token")]
    Token(#[from] TokenError),
    #[error(transparent)]
    Field(#[from] FieldError),
    #[error("volume {0:?} is not one of the pod's")]
    UnknownVolume(String),
    #[error("failed to prepare subPath for volumeMount {mount:?} of container {container:?}")]
    SubPath {
        mount: String,
        container: String,
        #[source]
        source: io::Error,
    },
    #[error("subPath expression {0:?} names a variable that is not set")]
    SubPathExpression(String),
    #[error("cannot {step} {}", path.display())]
    File {
        step: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl VolumeError {
    pub(crate) fn file(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> VolumeError {
        move |source| VolumeError::File { step, path: path.to_owned(), source }
    }
}

/// What setting up volumes takes, for all volumes of a pod.
pub(crate) struct PodVolumes<'a> {
    pub(crate) pod: &'a Pod,
    pub(crate) objects: &'a Objects,
    pub(crate) claims: &'a BoundClaims,
    pub(crate) addresses: Addresses<'a>,
    pub(crate) node: &'a NodeFacts,
    /// Labels of the node's object, where it is known.
    pub(crate) node_labels: Option<&'a BTreeMap<String, String>>,
    pub(crate) mounter: &'a dyn Mounter,
    pub(crate) tokens: &'a Tokens,
    pub(crate) now: Timestamp,
}

/// Sets up every volume of the pod; the first failure ends it.
pub(crate) async fn set_up(all: &PodVolumes<'_>) -> Result<ReadyVolumes, VolumeError> {
    let mut ready = ReadyVolumes::default();
    for volume in spec::spec(all.pod).volumes.iter().flatten() {
        let result = set_up_one(all, volume).await;
        let one = result.map_err(|source| failed(&volume.name, source))?;
        ready.by_name.insert(volume.name.clone(), one);
    }
    Ok(ready)
}

/// The step that failed and the volume as upstream names it: a claim's by the persistent volume's name.
fn failed(name: &str, source: VolumeError) -> VolumeError {
    let (name, source) = match source {
        VolumeError::OfPersistent { name, source } => (name, source),
        source => (name.to_owned(), Box::new(source)),
    };
    let step = match &*source {
        VolumeError::NodeAffinity => "MountVolume.NodeAffinity check",
        VolumeError::NoLocalPath(_) => "MountVolume.NewMounter initialization",
        VolumeError::NoDeviceDriver(_) => "MountVolume.MountDevice",
        _ => "MountVolume.SetUp",
    };
    VolumeError::Step { step, volume: name, source }
}

async fn set_up_one(all: &PodVolumes<'_>, volume: &Volume) -> Result<Ready, VolumeError> {
    let plugin = PLUGINS.iter().find(|plugin| plugin.serves(volume)).ok_or(VolumeError::NoPlugin)?;
    let pod_dir = names::pod_dir(&all.node.root_dir, spec::uid(all.pod));
    let directory = pod_dir.join("volumes").join(plugin.folder()).join(&volume.name);
    let PodVolumes { pod, objects, claims, addresses, node, node_labels, mounter, tokens, now } = *all;
    let request = SetUp { pod, volume, directory, objects, claims, addresses, node, node_labels, mounter, tokens, now };
    plugin.set_up(&request).await
}

/// The mounts of one container, in the spec's order.
pub(crate) fn container_mounts(
    pod: &Pod,
    container: &Container,
    ready: &ReadyVolumes,
    lookup: impl Fn(&str) -> Option<String>,
    images: &BTreeMap<String, ImageSpec>,
    node: &NodeFacts,
    mounter: &dyn Mounter,
) -> Result<Vec<Mount>, VolumeError> {
    let mut mounts = Vec::new();
    for (index, volume_mount) in container.volume_mounts.iter().flatten().enumerate() {
        let volume = ready.by_name.get(&volume_mount.name);
        let volume = volume.ok_or_else(|| VolumeError::UnknownVolume(volume_mount.name.clone()))?;
        if volume.is_image {
            let image = images.get(&volume_mount.name).cloned();
            mounts.push(Mount {
                container_path: volume_mount.mount_path.clone(),
                readonly: true,
                image: Some(image.ok_or_else(|| VolumeError::UnknownVolume(volume_mount.name.clone()))?),
                image_sub_path: volume_mount.sub_path.clone().unwrap_or_default(),
                ..Mount::default()
            });
            continue;
        }
        let inner = match (&volume_mount.sub_path_expr, &volume_mount.sub_path) {
            (Some(expression), _) if !expression.is_empty() => {
                let expanded = expand(expression, &lookup);
                if expanded.contains("$(") {
                    return Err(VolumeError::SubPathExpression(expression.clone()));
                }
                Some(expanded)
            }
            (_, Some(path)) if !path.is_empty() => Some(path.clone()),
            _ => None,
        };
        let host_path = match inner {
            None => volume.host_path.clone(),
            Some(inner) => {
                let pod_dir = names::pod_dir(&node.root_dir, spec::uid(pod));
                let target = pod_dir
                    .join("volume-subpaths")
                    .join(&volume_mount.name)
                    .join(&container.name)
                    .join(index.to_string());
                sub_path::bind(&volume.host_path, &inner, &target, mounter).map_err(|source| VolumeError::SubPath {
                    mount: volume_mount.mount_path.clone(),
                    container: container.name.clone(),
                    source,
                })?
            }
        };
        let propagation = match volume_mount.mount_propagation.as_deref() {
            Some("Bidirectional") => MountPropagation::Bidirectional,
            Some("HostToContainer") => MountPropagation::HostToContainer,
            _ => MountPropagation::Private,
        };
        let readonly = volume.read_only || volume_mount.read_only.unwrap_or(false);
        let recursive = matches!(volume_mount.recursive_read_only.as_deref(), Some("Enabled" | "IfPossible"));
        mounts.push(Mount {
            container_path: volume_mount.mount_path.clone(),
            host_path: host_path.to_string_lossy().into_owned(),
            readonly,
            propagation: propagation as i32,
            recursive_read_only: readonly && recursive,
            ..Mount::default()
        });
    }
    Ok(mounts)
}

/// Unmounts and removes everything of a pod's folder.
pub(crate) fn remove_pod_dir(root_dir: &Path, uid: &str) -> Result<(), VolumeError> {
    let directory = names::pod_dir(root_dir, uid);
    removal::remove_tree(&directory).map_err(VolumeError::file("remove", &directory))
}

/// Takes off the mounts of a pod that has ended and removes its volumes, but keeps what tells of its
/// end.
pub(crate) fn tear_down(root_dir: &Path, uid: &str) -> Result<(), VolumeError> {
    let pod_dir = names::pod_dir(root_dir, uid);
    for part in ["volume-subpaths", "volumes"] {
        let directory = pod_dir.join(part);
        removal::remove_tree(&directory).map_err(VolumeError::file("remove", &directory))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
