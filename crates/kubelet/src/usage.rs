//! What the node and its containers use now: the figures behind statistics, metrics and eviction.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use cri::{ContainerState, ContainerStats, ListContainerStatsRequest, ListContainersRequest, RuntimeService};
use jiff::Timestamp;
use nix::sys::statvfs::statvfs;

use crate::pod::labels;

/// The kernel counts processor time in hundredths of a second, on every architecture Linux runs on.
const NANOSECONDS_PER_TICK: u64 = 10_000_000;
/// Over a shorter span than this a rate says nothing.
const MINIMUM_SPAN_NS: i128 = 100_000_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) cpu_nanoseconds: u64,
    /// Without the file cache that the kernel would give back first.
    pub(crate) working_set_bytes: u64,
    pub(crate) usage_bytes: u64,
    pub(crate) rss_bytes: u64,
    pub(crate) page_faults: u64,
    pub(crate) major_page_faults: u64,
    /// What may still be used, where there is a limit.
    pub(crate) available_bytes: Option<u64>,
    pub(crate) swap_bytes: Option<u64>,
}

impl Usage {
    /// The sum of both, as a pod's of its containers; only what all have a limit on has an end.
    pub(crate) fn add(self, other: Usage) -> Usage {
        Usage {
            cpu_nanoseconds: self.cpu_nanoseconds.saturating_add(other.cpu_nanoseconds),
            working_set_bytes: self.working_set_bytes.saturating_add(other.working_set_bytes),
            usage_bytes: self.usage_bytes.saturating_add(other.usage_bytes),
            rss_bytes: self.rss_bytes.saturating_add(other.rss_bytes),
            page_faults: self.page_faults.saturating_add(other.page_faults),
            major_page_faults: self.major_page_faults.saturating_add(other.major_page_faults),
            available_bytes: self.available_bytes.zip(other.available_bytes).map(|(one, two)| one.saturating_add(two)),
            swap_bytes: self
                .swap_bytes
                .or(other.swap_bytes)
                .map(|_| self.swap_bytes.unwrap_or(0).saturating_add(other.swap_bytes.unwrap_or(0))),
        }
    }

    pub(crate) fn sum(all: impl Iterator<Item = Usage>) -> Option<Usage> {
        all.reduce(Usage::add)
    }
}

/// One running container.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ContainerUsage {
    pub(crate) id: String,
    pub(crate) pod_uid: String,
    pub(crate) namespace: String,
    pub(crate) pod: String,
    pub(crate) container: String,
    pub(crate) image: String,
    pub(crate) started_at: Timestamp,
    pub(crate) at: Timestamp,
    pub(crate) usage: Usage,
    /// Of the container's own layer, where the runtime counts it.
    pub(crate) writable_bytes: Option<u64>,
    pub(crate) writable_inodes: Option<u64>,
}

/// Every container that runs, by namespace, pod and name.
pub(crate) async fn containers(runtime: &dyn RuntimeService) -> cri::Result<Vec<ContainerUsage>> {
    let listed = runtime.list_containers(ListContainersRequest { filter: None }).await?.containers;
    let mut known: HashMap<String, cri::Container> = listed
        .into_iter()
        .filter(|container| container.state == ContainerState::Running as i32)
        .map(|container| (container.id.clone(), container))
        .collect();
    let stats = runtime.list_container_stats(ListContainerStatsRequest { filter: None }).await?.stats;
    let mut found: Vec<ContainerUsage> = stats
        .iter()
        .filter_map(|stats| {
            let container = known.remove(&stats.attributes.as_ref()?.id)?;
            Some(container_usage(container, stats))
        })
        .collect();
    found.sort_by(|one, other| {
        (&one.namespace, &one.pod, &one.container).cmp(&(&other.namespace, &other.pod, &other.container))
    });
    Ok(found)
}

