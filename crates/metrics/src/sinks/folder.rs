//! A ring on disk: two files, of which the older is emptied when the younger is full.
//!
//! Each moment is a frame of its length, its checksum, and its JSON, compressed. Frames are appended without waiting for
//! the disk: the kernel keeps them whatever becomes of the process, and what a power cut leaves half written is cut off
//! when the ring is opened.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use api::k8s::jiff::Timestamp;

use crate::history::Moment;

/// A day of a small cluster.
pub(super) const LIMIT_BYTES: u64 = 64 << 20;
const NAMES: [&str; 2] = ["history-0", "history-1"];
const HEAD_BYTES: usize = 8;
/// No moment is longer. What claims to be is damage.
const LONGEST_FRAME_BYTES: usize = 32 << 20;

#[derive(Debug, thiserror::Error)]
pub(super) enum RingError {
    #[error("{} cannot be used", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("a moment cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    #[error("a moment cannot be compressed")]
    Compress(#[from] snap::Error),
    #[error("a moment is longer than {LONGEST_FRAME_BYTES} bytes")]
    TooLong,
    #[error("the writer ended")]
    Broken,
}

pub(super) struct Ring {
    paths: [PathBuf; 2],
    /// Which of the two is appended to.
    active: usize,
    file: File,
    bytes: u64,
    limit_bytes: u64,
}

impl Ring {
    /// Opens the ring of a folder, or makes one; cuts off what is damaged.
    pub(super) fn open(folder: &Path, limit_bytes: u64) -> Result<Ring, RingError> {
        fs::create_dir_all(folder).map_err(|source| RingError::File { path: folder.to_owned(), source })?;
        let paths = NAMES.map(|name| folder.join(name));
        let mut last = [None, None];
        for (path, last) in paths.iter().zip(&mut last) {
            let (moments, good_bytes) = read(path)?;
            *last = moments.last().map(|moment| moment.at);
            cut(path, good_bytes).map_err(|source| RingError::File { path: path.clone(), source })?;
        }
        let active = usize::from(last[1] > last[0]);
        let (file, bytes) = append(&paths[active])?;
        Ok(Ring { paths, active, file, bytes, limit_bytes })
    }

