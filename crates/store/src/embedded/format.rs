//! The bytes of logs and snapshots.
//!
//! A file is a header and frames. A frame is what was written and synced at once, under one
//! checksum, so it is there whole or not at all. Frames begin at multiples of 32 bytes and their
//! headers are 32 bytes long: a header lies within one sector of the disk and cannot be torn.
//! All numbers are little-endian. Checksums begin from the file's salt, so that neither an old
//! file's remains nor bytes that a client stored can pass for a frame.

use crate::{Change, Entry, Event, Revision};

/// The format this program writes, and the newest it reads.
pub(super) const VERSION: u32 = 1;

/// The length of file headers and frame headers, and what frames are aligned to.
pub(super) const UNIT_BYTES: usize = 32;

/// More than any frame that is ever written: a batch closes before it, and so do a snapshot's frames.
pub(super) const MAX_PAYLOAD_BYTES: usize = 16 << 20;

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
        bytes[12..16].copy_from_slice(&VERSION.to_le_bytes());
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
        if version != VERSION {
            return Err(HeaderError::Version(version));
        }
        let kind = match bytes[8] {
            b'L' => FileKind::Log,
            b'S' => FileKind::Snapshot,
            _ => return Err(HeaderError::Foreign),
        };
        Ok(FileHeader { kind, salt: u32_at(bytes, 16), revision: Revision(u64_at(bytes, 20)) })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameKind {
    /// Changes, one revision each, the first at the frame's revision.
    Events,
    /// Entries as they stood at the frame's revision.
    Entries,
    /// The end of a snapshot; the count is of all its entries and events.
    End,
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
        let kind = match bytes[4] {
            1 => FrameKind::Events,
            2 => FrameKind::Entries,
            3 => FrameKind::End,
            _ => return None,
        };
        let payload_bytes = u32_at(bytes, 12) as usize;
        (payload_bytes <= MAX_PAYLOAD_BYTES).then(|| FrameHeader {
            kind,
            count: u32_at(bytes, 8),
            payload_bytes,
            revision: Revision(u64_at(bytes, 16)),
            payload_checksum: u32_at(bytes, 24),
        })
    }

    /// The whole frame's length, padding included.
    pub(super) fn frame_bytes(&self) -> usize {
        UNIT_BYTES + self.payload_bytes.next_multiple_of(UNIT_BYTES)
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
}

impl FrameBuilder {
    pub(super) fn new(kind: FrameKind, revision: Revision) -> Self {
        FrameBuilder { kind, revision, count: 0, bytes: vec![0; UNIT_BYTES] }
    }

    pub(super) fn payload_bytes(&self) -> usize {
        self.bytes.len() - UNIT_BYTES
    }

    /// Adds a change; its revision follows from its place.
    pub(super) fn push_event(&mut self, event: &Event) {
        self.count += 1;
        match &event.change {
            Change::Put(entry) => {
                self.bytes.push(1);
                self.push_key(&entry.key);
                self.push_value(&entry.value);
            }
            Change::Delete { key } => {
                self.bytes.push(2);
                self.push_key(key);
            }
        }
    }

    pub(super) fn push_entry(&mut self, entry: &Entry) {
        self.count += 1;
        self.bytes.extend_from_slice(&entry.created.0.to_le_bytes());
        self.bytes.extend_from_slice(&entry.modified.0.to_le_bytes());
        self.push_key(&entry.key);
        self.push_value(&entry.value);
    }

    /// The frame's bytes, for a file with this salt. `count` replaces the number of records pushed.
    pub(super) fn finish_counting(mut self, salt: u32, count: u32) -> Vec<u8> {
        self.count = count;
        self.finish(salt)
    }

    /// The frame's bytes, for a file with this salt.
    pub(super) fn finish(mut self, salt: u32) -> Vec<u8> {
        let payload_bytes = self.payload_bytes();
        debug_assert!(payload_bytes <= MAX_PAYLOAD_BYTES);
        let payload_checksum = checksum(salt, &self.bytes[UNIT_BYTES..]);
        let header = &mut self.bytes[..UNIT_BYTES];
        header[..4].copy_from_slice(&FRAME_MAGIC);
        header[4] = match self.kind {
            FrameKind::Events => 1,
            FrameKind::Entries => 2,
            FrameKind::End => 3,
        };
        header[8..12].copy_from_slice(&self.count.to_le_bytes());
        header[12..16].copy_from_slice(&(payload_bytes as u32).to_le_bytes());
        header[16..24].copy_from_slice(&self.revision.0.to_le_bytes());
        header[24..28].copy_from_slice(&payload_checksum.to_le_bytes());
        let header_checksum = checksum(salt, &header[..28]);
        header[28..].copy_from_slice(&header_checksum.to_le_bytes());
        self.bytes.resize(self.bytes.len().next_multiple_of(UNIT_BYTES), 0);
        self.bytes
    }

