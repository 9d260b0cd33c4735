//! Who goes first, and what is said of it: upstream's order and words.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use api::Quantity;
use api::k8s::api::core::v1::Pod;

use super::decide::Met;
use super::signals::Observation;
use crate::config::qos::{positive, requests};
use crate::config::totals::{self, binary_si};
use crate::pod::plan::Eviction;
use crate::pod::spec;
use crate::policy::Signal;
use crate::usage::{ContainerUsage, Tree};
use crate::volumes::disk::VolumeUsage;

/// A pod and what it uses.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) pod: Arc<Pod>,
    pub(super) containers: Vec<ContainerUsage>,
    pub(super) logs: BTreeMap<String, Tree>,
    pub(super) volumes: Vec<VolumeUsage>,
    pub(super) processes: u64,
}

impl Candidate {
    pub(super) fn new(pod: Arc<Pod>, containers: Vec<ContainerUsage>) -> Self {
        Candidate { pod, containers, logs: BTreeMap::new(), volumes: Vec::new(), processes: 0 }
    }

    fn memory_bytes(&self) -> i64 {
        let sum =
            self.containers.iter().map(|container| container.usage.working_set_bytes).fold(0, u64::saturating_add);
        i64::try_from(sum).unwrap_or(i64::MAX)
    }

    /// What one container keeps on the node's disk: its layer and its logs.
    pub(super) fn container_tree(&self, name: &str) -> Tree {
        let logs = self.logs.get(name).copied().unwrap_or_default();
        let layer = self.containers.iter().find(|container| container.container == name);
        add(logs, layer.map(layer_of).unwrap_or_default())
    }

    /// What the pod keeps on the node's disk.
    pub(super) fn tree(&self) -> Tree {
        let logs = self.logs.values().copied();
        let volumes = self.volumes.iter().filter(|volume| volume.is_local).map(|volume| volume.tree);
        logs.chain(self.containers.iter().map(layer_of)).chain(volumes).fold(Tree::default(), add)
    }

    /// What it uses of the resource, and what it asked for.
    fn use_and_request(&self, signal: Signal) -> (i64, i64) {
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        match signal {
            Signal::MemoryAvailable => (self.memory_bytes(), totals::request(&self.pod, "memory").units()),
            Signal::NodeFsAvailable | Signal::ImageFsAvailable => {
                (number(self.tree().bytes), totals::request(&self.pod, "ephemeral-storage").units())
            }
            Signal::NodeFsInodesFree | Signal::ImageFsInodesFree => (number(self.tree().inodes), 0),
            Signal::PidAvailable => (number(self.processes), 0),
        }
    }
}

fn layer_of(container: &ContainerUsage) -> Tree {
    Tree { bytes: container.writable_bytes.unwrap_or(0), inodes: container.writable_inodes.unwrap_or(0) }
}

fn add(one: Tree, other: Tree) -> Tree {
    Tree { bytes: one.bytes.saturating_add(other.bytes), inodes: one.inodes.saturating_add(other.inodes) }
}

/// First those that use more than they asked for, then those of lower priority, then the greatest excess.
pub(super) fn choose(met: &Met, observation: Option<&Observation>, candidates: &[Candidate]) -> Option<Eviction> {
    let signal = met.threshold.signal;
    let rank = |candidate: &&Candidate| {
        let (used, requested) = candidate.use_and_request(signal);
        let exceeds = signal != Signal::PidAvailable && used > requested;
        let priority = spec::spec(&candidate.pod).priority.unwrap_or(0);
        (Reverse(exceeds), priority, Reverse(used.saturating_sub(requested)))
    };
    // The node's own pods, and those the cluster cannot do without, stay.
    let evictable = candidates.iter().filter(|candidate| !spec::is_critical(&candidate.pod));
    let first = evictable.min_by_key(rank)?;
    let message = message(met, observation, first);
    Some(Eviction { disruption: Some(message.clone()), ..Eviction::new(&first.pod, message) })
}

