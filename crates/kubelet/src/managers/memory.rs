//! The memory manager's Static policy: guaranteed pods get memory, and huge pages, of certain NUMA nodes. Pure.

use std::collections::BTreeMap;

use api::k8s::api::core::v1::{Container, Pod};
use serde::{Deserialize, Serialize};

use super::hints::{Hint, NumaSet, Wish};
use super::topology::{MEMORY, Topology};
use crate::config::qos::{self, limits, positive, requests};
use crate::pod::spec;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Policy {
    #[default]
    None,
    Static,
}

/// What of each NUMA node is kept for the system; by node and resource.
pub(crate) type Reserved = BTreeMap<usize, BTreeMap<String, u64>>;

/// What one container has of one resource, from the given nodes together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Block {
    pub(crate) numa_affinity: Vec<usize>,
    #[serde(rename = "type")]
    pub(crate) resource: String,
    pub(crate) size: u64,
}

/// By pod uid and container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Assignments {
    pub(crate) entries: BTreeMap<String, BTreeMap<String, Vec<Block>>>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MemoryError {
    #[error("[memorymanager] failed to get the default NUMA affinity, no NUMA nodes with enough memory is available")]
    NotEnough,
    #[error("[memorymanager] failed to find NUMA nodes to extend the current topology hint")]
    HintTooSmall,
}

impl Assignments {
    pub(crate) fn of(&self, uid: &str, container: &str) -> &[Block] {
        let blocks = self.entries.get(uid).and_then(|containers| containers.get(container));
        blocks.map_or(&[], Vec::as_slice)
    }

    /// The nodes whose memory the container uses; empty where it may use all.
    pub(crate) fn nodes_of(&self, uid: &str, container: &str) -> Option<NumaSet> {
        let blocks = self.of(uid, container);
        let all = blocks.iter().flat_map(|block| block.numa_affinity.iter().copied());
        (!blocks.is_empty()).then(|| all.collect())
    }

    pub(crate) fn release(&mut self, uid: &str) -> bool {
        self.entries.remove(uid).is_some()
    }

    pub(crate) fn wish(&self, machine: &Machine<'_>, pod: &Pod, container: &Container) -> Wish {
        let asked = asked(pod, container);
        if asked.is_empty() {
            return Wish::Anywhere;
        }
        match self.nodes_of(spec::uid(pod), &container.name) {
            Some(nodes) => Wish::OneOf(vec![Hint::new(nodes, true)]),
            None => self.hints(machine, pod, &container.name, &asked),
        }
    }

    pub(crate) fn wish_of_pod(&self, machine: &Machine<'_>, pod: &Pod) -> Wish {
        let mut most: BTreeMap<String, u64> = BTreeMap::new();
        let mut sum = |containers: &[Container]| {
            for (resource, size) in containers.iter().flat_map(|container| asked(pod, container)) {
                let total = most.entry(resource).or_default();
                *total = total.saturating_add(size);
            }
        };
        sum(&spec::spec(pod).containers);
        let sidecars = spec::init_containers(pod).iter().filter(|container| spec::is_sidecar(container));
        sum(&sidecars.cloned().collect::<Vec<_>>());
        for container in spec::init_containers(pod) {
            for (resource, size) in asked(pod, container) {
                let total = most.entry(resource).or_default();
                *total = (*total).max(size);
            }
        }
        let first = spec::spec(pod).containers.first().map_or("", |container| container.name.as_str());
        if most.is_empty() { Wish::Anywhere } else { self.hints(machine, pod, first, &most) }
    }

