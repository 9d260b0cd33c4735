//! Loading images from files: `docker save` archives, OCI archives, OCI layout folders.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::compression::decompress;
use super::config::{Descriptor, ImageConfig, Manifest, choose, own_architecture};
use super::reference::is_digest;
use super::source::Source;
use super::unpack::{Limits, UnpackError, sync_file_system, unpack};
use super::{Image, ImageStore, InvalidReference, Origin, Reference, StoreError, disk};

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("cannot read the image archive")]
    Read(#[source] io::Error),
    #[error("the file is neither a docker-save archive nor an OCI archive or layout")]
    UnknownFormat,
    #[error("the image archive is damaged: {0}")]
    Damaged(String),
    #[error("image {image} is for {found}; this machine is linux/{}", own_architecture())]
    WrongPlatform { image: String, found: String },
    #[error(transparent)]
    Layer(#[from] UnpackError),
    #[error(transparent)]
    Name(#[from] InvalidReference),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An image found in a source, not yet unpacked.
pub(crate) struct Candidate {
    pub(crate) names: Vec<String>,
    pub(crate) digests: Vec<String>,
    pub(crate) config: Vec<u8>,
    /// What to open for each layer, the lowest first, and the blob's own digest where it is known.
    pub(crate) layers: Vec<(String, Option<String>)>,
}

impl ImageStore {
    /// Loads every image of a file or folder that runs on this machine. Answers them with the names
    /// they have there; on an error nothing has changed.
    pub fn load(&self, path: &Path) -> Result<Vec<Image>, LoadError> {
        let source = Source::open(path, &self.work()).map_err(read_error)?;
        let candidates = if source.has("manifest.json") {
            docker_candidates(&source)?
        } else if source.has("index.json") {
            layout_candidates(&source)?
        } else {
            return Err(LoadError::UnknownFormat);
        };
        let _lock = self.lock()?;
        let open = |name: &str| source.open_member(name);
        let mut images = Vec::new();
        for candidate in candidates {
            images.push(self.unpack_image(candidate, Origin::Load, &open)?);
        }
        for image in &images {
            self.enter(image.clone())?;
        }
        Ok(images)
    }

    /// Checks the image and unpacks the layers that are not there yet. The caller holds the lock.
    pub(crate) fn unpack_image<'a>(
        &self,
        candidate: Candidate,
        origin: Origin,
        open: &dyn Fn(&str) -> io::Result<Box<dyn Read + 'a>>,
    ) -> Result<Image, LoadError> {
        let shown = candidate.names.first().cloned().unwrap_or_else(|| "without a name".to_owned());
        let config: ImageConfig = serde_json::from_slice(&candidate.config)
            .map_err(|error| LoadError::Damaged(format!("the configuration of image {shown}: {error}")))?;
        if config.architecture != own_architecture() || config.system != "linux" {
            let found = format!("{}/{}", config.system, config.architecture);
            return Err(LoadError::WrongPlatform { image: shown, found });
        }
        if config.diff_ids.len() != candidate.layers.len() {
            let (said, found) = (config.diff_ids.len(), candidate.layers.len());
            return Err(LoadError::Damaged(format!("image {shown} names {said} layers and brings {found}")));
        }
        let mut layers = Vec::new();
        let mut size_bytes = 0;
        let mut chain = String::new();
        for (diff_id, (member, digest)) in config.diff_ids.iter().zip(&candidate.layers) {
            if !is_digest(diff_id) {
                return Err(LoadError::Damaged(format!("{diff_id:?} is not a digest")));
            }
            chain = chain_id(&chain, diff_id);
            size_bytes += self.unpack_layer(&chain, diff_id, member, digest.as_deref(), open)?;
            layers.push(chain.clone());
        }
        let id = format!("sha256:{}", hex::encode(Sha256::digest(&candidate.config)));
        let blob = self.blob(&id);
        stdx::fs::write_atomic(&blob, &candidate.config, 0o600).map_err(disk("write", &blob))?;
        Ok(Image { id, names: candidate.names, digests: candidate.digests, size_bytes, origin, layers })
    }

    /// Answers the layer's size. It appears under its name only when it is whole and on disk.
    fn unpack_layer<'a>(
        &self,
        chain: &str,
        diff_id: &str,
        member: &str,
        digest: Option<&str>,
        open: &dyn Fn(&str) -> io::Result<Box<dyn Read + 'a>>,
    ) -> Result<u64, LoadError> {
        let place = self.layer(chain);
        let size_file = place.join("size");
        match fs::read_to_string(&size_file) {
            Ok(text) => {
                return text.parse().map_err(|_| LoadError::Damaged(format!("{} has no number", size_file.display())));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(disk("read", &size_file)(error).into()),
        }
        let temporary = self.work().join(chain);
        remove_leftover(&temporary)?;
        let files = temporary.join("files");
        fs::create_dir_all(&files).map_err(disk("make the folder", &files))?;
        let unpacked = self.unpack_stream(diff_id, digest, open(member).map_err(read_error)?, &files);
        let size = match unpacked {
            Ok(size) => size,
            Err(error) => {
                remove_leftover(&temporary)?;
                return Err(error);
            }
        };
        let marker = temporary.join("size");
        fs::write(&marker, size.to_string()).map_err(disk("write", &marker))?;
        sync_file_system(&temporary).map_err(disk("sync", &temporary))?;
        remove_leftover(&place)?;
        fs::rename(&temporary, &place).map_err(disk("rename to", &place))?;
        Ok(size)
    }

    fn unpack_stream(
        &self,
        diff_id: &str,
        digest: Option<&str>,
        blob: Box<dyn Read + '_>,
        folder: &Path,
    ) -> Result<u64, LoadError> {
        let mut blob = Hashing::new(blob);
        let size = {
            let (plain, _) = decompress(&mut blob).map_err(LoadError::Read)?;
            let mut plain = Hashing::new(plain);
            let size = unpack(&mut plain, folder, Limits::default())?;
            // What follows the last entry belongs to the digest as well.
            let damaged = |error| LoadError::Layer(UnpackError::Damaged(error));
            let rest = Limits::default().bytes;
            io::copy(&mut (&mut plain).take(rest), &mut io::sink()).map_err(damaged)?;
            let found = plain.digest();
            if found != diff_id {
                return Err(LoadError::Damaged(format!("a layer has digest {found} and should have {diff_id}")));
            }
            size
        };
        io::copy(&mut blob, &mut io::sink()).map_err(LoadError::Read)?;
        let found = blob.digest();
        match digest {
            Some(digest) if digest != found => {
                Err(LoadError::Damaged(format!("a blob has digest {found} and should have {digest}")))
            }
            _ => Ok(size),
        }
    }
}

/// What the system says is about reading; anything else is about what was read.
fn read_error(error: io::Error) -> LoadError {
    match error.raw_os_error() {
        Some(_) => LoadError::Read(error),
        None => LoadError::Damaged(error.to_string()),
    }
}

/// The identity of a layer on top of those below it (OCI image specification, `config.md`).
fn chain_id(parent: &str, diff_id: &str) -> String {
    let diff_id_hex = diff_id.trim_start_matches("sha256:");
    match parent {
        "" => diff_id_hex.to_owned(),
        parent => hex::encode(Sha256::digest(format!("sha256:{parent} {diff_id}"))),
    }
}

fn remove_leftover(folder: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(disk("remove", folder)(error)),
        _ => Ok(()),
    }
}

/// `manifest.json`, as `docker save` writes it.
fn docker_candidates(source: &Source) -> Result<Vec<Candidate>, LoadError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Entry {
        config: String,
        repo_tags: Option<Vec<String>>,
        layers: Vec<String>,
    }
    let entries: Vec<Entry> = parse(source, "manifest.json")?;
    let candidates = entries.into_iter().map(|entry| {
        let names = entry.repo_tags.unwrap_or_default().iter().map(|name| full_name(name)).collect::<Result<_, _>>()?;
        let config = source.read_document(&entry.config).map_err(|error| LoadError::Damaged(error.to_string()))?;
        let layers = entry.layers.into_iter().map(|layer| (layer, None)).collect();
        Ok(Candidate { names, digests: Vec::new(), config, layers })
    });
    candidates.collect()
}

