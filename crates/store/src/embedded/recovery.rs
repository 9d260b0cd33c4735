//! From the files to the state: everything is read and judged before anything is changed.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use stdx::Ambient;

use super::OpenError;
use super::disk::{Disk, DiskFile};
use super::format::{
    EventRecord, FileHeader, FileKind, FrameHeader, FrameKind, HeaderError, OperationRecord, Records,
    TransactionRecord, UNIT_BYTES, VERSION,
};
use super::log::{FrameReader, Log, TEMPORARY_SUFFIX, Tail, judge_tail, log_name};
use super::snapshot::{read_snapshot, snapshot_name};
use crate::core::Core;
use crate::shared::Moment;
use crate::staging::{Draft, Staged};
use crate::{Options, Revision};

#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) core: Core,
    pub(super) log: Log,
}

pub(super) fn recover(disk: &dyn Disk, options: &Options, ambient: &Ambient) -> Result<Recovered, OpenError> {
    let now = Moment::now(&ambient.clock);
    let inventory = Inventory::take(disk)?;

    let mut core = match inventory.snapshots.last() {
        Some(&revision) => {
            let input = Input::open(disk, snapshot_name(revision), FileKind::Snapshot, revision)?;
            read_snapshot(&input, options, now)?
        }
        None => Core::empty(options),
    };

    let (obsolete_logs, logs) = inventory.split_logs(core.revision());
    let mut newest = None;
    for (index, &first) in logs.iter().enumerate() {
        let input = Input::open(disk, log_name(first), FileKind::Log, first)?;
        if first.0 != core.revision().0 + 1 {
            let missing = core.revision().0 + 1;
            return Err(
                input.damaged(0, format!("it begins at revision {first}, but {missing} is missing", first = first.0))
            );
        }
        let is_last = index + 1 == logs.len();
        let (end, torn) = replay_log(&input, &mut core, is_last, now)?;
        newest = Some((input, end, torn));
    }

    // From here on the disk is written to.
    let obsolete_snapshots = inventory.snapshots.iter().rev().skip(1).map(|&revision| snapshot_name(revision));
    let obsolete = obsolete_logs.iter().map(|&first| log_name(first));
    for name in inventory.leftovers.iter().cloned().chain(obsolete).chain(obsolete_snapshots) {
        disk.remove(&name).map_err(|source| OpenError::Io { action: "remove", path: disk.path(&name), source })?;
    }
    if let Some((input, end, true)) = &mut newest {
        tracing::warn!(path = %input.path.display(), offset = end, "cut off a write that a crash left unfinished");
        Log::cut(&mut *input.file, *end).map_err(|source| OpenError::Io {
            action: "repair",
            path: input.path.clone(),
            source,
        })?;
    }
    let log = match newest {
        Some((Input { path, file, header }, end, _)) if header.version == VERSION => {
            Log::resume(file, header, end).map_err(|source| OpenError::Io { action: "read", path, source })?
        }
        // To a log of an older version nothing is added; the next snapshot takes its place.
        _ => {
            let first = Revision(core.revision().0 + 1);
            Log::create(disk, ambient.random.next_u64() as u32, first).map_err(|source| OpenError::Io {
                action: "create",
                path: disk.path(&log_name(first)),
                source,
            })?
        }
    };
    Ok(Recovered { core, log })
}

/// Which of the engine's files are there, by name.
#[derive(Debug, Default)]
struct Inventory {
    snapshots: Vec<Revision>,
    logs: Vec<Revision>,
    /// Files that a crash kept from getting their names.
    leftovers: Vec<String>,
}

impl Inventory {
    fn take(disk: &dyn Disk) -> Result<Inventory, OpenError> {
        let names =
            disk.names().map_err(|source| OpenError::Io { action: "read the folder", path: disk.path(""), source })?;
        let mut inventory = Inventory::default();
        for name in names {
            let finished = name.strip_suffix(TEMPORARY_SUFFIX);
            let list = match split_name(finished.unwrap_or(&name)) {
                Some(_) if finished.is_some() => {
                    inventory.leftovers.push(name);
                    continue;
                }
                Some((FileKind::Snapshot, revision)) => (&mut inventory.snapshots, revision),
                Some((FileKind::Log, revision)) => (&mut inventory.logs, revision),
                None => continue,
            };
            list.0.push(list.1);
        }
        inventory.snapshots.sort();
        inventory.logs.sort();
        Ok(inventory)
    }

