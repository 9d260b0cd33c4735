//! Mounts made ahead for one container, where its setup finds them: images as volumes, and for a pod with
//! users of its own every source, as its root may not look into the node's folders.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use libcontainer::syscall::SyscallError;
use libcontainer::syscall::linux::{
    AT_EMPTY_PATH, AT_RECURSIVE, MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH, MountAttr,
};
use libcontainer::syscall::syscall::create_syscall;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};

use super::mounts;

const OPEN_TREE_CLONE: u32 = 1;
const OPEN_TREE_CLOEXEC: u32 = libc::O_CLOEXEC as u32;
const MOUNT_ATTR_IDMAP: u64 = 0x0010_0000;
/// Others may pass through, and see nothing.
const PASSAGE_MODE: u32 = 0o711;

/// The folder of one container's staged mounts.
#[derive(Debug)]
pub(super) struct Staging {
    folder: PathBuf,
    next: usize,
}

impl Staging {
    /// Nothing is made before something is staged.
    pub(super) fn at(folder: PathBuf) -> Self {
        Staging { folder, next: 0 }
    }

    /// A copy of the mounts at `source`; with `users` its owners appear as that user namespace maps them.
    pub(super) fn copy(&mut self, source: &Path, users: Option<BorrowedFd<'_>>) -> io::Result<PathBuf> {
        let name = self.next_name();
        self.copy_as(&name, source, users)
    }

    /// The files of an image, or a folder of it, read only.
    pub(super) fn image(&mut self, layers: &[PathBuf], inner: &str) -> io::Result<PathBuf> {
        let (name, empty) = (self.next_name(), self.folder.join("empty"));
        let target = self.folder.join(name);
        self.make_folder(&target)?;
        self.make_folder(&empty)?;
        mounts::mount_read_only(layers, &empty, &target)?;
        if inner.is_empty() {
            return Ok(target);
        }
        // The mount cannot be written, so what the path leads to does not change any more.
        let how = OpenHow::new()
            .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS);
        let found = File::from(openat2(File::open(&target)?, inner.trim_start_matches('/'), how)?);
        if !found.metadata()?.is_dir() {
            let text = format!("only directory subpath is supported, subpath: {inner:?}, mountpoint: {target:?}");
            return Err(io::Error::new(io::ErrorKind::NotADirectory, text));
        }
        fs::read_link(format!("/proc/self/fd/{}", found.as_raw_fd()))
    }

    /// The layers below `store` as the pod's users may have them; gone again when the guard is.
    pub(super) fn layers(&mut self, store: &Path, users: BorrowedFd<'_>) -> io::Result<MappedLayers> {
        let place = self.copy_as("layers", store, Some(users))?;
        Ok(MappedLayers { store: store.to_owned(), place })
    }

    fn next_name(&mut self) -> String {
        self.next += 1;
        self.next.to_string()
    }

    fn copy_as(&self, name: &str, source: &Path, users: Option<BorrowedFd<'_>>) -> io::Result<PathBuf> {
        let target = self.folder.join(name);
        match fs::metadata(source)?.is_dir() {
            true => self.make_folder(&target)?,
            false => {
                self.make_folder(&self.folder)?;
                File::options().create(true).append(true).mode(0o600).open(&target)?;
            }
        }
        copy_mounts(source, &target, users)?;
        Ok(target)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        for folder in [self.folder.as_path(), path] {
            match DirBuilder::new().mode(PASSAGE_MODE).create(folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Layers under the owners that a pod's user namespace gives them.
pub(super) struct MappedLayers {
    store: PathBuf,
    place: PathBuf,
}

impl MappedLayers {
    /// Where the layer that lies at `path` in the store appears.
    pub(super) fn find(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.store).map_or_else(|_| path.to_owned(), |inner| self.place.join(inner))
    }

    /// Overlays have their own hold on the layers once they are mounted.
    pub(super) fn release(self) -> io::Result<()> {
        mounts::remove_mount_point(&self.place)
    }
}

/// Lets the root of a pod with users of its own pass through the runtime's folders; it sees nothing on the way.
pub(super) fn open_passages(folders: &[PathBuf]) -> io::Result<()> {
    for folder in folders {
        let mode = fs::metadata(folder)?.permissions().mode() & 0o777;
        if mode & 0o011 != 0o011 {
            fs::set_permissions(folder, fs::Permissions::from_mode(mode | PASSAGE_MODE))?;
        }
    }
    Ok(())
}

/// Takes everything staged for a container away; nothing there is success.
pub(crate) fn remove(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        mounts::unmount(&path)?;
        // Never what lies below a mount that stayed: a folder must be empty to go.
        if path.is_dir() { fs::remove_dir(&path)? } else { fs::remove_file(&path)? }
    }
    fs::remove_dir(folder)
}

/// Only the topmost mount is mapped, as runc's `idmap` does; those inside it stay as they are.
fn copy_mounts(source: &Path, target: &Path, users: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let kernel = create_syscall();
    let name = |path: &Path| {
        path.to_str().map(str::to_owned).ok_or_else(|| io::Error::other(format!("{path:?} is not valid UTF-8")))
    };
    let tree = kernel
        .open_tree(libc::AT_FDCWD, Some(&name(source)?), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE)
        .map_err(reason)?;
    if let Some(users) = users {
        let mapped = MountAttr {
            attr_set: MOUNT_ATTR_IDMAP,
            attr_clr: 0,
            propagation: 0,
            userns_fd: u64::try_from(users.as_raw_fd()).map_err(io::Error::other)?,
        };
        kernel
            .mount_setattr(tree.as_fd(), Path::new(""), AT_EMPTY_PATH, &mapped, size_of::<MountAttr>())
            .map_err(|error| io::Error::other(format!("cannot map the owners of {source:?}: {}", reason(error))))?;
    }
    let place = File::options().read(true).custom_flags(libc::O_PATH | libc::O_NOFOLLOW).open(target)?;
    let flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
    kernel.move_mount(tree.as_fd(), None, place.as_fd(), None, flags).map_err(reason)
}

fn reason(error: SyscallError) -> io::Error {
    match error {
        SyscallError::Nix(errno) => errno.into(),
        SyscallError::IO(error) => error,
        error => io::Error::other(error.to_string()),
    }
}