fn container_usage(container: cri::Container, stats: &ContainerStats) -> ContainerUsage {
    let label = |name: &str| container.labels.get(name).cloned().unwrap_or_default();
    let (cpu, memory) = (stats.cpu.as_ref(), stats.memory.as_ref());
    let number = |value: Option<&cri::UInt64Value>| value.map(|value| value.value);
    let or_zero = |value: Option<&cri::UInt64Value>| number(value).unwrap_or(0);
    let at = cpu.map(|cpu| cpu.timestamp).max(memory.map(|memory| memory.timestamp)).unwrap_or(0);
    let layer = stats.writable_layer.as_ref();
    ContainerUsage {
        pod_uid: label(labels::POD_UID),
        namespace: label(labels::POD_NAMESPACE),
        pod: label(labels::POD_NAME),
        container: label(labels::CONTAINER_NAME),
        image: container.image.as_ref().map(|image| image.user_specified_image.clone()).unwrap_or_default(),
        started_at: timestamp(container.created_at),
        at: timestamp(at),
        usage: Usage {
            cpu_nanoseconds: or_zero(cpu.and_then(|cpu| cpu.usage_core_nano_seconds.as_ref())),
            working_set_bytes: or_zero(memory.and_then(|memory| memory.working_set_bytes.as_ref())),
            usage_bytes: or_zero(memory.and_then(|memory| memory.usage_bytes.as_ref())),
            rss_bytes: or_zero(memory.and_then(|memory| memory.rss_bytes.as_ref())),
            page_faults: or_zero(memory.and_then(|memory| memory.page_faults.as_ref())),
            major_page_faults: or_zero(memory.and_then(|memory| memory.major_page_faults.as_ref())),
            available_bytes: number(memory.and_then(|memory| memory.available_bytes.as_ref())),
            swap_bytes: number(stats.swap.as_ref().and_then(|swap| swap.swap_usage_bytes.as_ref())),
        },
        writable_bytes: number(layer.and_then(|layer| layer.used_bytes.as_ref())),
        writable_inodes: number(layer.and_then(|layer| layer.inodes_used.as_ref())),
        id: container.id,
    }
}

/// CRI's nanoseconds since the epoch.
fn timestamp(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The whole machine, by the kernel's own books.
pub(crate) fn node() -> io::Result<Usage> {
    let (stat, meminfo) = (fs::read_to_string("/proc/stat")?, fs::read_to_string("/proc/meminfo")?);
    let vmstat = fs::read_to_string("/proc/vmstat")?;
    Ok(parse_node(&stat, &meminfo, &vmstat))
}

fn parse_node(stat: &str, meminfo: &str, vmstat: &str) -> Usage {
    let bytes = |field: &str| meminfo_bytes(meminfo, field).unwrap_or(0);
    let total = bytes("MemTotal");
    let usage_bytes = total.saturating_sub(bytes("MemFree"));
    let working_set_bytes = usage_bytes.saturating_sub(bytes("Inactive(file)"));
    let count = |field: &str| {
        let line = vmstat.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok()).unwrap_or(0)
    };
    Usage {
        cpu_nanoseconds: busy_ticks(stat).saturating_mul(NANOSECONDS_PER_TICK),
        working_set_bytes,
        usage_bytes,
        rss_bytes: bytes("AnonPages"),
        page_faults: count("pgfault"),
        major_page_faults: count("pgmajfault"),
        available_bytes: Some(total.saturating_sub(working_set_bytes)),
        swap_bytes: meminfo_bytes(meminfo, "SwapTotal")
            .filter(|total| *total > 0)
            .map(|total| total.saturating_sub(bytes("SwapFree"))),
    }
}

/// The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal; guests are
/// counted among the first two.
fn busy_ticks(stat: &str) -> u64 {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu ")).unwrap_or("");
    let fields = line.split_whitespace().take(8).enumerate().filter(|(index, _)| !matches!(index, 3 | 4));
    fields.filter_map(|(_, value)| value.parse::<u64>().ok()).fold(0, u64::saturating_add)
}

pub(crate) fn meminfo_bytes(meminfo: &str, field: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// When the machine started, by its own clock.
pub(crate) fn booted_at() -> Option<Timestamp> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    Timestamp::from_second(line.trim().parse().ok()?).ok()
}

/// The most process ids there can be, and how many are taken.
pub(crate) fn process_ids() -> Option<(u64, u64)> {
    let number = |path: &str| fs::read_to_string(path).ok().and_then(|text| text.trim().parse::<u64>().ok());
    let most = number("/proc/sys/kernel/pid_max")?.min(number("/proc/sys/kernel/threads-max")?);
    let loadavg = fs::read_to_string("/proc/loadavg").ok()?;
    Some((most, processes(&loadavg)?))
}

/// The fourth field of loadavg: `runnable/all`.
fn processes(loadavg: &str) -> Option<u64> {
    loadavg.split_whitespace().nth(3)?.split_once('/')?.1.parse().ok()
}

/// A file system's size and what is left of it for those who are not root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Disk {
    pub(crate) capacity_bytes: u64,
    pub(crate) available_bytes: u64,
    pub(crate) used_bytes: u64,
    pub(crate) inodes: u64,
    pub(crate) inodes_free: u64,
}

pub(crate) fn disk(path: &Path) -> io::Result<Disk> {
    let stat = statvfs(path)?;
    let unit = stat.fragment_size();
    Ok(Disk {
        capacity_bytes: stat.blocks().saturating_mul(unit),
        available_bytes: stat.blocks_available().saturating_mul(unit),
        used_bytes: stat.blocks().saturating_sub(stat.blocks_free()).saturating_mul(unit),
        inodes: stat.files(),
        inodes_free: stat.files_free(),
    })
}

/// What a folder holds, on its own file system alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) bytes: u64,
    pub(crate) inodes: u64,
}