fn message(met: &Met, observation: Option<&Observation>, candidate: &Candidate) -> String {
    let signal = met.threshold.signal;
    let resource = signal.resource();
    let mut message = format!("The node was low on resource: {resource}. ");
    if let Some(seen) = observation {
        let threshold = met.threshold.amount.of(seen.capacity);
        message += &format!(
            "Threshold quantity: {}, available: {}. ",
            quantity(signal, threshold),
            quantity(signal, seen.available)
        );
    }
    for container in &candidate.containers {
        let Some((spec, _)) = spec::find(&candidate.pod, &container.container) else { continue };
        let used = match resource {
            "memory" => container.usage.working_set_bytes,
            "ephemeral-storage" => candidate.container_tree(&container.container).bytes,
            _ => continue,
        };
        let used = i64::try_from(used).unwrap_or(i64::MAX);
        let request = positive(requests(&spec), resource);
        if used > request.map_or(0, Quantity::units) {
            let asked = requests(&spec).and_then(|amounts| amounts.get(resource));
            message += &format!(
                "Container {} was using {}, request is {}, has larger consumption of {resource}. ",
                container.container,
                binary_si(used),
                asked.map_or("0", |amount| amount.0.as_str())
            );
        }
    }
    message
}

fn quantity(signal: Signal, amount: i64) -> String {
    match signal {
        Signal::MemoryAvailable | Signal::NodeFsAvailable | Signal::ImageFsAvailable => binary_si(amount),
        _ => amount.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Amount, Threshold};
    use crate::testing::pod_from;
    use crate::usage::Usage;

    fn candidate(name: &str, priority: i32, request: &str, used: u64) -> Candidate {
        let pod = pod_from(&format!(
            r#"{{"metadata":{{"name":"{name}","namespace":"ns","uid":"{name}"}},"spec":{{"priority":{priority},
                "containers":[{{"name":"c","resources":{{"requests":{{"memory":"{request}"}}}}}}]}}}}"#
        ));
        let usage = Usage { working_set_bytes: used, ..Usage::default() };
        let container = ContainerUsage { container: "c".to_owned(), usage, ..ContainerUsage::default() };
        Candidate::new(Arc::new(pod), vec![container])
    }

    fn met(signal: Signal) -> Met {
        let amount = Amount::Units(100 << 20);
        Met { threshold: Threshold { signal, amount, grace: None, minimum_reclaim: 0 } }
    }

    fn chosen(candidates: &[Candidate]) -> String {
        choose(&met(Signal::MemoryAvailable), None, candidates).unwrap().uid
    }

    #[test]
    fn excess_then_priority_then_amount() {
        let modest = candidate("modest", 0, "1Gi", 1 << 20);
        let greedy = candidate("greedy", 100, "1Mi", 50 << 20);
        let greedier = candidate("greedier", 100, "1Mi", 60 << 20);
        let lowly = candidate("lowly", -1, "1Mi", 2 << 20);
        assert_eq!(chosen(&[modest.clone(), greedy.clone()]), "greedy");
        assert_eq!(chosen(&[modest.clone(), greedy.clone(), greedier.clone()]), "greedier");
        assert_eq!(chosen(&[modest, greedy, lowly, greedier]), "lowly");
        assert_eq!(choose(&met(Signal::MemoryAvailable), None, &[]), None);
    }

    #[test]
    fn the_message_is_upstreams() {
        let seen = Observation { available: 90 << 20, capacity: 8 << 30 };
        let greedy = candidate("greedy", 0, "1Mi", 50 << 20);
        let victim = choose(&met(Signal::MemoryAvailable), Some(&seen), &[greedy]).unwrap();
        assert_eq!(
            victim.message,
            "The node was low on resource: memory. Threshold quantity: 100Mi, available: 90Mi. \
             Container c was using 50Mi, request is 1Mi, has larger consumption of memory. "
        );
    }

    #[test]
    fn critical_pods_stay() {
        let greedy = candidate("greedy", 2_000_001_000, "1Mi", 50 << 20);
        assert_eq!(choose(&met(Signal::MemoryAvailable), None, std::slice::from_ref(&greedy)), None);
        assert_eq!(chosen(&[greedy, candidate("modest", 1_000_000_000, "1Gi", 1 << 20)]), "modest");
    }
}
