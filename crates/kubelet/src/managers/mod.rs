//! Who gets which processors, memory nodes and devices: upstream's CPU, memory, device and topology managers.
//!
//! The decisions are pure (`cpu`, `memory`, `devices::choose`, `hints`); this file asks them in turn for each pod
//! that comes, keeps the outcome on disk, and knows what every container was given.

pub(crate) mod checkpoint;
pub(crate) mod cpu;
pub(crate) mod cpu_set;
pub(crate) mod devices;
pub(crate) mod hints;
pub(crate) mod memory;
pub(crate) mod pod_resources;
mod shared_cpus;
pub(crate) mod topology;

pub(crate) use checkpoint::{OpenError, checksum};
pub(crate) use shared_cpus::{keep_shared, settle};

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::Quantity;
use api::k8s::api::core::v1::{Container, Pod};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::pod::admit::Rejection;
use crate::pod::spec;
use crate::policy::Policy;
use cpu_set::CpuSet;
use devices::{DeviceError, Devices, Grant};
use hints::{Hint, Wish};
use memory::Machine;
use topology::Topology;

/// What KubeletConfiguration says of the managers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Settings {
    pub(crate) cpu: cpu::Policy,
    pub(crate) memory: memory::Policy,
    pub(crate) topology: hints::Policy,
    pub(crate) scope: hints::Scope,
    /// Where it is not said, as many as are kept for the system.
    pub(crate) reserved_cpus: Option<CpuSet>,
    pub(crate) reserved_memory: Vec<ReservedMemory>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ReservedMemory {
    pub(crate) numa_node: usize,
    pub(crate) limits: BTreeMap<String, String>,
}

#[derive(Debug)]
pub(crate) struct Managers {
    folder: PathBuf,
    settings: Settings,
    topology: Topology,
    reserved_cpus: CpuSet,
    reserved_memory: memory::Reserved,
    assignments: Mutex<Assignments>,
    /// Pods are served one after another.
    turn: tokio::sync::Mutex<()>,
    pub(crate) devices: Arc<Devices>,
    /// Moves when the processors that most containers share are others.
    shared_moved: watch::Sender<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Assignments {
    cpus: cpu::Assignments,
    memory: memory::Assignments,
}

/// What one container gets beside what its spec says itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Allotment {
    /// Empty where every processor will do.
    pub(crate) cpus: CpuSet,
    /// Whether no other container has them.
    pub(crate) is_exclusive: bool,
    /// NUMA nodes, as the kernel writes them.
    pub(crate) memory_nodes: CpuSet,
    /// By resource.
    pub(crate) devices: BTreeMap<String, Grant>,
}

