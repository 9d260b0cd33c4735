//! How files go that nothing needs any more: little by little.
//!
//! A file system gives back the room of a removed file in one piece, and every sync waits for that:
//! tens of milliseconds for a few hundred megabytes.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::disk::{Disk, DiskFile};
use super::format::FileKind;
use super::log::TEMPORARY_SUFFIX;
use super::recovery::{Inventory, split_name};
use crate::Revision;

/// How much room is given back at once.
const STEP_BYTES: u64 = 4 << 20;

/// Removes the logs and snapshots that the snapshot at `revision`, which rests, stands for. Told to
/// stop, it leaves what is left to the next start.
pub(super) fn remove_replaced(disk: &dyn Disk, revision: Revision, stop: &AtomicBool) -> io::Result<()> {
    for name in Inventory::of(disk.names()?).replaced_by(revision) {
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        match split_name(&name) {
            Some((FileKind::Snapshot, _)) => remove_in_steps(disk, &name, stop)?,
            // Logs are short; and to who is just reading it, a shrunken log would look like a whole one.
            _ => disk.remove(&name)?,
        }
        disk.sync_folder()?;
    }
    Ok(())
}

fn remove_in_steps(disk: &dyn Disk, name: &str, stop: &AtomicBool) -> io::Result<()> {
    // Whoever forks the store gave it another name before this, or finds it gone.
    let condemned = format!("{name}{TEMPORARY_SUFFIX}");
    disk.rename(name, &condemned)?;
    let mut file = disk.open(&condemned)?;
    if !file.has_other_names()? {
        shrink(&mut *file, stop)?;
    }
    disk.remove(&condemned)
}

fn shrink(file: &mut dyn DiskFile, stop: &AtomicBool) -> io::Result<()> {
    let mut length = file.length()?;
    while length > STEP_BYTES && !stop.load(Ordering::Relaxed) {
        length -= STEP_BYTES;
        file.set_length(length)?;
        // Or all steps would become one.
        file.sync()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::disk::FolderDisk;
    use super::super::log::log_name;
    use super::super::snapshot::snapshot_name;
    use super::*;

    const NEWEST: Revision = Revision(9);

    /// Two logs and an old snapshot that the newest one stands for, and the log behind it.
    fn folder() -> (tempfile::TempDir, FolderDisk) {
        let folder = tempfile::tempdir().unwrap();
        let disk = FolderDisk::open(folder.path()).unwrap();
        let names = [snapshot_name(Revision(4)), snapshot_name(NEWEST)];
        for name in names.into_iter().chain([1, 5, 10].map(|first| log_name(Revision(first)))) {
            std::fs::write(folder.path().join(name), vec![7; 2 * STEP_BYTES as usize + 1]).unwrap();
        }
        (folder, disk)
    }

    fn names(folder: &Path) -> Vec<String> {
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name != "lock").collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_snapshot_stands_for_goes() {
        let (folder, disk) = folder();
        remove_replaced(&disk, NEWEST, &AtomicBool::new(false)).unwrap();
        assert_eq!(names(folder.path()), [log_name(Revision(10)), snapshot_name(NEWEST)]);
    }

    #[test]
    fn a_file_that_somebody_shares_stays_whole_for_them() {
        let (folder, disk) = folder();
        let other = tempfile::tempdir_in(folder.path()).unwrap();
        let shared = other.path().join("shared");
        std::fs::hard_link(folder.path().join(snapshot_name(Revision(4))), &shared).unwrap();
        remove_replaced(&disk, NEWEST, &AtomicBool::new(false)).unwrap();
        assert!(std::fs::read(&shared).unwrap() == vec![7; 2 * STEP_BYTES as usize + 1]);
        assert!(!names(folder.path()).contains(&snapshot_name(Revision(4))));
    }

    #[test]
    fn the_next_start_removes_what_was_left() {
        let (folder, disk) = folder();
        let name = snapshot_name(Revision(4));
        let condemned = format!("{name}{TEMPORARY_SUFFIX}");
        disk.rename(&name, &condemned).unwrap();
        shrink(&mut *disk.open(&condemned).unwrap(), &AtomicBool::new(false)).unwrap();
        let length = std::fs::metadata(folder.path().join(&condemned)).unwrap().len();
        assert!((1..=STEP_BYTES).contains(&length), "{length}");
        assert_eq!(Inventory::of(disk.names().unwrap()).leftovers, [condemned]);
    }
}