/// `index.json` of an OCI layout. Entries for other machines are passed over, unless nothing is left.
fn layout_candidates(source: &Source) -> Result<Vec<Candidate>, LoadError> {
    let index: Manifest = parse(source, "index.json")?;
    let mut candidates = Vec::new();
    for descriptor in &index.manifests {
        let names = layout_names(descriptor)?;
        let shown = names.first().cloned().unwrap_or_else(|| descriptor.digest.clone());
        let mut manifest: Manifest = parse_blob(source, &descriptor.digest)?;
        let mut digest = descriptor.digest.clone();
        if manifest.config.is_none() && !manifest.manifests.is_empty() {
            let chosen = choose(&manifest.manifests)
                .map_err(|platforms| LoadError::WrongPlatform { image: shown.clone(), found: platforms.join(", ") })?;
            digest = chosen.digest.clone();
            manifest = parse_blob(source, &digest)?;
        }
        let Some(config) = &manifest.config else {
            return Err(LoadError::Damaged(format!("the manifest of image {shown} names no configuration")));
        };
        let digests = names.iter().filter_map(|name| name.parse::<Reference>().ok());
        let digests = digests.map(|reference| reference.with_digest(&digest)).collect();
        candidates.push(Candidate {
            names,
            digests,
            config: read_blob(source, &config.digest)?,
            layers: manifest
                .layers
                .iter()
                .map(|layer| Ok((blob_name(&layer.digest)?, Some(layer.digest.clone()))))
                .collect::<Result<_, LoadError>>()?,
        });
    }
    if candidates.is_empty() { Err(LoadError::Damaged("it holds no image".to_owned())) } else { Ok(candidates) }
}

