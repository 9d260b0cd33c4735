//! The kernel's mounts, behind a trait so that all else is tested without root.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::config::huge_pages::PageSize;

pub(crate) trait Mounter: Send + Sync {
    fn is_mount_point(&self, path: &Path) -> io::Result<bool>;
    /// Whether what [`Self::mount_tmpfs`] and [`Self::mount_huge_pages`] do is done. It asks about this place alone;
    /// the table of all mounts is long on a node with many pods.
    fn is_file_system(&self, path: &Path) -> io::Result<bool>;
    /// `size_bytes` of zero means the kernel's default: half of the memory.
    fn mount_tmpfs(&self, path: &Path, size_bytes: u64) -> io::Result<()>;
    fn mount_huge_pages(&self, path: &Path, page_size: PageSize) -> io::Result<()>;
    /// Binds what is open, not what a path names by now.
    fn bind_open_file(&self, source: &File, target: &Path) -> io::Result<()>;
    /// Takes off every mount at or below `path`, the deepest first.
    fn unmount_below(&self, path: &Path) -> io::Result<()>;
}

#[derive(Debug)]
pub(crate) struct KernelMounter;

impl Mounter for KernelMounter {
    fn is_mount_point(&self, path: &Path) -> io::Result<bool> {
        Ok(mount_points()?.iter().any(|point| point == path))
    }

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

    fn unmount_below(&self, path: &Path) -> io::Result<()> {
        let mut below: Vec<PathBuf> = mount_points()?.into_iter().filter(|point| point.starts_with(path)).collect();
        below.sort_by_key(|point| std::cmp::Reverse(point.components().count()));
        for point in below {
            // What a container of another namespace still uses goes when it does.
            umount2(&point, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW).map_err(io::Error::from)?;
        }
        Ok(())
    }
}

fn mount_points() -> io::Result<Vec<PathBuf>> {
    Ok(parse(&std::fs::read_to_string("/proc/self/mountinfo")?))
}

/// The fifth field of each line, with the kernel's octal escapes undone.
fn parse(mountinfo: &str) -> Vec<PathBuf> {
    mountinfo.lines().filter_map(|line| line.split(' ').nth(4)).map(|field| PathBuf::from(unescape(field))).collect()
}

fn unescape(field: &str) -> String {
    let mut text = Vec::with_capacity(field.len());
    let mut bytes = field.as_bytes();
    while let Some((&byte, rest)) = bytes.split_first() {
        let octal = rest.get(..3).filter(|_| byte == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(decoded) => {
                text.push(decoded);
                bytes = &rest[3..];
            }
            None => {
                text.push(byte);
                bytes = rest;
            }
        }
    }
    String::from_utf8_lossy(&text).into_owned()
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

    #[test]
    fn mount_points_with_spaces_are_read() {
        let text =
            "36 35 98:0 / /mnt\\040two rw,noatime master:1 - ext3 /dev/root rw\n37 36 0:5 / / rw - proc proc rw\n";
        assert_eq!(parse(text), [PathBuf::from("/mnt two"), PathBuf::from("/")]);
    }
}
