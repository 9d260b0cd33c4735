//! The state in one file: as it stood before the kept history, and that history behind it, so that
//! watches resume over a restart.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use super::OpenError;
use super::disk::{Disk, DiskFile, SYNC_EVERY_BYTES};
use super::format::{FileHeader, FileKind, FrameBuilder, FrameKind, VERSION};
use super::frames::{Contents, read_frames};
use super::log::TEMPORARY_SUFFIX;
use super::recovery::{Input, replay};
use crate::core::Core;
use crate::shared::Moment;
use crate::tree::Tree;
use crate::{Entry, Event, Options, Revision, Snapshot};

/// A frame is closed once it holds this much.
const FRAME_BYTES: usize = 256 << 10;

pub(super) fn snapshot_name(revision: Revision) -> String {
    format!("snapshot-{:020}", revision.0)
}

/// Writes a snapshot into the store's folder; once this returns true, it rests. False when told to
/// stop.
pub(super) fn write_snapshot(disk: &dyn Disk, salt: u32, snapshot: &Snapshot, stop: &AtomicBool) -> io::Result<bool> {
    let name = snapshot_name(snapshot.revision());
    let temporary = format!("{name}{TEMPORARY_SUFFIX}");
    let is_whole = disk.create(&temporary).and_then(|file| write_whole(file, salt, snapshot, stop));
    if let Ok(true) = is_whole {
        disk.rename(&temporary, &name)?;
        disk.sync_folder()?;
    } else {
        // A full disk needs the room back; what cannot be removed now, the next start removes.
        drop(disk.remove(&temporary));
    }
    is_whole
}

/// Writes the state and its history; once this returns true, the file rests. False when told to stop.
pub(super) fn write_whole(
    file: Box<dyn DiskFile>,
    salt: u32,
    snapshot: &Snapshot,
    stop: &AtomicBool,
) -> io::Result<bool> {
    let (oldest, oldest_time) = snapshot.oldest();
    let mut output = Output::begin(file, salt, snapshot.revision())?;
    output.base(oldest, oldest_time)?;
    let is_whole = output.entries(oldest, snapshot.base().iter_from(0), stop)?
        && output.history(oldest, transactions(snapshot), stop)?;
    if is_whole {
        output.leases(snapshot)?;
        output.end()?;
    }
    Ok(is_whole)
}

/// Writes the state as if it had come to be at `revision`, so that nothing is known of what was
/// before. Once this returns, the file rests.
pub(super) fn write_at_revision(
    file: Box<dyn DiskFile>,
    salt: u32,
    snapshot: &Snapshot,
    revision: Revision,
) -> io::Result<()> {
    let never = AtomicBool::new(false);
    let mut output = Output::begin(file, salt, revision)?;
    output.base(revision, snapshot.time())?;
    output.entries(revision, snapshot.entries(), &never)?;
    output.history(revision, std::iter::empty(), &never)?;
    output.leases(snapshot)?;
    output.end()
}

/// The history in transactions: events of one revision.
fn transactions(snapshot: &Snapshot) -> impl Iterator<Item = Vec<&Event>> {
    let mut events = snapshot.history().peekable();
    std::iter::from_fn(move || {
        let first = events.next()?;
        let mut transaction = vec![first];
        while let Some(next) = events.next_if(|next| next.revision == first.revision) {
            transaction.push(next);
        }
        Some(transaction)
    })
}

/// Reads a snapshot, which is whole or damaged: it got its name when it rested.
pub(super) fn read_snapshot(input: &Input, options: &Options, now: Moment) -> Result<Core, OpenError> {
    let mut reading = Reading::default();
    let end = read_frames(input, |offset, header, contents| {
        let damaged = |reason| input.damaged(offset, reason);
        if reading.is_ended {
            return Err(damaged("something follows its end"));
        }
        match (contents, &mut reading.core) {
            (Contents::Base(time), None) => reading.oldest_time = Some(time),
            (Contents::Entries(entries), None) => {
                reading.oldest = header.revision;
                entries.into_iter().for_each(|entry| drop(reading.tree.insert(entry)));
            }
            (Contents::Transactions(transactions), state) => {
                let core = state.get_or_insert_with(|| {
                    let tree = std::mem::replace(&mut reading.tree, Tree::new());
                    // Version 1 does not say when that was.
                    let time = reading.oldest_time.unwrap_or(SystemTime::UNIX_EPOCH);
                    Core::new(options, tree, reading.oldest, time)
                });
                replay(core, transactions, now).map_err(damaged)?;
            }
            (Contents::Leases(leases), Some(core)) if header.revision == core.revision() => {
                for (key, due) in leases {
                    let key = core.entries.get(&key).map(|entry| entry.key.clone());
                    let key = key.ok_or_else(|| damaged("it tells of the end of a key that is not there"))?;
                    core.leases.grant(key, due, now);
                }
            }
            (Contents::End, Some(core)) => {
                if header.count != reading.records || header.revision != input.header.revision {
                    return Err(damaged("its end belongs to another snapshot"));
                }
                if core.revision() != header.revision {
                    return Err(damaged("it ends at another revision than it says"));
                }
                reading.is_ended = true;
            }
            _ => return Err(damaged("its records are out of order")),
        }
        reading.records = reading.records.wrapping_add(header.count);
        Ok(())
    })?;
    match reading.core {
        Some(core) if reading.is_ended => Ok(core),
        _ => Err(input.damaged(end, "the record fails its checksum")),
    }
}

