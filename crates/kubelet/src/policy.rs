//! What the node keeps in reserve and when it tidies up: the defaults of upstream's KubeletConfiguration.

use std::collections::BTreeMap;

use api::Quantity;
use jiff::SignedDuration;

use crate::managers;
use crate::shutdown::Grace;

/// What can run short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Signal {
    MemoryAvailable,
    NodeFsAvailable,
    NodeFsInodesFree,
    ImageFsAvailable,
    ImageFsInodesFree,
    PidAvailable,
}

impl Signal {
    pub(crate) const ALL: [Signal; 6] = [
        Signal::MemoryAvailable,
        Signal::NodeFsAvailable,
        Signal::NodeFsInodesFree,
        Signal::ImageFsAvailable,
        Signal::ImageFsInodesFree,
        Signal::PidAvailable,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Signal::MemoryAvailable => "memory.available",
            Signal::NodeFsAvailable => "nodefs.available",
            Signal::NodeFsInodesFree => "nodefs.inodesFree",
            Signal::ImageFsAvailable => "imagefs.available",
            Signal::ImageFsInodesFree => "imagefs.inodesFree",
            Signal::PidAvailable => "pid.available",
        }
    }

    /// The resource that messages name.
    pub(crate) fn resource(self) -> &'static str {
        match self {
            Signal::MemoryAvailable => "memory",
            Signal::NodeFsAvailable | Signal::ImageFsAvailable => "ephemeral-storage",
            Signal::NodeFsInodesFree | Signal::ImageFsInodesFree => "inodes",
            Signal::PidAvailable => "pids",
        }
    }
}

/// Below `percent` of the whole a signal counts as short; where `at_most` is set, not above that amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Threshold {
    pub(crate) signal: Signal,
    pub(crate) amount: Amount,
    /// How long it must hold before pods go; none for a hard threshold.
    pub(crate) grace: Option<SignedDuration>,
    /// How much more must be free again before it counts as over.
    pub(crate) minimum_reclaim: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Amount {
    Units(i64),
    Percent { percent: i64, at_most: i64 },
}

impl Amount {
    pub(crate) fn of(self, capacity: i64) -> i64 {
        match self {
            Amount::Units(units) => units,
            Amount::Percent { percent, at_most } => {
                let share = i128::from(capacity) * i128::from(percent) / 100;
                i64::try_from(share).unwrap_or(i64::MAX).min(at_most)
            }
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) thresholds: Vec<Threshold>,
    /// A condition stays for so long after its cause has gone.
    pub(crate) pressure_transition_period: SignedDuration,
    /// The most grace that a pod gets at a soft threshold.
    pub(crate) maximum_pod_grace_seconds: i64,
    pub(crate) image_high_percent: u64,
    pub(crate) image_low_percent: u64,
    /// No image goes that was used less than this ago.
    pub(crate) image_minimum_age: SignedDuration,
    pub(crate) container_log_maximum_bytes: u64,
    pub(crate) container_log_maximum_files: usize,
    /// Upstream sets no bound unless told to.
    pub(crate) pod_pids_limit: u64,
    pub(crate) maximum_pods: i64,
    /// What pods do not get, by resource.
    pub(crate) kube_reserved: BTreeMap<String, Quantity>,
    pub(crate) system_reserved: BTreeMap<String, Quantity>,
    pub(crate) managers: managers::Settings,
    /// From the lowest priority up; empty where a shutdown does not wait for pods.
    pub(crate) shutdown_graces: Vec<Grace>,
}

impl Default for Policy {
    fn default() -> Self {
        // Upstream goes by the share alone, which on a large disk means tens of gigabytes that stay unused.
        const ENOUGH_BYTES: i64 = 1 << 30;
        const ENOUGH_INODES: i64 = 100_000;
        let hard = |signal, amount| Threshold { signal, amount, grace: None, minimum_reclaim: 0 };
        Policy {
            thresholds: vec![
                hard(Signal::MemoryAvailable, Amount::Units(100 << 20)),
                hard(Signal::NodeFsAvailable, Amount::Percent { percent: 10, at_most: ENOUGH_BYTES }),
                hard(Signal::NodeFsInodesFree, Amount::Percent { percent: 5, at_most: ENOUGH_INODES }),
                hard(Signal::ImageFsAvailable, Amount::Percent { percent: 15, at_most: ENOUGH_BYTES }),
                hard(Signal::ImageFsInodesFree, Amount::Percent { percent: 5, at_most: ENOUGH_INODES }),
                hard(Signal::PidAvailable, Amount::Percent { percent: 5, at_most: i64::MAX }),
            ],
            pressure_transition_period: SignedDuration::from_mins(5),
            maximum_pod_grace_seconds: 0,
            image_high_percent: 85,
            image_low_percent: 80,
            image_minimum_age: SignedDuration::from_mins(2),
            container_log_maximum_bytes: 10 << 20,
            container_log_maximum_files: 5,
            pod_pids_limit: 4096,
            maximum_pods: crate::node::MAXIMUM_PODS,
            kube_reserved: BTreeMap::new(),
            system_reserved: BTreeMap::new(),
            managers: managers::Settings::default(),
            shutdown_graces: Vec::new(),
        }
    }
}

impl Policy {
    /// What of a resource is kept for the system and for eviction: pods get the rest.
    pub(crate) fn reserved(&self, resource: &str, capacity: Quantity) -> Quantity {
        let signal = match resource {
            "memory" => Some(Signal::MemoryAvailable),
            "ephemeral-storage" => Some(Signal::NodeFsAvailable),
            _ => None,
        };
        let hard = self.thresholds.iter().find(|one| one.grace.is_none() && Some(one.signal) == signal);
        let hard = hard.map_or(Quantity::ZERO, |hard| Quantity::from_units(hard.amount.of(capacity.units())));
        let of = |table: &BTreeMap<String, Quantity>| table.get(resource).copied().unwrap_or(Quantity::ZERO);
        of(&self.kube_reserved).saturating_add(of(&self.system_reserved)).saturating_add(hard)
    }
}
