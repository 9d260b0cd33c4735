//! The kernel's mounts, behind a trait so that all else is tested without root.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};

use super::removal;
use crate::config::huge_pages::PageSize;

pub(crate) trait Mounter: Send + Sync {
    /// Whether what [`Self::mount_tmpfs`] and [`Self::mount_huge_pages`] do is done. It asks about this place alone;
    /// the table of all mounts is long on a node with many pods.
    fn is_file_system(&self, path: &Path) -> io::Result<bool>;
    /// `size_bytes` of zero means the kernel's default: half of the memory.
    fn mount_tmpfs(&self, path: &Path, size_bytes: u64) -> io::Result<()>;
    fn mount_huge_pages(&self, path: &Path, page_size: PageSize) -> io::Result<()>;
    /// Binds what is open, not what a path names by now.
    fn bind_open_file(&self, source: &File, target: &Path) -> io::Result<()>;
    /// Takes off what is mounted at `path`; nothing there is success.
    fn unmount(&self, path: &Path) -> io::Result<()>;
}

#[derive(Debug)]
pub(crate) struct KernelMounter;

impl Mounter for KernelMounter {
    fn is_file_system(&self, path: &Path) -> io::Result<bool> {
        let device = |path: &Path| path.symlink_metadata().map(|found| found.dev());
        path.parent().map_or(Ok(true), |parent| Ok(device(path)? != device(parent)?))
    }

    fn mount_tmpfs(&self, path: &Path, size_bytes: u64) -> io::Result<()> {
        let options = if size_bytes == 0 { "mode=0777".to_owned() } else { format!("mode=0777,size={size_bytes}") };
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        mount(Some("tmpfs"), path, Some("tmpfs"), flags, Some(options.as_str())).map_err(io::Error::from)
    }

    fn mount_huge_pages(&self, path: &Path, page_size: PageSize) -> io::Result<()> {
        let options = format!("pagesize={}", page_size.0);
        mount(Some("nodev"), path, Some("hugetlbfs"), MsFlags::empty(), Some(options.as_str())).map_err(io::Error::from)
    }

    fn bind_open_file(&self, source: &File, target: &Path) -> io::Result<()> {
        let opened = PathBuf::from(format!("/proc/self/fd/{}", source.as_raw_fd()));
        mount(Some(&opened), target, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)
            .map_err(io::Error::from)
    }

    fn unmount(&self, path: &Path) -> io::Result<()> {
        removal::unmount(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_are_told_apart_by_their_devices() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!KernelMounter.is_file_system(folder.path()).unwrap());
        for place in ["/proc", "/"] {
            assert!(KernelMounter.is_file_system(Path::new(place)).unwrap(), "{place}");
        }
        let missing = KernelMounter.is_file_system(&folder.path().join("missing")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
