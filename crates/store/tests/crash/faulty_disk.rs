//! A disk in memory that fails as real ones do.
//!
//! On power loss it keeps any selection of the sectors, and the first part of the folder changes,
//! that were not synced. It can be full for a while, fail a write or a sync, forget what a failed
//! sync was to write, put a write into the wrong place, and refuse to read a sector.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use stdx::Random;
use store::{Disk, DiskFile};

pub(crate) const SECTOR_BYTES: usize = 512;

/// What goes wrong at a step. Every change and every sync is a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The power goes: the step may have happened in part, and nothing happens after it.
    PowerLoss,
    /// The disk is full for so many steps: files do not grow and names are not made.
    Full { steps: usize },
    /// A write is refused, as by a broken cable.
    WriteFails,
    /// The sync, or the next one after this step, fails.
    SyncFails,
    /// As `SyncFails`; what it was to write is seen until the power goes and never rests, because
    /// the kernel takes it for written.
    SyncForgets,
    /// The write, or the next one after this step, goes to another sector of some file.
    Misdirected { seed: u64 },
}

#[derive(Clone, Debug)]
pub(crate) struct FaultyDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What goes wrong, and from which step on.
    faults: Vec<(usize, Fault)>,
    steps: usize,
    power_is_off: bool,
    files: Vec<FileState>,
    names: Names,
    resting_names: Names,
    /// What the folder was after each change since it was last synced.
    unsynced_names: Vec<Names>,
}

type Names = BTreeMap<String, usize>;

#[derive(Clone, Debug, Default)]
struct FileState {
    seen: Vec<u8>,
    resting: Vec<u8>,
    unsynced: Vec<Change>,
    unreadable_sectors: BTreeSet<usize>,
}

#[derive(Clone, Debug)]
enum Change {
    /// Within one sector.
    Write {
        offset: usize,
        bytes: Bytes,
    },
    Length(usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Of what is there already, also of less.
    Write,
    Grow,
    MakeName,
    RemoveName,
    Sync,
}

/// How a step ends that does not succeed.
struct Failure {
    error: io::Error,
    /// Whether it may have had its effect all the same.
    happened: bool,
}

impl FaultyDisk {
    pub(crate) fn new(faults: impl IntoIterator<Item = (usize, Fault)>) -> Self {
        let faults = faults.into_iter().collect();
        FaultyDisk(Arc::new(Mutex::new(State { faults, ..State::default() })))
    }

    /// The disk as it is found after the power went, `seed` choosing what of the unsynced is there.
    pub(crate) fn after_power_loss(&self, seed: u64, faults: impl IntoIterator<Item = (usize, Fault)>) -> FaultyDisk {
        let state = self.state();
        let random = Random::seeded(seed);
        // Nothing and everything are likely choices, and worth being sure to meet.
        let chance = [0.0, 1.0, 0.5, 0.9][(seed % 4) as usize];
        let keep = || random.fraction() < chance;
        let files: Vec<FileState> = state
            .files
            .iter()
            .map(|file| {
                let mut bytes = file.resting.clone();
                file.unsynced.iter().filter(|_| keep()).for_each(|change| change.apply(&mut bytes));
                FileState {
                    seen: bytes.clone(),
                    resting: bytes,
                    unsynced: Vec::new(),
                    unreadable_sectors: file.unreadable_sectors.clone(),
                }
            })
            .collect();
        let mut names = state.resting_names.clone();
        for later in &state.unsynced_names {
            if !keep() {
                break;
            }
            names = later.clone();
        }
        FaultyDisk(Arc::new(Mutex::new(State {
            faults: faults.into_iter().collect(),
            files,
            resting_names: names.clone(),
            names,
            ..State::default()
        })))
    }

    /// Another disk that holds what this one shows now, all of it at rest.
    pub(crate) fn copy(&self) -> FaultyDisk {
        let state = self.state();
        let files = state.files.iter().map(|file| FileState {
            seen: file.seen.clone(),
            resting: file.seen.clone(),
            ..FileState::default()
        });
        FaultyDisk(Arc::new(Mutex::new(State {
            files: files.collect(),
            names: state.names.clone(),
            resting_names: state.names.clone(),
            ..State::default()
        })))
    }

    /// Every file and its contents.
    pub(crate) fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state();
        state.names.iter().map(|(name, &file)| (name.clone(), state.files[file].seen.clone())).collect()
    }

