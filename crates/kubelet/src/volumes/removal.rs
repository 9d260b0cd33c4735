//! Removes folders that pods had in their hands.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use nix::mount::{MntFlags, umount2};
use nix::unistd::{UnlinkatFlags, unlinkat};

/// How many mounts may lie on one another; more are somebody's who keeps adding.
const STACKED_MOUNTS: usize = 16;

/// Removes a folder and everything in it; nothing there is success. Mounts on the way are taken off, and nothing is
/// removed through one, lest a host's files go with a pod.
///
/// The kernel tells of each where it begins: to ask for the table of all mounts takes long on a node with many pods,
/// and it would be old as soon as it is read.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let name = CString::new(name.as_bytes())?;
    let parent = match File::open(parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        parent => parent?,
    };
    // The folders from the outermost to the one that is emptied now. A pod chooses how deep they lie.
    let mut open = Vec::new();
    open.extend(Folder::unless_removed(parent.as_fd(), &name)?);
    while let Some(folder) = open.last_mut() {
        let Some(name) = folder.entries.pop() else {
            let Some(emptied) = open.pop() else { break };
            let above = open.last().map_or(parent.as_fd(), |above| above.descriptor.as_fd());
            remove_empty(above, &emptied.name)?;
            continue;
        };
        let inner = Folder::unless_removed(folder.descriptor.as_fd(), &name)?;
        open.extend(inner);
    }
    Ok(())
}

/// Takes off what is mounted at `path`; nothing there is success.
pub(crate) fn unmount(path: &Path) -> io::Result<()> {
    for _ in 0..STACKED_MOUNTS {
        // What a container of another namespace still uses goes when it does.
        match umount2(path, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW) {
            Ok(()) => {}
            Err(Errno::EINVAL | Errno::ENOENT) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
    Err(io::ErrorKind::ResourceBusy.into())
}

/// A folder that is being emptied.
struct Folder {
    name: CString,
    descriptor: Dir,
    entries: Vec<CString>,
}

impl Folder {
    /// Removes what is no folder, and opens what is one.
    fn unless_removed(parent: BorrowedFd<'_>, name: &CStr) -> io::Result<Option<Folder>> {
        for _ in 0..STACKED_MOUNTS {
            match unlinkat(parent, name, UnlinkatFlags::NoRemoveDir) {
                Ok(()) | Err(Errno::ENOENT) => return Ok(None),
                // A file that something is mounted on.
                Err(Errno::EBUSY) => {
                    unmount(&place(parent, name))?;
                    continue;
                }
                Err(Errno::EISDIR) => {}
                Err(error) => return Err(error.into()),
            }
            match open_here(parent, name) {
                Ok(descriptor) => return Folder::read(name.to_owned(), descriptor).map(Some),
                Err(Errno::EXDEV) => unmount(&place(parent, name))?,
                Err(Errno::ENOENT) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    fn read(name: CString, descriptor: OwnedFd) -> io::Result<Folder> {
        let mut descriptor = Dir::from_fd(descriptor)?;
        let mut entries = Vec::new();
        for entry in descriptor.iter() {
            let entry = entry?;
            if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
                entries.push(entry.file_name().to_owned());
            }
        }
        Ok(Folder { name, descriptor, entries })
    }
}

/// Opens a folder, but none of another mount: also not of one that binds a folder of the same file system.
fn open_here(parent: BorrowedFd<'_>, name: &CStr) -> nix::Result<OwnedFd> {
    let how = OpenHow::new()
        .flags(OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_NO_XDEV);
    openat2(parent, name, how)
}

fn remove_empty(parent: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
    match unlinkat(parent, name, UnlinkatFlags::RemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The path by which a call that takes no descriptor finds an entry.
fn place(parent: BorrowedFd<'_>, name: &CStr) -> PathBuf {
    let name = std::ffi::OsStr::from_bytes(name.to_bytes());
    PathBuf::from(format!("/proc/self/fd/{}", parent.as_raw_fd())).join(name)
}
