//! The CPU manager's static policy: whole processors for containers of guaranteed pods that ask for whole ones.
//! All else shares the rest. Pure.

use std::collections::BTreeMap;

use api::k8s::api::core::v1::{Container, Pod};
use serde::{Deserialize, Serialize};

use super::cpu_set::CpuSet;
use super::hints::{Hint, NumaSet, Wish};
use super::topology::{Place, Topology};
use crate::config::qos::{self, positive, requests};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Policy {
    #[default]
    None,
    Static,
}

impl Policy {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Policy::None => "none",
            Policy::Static => "static",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not enough cpus available to satisfy request: requested={requested}, available={available}")]
pub struct NotEnough {
    pub(crate) requested: usize,
    pub(crate) available: usize,
}

/// Who has which processors; by pod uid and container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Assignments {
    pub(crate) shared: CpuSet,
    pub(crate) entries: BTreeMap<String, BTreeMap<String, CpuSet>>,
}

impl Assignments {
    /// All processors are shared.
    pub(crate) fn new(topology: &Topology) -> Assignments {
        Assignments { shared: topology.all_cpus(), entries: BTreeMap::new() }
    }

    pub(crate) fn of(&self, uid: &str, container: &str) -> Option<&CpuSet> {
        self.entries.get(uid)?.get(container)
    }

    /// Gives back what the pod had. Whether it had anything.
    pub(crate) fn release(&mut self, uid: &str) -> bool {
        let Some(containers) = self.entries.remove(uid) else { return false };
        let freed = containers.values().fold(CpuSet::default(), |all, cpus| all.union(cpus));
        self.shared = self.shared.union(&freed);
        true
    }

    /// What containers may get for themselves: of the shared what is not kept for the system.
    pub(crate) fn assignable(&self, reserved: &CpuSet) -> CpuSet {
        self.shared.difference(reserved)
    }

    /// What init containers that ran to their end leave to those after them.
    fn reusable(&self, pod: &Pod, container: &str) -> CpuSet {
        let uid = crate::pod::spec::uid(pod);
        let earlier = crate::pod::spec::init_containers(pod)
            .iter()
            .take_while(|earlier| earlier.name != container)
            .filter(|earlier| !crate::pod::spec::is_sidecar(earlier));
        let freed = earlier.filter_map(|earlier| self.of(uid, &earlier.name));
        let freed = freed.fold(CpuSet::default(), |all, cpus| all.union(cpus));
        let taken = self.entries.get(uid).into_iter().flatten().filter(|(name, _)| {
            let found = crate::pod::spec::find(pod, name);
            found.is_none_or(|(_, role)| role != crate::pod::spec::Role::Init)
        });
        taken.fold(freed, |left, (_, cpus)| left.difference(cpus))
    }

    /// Gives a container its processors, near the hinted memory as far as there are such.
    pub(crate) fn assign(
        &mut self,
        topology: &Topology,
        reserved: &CpuSet,
        pod: &Pod,
        container: &Container,
        hint: Hint,
    ) -> Result<(), NotEnough> {
        let Some(count) = exclusive(pod, container) else { return Ok(()) };
        let uid = crate::pod::spec::uid(pod);
        if self.of(uid, &container.name).is_some() {
            return Ok(());
        }
        let reusable = self.reusable(pod, &container.name);
        let available = self.assignable(reserved).union(&reusable);
        let near = hint.nodes.map_or(CpuSet::default(), |nodes| available.intersection(&topology.cpus_in(nodes)));
        let mut chosen = take(topology, &near, count.min(near.len()))?;
        let rest = take(topology, &available.difference(&chosen), count - chosen.len());
        let rest = rest.map_err(|_| NotEnough { requested: count, available: available.len() })?;
        chosen = chosen.union(&rest);
        self.shared = self.shared.difference(&chosen);
        self.entries.entry(uid.to_owned()).or_default().insert(container.name.clone(), chosen);
        Ok(())
    }

