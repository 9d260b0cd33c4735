//! A pod's own cgroup: the runtime makes it with the first container, nobody needs it after the last.

use std::fs;
use std::io;
use std::path::Path;

const ROOT: &str = "/sys/fs/cgroup";

/// How many processes and threads are in the cgroup and below; none where nobody counts them.
pub(crate) fn processes(cgroup: &str) -> u64 {
    let cgroup = cgroup.trim_start_matches('/');
    let hierarchies = [Path::new(ROOT).join("pids"), Path::new(ROOT).to_owned()];
    let mut counts = hierarchies.iter().filter_map(|hierarchy| {
        fs::read_to_string(hierarchy.join(cgroup).join("pids.current")).ok()?.trim().parse().ok()
    });
    counts.next().unwrap_or(0)
}

/// Removes the cgroup from every hierarchy that has it: one with cgroup v2, one for each controller
/// with v1, both on a mixed machine. Only empty cgroups can be removed, so that a process that lives
/// on keeps its own.
pub(crate) fn remove(root: &Path, cgroup: &str) -> io::Result<()> {
    let cgroup = cgroup.trim_start_matches('/');
    let mut hierarchies = vec![root.to_owned()];
    for entry in std::fs::read_dir(root)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            hierarchies.push(entry.path());
        }
    }
    for hierarchy in hierarchies {
        match std::fs::remove_dir(hierarchy.join(cgroup)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_from_every_hierarchy() {
        let root = tempfile::tempdir().unwrap();
        for path in ["memory/c/pods/podu", "c/pods/podu", "memory/c/pods/podv"] {
            std::fs::create_dir_all(root.path().join(path)).unwrap();
        }
        remove(root.path(), "/c/pods/podu").unwrap();
        assert!(!root.path().join("memory/c/pods/podu").exists() && !root.path().join("c/pods/podu").exists());
        assert!(root.path().join("memory/c/pods/podv").exists());
        remove(root.path(), "/c/pods/podu").unwrap();
    }
}
