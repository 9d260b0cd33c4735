//! Images: an index, small blobs by digest, and layers unpacked once each.
//!
//! The folder may be used by several processes at once. Writers hold the lock and replace the index
//! as a whole; readers read the index anew at each call.

mod archive;
mod compression;
mod config;
mod hosts;
mod pull;
pub(crate) mod reference;
mod source;
pub(crate) mod unpack;

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

pub use self::archive::LoadError;
pub(crate) use self::config::ImageConfig;
pub use self::hosts::HostsError;
pub use self::pull::{PullError, RegistryCredentials};
pub use self::reference::InvalidReference;
pub(crate) use self::reference::Reference;
pub use self::unpack::UnpackError;

const INDEX_FILE: &str = "index.json";
const LOCK_FILE: &str = "lock";
/// Beside the images' folder: what is known of registries.
const HOSTS_FOLDER: &str = "certs.d";

/// The images of a node.
#[derive(Clone, Debug)]
pub struct ImageStore {
    folder: PathBuf,
}

/// One image, under all its names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// `sha256:…` of the configuration.
    pub id: String,
    /// Full names with tag, e.g. `docker.io/library/busybox:latest`.
    pub names: Vec<String>,
    /// Full names with the manifest's digest, of those pulled or loaded with one.
    pub digests: Vec<String>,
    /// Bytes of the unpacked files.
    pub size_bytes: u64,
    pub origin: Origin,
    /// Chain identifiers of the layers, the lowest first.
    pub(crate) layers: Vec<String>,
}