    /// Where the processors that a container asks for could be had.
    pub(crate) fn wish(&self, topology: &Topology, reserved: &CpuSet, pod: &Pod, container: &Container) -> Wish {
        let Some(count) = exclusive(pod, container) else { return Wish::Anywhere };
        if let Some(owned) = self.of(crate::pod::spec::uid(pod), &container.name) {
            return hints(topology, owned, &CpuSet::default(), count);
        }
        hints(topology, &self.assignable(reserved), &self.reusable(pod, &container.name), count)
    }

    /// The same for a pod as a whole.
    pub(crate) fn wish_of_pod(&self, topology: &Topology, reserved: &CpuSet, pod: &Pod) -> Wish {
        let count = exclusive_of_pod(pod);
        if count == 0 {
            return Wish::Anywhere;
        }
        let owned = self.entries.get(crate::pod::spec::uid(pod)).into_iter().flatten();
        let owned = owned.fold(CpuSet::default(), |all, (_, cpus)| all.union(cpus));
        hints(topology, &self.assignable(reserved), &owned, count)
    }
}

/// How many processors a container gets for itself.
pub(crate) fn exclusive(pod: &Pod, container: &Container) -> Option<usize> {
    // As upstream, a pod that asks as a whole shares what there is.
    if qos::class(pod) != qos::Class::Guaranteed || qos::of_whole(pod).is_some() {
        return None;
    }
    let asked = positive(requests(container), "cpu").or_else(|| positive(qos::limits(container), "cpu"))?;
    let whole = asked.millis() % 1000 == 0;
    usize::try_from(asked.millis() / 1000).ok().filter(|count| whole && *count > 0)
}

/// The most that runs at one time: init containers go before the others.
fn exclusive_of_pod(pod: &Pod) -> usize {
    let count = |container: &Container| exclusive(pod, container).unwrap_or(0);
    let (mut sidecars, mut most) = (0, 0);
    for container in crate::pod::spec::init_containers(pod) {
        let needs = sidecars + count(container);
        if crate::pod::spec::is_sidecar(container) {
            sidecars = needs;
        }
        most = most.max(needs);
    }
    let together: usize = crate::pod::spec::spec(pod).containers.iter().map(count).sum();
    most.max(sidecars + together)
}

fn hints(topology: &Topology, available: &CpuSet, reusable: &CpuSet, count: usize) -> Wish {
    let mut found = Vec::new();
    let mut fewest = topology.all_numa().count();
    for nodes in topology.all_numa().subsets() {
        let within = topology.cpus_in(nodes);
        if within.len() >= count {
            fewest = fewest.min(nodes.count());
        }
        let usable = available.union(reusable).intersection(&within);
        if reusable.is_subset(&within) && usable.len() >= count {
            found.push(nodes);
        }
    }
    found.sort_unstable();
    Wish::OneOf(found.into_iter().map(|nodes: NumaSet| Hint::new(nodes, nodes.count() == fewest)).collect())
}

/// What processors are grouped by.
type Unit = fn(&Place) -> usize;

/// Chooses so that as little as possible is shared with others: whole NUMA nodes and sockets, then whole
/// cores, then threads of cores that are in use already, always where the least is left.
pub(crate) fn take(topology: &Topology, available: &CpuSet, count: usize) -> Result<CpuSet, NotEnough> {
    if available.len() < count {
        return Err(NotEnough { requested: count, available: available.len() });
    }
    let mut left = available.clone();
    let mut chosen = Vec::new();
    // The larger unit first: on most machines a socket, on some a NUMA node of several sockets.
    let per = |key: Unit| {
        let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
        topology.cpus.values().for_each(|place| *sizes.entry(key(place)).or_default() += 1);
        sizes
    };
    let (socket, numa, core): (Unit, Unit, Unit) = (|place| place.socket, |place| place.numa, |place| place.core);
    let sockets_are_larger = per(socket).len() <= per(numa).len();
    let units = if sockets_are_larger { [socket, numa] } else { [numa, socket] };
    for unit in units.into_iter().chain([core]) {
        let sizes = per(unit);
        for group in by_least_left(topology, &left, unit, units) {
            let id = group.first().map(|cpu| unit(&topology.cpus[cpu]));
            let is_whole = id.is_some_and(|id| sizes[&id] == group.len());
            if is_whole && group.len() <= count - chosen.len() {
                left = left.difference(&group.iter().copied().collect());
                chosen.extend(group);
            }
        }
    }
    let threads = by_least_left(topology, &left, core, units);
    let missing = count - chosen.len();
    chosen.extend(threads.into_iter().flatten().take(missing));
    Ok(chosen.into_iter().collect())
}