    /// Gives a container its memory where the hint says, or wherever it is best.
    pub(crate) fn assign(
        &mut self,
        machine: &Machine<'_>,
        pod: &Pod,
        container: &Container,
        hint: Hint,
    ) -> Result<(), MemoryError> {
        let (uid, asked) = (spec::uid(pod), asked(pod, container));
        if asked.is_empty() || !self.of(uid, &container.name).is_empty() {
            return Ok(());
        }
        let Wish::OneOf(mut possible) = self.hints(machine, pod, &container.name, &asked) else { return Ok(()) };
        // The preferred before the others, and of those the narrowest.
        possible.sort_by_key(|hint| (!hint.is_preferred, hint.nodes.map_or(0, NumaSet::count), hint.nodes));
        let wider = |candidate: &&Hint| match (hint.nodes, candidate.nodes) {
            (Some(hinted), Some(nodes)) => nodes.and(hinted) == hinted,
            _ => true,
        };
        let best = match possible.iter().find(wider) {
            Some(best) => best,
            None if possible.is_empty() => return Err(MemoryError::NotEnough),
            None => return Err(MemoryError::HintTooSmall),
        };
        let nodes: Vec<usize> = best.nodes.into_iter().flat_map(NumaSet::iter).collect();
        let block = |(resource, size)| Block { numa_affinity: nodes.clone(), resource, size };
        let blocks = asked.into_iter().map(block).collect();
        self.entries.entry(uid.to_owned()).or_default().insert(container.name.clone(), blocks);
        Ok(())
    }

    /// A node serves either containers that use it alone or one group of nodes, never both: else what a group
    /// has of each could not be told.
    fn hints(&self, machine: &Machine<'_>, pod: &Pod, container: &str, asked: &BTreeMap<String, u64>) -> Wish {
        let (mut found, mut fewest) = (Vec::new(), machine.topology.all_numa().count());
        for nodes in machine.topology.all_numa().subsets() {
            let enough = |amount: &dyn Fn(&str) -> u64| asked.iter().all(|(resource, size)| amount(resource) >= *size);
            if enough(&|resource| machine.allocatable(nodes, resource)) {
                fewest = fewest.min(nodes.count());
            }
            let fits = enough(&|resource| self.free(machine, pod, container, nodes, resource));
            if fits && self.groups_allow(nodes) {
                found.push(nodes);
            }
        }
        found.sort_unstable();
        Wish::OneOf(found.into_iter().map(|nodes| Hint::new(nodes, nodes.count() == fewest)).collect())
    }

    fn groups_allow(&self, nodes: NumaSet) -> bool {
        self.blocks().all(|(_, _, block)| {
            let used: NumaSet = block.numa_affinity.iter().copied().collect();
            used == nodes || used.and(nodes).count() == 0
        })
    }

    /// What is left on these nodes together; of the pod's own init containers what they had counts as left.
    fn free(&self, machine: &Machine<'_>, pod: &Pod, container: &str, nodes: NumaSet, resource: &str) -> u64 {
        let is_init = |name: &str| {
            let init = spec::init_containers(pod).iter().find(|init| init.name == name);
            init.is_some_and(|init| !spec::is_sidecar(init) && name != container)
        };
        let used = self.blocks().filter(|(uid, name, block)| {
            let used: NumaSet = block.numa_affinity.iter().copied().collect();
            let is_own_init = *uid == spec::uid(pod) && is_init(name);
            block.resource == resource && used.and(nodes).count() > 0 && !is_own_init
        });
        let used = used.fold(0_u64, |sum, (_, _, block)| sum.saturating_add(block.size));
        machine.allocatable(nodes, resource).saturating_sub(used)
    }

    fn blocks(&self) -> impl Iterator<Item = (&str, &str, &Block)> {
        self.entries.iter().flat_map(|(uid, containers)| {
            containers
                .iter()
                .flat_map(move |(name, blocks)| blocks.iter().map(move |block| (uid.as_str(), name.as_str(), block)))
        })
    }
}

/// What there is, and what of it is kept for the system.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine<'a> {
    pub(crate) topology: &'a Topology,
    pub(crate) reserved: &'a Reserved,
}

impl Machine<'_> {
    pub(crate) fn allocatable(&self, nodes: NumaSet, resource: &str) -> u64 {
        let of_node = |node: usize| {
            let amount = |table: &BTreeMap<usize, BTreeMap<String, u64>>| {
                table.get(&node).and_then(|amounts| amounts.get(resource)).copied().unwrap_or(0)
            };
            amount(&self.topology.memory).saturating_sub(amount(self.reserved))
        };
        nodes.iter().map(of_node).fold(0, u64::saturating_add)
    }
}