    /// Changes one byte that rests.
    pub(crate) fn flip(&self, name: &str, offset: usize) {
        self.change_at_rest(name, |bytes| bytes[offset] ^= 0x10);
    }

    /// Replaces a sector's bytes.
    pub(crate) fn scramble_sector(&self, name: &str, sector: usize, seed: u64) {
        let random = Random::seeded(seed);
        self.change_at_rest(name, |bytes| {
            let end = bytes.len().min((sector + 1) * SECTOR_BYTES);
            bytes[sector * SECTOR_BYTES..end].fill_with(|| random.next_u64() as u8);
        });
    }

    pub(crate) fn make_unreadable(&self, name: &str, sector: usize) {
        let mut state = self.state();
        let file = state.names[name];
        state.files[file].unreadable_sectors.insert(sector);
    }

    fn change_at_rest(&self, name: &str, mut change: impl FnMut(&mut Vec<u8>)) {
        let mut state = self.state();
        let file = state.names[name];
        change(&mut state.files[file].resting);
        state.files[file].seen = state.files[file].resting.clone();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Without power nothing is read either.
    fn powered(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.state();
        if state.power_is_off { Err(io::Error::other("the power is off")) } else { Ok(state) }
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Change::Write { offset, bytes: written } => {
                let end = offset + written.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset..end].copy_from_slice(written);
            }
            Change::Length(length) => bytes.resize(*length, 0),
        }
    }
}

impl FileState {
    fn rest(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.resting);
        }
    }
}

impl State {
    /// Counts a step, and tells what goes wrong with it.
    fn step(&mut self, kind: Step) -> Result<Option<Fault>, Failure> {
        self.steps += 1;
        let failure = |text: &str, happened| Failure { error: io::Error::other(text.to_owned()), happened };
        if self.power_is_off {
            return Err(failure("the power is off", false));
        }
        let steps = self.steps;
        let due = self.faults.iter().position(|&(from, fault)| {
            from <= steps
                && match fault {
                    Fault::PowerLoss => true,
                    Fault::Full { steps: duration } => {
                        matches!(kind, Step::Grow | Step::MakeName) && steps < from + duration
                    }
                    Fault::WriteFails | Fault::Misdirected { .. } => matches!(kind, Step::Write | Step::Grow),
                    Fault::SyncFails | Fault::SyncForgets => kind == Step::Sync,
                }
        });
        let Some(index) = due else { return Ok(None) };
        let fault = self.faults[index].1;
        // All but a full disk happen once.
        if !matches!(fault, Fault::Full { .. }) {
            self.faults.remove(index);
        }
        match fault {
            Fault::PowerLoss => {
                self.power_is_off = true;
                Err(failure("the power is off", true))
            }
            Fault::Full { .. } => Err(Failure { error: io::ErrorKind::StorageFull.into(), happened: false }),
            Fault::WriteFails => Err(failure("the disk failed to write", false)),
            Fault::SyncFails => Err(failure("the disk failed to sync", false)),
            Fault::SyncForgets | Fault::Misdirected { .. } => Ok(Some(fault)),
        }
    }

    fn change_file(&mut self, file: usize, changes: Vec<Change>) -> io::Result<()> {
        let length = self.files[file].seen.len();
        let grows = changes.iter().any(|change| match change {
            Change::Write { offset, bytes } => offset + bytes.len() > length,
            Change::Length(new) => *new > length,
        });
        match self.step(if grows { Step::Grow } else { Step::Write }) {
            Ok(Some(Fault::Misdirected { seed })) => {
                self.misdirect(seed, file, &changes);
                Ok(())
            }
            Ok(_) => {
                self.apply(file, changes);
                Ok(())
            }
            Err(failure) => {
                // A full disk takes what it has room for.
                let part = if failure.happened { changes.len() } else { changes.len() / 2 };
                if !self.power_is_off || failure.happened {
                    self.apply(file, changes.into_iter().take(part).collect());
                }
                Err(failure.error)
            }
        }
    }

    fn apply(&mut self, file: usize, changes: Vec<Change>) {
        let file = &mut self.files[file];
        changes.iter().for_each(|change| change.apply(&mut file.seen));
        file.unsynced.extend(changes);
    }

