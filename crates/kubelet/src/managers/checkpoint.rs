//! `cpu_manager_state` and `memory_manager_state`: what was given outlives the kubelet. In upstream's shape; the
//! checksum is of our own making, as upstream's is over the memory of a Go program.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::cpu_set::CpuSet;
use super::topology::Topology;
use super::{cpu, memory};

const CPU_FILE: &str = "cpu_manager_state";
const MEMORY_FILE: &str = "memory_manager_state";

/// Why the managers cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("could not restore state from checkpoint: {reason}, please drain this node and delete the checkpoint file {} before restarting Kubelet", path.display())]
    Checkpoint { path: PathBuf, reason: String },
    #[error("{} cannot be read", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the static policy requires systemreserved.cpu + kubereserved.cpu to be greater than zero")]
    NoReservedCpus,
    #[error("there are too few processors to reserve")]
    ReservedCpus(#[source] cpu::NotEnough),
    #[error("the reserved cpus {reserved:?} are not among the machine's, {all:?}")]
    UnknownCpus { reserved: String, all: String },
    #[error("{0:?} is not a quantity of memory")]
    ReservedAmount(String),
    #[error(
        "the total amount {sum} of type \"memory\" is not equal to the value {kept} determined by Node Allocatable feature"
    )]
    ReservedMemory { sum: u64, kept: u64 },
    #[error("unsupported on machines with more than {most} NUMA Nodes: there are {nodes}")]
    TooManyNodes { nodes: usize, most: usize },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CpuDocument {
    policy_name: String,
    default_cpu_set: String,
    #[serde(default)]
    entries: BTreeMap<String, BTreeMap<String, String>>,
    checksum: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MemoryDocument {
    policy_name: String,
    #[serde(default)]
    entries: memory::Assignments,
    checksum: u64,
}

/// FNV-1a.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

pub(super) fn save_cpus(folder: &Path, policy: cpu::Policy, assignments: &cpu::Assignments) -> io::Result<()> {
    let texts = |containers: &BTreeMap<String, CpuSet>| {
        containers.iter().map(|(name, cpus)| (name.clone(), cpus.to_string())).collect()
    };
    let mut document = CpuDocument {
        policy_name: policy.as_str().to_owned(),
        default_cpu_set: assignments.shared.to_string(),
        entries: assignments.entries.iter().map(|(uid, containers)| (uid.clone(), texts(containers))).collect(),
        checksum: 0,
    };
    document.checksum = checksum(&serde_json::to_vec(&document)?);
    stdx::fs::write_atomic(&folder.join(CPU_FILE), &serde_json::to_vec(&document)?, 0o600)
}

pub(super) fn load_cpus(
    folder: &Path,
    policy: cpu::Policy,
    topology: &Topology,
    reserved: &CpuSet,
) -> Result<cpu::Assignments, OpenError> {
    let path = folder.join(CPU_FILE);
    let fault = |reason: String| OpenError::Checkpoint { path: path.clone(), reason };
    let Some(mut document) = read::<CpuDocument>(&path)? else { return Ok(cpu::Assignments::new(topology)) };
    let noted = std::mem::take(&mut document.checksum);
    verify(noted, &document).map_err(fault)?;
    if document.policy_name != policy.as_str() {
        return Err(fault(differs(policy.as_str(), &document.policy_name)));
    }
    let parse = |text: &str| text.parse::<CpuSet>().map_err(|error| fault(error.to_string()));
    let mut assignments = cpu::Assignments { shared: parse(&document.default_cpu_set)?, ..Default::default() };
    let mut all = assignments.shared.clone();
    for (uid, containers) in document.entries {
        for (name, cpus) in containers {
            let cpus = parse(&cpus)?;
            all = all.union(&cpus);
            assignments.entries.entry(uid.clone()).or_default().insert(name, cpus);
        }
    }
    if !reserved.is_subset(&assignments.shared) {
        let shared = assignments.shared.to_string();
        let reserved = reserved.to_string();
        return Err(fault(format!("not all reserved cpus: {reserved:?} are present in defaultCpuSet: {shared:?}")));
    }
    if all != topology.all_cpus() {
        let (available, noted) = (topology.all_cpus().to_string(), all.to_string());
        let reason = format!("current set of available CPUs {available:?} doesn't match with CPUs in state {noted:?}");
        return Err(fault(reason));
    }
    Ok(assignments)
}

pub(super) fn save_memory(folder: &Path, policy: memory::Policy, assignments: &memory::Assignments) -> io::Result<()> {
    let mut document = MemoryDocument { policy_name: format!("{policy:?}"), entries: assignments.clone(), checksum: 0 };
    document.checksum = checksum(&serde_json::to_vec(&document)?);
    stdx::fs::write_atomic(&folder.join(MEMORY_FILE), &serde_json::to_vec(&document)?, 0o600)
}

pub(super) fn load_memory(folder: &Path, policy: memory::Policy) -> Result<memory::Assignments, OpenError> {
    let path = folder.join(MEMORY_FILE);
    let fault = |reason: String| OpenError::Checkpoint { path: path.clone(), reason };
    let Some(mut document) = read::<MemoryDocument>(&path)? else { return Ok(memory::Assignments::default()) };
    let noted = std::mem::take(&mut document.checksum);
    verify(noted, &document).map_err(fault)?;
    let configured = format!("{policy:?}");
    if document.policy_name != configured {
        return Err(fault(differs(&configured, &document.policy_name)));
    }
    Ok(document.entries)
}

fn differs(configured: &str, noted: &str) -> String {
    format!("configured policy {configured:?} differs from state checkpoint policy {noted:?}")
}

fn read<D: DeserializeOwned>(path: &Path) -> Result<Option<D>, OpenError> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(OpenError::Read { path: path.to_owned(), source }),
        Ok(bytes) => bytes,
    };
    let document = serde_json::from_slice(&bytes);
    document.map(Some).map_err(|error| OpenError::Checkpoint { path: path.to_owned(), reason: error.to_string() })
}

/// `document` is as it was when its checksum was taken: with none.
fn verify(noted: u64, document: &impl Serialize) -> Result<(), String> {
    let bytes = serde_json::to_vec(document).map_err(|error| error.to_string())?;
    if checksum(&bytes) == noted { Ok(()) } else { Err("checkpoint is corrupted".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::managers::topology::tests::machine;

    #[test]
    fn a_state_that_was_tampered_with_or_fits_no_more_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let topology = machine(1, 1, 4, 1, 1);
        let cpus = |text: &str| text.parse::<CpuSet>().unwrap();
        let mut assignments = cpu::Assignments::new(&topology);
        assignments.shared = cpus("0-2");
        let own = BTreeMap::from([("c".to_owned(), cpus("3"))]);
        assignments.entries.insert("u".to_owned(), own);
        save_cpus(folder.path(), cpu::Policy::Static, &assignments).unwrap();
        let load = |topology: &Topology| {
            load_cpus(folder.path(), cpu::Policy::Static, topology, &cpus("0")).map_err(|error| error.to_string())
        };
        assert_eq!(load(&topology), Ok(assignments));
        let error = load(&machine(1, 1, 5, 1, 1)).unwrap_err();
        assert!(error.contains("current set of available CPUs \"0-4\" doesn't match with CPUs in state \"0-3\""));
        let path = folder.path().join(CPU_FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("\"3\"", "\"2\"")).unwrap();
        assert!(load(&topology).unwrap_err().contains("checkpoint is corrupted"));
        std::fs::write(&path, "{").unwrap();
        assert!(load(&topology).is_err());
    }
}
