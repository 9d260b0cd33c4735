//! From the files to the state: everything is read and judged before anything is changed.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use stdx::Ambient;

use super::OpenError;
use super::disk::{Disk, DiskFile};
use super::format::{FileHeader, FileKind, FrameHeader, HeaderError, UNIT_BYTES, VERSION};
use super::frames::{Contents, OwnedOperation, OwnedTransaction, Tail, judge_tail, read_frames};
use super::log::{Journal, Log, NEXT_LOG, TEMPORARY_SUFFIX, log_name};
use super::snapshot::{read_snapshot, snapshot_name};
use crate::core::Core;
use crate::shared::Moment;
use crate::staging::Staged;
use crate::{Options, Revision};

/// Reads the state and makes the folder ready to be written to.
pub(super) fn recover(
    disk: &Arc<dyn Disk>,
    options: &Options,
    ambient: &Ambient,
) -> Result<(Core, Journal), OpenError> {
    let Found { core, mut logs, inventory } = read(&**disk, options, Moment::now(&ambient.clock))?;

    // From here on the disk is written to. What was read may rest only in the kernel's memory: a
    // process that was killed, or whose last sync failed, left it there.
    let folder_failed = |source| OpenError::Io { action: "sync", path: disk.path(""), source };
    disk.sync_folder().map_err(folder_failed)?;
    for name in inventory.needless(newest_snapshot(&inventory)) {
        disk.remove(&name).map_err(|source| OpenError::Io { action: "remove", path: disk.path(&name), source })?;
    }
    let mut earlier_bytes: u64 = logs.iter().map(|log| log.end).sum();
    let mut journal_end = None;
    if let Some(last) = logs.pop() {
        let FoundLog { input: Input { path, mut file, header }, start, end, is_torn } = last;
        let failed = |action| {
            let path = path.clone();
            move |source| OpenError::Io { action, path, source }
        };
        if is_torn {
            tracing::warn!(path = %path.display(), offset = end, "cut off a write that a crash left unfinished");
        }
        Log::secure(&mut *file, start, end, is_torn).map_err(failed("secure the end of"))?;
        // To a log of an older version nothing is added; the next snapshot takes its place.
        if header.version == VERSION {
            earlier_bytes -= end;
            journal_end = Some(Log::resume(file, &header, end).map_err(failed("read"))?);
        }
    }
    Ok((core, Journal::new(disk.clone(), journal_end, earlier_bytes, options.rotate_log_bytes)))
}

/// What a folder holds.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) core: Core,
    /// The logs behind the newest snapshot, in order.
    pub(super) logs: Vec<FoundLog>,
    pub(super) inventory: Inventory,
}

#[derive(Debug)]
pub(super) struct FoundLog {
    pub(super) input: Input,
    /// Where its last whole frame begins, and where it ends.
    pub(super) start: u64,
    pub(super) end: u64,
    /// Whether behind that is a write that a crash cut short.
    pub(super) is_torn: bool,
}

/// Reads the state, and changes nothing.
pub(super) fn read(disk: &dyn Disk, options: &Options, now: Moment) -> Result<Found, OpenError> {
    let inventory = Inventory::take(disk)?;
    let mut core = match inventory.snapshots.last() {
        Some(&revision) => {
            let input = Input::open(disk, snapshot_name(revision), FileKind::Snapshot, revision)?;
            read_snapshot(&input, options, now)?
        }
        None => Core::empty(options),
    };
    let behind = inventory.split_logs(newest_snapshot(&inventory)).1.to_vec();
    let mut logs = Vec::with_capacity(behind.len());
    for (index, &first) in behind.iter().enumerate() {
        let input = Input::open(disk, log_name(first), FileKind::Log, first)?;
        let missing = core.revision().0 + 1;
        // A snapshot may have been taken in the middle of a log.
        if first.0 > missing || (index > 0 && first.0 != missing) {
            return Err(input.damaged(0, format!("it begins at revision {}, but {missing} is missing", first.0)));
        }
        let (start, end) = replay_log(&input, &mut core, now)?;
        let is_last = index + 1 == behind.len();
        let is_torn = is_torn(&input, end, is_last)?;
        logs.push(FoundLog { input, start, end, is_torn });
    }
    Ok(Found { core, logs, inventory })
}

/// The revision of the newest snapshot.
fn newest_snapshot(inventory: &Inventory) -> Revision {
    inventory.snapshots.last().copied().unwrap_or_default()
}