/// Writers put the full name into either annotation; a bare tag names nothing.
fn layout_names(descriptor: &Descriptor) -> Result<Vec<String>, LoadError> {
    let annotation = |name: &str| descriptor.annotations.get(name).filter(|value| value.contains([':', '/']));
    let name = annotation("io.containerd.image.name").or_else(|| annotation("org.opencontainers.image.ref.name"));
    name.map(|name| full_name(name)).transpose().map(|name| name.into_iter().collect())
}

fn full_name(name: &str) -> Result<String, LoadError> {
    Ok(name.parse::<Reference>()?.to_string())
}

fn parse<T: serde::de::DeserializeOwned>(source: &Source, name: &str) -> Result<T, LoadError> {
    let bytes = source.read_document(name).map_err(LoadError::Read)?;
    serde_json::from_slice(&bytes).map_err(|error| LoadError::Damaged(format!("{name}: {error}")))
}

fn parse_blob<T: serde::de::DeserializeOwned>(source: &Source, digest: &str) -> Result<T, LoadError> {
    let bytes = read_blob(source, digest)?;
    serde_json::from_slice(&bytes).map_err(|error| LoadError::Damaged(format!("{digest}: {error}")))
}

fn read_blob(source: &Source, digest: &str) -> Result<Vec<u8>, LoadError> {
    let bytes = source.read_document(&blob_name(digest)?).map_err(|error| LoadError::Damaged(error.to_string()))?;
    let found = format!("sha256:{}", hex::encode(Sha256::digest(&bytes)));
    if found != digest {
        return Err(LoadError::Damaged(format!("a blob has digest {found} and should have {digest}")));
    }
    Ok(bytes)
}

fn blob_name(digest: &str) -> Result<String, LoadError> {
    match is_digest(digest) {
        true => Ok(digest.replacen(':', "/", 1)).map(|path| format!("blobs/{path}")),
        false => Err(LoadError::Damaged(format!("{digest:?} is not a digest"))),
    }
}

/// Computes the digest of what is read through it.
struct Hashing<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Hashing<R> {
    fn new(inner: R) -> Self {
        Hashing { inner, hash: Sha256::new() }
    }

    fn digest(&self) -> String {
        format!("sha256:{}", hex::encode(self.hash.clone().finalize()))
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}
