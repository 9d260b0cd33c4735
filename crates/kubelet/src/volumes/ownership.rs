//! A volume's group: files that the pod's `fsGroup` may use.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::path::Path;

const READ_WRITE: u32 = 0o660;
const READ_ONLY: u32 = 0o440;
const ENTER: u32 = 0o110;
const SET_GROUP_ID: u32 = 0o2000;

/// Gives everything at and below `path` to the group, as upstream does: new files inherit it.
pub(crate) fn give_to_group(path: &Path, group: u32, read_only: bool) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.gid() != group {
        lchown(path, None, Some(group))?;
    }
    if metadata.is_symlink() {
        return Ok(());
    }
    let mut mode = metadata.mode() & 0o7777 | if read_only { READ_ONLY } else { READ_WRITE };
    if metadata.is_dir() {
        mode |= SET_GROUP_ID | ENTER;
    }
    // A change of group clears the set-group bit, so the mode comes after it.
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            give_to_group(&entry?.path(), group, read_only)?;
        }
    }
    Ok(())
}

/// The same, but where only a mismatch at the root counts, a root that is as it should be speaks for all
/// below it.
pub(crate) fn give_to_group_unless(path: &Path, group: u32, root_matches_is_enough: bool) -> io::Result<()> {
    if root_matches_is_enough && is_given(&fs::symlink_metadata(path)?, group) {
        return Ok(());
    }
    give_to_group(path, group, false)
}

fn is_given(metadata: &fs::Metadata, group: u32) -> bool {
    let wanted = READ_WRITE | if metadata.is_dir() { SET_GROUP_ID | ENTER } else { 0 };
    metadata.gid() == group && metadata.mode() & wanted == wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_that_fits_may_speak_for_all() {
        let folder = tempfile::tempdir().unwrap();
        let group = fs::metadata(folder.path()).unwrap().gid();
        give_to_group(folder.path(), group, false).unwrap();
        fs::write(folder.path().join("f"), "").unwrap();
        let mode = || fs::metadata(folder.path().join("f")).unwrap().mode() & 0o777;
        fs::set_permissions(folder.path().join("f"), fs::Permissions::from_mode(0o600)).unwrap();
        give_to_group_unless(folder.path(), group, true).unwrap();
        assert_eq!(mode(), 0o600);
        give_to_group_unless(folder.path(), group, false).unwrap();
        assert_eq!(mode(), 0o660);
        fs::set_permissions(folder.path().join("f"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        give_to_group_unless(folder.path(), group, true).unwrap();
        assert_eq!(mode(), 0o660);
    }

    #[test]
    fn folders_inherit_and_files_are_shared() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("d")).unwrap();
        fs::write(folder.path().join("d/f"), "").unwrap();
        fs::set_permissions(folder.path().join("d/f"), fs::Permissions::from_mode(0o600)).unwrap();
        let group = fs::metadata(folder.path()).unwrap().gid();
        give_to_group(folder.path(), group, false).unwrap();
        let mode = |path: &str| fs::metadata(folder.path().join(path)).unwrap().mode() & 0o7777;
        assert_eq!(mode("d/f"), 0o660);
        assert_eq!(mode("d") & 0o2070, 0o2070);
    }
}
