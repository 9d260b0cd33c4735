//! The append-only log, and how a file of frames is read back.

use std::io;

use super::disk::{Disk, DiskFile};
use super::format::{FileHeader, FileKind, FrameHeader, UNIT_BYTES, VERSION};
use crate::Revision;

/// The room a log is given at first, and the most it is given at once later.
const FIRST_ROOM_BYTES: u64 = 64 << 10;
const MAX_ROOM_BYTES: u64 = 1 << 20;

/// What a disk writes wholly or not at all.
const SECTOR_BYTES: u64 = 512;

/// How much of a file is read at once.
const READ_BYTES: usize = 1 << 20;

/// A log open at its end.
#[derive(Debug)]
pub(super) struct Log {
    file: Box<dyn DiskFile>,
    salt: u32,
    first: Revision,
    /// Where the next frame goes.
    end: u64,
    /// The file's length. What lies behind `end` is zeros, written before, so that appending
    /// changes neither the length nor the map of the file, and a sync writes data only.
    /// (`fallocate` would not do: the first write to what it allocates changes the map.)
    room: u64,
}

impl Log {
    /// Begins a log. Once this returns, it rests, whole.
    pub(super) fn create(disk: &dyn Disk, salt: u32, first: Revision) -> io::Result<Log> {
        let name = log_name(first);
        let temporary = format!("{name}{TEMPORARY_SUFFIX}");
        let mut file = disk.create(&temporary)?;
        let mut start = vec![0; FIRST_ROOM_BYTES as usize];
        start[..UNIT_BYTES]
            .copy_from_slice(&FileHeader { version: VERSION, kind: FileKind::Log, salt, revision: first }.encode());
        file.write_at(0, &start)?;
        file.sync()?;
        disk.rename(&temporary, &name)?;
        disk.sync_folder()?;
        Ok(Log { file, salt, first, end: UNIT_BYTES as u64, room: FIRST_ROOM_BYTES })
    }

    /// Cuts off what lies behind a log's last whole frame.
    pub(super) fn cut(file: &mut dyn DiskFile, end: u64) -> io::Result<()> {
        file.set_length(end)?;
        file.sync()
    }

    /// Goes on with a log whose last whole frame ends at `end`; nothing but zeros lies behind it.
    pub(super) fn resume(file: Box<dyn DiskFile>, header: FileHeader, end: u64) -> io::Result<Log> {
        let room = file.length()?;
        Ok(Log { file, salt: header.salt, first: header.revision, end, room })
    }

    pub(super) fn first(&self) -> Revision {
        self.first
    }

    pub(super) fn salt(&self) -> u32 {
        self.salt
    }

    pub(super) fn bytes(&self) -> u64 {
        self.end
    }

    /// Appends a frame; once this returns, it rests. After an error the log takes no more: what
    /// the disk holds then is only known after reading it again.
    pub(super) fn append(&mut self, frame: &[u8]) -> io::Result<()> {
        let end = self.end + frame.len() as u64;
        if end > self.room {
            let step = self.room.clamp(FIRST_ROOM_BYTES, MAX_ROOM_BYTES);
            let room = end.next_multiple_of(step);
            // Only the zeros behind the frame: the frame itself follows.
            self.file.write_at(end, &vec![0; (room - end) as usize])?;
            self.room = room;
        }
        self.file.write_at(self.end, frame)?;
        self.file.sync()?;
        self.end = end;
        Ok(())
    }
}

pub(super) const TEMPORARY_SUFFIX: &str = ".tmp";

pub(super) fn log_name(first: Revision) -> String {
    format!("log-{:020}", first.0)
}

/// Reads a file's frames in order.
#[derive(Debug)]
pub(super) struct FrameReader<'a> {
    file: &'a dyn DiskFile,
    salt: u32,
    /// Where the next frame begins.
    offset: u64,
    /// What has been read of the file, `buffer[0]` being at `buffer_offset`.
    buffer: Vec<u8>,
    buffer_offset: u64,
}

impl<'a> FrameReader<'a> {
    /// Begins behind the file's header.
    pub(super) fn new(file: &'a dyn DiskFile, salt: u32) -> Self {
        let start = UNIT_BYTES as u64;
        FrameReader { file, salt, offset: start, buffer: Vec::new(), buffer_offset: start }
    }

    /// Where the next frame begins: behind the last one returned.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next frame's header and payload, or `None` when what follows is not a whole frame.
    pub(super) fn next(&mut self) -> io::Result<Option<(FrameHeader, &[u8])>> {
        let salt = self.salt;
        let Some(header) = FrameHeader::decode(self.peek(UNIT_BYTES)?, salt) else { return Ok(None) };
        let payload_end = UNIT_BYTES + header.payload_bytes;
        let whole = self.peek(header.frame_bytes())?.get(UNIT_BYTES..payload_end);
        if !whole.is_some_and(|payload| header.accepts(payload, salt)) {
            return Ok(None);
        }
        let start = (self.offset - self.buffer_offset) as usize;
        self.offset += header.frame_bytes() as u64;
        Ok(Some((header, &self.buffer[start + UNIT_BYTES..start + payload_end])))
    }

    /// The file from the next frame to its end.
    pub(super) fn rest(&self) -> io::Result<Vec<u8>> {
        let mut rest = vec![0; self.file.length()?.saturating_sub(self.offset) as usize];
        let filled = self.file.read_at(self.offset, &mut rest)?;
        rest.truncate(filled);
        Ok(rest)
    }

