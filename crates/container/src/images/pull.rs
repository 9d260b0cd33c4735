//! Pulling from registries: plain HTTP on this machine's own loopback, HTTPS elsewhere.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::net::IpAddr;

use base64::Engine;
use futures::{StreamExt, TryStreamExt};
use oci_client::client::{Certificate, CertificateEncoding, Client, ClientConfig, ClientProtocol};
use oci_client::errors::{OciDistributionError, OciErrorCode};
use oci_client::manifest::OciDescriptor;
use oci_client::secrets::RegistryAuth;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::archive::Candidate;
use super::config::{Manifest, choose, own_architecture};
use super::hosts::{self, Endpoint, HostsError};
use super::reference::is_digest;
use super::source::tempfile_in;
use super::{Image, ImageStore, InvalidReference, LoadError, Origin, Reference, StoreError};

const CONCURRENT_LAYERS: usize = 3;
const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);
/// A transfer that stands still for so long has failed.
const READ_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);
const DOCUMENT_LIMIT_BYTES: u64 = 8 << 20;
const LAYER_LIMIT_BYTES: u64 = 64 << 30;

const MANIFEST_TYPES: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// How to introduce oneself; CRI's `AuthConfig`.
#[derive(Clone, Default)]
pub struct RegistryCredentials {
    pub username: String,
    pub password: String,
    /// A bearer token for the registry itself.
    pub registry_token: String,
    /// Whom they are for; nobody named: the registry that the image's name tells, and no mirror of it.
    pub server: String,
}

impl RegistryCredentials {
    pub(crate) fn from_cri(auth: &cri::AuthConfig) -> Self {
        let server = auth.server_address.clone();
        let pair = base64::engine::general_purpose::STANDARD.decode(&auth.auth).ok();
        let pair = pair.and_then(|bytes| String::from_utf8(bytes).ok());
        match pair.as_deref().and_then(|pair| pair.split_once(':')) {
            Some((username, password)) if auth.username.is_empty() => RegistryCredentials {
                username: username.to_owned(),
                password: password.trim_end_matches('\0').to_owned(),
                registry_token: auth.registry_token.clone(),
                server,
            },
            _ => RegistryCredentials {
                username: auth.username.clone(),
                password: auth.password.clone(),
                registry_token: auth.registry_token.clone(),
                server,
            },
        }
    }

