//! How a file of frames is read back.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::SystemTime;

use bytes::Bytes;

use super::OpenError;
use super::disk::DiskFile;
use super::format::{
    EventRecord, FileHeader, FrameHeader, FrameKind, OperationRecord, Records, SECTOR_BYTES, UNIT_BYTES,
};
use super::recovery::Input;
use crate::{Author, Entry, Revision};

/// How much of a file is read at once.
const READ_BYTES: usize = 1 << 20;

/// How many decoded frames may wait for the one who builds the state.
const FRAMES_AHEAD: usize = 16;

/// What a frame says, on its own feet.
#[derive(Debug)]
pub(super) enum Contents {
    Base(SystemTime),
    Entries(Vec<Entry>),
    Transactions(Vec<OwnedTransaction>),
    Leases(Vec<(Box<str>, SystemTime)>),
    End,
}

#[derive(Debug)]
pub(super) struct OwnedTransaction {
    pub(super) revision: Revision,
    pub(super) time: SystemTime,
    pub(super) author: Option<Arc<Author>>,
    pub(super) operations: Vec<OwnedOperation>,
}

#[derive(Debug)]
pub(super) enum OwnedOperation {
    Put { key: Arc<str>, value: Bytes, due: Option<SystemTime> },
    Delete { key: Arc<str> },
}

/// Reads a file's frames in order, up to the first that is not whole. One thread reads, checks and
/// decodes ahead, while this one gives `consume` each frame's place, header and contents. Returns
/// where the last whole frame ends.
pub(super) fn read_frames(
    input: &Input,
    mut consume: impl FnMut(u64, &FrameHeader, Contents) -> Result<(), OpenError>,
) -> Result<u64, OpenError> {
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(FRAMES_AHEAD);
        let reader = scope.spawn(move || {
            let mut frames = FrameReader::new(&*input.file, &input.header);
            let mut decoder = Decoder::default();
            loop {
                let offset = frames.offset();
                let frame = match frames.next().map_err(|error| input.failed(error))? {
                    Some((header, payload)) => (offset, header, decoder.contents(&header, payload)),
                    None => return Ok(offset),
                };
                // Nobody listens any more once something else was wrong.
                if sender.send(frame).is_err() {
                    return Ok(offset);
                }
            }
        });
        for (offset, header, contents) in receiver {
            let contents = contents.ok_or_else(|| input.damaged(offset, "its contents do not follow the format"))?;
            consume(offset, &header, contents)?;
        }
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Makes records stand on their own feet.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// Whoever wrote last often writes next.
    author: Option<Arc<Author>>,
}

impl Decoder {
    /// `None` when the payload is not what the format says.
    pub(super) fn contents(&mut self, header: &FrameHeader, payload: &[u8]) -> Option<Contents> {
        let mut records = Records::new(payload);
        let count = header.count as usize;
        let contents = match header.kind {
            FrameKind::Base => Contents::Base(records.time()?),
            FrameKind::Entries => Contents::Entries((0..count).map(|_| records.entry()).collect::<Option<_>>()?),
            FrameKind::Transactions => {
                Contents::Transactions((0..count).map(|_| self.transaction(&mut records)).collect::<Option<_>>()?)
            }
            FrameKind::Events => {
                let revisions = (header.revision.0..).map(Revision).take(count);
                let transaction = |revision| Some(of_version_1(records.event()?, revision));
                Contents::Transactions(revisions.map(transaction).collect::<Option<_>>()?)
            }
            FrameKind::Leases => {
                let lease = |_| records.lease().map(|(key, due)| (key.into(), due));
                Contents::Leases((0..count).map(lease).collect::<Option<_>>()?)
            }
            FrameKind::End => Contents::End,
        };
        records.is_empty().then_some(contents)
    }

    fn transaction(&mut self, records: &mut Records<'_>) -> Option<OwnedTransaction> {
        let record = records.transaction()?;
        let operations = record.operations.into_iter().map(|operation| match operation {
            OperationRecord::Put { key, value, due } => {
                OwnedOperation::Put { key: key.into(), value: Bytes::copy_from_slice(value), due }
            }
            OperationRecord::Delete { key } => OwnedOperation::Delete { key: key.into() },
        });
        let operations = operations.collect();
        let author = record.author.map(|author| self.share(author));
        Some(OwnedTransaction { revision: record.revision, time: record.time, author, operations })
    }

