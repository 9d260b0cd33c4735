//! A pod's own cgroup: what it may use as a whole. It is there before the first container, and nobody needs
//! it after the last.

use std::fs;
use std::io;
use std::path::Path;

use api::k8s::api::core::v1::Pod;
use cri::LinuxContainerResources;

use crate::config::huge_pages::{self, PageSize};
use crate::config::{NodeFacts, resources, totals};

/// How many processes and threads are in the cgroup and below; none where nobody counts them.
pub(crate) fn processes(root: &Path, cgroup: &str) -> u64 {
    let cgroup = cgroup.trim_start_matches('/');
    let hierarchies = [root.join("pids"), root.to_owned()];
    let mut counts = hierarchies.iter().filter_map(|hierarchy| {
        fs::read_to_string(hierarchy.join(cgroup).join("pids.current")).ok()?.trim().parse().ok()
    });
    counts.next().unwrap_or(0)
}

/// What a pod may use as a whole; zero sets no bound, but for huge pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) processes: u64,
    pub(crate) cpu_shares: i64,
    pub(crate) cpu_quota_us: i64,
    pub(crate) cpu_period_us: i64,
    pub(crate) memory_bytes: i64,
    /// Bytes in huge pages of each size that the kernel has.
    pub(crate) huge_pages: Vec<(PageSize, u64)>,
}

