//! Unpacks a layer into a folder that overlayfs can use, trusting nothing in it.
//!
//! Every entry is created relative to a descriptor of its parent, which the kernel resolves with
//! the layer as root (`openat2`, RESOLVE_IN_ROOT): neither `..`, nor an absolute name, nor a
//! symbolic link leads outside. Device nodes are left out; the OCI's deletion marks become
//! overlayfs' own.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, OpenHow, ResolveFlag, open, openat, openat2};
use nix::sys::stat::{
    FchmodatFlags, Mode, SFlag, UtimensatFlags, fchmod, fchmodat, makedev, mkdirat, mknodat, utimensat,
};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, LinkatFlags, Uid, UnlinkatFlags, fchown, fchownat, linkat, symlinkat, unlinkat};
use tar::{Archive, Entry, EntryType};

/// What a layer may hold at most. Images in use stay far below; a bomb does not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) bytes: u64,
    pub(crate) entries: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { bytes: 64 << 30, entries: 4_000_000 }
    }
}

const PATH_LIMIT_BYTES: usize = 4096;
const DELETED_PREFIX: &[u8] = b".wh.";
const OPAQUE_NAME: &[u8] = b".wh..wh..opq";
const OPAQUE_ATTRIBUTE: &str = "trusted.overlay.opaque";
/// Attributes a layer may set; `trusted.*` would speak to overlayfs itself.
const ATTRIBUTES: [&str; 2] = ["user.", "security.capability"];

