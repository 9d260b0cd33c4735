//! hostPath: a place on the node.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use api::k8s::api::core::v1::Volume;
use async_trait::async_trait;

use super::{Plugin, Ready, SetUp, VolumeError};

pub(crate) struct HostPath;

#[async_trait]
impl Plugin for HostPath {
    fn folder(&self) -> &'static str {
        "kubernetes.io~host-path"
    }

    fn serves(&self, volume: &Volume) -> bool {
        volume.host_path.is_some()
    }

    async fn set_up(&self, request: &SetUp<'_>) -> Result<Ready, VolumeError> {
        let source = request.volume.host_path.as_ref().ok_or(VolumeError::NoPlugin)?;
        let path = PathBuf::from(&source.path);
        check(&path, source.type_.as_deref().unwrap_or(""))?;
        Ok(Ready::at(path))
    }
}

/// Makes what the type says may be made, and refuses what is of another type.
pub(super) fn check(path: &Path, wanted: &str) -> Result<(), VolumeError> {
    let failed = |step| VolumeError::file(step, path);
    if wanted == "DirectoryOrCreate" && !path.exists() {
        fs::DirBuilder::new().recursive(true).mode(0o755).create(path).map_err(failed("make"))?;
    }
    if wanted == "FileOrCreate" && !path.exists() {
        fs::OpenOptions::new().create_new(true).write(true).mode(0o644).open(path).map_err(failed("make"))?;
    }
    let kind = fs::metadata(path).map(|metadata| metadata.file_type());
    let is = |test: fn(&fs::FileType) -> bool| kind.as_ref().is_ok_and(test);
    let (fits, expected) = match wanted {
        "Directory" | "DirectoryOrCreate" => (is(fs::FileType::is_dir), "a directory"),
        "File" | "FileOrCreate" => (is(fs::FileType::is_file), "a file"),
        "Socket" => (is(FileTypeExt::is_socket), "a socket file"),
        "CharDevice" => (is(FileTypeExt::is_char_device), "a character device"),
        "BlockDevice" => (is(FileTypeExt::is_block_device), "a block device"),
        // Without a type, what is missing becomes a folder when the container is made.
        _ if path.exists() => return Ok(()),
        _ => return fs::create_dir_all(path).map_err(failed("make")),
    };
    if fits { Ok(()) } else { Err(VolumeError::HostPathType { path: path.display().to_string(), expected }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_checked_and_made() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let text = |result: Result<(), VolumeError>| result.map_err(|error| error.to_string());
        assert_eq!(
            text(check(&file, "File")),
            Err(format!("hostPath type check failed: {} is not a file", file.display()))
        );
        check(&file, "FileOrCreate").unwrap();
        check(&file, "File").unwrap();
        assert!(check(&file, "Directory").is_err() && check(&file, "Socket").is_err());
        check(&folder.path().join("a/b"), "DirectoryOrCreate").unwrap();
        check(Path::new("/dev/null"), "CharDevice").unwrap();
        check(&file, "").unwrap();
    }
}
