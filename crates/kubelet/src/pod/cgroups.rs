//! A pod's own cgroup: what it may use as a whole. It is there before the first container, and nobody needs
//! it after the last.

use std::fs;
use std::io;
use std::path::Path;

use api::k8s::api::core::v1::Pod;
use cri::LinuxContainerResources;

use crate::config::resources;

/// How many processes and threads are in the cgroup and below; none where nobody counts them.
pub(crate) fn processes(root: &Path, cgroup: &str) -> u64 {
    let cgroup = cgroup.trim_start_matches('/');
    let hierarchies = [root.join("pids"), root.to_owned()];
    let mut counts = hierarchies.iter().filter_map(|hierarchy| {
        fs::read_to_string(hierarchy.join(cgroup).join("pids.current")).ok()?.trim().parse().ok()
    });
    counts.next().unwrap_or(0)
}

/// What a pod may use as a whole; zero sets no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) processes: u64,
    pub(crate) cpu_shares: i64,
    pub(crate) cpu_quota_us: i64,
    pub(crate) cpu_period_us: i64,
    pub(crate) memory_bytes: i64,
}

impl Limits {
    pub(crate) fn of(pod: &Pod, processes: u64) -> Self {
        let resources = resources::for_pod(pod);
        Limits {
            processes,
            cpu_shares: resources.cpu_shares,
            cpu_quota_us: resources.cpu_quota,
            cpu_period_us: resources.cpu_period,
            memory_bytes: resources.memory_limit_in_bytes,
        }
    }

    /// Some of the pod's containers have processors of their own, on which nobody holds them back.
    pub(crate) fn unthrottled(self) -> Self {
        Limits { cpu_quota_us: 0, ..self }
    }

    /// Controller, file and contents with cgroup v1.
    fn legacy(&self) -> [(&'static str, &'static str, String); 5] {
        let or_none = |amount: i64| if amount > 0 { amount } else { -1 }.to_string();
        [
            ("pids", "pids.max", self.processes.to_string()),
            ("cpu", "cpu.shares", self.cpu_shares.to_string()),
            ("cpu", "cpu.cfs_period_us", self.period_us().to_string()),
            ("cpu", "cpu.cfs_quota_us", or_none(self.cpu_quota_us)),
            ("memory", "memory.limit_in_bytes", or_none(self.memory_bytes)),
        ]
    }

    /// The same with cgroup v2.
    fn unified(&self) -> [(&'static str, &'static str, String); 4] {
        let or_max = |amount: i64| if amount > 0 { amount.to_string() } else { "max".to_owned() };
        let weight = 1 + ((self.cpu_shares.max(2) - 2) * 9999) / 262_142;
        [
            ("pids", "pids.max", self.processes.to_string()),
            ("cpu", "cpu.weight", weight.to_string()),
            ("cpu", "cpu.max", format!("{} {}", or_max(self.cpu_quota_us), self.period_us())),
            ("memory", "memory.max", or_max(self.memory_bytes)),
        ]
    }

    fn period_us(&self) -> i64 {
        const DEFAULT: i64 = 100_000;
        if self.cpu_period_us > 0 { self.cpu_period_us } else { DEFAULT }
    }
}

/// Whether version 2 alone governs containers.
pub(crate) fn is_unified(root: &Path) -> bool {
    root.join("cgroup.controllers").exists()
}

/// Where the kernel can, a container that is out of memory ends as a whole, as upstream's do: one that lost a
/// process at random would be neither well nor restarted.
pub(crate) fn end_as_a_whole(resources: &mut LinuxContainerResources, root: &Path) {
    if is_unified(root) {
        resources.unified.insert("memory.oom.group".to_owned(), "1".to_owned());
    }
}

/// Makes the pod's cgroup and bounds what is in it, before the first process runs: who forks without end
/// harms only itself. What the kernel has no controller for has no bound.
pub(crate) fn bound(root: &Path, cgroup: &str, limits: &Limits) -> io::Result<()> {
    let cgroup = Path::new(cgroup.trim_start_matches('/'));
    for (controller, file, contents) in limits.legacy() {
        let hierarchy = root.join(controller);
        if hierarchy.is_dir() {
            let folder = hierarchy.join(cgroup);
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(file), contents)?;
        }
    }
    let Ok(controllers) = fs::read_to_string(root.join("cgroup.controllers")) else { return Ok(()) };
    let present = |controller: &str| controllers.split_whitespace().any(|name| name == controller);
    for (controller, file, contents) in limits.unified().into_iter().filter(|(controller, ..)| present(controller)) {
        // Each level hands the controller down to the next.
        let mut level = root.to_owned();
        for part in cgroup.components() {
            fs::write(level.join("cgroup.subtree_control"), format!("+{controller}"))?;
            level.push(part);
            fs::create_dir_all(&level)?;
        }
        fs::write(level.join(file), contents)?;
    }
    Ok(())
}

/// Removes the cgroup from every hierarchy that has it: one with cgroup v2, one for each controller
/// with v1, both on a mixed machine. Only empty cgroups can be removed, so that a process that lives
/// on keeps its own.
pub(crate) fn remove(root: &Path, cgroup: &str) -> io::Result<()> {
    let cgroup = cgroup.trim_start_matches('/');
    let mut hierarchies = vec![root.to_owned()];
    for entry in fs::read_dir(root)? {
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
    fn only_version_2_ends_a_container_as_a_whole() {
        let root = tempfile::tempdir().unwrap();
        let mut resources = LinuxContainerResources::default();
        end_as_a_whole(&mut resources, root.path());
        assert!(resources.unified.is_empty());
        std::fs::write(root.path().join("cgroup.controllers"), "memory\n").unwrap();
        end_as_a_whole(&mut resources, root.path());
        assert_eq!(resources.unified["memory.oom.group"], "1");
    }

    #[test]
    fn a_pod_is_bounded_in_either_version() {
        let root = tempfile::tempdir().unwrap();
        let read = |path: &str| std::fs::read_to_string(root.path().join(path)).unwrap();
        let limits = Limits { processes: 7, cpu_shares: 1024, memory_bytes: 1 << 20, ..Limits::default() };
        bound(root.path(), "/c/pods/podu", &limits).unwrap();
        assert!(!root.path().join("c").exists(), "there are no controllers");
        std::fs::write(root.path().join("cgroup.controllers"), "cpu pids\n").unwrap();
        bound(root.path(), "/c/pods/podu", &limits).unwrap();
        assert_eq!(read("c/pods/podu/pids.max"), "7");
        assert_eq!((read("c/pods/podu/cpu.weight"), read("c/pods/podu/cpu.max")), ("39".into(), "max 100000".into()));
        assert!(read("c/pods/cgroup.subtree_control").starts_with("+cpu"));
        assert!(!root.path().join("c/pods/podu/memory.max").exists());
        for controller in ["pids", "memory"] {
            std::fs::create_dir(root.path().join(controller)).unwrap();
        }
        bound(root.path(), "/c/pods/podu", &limits).unwrap();
        assert_eq!(read("memory/c/pods/podu/memory.limit_in_bytes"), "1048576");
        std::fs::write(root.path().join("pids/c/pods/podu/pids.current"), "3\n").unwrap();
        assert_eq!(processes(root.path(), "/c/pods/podu"), 3);
    }

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
