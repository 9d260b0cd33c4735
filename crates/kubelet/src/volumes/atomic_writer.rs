//! Files that change all together: a reader sees the old set or the new one.
//!
//! Upstream's layout, which programs rely on: each file is a link into `..data`, and `..data` a link
//! to a dated folder; a rename swaps it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Component, Path};

use jiff::Timestamp;

use super::VolumeError;

const DATA_LINK: &str = "..data";
const NEW_DATA_LINK: &str = "..data_tmp";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) data: Vec<u8>,
    pub(crate) mode: u32,
    /// The user that owns the file, where not root.
    pub(crate) owner: Option<u32>,
}

/// By path inside the volume.
pub(crate) type Payload = BTreeMap<String, Entry>;

/// Makes the folder show exactly `payload`. `finish` sets the ownership of a new dated folder before
/// it becomes visible. Whether anything changed.
pub(crate) fn write(
    directory: &Path,
    payload: &Payload,
    now: Timestamp,
    finish: impl Fn(&Path) -> io::Result<()>,
) -> Result<bool, VolumeError> {
    for path in payload.keys() {
        validate(path)?;
    }
    let failed = |step| VolumeError::file(step, directory);
    let current = fs::read_link(directory.join(DATA_LINK)).ok();
    let unchanged = match &current {
        Some(current) => is_same(&directory.join(current), payload).map_err(failed("compare the files of"))?,
        None => false,
    };
    if !unchanged {
        let dated = make_dated_folder(directory, now).map_err(failed("make a folder in"))?;
        let folder = directory.join(&dated);
        write_files(&folder, payload).and_then(|()| finish(&folder)).map_err(failed("write the files of"))?;
        swap(directory, &dated).map_err(failed("swap the files of"))?;
        if let Some(old) = &current {
            remove_if_present(fs::remove_dir_all(directory.join(old))).map_err(failed("remove old files of"))?;
        }
    }
    let visible: BTreeSet<&str> = payload.keys().filter_map(|path| path.split('/').next()).collect();
    link_visible(directory, &visible).map_err(failed("link the files of"))?;
    Ok(!unchanged)
}

fn validate(path: &str) -> Result<(), VolumeError> {
    let invalid = || VolumeError::InvalidPath(path.to_owned());
    let normal = Path::new(path).components().all(|component| matches!(component, Component::Normal(_)));
    if path.is_empty() || !normal || path.starts_with("..") || path.len() > 4096 { Err(invalid()) } else { Ok(()) }
}

fn is_same(folder: &Path, payload: &Payload) -> io::Result<bool> {
    let mut present = BTreeSet::new();
    collect_files(folder, folder, &mut present)?;
    if present.len() != payload.len() {
        return Ok(false);
    }
    for (path, entry) in payload {
        let file = folder.join(path);
        // The mode is compared without what a group gains later: only the wanted bits must be there.
        let same = present.contains(path)
            && fs::read(&file)? == entry.data
            && fs::metadata(&file)?.permissions().mode() & entry.mode == entry.mode;
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

fn collect_files(root: &Path, folder: &Path, files: &mut BTreeSet<String>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect_files(root, &entry.path(), files)?;
        } else if let Ok(path) = entry.path().strip_prefix(root) {
            files.insert(path.to_string_lossy().into_owned());
        }
    }
    Ok(())
}

fn make_dated_folder(directory: &Path, now: Timestamp) -> io::Result<String> {
    for attempt in 0..1000 {
        let date = now.strftime("..%Y_%m_%d_%H_%M_%S.");
        let name = format!("{date}{:09}", i64::from(now.subsec_nanosecond()) + attempt);
        match fs::create_dir(directory.join(&name)) {
            Ok(()) => {
                fs::set_permissions(directory.join(&name), fs::Permissions::from_mode(0o755))?;
                return Ok(name);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists))
}

fn write_files(folder: &Path, payload: &Payload) -> io::Result<()> {
    for (path, entry) in payload {
        let file = folder.join(path);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&file, &entry.data)?;
        // After writing, so that neither the process's mask nor a read-only mode is in the way.
        fs::set_permissions(&file, fs::Permissions::from_mode(entry.mode))?;
        if let Some(owner) = entry.owner {
            chown(&file, Some(owner), None)?;
        }
    }
    Ok(())
}

fn swap(directory: &Path, dated: &str) -> io::Result<()> {
    let new = directory.join(NEW_DATA_LINK);
    remove_if_present(fs::remove_file(&new))?;
    symlink(dated, &new)?;
    fs::rename(&new, directory.join(DATA_LINK))
}

fn link_visible(directory: &Path, visible: &BTreeSet<&str>) -> io::Result<()> {
    for name in visible {
        match symlink(Path::new(DATA_LINK).join(name), directory.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => result?,
        }
    }
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with("..") || visible.contains(name));
        if !ours && entry.file_type()?.is_symlink() {
            remove_if_present(fs::remove_file(entry.path()))?;
        }
    }
    Ok(())
}

fn remove_if_present(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(files: &[(&str, &str)]) -> Payload {
        let entry = |data: &str| Entry { data: data.as_bytes().to_vec(), mode: 0o644, owner: None };
        files.iter().map(|(path, data)| ((*path).to_owned(), entry(data))).collect()
    }

    fn show(directory: &Path) -> String {
        let mut names: Vec<String> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| !name.starts_with(".."))
            .collect();
        names.sort();
        names.join(" ")
    }

    #[test]
    fn sets_of_files_are_swapped_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (path, now) = (folder.path(), Timestamp::UNIX_EPOCH);
        let finish = |_: &Path| Ok(());
        assert!(write(path, &payload(&[("a", "1"), ("deep/b", "2")]), now, finish).unwrap());
        assert_eq!(show(path), "a deep");
        assert_eq!(fs::read_to_string(path.join("deep/b")).unwrap(), "2");
        let first = fs::read_link(path.join(DATA_LINK)).unwrap();
        assert!(first.to_str().unwrap().starts_with("..1970_01_01_00_00_00."));
        assert!(!write(path, &payload(&[("a", "1"), ("deep/b", "2")]), now, finish).unwrap());
        assert_eq!(fs::read_link(path.join(DATA_LINK)).unwrap(), first, "nothing changed, nothing is written");
        assert!(write(path, &payload(&[("a", "3"), ("c", "")]), now, finish).unwrap());
        assert_eq!(show(path), "a c");
        assert_eq!(fs::read_to_string(path.join("a")).unwrap(), "3");
        assert!(!path.join(first).exists(), "the old set is removed");
    }

    #[test]
    fn paths_stay_inside() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["../a", "/a", "a/../b", "..a", "", "./a/.."] {
            let result = write(folder.path(), &payload(&[(path, "")]), Timestamp::UNIX_EPOCH, |_| Ok(()));
            assert!(matches!(result, Err(VolumeError::InvalidPath(_))), "{path}");
        }
    }
}
