//! Which processors share a core, a socket and memory: read once from the kernel.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use super::cpu_set::CpuSet;
use super::hints::NumaSet;
use crate::config::huge_pages;

/// A resource's amount on each NUMA node is counted for these only.
pub(crate) const MEMORY: &str = "memory";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The lowest of the processors that share the core.
    pub(crate) core: usize,
    pub(crate) socket: usize,
    pub(crate) numa: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Topology {
    pub(crate) cpus: BTreeMap<usize, Place>,
    /// Bytes of memory and of huge pages by NUMA node.
    pub(crate) memory: BTreeMap<usize, BTreeMap<String, u64>>,
}

impl Topology {
    /// `sys` is `/sys`. A kernel without NUMA has one node with all there is.
    pub(crate) fn read(sys: &Path, memory_bytes: u64) -> io::Result<Topology> {
        let folder = sys.join("devices/system");
        let online: CpuSet = line(&folder.join("cpu/online"))?.parse().map_err(io::Error::other)?;
        let mut memory = BTreeMap::new();
        let mut numa_of = BTreeMap::new();
        for numa in nodes(&folder.join("node"))? {
            let node = folder.join(format!("node/node{numa}"));
            let cpus: CpuSet = line(&node.join("cpulist"))?.parse().map_err(io::Error::other)?;
            numa_of.extend(cpus.iter().map(|cpu| (cpu, numa)));
            let mut amounts = huge_pages(&node.join("hugepages"))?;
            let huge_bytes: u64 = amounts.values().sum();
            let total = node_memory_bytes(&fs::read_to_string(node.join("meminfo"))?).unwrap_or(0);
            // As upstream: pages set aside as huge ones are not there for ordinary use.
            amounts.insert(MEMORY.to_owned(), total.saturating_sub(huge_bytes));
            memory.insert(numa, amounts);
        }
        if memory.is_empty() {
            memory.insert(0, BTreeMap::from([(MEMORY.to_owned(), memory_bytes)]));
        }
        let mut cores: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        let mut cpus = BTreeMap::new();
        for cpu in online.iter() {
            let of = |file: &str| number(&folder.join(format!("cpu/cpu{cpu}/topology/{file}")));
            // Some machines say nothing of packages or cores, and some say -1.
            let socket = of("physical_package_id").unwrap_or(0);
            let core = of("core_id").unwrap_or(cpu);
            let core = *cores.entry((socket, core)).or_insert(cpu);
            cpus.insert(cpu, Place { core, socket, numa: numa_of.get(&cpu).copied().unwrap_or(0) });
        }
        Ok(Topology { cpus, memory })
    }

    pub(crate) fn all_cpus(&self) -> CpuSet {
        self.cpus.keys().copied().collect()
    }

    /// Every NUMA node, as a set.
    pub(crate) fn all_numa(&self) -> NumaSet {
        self.cpus.values().map(|place| place.numa).chain(self.memory.keys().copied()).collect()
    }

    pub(crate) fn cpus_in(&self, nodes: NumaSet) -> CpuSet {
        self.cpus.iter().filter(|(_, place)| nodes.contains(place.numa)).map(|(cpu, _)| *cpu).collect()
    }
}

fn nodes(folder: &Path) -> io::Result<Vec<usize>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        found.extend(name.to_str().and_then(|name| name.strip_prefix("node")?.parse::<usize>().ok()));
    }
    found.sort_unstable();
    Ok(found)
}

/// Bytes by resource, `hugepages-2Mi` and the like; sizes of which there are no pages are left out.
fn huge_pages(folder: &Path) -> io::Result<BTreeMap<String, u64>> {
    let set_aside = huge_pages::read(folder)?.into_iter();
    let some = set_aside.filter_map(|(size, bytes)| Some((size.resource(), u64::try_from(bytes).ok()?)));
    Ok(some.filter(|(_, bytes)| *bytes > 0).collect())
}

/// `Node 0 MemTotal: 12345 kB`
fn node_memory_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find(|line| line.contains(" MemTotal:"))?;
    let kib: u64 = line.split_whitespace().nth_back(1)?.parse().ok()?;
    kib.checked_mul(1024)
}

fn line(path: &Path) -> io::Result<String> {
    fs::read_to_string(path).map(|text| text.trim().to_owned())
}

fn number(path: &Path) -> Option<usize> {
    line(path).ok()?.parse().ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Sockets, NUMA nodes per socket, cores per NUMA node, threads per core; numbered as Linux does: first all
    /// first threads.
    pub(crate) fn machine(sockets: usize, nodes: usize, cores: usize, threads: usize, gib: u64) -> Topology {
        let all_cores = sockets * nodes * cores;
        let place = |cpu: usize| {
            let core = cpu % all_cores;
            let numa = core / cores;
            Place { core, socket: numa / nodes, numa }
        };
        let memory =
            (0..sockets * nodes).map(|numa| (numa, BTreeMap::from([(MEMORY.to_owned(), gib << 30)]))).collect();
        Topology { cpus: (0..all_cores * threads).map(|cpu| (cpu, place(cpu))).collect(), memory }
    }

    #[test]
    fn the_kernels_files_are_understood() {
        let folder = tempfile::tempdir().unwrap();
        let system = folder.path().join("devices/system");
        let write = |path: &str, text: &str| {
            let path = system.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("cpu/online", "0-3\n");
        for (cpu, socket, core) in [(0, 0, 0), (1, 1, 0), (2, 0, 0), (3, 1, 0)] {
            write(&format!("cpu/cpu{cpu}/topology/physical_package_id"), &format!("{socket}\n"));
            write(&format!("cpu/cpu{cpu}/topology/core_id"), &format!("{core}\n"));
        }
        assert_eq!(Topology::read(folder.path(), 7).unwrap().memory[&0][MEMORY], 7, "a kernel without NUMA");
        for (node, cpus) in [(0, "0,2"), (1, "1,3")] {
            write(&format!("node/node{node}/cpulist"), cpus);
            write(
                &format!("node/node{node}/meminfo"),
                &format!("Node {node} MemTotal:   4096 kB\nNode {node} X: 1 kB"),
            );
            write(&format!("node/node{node}/hugepages/hugepages-2048kB/nr_hugepages"), "1\n");
            write(&format!("node/node{node}/hugepages/hugepages-1048576kB/nr_hugepages"), "0\n");
        }
        let read = Topology::read(folder.path(), 0).unwrap();
        let place = |core, socket| Place { core, socket, numa: socket };
        assert_eq!(read.cpus, BTreeMap::from([(0, place(0, 0)), (1, place(1, 1)), (2, place(0, 0)), (3, place(1, 1))]));
        let amounts = BTreeMap::from([(MEMORY.to_owned(), 2 << 20), ("hugepages-2Mi".to_owned(), 2 << 20)]);
        assert_eq!(read.memory, BTreeMap::from([(0, amounts.clone()), (1, amounts)]));
        assert_eq!(read.cpus_in([1].into_iter().collect()).to_string(), "1,3");
    }
}
