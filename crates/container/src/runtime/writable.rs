//! What containers have written over their images: counted when asked, and not each time.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{FileStat, SFlag, fstatat};
use stdx::Clock;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// A figure older than this is counted anew in the background while the old one is told.
const FRESH_FOR: Duration = Duration::from_secs(30);
const BLOCK_BYTES: u64 = 512;

/// Disk space and inodes of a folder tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tree {
    pub(super) bytes: u64,
    pub(super) inodes: u64,
}

/// The last figure of each container that somebody asked about.
pub(super) struct WritableLayers {
    clock: Clock,
    figures: Mutex<HashMap<String, Figure>>,
    /// One tree at a time: the disk is the containers'.
    turn: Semaphore,
}

struct Figure {
    tree: Tree,
    counted: Instant,
    is_being_counted: bool,
}

impl WritableLayers {
    pub(super) fn new(clock: Clock) -> Self {
        WritableLayers { clock, figures: Mutex::default(), turn: Semaphore::new(1) }
    }

    /// The figure of a container whose writings lie in `folder`; only the first has to be waited for.
    pub(super) async fn usage(self: &Arc<Self>, container_id: &str, folder: PathBuf) -> io::Result<Tree> {
        let (known, is_due) = self.known(container_id);
        match known {
            None => self.count(container_id, folder).await,
            Some(tree) => {
                if is_due {
                    let (own, container_id) = (self.clone(), container_id.to_owned());
                    tokio::spawn(async move {
                        if let Err(error) = own.count(&container_id, folder).await {
                            tracing::debug!(container = container_id, %error, "cannot count the writable layer");
                            own.forget(&container_id);
                        }
                    });
                }
                Ok(tree)
            }
        }
    }

    /// The last figure, without counting.
    pub(super) fn last(&self, container_id: &str) -> Option<Tree> {
        self.figures().get(container_id).map(|figure| figure.tree)
    }

    pub(super) fn forget(&self, container_id: &str) {
        self.figures().remove(container_id);
    }

    /// The figure, and whether the asker is to see to a newer one.
    fn known(&self, container_id: &str) -> (Option<Tree>, bool) {
        let mut figures = self.figures();
        let Some(figure) = figures.get_mut(container_id) else { return (None, false) };
        let is_old = self.clock.instant().saturating_duration_since(figure.counted) >= FRESH_FOR;
        let is_due = is_old && !std::mem::replace(&mut figure.is_being_counted, is_old);
        (Some(figure.tree), is_due)
    }

    async fn count(&self, container_id: &str, folder: PathBuf) -> io::Result<Tree> {
        let _turn = self.turn.acquire().await.map_err(io::Error::other)?;
        let tree = tokio::task::spawn_blocking(move || measure(&folder)).await.map_err(io::Error::other)??;
        let figure = Figure { tree, counted: self.clock.instant(), is_being_counted: false };
        self.figures().insert(container_id.to_owned(), figure);
        Ok(tree)
    }

    fn figures(&self) -> std::sync::MutexGuard<'_, HashMap<String, Figure>> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a tree that changes meanwhile and whose owner is not trusted: no link is followed, what has gone is
/// left out, and a file with many names counts once.
fn measure(root: &Path) -> io::Result<Tree> {
    let root_folder = File::open(root)?;
    let mut tree = Tree { bytes: root_folder.metadata()?.blocks() * BLOCK_BYTES, inodes: 1 };
    let mut linked = HashSet::new();
    let mut pending = vec![PathBuf::from(".")];
    while let Some(path) = pending.pop() {
        let how = OpenHow::new()
            .flags(OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS);
        let folder = match openat2(&root_folder, &path, how) {
            Ok(folder) => folder,
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP | Errno::ENAMETOOLONG) => continue,
            Err(error) => return Err(error.into()),
        };
        let mut folder = Dir::from_fd(folder)?;
        let names: Vec<_> =
            folder.iter().map(|entry| entry.map(|entry| entry.file_name().to_owned())).collect::<Result<_, _>>()?;
        for name in names.iter().filter(|name| !matches!(name.to_bytes(), b"." | b"..")) {
            let found = match fstatat(&folder, name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
                Ok(found) => found,
                Err(Errno::ENOENT) => continue,
                Err(error) => return Err(error.into()),
            };
            let is_folder = kind(&found) == SFlag::S_IFDIR;
            if !is_folder && found.st_nlink > 1 && !linked.insert((found.st_dev, found.st_ino)) {
                continue;
            }
            tree.bytes += u64::try_from(found.st_blocks).unwrap_or(0) * BLOCK_BYTES;
            tree.inodes += 1;
            if is_folder {
                pending.push(path.join(OsStr::from_bytes(name.to_bytes())));
            }
        }
    }
    Ok(tree)
}

fn kind(found: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_counted_without_following_anything() {
        let folder = tempfile::tempdir().unwrap();
        let empty = measure(folder.path()).unwrap();
        assert_eq!(empty.inodes, 1);
        let inner = folder.path().join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::write(inner.join("file"), vec![1; 100_000]).unwrap();
        std::fs::hard_link(inner.join("file"), folder.path().join("again")).unwrap();
        std::os::unix::fs::symlink("/", folder.path().join("away")).unwrap();
        let full = measure(folder.path()).unwrap();
        assert_eq!(full.inodes, empty.inodes + 4);
        let grown = full.bytes - empty.bytes;
        assert!((100_000..140_000).contains(&grown), "{grown}");
        assert_eq!(measure(&folder.path().join("absent")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[tokio::test(start_paused = true)]
    async fn a_figure_is_kept_and_renewed_behind_its_askers() {
        let folder = tempfile::tempdir().unwrap();
        let layers = Arc::new(WritableLayers::new(Clock::system()));
        assert_eq!(layers.last("c"), None);
        let ask = || layers.usage("c", folder.path().to_owned());
        let first = ask().await.unwrap();
        std::fs::write(folder.path().join("file"), "x").unwrap();
        assert_eq!(ask().await.unwrap(), first, "a fresh figure is told again");
        tokio::time::advance(FRESH_FOR).await;
        assert_eq!(ask().await.unwrap(), first, "nobody waits for the next one");
        while layers.last("c") == Some(first) {
            tokio::task::yield_now().await;
        }
        assert_eq!(layers.last("c").unwrap().inodes, first.inodes + 1);
        layers.forget("c");
        assert_eq!(layers.last("c"), None);
    }
}