#[derive(Debug, thiserror::Error)]
enum AllotError {
    #[error(transparent)]
    Cpu(#[from] cpu::NotEnough),
    #[error(transparent)]
    Memory(#[from] memory::MemoryError),
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error("Resources cannot be allocated with Topology locality")]
    Topology,
    #[error(transparent)]
    Save(#[from] std::io::Error),
}

impl AllotError {
    fn rejection(&self) -> Rejection {
        match self {
            AllotError::Topology => Rejection { reason: "TopologyAffinityError".to_owned(), message: self.to_string() },
            error => Rejection {
                reason: "UnexpectedAdmissionError".to_owned(),
                message: format!("Allocate failed due to {}, which is unexpected", stdx::error::chain(error)),
            },
        }
    }
}

impl Managers {
    /// `folder` is the kubelet's; what was given before stands.
    pub(crate) fn open(
        folder: &Path,
        policy: &Policy,
        topology: Topology,
        devices: Arc<Devices>,
    ) -> Result<Managers, OpenError> {
        let settings = policy.managers.clone();
        let reserved_cpus = reserved_cpus(policy, &topology)?;
        let reserved_memory = reserved_memory(policy, &topology)?;
        if settings.topology != hints::Policy::None {
            let nodes = topology.all_numa().count() as usize;
            if nodes > hints::MAXIMUM_NUMA_NODES {
                return Err(OpenError::TooManyNodes { nodes, most: hints::MAXIMUM_NUMA_NODES });
            }
        }
        let cpus = checkpoint::load_cpus(folder, settings.cpu, &topology, &reserved_cpus)?;
        let memory = checkpoint::load_memory(folder, settings.memory)?;
        Ok(Managers {
            folder: folder.to_owned(),
            settings,
            topology,
            reserved_cpus,
            reserved_memory,
            assignments: Mutex::new(Assignments { cpus, memory }),
            turn: tokio::sync::Mutex::default(),
            devices,
            shared_moved: watch::Sender::new(0),
        })
    }

    /// Gives all containers of a pod what they need, or says why the node cannot take it.
    pub(crate) async fn admit(&self, pod: &Pod) -> Result<(), Rejection> {
        if !self.concerns(pod) {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        let allotted = self.allot(pod).await;
        if let Err(error) = allotted {
            self.release(spec::uid(pod));
            return Err(error.rejection());
        }
        Ok(())
    }

    fn concerns(&self, pod: &Pod) -> bool {
        let Settings { cpu, memory, topology, .. } = &self.settings;
        let is_plain = (*cpu, *memory, *topology) == Default::default();
        !is_plain || self.devices.concerns(pod)
    }

    async fn allot(&self, pod: &Pod) -> Result<(), AllotError> {
        let all = spec::init_containers(pod).iter().chain(&spec::spec(pod).containers);
        let of_pod = match self.settings.scope {
            hints::Scope::Pod => Some(self.align(&self.wishes_of_pod(pod))?),
            hints::Scope::Container => None,
        };
        for container in all {
            let hint = match of_pod {
                Some(hint) => hint,
                None => self.align(&self.wishes(pod, container))?,
            };
            self.devices.assign(pod, container, hint).await?;
            self.change(|assignments| self.assign(assignments, pod, container, hint))??;
        }
        Ok(())
    }

    fn assign(
        &self,
        assignments: &mut Assignments,
        pod: &Pod,
        container: &Container,
        hint: Hint,
    ) -> Result<(), AllotError> {
        if self.settings.cpu == cpu::Policy::Static {
            assignments.cpus.assign(&self.topology, &self.reserved_cpus, pod, container, hint)?;
        }
        if self.settings.memory == memory::Policy::Static {
            assignments.memory.assign(&self.machine(), pod, container, hint)?;
        }
        Ok(())
    }

    fn align(&self, wishes: &[Wish]) -> Result<Hint, AllotError> {
        hints::align(self.settings.topology, self.topology.all_numa(), wishes).ok_or(AllotError::Topology)
    }

    fn wishes(&self, pod: &Pod, container: &Container) -> Vec<Wish> {
        if self.settings.topology == hints::Policy::None {
            return Vec::new();
        }
        let mut wishes = self.devices.wishes(pod, container, self.topology.all_numa());
        let assignments = self.lock();
        if self.settings.cpu == cpu::Policy::Static {
            wishes.push(assignments.cpus.wish(&self.topology, &self.reserved_cpus, pod, container));
        }
        if self.settings.memory == memory::Policy::Static {
            wishes.push(assignments.memory.wish(&self.machine(), pod, container));
        }
        wishes
    }

    fn wishes_of_pod(&self, pod: &Pod) -> Vec<Wish> {
        if self.settings.topology == hints::Policy::None {
            return Vec::new();
        }
        let mut wishes = self.devices.wishes_of_pod(pod, self.topology.all_numa());
        let assignments = self.lock();
        if self.settings.cpu == cpu::Policy::Static {
            wishes.push(assignments.cpus.wish_of_pod(&self.topology, &self.reserved_cpus, pod));
        }
        if self.settings.memory == memory::Policy::Static {
            wishes.push(assignments.memory.wish_of_pod(&self.machine(), pod));
        }
        wishes
    }

    /// What a container was given.
    pub(crate) fn allotment(&self, uid: &str, container: &str) -> Allotment {
        let assignments = self.lock();
        let own = assignments.cpus.of(uid, container);
        let shares = self.settings.cpu == cpu::Policy::Static;
        let shared = || if shares { assignments.cpus.shared.clone() } else { CpuSet::default() };
        let nodes = assignments.memory.nodes_of(uid, container);
        Allotment {
            cpus: own.cloned().unwrap_or_else(shared),
            is_exclusive: own.is_some(),
            memory_nodes: nodes.into_iter().flat_map(hints::NumaSet::iter).collect(),
            devices: self.devices.of(uid, container),
        }
    }

    pub(crate) fn has_own_cpus(&self, pod: &Pod) -> bool {
        self.lock().cpus.entries.contains_key(spec::uid(pod))
    }

    /// Why the pod's resources cannot change while it runs.
    pub(crate) fn fixed_by(&self, pod: &Pod) -> Option<&'static str> {
        let assignments = self.lock();
        if assignments.cpus.entries.contains_key(spec::uid(pod)) {
            return Some("Resize is infeasible for Guaranteed Pods alongside CPU Manager static policy");
        }
        let memory = assignments.memory.entries.contains_key(spec::uid(pod));
        memory.then_some("Resize is infeasible for Guaranteed Pods alongside Memory Manager static policy")
    }

    /// The pod's containers need nothing any more.
    pub(crate) fn release(&self, uid: &str) {
        let released = self.change(|assignments| {
            let cpus = assignments.cpus.release(uid);
            assignments.memory.release(uid) || cpus
        });
        if let Err(error) = released {
            tracing::warn!(pod_uid = uid, %error, "what a pod gave back was not noted");
        }
        if let Err(error) = self.devices.release(uid) {
            tracing::warn!(pod_uid = uid, error = stdx::error::chain(&error), "devices given back were not noted");
        }
    }

    /// What pods had that are no longer this node's, they give back.
    pub(crate) fn keep_only(&self, known: &BTreeSet<String>) {
        let gone: BTreeSet<String> = {
            let assignments = self.lock();
            let all = assignments.cpus.entries.keys().chain(assignments.memory.entries.keys());
            all.filter(|uid| !known.contains(*uid)).cloned().collect()
        };
        for uid in gone {
            self.release(&uid);
        }
        if let Err(error) = self.devices.keep_only(known) {
            tracing::warn!(error = stdx::error::chain(&error), "devices given back were not noted");
        }
    }

    /// Changes who has what, and notes it on disk before anybody acts on it.
    fn change<T>(&self, change: impl FnOnce(&mut Assignments) -> T) -> std::io::Result<T> {
        let mut assignments = self.lock();
        let before = assignments.clone();
        let outcome = change(&mut assignments);
        if before.cpus != assignments.cpus {
            checkpoint::save_cpus(&self.folder, self.settings.cpu, &assignments.cpus)?;
        }
        if before.memory != assignments.memory {
            checkpoint::save_memory(&self.folder, self.settings.memory, &assignments.memory)?;
        }
        if before.cpus.shared != assignments.cpus.shared {
            self.shared_moved.send_modify(|count| *count = count.wrapping_add(1));
        }
        Ok(outcome)
    }

    fn machine(&self) -> Machine<'_> {
        Machine { topology: &self.topology, reserved: &self.reserved_memory }
    }

    fn lock(&self) -> MutexGuard<'_, Assignments> {
        self.assignments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The processors that no container gets for itself.
fn reserved_cpus(policy: &Policy, topology: &Topology) -> Result<CpuSet, OpenError> {
    let all = topology.all_cpus();
    if policy.managers.cpu == cpu::Policy::None {
        return Ok(CpuSet::default());
    }
    if let Some(reserved) = &policy.managers.reserved_cpus {
        return if reserved.is_subset(&all) && !reserved.is_empty() {
            Ok(reserved.clone())
        } else {
            Err(OpenError::UnknownCpus { reserved: reserved.to_string(), all: all.to_string() })
        };
    }
    let of = |table: &BTreeMap<String, Quantity>| table.get("cpu").copied().unwrap_or(Quantity::ZERO);
    let millis = of(&policy.kube_reserved).saturating_add(of(&policy.system_reserved)).millis();
    let count = usize::try_from(millis).unwrap_or(0).div_ceil(1000);
    if count == 0 {
        return Err(OpenError::NoReservedCpus);
    }
    cpu::take(topology, &all, count).map_err(OpenError::ReservedCpus)
}

/// What of each NUMA node is kept: together as much as the node keeps altogether.
fn reserved_memory(policy: &Policy, topology: &Topology) -> Result<memory::Reserved, OpenError> {
    let mut reserved = memory::Reserved::new();
    if policy.managers.memory == memory::Policy::None {
        return Ok(reserved);
    }
    let mut sum = 0_u64;
    for ReservedMemory { numa_node, limits } in &policy.managers.reserved_memory {
        for (resource, text) in limits {
            let amount: Quantity = text.parse().map_err(|_| OpenError::ReservedAmount(text.clone()))?;
            let bytes = u64::try_from(amount.units()).unwrap_or(0);
            if resource == topology::MEMORY {
                sum = sum.saturating_add(bytes);
            }
            reserved.entry(*numa_node).or_default().insert(resource.clone(), bytes);
        }
    }
    let capacity: u64 = topology.memory.values().filter_map(|amounts| amounts.get(topology::MEMORY)).sum();
    let capacity = Quantity::from_units(i64::try_from(capacity).unwrap_or(i64::MAX));
    let kept = u64::try_from(policy.reserved(topology::MEMORY, capacity).units()).unwrap_or(0);
    if sum != kept {
        return Err(OpenError::ReservedMemory { sum, kept });
    }
    Ok(reserved)
}

#[cfg(test)]
mod tests {
    use tokio::sync::Notify;

    use super::topology::tests::machine;
    use super::*;
    use crate::testing::pod_from;

    pub(super) struct World {
        folder: tempfile::TempDir,
        policy: Policy,
        topology: Topology,
    }

    impl World {
        /// Two NUMA nodes of four processors and 4 GiB each; processor 0 and 1 GiB of the first are reserved.
        pub(super) fn new(topology: hints::Policy, scope: hints::Scope) -> World {
            let one_gib = BTreeMap::from([("memory".to_owned(), "1Gi".to_owned())]);
            let managers = Settings {
                cpu: cpu::Policy::Static,
                memory: memory::Policy::Static,
                topology,
                scope,
                reserved_cpus: Some("0".parse().unwrap()),
                reserved_memory: vec![ReservedMemory { numa_node: 0, limits: one_gib }],
            };
            let kube_reserved = BTreeMap::from([("memory".to_owned(), "1Gi".parse().unwrap())]);
            let policy = Policy { managers, kube_reserved, thresholds: Vec::new(), ..Policy::default() };
            World { folder: tempfile::tempdir().unwrap(), policy, topology: machine(2, 1, 4, 1, 4) }
        }

        pub(super) fn open(&self) -> Result<Managers, OpenError> {
            let ambient = stdx::Ambient::simulated(1);
            let folder = self.folder.path().join("device-plugins");
            let devices = Devices::open(&folder, Arc::new(Notify::new()), ambient.clock).unwrap();
            Managers::open(self.folder.path(), &self.policy, self.topology.clone(), Arc::new(devices))
        }
    }

    pub(super) fn pod(uid: &str, containers: &[(&str, &str)]) -> Pod {
        let container = |(index, (cpu, memory)): (usize, &(&str, &str))| {
            format!(r#"{{"name":"c{index}","resources":{{"limits":{{"cpu":"{cpu}","memory":"{memory}"}}}}}}"#)
        };
        let containers: Vec<String> = containers.iter().enumerate().map(container).collect();
        pod_from(&format!(
            r#"{{"metadata":{{"name":"p","uid":"{uid}"}},"spec":{{"containers":[{}]}}}}"#,
            containers.join(",")
        ))
    }

    fn given(managers: &Managers, uid: &str, container: &str) -> String {
        let Allotment { cpus, is_exclusive, memory_nodes, .. } = managers.allotment(uid, container);
        let own = if is_exclusive { "own " } else { "" };
        format!("{own}{cpus} of {memory_nodes}")
    }

    #[tokio::test]
    async fn a_pod_gets_processors_and_memory_side_by_side_and_keeps_them_over_a_restart() {
        let world = World::new(hints::Policy::SingleNumaNode, hints::Scope::Container);
        let managers = world.open().unwrap();
        managers.admit(&pod("a", &[("3", "2Gi"), ("500m", "1Gi")])).await.unwrap();
        managers.admit(&pod("b", &[("3", "2Gi")])).await.unwrap();
        assert_eq!(given(&managers, "a", "c0"), "own 1-3 of 0");
        assert_eq!(given(&managers, "b", "c0"), "own 4-6 of 1");
        assert_eq!(given(&managers, "a", "c1"), "0,7 of 0", "what asks for parts shares the rest");
        let refused = managers.admit(&pod("c", &[("1", "3Gi")])).await.unwrap_err();
        assert_eq!(refused.reason, "TopologyAffinityError");
        assert_eq!(refused.message, "Resources cannot be allocated with Topology locality");
        assert_eq!(given(&managers, "c", "c0"), "0,7 of ", "nothing stays with it");
        let again = world.open().unwrap();
        assert_eq!(*again.lock(), *managers.lock());
        again.keep_only(&BTreeSet::from(["b".to_owned()]));
        assert_eq!((given(&again, "a", "c0"), given(&again, "b", "c0")), ("0-3,7 of ".into(), "own 4-6 of 1".into()));
    }

    #[tokio::test]
    async fn without_a_topology_policy_only_amounts_count() {
        let world = World::new(hints::Policy::None, hints::Scope::Container);
        let managers = world.open().unwrap();
        let refused = managers.admit(&pod("a", &[("8", "1Gi")])).await.unwrap_err();
        assert_eq!(refused.reason, "UnexpectedAdmissionError");
        assert_eq!(
            refused.message,
            "Allocate failed due to not enough cpus available to satisfy request: requested=8, available=7, which is unexpected"
        );
        managers.admit(&pod("b", &[("7", "1Gi")])).await.unwrap();
        assert_eq!(given(&managers, "b", "c0"), "own 1-7 of 0");
        assert_eq!(given(&managers, "other", "c0"), "0 of ");
        managers.release("b");
        assert_eq!(given(&managers, "other", "c0"), "0-7 of ");
    }

    #[tokio::test]
    async fn a_pod_as_a_whole_fits_on_one_node_or_not() {
        // Each container alone would fit on a node, both together only over two.
        let both = pod("a", &[("3", "1Gi"), ("2", "1Gi")]);
        let by_container = World::new(hints::Policy::SingleNumaNode, hints::Scope::Container);
        let managers = by_container.open().unwrap();
        managers.admit(&both).await.unwrap();
        assert_eq!(given(&managers, "a", "c1"), "own 4-5 of 1");
        let by_pod = World::new(hints::Policy::SingleNumaNode, hints::Scope::Pod);
        assert_eq!(by_pod.open().unwrap().admit(&both).await.unwrap_err().reason, "TopologyAffinityError");
        let best = World::new(hints::Policy::BestEffort, hints::Scope::Pod);
        let managers = best.open().unwrap();
        managers.admit(&both).await.unwrap();
        assert_eq!(given(&managers, "a", "c0"), "own 1-3 of 0-1");
    }

    #[tokio::test]
    async fn settings_that_do_not_fit_the_machine_or_the_disk_are_refused() {
        let mut world = World::new(hints::Policy::None, hints::Scope::Container);
        world.open().unwrap().admit(&pod("a", &[("1", "1Gi")])).await.unwrap();
        let error = |world: &World| stdx::error::chain(&world.open().unwrap_err());
        world.policy.managers.reserved_cpus = Some("0-1".parse().unwrap());
        assert!(error(&world).contains("not all reserved cpus: \"0-1\" are present in defaultCpuSet: \"0,2-7\""));
        world.policy.managers.reserved_cpus = None;
        assert!(error(&world).contains("requires systemreserved.cpu + kubereserved.cpu to be greater than zero"));
        world.policy.managers.cpu = cpu::Policy::None;
        let expected = "configured policy \"none\" differs from state checkpoint policy \"static\"";
        assert!(error(&world).contains(expected), "{}", error(&world));
        world.policy.managers.reserved_memory.clear();
        assert!(error(&world).contains("is not equal to the value"), "{}", error(&world));
    }
}
