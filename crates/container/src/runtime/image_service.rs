//! CRI's image service, over the image store.

use std::collections::HashMap;

use async_trait::async_trait;
use cri::{
    Code, FilesystemIdentifier, FilesystemUsage, Image, ImageFsInfoRequest, ImageFsInfoResponse, ImageService,
    ImageSpec, ImageStatusRequest, ImageStatusResponse, Int64Value, ListImagesRequest, ListImagesResponse,
    PullImageRequest, PullImageResponse, RemoveImageRequest, RemoveImageResponse, Status, UInt64Value,
};

use super::{Runtime, internal, internal_chain};
use crate::images::{self, Origin, PullError, RegistryCredentials, StoreError};

/// Tells the kubelet whether an image was pulled or loaded by hand.
const ORIGIN_ANNOTATION: &str = "pintle.dev/origin";

#[async_trait]
impl ImageService for Runtime {
    async fn list_images(&self, request: ListImagesRequest) -> cri::Result<ListImagesResponse> {
        let wanted = request.filter.and_then(|filter| filter.image).map(|image| image.image).unwrap_or_default();
        let found = match wanted.as_str() {
            "" => self.images.list().map_err(|error| status(&error))?,
            name => self.images.find(name).map_err(|error| status(&error))?.into_iter().collect(),
        };
        let images = found.iter().map(|image| self.show(image)).collect::<cri::Result<_>>()?;
        Ok(ListImagesResponse { images })
    }

    async fn image_status(&self, request: ImageStatusRequest) -> cri::Result<ImageStatusResponse> {
        let name = request.image.unwrap_or_default().image;
        let found = self.images.find(&name).map_err(|error| status(&error))?;
        let image = found.map(|image| self.show(&image)).transpose()?;
        Ok(ImageStatusResponse { image, info: HashMap::new() })
    }

    async fn pull_image(&self, request: PullImageRequest) -> cri::Result<PullImageResponse> {
        let name = request.image.unwrap_or_default().image;
        let credentials = request.auth.as_ref().map(RegistryCredentials::from_cri).unwrap_or_default();
        match self.images.pull(&name, &credentials).await {
            Ok(image) => Ok(PullImageResponse { image_ref: image.digests.first().unwrap_or(&image.id).clone() }),
            Err(error) => {
                let code = match &error {
                    PullError::Name(_) => Code::InvalidArgument,
                    PullError::NotFound { .. } | PullError::WrongPlatform { .. } => Code::NotFound,
                    PullError::Denied { .. } => Code::PermissionDenied,
                    PullError::Transfer { .. } => Code::Unavailable,
                    PullError::Hosts(_) | PullError::Unpack(_) | PullError::Store(_) => Code::Unknown,
                };
                Err(Status::new(code, stdx::error::chain(&error)))
            }
        }
    }

    async fn remove_image(&self, request: RemoveImageRequest) -> cri::Result<RemoveImageResponse> {
        let name = request.image.unwrap_or_default().image;
        let images = self.images.clone();
        super::blocking(move || images.remove(&name).map_err(|error| status(&error))).await?;
        Ok(RemoveImageResponse {})
    }

    async fn image_fs_info(&self, _: ImageFsInfoRequest) -> cri::Result<ImageFsInfoResponse> {
        let folder = self.images.folder();
        let found = nix::sys::statvfs::statvfs(folder).map_err(|error| internal("look at the disk")(error.into()))?;
        let blocks = found.blocks().saturating_sub(found.blocks_free());
        let usage = FilesystemUsage {
            timestamp: self.now_nanoseconds(),
            fs_id: Some(FilesystemIdentifier { mountpoint: folder.display().to_string() }),
            used_bytes: Some(UInt64Value { value: blocks * found.fragment_size() }),
            inodes_used: Some(UInt64Value { value: found.files().saturating_sub(found.files_free()) }),
        };
        Ok(ImageFsInfoResponse { image_filesystems: vec![usage.clone()], container_filesystems: vec![usage] })
    }
}

impl Runtime {
    fn show(&self, image: &images::Image) -> cri::Result<Image> {
        let config = self.images.config(image).map_err(|error| internal_chain(&error))?;
        let user = config.user.split(':').next().unwrap_or_default();
        let uid = if user.is_empty() { Some(0) } else { user.parse().ok() };
        let origin = match image.origin {
            Origin::Load => "load",
            Origin::Pull => "pull",
        };
        Ok(Image {
            id: image.id.clone(),
            repo_tags: image.names.clone(),
            repo_digests: image.digests.clone(),
            size: image.size_bytes,
            uid: uid.map(|value| Int64Value { value }),
            username: if uid.is_none() { user.to_owned() } else { String::new() },
            spec: Some(ImageSpec {
                annotations: HashMap::from([(ORIGIN_ANNOTATION.to_owned(), origin.to_owned())]),
                ..ImageSpec::default()
            }),
            pinned: false,
        })
    }
}

fn status(error: &StoreError) -> Status {
    let code = match error {
        StoreError::Reference(_) => Code::InvalidArgument,
        StoreError::NotFound(_) => Code::NotFound,
        StoreError::Disk { .. } | StoreError::Damaged { .. } => Code::Internal,
    };
    Status::new(code, stdx::error::chain(error))
}
