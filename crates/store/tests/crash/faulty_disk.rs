//! A disk in memory that fails as real ones do: on power loss it keeps any selection of the
//! sectors and the first part of the folder changes that were not synced, and it can refuse.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use stdx::Random;
use store::{Disk, DiskFile};

const SECTOR_BYTES: u64 = 512;

/// What goes wrong, counting every change and every sync as a step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    None,
    /// The step at which the power goes: it may have happened in part.
    PowerLossAt(usize),
    /// From this step on nothing can be written: the disk is full.
    FullFrom(usize),
    /// From this step on no sync succeeds.
    SyncFailsFrom(usize),
}

#[derive(Clone, Debug)]
pub(crate) struct FaultyDisk(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    fault: Fault,
    steps: usize,
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
}

#[derive(Clone, Debug)]
enum Change {
    /// Within one sector.
    Write {
        offset: u64,
        bytes: Vec<u8>,
    },
    Length(u64),
}

enum Step {
    Write,
    Sync,
}

impl FaultyDisk {
    pub(crate) fn new(fault: Fault) -> Self {
        FaultyDisk(Arc::new(Mutex::new(State {
            fault,
            steps: 0,
            files: Vec::new(),
            names: Names::new(),
            resting_names: Names::new(),
            unsynced_names: Vec::new(),
        })))
    }

    /// Whether the fault has come to pass.
    pub(crate) fn has_failed(&self) -> bool {
        let state = self.state();
        match state.fault {
            Fault::None => false,
            Fault::PowerLossAt(step) | Fault::FullFrom(step) | Fault::SyncFailsFrom(step) => state.steps >= step,
        }
    }

    /// The disk as it is found after the power went, `seed` choosing what of the unsynced is there.
    pub(crate) fn after_power_loss(&self, seed: u64, fault: Fault) -> FaultyDisk {
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
                FileState { seen: bytes.clone(), resting: bytes, unsynced: Vec::new() }
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
            fault,
            steps: 0,
            files,
            resting_names: names.clone(),
            names,
            unsynced_names: Vec::new(),
        })))
    }

    /// Every file and its contents.
    pub(crate) fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state();
        state.names.iter().map(|(name, &file)| (name.clone(), state.files[file].seen.clone())).collect()
    }

    /// Changes one byte that rests.
    pub(crate) fn flip(&self, name: &str, offset: usize) {
        let mut state = self.state();
        let file = state.names[name];
        state.files[file].seen[offset] ^= 0x10;
        state.files[file].resting[offset] ^= 0x10;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Change::Write { offset, bytes: written } => {
                let end = *offset as usize + written.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset as usize..end].copy_from_slice(written);
            }
            Change::Length(length) => bytes.resize(*length as usize, 0),
        }
    }
}

impl State {
    /// Counts a step. An error with `true` means: it may have happened in part.
    fn step(&mut self, kind: Step) -> Result<(), (io::Error, bool)> {
        self.steps += 1;
        match (self.fault, kind) {
            (Fault::PowerLossAt(step), _) if self.steps >= step => {
                Err((io::Error::other("the power is off"), self.steps == step))
            }
            (Fault::FullFrom(step), Step::Write) if self.steps >= step => {
                Err((io::ErrorKind::StorageFull.into(), false))
            }
            (Fault::SyncFailsFrom(step), Step::Sync) if self.steps >= step => {
                Err((io::Error::other("the disk failed to sync"), true))
            }
            _ => Ok(()),
        }
    }

    fn change_file(&mut self, file: usize, changes: Vec<Change>) -> io::Result<()> {
        let step = self.step(Step::Write);
        if let Ok(()) | Err((_, true)) = step {
            let file = &mut self.files[file];
            changes.iter().for_each(|change| change.apply(&mut file.seen));
            file.unsynced.extend(changes);
        }
        step.map_err(|(error, _)| error)
    }

    fn change_names<T>(&mut self, change: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        match self.step(Step::Write) {
            Ok(()) => {
                let result = change(self)?;
                self.unsynced_names.push(self.names.clone());
                Ok(result)
            }
            Err((error, happened)) => {
                if happened {
                    change(self)?;
                    self.unsynced_names.push(self.names.clone());
                }
                Err(error)
            }
        }
    }
}

fn missing() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Disk for FaultyDisk {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.state().names.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let file = *self.state().names.get(name).ok_or_else(missing)?;
        Ok(Box::new(FaultyFile { disk: self.clone(), file }))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let file = self.state().change_names(|state| {
            state.files.push(FileState::default());
            state.names.insert(name.to_owned(), state.files.len() - 1);
            Ok(state.files.len() - 1)
        })?;
        Ok(Box::new(FaultyFile { disk: self.clone(), file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.state().change_names(|state| {
            let file = state.names.remove(from).ok_or_else(missing)?;
            state.names.insert(to.to_owned(), file);
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.state().change_names(|state| state.names.remove(name).map(drop).ok_or_else(missing))
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut state = self.state();
        state.step(Step::Sync).map_err(|(error, _)| error)?;
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
        Ok(self.disk.state().files[self.file].seen.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let state = self.disk.state();
        let rest = state.files[self.file].seen.get(offset as usize..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut changes = Vec::new();
        let (mut offset, mut rest) = (offset, bytes);
        while !rest.is_empty() {
            let room = (SECTOR_BYTES - offset % SECTOR_BYTES) as usize;
            let (sector, others) = rest.split_at(room.min(rest.len()));
            changes.push(Change::Write { offset, bytes: sector.to_vec() });
            offset += sector.len() as u64;
            rest = others;
        }
        self.disk.state().change_file(self.file, changes)
    }

    fn set_length(&mut self, length: u64) -> io::Result<()> {
        self.disk.state().change_file(self.file, vec![Change::Length(length)])
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.state();
        state.step(Step::Sync).map_err(|(error, _)| error)?;
        let file = &mut state.files[self.file];
        file.resting = file.seen.clone();
        file.unsynced.clear();
        Ok(())
    }
}