/// Which of the engine's files are there, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Inventory {
    pub(super) snapshots: Vec<Revision>,
    pub(super) logs: Vec<Revision>,
    /// Files that a crash kept from getting their names.
    pub(super) leftovers: Vec<String>,
}

impl Inventory {
    pub(super) fn take(disk: &dyn Disk) -> Result<Inventory, OpenError> {
        let names = disk.names();
        let names = names.map_err(|source| OpenError::Io { action: "read the folder", path: disk.path(""), source })?;
        Ok(Inventory::of(names))
    }

    pub(super) fn of(names: Vec<String>) -> Inventory {
        let mut inventory = Inventory::default();
        for name in names {
            let finished = name.strip_suffix(TEMPORARY_SUFFIX);
            match split_name(finished.unwrap_or(&name)) {
                Some(_) if finished.is_some() => inventory.leftovers.push(name),
                None if name == NEXT_LOG => inventory.leftovers.push(name),
                Some((FileKind::Snapshot, revision)) => inventory.snapshots.push(revision),
                Some((FileKind::Log, revision)) => inventory.logs.push(revision),
                None => {}
            }
        }
        inventory.snapshots.sort();
        inventory.logs.sort();
        inventory
    }

    pub(super) fn is_empty(&self) -> bool {
        self.snapshots.is_empty() && self.logs.is_empty()
    }

    /// The newest revision that a file is named after.
    pub(super) fn newest_name(&self) -> Revision {
        self.logs.iter().chain(&self.snapshots).max().copied().unwrap_or_default()
    }

    /// Every file with a name of its own.
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        let snapshots = self.snapshots.iter().map(|&revision| snapshot_name(revision));
        snapshots.chain(self.logs.iter().map(|&first| log_name(first)))
    }

    /// The logs that a snapshot at `revision` covers wholly, and those behind it. A log ends where
    /// the next one begins.
    pub(super) fn split_logs(&self, revision: Revision) -> (&[Revision], &[Revision]) {
        let covered = self.logs.windows(2).take_while(|pair| pair[1].0 <= revision.0 + 1).count();
        self.logs.split_at(covered)
    }

    /// What a snapshot at `revision` stands for, and what never got its name.
    fn needless(&self, revision: Revision) -> Vec<String> {
        let mut names = self.leftovers.clone();
        names.extend(self.replaced_by(revision));
        names
    }

    /// The logs and snapshots that a snapshot at `revision` stands for.
    pub(super) fn replaced_by(&self, revision: Revision) -> impl Iterator<Item = String> {
        let logs = self.split_logs(revision).0.iter().map(|&first| log_name(first));
        let snapshots = self.snapshots.iter().filter(move |&&other| other < revision);
        logs.chain(snapshots.map(|&other| snapshot_name(other)))
    }
}

pub(super) fn split_name(name: &str) -> Option<(FileKind, Revision)> {
    let (kind, digits) = name.split_once('-')?;
    let kind = match kind {
        "log" => FileKind::Log,
        "snapshot" => FileKind::Snapshot,
        _ => return None,
    };
    let is_ours = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_ours.then(|| digits.parse().ok()).flatten().map(|revision| (kind, Revision(revision)))
}

/// A file that is being read, its header found good.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) path: PathBuf,
    pub(super) file: Box<dyn DiskFile>,
    pub(super) header: FileHeader,
}

impl Input {
    pub(super) fn open(disk: &dyn Disk, name: String, kind: FileKind, revision: Revision) -> Result<Input, OpenError> {
        let path = disk.path(&name);
        let file = disk.open(&name).map_err(|source| OpenError::Io { action: "read", path: path.clone(), source })?;
        let input = Input::over(path, file)?;
        if input.header.kind != kind || input.header.revision != revision {
            return Err(input.damaged(0, "its header belongs to a file of another name"));
        }
        Ok(input)
    }

    pub(super) fn over(path: PathBuf, file: Box<dyn DiskFile>) -> Result<Input, OpenError> {
        let mut bytes = [0; UNIT_BYTES];
        let filled = file.read_at(0, &mut bytes);
        let filled = filled.map_err(|source| OpenError::Io { action: "read", path: path.clone(), source })?;
        match FileHeader::decode(&bytes[..filled]) {
            Ok(header) => Ok(Input { path, file, header }),
            Err(HeaderError::Foreign) => Err(OpenError::Foreign { path }),
            Err(HeaderError::Damaged) => {
                Err(OpenError::Damaged { path, offset: 0, reason: "its header fails its checksum".into() })
            }
            Err(HeaderError::Version(found)) => Err(OpenError::NewerFormat { path, found, supported: VERSION }),
        }
    }

