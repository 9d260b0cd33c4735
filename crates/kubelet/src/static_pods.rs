//! Static pods: the node is told of them by files in a folder, and runs them whatever the API says. There
//! a mirror shows each of them.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::k8s::api::core::v1::{Pod, Toleration};
use codec::decode::Format;
use codec::{DecodeError, FieldValidation};
use jiff::Timestamp;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::net::unix::pipe;

use crate::pod::manager::Pods;
use crate::pod::{Context, spec};

const CONFIG_HASH: &str = "kubernetes.io/config.hash";
const CONFIG_SEEN: &str = "kubernetes.io/config.seen";

#[derive(Debug, thiserror::Error)]
enum ManifestError {
    #[error("the file cannot be read")]
    Read(#[from] io::Error),
    #[error("it is not an object")]
    Decode(#[from] DecodeError),
    #[error("it is not a pod")]
    Pod(#[from] serde_json::Error),
    #[error("{0}")]
    Invalid(&'static str),
}

pub(crate) struct StaticPods {
    context: Arc<Context>,
    pods: Arc<Pods>,
    folder: PathBuf,
    changes: Option<Changes>,
}

impl StaticPods {
    /// Watches the folder from now on; where that cannot be done there are no static pods.
    pub(crate) fn new(context: Arc<Context>, pods: Arc<Pods>, folder: PathBuf) -> Self {
        let changes = Changes::of(&folder);
        let changes =
            changes.map_err(|error| tracing::warn!(folder = %folder.display(), %error, "no static pods")).ok();
        StaticPods { context, pods, folder, changes }
    }

    /// Follows the folder until dropped.
    pub(crate) async fn run(self) {
        let Some(changes) = &self.changes else { return };
        while changes.next().await.is_ok() {
            self.apply().await;
        }
    }

    /// Runs what the files say, and no longer what they do not.
    pub(crate) async fn apply(&self) {
        if self.changes.is_none() {
            return;
        }
        let mut wanted = self.read();
        let running = self.pods.static_pods();
        for pod in &running {
            let uid = spec::uid(pod);
            if wanted.remove(uid).is_none() {
                self.pods.remove_static(uid);
            }
        }
        for pod in wanted.into_values() {
            // A pod of this name in another version holds its ports and volumes until it is gone.
            let same_name = |other: &&Arc<Pod>| {
                spec::name(other) == spec::name(&pod) && spec::namespace(other) == spec::namespace(&pod)
            };
            for before in running.iter().filter(same_name) {
                self.pods.removed_entirely(spec::uid(before)).await;
            }
            self.pods.add_static(Arc::new(pod));
        }
    }

    /// By uid.
    fn read(&self) -> BTreeMap<String, Pod> {
        let mut found = BTreeMap::new();
        let files = match manifests(&self.folder) {
            Ok(files) => files,
            Err(error) => {
                tracing::warn!(folder = %self.folder.display(), %error, "static pods cannot be read");
                return found;
            }
        };
        let (node, now) = (&self.context.node.node_name, self.context.ambient.clock.now());
        for file in files {
            let read = std::fs::read(&file).map_err(ManifestError::from);
            match read.and_then(|contents| parse(&contents, &file, node, now)) {
                Ok(pod) => drop(found.insert(spec::uid(&pod).to_owned(), pod)),
                Err(error) => {
                    tracing::warn!(file = %file.display(), error = stdx::error::chain(&error), "a static pod is passed over");
                }
            }
        }
        found
    }
}

/// Files of the folder; those with a dot in front are editors' own.
fn manifests(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !hidden && entry.path().is_file() {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// The pod of a file, with what makes it this node's own: a name that tells the node, a uid that changes
/// with the contents, and leave to stay whatever becomes of the node.
fn parse(contents: &[u8], file: &Path, node_name: &str, now: Timestamp) -> Result<Pod, ManifestError> {
    let object = codec::decode::decode_untyped(contents, Format::Yaml, FieldValidation::Strict)?.object;
    if object.get("kind").and_then(Value::as_str) != Some("Pod") {
        return Err(ManifestError::Invalid("its kind is not Pod"));
    }
    let mut pod: Pod = serde_json::from_value(Value::Object(object))?;
    let name = pod.metadata.name.clone().filter(|name| !name.is_empty());
    let name = name.ok_or(ManifestError::Invalid("it has no name"))?;
    let Some(pod_spec) = &mut pod.spec else { return Err(ManifestError::Invalid("it has no spec")) };
    pod_spec.node_name = Some(node_name.to_owned());
    let tolerates_all = Toleration {
        operator: Some("Exists".to_owned()),
        effect: Some("NoExecute".to_owned()),
        ..Toleration::default()
    };
    pod_spec.tolerations.get_or_insert_default().push(tolerates_all);
    let mut digest = Sha256::new();
    for part in [node_name.as_bytes(), file.as_os_str().as_encoded_bytes(), contents] {
        digest.update(part);
        digest.update([0]);
    }
    let uid = pod.metadata.uid.take().filter(|uid| !uid.is_empty());
    let uid = uid.unwrap_or_else(|| hex::encode(&digest.finalize()[..16]));
    let annotations = pod.metadata.annotations.get_or_insert_default();
    annotations.insert(spec::CONFIG_SOURCE.to_owned(), "file".to_owned());
    annotations.insert(CONFIG_SEEN.to_owned(), now.to_string());
    annotations.insert(CONFIG_HASH.to_owned(), uid.clone());
    pod.metadata.uid = Some(uid);
    pod.metadata.name = Some(format!("{name}-{}", node_name.to_lowercase()));
    pod.metadata.namespace.get_or_insert_with(|| "default".to_owned());
    pod.status = None;
    if names_api_objects(&pod) {
        return Err(ManifestError::Invalid("a static pod cannot refer to objects of the API"));
    }
    Ok(pod)
}

fn names_api_objects(pod: &Pod) -> bool {
    let pod_spec = spec::spec(pod);
    let of_volumes = pod_spec.volumes.iter().flatten().any(|volume| {
        volume.config_map.is_some()
            || volume.secret.is_some()
            || volume.persistent_volume_claim.is_some()
            || volume.ephemeral.is_some()
    });
    let of_environment = spec::init_containers(pod).iter().chain(&pod_spec.containers).any(|container| {
        let sources = container.env.iter().flatten().filter_map(|variable| variable.value_from.as_ref());
        let mut sources =
            sources.filter(|source| source.config_map_key_ref.is_some() || source.secret_key_ref.is_some());
        container.env_from.as_ref().is_some_and(|sources| !sources.is_empty()) || sources.next().is_some()
    });
    let account = pod_spec.service_account_name.as_ref().is_some_and(|name| !name.is_empty());
    of_volumes || of_environment || account
}

/// The kernel's word that the folder has changed.
struct Changes {
    queue: pipe::Receiver,
    /// Keeps the watch.
    _inotify: Inotify,
}

impl Changes {
    fn of(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC).map_err(io::Error::from)?;
        let complete = AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_MOVED_TO;
        let gone = AddWatchFlags::IN_MOVED_FROM | AddWatchFlags::IN_DELETE;
        inotify.add_watch(folder, complete | gone).map_err(io::Error::from)?;
        let queue = pipe::Receiver::from_owned_fd_unchecked(inotify.as_fd().try_clone_to_owned()?)?;
        Ok(Changes { queue, _inotify: inotify })
    }

    /// Returns after a change; all that came until then are one.
    async fn next(&self) -> io::Result<()> {
        self.queue.readable().await?;
        let mut events = [0; 4096];
        loop {
            match self.queue.try_read(&mut events) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(manifest: &str) -> Result<Pod, String> {
        let now = Timestamp::UNIX_EPOCH;
        parse(manifest.as_bytes(), Path::new("/m/a.yaml"), "Node", now).map_err(|error| stdx::error::chain(&error))
    }

    const PLAIN: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: c, image: i}]}\n";

    #[test]
    fn a_file_becomes_a_pod_of_the_node() {
        let pod = text(PLAIN).unwrap();
        assert_eq!((spec::name(&pod), spec::namespace(&pod)), ("web-node", "default"));
        assert_eq!(spec::spec(&pod).node_name.as_deref(), Some("Node"));
        assert!(spec::is_static(&pod) && spec::is_critical(&pod) && !spec::is_mirror(&pod));
        assert_eq!(spec::uid(&pod).len(), 32);
        let changed = text(&PLAIN.replace("image: i", "image: j")).unwrap();
        assert_ne!(spec::uid(&pod), spec::uid(&changed), "other contents make another pod");
    }

    #[test]
    fn what_cannot_be_run_is_refused() {
        for (manifest, expected) in [
            ("kind: Service\nmetadata: {name: a}\n", "its kind is not Pod"),
            ("kind: Pod\nmetadata: {}\nspec: {containers: []}\n", "it has no name"),
            ("kind: Pod\nmetadata: {name: a}\n", "it has no spec"),
        ] {
            assert_eq!(text(manifest).unwrap_err(), expected);
        }
        let secret = PLAIN.replace("spec: {", "spec: {volumes: [{name: v, secret: {secretName: s}}], ");
        assert_eq!(text(&secret).unwrap_err(), "a static pod cannot refer to objects of the API");
        assert!(text("{").is_err());
    }

    #[tokio::test]
    async fn finished_writes_and_removals_are_heard() {
        let folder = tempfile::tempdir().unwrap();
        let changes = Changes::of(folder.path()).unwrap();
        std::fs::write(folder.path().join("a.yaml"), PLAIN).unwrap();
        changes.next().await.unwrap();
        std::fs::write(folder.path().join(".a.swp"), "").unwrap();
        assert_eq!(manifests(folder.path()).unwrap(), [folder.path().join("a.yaml")]);
        changes.next().await.unwrap();
        std::fs::remove_file(folder.path().join("a.yaml")).unwrap();
        changes.next().await.unwrap();
        assert!(manifests(folder.path()).unwrap().is_empty());
    }
}
