//! Device nodes of the host, as an OCI specification names them.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;

use cri::Device;
use nix::sys::stat::{major, minor};
use serde_json::{Value, json};

/// What a container gets from the runtime anyway, or must not get from the host.
const SKIPPED: [&str; 8] = ["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", "console", ".udev"];

/// A device that a container asks for.
pub(super) fn look_up(device: &Device) -> io::Result<Value> {
    let host_path = Path::new(&device.host_path).canonicalize()?;
    let container_path = if device.container_path.is_empty() { &device.host_path } else { &device.container_path };
    let mut found = describe(&host_path, container_path)?
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, format!("{} is not a device", device.host_path)))?;
    found["access"] = json!(if device.permissions.is_empty() { "rwm" } else { &device.permissions });
    Ok(found)
}

/// Every device of the host, for privileged containers.
pub(super) fn all() -> io::Result<Vec<Value>> {
    let mut found = Vec::new();
    collect(Path::new("/dev"), &mut found)?;
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<Value>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        if name.to_str().is_none_or(|name| SKIPPED.contains(&name)) {
            continue;
        }
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            // Devices come and go.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if kind.is_dir() {
            collect(&path, found)?;
        } else if kind.is_char_device() || kind.is_block_device() {
            found.extend(describe(&path, &path.to_string_lossy())?);
        }
    }
    Ok(())
}

fn describe(path: &Path, container_path: &str) -> io::Result<Option<Value>> {
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        metadata => metadata?,
    };
    let kind = match metadata.file_type() {
        kind if kind.is_char_device() => "c",
        kind if kind.is_block_device() => "b",
        _ => return Ok(None),
    };
    Ok(Some(json!({
        "path": container_path, "type": kind, "major": major(metadata.rdev()), "minor": minor(metadata.rdev()),
        "fileMode": metadata.permissions().mode() & 0o777, "uid": metadata.uid(), "gid": metadata.gid(),
    })))
}
