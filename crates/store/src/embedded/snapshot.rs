//! The state in one file: as it stood before the kept history, and that history behind it, so that
//! watches resume over a restart.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use super::OpenError;
use super::disk::{Disk, DiskFile};
use super::format::{FileHeader, FileKind, FrameBuilder, FrameKind, Records, VERSION};
use super::log::TEMPORARY_SUFFIX;
use super::recovery::{Input, replay_frame};
use crate::core::Core;
use crate::shared::Moment;
use crate::tree::Tree;
use crate::{Event, Options, Revision, Snapshot};

/// A frame is closed once it holds this much.
const FRAME_BYTES: usize = 256 << 10;

pub(super) fn snapshot_name(revision: Revision) -> String {
    format!("snapshot-{:020}", revision.0)
}

/// Writes a snapshot; once this returns true, it rests. False when told to stop.
pub(super) fn write_snapshot(disk: &dyn Disk, salt: u32, snapshot: &Snapshot, stop: &AtomicBool) -> io::Result<bool> {
    let name = snapshot_name(snapshot.revision());
    let temporary = format!("{name}{TEMPORARY_SUFFIX}");
    let whole = write_contents(disk, &temporary, salt, snapshot, stop);
    if let Ok(true) = whole {
        disk.rename(&temporary, &name)?;
        disk.sync_folder()?;
    } else {
        // A full disk needs the room back; what cannot be removed now, the next start removes.
        drop(disk.remove(&temporary));
    }
    whole
}

fn write_contents(disk: &dyn Disk, name: &str, salt: u32, snapshot: &Snapshot, stop: &AtomicBool) -> io::Result<bool> {
    let header = FileHeader { version: VERSION, kind: FileKind::Snapshot, salt, revision: snapshot.revision() };
    let mut output = Output { file: disk.create(name)?, offset: 0, salt, records: 0 };
    output.write_bytes(&header.encode())?;

    let (oldest, oldest_time) = snapshot.oldest();
    let mut frame = FrameBuilder::new(FrameKind::Base, oldest);
    frame.push_base(oldest_time);
    output.write(frame)?;

    let base = snapshot.base();
    let mut frame = FrameBuilder::new(FrameKind::Entries, oldest);
    for entry in base.iter_from(0) {
        if frame.payload_bytes() >= FRAME_BYTES {
            output.write(frame)?;
            frame = FrameBuilder::new(FrameKind::Entries, oldest);
            if stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
        }
        frame.push_entry(entry);
    }
    output.write(frame)?;

    let mut frame = FrameBuilder::new(FrameKind::Transactions, Revision(oldest.0 + 1));
    for transaction in transactions(snapshot) {
        let Some(first) = transaction.first() else { continue };
        if frame.payload_bytes() >= FRAME_BYTES {
            output.write(frame)?;
            frame = FrameBuilder::new(FrameKind::Transactions, first.revision);
            if stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
        }
        // The leases of the past have ended or stand behind the history.
        let changes = transaction.iter().map(|event| (*event, None));
        frame.push_transaction(first.revision, first.time, first.author.as_deref(), changes);
    }
    // Also when it is empty: the state begins where the first of these frames stands.
    output.write(frame)?;

    let mut frame = FrameBuilder::new(FrameKind::Leases, snapshot.revision());
    for (key, due) in snapshot.leases() {
        if frame.payload_bytes() >= FRAME_BYTES {
            output.write(frame)?;
            frame = FrameBuilder::new(FrameKind::Leases, snapshot.revision());
        }
        frame.push_lease(key, due);
    }
    output.write(frame)?;

    let records = output.records;
    let end = FrameBuilder::new(FrameKind::End, snapshot.revision());
    output.write_bytes(&end.finish_counting(salt, records))?;
    output.file.sync()?;
    Ok(true)
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
    let mut frames = input.frames();
    let mut tree = Tree::new();
    let mut oldest = Revision(0);
    // Version 1 does not say it.
    let mut oldest_time = SystemTime::UNIX_EPOCH;
    let mut core: Option<Core> = None;
    let mut records = 0_u32;
    loop {
        let offset = frames.offset();
        let Some((header, payload)) = frames.next().map_err(|error| input.failed(error))? else {
            return Err(input.damaged(offset, "the record fails its checksum"));
        };
        let malformed = || input.damaged(offset, "its contents do not follow the format");
        let mut contents = Records::new(payload);
        match (header.kind, &mut core) {
            (FrameKind::Base, None) => oldest_time = contents.time().ok_or_else(malformed)?,
            (FrameKind::Entries, None) => {
                oldest = header.revision;
                for _ in 0..header.count {
                    tree.insert(contents.entry().ok_or_else(malformed)?);
                }
            }
            (FrameKind::Events | FrameKind::Transactions, state) => {
                let core = state.get_or_insert_with(|| {
                    Core::new(options, std::mem::replace(&mut tree, Tree::new()), oldest, oldest_time)
                });
                replay_frame(core, &header, payload, now).map_err(|reason| input.damaged(offset, reason))?;
            }
            (FrameKind::Leases, Some(core)) if header.revision == core.revision() => {
                for _ in 0..header.count {
                    let (key, due) = contents.lease().ok_or_else(malformed)?;
                    let Some(entry) = core.entries.get(key) else {
                        return Err(input.damaged(offset, "it tells of the end of a key that is not there"));
                    };
                    core.leases.grant(entry.key.clone(), due, now);
                }
            }
            (FrameKind::End, core) if header.count == records && header.revision == input.header.revision => {
                return match core.take() {
                    Some(core) if core.revision() == header.revision => Ok(core),
                    _ => Err(input.damaged(offset, "it ends at another revision than it says")),
                };
            }
            _ => return Err(input.damaged(offset, "its records are out of order")),
        }
        records = records.wrapping_add(header.count);
    }
}

#[derive(Debug)]
struct Output {
    file: Box<dyn DiskFile>,
    offset: u64,
    salt: u32,
    records: u32,
}

impl Output {
    fn write(&mut self, frame: FrameBuilder) -> io::Result<()> {
        self.records = self.records.wrapping_add(frame.count());
        self.write_bytes(&frame.finish(self.salt))
    }

    fn write_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(self.offset, bytes)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }
}