#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    #[error("the layer is damaged")]
    Damaged(#[source] io::Error),
    #[error("the layer's entry {entry:?} leads outside of the image")]
    Escape { entry: String },
    #[error("the layer's entry {entry:?} has an invalid name")]
    InvalidName { entry: String },
    #[error("the layer holds more than {limit} {what}")]
    TooLarge { limit: u64, what: &'static str },
    #[error("cannot unpack {entry:?}")]
    Write {
        entry: String,
        #[source]
        source: io::Error,
    },
}

/// Unpacks an uncompressed tar stream into `folder`, which must be empty. Answers the bytes of the
/// files written.
pub(crate) fn unpack(stream: impl Read, folder: &Path, limits: Limits) -> Result<u64, UnpackError> {
    let root = open(folder, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
        .map_err(|error| UnpackError::Write { entry: folder.display().to_string(), source: error.into() })?;
    let mut layer = Layer { root, limits, bytes: 0, folder_times: Vec::new() };
    let mut archive = Archive::new(stream);
    for (count, entry) in archive.entries().map_err(UnpackError::Damaged)?.enumerate() {
        if count as u64 >= limits.entries {
            return Err(UnpackError::TooLarge { limit: limits.entries, what: "entries" });
        }
        layer.add(entry.map_err(UnpackError::Damaged)?)?;
    }
    layer.finish()
}

struct Layer {
    root: OwnedFd,
    limits: Limits,
    bytes: u64,
    /// Set last: what is made inside a folder changes its time.
    folder_times: Vec<(PathBuf, i64)>,
}

/// What an entry says of itself, beside its contents.
struct Attributes {
    uid: u32,
    gid: u32,
    mode: Mode,
    time: i64,
    extended: Vec<(String, Vec<u8>)>,
}

impl Layer {
    fn add<R: Read>(&mut self, mut entry: Entry<'_, R>) -> Result<(), UnpackError> {
        let kind = entry.header().entry_type();
        if matches!(kind, EntryType::XGlobalHeader | EntryType::XHeader) {
            return Ok(());
        }
        let path = inner_path(&entry.path_bytes())?;
        let shown = path.display().to_string();
        let failed = |source: io::Error| UnpackError::Write { entry: shown.clone(), source };
        let attributes = Attributes::of(&mut entry)?;
        let Some(name) = path.file_name() else {
            // The root folder itself.
            return self.set_folder(&path, &attributes).map_err(failed);
        };
        let parent = self.folder(path.parent().unwrap_or(Path::new(""))).map_err(failed)?;
        if name.as_bytes() == OPAQUE_NAME {
            return set_attribute(&parent, OPAQUE_ATTRIBUTE, b"y").map_err(failed);
        }
        if let Some(deleted) = name.as_bytes().strip_prefix(DELETED_PREFIX) {
            let deleted = OsStr::from_bytes(deleted);
            if deleted.is_empty() || deleted == ".." || deleted == "." {
                return Err(UnpackError::InvalidName { entry: shown });
            }
            clear(&parent, deleted).map_err(failed)?;
            return mknodat(&parent, deleted, SFlag::S_IFCHR, Mode::empty(), makedev(0, 0))
                .map_err(|error| failed(error.into()));
        }
        match kind {
            EntryType::Directory => self.set_folder(&path, &attributes).map_err(failed),
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                self.write_file(&parent, name, &mut entry, &attributes, &shown)
            }
            EntryType::Symlink => {
                let target = link_target(&entry, &shown)?;
                clear(&parent, name).map_err(failed)?;
                symlinkat(target.as_path(), &parent, name).map_err(|error| failed(error.into()))?;
                own_without_following(&parent, name, &attributes).map_err(failed)
            }
            EntryType::Link => {
                let target = inner_path(link_target(&entry, &shown)?.as_os_str().as_bytes())?;
                self.hard_link(&parent, name, &target).map_err(failed)
            }
            EntryType::Fifo => {
                clear(&parent, name).map_err(failed)?;
                mknodat(&parent, name, SFlag::S_IFIFO, attributes.mode, 0).map_err(|error| failed(error.into()))?;
                own_without_following(&parent, name, &attributes).map_err(failed)?;
                fchmodat(&parent, name, attributes.mode, FchmodatFlags::FollowSymlink)
                    .map_err(|error| failed(error.into()))
            }
            // A container gets its devices from the runtime; an image has no say in them.
            EntryType::Char | EntryType::Block => Ok(()),
            _ => Err(UnpackError::InvalidName { entry: shown }),
        }
    }

    fn write_file<R: Read>(
        &mut self,
        parent: &OwnedFd,
        name: &OsStr,
        entry: &mut Entry<'_, R>,
        attributes: &Attributes,
        shown: &str,
    ) -> Result<(), UnpackError> {
        let failed = |source: io::Error| UnpackError::Write { entry: shown.to_owned(), source };
        let room = self.limits.bytes - self.bytes;
        if entry.size() > room {
            return Err(UnpackError::TooLarge { limit: self.limits.bytes, what: "bytes" });
        }
        clear(parent, name).map_err(failed)?;
        let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let file = openat(parent, name, flags, Mode::S_IRUSR | Mode::S_IWUSR).map_err(|error| failed(error.into()))?;
        let mut file = File::from(file);
        let size = entry.size();
        let written = io::copy(&mut entry.take(size), &mut file).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                UnpackError::Damaged(error)
            }
            _ => failed(error),
        })?;
        if written < size {
            return Err(UnpackError::Damaged(io::ErrorKind::UnexpectedEof.into()));
        }
        self.bytes += written;
        attributes.apply(&file).map_err(failed)
    }

    /// Makes the folder if need be; what was there under its name before gives way.
    fn set_folder(&mut self, path: &Path, attributes: &Attributes) -> io::Result<()> {
        if let Some(name) = path.file_name() {
            let parent = self.folder(path.parent().unwrap_or(Path::new("")))?;
            match mkdirat(&parent, name, Mode::S_IRWXU) {
                Ok(()) => {}
                Err(Errno::EEXIST) if is_folder(&parent, name)? => {}
                Err(Errno::EEXIST) => {
                    clear(&parent, name)?;
                    mkdirat(&parent, name, Mode::S_IRWXU)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        let how = OpenHow::new().flags(OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC).resolve(IN_ROOT);
        let folder = openat2(&self.root, in_root(path), how)?;
        attributes.apply(&folder)?;
        self.folder_times.push((path.to_owned(), attributes.time));
        Ok(())
    }

    fn hard_link(&self, parent: &OwnedFd, name: &OsStr, target: &Path) -> io::Result<()> {
        let Some(target_name) = target.file_name() else { return Err(io::ErrorKind::InvalidInput.into()) };
        let target_parent = self.resolve(target.parent().unwrap_or(Path::new("")))?;
        clear(parent, name)?;
        linkat(&target_parent, target_name, parent, name, LinkatFlags::empty())?;
        Ok(())
    }

    /// Opens a folder inside the layer, making those that are missing: archives may leave them out.
    fn folder(&self, path: &Path) -> io::Result<OwnedFd> {
        match self.resolve(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            result => return result,
        }
        let Some(name) = path.file_name() else { return Err(io::ErrorKind::NotFound.into()) };
        let parent = self.folder(path.parent().unwrap_or(Path::new("")))?;
        match mkdirat(&parent, name, Mode::from_bits_truncate(0o755)) {
            Ok(()) | Err(Errno::EEXIST) => self.resolve(path),
            Err(error) => Err(error.into()),
        }
    }

    fn resolve(&self, path: &Path) -> io::Result<OwnedFd> {
        let how = OpenHow::new().flags(OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC).resolve(IN_ROOT);
        Ok(openat2(&self.root, in_root(path), how)?)
    }

    fn finish(self) -> Result<u64, UnpackError> {
        for (path, time) in self.folder_times.iter().rev() {
            let set = match self.resolve(path) {
                Ok(folder) => set_times(&folder, *time),
                // A later entry replaced the folder by something else.
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(()),
                Err(error) => Err(error),
            };
            set.map_err(|source| UnpackError::Write { entry: path.display().to_string(), source })?;
        }
        Ok(self.bytes)
    }
}

const IN_ROOT: ResolveFlag = ResolveFlag::RESOLVE_IN_ROOT.union(ResolveFlag::RESOLVE_NO_MAGICLINKS);

fn in_root(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

impl Attributes {
    fn of<R: Read>(entry: &mut Entry<'_, R>) -> Result<Self, UnpackError> {
        let mut extended = Vec::new();
        if let Some(extensions) = entry.pax_extensions().map_err(UnpackError::Damaged)? {
            for extension in extensions {
                let extension = extension.map_err(UnpackError::Damaged)?;
                let Ok(key) = extension.key() else { continue };
                let name = key.strip_prefix("SCHILY.xattr.");
                if let Some(name) = name.filter(|name| ATTRIBUTES.iter().any(|allowed| name.starts_with(allowed))) {
                    extended.push((name.to_owned(), extension.value_bytes().to_vec()));
                }
            }
        }
        let header = entry.header();
        let fields = header.as_old();
        // Some writers leave a field empty; readers agree that it means zero.
        let number = |field: &[u8], value: io::Result<u64>| match value {
            Err(_) if field.iter().all(|byte| matches!(byte, 0 | b' ')) => Ok(0),
            value => value.map_err(UnpackError::Damaged),
        };
        let id = |field: &[u8], value: io::Result<u64>| {
            u32::try_from(number(field, value)?).map_err(|_| UnpackError::Damaged(io::ErrorKind::InvalidData.into()))
        };
        Ok(Attributes {
            uid: id(&fields.uid, header.uid())?,
            gid: id(&fields.gid, header.gid())?,
            mode: Mode::from_bits_truncate(header.mode().map_err(UnpackError::Damaged)?),
            time: i64::try_from(number(&fields.mtime, header.mtime())?).unwrap_or(i64::MAX),
            extended,
        })
    }

    /// Owner before mode: a change of owner clears the set-id bits.
    fn apply(&self, descriptor: &impl AsFd) -> io::Result<()> {
        let descriptor = descriptor.as_fd();
        fchown(descriptor, Some(Uid::from_raw(self.uid)), Some(Gid::from_raw(self.gid)))?;
        fchmod(descriptor, self.mode)?;
        for (name, value) in &self.extended {
            set_attribute(&descriptor, name, value)?;
        }
        set_times(&descriptor, self.time)
    }
}

/// The entry's path inside the layer: relative, without `.`; `..` is refused.
fn inner_path(bytes: &[u8]) -> Result<PathBuf, UnpackError> {
    let shown = || String::from_utf8_lossy(bytes).into_owned();
    if bytes.contains(&0) || bytes.len() > PATH_LIMIT_BYTES {
        return Err(UnpackError::InvalidName { entry: shown() });
    }
    let mut path = PathBuf::new();
    for component in Path::new(OsStr::from_bytes(bytes)).components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::CurDir | Component::RootDir => {}
            Component::ParentDir | Component::Prefix(_) => return Err(UnpackError::Escape { entry: shown() }),
        }
    }
    Ok(path)
}

fn link_target<R: Read>(entry: &Entry<'_, R>, shown: &str) -> Result<PathBuf, UnpackError> {
    let bytes = entry.link_name_bytes().ok_or_else(|| UnpackError::InvalidName { entry: shown.to_owned() })?;
    if bytes.is_empty() || bytes.contains(&0) || bytes.len() > PATH_LIMIT_BYTES {
        return Err(UnpackError::InvalidName { entry: shown.to_owned() });
    }
    Ok(PathBuf::from(OsStr::from_bytes(&bytes)))
}

fn is_folder(parent: &OwnedFd, name: &OsStr) -> io::Result<bool> {
    let found = nix::sys::stat::fstatat(parent, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
    Ok(SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT == SFlag::S_IFDIR)
}

/// Removes what an earlier entry of the same layer made under this name.
fn clear(parent: &OwnedFd, name: &OsStr) -> io::Result<()> {
    match unlinkat(parent, name, UnlinkatFlags::NoRemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => Ok(()),
        Err(Errno::EISDIR | Errno::EPERM) => {
            // The descriptor pins the parent, so the path cannot be redirected meanwhile.
            std::fs::remove_dir_all(Path::new("/proc/self/fd").join(parent.as_raw_fd().to_string()).join(name))
        }
        Err(error) => Err(error.into()),
    }
}

fn own_without_following(parent: &OwnedFd, name: &OsStr, attributes: &Attributes) -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(attributes.uid), Gid::from_raw(attributes.gid));
    fchownat(parent, name, Some(uid), Some(gid), AtFlags::AT_SYMLINK_NOFOLLOW)?;
    let time = TimeSpec::new(attributes.time, 0);
    utimensat(parent, name, &time, &time, UtimensatFlags::NoFollowSymlink)?;
    Ok(())
}

fn set_times(descriptor: &impl AsFd, seconds: i64) -> io::Result<()> {
    let time = TimeSpec::new(seconds, 0);
    Ok(nix::sys::stat::futimens(descriptor, &time, &time)?)
}

#[expect(unsafe_code, reason = "fsetxattr has no safe wrapper here")]
fn set_attribute(descriptor: &impl AsFd, name: &str, value: &[u8]) -> io::Result<()> {
    let descriptor: BorrowedFd<'_> = descriptor.as_fd();
    let name = CString::new(name)?;
    // SAFETY: name and value are valid for the call, and the length is the value's.
    let result =
        unsafe { libc::fsetxattr(descriptor.as_raw_fd(), name.as_ptr(), value.as_ptr().cast(), value.len(), 0) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Forces everything written to the folder's file system to disk.
pub(crate) fn sync_file_system(folder: &Path) -> io::Result<()> {
    let folder = openat(AT_FDCWD, folder, OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
    Ok(nix::unistd::syncfs(&folder)?)
}

#[cfg(test)]
mod tests;