    fn for_client(&self, endpoint: &Endpoint) -> RegistryAuth {
        let (_, server) = self.server.split_once("://").unwrap_or(("", &self.server));
        let server = server.split('/').next().unwrap_or_default();
        if endpoint.host.as_ref().is_some_and(|host| host != server) {
            return RegistryAuth::Anonymous;
        }
        if !self.registry_token.is_empty() {
            RegistryAuth::Bearer(self.registry_token.clone())
        } else if !self.username.is_empty() {
            RegistryAuth::Basic(self.username.clone(), self.password.clone())
        } else {
            RegistryAuth::Anonymous
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum PullError {
    #[error(transparent)]
    Name(#[from] InvalidReference),
    #[error(transparent)]
    Hosts(#[from] HostsError),
    #[error("failed to resolve reference {image:?}: {image}: not found")]
    NotFound { image: String },
    #[error(
        "failed to resolve reference {image:?}: pull access denied, repository does not exist or may require authorization: {reason}"
    )]
    Denied { image: String, reason: String },
    #[error("failed to pull image {image:?}: {reason}")]
    Transfer { image: String, reason: String },
    #[error(
        "failed to pull image {image:?}: no match for platform linux/{}: the image is for {found}",
        own_architecture()
    )]
    WrongPlatform { image: String, found: String },
    #[error(transparent)]
    Unpack(#[from] LoadError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ImageStore {
    /// Pulls an image and unpacks it. Pulling what is there already costs one request, or none where
    /// the name carries the digest.
    pub async fn pull(&self, image: &str, credentials: &RegistryCredentials) -> Result<Image, PullError> {
        let reference: Reference = image.parse()?;
        if let Some(digest) = reference.digest()
            && let Some(known) = self.find(&reference.with_digest(digest))?
        {
            return Ok(known);
        }
        let mut endpoints = hosts::endpoints(&self.hosts_folder(), reference.registry())?;
        endpoints.retain(|endpoint| endpoint.pulls && (endpoint.resolves || reference.digest().is_some()));
        let mut failure = None;
        for endpoint in &endpoints {
            let registry = Registry::new(&reference, credentials, endpoint)?;
            match self.pull_from(&registry, &reference).await {
                Ok(image) => return Ok(image),
                Err(error) => {
                    let host = endpoint.host.as_deref().unwrap_or(reference.registry());
                    tracing::debug!(image, host, reason = %stdx::error::chain(&error), "not to be had here");
                    failure = Some(error);
                }
            }
        }
        Err(failure.unwrap_or_else(|| PullError::Transfer {
            image: reference.to_string(),
            reason: "no host is allowed to serve it".to_owned(),
        }))
    }

    async fn pull_from(&self, registry: &Registry, reference: &Reference) -> Result<Image, PullError> {
        let (manifest, digest) = registry.manifest().await?;
        if let Some(known) = self.find(&reference.with_digest(&digest))? {
            return self.name_again(known, reference).await;
        }
        let config = manifest.config.as_ref().ok_or_else(|| registry.failed("the manifest names no configuration"))?;
        let config = registry.document(&config.digest).await?;
        let digests: Vec<String> = manifest.layers.iter().map(|layer| layer.digest.clone()).collect();
        let layers = futures::stream::iter(digests)
            .map(|digest| registry.layer(self, digest))
            .buffered(CONCURRENT_LAYERS)
            .try_collect::<Vec<(String, File)>>()
            .await?;
        let candidate = Candidate {
            names: tagged_name(reference).into_iter().collect(),
            digests: vec![reference.with_digest(&digest)],
            config,
            layers: layers.iter().map(|(digest, _)| (digest.clone(), None)).collect(),
        };
        let store = self.clone();
        let unpacked = tokio::task::spawn_blocking(move || store.enter_pulled(candidate, layers)).await;
        match unpacked {
            Ok(Err(LoadError::WrongPlatform { found, .. })) => {
                Err(PullError::WrongPlatform { image: registry.image.clone(), found })
            }
            Ok(result) => Ok(result?),
            Err(error) => Err(registry.failed(&error.to_string())),
        }
    }

    fn enter_pulled(&self, candidate: Candidate, layers: Vec<(String, File)>) -> Result<Image, LoadError> {
        let _lock = self.lock()?;
        let open = |digest: &str| -> io::Result<Box<dyn Read + '_>> {
            let (_, file) = layers
                .iter()
                .find(|(known, _)| known == digest)
                .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
            let mut file = file;
            file.rewind()?;
            Ok(Box::new(file))
        };
        let image = self.unpack_image(candidate, Origin::Pull, &open)?;
        self.enter(image.clone())?;
        Ok(self.find(&image.id)?.unwrap_or(image))
    }

    /// The tag may have moved to an image that is here.
    async fn name_again(&self, mut known: Image, reference: &Reference) -> Result<Image, PullError> {
        let Some(name) = tagged_name(reference) else { return Ok(known) };
        if known.names.contains(&name) && known.origin == Origin::Pull {
            return Ok(known);
        }
        let store = self.clone();
        let entered = tokio::task::spawn_blocking(move || {
            known.origin = Origin::Pull;
            super::merge(&mut known.names, vec![name]);
            let _lock = store.lock()?;
            store.enter(known.clone())?;
            Ok(known)
        });
        match entered.await {
            Ok(result) => result.map_err(PullError::Store),
            Err(error) => Err(PullError::Transfer { image: reference.to_string(), reason: error.to_string() }),
        }
    }
}

fn tagged_name(reference: &Reference) -> Option<String> {
    reference.tag().map(|tag| format!("{}:{tag}", reference.name()))
}

/// One repository of a registry.
struct Registry {
    client: Client,
    reference: oci_client::Reference,
    credentials: RegistryAuth,
    image: String,
}

impl Registry {
    fn new(reference: &Reference, credentials: &RegistryCredentials, endpoint: &Endpoint) -> Result<Self, PullError> {
        // The first in the process decides; whoever came before us has chosen the same.
        drop(rustls::crypto::ring::default_provider().install_default());
        let image = reference.to_string();
        let authority = |pem: &Vec<u8>| Certificate { encoding: CertificateEncoding::Pem, data: pem.clone() };
        let config = ClientConfig {
            protocol: if endpoint.encrypted { ClientProtocol::Https } else { ClientProtocol::Http },
            extra_root_certificates: endpoint.trust.authorities.iter().map(authority).collect(),
            accept_invalid_certificates: endpoint.trust.anyone,
            connect_timeout: Some(CONNECT_TIMEOUT),
            read_timeout: Some(READ_TIMEOUT),
            user_agent: concat!("pintle/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        };
        let client = Client::try_from(config)
            .map_err(|error| PullError::Transfer { image: image.clone(), reason: stdx::error::chain(&error) })?;
        let (registry, repository) = (reference.registry().to_owned(), reference.repository().to_owned());
        let mut reference = match (reference.digest(), reference.tag()) {
            (Some(digest), _) => oci_client::Reference::with_digest(registry, repository, digest.to_owned()),
            (None, tag) => oci_client::Reference::with_tag(registry, repository, tag.unwrap_or("latest").to_owned()),
        };
        if let Some(host) = &endpoint.host {
            reference.set_mirror_registry(host.clone());
        }
        Ok(Registry { client, reference, credentials: credentials.for_client(endpoint), image })
    }

    /// The manifest for this machine, and its digest; an index is resolved first.
    async fn manifest(&self) -> Result<(Manifest, String), PullError> {
        let (first, digest) = self.fetch_manifest(&self.reference).await?;
        if first.config.is_some() || first.manifests.is_empty() {
            return Ok((first, digest));
        }
        let chosen = choose(&first.manifests)
            .map_err(|platforms| PullError::WrongPlatform { image: self.image.clone(), found: platforms.join(", ") })?;
        let reference = self.reference.clone_with_digest(chosen.digest.clone());
        let (manifest, _) = self.fetch_manifest(&reference).await?;
        // The index's digest is what a pod may name and what a second pull compares.
        Ok((manifest, digest))
    }

    async fn fetch_manifest(&self, reference: &oci_client::Reference) -> Result<(Manifest, String), PullError> {
        let fetch = self.client.pull_manifest_raw(reference, &self.credentials, &MANIFEST_TYPES);
        let (bytes, _) = fetch.await.map_err(|error| self.explain(&error))?;
        let digest = format!("sha256:{}", hex::encode(Sha256::digest(&bytes)));
        if reference.digest().is_some_and(|wanted| wanted != digest) {
            return Err(self.failed("the registry sent a manifest with another digest"));
        }
        let manifest = serde_json::from_slice(&bytes)
            .map_err(|error| self.failed(&format!("the registry's manifest is damaged: {error}")))?;
        Ok((manifest, digest))
    }

    async fn document(&self, digest: &str) -> Result<Vec<u8>, PullError> {
        let mut bytes = Vec::new();
        let mut stream = self.blob(digest, DOCUMENT_LIMIT_BYTES).await?;
        while let Some(piece) = stream.next().await {
            bytes.extend_from_slice(&piece.map_err(|error| self.broken(&error))?);
            if bytes.len() as u64 > DOCUMENT_LIMIT_BYTES {
                return Err(self.failed("the image's configuration is too large"));
            }
        }
        Ok(bytes)
    }

    /// Downloads a layer into a file without a name; oci-client checks the digest on the way.
    async fn layer(&self, store: &ImageStore, digest: String) -> Result<(String, File), PullError> {
        let file = tempfile_in(&store.work()).map_err(super::disk("write below", &store.work()))?;
        let mut file = tokio::fs::File::from_std(file);
        let mut stream = self.blob(&digest, LAYER_LIMIT_BYTES).await?;
        let mut total = 0;
        while let Some(piece) = stream.next().await {
            let piece = piece.map_err(|error| self.broken(&error))?;
            total += piece.len() as u64;
            if total > LAYER_LIMIT_BYTES {
                return Err(self.failed("a layer is too large"));
            }
            file.write_all(&piece).await.map_err(super::disk("write below", &store.work()))?;
        }
        file.flush().await.map_err(super::disk("write below", &store.work()))?;
        Ok((digest, file.into_std().await))
    }

    async fn blob(&self, digest: &str, limit: u64) -> Result<oci_client::client::SizedStream, PullError> {
        if !is_digest(digest) {
            return Err(self.failed(&format!("{digest:?} is not a digest")));
        }
        let descriptor = OciDescriptor { digest: digest.to_owned(), ..OciDescriptor::default() };
        let stream = self.client.pull_blob_stream(&self.reference, &descriptor).await;
        let stream = stream.map_err(|error| self.explain(&error))?;
        match stream.content_length {
            Some(length) if length > limit => Err(self.failed("a blob is too large")),
            _ => Ok(stream),
        }
    }

    fn failed(&self, reason: &str) -> PullError {
        PullError::Transfer { image: self.image.clone(), reason: reason.to_owned() }
    }

    fn broken(&self, error: &io::Error) -> PullError {
        self.failed(&one_line(error))
    }

    fn explain(&self, error: &OciDistributionError) -> PullError {
        let image = self.image.clone();
        let denied = |reason: String| PullError::Denied { image: image.clone(), reason };
        match error {
            OciDistributionError::ImageManifestNotFoundError(_) => PullError::NotFound { image },
            OciDistributionError::RegistryError { envelope, .. } => {
                let first = envelope.errors.first();
                match first.map(|error| &error.code) {
                    Some(OciErrorCode::ManifestUnknown | OciErrorCode::NameUnknown | OciErrorCode::NotFound) => {
                        PullError::NotFound { image }
                    }
                    Some(OciErrorCode::Unauthorized | OciErrorCode::Denied) => {
                        denied(first.map_or_else(String::new, |error| error.message.clone()))
                    }
                    _ => self.failed(&one_line(error)),
                }
            }
            OciDistributionError::ServerError { code: 404, .. } => PullError::NotFound { image },
            OciDistributionError::ServerError { code: 401 | 403, .. }
            | OciDistributionError::UnauthorizedError { .. } => denied("authorization failed".to_owned()),
            OciDistributionError::AuthenticationFailure(reason) => denied(reason.trim().to_owned()),
            error => self.failed(&one_line(error)),
        }
    }
}

/// The whole chain on one line, without what libraries repeat.
fn one_line(error: &(dyn std::error::Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string().replace(['\n', '\r'], " ");
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        next = error.source();
    }
    parts.join(": ")
}

/// Whether the registry is on this machine, where eavesdroppers are not.
pub(super) fn is_loopback(registry: &str) -> bool {
    let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
