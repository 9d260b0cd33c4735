//! A store's state in a file of its own, back from it, and a second store that begins with the same.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use stdx::Ambient;

use super::OpenError;
use super::check::{Contents, read_settled};
use super::disk::{Disk, FolderDisk, link_or_copy};
use super::log::{TEMPORARY_SUFFIX, log_name};
use super::recovery::{Found, Input, Inventory};
use super::repair::{REVISION_LEAP, replace};
use super::snapshot::{read_snapshot, snapshot_name, write_whole};
use crate::shared::Moment;
use crate::{Options, Revision, Snapshot};

/// How often a folder in use is forked anew because files went meanwhile.
const MAX_TRIES: usize = 100;

/// Why a snapshot or a fork did not come to be.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    #[error(transparent)]
    Store(#[from] OpenError),
    #[error("{} holds a store already; --force moves it aside", folder.display())]
    Occupied { folder: PathBuf },
    #[error("{} is there already; give a folder that is not", folder.display())]
    Exists { folder: PathBuf },
    #[error("{} is a log, not a snapshot", path.display())]
    NotASnapshot { path: PathBuf },
    #[error("cannot {action} {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
}

/// What was put back.
#[derive(Clone, Debug)]
pub struct Restored {
    pub contents: Contents,
    /// The revision that the snapshot was taken at.
    pub snapshot_revision: Revision,
    /// Where the files lie that were there before.
    pub aside: Option<PathBuf>,
}

/// What a fork begins with.
#[derive(Clone, Debug)]
pub struct Forked {
    pub contents: Contents,
    /// How much of it is shared with the other store until either changes it, and how much copied.
    pub shared_bytes: u64,
    pub copied_bytes: u64,
}

/// Writes a snapshot into a file, which is there whole or not at all. Returns its length.
pub fn save(snapshot: &Snapshot, path: &Path, ambient: &Ambient) -> Result<u64, TransferError> {
    let failed = |action| move |source| TransferError::Io { action, path: path.to_owned(), source };
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(TEMPORARY_SUFFIX);
    let temporary = PathBuf::from(temporary);
    let written = (|| {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        let never = AtomicBool::new(false);
        write_whole(Box::new(file), ambient.random.next_u64() as u32, snapshot, &never)?;
        std::fs::rename(&temporary, path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
        Ok(std::fs::metadata(path)?.len())
    })();
    if written.is_err() {
        // The error is the one worth reporting.
        drop(std::fs::remove_file(&temporary));
    }
    written.map_err(failed("write"))
}

/// The newest state of the store in `folder`, which a server may be using.
pub fn snapshot_of(folder: &Path) -> Result<Snapshot, OpenError> {
    let disk = FolderDisk::look(folder)?;
    Ok(read_settled(&disk, true)?.core.snapshot())
}

/// Makes the store in `folder` hold what the snapshot in `file` holds. Its revision leaps ahead of
/// every one that a client can know: whoever watches or lists at an old one is told that it is gone,
/// instead of being told nothing. A store that is there already is moved aside if `force` says so.
pub fn restore(file: &Path, folder: &Path, force: bool, ambient: &Ambient) -> Result<Restored, TransferError> {
    let opened = File::open(file);
    let opened = opened.map_err(|source| TransferError::Io { action: "open", path: file.to_owned(), source })?;
    let input = Input::over(file.to_owned(), Box::new(opened))?;
    if input.header.kind != super::format::FileKind::Snapshot {
        return Err(TransferError::NotASnapshot { path: file.to_owned() });
    }
    let core = read_snapshot(&input, &Options::default(), Moment::now(&ambient.clock))?;

    let disk = FolderDisk::open(folder)?;
    let inventory = Inventory::take(&disk)?;
    if !inventory.is_empty() && !force {
        return Err(TransferError::Occupied { folder: folder.to_owned() });
    }
    let mut contents = Contents::of(&core);
    let snapshot_revision = contents.revision;
    let revision = Revision(inventory.newest_name().max(snapshot_revision).0 + REVISION_LEAP);
    (contents.revision, contents.oldest, contents.oldest_time) = (revision, revision, contents.time);
    let aside = replace(&disk, &inventory, &core.snapshot(), revision, ambient, "replaced")?;
    Ok(Restored { contents, snapshot_revision, aside: (!inventory.is_empty()).then_some(aside) })
}

/// Makes a second store in the folder `to`, which must not be there, that begins with what the one
/// in `from` holds, also while a server uses that. Files that do not change any more are shared.
pub fn fork(from: &Path, to: &Path) -> Result<Forked, TransferError> {
    let disk = FolderDisk::look(from)?;
    let failed = |action| move |source| TransferError::Io { action, path: to.to_owned(), source };
    let mut tries = 1;
    loop {
        match DirBuilder::new().mode(0o700).create(to) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(TransferError::Exists { folder: to.to_owned() });
            }
            result => result.map_err(failed("make"))?,
        }
        let forked = fork_once(&disk, to);
        let is_worth_a_try = matches!(
            &forked,
            Err(TransferError::Io { source, .. } | TransferError::Store(OpenError::Io { source, .. }))
                if source.kind() == io::ErrorKind::NotFound
        );
        if forked.is_err() {
            std::fs::remove_dir_all(to).map_err(failed("remove what is unfinished of"))?;
        }
        if !is_worth_a_try || tries == MAX_TRIES {
            return forked;
        }
        tries += 1;
    }
}

fn fork_once(disk: &FolderDisk, to: &Path) -> Result<Forked, TransferError> {
    let Found { core, logs, inventory } = read_settled(disk, true)?;
    let mut forked = Forked { contents: Contents::of(&core), shared_bytes: 0, copied_bytes: 0 };
    drop(core);
    let failed = |path: PathBuf| move |source| TransferError::Io { action: "fork", path, source };
    let (last, earlier) = logs.split_last().map_or((None, logs.as_slice()), |(last, earlier)| (Some(last), earlier));
    let snapshot = inventory.snapshots.last().map(|&revision| snapshot_name(revision));
    let earlier = earlier.iter().map(|log| log_name(log.input.header.revision));
    for name in snapshot.into_iter().chain(earlier) {
        let target = to.join(&name);
        link_or_copy(&disk.path(&name), &target).map_err(failed(disk.path(&name)))?;
        forked.shared_bytes += std::fs::metadata(&target).map_err(failed(target))?.len();
    }
    if let Some(log) = last {
        // It goes on changing: only what is written is taken.
        let target = to.join(log_name(log.input.header.revision));
        copy_prefix(log.input.file.as_ref(), log.end, &target).map_err(failed(target))?;
        forked.copied_bytes += log.end;
    }
    File::open(to).and_then(|folder| folder.sync_all()).map_err(failed(to.to_owned()))?;
    Ok(forked)
}

fn copy_prefix(from: &dyn super::disk::DiskFile, length: u64, to: &Path) -> io::Result<()> {
    let mut bytes = vec![0; length as usize];
    let filled = from.read_at(0, &mut bytes)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    io::Write::write_all(&mut file, &bytes[..filled])?;
    file.sync_all()
}