    pub(super) fn add(&mut self, moment: &Moment) -> Result<(), RingError> {
        let frame = frame(moment)?;
        if self.bytes > 0 && self.bytes + frame.len() as u64 > self.limit_bytes / 2 {
            let next = 1 - self.active;
            let path = &self.paths[next];
            cut(path, 0).map_err(|source| RingError::File { path: path.clone(), source })?;
            (self.file, self.bytes) = append(path)?;
            self.active = next;
        }
        // One write for the whole frame; a part of one is cut off at the next opening.
        let path = &self.paths[self.active];
        self.file.write_all(&frame).map_err(|source| RingError::File { path: path.clone(), source })?;
        self.bytes += frame.len() as u64;
        Ok(())
    }
}

/// What a folder's ring holds since a moment, in order. Who writes it meanwhile is not disturbed.
pub(super) fn kept(folder: &Path, start: Timestamp) -> Result<Vec<Moment>, RingError> {
    let mut all = Vec::new();
    for name in NAMES {
        all.extend(read(&folder.join(name))?.0.into_iter().filter(|moment| moment.at >= start));
    }
    all.sort_by_key(|moment| moment.at);
    Ok(all)
}

fn append(path: &Path) -> Result<(File, u64), RingError> {
    let failed = |source| RingError::File { path: path.to_owned(), source };
    let file = OpenOptions::new().append(true).create(true).open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    Ok((file, bytes))
}

/// Shortens a file; one that is not there, or as short, stays as it is.
fn cut(path: &Path, bytes: u64) -> io::Result<()> {
    match OpenOptions::new().write(true).open(path) {
        Ok(file) if file.metadata()?.len() > bytes => file.set_len(bytes),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn frame(moment: &Moment) -> Result<Vec<u8>, RingError> {
    let payload = snap::raw::Encoder::new().compress_vec(&serde_json::to_vec(moment)?)?;
    let length = u32::try_from(payload.len()).ok().filter(|_| payload.len() <= LONGEST_FRAME_BYTES);
    let length = length.ok_or(RingError::TooLong)?;
    let mut frame = Vec::with_capacity(HEAD_BYTES + payload.len());
    frame.extend(length.to_le_bytes());
    frame.extend(crc32fast::hash(&payload).to_le_bytes());
    frame.extend(payload);
    Ok(frame)
}

/// A file's moments up to the first damage, and how many bytes they take.
fn read(path: &Path) -> Result<(Vec<Moment>, u64), RingError> {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        Err(source) => return Err(RingError::File { path: path.to_owned(), source }),
    }
    let (mut moments, mut rest) = (Vec::new(), bytes.as_slice());
    while let Some((moment, after)) = next(rest) {
        moments.push(moment);
        rest = after;
    }
    let good_bytes = (bytes.len() - rest.len()) as u64;
    Ok((moments, good_bytes))
}

/// The first moment, and what follows it.
fn next(bytes: &[u8]) -> Option<(Moment, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (checksum, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (payload, rest) = rest.split_at_checked(length)?;
    if crc32fast::hash(payload) != u32::from_le_bytes(*checksum) {
        return None;
    }
    let json = snap::raw::Decoder::new().decompress_vec(payload).ok()?;
    Some((serde_json::from_slice(&json).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::history::tests::{at, moment};

    fn seconds(moments: &[Moment]) -> Vec<i64> {
        moments.iter().map(|moment| moment.at.as_second() - at(0).as_second()).collect()
    }

    fn all(folder: &Path) -> Vec<i64> {
        seconds(&kept(folder, Timestamp::MIN).unwrap())
    }

    #[test]
    fn moments_outlive_their_writer() {
        let folder = tempfile::tempdir().unwrap();
        let mut ring = Ring::open(folder.path(), LIMIT_BYTES).unwrap();
        let first = moment(0, &[("shop/web/main", 1)]);
        ring.add(&first).unwrap();
        ring.add(&moment(30, &[])).unwrap();
        // It is not closed: what was added is there all the same.
        assert_eq!(kept(folder.path(), Timestamp::MIN).unwrap()[0], first);
        assert_eq!(seconds(&kept(folder.path(), at(1)).unwrap()), [30]);
    }

    #[test]
    fn the_ring_forgets_the_oldest_and_stays_within_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let limit_bytes = 4096;
        let mut ring = Ring::open(folder.path(), limit_bytes).unwrap();
        for index in 0..200 {
            if index % 50 == 0 {
                ring = Ring::open(folder.path(), limit_bytes).unwrap();
            }
            ring.add(&moment(index, &[("shop/web/main", 1)])).unwrap();
            let used: u64 =
                NAMES.iter().filter_map(|name| folder.path().join(name).metadata().ok()).map(|file| file.len()).sum();
            assert!(used <= limit_bytes, "{used}");
        }
        let kept = all(folder.path());
        assert!(kept.len() > 5 && kept.len() < 100, "{kept:?}");
        let expected: Vec<i64> = (200 - kept.len() as i64..200).collect();
        assert_eq!(kept, expected, "the last, without a gap");
    }

    proptest! {
        /// Wherever a file is cut or damaged, what stood before is read, and writing goes on behind it.
        #[test]
        fn damage_costs_what_follows_it_and_no_more(at_byte in 0usize..600, is_cut in any::<bool>()) {
            let folder = tempfile::tempdir().unwrap();
            let mut ring = Ring::open(folder.path(), LIMIT_BYTES).unwrap();
            let mut ends = vec![0];
            for index in 0..4 {
                ring.add(&moment(index, &[("shop/web/main", 1)])).unwrap();
                ends.push(ring.bytes as usize);
            }
            let path = folder.path().join(NAMES[0]);
            let mut bytes = fs::read(&path).unwrap();
            let at_byte = at_byte % bytes.len();
            if is_cut { bytes.truncate(at_byte) } else { bytes[at_byte] ^= 0x55 }
            fs::write(&path, bytes).unwrap();
            let whole = ends.iter().filter(|end| **end <= at_byte).count() as i64 - 1;
            let mut ring = Ring::open(folder.path(), LIMIT_BYTES).unwrap();
            ring.add(&moment(100, &[])).unwrap();
            let expected: Vec<i64> = (0..whole).chain([100]).collect();
            prop_assert_eq!(all(folder.path()), expected);
        }
    }
}
