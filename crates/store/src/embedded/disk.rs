//! The disk as the engine sees it: a folder of files, and when what is written rests.
//!
//! A trait, so that a test's disk can lose, reorder and tear what was not synced.

use std::fmt::Debug;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::OpenError;
use super::format::SECTOR_BYTES;

const LOCK: &str = "lock";

/// So much is written in the background between syncs: one sync of all of it would hold up those of
/// the log for as long.
pub(super) const SYNC_EVERY_BYTES: u64 = 1 << 20;

/// What lies in memory at a multiple of this, any disk takes without a copy.
const ALIGNMENT_BYTES: usize = 4096;

/// A folder of files. What is created, renamed or removed rests only after `sync_folder`.
pub trait Disk: Debug + Send + Sync {
    fn names(&self) -> io::Result<Vec<String>>;

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// A new, empty file; one of that name is replaced.
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    fn remove(&self, name: &str) -> io::Result<()>;

    /// Gives the file a second name in a folder within this one, which is made if it is missing.
    fn keep_aside(&self, name: &str, folder: &str) -> io::Result<()>;

    fn sync_folder(&self) -> io::Result<()>;

    /// How a person would find the file.
    fn path(&self, name: &str) -> PathBuf;
}

/// A file. What is written rests only after `sync`.
pub trait DiskFile: Debug + Send + Sync {
    fn length(&self) -> io::Result<u64>;

    /// Fills the buffer, or as much of it as the file has.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    fn set_length(&mut self, length: u64) -> io::Result<()>;

    fn sync(&mut self) -> io::Result<()>;

    /// Whether it has names beside the one that it was opened by, in whatever folder.
    fn has_other_names(&self) -> io::Result<bool>;
}

/// A folder of the file system.
#[derive(Debug)]
pub struct FolderDisk {
    path: PathBuf,
    folder: File,
    /// Locked for as long as it is open. `None` where the folder is only looked at.
    lock: Option<File>,
}

