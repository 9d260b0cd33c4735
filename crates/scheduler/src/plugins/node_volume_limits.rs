//! Keeps to the number of volumes that a node's storage drivers can attach.

use std::collections::{BTreeMap, BTreeSet};

use api::volumes;

use crate::cache::NodeInfo;
use crate::events::ClusterEvent;
use crate::framework::{Cycle, Judge, Plugin, Rejection};
use crate::pod::PodInfo;
use crate::volumes::{Volumes, claims_of};

pub(super) struct NodeVolumeLimits;

impl Plugin for NodeVolumeLimits {
    fn name(&self) -> &'static str {
        "NodeVolumeLimits"
    }

    fn is_helped_by(&self, event: ClusterEvent) -> bool {
        use ClusterEvent::{AssignedPodDeleted, ClaimChanged, CsiNodeChanged, NodeAdded, VolumeChanged};
        matches!(event, AssignedPodDeleted | ClaimChanged | CsiNodeChanged | NodeAdded | VolumeChanged)
    }

    fn prepare<'a>(&self, cycle: Cycle<'a>) -> Option<Box<dyn Judge + 'a>> {
        let wanted = attachable(cycle.pod, &cycle.snapshot.volumes);
        (!wanted.is_empty()).then(|| Box::new(Limits { volumes: &cycle.snapshot.volumes, wanted }) as Box<dyn Judge>)
    }
}

/// A driver, and how it knows the volume.
type Attachable = (String, String);

struct Limits<'a> {
    volumes: &'a Volumes,
    wanted: BTreeSet<Attachable>,
}

impl Judge for Limits<'_> {
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        let limits = limits(self.volumes, &node.name);
        if limits.is_empty() {
            return Ok(());
        }
        let mut all: BTreeSet<Attachable> = node.pods.values().flat_map(|pod| attachable(pod, self.volumes)).collect();
        let new_drivers: BTreeSet<String> =
            self.wanted.iter().filter(|volume| !all.contains(*volume)).map(|(driver, _)| driver.clone()).collect();
        all.extend(self.wanted.iter().cloned());
        let exceeds = |driver: &String| {
            let count = all.iter().filter(|(other, _)| other == driver).count();
            limits.get(driver).is_some_and(|limit| count > *limit)
        };
        if new_drivers.iter().any(exceeds) {
            Err(Rejection::resolvable("node(s) exceed max volume count"))
        } else {
            Ok(())
        }
    }
}

fn limits(volumes: &Volumes, node: &str) -> BTreeMap<String, usize> {
    let Some(node) = volumes.csi_nodes.get(node) else { return BTreeMap::new() };
    let counted = node.spec.drivers.iter().filter_map(|driver| {
        let count = driver.allocatable.as_ref()?.count?;
        Some((driver.name.clone(), usize::try_from(count).unwrap_or(0)))
    });
    counted.collect()
}

/// The pod's volumes of drivers; those yet to be made are known by their claims.
fn attachable(pod: &PodInfo, volumes: &Volumes) -> BTreeSet<Attachable> {
    let claims = claims_of(pod).into_iter().filter_map(|claim| {
        let object = volumes.claims.get(&claim.key)?;
        match volumes.volumes.get(volumes::volume_name(object)) {
            Some(volume) => {
                let csi = volume.spec.as_ref()?.csi.as_ref()?;
                Some((csi.driver.clone(), csi.volume_handle.clone()))
            }
            None => Some((volumes.class_of(object)?.provisioner.clone(), claim.key.to_string())),
        }
    });
    claims.collect()
}