    /// The logs that a snapshot at `revision` covers wholly, and those behind it. A log ends where
    /// the next one begins.
    fn split_logs(&self, revision: Revision) -> (&[Revision], &[Revision]) {
        let covered = self.logs.windows(2).take_while(|pair| pair[1].0 <= revision.0 + 1).count();
        self.logs.split_at(covered)
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
    path: std::path::PathBuf,
    file: Box<dyn DiskFile>,
    pub(super) header: FileHeader,
}

impl Input {
    fn open(disk: &dyn Disk, name: String, kind: FileKind, revision: Revision) -> Result<Input, OpenError> {
        let path = disk.path(&name);
        let failed = |source| OpenError::Io { action: "read", path: path.clone(), source };
        let file = disk.open(&name).map_err(failed)?;
        let mut bytes = [0; UNIT_BYTES];
        let filled = file.read_at(0, &mut bytes).map_err(failed)?;
        let damaged = |reason: &str| OpenError::Damaged { path: path.clone(), offset: 0, reason: reason.to_owned() };
        let header = match FileHeader::decode(&bytes[..filled]) {
            Ok(header) if header.kind == kind && header.revision == revision => header,
            Ok(_) => return Err(damaged("its header belongs to a file of another name")),
            Err(HeaderError::Foreign) => return Err(OpenError::Foreign { path }),
            Err(HeaderError::Damaged) => return Err(damaged("its header fails its checksum")),
            Err(HeaderError::Version(found)) => {
                return Err(OpenError::NewerFormat { path, found, supported: VERSION });
            }
        };
        Ok(Input { path, file, header })
    }

    pub(super) fn frames(&self) -> FrameReader<'_> {
        FrameReader::new(&*self.file, self.header.salt)
    }

    pub(super) fn damaged(&self, offset: u64, reason: impl Into<String>) -> OpenError {
        OpenError::Damaged { path: self.path.clone(), offset, reason: reason.into() }
    }

    pub(super) fn failed(&self, source: io::Error) -> OpenError {
        OpenError::Io { action: "read", path: self.path.clone(), source }
    }
}

/// Replays a log onto the core. Returns where its last whole frame ends, and whether behind it is
/// a write to cut off.
fn replay_log(input: &Input, core: &mut Core, is_last: bool, now: Moment) -> Result<(u64, bool), OpenError> {
    let mut frames = input.frames();
    loop {
        let offset = frames.offset();
        let Some((header, payload)) = frames.next().map_err(|error| input.failed(error))? else { break };
        if !matches!(header.kind, FrameKind::Events | FrameKind::Transactions) {
            return Err(input.damaged(offset, "it holds a record that does not belong into a log"));
        }
        replay_frame(core, &header, payload, now).map_err(|reason| input.damaged(offset, reason))?;
    }
    let end = frames.offset();
    let rest = frames.rest().map_err(|error| input.failed(error))?;
    match judge_tail(&rest, end, input.header.salt) {
        Tail::Clean => Ok((end, false)),
        Tail::Torn if is_last => Ok((end, true)),
        Tail::Torn => Err(input.damaged(end, "it is cut short, and a later log follows")),
        Tail::Damaged(reason) => Err(input.damaged(end, reason)),
    }
}

/// Applies a frame of changes, which must begin at the revision after the newest.
pub(super) fn replay_frame(
    core: &mut Core,
    header: &FrameHeader,
    payload: &[u8],
    now: Moment,
) -> Result<(), &'static str> {
    const MALFORMED: &str = "its contents do not follow the format";
    if header.revision.0 != core.revision().0 + 1 {
        return Err("its revision does not follow the one before");
    }
    let mut records = Records::new(payload);
    let mut staged = Staged::default();
    for index in 0..header.count {
        let transaction = match header.kind {
            FrameKind::Events => {
                let revision = Revision(header.revision.0 + u64::from(index));
                records.event().map(|event| from_version_1(event, revision))
            }
            _ => records.transaction(),
        };
        replay_transaction(core, &mut staged, transaction.ok_or(MALFORMED)?)?;
    }
    if !records.is_empty() {
        return Err(MALFORMED);
    }
    // Nobody waits yet.
    drop(core.commit(staged, now));
    Ok(())
}

/// Nothing says when it was written: it counts as older than all that has a time.
fn from_version_1(event: EventRecord<'_>, revision: Revision) -> TransactionRecord<'_> {
    let operation = match event {
        EventRecord::Put { key, value } => OperationRecord::Put { key, value, due: None },
        EventRecord::Delete { key } => OperationRecord::Delete { key },
    };
    TransactionRecord { revision, time: SystemTime::UNIX_EPOCH, author: None, operations: vec![operation] }
}

fn replay_transaction(core: &Core, staged: &mut Staged, record: TransactionRecord<'_>) -> Result<(), &'static str> {
    let (newest, time) = staged.newest().unwrap_or((core.revision(), core.time()));
    if record.revision.0 != newest.0 + 1 {
        return Err("its revision does not follow the one before");
    }
    let mut draft = Draft::new(record.revision, record.time.max(time), record.author.map(Arc::new));
    for operation in record.operations {
        match operation {
            OperationRecord::Put { key, value, due } => {
                let previous = core.current(staged, key).cloned();
                draft.put(key.into(), Bytes::copy_from_slice(value), due, previous);
            }
            OperationRecord::Delete { key } => {
                let previous = core.current(staged, key).cloned();
                draft.delete(previous.ok_or("it removes a key that is not there")?);
            }
        }
    }
    staged.push(draft.finish().ok_or("it holds a transaction without changes")?);
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