    pub(super) fn damaged(&self, offset: u64, reason: impl Into<String>) -> OpenError {
        OpenError::Damaged { path: self.path.clone(), offset, reason: reason.into() }
    }

    pub(super) fn failed(&self, source: io::Error) -> OpenError {
        OpenError::Io { action: "read", path: self.path.clone(), source }
    }

    /// The file from `offset` to its end.
    pub(super) fn rest(&self, offset: u64) -> Result<Vec<u8>, OpenError> {
        let length = self.file.length().map_err(|error| self.failed(error))?;
        let mut rest = vec![0; length.saturating_sub(offset) as usize];
        let filled = self.file.read_at(offset, &mut rest).map_err(|error| self.failed(error))?;
        rest.truncate(filled);
        Ok(rest)
    }
}

/// Replays a log onto the core; returns where its last whole frame begins and ends.
fn replay_log(input: &Input, core: &mut Core, now: Moment) -> Result<(u64, u64), OpenError> {
    let mut start = None;
    let end = read_frames(input, |offset, header, contents| match contents {
        Contents::Transactions(transactions) => {
            start = Some(offset);
            let transactions = not_yet_there(core, header, transactions);
            replay(core, transactions, now).map_err(|reason| input.damaged(offset, reason))
        }
        _ => Err(input.damaged(offset, "it holds a record that does not belong into a log")),
    })?;
    Ok((start.unwrap_or(end), end))
}

/// A snapshot may have been taken in the middle of a log: what it holds is passed over.
fn not_yet_there(core: &Core, header: &FrameHeader, transactions: Vec<OwnedTransaction>) -> Vec<OwnedTransaction> {
    let newest = core.revision();
    if header.revision > newest {
        return transactions;
    }
    transactions.into_iter().filter(|transaction| transaction.revision > newest).collect()
}

fn is_torn(input: &Input, end: u64, is_last: bool) -> Result<bool, OpenError> {
    match judge_tail(&input.rest(end)?, end, &input.header) {
        Tail::Clean => Ok(false),
        Tail::Torn if is_last => Ok(true),
        Tail::Torn => Err(input.damaged(end, "it is cut short, and a later log follows")),
        Tail::Damaged(reason) => Err(input.damaged(end, reason)),
    }
}

/// Applies transactions, which must begin at the revision after the newest.
pub(super) fn replay(core: &mut Core, transactions: Vec<OwnedTransaction>, now: Moment) -> Result<(), &'static str> {
    let mut staged = Staged::default();
    for transaction in transactions {
        let (newest, time) = staged.newest().unwrap_or_else(|| (core.revision(), core.time()));
        if transaction.revision.0 != newest.0 + 1 {
            return Err("its revision does not follow the one before");
        }
        let mut draft = staged.begin(transaction.revision, transaction.time.max(time), transaction.author);
        for operation in transaction.operations {
            match operation {
                OwnedOperation::Put { key, value, due } => {
                    let previous = core.current(draft.staged(), &key).cloned();
                    draft.put(&key, value, due, previous, None);
                }
                OwnedOperation::Delete { key } => {
                    let previous = core.current(draft.staged(), &key).cloned();
                    draft.delete(previous.ok_or("it removes a key that is not there")?);
                }
            }
        }
        if !draft.has_changes() {
            return Err("it holds a transaction without changes");
        }
    }
    // Nobody waits yet.
    drop(core.commit(staged, now));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_engines_own_or_left_alone() {
        assert_eq!(split_name("log-00000000000000000012"), Some((FileKind::Log, Revision(12))));
        assert_eq!(split_name("snapshot-00000000000000000007"), Some((FileKind::Snapshot, Revision(7))));
        for other in ["lock", "lost+found", "log-12", "log-0000000000000000001x", "backup-00000000000000000007"] {
            assert_eq!(split_name(other), None, "{other}");
        }
    }

    #[test]
    fn a_log_is_obsolete_when_the_snapshot_reaches_the_next_one() {
        let revisions = |numbers: &[u64]| numbers.iter().map(|&number| Revision(number)).collect::<Vec<_>>();
        let inventory = Inventory { logs: revisions(&[1, 10, 20]), ..Inventory::default() };
        for (snapshot, obsolete) in [(0, 0), (8, 0), (9, 1), (18, 1), (19, 2), (25, 2)] {
            assert_eq!(inventory.split_logs(Revision(snapshot)).0.len(), obsolete, "snapshot at {snapshot}");
        }
    }
}