/// A controller, the file and what is written into it.
type Setting = (&'static str, String, String);

impl Limits {
    pub(crate) fn of(pod: &Pod, node: &NodeFacts) -> Self {
        let resources = resources::for_pod(pod);
        let huge = |size: &PageSize| (*size, huge_pages::bytes(totals::limit(pod, &size.resource())));
        Limits {
            processes: node.pod_pids_limit,
            cpu_shares: resources.cpu_shares,
            cpu_quota_us: resources.cpu_quota,
            cpu_period_us: resources.cpu_period,
            memory_bytes: resources.memory_limit_in_bytes,
            huge_pages: node.page_sizes.iter().map(huge).collect(),
        }
    }

    /// Some of the pod's containers have processors of their own, on which nobody holds them back.
    pub(crate) fn unthrottled(self) -> Self {
        Limits { cpu_quota_us: 0, ..self }
    }

    /// With cgroup v1.
    fn legacy(&self) -> Vec<Setting> {
        let or_none = |amount: i64| if amount > 0 { amount } else { -1 }.to_string();
        let mut settings = vec![
            ("pids", "pids.max".to_owned(), self.processes.to_string()),
            ("cpu", "cpu.shares".to_owned(), self.cpu_shares.to_string()),
            ("cpu", "cpu.cfs_period_us".to_owned(), self.period_us().to_string()),
            ("cpu", "cpu.cfs_quota_us".to_owned(), or_none(self.cpu_quota_us)),
            ("memory", "memory.limit_in_bytes".to_owned(), or_none(self.memory_bytes)),
        ];
        settings.extend(self.of_huge_pages("limit_in_bytes"));
        settings
    }

    /// The same with cgroup v2.
    fn unified(&self) -> Vec<Setting> {
        let or_max = |amount: i64| if amount > 0 { amount.to_string() } else { "max".to_owned() };
        let mut settings = vec![
            ("pids", "pids.max".to_owned(), self.processes.to_string()),
            ("cpu", "cpu.weight".to_owned(), weight_of_shares(self.cpu_shares).to_string()),
            ("cpu", "cpu.max".to_owned(), format!("{} {}", or_max(self.cpu_quota_us), self.period_us())),
            ("memory", "memory.max".to_owned(), or_max(self.memory_bytes)),
        ];
        settings.extend(self.of_huge_pages("max"));
        settings
    }

    fn of_huge_pages(&self, ending: &str) -> impl Iterator<Item = Setting> {
        self.huge_pages
            .iter()
            .map(move |(size, bytes)| ("hugetlb", format!("hugetlb.{}.{ending}", size.in_cgroups()), bytes.to_string()))
    }

    fn period_us(&self) -> i64 {
        const DEFAULT: i64 = 100_000;
        if self.cpu_period_us > 0 { self.cpu_period_us } else { DEFAULT }
    }
}

/// The straight line by which upstream's kubelet weighs pods against each other. Runtimes have left it for a curve,
/// which weighs the containers of one pod.
fn weight_of_shares(shares: i64) -> i64 {
    const RANGE: std::ops::RangeInclusive<i64> = 2..=262_144;
    1 + (shares.clamp(*RANGE.start(), *RANGE.end()) - RANGE.start()) * 9_999 / (RANGE.end() - RANGE.start())
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
    use crate::testing::{node_facts, pod_from};

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
        let huge_pages = vec![(PageSize(2 << 20), 4 << 20), (PageSize(1 << 30), 0)];
        let limits = Limits { processes: 7, cpu_shares: 1024, memory_bytes: 1 << 20, huge_pages, ..Limits::default() };
        bound(root.path(), "/c/pods/podu", &limits).unwrap();
        assert!(!root.path().join("c").exists(), "there are no controllers");
        std::fs::write(root.path().join("cgroup.controllers"), "cpu hugetlb pids\n").unwrap();
        bound(root.path(), "/c/pods/podu", &limits).unwrap();
        assert_eq!(read("c/pods/podu/pids.max"), "7");
        assert_eq!((read("c/pods/podu/cpu.weight"), read("c/pods/podu/cpu.max")), ("39".into(), "max 100000".into()));
        assert_eq!(
            (read("c/pods/podu/hugetlb.2MB.max"), read("c/pods/podu/hugetlb.1GB.max")),
            ("4194304".into(), "0".into())
        );
        assert!(read("c/pods/cgroup.subtree_control").starts_with("+hugetlb"));
        assert!(!root.path().join("c/pods/podu/memory.max").exists());
        for controller in ["pids", "memory", "hugetlb"] {
            std::fs::create_dir(root.path().join(controller)).unwrap();
        }
        bound(root.path(), "/c/pods/podu", &limits).unwrap();
        assert_eq!(read("memory/c/pods/podu/memory.limit_in_bytes"), "1048576");
        assert_eq!(read("hugetlb/c/pods/podu/hugetlb.2MB.limit_in_bytes"), "4194304");
        std::fs::write(root.path().join("pids/c/pods/podu/pids.current"), "3\n").unwrap();
        assert_eq!(processes(root.path(), "/c/pods/podu"), 3);
    }

    #[test]
    fn pods_are_weighed_as_upstream_weighs_them() {
        for (shares, weight) in
            [(0, 1), (2, 1), (512, 20), (1024, 39), (8192, 313), (262_144, 10_000), (i64::MAX, 10_000)]
        {
            assert_eq!(weight_of_shares(shares), weight, "{shares}");
        }
    }

    #[test]
    fn a_pods_limits_are_those_of_all_its_containers() {
        let pod = pod_from(
            r#"{"metadata":{"name":"p","uid":"u"},"spec":{"overhead":{"memory":"1Mi"},"containers":[
                {"name":"a","resources":{"limits":{"cpu":"1","memory":"1Mi","hugepages-2Mi":"4Mi"}}},
                {"name":"b","resources":{"limits":{"cpu":"1","memory":"1Mi","hugepages-2Mi":"2Mi"}}}]}}"#,
        );
        let node = NodeFacts { page_sizes: vec![PageSize(2 << 20), PageSize(1 << 30)], ..node_facts() };
        let limits = Limits::of(&pod, &node);
        assert_eq!(limits.huge_pages, [(PageSize(2 << 20), 6 << 20), (PageSize(1 << 30), 0)]);
        assert_eq!((limits.memory_bytes, limits.cpu_shares, limits.processes), (3 << 20, 2048, 100));
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