/// Counts as `du` does: blocks taken, each file once however many names it has. What vanishes while
/// it is counted counts as nothing.
pub(crate) fn tree(root: &Path) -> io::Result<Tree> {
    use std::os::unix::fs::MetadataExt;
    let Some(top) = gone_is_none(fs::symlink_metadata(root))? else { return Ok(Tree::default()) };
    let mut found = Tree { bytes: top.blocks().saturating_mul(512), inodes: 1 };
    let mut linked = std::collections::HashSet::new();
    let mut folders = if top.is_dir() { vec![root.to_owned()] } else { Vec::new() };
    while let Some(folder) = folders.pop() {
        let Some(entries) = gone_is_none(fs::read_dir(&folder))? else { continue };
        for entry in entries {
            let Some(entry) = gone_is_none(entry)? else { continue };
            let Some(metadata) = gone_is_none(entry.metadata())? else { continue };
            if metadata.dev() != top.dev()
                || (metadata.nlink() > 1 && !metadata.is_dir() && !linked.insert(metadata.ino()))
            {
                continue;
            }
            found.bytes = found.bytes.saturating_add(metadata.blocks().saturating_mul(512));
            found.inodes += 1;
            if metadata.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Ok(found)
}

fn gone_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Turns growing counters into rates, between one question and the next: nothing is asked for on its
/// own account.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    last: Mutex<BTreeMap<String, Sample>>,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Timestamp,
    cpu_nanoseconds: u64,
    nanocores: Option<u64>,
}

impl Rates {
    /// Nanoseconds of processor time per second since `key` was last asked for; `None` the first time.
    pub(crate) fn nanocores(&self, key: &str, at: Timestamp, cpu_nanoseconds: u64) -> Option<u64> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.get(key).copied();
        let nanocores = match before {
            Some(before) => {
                let span = at.as_nanosecond() - before.at.as_nanosecond();
                if span < MINIMUM_SPAN_NS {
                    return before.nanocores;
                }
                let used = u128::from(cpu_nanoseconds.saturating_sub(before.cpu_nanoseconds));
                let span = u128::try_from(span).unwrap_or(1);
                u64::try_from(used * 1_000_000_000 / span).ok()
            }
            None => None,
        };
        last.insert(key.to_owned(), Sample { at, cpu_nanoseconds, nanocores });
        nanocores
    }

    /// Forgets all but these.
    pub(crate) fn retain(&self, keep: impl Fn(&str) -> bool) {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).retain(|key, _| keep(key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_books_are_read() {
        let stat = "cpu  100 10 50 9999 7 1 2 3 40 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
        let meminfo = "MemTotal: 1000 kB\nMemFree: 400 kB\nInactive(file): 100 kB\nAnonPages: 50 kB\nSwapTotal: 0 kB\n";
        let usage = parse_node(stat, meminfo, "pgfault 7\npgfault_x 8\npgmajfault 9\n");
        assert_eq!(usage.cpu_nanoseconds, 1_660_000_000);
        assert_eq!((usage.usage_bytes, usage.working_set_bytes), (600 << 10, 500 << 10));
        assert_eq!((usage.available_bytes, usage.rss_bytes), (Some(500 << 10), 50 << 10));
        assert_eq!((usage.page_faults, usage.major_page_faults, usage.swap_bytes), (7, 9, None));
    }

    #[test]
    fn processes_are_counted() {
        assert_eq!(processes("0.00 0.01 0.05 1/345 6789"), Some(345));
        let (most, taken) = process_ids().unwrap();
        assert!(taken > 0 && taken < most);
        assert!(booted_at().is_some());
    }

    #[test]
    fn rates_come_from_two_looks() {
        let rates = Rates::default();
        let at = |milliseconds| Timestamp::from_millisecond(milliseconds).unwrap();
        assert_eq!(rates.nanocores("a", at(0), 5_000_000), None);
        assert_eq!(rates.nanocores("a", at(2000), 505_000_000), Some(250_000_000));
        assert_eq!(rates.nanocores("a", at(2001), 999_000_000), Some(250_000_000), "too soon to tell anew");
        rates.retain(|key| key != "a");
        assert_eq!(rates.nanocores("a", at(9000), 1), None);
    }

    #[test]
    fn a_tree_is_counted_once_for_each_file() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(tree(&folder.path().join("absent")).unwrap(), Tree::default());
        fs::create_dir(folder.path().join("d")).unwrap();
        fs::write(folder.path().join("d/f"), vec![1; 100_000]).unwrap();
        let before = tree(folder.path()).unwrap();
        assert!(before.inodes == 3 && (100_000..200_000).contains(&before.bytes), "{before:?}");
        fs::hard_link(folder.path().join("d/f"), folder.path().join("g")).unwrap();
        assert_eq!(tree(folder.path()).unwrap().inodes, 3);
    }
}