/// Memory and huge pages that a container of a guaranteed pod asks for.
fn asked(pod: &Pod, container: &Container) -> BTreeMap<String, u64> {
    if qos::class(pod) != qos::Class::Guaranteed || qos::of_whole(pod).is_some() {
        return BTreeMap::new();
    }
    let names = limits(container).into_iter().chain(requests(container)).flat_map(BTreeMap::keys);
    let counted = names.filter(|name| *name == MEMORY || name.starts_with("hugepages-"));
    let amount = |name: &String| {
        let amount = positive(requests(container), name).or_else(|| positive(limits(container), name))?;
        Some((name.clone(), u64::try_from(amount.units()).ok()?))
    };
    counted.filter_map(amount).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::managers::topology::tests::machine;
    use crate::testing::pod_from;

    const ANYWHERE: Hint = Hint { nodes: None, is_preferred: true };

    fn pod(uid: &str, memory: &str) -> Pod {
        pod_from(&format!(
            r#"{{"metadata":{{"name":"p","uid":"{uid}"}},"spec":{{"containers":[
                {{"name":"c","resources":{{"limits":{{"cpu":"1","memory":"{memory}"}}}}}}]}}}}"#
        ))
    }

    fn set(nodes: &[usize]) -> NumaSet {
        nodes.iter().copied().collect()
    }

    #[test]
    fn memory_comes_from_as_few_nodes_as_it_can() {
        // Two nodes of 4 GiB, of whose first one is reserved.
        let topology = machine(2, 1, 1, 1, 4);
        let reserved = BTreeMap::from([(0, BTreeMap::from([(MEMORY.to_owned(), 1 << 30)]))]);
        let machine = Machine { topology: &topology, reserved: &reserved };
        let mut assignments = Assignments::default();
        let wish =
            |assignments: &Assignments, pod: &Pod| assignments.wish(&machine, pod, &spec::spec(pod).containers[0]);
        let assign = |assignments: &mut Assignments, pod: &Pod, hint| {
            assignments.assign(&machine, pod, &spec::spec(pod).containers[0], hint)
        };
        let hint = |nodes: &[usize], preferred| Hint::new(set(nodes), preferred);
        let three = Wish::OneOf(vec![hint(&[0], true), hint(&[1], true), hint(&[0, 1], false)]);
        assert_eq!(wish(&assignments, &pod("a", "3Gi")), three);
        assert_eq!(wish(&assignments, &pod("a", "4Gi")), Wish::OneOf(vec![hint(&[1], true), hint(&[0, 1], false)]));
        assert_eq!(wish(&assignments, &pod("a", "6Gi")), Wish::OneOf(vec![hint(&[0, 1], true)]));
        assert_eq!(wish(&assignments, &pod("a", "8Gi")), Wish::OneOf(vec![]));
        assign(&mut assignments, &pod("a", "2Gi"), hint(&[1], true)).unwrap();
        assert_eq!(assignments.nodes_of("a", "c"), Some(set(&[1])));
        assert_eq!(wish(&assignments, &pod("b", "3Gi")), Wish::OneOf(vec![hint(&[0], true)]), "no mixed groups");
        assign(&mut assignments, &pod("b", "3Gi"), ANYWHERE).unwrap();
        assert_eq!(assignments.nodes_of("b", "c"), Some(set(&[0])));
        assert_eq!(assign(&mut assignments, &pod("c", "3Gi"), ANYWHERE), Err(MemoryError::NotEnough));
        assert_eq!(assign(&mut assignments, &pod("c", "1Gi"), hint(&[0], true)), Err(MemoryError::HintTooSmall));
        assert!(assignments.release("a") && assignments.release("b"));
        assign(&mut assignments, &pod("d", "6Gi"), hint(&[1], false)).unwrap();
        assert_eq!(assignments.nodes_of("d", "c"), Some(set(&[0, 1])), "the hint is widened");
        assert_eq!(wish(&assignments, &pod("e", "1Gi")), Wish::OneOf(vec![hint(&[0, 1], false)]));
        let burstable = pod_from(
            r#"{"metadata":{"name":"p","uid":"c"},"spec":{"containers":[{"name":"x","resources":{"requests":{"memory":"1Gi"}}}]}}"#,
        );
        assert_eq!(wish(&assignments, &burstable), Wish::Anywhere);
    }
}