/// Where an image came from. One loaded by hand serves pods also when its registry is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    Load,
    Pull,
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot {step} {}", path.display())]
    Disk {
        step: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the image index {} is damaged", path.display())]
    Damaged {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    #[error("no such image: {0}")]
    NotFound(String),
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Index {
    images: Vec<Image>,
}

impl ImageStore {
    /// Opens the folder, making it if need be.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let store = ImageStore { folder: folder.into() };
        for part in ["blobs/sha256", "layers", "work"] {
            let path = store.folder.join(part);
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
            made.map_err(|source| StoreError::Disk { step: "make the folder", path, source })?;
        }
        Ok(store)
    }

    /// All images, by their first name.
    pub fn list(&self) -> Result<Vec<Image>, StoreError> {
        let mut images = self.read_index()?.images;
        images.sort_by(|one, other| (&one.names, &one.id).cmp(&(&other.names, &other.id)));
        Ok(images)
    }

    /// Finds an image by name, by digest, or by (the beginning of) its id.
    pub fn find(&self, image: &str) -> Result<Option<Image>, StoreError> {
        let index = self.read_index()?;
        Ok(index.position(image)?.map(|position| index.images[position].clone()))
    }

    /// Takes a name from its image; an id takes the whole image. The last name takes the image too.
    /// Answers what was removed, nothing if there was none. Whether an image is in use is the
    /// caller's to know.
    pub fn remove(&self, image: &str) -> Result<Option<Image>, StoreError> {
        let _lock = self.lock()?;
        let mut index = self.read_index()?;
        let Some(position) = index.position(image)? else { return Ok(None) };
        let removed = index.images[position].clone();
        let name = image.parse::<Reference>().ok().map(|reference| reference.to_string());
        let remaining = &mut index.images[position].names;
        match name.filter(|name| remaining.contains(name)) {
            Some(name) if remaining.len() > 1 => remaining.retain(|known| *known != name),
            _ => {
                index.images.remove(position);
            }
        }
        self.write_index(&index)?;
        self.collect_garbage(&index)?;
        Ok(Some(removed))
    }

    pub(crate) fn config(&self, image: &Image) -> Result<ImageConfig, StoreError> {
        let path = self.blob(&image.id);
        let bytes = fs::read(&path).map_err(disk("read", &path))?;
        serde_json::from_slice(&bytes).map_err(|source| StoreError::Damaged { path, source })
    }

    /// The folders of the layers, the lowest first.
    pub(crate) fn layer_folders(&self, image: &Image) -> Vec<PathBuf> {
        image.layers.iter().map(|chain| self.layer(chain).join("files")).collect()
    }

    /// Where all layers lie.
    pub(crate) fn layers_folder(&self) -> PathBuf {
        self.folder.join("layers")
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn layer(&self, chain: &str) -> PathBuf {
        self.layers_folder().join(chain)
    }

    fn blob(&self, digest: &str) -> PathBuf {
        self.folder.join("blobs/sha256").join(digest.trim_start_matches("sha256:"))
    }

    fn hosts_folder(&self) -> PathBuf {
        self.folder.with_file_name(HOSTS_FOLDER)
    }

    fn work(&self) -> PathBuf {
        self.folder.join("work")
    }

    fn lock(&self) -> Result<Flock<File>, StoreError> {
        let path = self.folder.join(LOCK_FILE);
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = file.map_err(disk("open", &path))?;
        Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, error)| disk("lock", &path)(error.into()))
    }

    fn read_index(&self) -> Result<Index, StoreError> {
        let path = self.folder.join(INDEX_FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Index::default()),
            Err(error) => return Err(disk("read", &path)(error)),
        };
        serde_json::from_slice(&bytes).map_err(|source| StoreError::Damaged { path, source })
    }

    fn write_index(&self, index: &Index) -> Result<(), StoreError> {
        let path = self.folder.join(INDEX_FILE);
        let bytes = serde_json::to_vec_pretty(index).map_err(|error| disk("write", &path)(error.into()))?;
        stdx::fs::write_atomic(&path, &bytes, 0o600).map_err(disk("write", &path))
    }

    /// Enters an image whose layers are unpacked; its names leave the images that had them.
    /// The caller holds the lock.
    fn enter(&self, image: Image) -> Result<(), StoreError> {
        let mut index = self.read_index()?;
        let mut entry = image;
        for known in &mut index.images {
            known.names.retain(|name| !entry.names.contains(name));
        }
        if let Some(position) = index.images.iter().position(|known| known.id == entry.id) {
            let known = index.images.remove(position);
            merge(&mut entry.names, known.names);
            merge(&mut entry.digests, known.digests);
        }
        index.images.push(entry);
        self.write_index(&index)
    }

    /// Removes blobs and layers that no image names. The caller holds the lock.
    fn collect_garbage(&self, index: &Index) -> Result<(), StoreError> {
        let blobs: BTreeSet<&str> = index.images.iter().map(|image| image.id.trim_start_matches("sha256:")).collect();
        let layers: BTreeSet<&str> =
            index.images.iter().flat_map(|image| image.layers.iter().map(String::as_str)).collect();
        for (folder, kept) in [("blobs/sha256", blobs), ("layers", layers)] {
            let folder = self.folder.join(folder);
            for entry in fs::read_dir(&folder).map_err(disk("read", &folder))? {
                let entry = entry.map_err(disk("read", &folder))?;
                let path = entry.path();
                if entry.file_name().to_str().is_some_and(|name| kept.contains(name)) {
                    continue;
                }
                let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
                removed.map_err(disk("remove", &path))?;
            }
        }
        Ok(())
    }
}

impl Index {
    fn position(&self, image: &str) -> Result<Option<usize>, StoreError> {
        let hex = image.strip_prefix("sha256:").unwrap_or(image);
        let is_id = (12..=64).contains(&hex.len()) && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_id {
            let of_id = |known: &Image| known.id.trim_start_matches("sha256:").starts_with(hex);
            if let Some(position) = self.images.iter().position(of_id) {
                return Ok(Some(position));
            }
        }
        if image.starts_with("sha256:") {
            return Ok(None);
        }
        let reference: Reference = image.parse()?;
        Ok(match reference.digest() {
            Some(digest) => {
                let wanted = reference.with_digest(digest);
                self.images.iter().position(|known| known.digests.contains(&wanted))
            }
            None => {
                let wanted = reference.to_string();
                self.images.iter().position(|known| known.names.contains(&wanted))
            }
        })
    }
}

fn merge(into: &mut Vec<String>, from: Vec<String>) {
    for item in from {
        if !into.contains(&item) {
            into.push(item);
        }
    }
}

fn disk(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Disk { step, path, source }
}

#[cfg(test)]
mod tests;
