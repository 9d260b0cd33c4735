//! The logs, open at their end.
//!
//! A log is made of zeros before anything is appended to it, so that appending changes neither its
//! length nor its map, and a sync writes data only. (`fallocate` would not do: the first write to
//! what it allocates changes the map.) The next log is made, in the background, while the present
//! one fills, and gets its name when its first frame is at hand.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use super::disk::{Disk, DiskFile, SYNC_EVERY_BYTES, make_aligned};
use super::format::{FileHeader, FileKind, FrameBuilder, SECTOR_BYTES, UNIT_BYTES, VERSION};
use crate::Revision;

/// The room of the first log; each has twice the room of the one before, up to the most.
const FIRST_ROOM_BYTES: u64 = 64 << 10;
const MAX_ROOM_BYTES: u64 = 16 << 20;
const MIN_ROOM_BYTES: u64 = 4 << 10;

/// Where the first frame begins: the header has a sector of its own, which is not written again.
const START_BYTES: u64 = SECTOR_BYTES as u64;

/// Ends the last sector of a frame that does not fill it.
const END_MARK: u8 = 0xed;

/// How many zeros are written at once.
const ZEROS_BYTES: usize = 256 << 10;

pub(super) const TEMPORARY_SUFFIX: &str = ".tmp";
/// A log that has no name yet.
pub(super) const NEXT_LOG: &str = "log-next.tmp";

/// Why a frame was not appended.
#[derive(Debug)]
pub(super) enum AppendError {
    /// The disk is full: nothing of the frame is there, and another try may succeed.
    Full(io::Error),
    /// What the disk holds now is not known: nothing must be appended any more.
    Broken(io::Error),
}

/// The logs: the present one, the next one, and how long those before are.
#[derive(Debug)]
pub(super) struct Journal {
    disk: Arc<dyn Disk>,
    /// `None` until something is written.
    log: Option<Log>,
    next: Option<JoinHandle<io::Result<Blank>>>,
    next_room_bytes: u64,
    max_room_bytes: u64,
    /// The lengths of the logs before the present one that no snapshot stands for.
    earlier_bytes: u64,
}

/// A log that takes frames.
#[derive(Debug)]
pub(super) struct Log {
    file: Box<dyn DiskFile>,
    salt: u32,
    first: Revision,
    /// Where the next frame goes.
    end: u64,
    /// The file's length. What lies behind `end` is zeros.
    room: u64,
}

/// Nothing but zeros, at rest, under the name [`NEXT_LOG`].
#[derive(Debug)]
struct Blank {
    file: Box<dyn DiskFile>,
    room: u64,
}

impl Journal {
    /// Goes on with `log`, if there is one, behind others of so many bytes.
    pub(super) fn new(disk: Arc<dyn Disk>, log: Option<Log>, earlier_bytes: u64, rotate_log_bytes: u64) -> Self {
        let max_room_bytes = rotate_log_bytes.clamp(MIN_ROOM_BYTES, MAX_ROOM_BYTES).next_multiple_of(START_BYTES);
        let next_room_bytes = log.as_ref().map_or(FIRST_ROOM_BYTES, |log| log.room * 2).min(max_room_bytes);
        Journal { disk, log, next: None, next_room_bytes, max_room_bytes, earlier_bytes }
    }

    /// Appends a frame whose first revision is `first`; once this returns, it rests. A log that has
    /// to begin gets `salt`.
    pub(super) fn append(&mut self, frame: &mut FrameBuilder, first: Revision, salt: u32) -> Result<(), AppendError> {
        let length = (UNIT_BYTES + frame.payload_bytes()).next_multiple_of(SECTOR_BYTES) as u64;
        if !self.log.as_ref().is_some_and(|log| log.takes(length)) {
            let begun = self.begin(first, salt, length)?;
            self.next_room_bytes = (self.next_room_bytes * 2).min(self.max_room_bytes);
            self.earlier_bytes += self.log.replace(begun).map_or(0, |full| full.end);
        }
        // Whatever else, there is a log now.
        let Some(log) = &mut self.log else { return Ok(()) };
        log.append(frame)?;
        if log.is_half_full() && self.next.is_none() {
            self.next = self.prepare_next();
        }
        Ok(())
    }

    /// The lengths of the logs before the present one that no snapshot stands for.
    pub(super) fn earlier_bytes(&self) -> u64 {
        self.earlier_bytes
    }

    /// A snapshot stands for so many bytes of earlier logs.
    pub(super) fn forget_earlier(&mut self, bytes: u64) {
        self.earlier_bytes = self.earlier_bytes.saturating_sub(bytes);
    }

    /// How a person would find what is being written to.
    pub(super) fn path(&self) -> PathBuf {
        self.disk.path(&self.log.as_ref().map_or_else(String::new, |log| log_name(log.first)))
    }

    /// Waits for what goes on in the background, and leaves no blank behind.
    pub(super) fn close(mut self) {
        if let Some(Ok(_)) = self.next.take().and_then(|thread| thread.join().ok())
            && let Err(error) = self.disk.remove(NEXT_LOG)
        {
            // The next start removes it.
            tracing::debug!(%error, "cannot remove a log that was prepared for nothing");
        }
    }

