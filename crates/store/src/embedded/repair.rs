//! Keeps what is readable of a damaged store, and says what is lost.

use std::path::{Path, PathBuf};

use stdx::Ambient;

use super::OpenError;
use super::check::{Contents, Damage, check_on};
use super::disk::{Disk, FolderDisk};
use super::log::TEMPORARY_SUFFIX;
use super::recovery::{Inventory, read};
use super::salvage::Salvage;
use super::snapshot::{snapshot_name, write_at_revision};
use crate::shared::Moment;
use crate::{Options, Revision, Snapshot};

/// How far a store's revision moves when what it holds may not follow from what its clients have
/// seen: beyond all that they can know, so that they are told that their revisions are gone.
pub(super) const REVISION_LEAP: u64 = 1_000_000_000;

/// What a repair did.
#[derive(Clone, Debug)]
pub struct Repaired {
    /// What was wrong. Nothing was done where this is empty.
    pub damage: Vec<Damage>,
    /// Where the files lie that were there before.
    pub aside: Option<PathBuf>,
    pub lost: Vec<Loss>,
    pub contents: Contents,
}

/// What could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// What these revisions changed, the first and the last included.
    Revisions { first: Revision, last: Revision },
    /// What may have come after the last that was readable, at this revision.
    After(Revision),
    /// Keys between these two, as they stood at a revision. `None` stands for the first and the last
    /// there can be.
    Keys { after: Option<String>, before: Option<String>, at: Revision },
    /// Which of the keys that were there at a revision end by themselves.
    Leases { at: Revision },
}

/// Repairs the store in `folder`, which nobody may be using.
pub fn repair(folder: &Path, options: Options, ambient: &Ambient) -> Result<Repaired, OpenError> {
    // A folder that is not there must not come into being.
    drop(FolderDisk::look(folder)?);
    repair_on(&FolderDisk::open(folder)?, options, ambient)
}

pub fn repair_on(disk: &dyn Disk, options: Options, ambient: &Ambient) -> Result<Repaired, OpenError> {
    let now = Moment::now(&ambient.clock);
    let damage = match read(disk, &options, now) {
        Ok(found) => {
            let contents = Contents::of(&found.core);
            return Ok(Repaired { damage: Vec::new(), aside: None, lost: Vec::new(), contents });
        }
        Err(OpenError::Damaged { .. } | OpenError::Foreign { .. } | OpenError::Io { .. }) => {
            check_on(disk, None)?.damage
        }
        Err(error) => return Err(error),
    };
    let inventory = Inventory::take(disk)?;
    let mut salvage = Salvage::new(options, now);
    salvage.snapshots(disk, &inventory)?;
    salvage.logs(disk, &inventory)?;
    let Salvage { core, lost, .. } = salvage;

    let revision = Revision(core.revision().max(inventory.newest_name()).0 + REVISION_LEAP);
    let mut contents = Contents::of(&core);
    (contents.revision, contents.oldest, contents.oldest_time) = (revision, revision, contents.time);
    let aside = replace(disk, &inventory, &core.snapshot(), revision, ambient, "damaged")?;
    Ok(Repaired { damage, aside: Some(aside), lost, contents })
}

/// Puts a state in the place of all that is there, which is kept aside. At every moment the folder
/// holds either, whole.
pub(super) fn replace(
    disk: &dyn Disk,
    inventory: &Inventory,
    state: &Snapshot,
    revision: Revision,
    ambient: &Ambient,
    aside: &str,
) -> Result<PathBuf, OpenError> {
    let name = snapshot_name(revision);
    let temporary = format!("{name}{TEMPORARY_SUFFIX}");
    let failed = |action, name: &str| {
        let path = disk.path(name);
        move |source| OpenError::Io { action, path, source }
    };
    let salt = ambient.random.next_u64() as u32;
    disk.create(&temporary)
        .and_then(|file| write_at_revision(file, salt, state, revision))
        .map_err(failed("write", &temporary))?;
    let aside = format!("{aside}-{}", ambient.clock.now().strftime("%Y%m%dT%H%M%S%6f"));
    for old in inventory.names() {
        disk.keep_aside(&old, &aside).map_err(failed("keep aside", &old))?;
    }
    disk.sync_folder().map_err(failed("sync", ""))?;
    disk.rename(&temporary, &name).map_err(failed("name", &temporary))?;
    disk.sync_folder().map_err(failed("sync", ""))?;
    for old in inventory.names() {
        disk.remove(&old).map_err(failed("remove", &old))?;
    }
    disk.sync_folder().map_err(failed("sync", ""))?;
    Ok(disk.path(&aside))
}