    /// The limits of keys and values are far below these lengths' own.
    fn push_key(&mut self, key: &str) {
        self.bytes.extend_from_slice(&(key.len() as u16).to_le_bytes());
        self.bytes.extend_from_slice(key.as_bytes());
    }

    fn push_value(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(&(value.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(value);
    }
}

/// A change as it rests: what it replaced is known to whoever replays it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum EventRecord<'a> {
    Put { key: &'a str, value: &'a [u8] },
    Delete { key: &'a str },
}

/// Reads a payload's records, each `None` when the payload is not what the format says.
#[derive(Debug)]
pub(super) struct Records<'a> {
    rest: &'a [u8],
}

impl<'a> Records<'a> {
    pub(super) fn new(payload: &'a [u8]) -> Self {
        Records { rest: payload }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn event(&mut self) -> Option<EventRecord<'a>> {
        match self.take(1)? {
            [1] => Some(EventRecord::Put { key: self.key()?, value: self.value()? }),
            [2] => Some(EventRecord::Delete { key: self.key()? }),
            _ => None,
        }
    }

    /// Copies the value: it must not hold the whole payload in memory.
    pub(super) fn entry(&mut self) -> Option<Entry> {
        let created = Revision(u64_at(self.take(8)?, 0));
        let modified = Revision(u64_at(self.take(8)?, 0));
        let key = self.key()?.into();
        Some(Entry { key, value: bytes::Bytes::copy_from_slice(self.value()?), created, modified })
    }

    fn key(&mut self) -> Option<&'a str> {
        let length = u16::from_le_bytes(self.take(2)?.try_into().ok()?);
        std::str::from_utf8(self.take(usize::from(length))?).ok()
    }

    fn value(&mut self) -> Option<&'a [u8]> {
        let length = u32_at(self.take(4)?, 0);
        self.take(length as usize)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }
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
        let header = FileHeader { kind: FileKind::Log, salt: 7, revision: Revision(42) };
        let good = header.encode();
        assert_eq!(FileHeader::decode(&good), Ok(header));
        assert_eq!(FileHeader::decode(b"# a shell script\necho hello, all\n"), Err(HeaderError::Foreign));
        assert_eq!(FileHeader::decode(&good[..31]), Err(HeaderError::Foreign));
        let mut damaged = good;
        damaged[21] ^= 1;
        assert_eq!(FileHeader::decode(&damaged), Err(HeaderError::Damaged));
        let mut newer = good;
        newer[12] = 2;
        let restated = checksum(0, &newer[..28]).to_le_bytes();
        newer[28..].copy_from_slice(&restated);
        assert_eq!(FileHeader::decode(&newer), Err(HeaderError::Version(2)));
    }

    #[test]
    fn a_frame_is_read_back_and_belongs_to_its_file() {
        let entry = Entry {
            key: "pods/default/a".into(),
            value: bytes::Bytes::from_static(b"{}"),
            created: Revision(3),
            modified: Revision(9),
        };
        let put = Event { revision: Revision(9), change: Change::Put(entry.clone()), previous: None };
        let delete =
            Event { revision: Revision(10), change: Change::Delete { key: entry.key.clone() }, previous: None };
        let mut frame = FrameBuilder::new(FrameKind::Events, Revision(9));
        frame.push_event(&put);
        frame.push_event(&delete);
        let bytes = frame.finish(5);
        assert_eq!(bytes.len() % UNIT_BYTES, 0);
        assert_eq!(FrameHeader::decode(&bytes, 6), None, "another file's salt");

        let header = FrameHeader::decode(&bytes, 5).unwrap();
        assert_eq!((header.count, header.revision, header.frame_bytes()), (2, Revision(9), bytes.len()));
        let payload = &bytes[UNIT_BYTES..UNIT_BYTES + header.payload_bytes];
        assert!(header.accepts(payload, 5));
        let mut records = Records::new(payload);
        assert_eq!(records.event(), Some(EventRecord::Put { key: "pods/default/a", value: b"{}" }));
        assert_eq!(records.event(), Some(EventRecord::Delete { key: "pods/default/a" }));
        assert!(records.is_empty() && records.event().is_none());

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