/// What is left, by unit: first where the least is left of the larger units around, then of the unit itself.
fn by_least_left(topology: &Topology, left: &CpuSet, unit: Unit, around: [Unit; 2]) -> Vec<Vec<usize>> {
    let count = |key: Unit| {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        left.iter().filter_map(|cpu| topology.cpus.get(&cpu)).for_each(|place| {
            *counts.entry(key(place)).or_default() += 1;
        });
        counts
    };
    let (outer, inner, own) = (count(around[0]), count(around[1]), count(unit));
    let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for cpu in left.iter() {
        let Some(place) = topology.cpus.get(&cpu) else { continue };
        let (a, b, c) = (around[0](place), around[1](place), unit(place));
        let order = (outer[&a], a, inner[&b], b, own[&c], c);
        groups.entry(order).or_default().push(cpu);
    }
    groups.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::managers::topology::tests::machine;
    use crate::testing::pod_from;

    fn cpus(text: &str) -> CpuSet {
        text.parse().unwrap()
    }

    #[test]
    fn whole_sockets_cores_and_then_threads_are_taken() {
        // Two sockets of one NUMA node each, with four cores of two threads: 0-3 and 8-11, 4-7 and 12-15.
        let topology = machine(2, 1, 4, 2, 1);
        for (available, count, expected) in [
            ("0-15", 0, ""),
            ("0-15", 1, "0"),
            ("0-15", 2, "0,8"),
            ("0-15", 3, "0-1,8"),
            ("0-15", 8, "0-3,8-11"),
            ("0-15", 10, "0-4,8-12"),
            ("1-15", 8, "4-7,12-15"),
            ("1-15", 2, "1,9"),
            ("1-15", 1, "8"),
            ("0-7", 2, "0-1"),
            ("0-3,12-15", 1, "0"),
            ("1,4-7,12-15", 1, "1"),
            ("1,4-7,12-15", 2, "4,12"),
        ] {
            assert_eq!(take(&topology, &cpus(available), count).unwrap(), cpus(expected), "{count} of {available}");
        }
        let error = take(&topology, &cpus("0-1"), 3).unwrap_err();
        assert_eq!(error.to_string(), "not enough cpus available to satisfy request: requested=3, available=2");
    }

    #[test]
    fn a_numa_node_smaller_than_a_socket_is_taken_whole() {
        // One socket with two NUMA nodes of two cores: 0-1 and 2-3.
        let topology = machine(1, 2, 2, 1, 1);
        assert_eq!(take(&topology, &cpus("1-3"), 2).unwrap(), cpus("2-3"));
        assert_eq!(take(&topology, &cpus("1-3"), 1).unwrap(), cpus("1"));
    }

    fn guaranteed(uid: &str, init: &str, containers: &[(&str, &str)]) -> Pod {
        let container = |(name, cpu): &(&str, &str)| {
            format!(r#"{{"name":"{name}","resources":{{"limits":{{"cpu":"{cpu}","memory":"1Mi"}}}}}}"#)
        };
        let containers: Vec<String> = containers.iter().map(container).collect();
        pod_from(&format!(
            r#"{{"metadata":{{"name":"p","uid":"{uid}"}},"spec":{{"initContainers":[{init}],"containers":[{}]}}}}"#,
            containers.join(",")
        ))
    }

    fn assign_all(assignments: &mut Assignments, topology: &Topology, pod: &Pod, hint: Hint) -> Result<(), NotEnough> {
        let spec = crate::pod::spec::spec(pod);
        let all = crate::pod::spec::init_containers(pod).iter().chain(&spec.containers);
        let reserved = cpus("0");
        all.into_iter().try_for_each(|container| assignments.assign(topology, &reserved, pod, container, hint))
    }

    const ANYWHERE: Hint = Hint { nodes: None, is_preferred: true };

    #[test]
    fn whole_processors_of_guaranteed_pods_are_their_own() {
        let topology = machine(1, 1, 4, 1, 1);
        let mut assignments = Assignments::new(&topology);
        let pod = guaranteed("a", "", &[("one", "1"), ("half", "500m"), ("two", "2")]);
        assign_all(&mut assignments, &topology, &pod, ANYWHERE).unwrap();
        assert_eq!(assignments.shared, cpus("0"));
        assert_eq!((assignments.of("a", "one"), assignments.of("a", "half")), (Some(&cpus("1")), None));
        let other = guaranteed("b", "", &[("one", "1")]);
        let error = assign_all(&mut assignments, &topology, &other, ANYWHERE).unwrap_err();
        assert_eq!(error, NotEnough { requested: 1, available: 0 }, "what is reserved is nobody's own");
        assert!(assignments.release("a") && !assignments.release("a"));
        assert_eq!(assignments, Assignments::new(&topology));
        let burstable = pod_from(
            r#"{"metadata":{"name":"p","uid":"c"},"spec":{"containers":[{"name":"x","resources":{"requests":{"cpu":"1"}}}]}}"#,
        );
        assign_all(&mut assignments, &topology, &burstable, ANYWHERE).unwrap();
        assert_eq!(assignments, Assignments::new(&topology));
    }

    #[test]
    fn what_init_containers_had_the_others_get() {
        let topology = machine(1, 1, 4, 1, 1);
        let init = r#"{"name":"init","resources":{"limits":{"cpu":"3","memory":"1Mi"}}}"#;
        let pod = guaranteed("a", init, &[("one", "1"), ("two", "2")]);
        let mut assignments = Assignments::new(&topology);
        assign_all(&mut assignments, &topology, &pod, ANYWHERE).unwrap();
        assert_eq!(assignments.of("a", "init"), Some(&cpus("1-3")));
        assert_eq!((assignments.of("a", "one"), assignments.of("a", "two")), (Some(&cpus("1")), Some(&cpus("2-3"))));
        assert_eq!(exclusive_of_pod(&pod), 3);
    }

    #[test]
    fn hints_prefer_one_node_and_assignments_follow_them() {
        // Two NUMA nodes of four: 0-3 and 4-7; 0 is reserved.
        let topology = machine(2, 1, 4, 1, 1);
        let mut assignments = Assignments::new(&topology);
        let wish = |assignments: &Assignments, count: &str| {
            let pod = guaranteed("a", "", &[("c", count)]);
            assignments.wish(&topology, &cpus("0"), &pod, &crate::pod::spec::spec(&pod).containers[0])
        };
        let set = |nodes: &[usize]| -> NumaSet { nodes.iter().copied().collect() };
        let hint = |nodes: &[usize], preferred| Hint::new(set(nodes), preferred);
        assert_eq!(
            wish(&assignments, "3"),
            Wish::OneOf(vec![hint(&[0], true), hint(&[1], true), hint(&[0, 1], false)])
        );
        assert_eq!(wish(&assignments, "4"), Wish::OneOf(vec![hint(&[1], true), hint(&[0, 1], false)]));
        assert_eq!(wish(&assignments, "6"), Wish::OneOf(vec![hint(&[0, 1], true)]));
        assert_eq!(wish(&assignments, "8"), Wish::OneOf(vec![]));
        assert_eq!(wish(&assignments, "1500m"), Wish::Anywhere);
        let pod = guaranteed("a", "", &[("c", "3")]);
        assign_all(&mut assignments, &topology, &pod, hint(&[1], true)).unwrap();
        assert_eq!(assignments.of("a", "c"), Some(&cpus("4-6")));
        assert_eq!(wish(&assignments, "3"), Wish::OneOf(vec![hint(&[1], true), hint(&[0, 1], false)]), "it has them");
        let spread = guaranteed("b", "", &[("c", "2")]);
        assign_all(&mut assignments, &topology, &spread, hint(&[1], false)).unwrap();
        assert_eq!(assignments.of("b", "c"), Some(&cpus("1,7")), "near first, then wherever");
    }
}
