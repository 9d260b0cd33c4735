//! From the files to the state: everything is read and judged before anything is changed.

use std::io;

use bytes::Bytes;
use stdx::Ambient;
use tokio::time::Instant;

use super::OpenError;
use super::disk::{Disk, DiskFile};
use super::format::{
    EventRecord, FileHeader, FileKind, FrameHeader, FrameKind, HeaderError, Records, UNIT_BYTES, VERSION,
};
use super::log::{FrameReader, Log, TEMPORARY_SUFFIX, Tail, judge_tail, log_name};
use super::snapshot::{read_snapshot, snapshot_name};
use crate::core::{Core, Staged};
use crate::{Options, Revision};

#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) core: Core,
    pub(super) log: Log,
}

pub(super) fn recover(disk: &dyn Disk, options: &Options, ambient: &Ambient) -> Result<Recovered, OpenError> {
    let now = ambient.clock.instant();
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
    let log = match newest {
        Some((input, end, torn)) => {
            let Input { path, file, header, .. } = input;
            if torn {
                tracing::warn!(path = %path.display(), offset = end, "cut off a write that a crash left unfinished");
            }
            Log::resume(file, header, end, torn).map_err(|source| OpenError::Io { action: "repair", path, source })?
        }
        None => {
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
fn replay_log(input: &Input, core: &mut Core, is_last: bool, now: Instant) -> Result<(u64, bool), OpenError> {
    let mut frames = input.frames();
    loop {
        let offset = frames.offset();
        let Some((header, payload)) = frames.next().map_err(|error| input.failed(error))? else { break };
        if header.kind != FrameKind::Events {
            return Err(input.damaged(offset, "it holds a record that does not belong into a log"));
        }
        replay_events(core, &header, payload, now).map_err(|reason| input.damaged(offset, reason))?;
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
pub(super) fn replay_events(
    core: &mut Core,
    header: &FrameHeader,
    payload: &[u8],
    now: Instant,
) -> Result<(), &'static str> {
    if header.revision.0 != core.revision().0 + 1 {
        return Err("its revision does not follow the one before");
    }
    let mut records = Records::new(payload);
    let mut staged = Staged::default();
    for _ in 0..header.count {
        match records.event().ok_or("its contents do not follow the format")? {
            EventRecord::Put { key, value } => {
                core.stage_put_anyway(&mut staged, key, Bytes::copy_from_slice(value));
            }
            EventRecord::Delete { key } => {
                core.stage_delete_anyway(&mut staged, key).ok_or("it removes a key that is not there")?;
            }
        }
    }
    if !records.is_empty() {
        return Err("its contents do not follow the format");
    }
    core.commit(staged, now);
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
