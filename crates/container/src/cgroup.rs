//! Control groups as files: one unified hierarchy, one per controller, or both ("hybrid").
//!
//! libcontainer makes and limits a container's groups; here they are read, emptied and removed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use stdx::Clock;

use crate::limits::Limit;

/// The controllers of version 1 whose groups libcontainer gives a container of its own.
const GIVEN: [&str; 12] = [
    "cpu",
    "cpuacct",
    "cpuset",
    "devices",
    "hugetlb",
    "memory",
    "pids",
    "perf_event",
    "blkio",
    "net_prio",
    "net_cls",
    "freezer",
];
/// How often a group is emptied: processes may fork while they are being killed.
const KILL_ROUNDS: usize = 16;

/// Where the hierarchies are mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cgroups {
    /// Controller (or `name=…`) to mount point, version 1.
    controllers: BTreeMap<String, PathBuf>,
    unified: Option<PathBuf>,
}

/// What a container uses now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) cpu_nanoseconds: u64,
    pub(crate) memory_bytes: u64,
    /// Without the file cache that the kernel would give back first.
    pub(crate) working_set_bytes: u64,
    pub(crate) rss_bytes: u64,
    pub(crate) page_faults: u64,
    pub(crate) major_page_faults: u64,
}

impl Cgroups {
    pub(crate) fn discover() -> io::Result<Self> {
        Ok(Self::parse(&fs::read_to_string("/proc/self/mountinfo")?))
    }

    fn parse(mountinfo: &str) -> Self {
        let mut cgroups = Cgroups { controllers: BTreeMap::new(), unified: None };
        for line in mountinfo.lines() {
            let Some((place, kind)) = line.split_once(" - ") else { continue };
            let Some(mount_point) = place.split(' ').nth(4) else { continue };
            let mut kind = kind.split(' ');
            match kind.next() {
                Some("cgroup2") if cgroups.unified.is_none() => cgroups.unified = Some(mount_point.into()),
                Some("cgroup") => {
                    for option in kind.nth(1).unwrap_or("").split(',').filter(|option| *option != "rw") {
                        cgroups.controllers.entry(option.to_owned()).or_insert_with(|| mount_point.into());
                    }
                }
                _ => {}
            }
        }
        cgroups
    }

    /// Whether the unified hierarchy alone governs containers.
    pub(crate) fn is_unified(&self) -> bool {
        self.controllers.is_empty()
    }

    /// Whether the huge pages of a group can be limited.
    pub(crate) fn limits_huge_pages(&self) -> bool {
        let offered = |folder: &PathBuf| fs::read_to_string(folder.join("cgroup.controllers")).unwrap_or_default();
        self.controllers.contains_key("hugetlb")
            || self.is_unified()
                && self
                    .unified
                    .as_ref()
                    .is_some_and(|root| offered(root).split_whitespace().any(|name| name == "hugetlb"))
    }

    /// The folders of version 1 in which a container's processes are, by the names of the mount points below `place`: of
    /// its own where libcontainer gives it one, elsewhere the shim's.
    pub(crate) fn legacy_groups(&self, place: &Path, of_container: &str, of_shim: &str) -> Vec<(String, PathBuf)> {
        let mut groups = BTreeMap::new();
        for (controller, folder) in &self.controllers {
            let Ok(name) = folder.strip_prefix(place) else { continue };
            let own = GIVEN.contains(&controller.as_str());
            let group = below(folder, if own { of_container } else { of_shim });
            let name = name.to_string_lossy().into_owned();
            if own {
                groups.insert(name, group);
            } else {
                groups.entry(name).or_insert(group);
            }
        }
        groups.into_iter().collect()
    }

    /// Where the group lies in the unified hierarchy, if that alone governs containers.
    pub(crate) fn unified_folder(&self, path: &str) -> Option<PathBuf> {
        self.unified.as_deref().filter(|_| self.is_unified()).map(|folder| below(folder, path))
    }

    /// The group of the unified hierarchy, made where it is missing, for a process to be born in.
    pub(crate) fn birthplace(&self, path: &str) -> io::Result<Option<File>> {
        let Some(folder) = &self.unified else { return Ok(None) };
        let group = below(folder, path);
        fs::create_dir_all(&group)?;
        File::open(group).map(Some)
    }