    /// A log with room for a frame of so many bytes. It rests, under its name.
    fn begin(&mut self, first: Revision, salt: u32, least_bytes: u64) -> Result<Log, AppendError> {
        let room = self.next_room_bytes.max(START_BYTES + least_bytes);
        let prepared = self.next.take().map(|thread| thread.join());
        let Blank { mut file, room } = match prepared {
            Some(Ok(Ok(blank))) if blank.room >= room => blank,
            _ => make_blank(&*self.disk, room).map_err(|error| self.beginning_failed(error))?,
        };
        let header = FileHeader { version: VERSION, kind: FileKind::Log, salt, revision: first }.encode();
        let named = file
            .write_at(0, &header)
            .and_then(|()| file.sync())
            .and_then(|()| self.disk.rename(NEXT_LOG, &log_name(first)));
        named.map_err(|error| self.beginning_failed(error))?;
        self.disk.sync_folder().map_err(AppendError::Broken)?;
        Ok(Log { file, salt, first, end: START_BYTES, room })
    }

    /// What has no name yet is no part of the store: that it failed does no harm.
    fn beginning_failed(&self, error: io::Error) -> AppendError {
        if !is_full(&error) {
            return AppendError::Broken(error);
        }
        if let Err(error) = self.disk.remove(NEXT_LOG)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::debug!(%error, "cannot give back the room of an unfinished log");
        }
        AppendError::Full(error)
    }

    fn prepare_next(&self) -> Option<JoinHandle<io::Result<Blank>>> {
        let (disk, room) = (self.disk.clone(), self.next_room_bytes);
        let thread = std::thread::Builder::new().name("store-prepare".into());
        match thread.spawn(move || make_blank(&*disk, room)) {
            Ok(thread) => Some(thread),
            Err(error) => {
                tracing::debug!(%error, "the next log is not prepared ahead");
                None
            }
        }
    }
}

impl Log {
    /// Makes sure that a log rests up to `end` and holds nothing behind it. The last frame, from
    /// `start` on, is written once more: after a sync that failed, the kernel may take for written
    /// what is not. Every frame before it was followed by another, so its own sync succeeded.
    pub(super) fn secure(file: &mut dyn DiskFile, start: u64, end: u64, is_torn: bool) -> io::Result<()> {
        if is_torn {
            file.set_length(end)?;
        }
        let mut frame = vec![0; (end - start) as usize];
        let filled = file.read_at(start, &mut frame)?;
        file.write_at(start, &frame[..filled])?;
        file.sync()
    }

    /// Goes on with a log that is secured up to `end`.
    pub(super) fn resume(file: Box<dyn DiskFile>, header: &FileHeader, end: u64) -> io::Result<Log> {
        let room = file.length()?;
        Ok(Log { file, salt: header.salt, first: header.revision, end, room })
    }

    /// An empty log takes every frame: the one behind it would get the same name.
    fn takes(&self, frame_bytes: u64) -> bool {
        self.end + frame_bytes <= self.room || self.end == START_BYTES
    }

    fn is_half_full(&self) -> bool {
        self.end > self.room / 2
    }

    fn append(&mut self, frame: &mut FrameBuilder) -> Result<(), AppendError> {
        let frame_bytes = (UNIT_BYTES + frame.payload_bytes()).next_multiple_of(UNIT_BYTES);
        let bytes = frame.seal(self.salt, SECTOR_BYTES);
        // The last sector tells, too, that it was written.
        if let (Some(last), false) = (bytes.last_mut(), frame_bytes.is_multiple_of(SECTOR_BYTES)) {
            *last = END_MARK;
        }
        match self.file.write_at(self.end, bytes) {
            Ok(()) => {}
            Err(error) if is_full(&error) => {
                // The next frame may be shorter, and what is behind it must be nothing.
                self.file.set_length(self.end).and_then(|()| self.file.sync()).map_err(AppendError::Broken)?;
                self.room = self.end;
                return Err(AppendError::Full(error));
            }
            Err(error) => return Err(AppendError::Broken(error)),
        }
        self.file.sync().map_err(AppendError::Broken)?;
        self.end += bytes.len() as u64;
        self.room = self.room.max(self.end);
        Ok(())
    }
}

pub(super) fn log_name(first: Revision) -> String {
    format!("log-{:020}", first.0)
}

fn make_blank(disk: &dyn Disk, room: u64) -> io::Result<Blank> {
    let mut file = disk.create(NEXT_LOG)?;
    let mut buffer = Vec::new();
    let start = make_aligned(&mut buffer, ZEROS_BYTES.min(room as usize));
    buffer.resize(start + ZEROS_BYTES.min(room as usize), 0);
    let zeros = &buffer[start..];
    let mut written = 0;
    while written < room {
        let count = zeros.len().min((room - written) as usize);
        file.write_at(written, &zeros[..count])?;
        written += count as u64;
        if written % SYNC_EVERY_BYTES == 0 {
            file.sync()?;
        }
    }
    file.sync()?;
    Ok(Blank { file, room })
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
