//! What a cluster leaves on a machine, and taking it away: the last step of `destroy`, after every room has removed
//! its own. It goes by what the kernel shows, so that what a killed process left is found too.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, umount2};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Settings;

#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    #[error("cannot {doing} {}", path.display())]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("{} is still mounted; end what uses it (fuser -vm {}), then run the command again", path.display(), path.display())]
    Busy { path: PathBuf },
}

/// What the data folder holds, by name. Only these are removed: the folder may have been the user's before.
const DATA_ENTRIES: [&str; 12] = [
    "store",
    crate::store::FILE,
    crate::choices::FILE,
    "pki",
    "images",
    "sandboxes",
    "containers",
    "kubelet",
    "logs",
    "network",
    "volumes",
    "manifests",
];

/// Ends every process in the cluster's cgroups and removes the cgroups.
pub fn remove_cgroups(name: &str) -> Result<(), TracesError> {
    let mounts = read("/proc/self/mounts")?;
    for root in cgroup_mounts(&mounts) {
        let top = root.join(name);
        if !top.exists() {
            continue;
        }
        let mut groups = Vec::new();
        collect_folders(&top, &mut groups).map_err(failed("read", &top))?;
        // Twice: a process may fork while the first pass goes through.
        for group in groups.iter().chain(&groups) {
            kill_members(group)?;
        }
        for group in &groups {
            remove_group(group)?;
        }
    }
    Ok(())
}

/// Unmounts everything at or beneath `folder`, the deepest first; what cannot be is an error, because what is
/// mounted there may be the user's own data.
pub fn unmount_beneath(folder: &Path) -> Result<(), TracesError> {
    for path in mounts_beneath(&read("/proc/self/mountinfo")?, folder) {
        // A detached mount vanishes with its last user, which is being killed.
        match umount2(&path, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW) {
            Ok(()) | Err(nix::errno::Errno::EINVAL | nix::errno::Errno::ENOENT) => {}
            Err(errno) => return Err(failed("unmount", &path)(errno.into())),
        }
    }
    match mounts_beneath(&read("/proc/self/mountinfo")?, folder).into_iter().next() {
        Some(path) => Err(TracesError::Busy { path }),
        None => Ok(()),
    }
}

/// Removes the cluster's files. Call after [`unmount_beneath`] for both folders.
pub fn remove_files(settings: &Settings) -> Result<(), TracesError> {
    for entry in DATA_ENTRIES {
        remove_tree(&settings.data_dir.join(entry))?;
    }
    remove_tree(&settings.run_dir)?;
    match fs::remove_dir(&settings.data_dir) {
        Ok(()) => Ok(()),
        // Somebody else's files are in it.
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed("remove", &settings.data_dir)(error)),
    }
}

/// Whether anything of the cluster rests on disk.
pub fn exist(settings: &Settings) -> bool {
    settings.run_dir.exists() || DATA_ENTRIES.iter().any(|entry| settings.data_dir.join(entry).exists())
}

fn remove_tree(path: &Path) -> Result<(), TracesError> {
    let removed = match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => fs::remove_file(path),
        removed => removed,
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

fn cgroup_mounts(mounts: &str) -> Vec<PathBuf> {
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    fields
        .filter(|fields| matches!(fields.get(2), Some(&("cgroup" | "cgroup2"))))
        .map(|fields| fields[1].into())
        .collect()
}

/// Mount points at or beneath `folder`, in the order in which they can be unmounted.
fn mounts_beneath(mountinfo: &str, folder: &Path) -> Vec<PathBuf> {
    let points = mountinfo.lines().filter_map(|line| line.split(' ').nth(4)).map(unescape);
    let mut points: Vec<PathBuf> = points.filter(|point| point.starts_with(folder)).collect();
    // The kernel lists mounts in the order they were made; what covers others came later.
    points.reverse();
    points
}

/// The kernel writes space, tab, newline and backslash as three octal digits.
fn unescape(field: &str) -> PathBuf {
    let mut rest = field;
    let mut plain = String::new();
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 4).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(code) => {
                plain.push(char::from(code));
                rest = &rest[at + 4..];
            }
            None => {
                plain.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    plain.push_str(rest);
    plain.into()
}

/// `folder` and everything in it, children before parents.
fn collect_folders(folder: &Path, into: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect_folders(&entry.path(), into)?;
        }
    }
    into.push(folder.to_owned());
    Ok(())
}

fn kill_members(group: &Path) -> Result<(), TracesError> {
    let members = match fs::read_to_string(group.join("cgroup.procs")) {
        Ok(members) => members,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("read", group)(error)),
    };
    for pid in members.lines().filter_map(|line| line.parse::<i32>().ok()).filter(|pid| *pid > 1) {
        match kill(Pid::from_raw(pid), Signal::SIGKILL) {
            Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
            Err(errno) => return Err(failed("end the processes of", group)(errno.into())),
        }
    }
    Ok(())
}

/// A killed process leaves its cgroup a moment after the signal; removal is tried until it has.
fn remove_group(group: &Path) -> Result<(), TracesError> {
    const ATTEMPTS: u32 = 10_000;
    for _ in 0..ATTEMPTS {
        match fs::remove_dir(group) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => std::thread::yield_now(),
            Err(error) => return Err(failed("remove", group)(error)),
        }
    }
    Err(failed("remove", group)(io::ErrorKind::ResourceBusy.into()))
}

fn read(path: &str) -> Result<String, TracesError> {
    fs::read_to_string(path).map_err(failed("read", Path::new(path)))
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TracesError {
    let path = path.to_owned();
    move |source| TracesError::File { doing, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_taken_away_from_the_top() {
        let mountinfo = "\
30 1 0:1 / / rw - ext4 /dev/a rw
31 30 0:2 / /data/kubelet rw - tmpfs tmpfs rw
32 31 0:3 / /data/kubelet/a\\040b rw - tmpfs tmpfs rw
33 30 0:4 / /database rw - ext4 /dev/b rw
";
        let found = mounts_beneath(mountinfo, Path::new("/data"));
        assert_eq!(found, [PathBuf::from("/data/kubelet/a b"), PathBuf::from("/data/kubelet")]);
    }

    #[test]
    fn a_folder_that_held_other_files_keeps_them() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            data_dir: folder.path().join("data"),
            run_dir: folder.path().join("run"),
            ..crate::settings::tests::example()
        };
        fs::create_dir_all(settings.store_dir()).unwrap();
        fs::write(settings.data_dir.join(crate::store::FILE), "{}").unwrap();
        fs::write(settings.data_dir.join(crate::choices::FILE), "{}").unwrap();
        fs::create_dir_all(&settings.run_dir).unwrap();
        fs::write(settings.data_dir.join("letter"), "mine").unwrap();
        assert!(exist(&settings));
        remove_files(&settings).unwrap();
        assert!(!exist(&settings) && settings.data_dir.join("letter").exists());
        remove_files(&settings).unwrap();
    }
}