impl FolderDisk {
    /// Makes the folder if it is missing, and holds it for this process alone.
    pub fn open(path: &Path) -> Result<FolderDisk, OpenError> {
        let failed = |action| move |source| OpenError::Io { action, path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed("make the folder"))?;
        let folder = File::open(path).map_err(failed("open the folder"))?;
        let lock_path = path.join(LOCK);
        let failed = |action| {
            let lock_path = lock_path.clone();
            move |source| OpenError::Io { action, path: lock_path, source }
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut lock = options.open(&lock_path).map_err(failed("open"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                lock.read_to_string(&mut holder).map_err(failed("read"))?;
                return Err(OpenError::Locked { folder: path.to_owned(), holder: holder.trim().to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(failed("lock")(source)),
        }
        lock.set_len(0).map_err(failed("write"))?;
        writeln!(lock, "{}", std::process::id()).map_err(failed("write"))?;
        Ok(FolderDisk { path: path.to_owned(), folder, lock: Some(lock) })
    }

    /// Looks at a folder that is there, and that a process may be using: nothing in it can be
    /// changed this way.
    pub fn look(path: &Path) -> Result<FolderDisk, OpenError> {
        let folder = File::open(path).map_err(|source| OpenError::Io {
            action: "open the folder",
            path: path.to_owned(),
            source,
        })?;
        Ok(FolderDisk { path: path.to_owned(), folder, lock: None })
    }

    /// The process that holds the folder, as the kernel's table of locks has it. Trying the lock
    /// instead would be in the way of a process that wants it at this moment.
    pub fn holder(&self) -> io::Result<Option<String>> {
        let lock_path = self.path(LOCK);
        let lock = match std::fs::metadata(&lock_path) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let is_locked = locks_inode(&std::fs::read_to_string("/proc/locks")?, lock.ino());
        is_locked.then(|| std::fs::read_to_string(lock_path).map(|holder| holder.trim().to_owned())).transpose()
    }

    fn check_writable(&self) -> io::Result<()> {
        match self.lock {
            Some(_) => Ok(()),
            None => Err(io::Error::new(io::ErrorKind::PermissionDenied, "the folder is only looked at")),
        }
    }
}

/// Whether a line of `/proc/locks` is an exclusive `flock` of the inode:
/// `3: FLOCK  ADVISORY  WRITE 812 fe:00:1179683 0 EOF`.
fn locks_inode(table: &str, inode: u64) -> bool {
    table.lines().any(|line| {
        let mut words = line.split_whitespace();
        let is_flock = words.any(|word| word == "FLOCK") && words.nth(1) == Some("WRITE");
        let place = words.nth(1).and_then(|place| place.rsplit(':').next());
        is_flock && place.and_then(|number| number.parse().ok()) == Some(inode)
    })
}

impl Disk for FolderDisk {
    fn names(&self) -> io::Result<Vec<String>> {
        let names = std::fs::read_dir(&self.path)?.map(|entry| entry.map(|entry| entry.file_name().into_string()));
        // The engine's own names are ASCII; what is not even Unicode is somebody else's.
        names.filter_map(|name| name.map(Result::ok).transpose()).collect()
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let path = self.path(name);
        let file = OpenOptions::new().read(true).write(self.lock.is_some()).open(&path)?;
        let direct = self.lock.as_ref().and_then(|_| open_direct(&path));
        Ok(Box::new(FolderFile { file, direct }))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        self.check_writable()?;
        let path = self.path(name);
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        Ok(Box::new(FolderFile { file, direct: open_direct(&path) }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.check_writable()?;
        std::fs::rename(self.path(from), self.path(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.check_writable()?;
        std::fs::remove_file(self.path(name))
    }

    fn keep_aside(&self, name: &str, folder: &str) -> io::Result<()> {
        self.check_writable()?;
        let aside = self.path(folder);
        DirBuilder::new().recursive(true).mode(0o700).create(&aside)?;
        link_or_copy(&self.path(name), &aside.join(name))?;
        File::open(&aside)?.sync_all()
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.folder.sync_all()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// A second name for the file where the file system can, a synced copy where it cannot.
pub(super) fn link_or_copy(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::hard_link(from, to) {
        Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists) => {
            // On file systems that share blocks, this shares them.
            std::fs::copy(from, to)?;
            File::open(to)?.sync_all()
        }
        result => result,
    }
}

/// A file of the file system.
#[derive(Debug)]
struct FolderFile {
    file: File,
    /// The same file, written past the kernel's cache, where that can be: a log is written once and
    /// read after the next start, so copies of it in memory would serve nobody.
    direct: Option<File>,
}

/// `None` where the file system wants all that is written to pass its cache.
fn open_direct(path: &Path) -> Option<File> {
    OpenOptions::new().write(true).custom_flags(libc::O_DIRECT).open(path).ok()
}

/// Whether disks take this without a copy.
fn is_aligned(offset: u64, bytes: &[u8]) -> bool {
    let is_whole = offset.is_multiple_of(SECTOR_BYTES as u64) && bytes.len().is_multiple_of(SECTOR_BYTES);
    is_whole && bytes.as_ptr().addr().is_multiple_of(ALIGNMENT_BYTES)
}

/// Empties a buffer and gives it room for so many bytes from a place on that disks take without a
/// copy. Returns that place.
pub(super) fn make_aligned(buffer: &mut Vec<u8>, bytes: usize) -> usize {
    buffer.clear();
    buffer.reserve(ALIGNMENT_BYTES + bytes);
    let start = buffer.as_ptr().addr().wrapping_neg() % ALIGNMENT_BYTES;
    buffer.resize(start, 0);
    start
}

impl DiskFile for FolderFile {
    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        DiskFile::read_at(&self.file, offset, buffer)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if let Some(direct) = &mut self.direct
            && is_aligned(offset, bytes)
        {
            match DiskFile::write_at(direct, offset, bytes) {
                // This disk has larger sectors.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => self.direct = None,
                result => return result,
            }
        }
        DiskFile::write_at(&mut self.file, offset, bytes)
    }

    fn set_length(&mut self, length: u64) -> io::Result<()> {
        self.file.set_length(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }

    fn has_other_names(&self) -> io::Result<bool> {
        self.file.has_other_names()
    }
}

/// A file on its own, in or out of a folder.
impl DiskFile for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match FileExt::read_at(self, &mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn set_length(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn has_other_names(&self) -> io::Result<bool> {
        Ok(self.metadata()?.nlink() > 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_known_without_touching_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let look = FolderDisk::look(folder.path()).unwrap();
        assert_eq!(look.holder().unwrap(), None);
        let held = FolderDisk::open(folder.path()).unwrap();
        assert_eq!(look.holder().unwrap(), Some(std::process::id().to_string()));
        drop(held);
        assert_eq!(look.holder().unwrap(), None);
        assert!(look.create("log").is_err() && look.remove("lock").is_err(), "looking changes nothing");
    }

    #[test]
    fn what_passes_the_kernels_cache_and_what_does_not_are_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let disk = FolderDisk::open(folder.path()).unwrap();
        let mut file = disk.create("log").unwrap();
        let mut buffer = b"what was there before".to_vec();
        let start = make_aligned(&mut buffer, 3 * SECTOR_BYTES);
        buffer.resize(start + 3 * SECTOR_BYTES, b'd');
        let sectors = &buffer[start..];
        assert!(is_aligned(0, sectors) && is_aligned(SECTOR_BYTES as u64, &sectors[..SECTOR_BYTES]));
        assert!(!is_aligned(32, sectors) && !is_aligned(0, &sectors[1..]) && !is_aligned(0, &sectors[..100]));
        file.write_at(0, &[b'c'; 8 * SECTOR_BYTES]).unwrap();
        file.write_at(SECTOR_BYTES as u64, sectors).unwrap();
        file.write_at(2 * SECTOR_BYTES as u64 + 1, b"c").unwrap();
        file.write_at(7 * SECTOR_BYTES as u64, sectors).unwrap();
        file.sync().unwrap();
        let mut expected = vec![b'c'; 10 * SECTOR_BYTES];
        expected[SECTOR_BYTES..4 * SECTOR_BYTES].fill(b'd');
        expected[2 * SECTOR_BYTES + 1] = b'c';
        expected[7 * SECTOR_BYTES..].fill(b'd');
        let mut found = vec![0; 11 * SECTOR_BYTES];
        assert_eq!(file.length().unwrap(), expected.len() as u64);
        assert_eq!(DiskFile::read_at(&*file, 0, &mut found).unwrap(), expected.len());
        assert!(found.starts_with(&expected));
        assert_eq!(std::fs::read(folder.path().join("log")).unwrap(), expected);
    }

    #[test]
    fn a_line_of_the_kernels_table_is_understood() {
        let table = "1: POSIX  ADVISORY  WRITE 10 fe:00:77 0 EOF\n2: FLOCK  ADVISORY  WRITE 11 fe:00:78 0 EOF\n\
                     3: FLOCK  ADVISORY  READ 12 fe:00:79 0 EOF\n2: -> FLOCK  ADVISORY  WRITE 13 fe:00:78 0 EOF\n";
        assert!(locks_inode(table, 78));
        assert!(!locks_inode(table, 77) && !locks_inode(table, 79) && !locks_inode(table, 8));
    }
}
