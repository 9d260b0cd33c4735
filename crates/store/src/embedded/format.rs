//! The bytes of logs and snapshots.
//!
//! A file is a header and frames. A frame is what was written and synced at once, under one
//! checksum, so it is there whole or not at all. In a log, every frame begins with a sector of the
//! disk, so that writing one never touches what rests before it; in a snapshot, which is written
//! once, they are packed in units of 32 bytes. Frame headers are 32 bytes long and cannot be torn.
//! A log holds frames of transactions. A snapshot holds the state as it stood before the kept
//! history, that history, the leases, and an end. Version 1 knew changes without transactions, time,
//! author and lease, one revision each, and packed its logs; it is still read.
//!
//! All numbers are little-endian; times are microseconds since 1970. Checksums begin from the file's salt, so that neither an old
//! file's remains nor bytes that a client stored can pass for a frame.

mod records;

use std::time::{Duration, SystemTime};

use super::disk::make_aligned;
use crate::{Author, Change, Entry, Event, Revision};
#[cfg(test)]
use records::TransactionRecord;
pub(super) use records::{EventRecord, OperationRecord, Records};

/// The format this program writes, and the newest it reads. It reads all older ones.
pub(super) const VERSION: u32 = 2;

/// The length of file headers and frame headers.
pub(super) const UNIT_BYTES: usize = 32;

/// What a disk writes wholly or not at all.
pub(super) const SECTOR_BYTES: usize = 512;

/// More than any frame that is ever written: a batch closes before it, and so do a snapshot's frames.
pub(super) const MAX_PAYLOAD_BYTES: usize = 32 << 20;

/// Most that is said of an operation beside its key and value, and of a transaction beside those and
/// its author.
pub(super) const RECORD_BYTES: usize = 32;

const FILE_MAGIC: [u8; 8] = *b"pintlest";
const FRAME_MAGIC: [u8; 4] = *b"frme";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    Log,
    Snapshot,
}

/// The first 32 bytes of a file, laid out alike in every version of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileHeader {
    pub(super) version: u32,
    pub(super) kind: FileKind,
    pub(super) salt: u32,
    /// A log's first revision, a snapshot's last.
    pub(super) revision: Revision,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderError {
    Foreign,
    Version(u32),
    Damaged,
}