    /// Up to `count` bytes from where the next frame begins; fewer only at the end of the file.
    fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        let mut start = (self.offset - self.buffer_offset) as usize;
        if self.buffer.len() < start + count {
            self.buffer.drain(..start.min(self.buffer.len()));
            self.buffer_offset = self.offset;
            start = 0;
            let had = self.buffer.len();
            self.buffer.resize(count.max(READ_BYTES), 0);
            let filled = self.file.read_at(self.buffer_offset + had as u64, &mut self.buffer[had..])?;
            self.buffer.truncate(had + filled);
        }
        Ok(&self.buffer[start..self.buffer.len().min(start + count)])
    }
}

/// What lies behind a log's last whole frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// Nothing.
    Clean,
    /// A write that a crash cut short: it was never acknowledged.
    Torn,
    /// A write that was whole once.
    Damaged(&'static str),
}

/// Tells a torn tail from damage. `rest` begins at `offset` of the file, where no whole frame is.
///
/// A frame is appended only when the one before it rests, so there is one torn frame at most and
/// nothing whole behind it. What a crash kept of it are whole sectors; the others are still zeros.
pub(super) fn judge_tail(rest: &[u8], offset: u64, salt: u32) -> Tail {
    if is_zero(rest) {
        return Tail::Clean;
    }
    if (UNIT_BYTES..rest.len()).step_by(UNIT_BYTES).any(|start| is_whole_frame(&rest[start..], salt)) {
        return Tail::Damaged("a later record is whole and this one is not");
    }
    if rest.len() < UNIT_BYTES || is_zero(&rest[..UNIT_BYTES]) {
        return Tail::Torn;
    }
    let Some(header) = FrameHeader::decode(rest, salt) else {
        return Tail::Damaged("the record's header fails its checksum");
    };
    let Some(frame) = rest.get(..header.frame_bytes()) else { return Tail::Torn };
    let first_sector_end = (SECTOR_BYTES - offset % SECTOR_BYTES) as usize;
    let (first, others) = frame.split_at(first_sector_end.min(frame.len()));
    if is_zero(first) || others.chunks(SECTOR_BYTES as usize).any(is_zero) {
        return Tail::Torn;
    }
    Tail::Damaged("the record was written whole and fails its checksum")
}

fn is_whole_frame(bytes: &[u8], salt: u32) -> bool {
    FrameHeader::decode(bytes, salt).is_some_and(|header| {
        let payload = bytes.get(UNIT_BYTES..UNIT_BYTES + header.payload_bytes);
        payload.is_some_and(|payload| header.accepts(payload, salt))
    })
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use bytes::Bytes;

    use super::super::format::{FrameBuilder, FrameKind};
    use super::*;
    use crate::{Change, Entry, Event};

    const SALT: u32 = 99;

    fn frame(revision: u64, value_bytes: usize) -> Vec<u8> {
        let revision = Revision(revision);
        let entry = Entry {
            key: "k".into(),
            value: Bytes::from(vec![b'v'; value_bytes]),
            created: revision,
            modified: revision,
        };
        let time = SystemTime::UNIX_EPOCH;
        let event = Event { revision, change: Change::Put(entry), previous: None, time, author: None };
        let mut frame = FrameBuilder::new(FrameKind::Transactions, revision);
        frame.push_transaction(revision, time, None, [(&event, None)].into_iter());
        frame.finish(SALT)
    }

    #[test]
    fn a_torn_tail_is_told_from_damage() {
        let check = |rest: &[u8], expected: Tail| assert_eq!(judge_tail(rest, 32, SALT), expected);
        let whole = frame(1, 2000);
        let room = vec![0; 4096];

        check(&room, Tail::Clean);
        check(&[], Tail::Clean);
        check(&whole[..1500], Tail::Torn);

        // The first sector, which holds the header, did not make it; then a later one.
        let mut without_first = [whole.clone(), room.clone()].concat();
        without_first[..480].fill(0);
        check(&without_first, Tail::Torn);
        let mut without_third = [whole.clone(), room.clone()].concat();
        without_third[480 + 512..480 + 1024].fill(0);
        check(&without_third, Tail::Torn);

        let mut flipped = [whole.clone(), room.clone()].concat();
        flipped[1000] ^= 1;
        check(&flipped, Tail::Damaged("the record was written whole and fails its checksum"));
        let mut header_flipped = [whole.clone(), room.clone()].concat();
        header_flipped[9] ^= 1;
        check(&header_flipped, Tail::Damaged("the record's header fails its checksum"));
        let mut followed = [whole.clone(), frame(2, 10), room].concat();
        followed[480 + 512..480 + 1024].fill(0);
        check(&followed, Tail::Damaged("a later record is whole and this one is not"));
    }

    #[test]
    fn frames_larger_than_the_read_buffer_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let disk = super::super::FolderDisk::open(folder.path()).unwrap();
        let mut log = Log::create(&disk, SALT, Revision(1)).unwrap();
        let frames: Vec<Vec<u8>> =
            [10, 3 << 20, 100, READ_BYTES, 1].iter().zip(1..).map(|(&size, revision)| frame(revision, size)).collect();
        for frame in &frames {
            log.append(frame).unwrap();
        }
        let mut reader = FrameReader::new(&*log.file, SALT);
        for frame in &frames {
            let (header, payload) = reader.next().unwrap().unwrap();
            assert_eq!(payload, &frame[UNIT_BYTES..UNIT_BYTES + header.payload_bytes]);
        }
        assert!(reader.next().unwrap().is_none());
        assert_eq!(reader.offset(), log.bytes());
        assert_eq!(judge_tail(&reader.rest().unwrap(), reader.offset(), SALT), Tail::Clean);
    }
}