    /// One sector of the write goes to another place; the machine itself sees it where it meant it
    /// to be until it starts again.
    fn misdirect(&mut self, seed: u64, file: usize, changes: &[Change]) {
        let random = Random::seeded(seed);
        let astray = random.below(changes.len() as u64) as usize;
        for (index, change) in changes.iter().enumerate() {
            change.apply(&mut self.files[file].seen);
            if index != astray {
                self.files[file].unsynced.push(change.clone());
                continue;
            }
            let Change::Write { bytes, .. } = change else { continue };
            let target = random.below(self.files.len() as u64) as usize;
            let sectors = self.files[target].resting.len() / SECTOR_BYTES;
            if sectors > 0 {
                let offset = random.below(sectors as u64) as usize * SECTOR_BYTES;
                Change::Write { offset, bytes: bytes.clone() }.apply(&mut self.files[target].resting);
            }
        }
    }

    fn change_names<T>(&mut self, kind: Step, change: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let step = self.step(kind);
        if let Ok(_) | Err(Failure { happened: true, .. }) = step {
            let result = change(self)?;
            self.unsynced_names.push(self.names.clone());
            return step.map_or_else(|failure| Err(failure.error), |_| Ok(result));
        }
        step.map_or_else(|failure| Err(failure.error), |_| Err(missing()))
    }
}

fn missing() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Disk for FaultyDisk {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.powered()?.names.keys().filter(|name| !name.contains('/')).cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let file = *self.powered()?.names.get(name).ok_or_else(missing)?;
        Ok(Box::new(FaultyFile { disk: self.clone(), file }))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let file = self.state().change_names(Step::MakeName, |state| {
            state.files.push(FileState::default());
            state.names.insert(name.to_owned(), state.files.len() - 1);
            Ok(state.files.len() - 1)
        })?;
        Ok(Box::new(FaultyFile { disk: self.clone(), file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.state().change_names(Step::MakeName, |state| {
            let file = state.names.remove(from).ok_or_else(missing)?;
            state.names.insert(to.to_owned(), file);
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.state().change_names(Step::RemoveName, |state| state.names.remove(name).map(drop).ok_or_else(missing))
    }

    fn keep_aside(&self, name: &str, folder: &str) -> io::Result<()> {
        self.state().change_names(Step::MakeName, |state| {
            let file = *state.names.get(name).ok_or_else(missing)?;
            state.names.insert(format!("{folder}/{name}"), file);
            Ok(())
        })
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut state = self.state();
        state.step(Step::Sync).map_err(|failure| failure.error)?;
        state.resting_names = state.names.clone();
        state.unsynced_names.clear();
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from("/faulty").join(name)
    }
}

#[derive(Debug)]
struct FaultyFile {
    disk: FaultyDisk,
    file: usize,
}

impl DiskFile for FaultyFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.disk.powered()?.files[self.file].seen.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let state = self.disk.powered()?;
        let file = &state.files[self.file];
        let offset = offset as usize;
        let rest = file.seen.get(offset..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        let sectors = offset / SECTOR_BYTES..(offset + count).div_ceil(SECTOR_BYTES);
        if count > 0 && file.unreadable_sectors.range(sectors).next().is_some() {
            return Err(io::Error::other("the disk cannot read a sector"));
        }
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut changes = Vec::new();
        let mut offset = offset as usize;
        let mut rest = Bytes::copy_from_slice(bytes);
        while !rest.is_empty() {
            let room = SECTOR_BYTES - offset % SECTOR_BYTES;
            let sector = rest.split_to(room.min(rest.len()));
            offset += sector.len();
            changes.push(Change::Write { offset: offset - sector.len(), bytes: sector });
        }
        self.disk.state().change_file(self.file, changes)
    }

    fn set_length(&mut self, length: u64) -> io::Result<()> {
        self.disk.state().change_file(self.file, vec![Change::Length(length as usize)])
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.state();
        let fault = state.step(Step::Sync).map_err(|failure| failure.error)?;
        let file = &mut state.files[self.file];
        if fault == Some(Fault::SyncForgets) {
            file.unsynced.clear();
            return Err(io::Error::other("the disk failed to sync, and the kernel forgets what it was"));
        }
        file.rest();
        Ok(())
    }

    fn has_other_names(&self) -> io::Result<bool> {
        let state = self.disk.powered()?;
        Ok(state.names.values().filter(|&&file| file == self.file).count() > 1)
    }
}