impl FileHeader {
    pub(super) fn encode(&self) -> [u8; UNIT_BYTES] {
        let mut bytes = [0; UNIT_BYTES];
        bytes[..8].copy_from_slice(&FILE_MAGIC);
        bytes[8] = match self.kind {
            FileKind::Log => b'L',
            FileKind::Snapshot => b'S',
        };
        bytes[12..16].copy_from_slice(&self.version.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.salt.to_le_bytes());
        bytes[20..28].copy_from_slice(&self.revision.0.to_le_bytes());
        let checksum = checksum(0, &bytes[..28]);
        bytes[28..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<FileHeader, HeaderError> {
        if bytes.len() < UNIT_BYTES || bytes[..8] != FILE_MAGIC {
            return Err(HeaderError::Foreign);
        }
        if u32_at(bytes, 28) != checksum(0, &bytes[..28]) {
            return Err(HeaderError::Damaged);
        }
        let version = u32_at(bytes, 12);
        if !(1..=VERSION).contains(&version) {
            return Err(HeaderError::Version(version));
        }
        let kind = match bytes[8] {
            b'L' => FileKind::Log,
            b'S' => FileKind::Snapshot,
            _ => return Err(HeaderError::Foreign),
        };
        Ok(FileHeader { version, kind, salt: u32_at(bytes, 16), revision: Revision(u64_at(bytes, 20)) })
    }

    /// Frames begin at multiples of this, the first behind the header.
    pub(super) fn alignment_bytes(&self) -> usize {
        match self.kind {
            FileKind::Log if self.version > 1 => SECTOR_BYTES,
            FileKind::Log | FileKind::Snapshot => UNIT_BYTES,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameKind {
    /// Of version 1: changes, one revision each, the first at the frame's revision.
    Events,
    /// Entries as they stood at the frame's revision.
    Entries,
    /// The end of a snapshot; the count is of all its records.
    End,
    /// Transactions, the first at the frame's revision.
    Transactions,
    /// Keys that end by themselves, and when, as of the frame's revision.
    Leases,
    /// When the state at the frame's revision came to be.
    Base,
}

impl FrameKind {
    const ALL: [FrameKind; 6] = [
        FrameKind::Events,
        FrameKind::Entries,
        FrameKind::End,
        FrameKind::Transactions,
        FrameKind::Leases,
        FrameKind::Base,
    ];

    fn code(self) -> u8 {
        self as u8 + 1
    }

    fn from_code(code: u8) -> Option<FrameKind> {
        FrameKind::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub(super) kind: FrameKind,
    pub(super) count: u32,
    pub(super) payload_bytes: usize,
    pub(super) revision: Revision,
    payload_checksum: u32,
}

impl FrameHeader {
    /// `None` when these bytes are not the header of a frame of a file with this salt.
    pub(super) fn decode(bytes: &[u8], salt: u32) -> Option<FrameHeader> {
        if bytes.len() < UNIT_BYTES || bytes[..4] != FRAME_MAGIC || u32_at(bytes, 28) != checksum(salt, &bytes[..28]) {
            return None;
        }
        let kind = FrameKind::from_code(bytes[4])?;
        let payload_bytes = u32_at(bytes, 12) as usize;
        (payload_bytes <= MAX_PAYLOAD_BYTES).then(|| FrameHeader {
            kind,
            count: u32_at(bytes, 8),
            payload_bytes,
            revision: Revision(u64_at(bytes, 16)),
            payload_checksum: u32_at(bytes, 24),
        })
    }

    pub(super) fn accepts(&self, payload: &[u8], salt: u32) -> bool {
        payload.len() == self.payload_bytes && checksum(salt, payload) == self.payload_checksum
    }
}

/// A frame being put together.
#[derive(Debug)]
pub(super) struct FrameBuilder {
    kind: FrameKind,
    revision: Revision,
    count: u32,
    bytes: Vec<u8>,
    /// Where in `bytes` the frame begins.
    start: usize,
}

impl FrameBuilder {
    pub(super) fn new(kind: FrameKind, revision: Revision) -> Self {
        FrameBuilder { kind, revision, count: 0, bytes: vec![0; UNIT_BYTES], start: 0 }
    }

    /// A frame with room for so many bytes of records, in a buffer that served before. It lies where
    /// a disk can take it from without a copy, unless it outgrows that room.
    pub(super) fn within(mut buffer: Vec<u8>, payload_bytes: usize, kind: FrameKind, revision: Revision) -> Self {
        let start = make_aligned(&mut buffer, UNIT_BYTES + payload_bytes + SECTOR_BYTES);
        buffer.resize(start + UNIT_BYTES, 0);
        FrameBuilder { kind, revision, count: 0, bytes: buffer, start }
    }

    /// What the next frame can be built within.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.bytes
    }

    /// How many records were pushed.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    pub(super) fn payload_bytes(&self) -> usize {
        self.bytes.len() - self.start - UNIT_BYTES
    }

    /// Adds a transaction: its changes, with the ends of their leases.
    pub(super) fn push_transaction<'a>(
        &mut self,
        revision: Revision,
        time: SystemTime,
        author: Option<&Author>,
        changes: impl ExactSizeIterator<Item = (&'a Event, Option<SystemTime>)>,
    ) {
        self.count += 1;
        self.push_u64(revision.0);
        self.push_time(time);
        self.bytes.push(u8::from(author.is_some()));
        if let Some(author) = author {
            self.push_text(&author.user);
            self.push_text(&author.manager);
        }
        self.push_u32(changes.len());
        for (event, due) in changes {
            match (&event.change, due) {
                (Change::Put(entry), None) => {
                    self.bytes.push(1);
                    self.push_text(&entry.key);
                    self.push_value(&entry.value);
                }
                (Change::Put(entry), Some(due)) => {
                    self.bytes.push(2);
                    self.push_text(&entry.key);
                    self.push_time(due);
                    self.push_value(&entry.value);
                }
                (Change::Delete { key }, _) => {
                    self.bytes.push(3);
                    self.push_text(key);
                }
            }
        }
    }

    pub(super) fn push_lease(&mut self, key: &str, due: SystemTime) {
        self.count += 1;
        self.push_text(key);
        self.push_time(due);
    }

    pub(super) fn push_base(&mut self, time: SystemTime) {
        self.count += 1;
        self.push_time(time);
    }

    pub(super) fn push_entry(&mut self, entry: &Entry) {
        self.count += 1;
        self.push_u64(entry.created.0);
        self.push_u64(entry.modified.0);
        self.push_text(&entry.key);
        self.push_value(&entry.value);
    }

    /// The frame's bytes, for a file with this salt. `count` replaces the number of records pushed.
    pub(super) fn finish_counting(mut self, salt: u32, count: u32) -> Vec<u8> {
        self.count = count;
        self.finish(salt)
    }

    /// The frame's bytes, for a file with this salt.
    pub(super) fn finish(mut self, salt: u32) -> Vec<u8> {
        self.seal(salt, UNIT_BYTES);
        self.bytes.split_off(self.start)
    }

    /// The frame's bytes, for a file with this salt, filled up with zeros to a multiple of
    /// `alignment_bytes`. Nothing is pushed any more.
    pub(super) fn seal(&mut self, salt: u32, alignment_bytes: usize) -> &mut [u8] {
        let payload_bytes = self.payload_bytes();
        debug_assert!(payload_bytes <= MAX_PAYLOAD_BYTES);
        self.bytes.resize(self.start + (UNIT_BYTES + payload_bytes).next_multiple_of(alignment_bytes), 0);
        let frame = &mut self.bytes[self.start..];
        let (header, behind) = frame.split_at_mut(UNIT_BYTES);
        let payload_checksum = checksum(salt, &behind[..payload_bytes]);
        header[..4].copy_from_slice(&FRAME_MAGIC);
        header[4] = self.kind.code();
        header[8..12].copy_from_slice(&self.count.to_le_bytes());
        header[12..16].copy_from_slice(&(payload_bytes as u32).to_le_bytes());
        header[16..24].copy_from_slice(&self.revision.0.to_le_bytes());
        header[24..28].copy_from_slice(&payload_checksum.to_le_bytes());
        let header_checksum = checksum(salt, &header[..28]);
        header[28..].copy_from_slice(&header_checksum.to_le_bytes());
        frame
    }

    fn push_u64(&mut self, number: u64) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    /// The limits of transactions lie far below these lengths' own.
    fn push_u32(&mut self, number: usize) {
        self.bytes.extend_from_slice(&(number as u32).to_le_bytes());
    }

    fn push_time(&mut self, time: SystemTime) {
        self.push_u64(microseconds(time));
    }

    fn push_text(&mut self, text: &str) {
        self.bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn push_value(&mut self, value: &[u8]) {
        self.push_u32(value.len());
        self.bytes.extend_from_slice(value);
    }
}

fn microseconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() * 1_000_000 + u64::from(since.subsec_micros()))
}

fn time_of(microseconds: u64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_micros(microseconds))
}

fn checksum(salt: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(salt);
    hasher.update(bytes);
    hasher.finalize()
}

fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    bytes[offset..offset + 4].iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte))
}

fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    bytes[offset..offset + 8].iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_back_or_refused_for_the_right_reason() {
        let header = FileHeader { version: VERSION, kind: FileKind::Log, salt: 7, revision: Revision(42) };
        let good = header.encode();
        assert_eq!(FileHeader::decode(&good), Ok(header));
        let older = FileHeader { version: 1, ..header };
        assert_eq!(FileHeader::decode(&older.encode()), Ok(older));
        assert_eq!(FileHeader::decode(b"# a shell script\necho hello, all\n"), Err(HeaderError::Foreign));
        assert_eq!(FileHeader::decode(&good[..31]), Err(HeaderError::Foreign));
        let mut damaged = good;
        damaged[21] ^= 1;
        assert_eq!(FileHeader::decode(&damaged), Err(HeaderError::Damaged));
        let mut newer = good;
        newer[12] = VERSION as u8 + 1;
        let restated = checksum(0, &newer[..28]).to_le_bytes();
        newer[28..].copy_from_slice(&restated);
        assert_eq!(FileHeader::decode(&newer), Err(HeaderError::Version(VERSION + 1)));
    }

    #[test]
    fn a_frame_is_read_back_and_belongs_to_its_file() {
        let entry = Entry {
            key: "pods/default/a".into(),
            value: bytes::Bytes::from_static(b"{}"),
            created: Revision(3),
            modified: Revision(9),
        };
        let time = SystemTime::UNIX_EPOCH + Duration::from_micros(1_000_001);
        let due = time + Duration::from_secs(3600);
        let author = Author { user: "alice".into(), manager: "kubectl".into() };
        let event = |change| Event { revision: Revision(9), change, previous: None, time, author: None };
        let put = event(Change::Put(entry.clone()));
        let delete = event(Change::Delete { key: entry.key.clone() });
        let mut frame = FrameBuilder::new(FrameKind::Transactions, Revision(9));
        frame.push_transaction(Revision(9), time, Some(&author), [(&put, None), (&delete, None)].into_iter());
        frame.push_transaction(Revision(10), time, None, [(&put, Some(due))].into_iter());
        let bytes = frame.finish(5);
        assert_eq!(bytes.len() % UNIT_BYTES, 0);
        assert_eq!(FrameHeader::decode(&bytes, 6), None, "another file's salt");

        let header = FrameHeader::decode(&bytes, 5).unwrap();
        assert_eq!((header.count, header.revision), (2, Revision(9)));
        assert_eq!(UNIT_BYTES + header.payload_bytes.next_multiple_of(UNIT_BYTES), bytes.len());
        let payload = &bytes[UNIT_BYTES..UNIT_BYTES + header.payload_bytes];
        assert!(header.accepts(payload, 5));
        let mut records = Records::new(payload);
        let put = |due| OperationRecord::Put { key: "pods/default/a", value: b"{}", due };
        let first = TransactionRecord {
            revision: Revision(9),
            time,
            author: Some(author),
            operations: vec![put(None), OperationRecord::Delete { key: "pods/default/a" }],
        };
        let second = TransactionRecord { revision: Revision(10), time, author: None, operations: vec![put(Some(due))] };
        assert_eq!(records.transaction(), Some(first));
        assert_eq!(records.transaction(), Some(second));
        assert!(records.is_empty() && records.transaction().is_none());

        let mut frame = FrameBuilder::new(FrameKind::Leases, Revision(9));
        frame.push_lease("events/a", due);
        let bytes = frame.finish(5);
        assert_eq!(Records::new(&bytes[UNIT_BYTES..]).lease(), Some(("events/a", due)));

        let mut frame = FrameBuilder::new(FrameKind::Entries, Revision(9));
        frame.push_entry(&entry);
        let bytes = frame.finish(5);
        let header = FrameHeader::decode(&bytes, 5).unwrap();
        assert_eq!(Records::new(&bytes[UNIT_BYTES..UNIT_BYTES + header.payload_bytes]).entry(), Some(entry));
        let mut flipped = bytes[UNIT_BYTES..UNIT_BYTES + header.payload_bytes].to_vec();
        flipped[0] ^= 1;
        assert!(!header.accepts(&flipped, 5));
    }
}