    fn share(&mut self, author: Author) -> Arc<Author> {
        match &self.author {
            Some(known) if **known == author => known.clone(),
            _ => self.author.insert(Arc::new(author)).clone(),
        }
    }
}

/// Nothing says when it was written: it counts as older than all that has a time.
fn of_version_1(event: EventRecord<'_>, revision: Revision) -> OwnedTransaction {
    let operation = match event {
        EventRecord::Put { key, value } => {
            OwnedOperation::Put { key: key.into(), value: Bytes::copy_from_slice(value), due: None }
        }
        EventRecord::Delete { key } => OwnedOperation::Delete { key: key.into() },
    };
    OwnedTransaction { revision, time: SystemTime::UNIX_EPOCH, author: None, operations: vec![operation] }
}

/// Reads a file's frames in order.
#[derive(Debug)]
pub(super) struct FrameReader<'a> {
    file: &'a dyn DiskFile,
    salt: u32,
    alignment_bytes: usize,
    /// Where the next frame begins.
    offset: u64,
    /// What has been read of the file, `buffer[0]` being at `buffer_offset`.
    buffer: Vec<u8>,
    buffer_offset: u64,
}

impl<'a> FrameReader<'a> {
    /// Begins behind the file's header.
    pub(super) fn new(file: &'a dyn DiskFile, header: &FileHeader) -> Self {
        let alignment_bytes = header.alignment_bytes();
        let start = alignment_bytes as u64;
        FrameReader {
            file,
            salt: header.salt,
            alignment_bytes,
            offset: start,
            buffer: Vec::new(),
            buffer_offset: start,
        }
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
        let whole = self.peek(payload_end)?.get(UNIT_BYTES..payload_end);
        if !whole.is_some_and(|payload| header.accepts(payload, salt)) {
            return Ok(None);
        }
        let start = (self.offset - self.buffer_offset) as usize;
        self.offset += payload_end.next_multiple_of(self.alignment_bytes) as u64;
        Ok(Some((header, &self.buffer[start + UNIT_BYTES..start + payload_end])))
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
pub(super) fn judge_tail(rest: &[u8], offset: u64, header: &FileHeader) -> Tail {
    if is_zero(rest) {
        return Tail::Clean;
    }
    if next_whole_frame(rest, header).is_some() {
        return Tail::Damaged("a later record is whole and this one is not");
    }
    if rest.len() < UNIT_BYTES || is_zero(&rest[..UNIT_BYTES]) {
        return Tail::Torn;
    }
    let Some(frame) = FrameHeader::decode(rest, header.salt) else {
        return Tail::Damaged("the record's header fails its checksum");
    };
    let frame_bytes = (UNIT_BYTES + frame.payload_bytes).next_multiple_of(header.alignment_bytes());
    let Some(frame) = rest.get(..frame_bytes) else { return Tail::Torn };
    let first_sector_end = SECTOR_BYTES - offset as usize % SECTOR_BYTES;
    let (first, others) = frame.split_at(first_sector_end.min(frame.len()));
    if is_zero(first) || others.chunks(SECTOR_BYTES).any(is_zero) {
        return Tail::Torn;
    }
    Tail::Damaged("the record was written whole and fails its checksum")
}

/// Where, behind the beginning of `bytes`, a whole frame begins.
pub(super) fn next_whole_frame(bytes: &[u8], header: &FileHeader) -> Option<usize> {
    let step = header.alignment_bytes();
    (step..bytes.len()).step_by(step).find(|&start| whole_frame(&bytes[start..], header.salt).is_some())
}

/// The frame that `bytes` begin with.
pub(super) fn whole_frame(bytes: &[u8], salt: u32) -> Option<(FrameHeader, &[u8])> {
    let header = FrameHeader::decode(bytes, salt)?;
    let payload = bytes.get(UNIT_BYTES..UNIT_BYTES + header.payload_bytes)?;
    header.accepts(payload, salt).then_some((header, payload))
}

pub(super) fn is_zero(bytes: &[u8]) -> bool {
    const ZEROS: [u8; 4096] = [0; 4096];
    bytes.chunks(ZEROS.len()).all(|chunk| *chunk == ZEROS[..chunk.len()])
}

#[cfg(test)]
mod tests {
    use super::super::disk::{Disk, FolderDisk};
    use super::super::format::{FileKind, FrameBuilder, VERSION};
    use super::super::log::{Journal, log_name};
    use super::*;
    use crate::{Change, Event};

    const SALT: u32 = 99;

    fn header() -> FileHeader {
        FileHeader { version: VERSION, kind: FileKind::Log, salt: SALT, revision: Revision(1) }
    }

    fn frame(revision: u64, value_bytes: usize) -> FrameBuilder {
        let revision = Revision(revision);
        let value = Bytes::from(vec![b'v'; value_bytes]);
        let entry = Entry { key: "k".into(), value, created: revision, modified: revision };
        let time = SystemTime::UNIX_EPOCH;
        let event = Event { revision, change: Change::Put(entry), previous: None, time, author: None };
        let mut frame = FrameBuilder::new(FrameKind::Transactions, revision);
        frame.push_transaction(revision, time, None, [(&event, None)].into_iter());
        frame
    }

    /// A frame as a log holds it, but for the mark at its end.
    fn bytes(revision: u64, value_bytes: usize) -> Vec<u8> {
        let mut bytes = frame(revision, value_bytes).finish(SALT);
        bytes.resize(bytes.len().next_multiple_of(SECTOR_BYTES), 0);
        bytes
    }

    #[test]
    fn a_torn_tail_is_told_from_damage() {
        let check = |rest: &[u8], expected: Tail| {
            assert_eq!(judge_tail(rest, SECTOR_BYTES as u64, &header()), expected);
        };
        let whole = bytes(1, 2000);
        let room = vec![0; 4096];

        check(&room, Tail::Clean);
        check(&[], Tail::Clean);
        check(&whole[..1500], Tail::Torn);

        // The first sector, which holds the header, did not make it; then a later one.
        let mut without_first = [whole.clone(), room.clone()].concat();
        without_first[..512].fill(0);
        check(&without_first, Tail::Torn);
        let mut without_third = [whole.clone(), room.clone()].concat();
        without_third[1024..1536].fill(0);
        check(&without_third, Tail::Torn);

        let mut flipped = [whole.clone(), room.clone()].concat();
        flipped[1000] ^= 1;
        check(&flipped, Tail::Damaged("the record was written whole and fails its checksum"));
        let mut header_flipped = [whole.clone(), room.clone()].concat();
        header_flipped[9] ^= 1;
        check(&header_flipped, Tail::Damaged("the record's header fails its checksum"));
        let mut followed = [whole, bytes(2, 10), room].concat();
        followed[1024..1536].fill(0);
        check(&followed, Tail::Damaged("a later record is whole and this one is not"));
    }

    #[test]
    fn frames_larger_than_the_read_buffer_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let disk: Arc<dyn Disk> = Arc::new(FolderDisk::open(folder.path()).unwrap());
        let mut journal = Journal::new(disk.clone(), None, 0, 1 << 30);
        let sizes = [3 << 20, 10, 100, READ_BYTES, 1];
        for (size, revision) in sizes.into_iter().zip(1..) {
            journal.append(&mut frame(revision, size), Revision(revision), SALT).unwrap();
        }
        journal.close();
        let mut sizes = sizes.iter();
        let mut logs: Vec<String> = disk.names().unwrap().into_iter().filter(|name| name.starts_with("log-")).collect();
        logs.sort();
        assert_eq!(logs[0], log_name(Revision(1)));
        assert!(logs.len() > 1, "a frame that finds no room begins a log");
        for name in logs {
            let input = Input::over(disk.path(&name), disk.open(&name).unwrap()).unwrap();
            let end = read_frames(&input, |_, _, contents| {
                let Contents::Transactions(transactions) = contents else { panic!("{contents:?}") };
                let [OwnedOperation::Put { value, .. }] = transactions[0].operations.as_slice() else { panic!() };
                assert_eq!(value.len(), *sizes.next().unwrap());
                Ok(())
            });
            let end = end.unwrap();
            assert_eq!(judge_tail(&input.rest(end).unwrap(), end, &input.header), Tail::Clean);
        }
        assert_eq!(sizes.next(), None);
    }
}