/// How far a snapshot has been read.
#[derive(Debug)]
struct Reading {
    tree: Tree<Entry>,
    oldest: Revision,
    oldest_time: Option<SystemTime>,
    /// There once the history begins.
    core: Option<Core>,
    records: u32,
    is_ended: bool,
}

impl Default for Reading {
    fn default() -> Self {
        Reading { tree: Tree::new(), oldest: Revision(0), oldest_time: None, core: None, records: 0, is_ended: false }
    }
}

/// A snapshot being written, frame by frame.
#[derive(Debug)]
struct Output {
    file: Box<dyn DiskFile>,
    offset: u64,
    /// What stands before it rests.
    synced: u64,
    salt: u32,
    revision: Revision,
    records: u32,
}

impl Output {
    fn begin(file: Box<dyn DiskFile>, salt: u32, revision: Revision) -> io::Result<Output> {
        let mut output = Output { file, offset: 0, synced: 0, salt, revision, records: 0 };
        let header = FileHeader { version: VERSION, kind: FileKind::Snapshot, salt, revision };
        output.write_bytes(&header.encode())?;
        Ok(output)
    }

    fn base(&mut self, oldest: Revision, time: SystemTime) -> io::Result<()> {
        let mut frame = FrameBuilder::new(FrameKind::Base, oldest);
        frame.push_base(time);
        self.write(frame)
    }

    /// False when told to stop, as [`Output::history`].
    fn entries<'a>(
        &mut self,
        oldest: Revision,
        entries: impl Iterator<Item = &'a Entry>,
        stop: &AtomicBool,
    ) -> io::Result<bool> {
        let mut frame = FrameBuilder::new(FrameKind::Entries, oldest);
        for entry in entries {
            if frame.payload_bytes() >= FRAME_BYTES {
                self.write(std::mem::replace(&mut frame, FrameBuilder::new(FrameKind::Entries, oldest)))?;
                if stop.load(Ordering::Relaxed) {
                    return Ok(false);
                }
            }
            frame.push_entry(entry);
        }
        self.write(frame)?;
        Ok(true)
    }

    fn history<'a>(
        &mut self,
        oldest: Revision,
        transactions: impl Iterator<Item = Vec<&'a Event>>,
        stop: &AtomicBool,
    ) -> io::Result<bool> {
        let mut frame = FrameBuilder::new(FrameKind::Transactions, Revision(oldest.0 + 1));
        for transaction in transactions {
            let Some(first) = transaction.first() else { continue };
            if frame.payload_bytes() >= FRAME_BYTES {
                let next = FrameBuilder::new(FrameKind::Transactions, first.revision);
                self.write(std::mem::replace(&mut frame, next))?;
                if stop.load(Ordering::Relaxed) {
                    return Ok(false);
                }
            }
            // The leases of the past have ended or stand behind the history.
            let changes = transaction.iter().map(|event| (*event, None));
            frame.push_transaction(first.revision, first.time, first.author.as_deref(), changes);
        }
        // Also when it is empty: the state begins where the first of these frames stands.
        self.write(frame)?;
        Ok(true)
    }

    fn leases(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        let mut frame = FrameBuilder::new(FrameKind::Leases, self.revision);
        for (key, due) in snapshot.leases() {
            if frame.payload_bytes() >= FRAME_BYTES {
                self.write(std::mem::replace(&mut frame, FrameBuilder::new(FrameKind::Leases, self.revision)))?;
            }
            frame.push_lease(key, due);
        }
        self.write(frame)
    }

    fn end(mut self) -> io::Result<()> {
        let end = FrameBuilder::new(FrameKind::End, self.revision).finish_counting(self.salt, self.records);
        self.write_bytes(&end)?;
        self.file.sync()
    }

    fn write(&mut self, frame: FrameBuilder) -> io::Result<()> {
        self.records = self.records.wrapping_add(frame.count());
        self.write_bytes(&frame.finish(self.salt))?;
        if self.offset - self.synced >= SYNC_EVERY_BYTES {
            self.file.sync()?;
            self.synced = self.offset;
        }
        Ok(())
    }

    fn write_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(self.offset, bytes)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }
}
