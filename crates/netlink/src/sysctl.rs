//! Kernel settings under `/proc/sys`.

use std::path::{Path, PathBuf};

use crate::Error;

/// Sets e.g. `net/ipv4/ip_forward`; writes only where the value differs, so that a read-only
/// `/proc/sys` with the right value is no obstacle. Settings under `net` are those of the calling
/// thread's network namespace.
pub fn set(key: &str, value: &str) -> Result<(), Error> {
    let path = path(key);
    if std::fs::read_to_string(&path).is_ok_and(|present| present.trim() == value) {
        return Ok(());
    }
    std::fs::write(&path, value).map_err(|source| Error::Sysctl { path, source })
}

fn path(key: &str) -> PathBuf {
    Path::new("/proc/sys").join(key)
}