    /// Moves this process, which has a single thread, into `path` of every hierarchy, making the groups; where it was
    /// born in the unified one's, it stays there.
    ///
    /// To move a process the kernel waits until every processor has passed by, which takes some ten milliseconds; a
    /// thread that moves itself is moved at once. Version 2 moves only processes: hence [`Self::birthplace`].
    pub(crate) fn enter(&self, path: &str, is_born_in_unified: bool) -> io::Result<()> {
        for (folder, controller) in self.hierarchies() {
            let members = match controller {
                Some(_) => "tasks",
                None if is_born_in_unified => continue,
                None => "cgroup.procs",
            };
            let group = below(folder, path);
            let enter = || File::options().write(true).open(group.join(members))?.write_all(b"0");
            match enter() {
                // No such group, or one that has no processors yet.
                Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENOSPC)) => {
                    fs::create_dir_all(&group)?;
                    if controller == Some("cpuset") {
                        inherit_cpuset(folder, &group)?;
                    }
                    enter()?;
                }
                entered => entered?,
            }
        }
        Ok(())
    }

    /// Has the kernel wait ahead for what it waits for when somebody moves a process, as libcontainer does with each
    /// container's first: whoever moves one within the next ten milliseconds finds the way free. Asked for by moving the
    /// calling thread to where it is.
    pub(crate) fn announce_move(&self) -> io::Result<()> {
        let Some((folder, controller)) = self.hierarchies().into_iter().next() else { return Ok(()) };
        let own = fs::read_to_string("/proc/thread-self/cgroup")?;
        let Some(group) = own_group(&own, controller) else { return Ok(()) };
        let (members, id) = match controller {
            Some(_) => ("tasks", nix::unistd::gettid()),
            None => ("cgroup.procs", nix::unistd::getpid()),
        };
        File::options().write(true).open(below(folder, group).join(members))?.write_all(id.to_string().as_bytes())
    }

    /// Asks everything in the group and below it to end, and waits for those that heed the request, for
    /// `patience` at the most. What does not catch the signal would not end by it as the first process of
    /// its namespace, so nobody waits for that.
    pub(crate) fn terminate(&self, path: &str, patience: Duration, clock: Clock) -> io::Result<()> {
        let mut pids = Vec::new();
        for (folder, _) in self.hierarchies() {
            collect_pids(&below(folder, path), &mut pids)?;
        }
        pids.sort_unstable();
        pids.dedup();
        let heeding: Vec<i32> = pids.iter().copied().filter(|pid| catches_termination(*pid)).collect();
        for pid in pids {
            match kill(Pid::from_raw(pid), Signal::SIGTERM) {
                Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let deadline = clock.instant() + patience;
        for pid in heeding {
            let left = deadline.saturating_duration_since(clock.instant());
            await_end(pid, u16::try_from(left.as_millis()).unwrap_or(u16::MAX))?;
        }
        Ok(())
    }

    /// Kills everything in the group and below it.
    pub(crate) fn kill(&self, path: &str) -> io::Result<()> {
        for _ in 0..KILL_ROUNDS {
            let mut pids = Vec::new();
            for (folder, _) in self.hierarchies() {
                collect_pids(&below(folder, path), &mut pids)?;
            }
            if pids.is_empty() {
                return Ok(());
            }
            for pid in pids {
                match kill(Pid::from_raw(pid), Signal::SIGKILL) {
                    Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    /// Waits until nothing is left in the group, for processes that have been killed: each is
    /// awaited by its own descriptor.
    pub(crate) fn await_empty(&self, path: &str) -> io::Result<()> {
        for _ in 0..KILL_ROUNDS {
            let mut pids = Vec::new();
            for (folder, _) in self.hierarchies() {
                collect_pids(&below(folder, path), &mut pids)?;
            }
            if pids.is_empty() {
                return Ok(());
            }
            pids.into_iter().try_for_each(|pid| await_end(pid, END_TIMEOUT_MS))?;
        }
        Ok(())
    }

    /// Removes the group and those below it, in every hierarchy. Busy ones stay and are reported.
    pub(crate) fn remove(&self, path: &str) -> io::Result<()> {
        let mut failure = None;
        for (folder, _) in self.hierarchies() {
            if let Err(error) = remove_tree(&below(folder, path)) {
                failure = Some(error);
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Whether the kernel killed a process of the group for want of memory.
    pub(crate) fn out_of_memory(&self, path: &str) -> io::Result<bool> {
        let file = match self.memory() {
            Some((folder, true)) => below(folder, path).join("memory.events"),
            Some((folder, false)) => below(folder, path).join("memory.oom_control"),
            None => return Ok(false),
        };
        match fs::read_to_string(file) {
            Ok(text) => Ok(value(&text, "oom_kill").unwrap_or(0) > 0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn usage(&self, path: &str) -> io::Result<Usage> {
        let mut usage = Usage::default();
        if let Some((folder, unified)) = self.memory() {
            let group = below(folder, path);
            let stat = fs::read_to_string(group.join("memory.stat"))?;
            let names = if unified {
                ["inactive_file", "anon", "pgfault", "pgmajfault"]
            } else {
                ["total_inactive_file", "total_rss", "total_pgfault", "total_pgmajfault"]
            };
            let [inactive, rss, faults, major] = names.map(|name| value(&stat, name).unwrap_or(0));
            usage.memory_bytes =
                read_number(&group.join(if unified { "memory.current" } else { "memory.usage_in_bytes" }))?;
            usage.working_set_bytes = usage.memory_bytes.saturating_sub(inactive);
            usage.rss_bytes = rss;
            usage.page_faults = faults;
            usage.major_page_faults = major;
        }
        usage.cpu_nanoseconds = match (self.controllers.get("cpuacct"), &self.unified) {
            (Some(folder), _) => read_number(&below(folder, path).join("cpuacct.usage"))?,
            (None, Some(folder)) => {
                let stat = fs::read_to_string(below(folder, path).join("cpu.stat"))?;
                value(&stat, "usage_usec").unwrap_or(0) * 1000
            }
            (None, None) => 0,
        };
        Ok(usage)
    }

    /// How many processes are in the group and below it.
    pub(crate) fn process_count(&self, path: &str) -> io::Result<u64> {
        let mut pids = Vec::new();
        for (folder, _) in self.hierarchies() {
            collect_pids(&below(folder, path), &mut pids)?;
        }
        pids.sort_unstable();
        pids.dedup();
        Ok(pids.len() as u64)
    }

    /// Writes one limit into the hierarchy that governs it, if there is one.
    pub(crate) fn apply(&self, path: &str, limit: &Limit) -> io::Result<()> {
        let legacy = limit.legacy.as_ref().and_then(|(controller, file, content)| {
            self.controllers.get(*controller).map(|folder| (folder, file, content))
        });
        let unified = limit.unified.as_ref().filter(|_| self.is_unified());
        let unified = unified.and_then(|(file, content)| self.unified.as_ref().map(|folder| (folder, file, content)));
        let Some((folder, file, content)) = legacy.or(unified) else { return Ok(()) };
        if file.contains('/') {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{file:?} is no control file")));
        }
        fs::write(below(folder, path).join(file), content)
    }

    fn memory(&self) -> Option<(&Path, bool)> {
        match (self.controllers.get("memory"), &self.unified) {
            (Some(folder), _) => Some((folder, false)),
            (None, Some(folder)) => Some((folder, true)),
            (None, None) => None,
        }
    }

    /// Each mount point once, with one of its controllers.
    fn hierarchies(&self) -> Vec<(&Path, Option<&str>)> {
        let mut folders: Vec<(&Path, Option<&str>)> = Vec::new();
        for (controller, folder) in &self.controllers {
            match folders.iter_mut().find(|(known, _)| *known == folder.as_path()) {
                Some(known) if controller == "cpuset" => known.1 = Some("cpuset"),
                Some(_) => {}
                None => folders.push((folder, Some(controller))),
            }
        }
        folders.extend(self.unified.as_deref().map(|folder| (folder, None)));
        folders
    }
}

/// A killed process ends within a moment; one that the kernel holds is not waited for longer.
const END_TIMEOUT_MS: u16 = 5000;

/// By the mask of caught signals in the process's status; one that is gone catches nothing.
fn catches_termination(pid: i32) -> bool {
    let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else { return false };
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (Signal::SIGTERM as u32 - 1)) != 0
}

#[expect(unsafe_code, reason = "pidfd_open has no safe wrapper")]
fn await_end(pid: i32, timeout_ms: u16) -> io::Result<()> {
    use std::os::fd::{AsFd, FromRawFd, OwnedFd};
    // SAFETY: a plain system call; the result is checked before it is owned.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if descriptor < 0 {
        return match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
            error => Err(error),
        };
    }
    // SAFETY: the kernel has just made this descriptor for us; it fits, as descriptors do.
    let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor as i32) };
    let mut awaited = [nix::poll::PollFd::new(descriptor.as_fd(), nix::poll::PollFlags::POLLIN)];
    nix::poll::poll(&mut awaited, timeout_ms)?;
    Ok(())
}

/// The group of a process in the hierarchy with this controller, or in the unified one, by the lines of its
/// `/proc/…/cgroup`.
fn own_group<'a>(lines: &'a str, controller: Option<&str>) -> Option<&'a str> {
    lines.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let is_wanted = match controller {
            Some(controller) => controllers.split(',').any(|other| other == controller),
            None => controllers.is_empty(),
        };
        is_wanted.then_some(path)
    })
}

fn below(folder: &Path, path: &str) -> PathBuf {
    folder.join(path.trim_start_matches('/'))
}

/// A new cpuset group is empty and takes no process before it has processors and memory nodes.
fn inherit_cpuset(root: &Path, group: &Path) -> io::Result<()> {
    let mut parent = root.to_owned();
    for component in group.strip_prefix(root).unwrap_or(Path::new("")) {
        let child = parent.join(component);
        for file in ["cpuset.cpus", "cpuset.mems"] {
            if fs::read_to_string(child.join(file))?.trim().is_empty() {
                fs::write(child.join(file), fs::read_to_string(parent.join(file))?.trim())?;
            }
        }
        parent = child;
    }
    Ok(())
}

fn collect_pids(group: &Path, pids: &mut Vec<i32>) -> io::Result<()> {
    let text = match fs::read_to_string(group.join("cgroup.procs")) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.raw_os_error() == Some(libc::ENODEV) => return Ok(()),
        Err(error) => return Err(error),
    };
    pids.extend(text.lines().filter_map(|line| line.parse::<i32>().ok()).filter(|pid| *pid > 0));
    for child in subgroups(group)? {
        collect_pids(&child, pids)?;
    }
    pids.sort_unstable();
    pids.dedup();
    Ok(())
}

fn remove_tree(group: &Path) -> io::Result<()> {
    match fs::remove_dir(group) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        // There are groups in it, or processes.
        Err(error) if matches!(error.kind(), io::ErrorKind::ResourceBusy | io::ErrorKind::DirectoryNotEmpty) => {}
        Err(error) => return Err(error),
    }
    for child in subgroups(group)? {
        remove_tree(&child)?;
    }
    match fs::remove_dir(group) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn subgroups(group: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(group) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

/// The number after `name` in lines of `name number`.
fn value(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

fn read_number(file: &Path) -> io::Result<u64> {
    let text = fs::read_to_string(file)?;
    text.trim().parse().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, format!("{text:?} is not a number")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_told_apart() {
        let hybrid = Cgroups::parse(
            "25 1 0:22 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n\
             26 25 0:23 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n\
             27 25 0:24 / /sys/fs/cgroup/memory rw,relatime shared:3 - cgroup cgroup rw,memory\n\
             29 25 0:26 / /sys/fs/cgroup/systemd rw,relatime shared:3 - cgroup cgroup rw,xattr,name=systemd\n\
             28 25 0:25 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
        );
        assert!(!hybrid.is_unified());
        assert_eq!(hybrid.controllers["cpuacct"], Path::new("/sys/fs/cgroup/cpu,cpuacct"));
        assert_eq!(hybrid.hierarchies().len(), 4);
        let groups = hybrid.legacy_groups(Path::new("/sys/fs/cgroup"), "/pods/a", "/shims");
        let groups = groups.iter().map(|(name, group)| (name.as_str(), group.to_str().unwrap())).collect::<Vec<_>>();
        let expected = [
            ("cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct/pods/a"),
            ("memory", "/sys/fs/cgroup/memory/pods/a"),
            ("systemd", "/sys/fs/cgroup/systemd/shims"),
        ];
        assert_eq!(groups, expected);
        let unified = Cgroups::parse("25 1 0:22 / /sys/fs/cgroup rw shared:1 - cgroup2 cgroup2 rw,nsdelegate\n");
        assert!(unified.is_unified());
        assert_eq!(unified.memory(), Some((Path::new("/sys/fs/cgroup"), true)));
    }

    #[test]
    fn a_process_finds_its_group_in_each_hierarchy() {
        let lines = "9:name=systemd:/a\n8:cpu,cpuacct:/b:c\n3:cpuset:/d\n0::/e\n";
        for (controller, expected) in [
            (Some("cpuacct"), Some("/b:c")),
            (Some("cpu"), Some("/b:c")),
            (Some("cpuset"), Some("/d")),
            (Some("name=systemd"), Some("/a")),
            (Some("memory"), None),
            (None, Some("/e")),
        ] {
            assert_eq!(own_group(lines, controller), expected, "{controller:?}");
        }
    }

    #[test]
    fn statistics_are_read_by_whole_names() {
        let text = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n";
        assert_eq!(value(text, "oom_kill"), Some(3));
        assert_eq!(value(text, "oom"), None);
    }

    #[test]
    fn usage_is_read_from_a_unified_group() {
        let root = tempfile::tempdir().unwrap();
        let group = root.path().join("a/b");
        fs::create_dir_all(&group).unwrap();
        fs::write(group.join("memory.current"), "1000\n").unwrap();
        fs::write(group.join("memory.stat"), "anon 600\ninactive_file 300\npgfault 7\npgmajfault 1\n").unwrap();
        fs::write(group.join("cpu.stat"), "usage_usec 25\nuser_usec 5\n").unwrap();
        fs::write(group.join("memory.events"), "oom 1\noom_kill 1\n").unwrap();
        let cgroups = Cgroups { controllers: BTreeMap::new(), unified: Some(root.path().to_owned()) };
        let usage = cgroups.usage("/a/b").unwrap();
        assert_eq!((usage.cpu_nanoseconds, usage.working_set_bytes, usage.rss_bytes), (25_000, 700, 600));
        assert!(cgroups.out_of_memory("/a/b").unwrap());
        assert!(!cgroups.out_of_memory("/a/none").unwrap());
    }
}
