//! The disk without anything above it.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

use super::ours::{Round, VALUE_BYTES};
use crate::durations::Durations;
use crate::machine::{now, own_processor_seconds};

/// Room that is written before, so that a sync finds nothing but data.
const ROOM_BYTES: usize = 64 << 20;

/// A file that one thread appends to, each frame synced.
pub(crate) struct Appender {
    file: File,
    end: u64,
}

impl Appender {
    pub(crate) fn create(path: &Path) -> anyhow::Result<Appender> {
        let file = OpenOptions::new().write(true).create_new(true).open(path).context("the disk's file")?;
        file.write_all_at(&vec![0; ROOM_BYTES], 0)?;
        file.sync_all()?;
        Ok(Appender { file, end: 0 })
    }

    /// Frames of so many values, one after the other.
    pub(crate) fn run(&mut self, values: usize, period: Duration) -> anyhow::Result<Round> {
        let frame = vec![b'x'; values * VALUE_BYTES];
        let processor = own_processor_seconds()?;
        let began = now();
        let mut delays = Durations::default();
        let mut sent = began;
        while sent - began < period {
            self.append(&frame)?;
            let rests = now();
            delays.record(rests - sent);
            sent = rests;
        }
        let processor_seconds = own_processor_seconds()? - processor;
        Ok(Round { puts: delays.count() * values as u64, delays, took: sent - began, processor_seconds })
    }

    fn append(&mut self, frame: &[u8]) -> anyhow::Result<()> {
        if self.end + frame.len() as u64 > ROOM_BYTES as u64 {
            self.end = 0;
        }
        self.file.write_all_at(frame, self.end)?;
        self.file.sync_data()?;
        self.end += frame.len() as u64;
        Ok(())
    }
}

/// Reads a folder's files from their beginnings to their ends; answers how many bytes that was.
pub(crate) fn read_all(folder: &Path) -> anyhow::Result<u64> {
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let mut file = File::open(entry?.path())?;
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                count => bytes += count as u64,
            }
        }
    }
    Ok(bytes)
}

/// Takes a folder's files out of the kernel's cache.
pub(crate) fn forget(folder: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let file = File::open(entry?.path())?;
        file.sync_all()?;
        posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
    }
    Ok(())
}
