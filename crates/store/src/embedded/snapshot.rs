//! The state in one file: as it stood before the kept history, and that history behind it, so that
//! watches resume over a restart.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::Instant;

use super::OpenError;
use super::disk::{Disk, DiskFile};
use super::format::{FileHeader, FileKind, FrameBuilder, FrameKind, Records};
use super::log::TEMPORARY_SUFFIX;
use super::recovery::{Input, replay_events};
use crate::core::{Core, Frozen};
use crate::tree::Tree;
use crate::{Options, Revision};

/// A frame is closed once it holds this much.
const FRAME_BYTES: usize = 256 << 10;

pub(super) fn snapshot_name(revision: Revision) -> String {
    format!("snapshot-{:020}", revision.0)
}

/// Writes a snapshot; once this returns true, it rests. False when told to stop.
pub(super) fn write_snapshot(disk: &dyn Disk, salt: u32, frozen: &Frozen, stop: &AtomicBool) -> io::Result<bool> {
    let name = snapshot_name(frozen.revision);
    let temporary = format!("{name}{TEMPORARY_SUFFIX}");
    let whole = write_contents(disk, &temporary, salt, frozen, stop);
    if let Ok(true) = whole {
        disk.rename(&temporary, &name)?;
        disk.sync_folder()?;
    } else {
        // A full disk needs the room back; what cannot be removed now, the next start removes.
        drop(disk.remove(&temporary));
    }
    whole
}

fn write_contents(disk: &dyn Disk, name: &str, salt: u32, frozen: &Frozen, stop: &AtomicBool) -> io::Result<bool> {
    let header = FileHeader { kind: FileKind::Snapshot, salt, revision: frozen.revision };
    let mut output = Output { file: disk.create(name)?, offset: 0 };
    output.write(&header.encode())?;

    let base = frozen.base();
    let mut records = 0;
    let mut frame = FrameBuilder::new(FrameKind::Entries, frozen.oldest);
    for entry in base.iter_from(0) {
        if frame.payload_bytes() >= FRAME_BYTES {
            output.write(&frame.finish(salt))?;
            frame = FrameBuilder::new(FrameKind::Entries, frozen.oldest);
            if stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
        }
        frame.push_entry(entry);
        records += 1;
    }
    // Written even when it is empty: it carries the oldest revision.
    output.write(&frame.finish(salt))?;

    let mut frame = FrameBuilder::new(FrameKind::Events, Revision(frozen.oldest.0 + 1));
    for event in &frozen.history {
        if frame.payload_bytes() >= FRAME_BYTES {
            output.write(&frame.finish(salt))?;
            frame = FrameBuilder::new(FrameKind::Events, event.revision);
        }
        frame.push_event(event);
        records += 1;
    }
    output.write(&frame.finish(salt))?;
    output.write(&FrameBuilder::new(FrameKind::End, frozen.revision).finish_counting(salt, records))?;

    output.file.sync()?;
    Ok(true)
}

/// Reads a snapshot, which is whole or damaged: it got its name when it rested.
pub(super) fn read_snapshot(input: &Input, options: &Options, now: Instant) -> Result<Core, OpenError> {
    let mut frames = input.frames();
    let mut tree = Tree::new();
    let mut oldest = Revision(0);
    let mut core = None;
    let mut records = 0_u32;
    loop {
        let offset = frames.offset();
        let Some((header, payload)) = frames.next().map_err(|error| input.failed(error))? else {
            return Err(input.damaged(offset, "the record fails its checksum"));
        };
        match header.kind {
            FrameKind::Entries if core.is_none() => {
                oldest = header.revision;
                let mut contents = Records::new(payload);
                for _ in 0..header.count {
                    let entry = contents
                        .entry()
                        .ok_or_else(|| input.damaged(offset, "its contents do not follow the format"))?;
                    tree.insert(entry);
                }
            }
            FrameKind::Events => {
                let core =
                    core.get_or_insert_with(|| Core::new(options, std::mem::replace(&mut tree, Tree::new()), oldest));
                replay_events(core, &header, payload, now).map_err(|reason| input.damaged(offset, reason))?;
            }
            FrameKind::End if header.count == records && header.revision == input.header.revision => {
                return match core {
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
}

impl Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(self.offset, bytes)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }
}
