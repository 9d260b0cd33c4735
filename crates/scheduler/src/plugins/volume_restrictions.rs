//! Keeps pods apart that may not share a volume.

use std::collections::BTreeSet;

use api::NamespacedName;
use api::k8s::api::core::v1::Volume;

use crate::cache::NodeInfo;
use crate::events::ClusterEvent;
use crate::framework::{Cycle, Judge, Plugin, Rejection};
use crate::pod::PodInfo;
use crate::volumes::claims_of;

pub(super) struct VolumeRestrictions;

impl Plugin for VolumeRestrictions {
    fn name(&self) -> &'static str {
        "VolumeRestrictions"
    }

    fn is_helped_by(&self, event: ClusterEvent) -> bool {
        matches!(event, ClusterEvent::NodeAdded | ClusterEvent::AssignedPodDeleted | ClusterEvent::ClaimChanged)
    }

    fn prepare<'a>(&self, cycle: Cycle<'a>) -> Option<Box<dyn Judge + 'a>> {
        let is_exclusive = |claim: &NamespacedName| {
            let spec = cycle.snapshot.volumes.claims.get(claim).and_then(|claim| claim.spec.as_ref());
            let modes = spec.and_then(|spec| spec.access_modes.as_deref()).unwrap_or_default();
            modes.iter().any(|mode| mode == "ReadWriteOncePod")
        };
        let claims = claims_of(cycle.pod).into_iter().map(|claim| claim.key).filter(is_exclusive);
        let (claims, disks): (BTreeSet<_>, _) = (claims.collect(), disks(cycle.pod));
        if claims.is_empty() && disks.is_empty() {
            return None;
        }
        let nodes = &cycle.snapshot.nodes;
        let is_used = |claim: &NamespacedName| nodes.iter().any(|node| node.pods.values().any(|pod| uses(pod, claim)));
        let is_taken = claims.iter().any(is_used);
        Some(Box::new(Restrictions { is_taken, disks }))
    }
}

struct Restrictions {
    /// Another pod, wherever it runs, has a claim that only one may have.
    is_taken: bool,
    disks: Vec<Disk>,
}

impl Judge for Restrictions {
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        if self.is_taken {
            return Err(Rejection::resolvable(
                "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode",
            ));
        }
        let mut used = node.pods.values().flat_map(|pod| disks(pod));
        if used.any(|used| self.disks.iter().any(|wanted| wanted.conflicts(&used))) {
            return Err(Rejection::resolvable("node(s) had no available disk"));
        }
        Ok(())
    }
}

fn uses(pod: &PodInfo, claim: &NamespacedName) -> bool {
    pod.namespace() == claim.namespace && claims_of(pod).iter().any(|used| used.key == *claim)
}

/// A disk that one node may attach once, or many times if all only read.
#[derive(Debug, PartialEq, Eq)]
struct Disk {
    id: String,
    is_read_only: bool,
}

impl Disk {
    fn conflicts(&self, other: &Disk) -> bool {
        self.id == other.id && !(self.is_read_only && other.is_read_only)
    }
}

fn disks(pod: &PodInfo) -> Vec<Disk> {
    pod.spec().into_iter().flat_map(|spec| spec.volumes.iter().flatten()).filter_map(disk).collect()
}

fn disk(volume: &Volume) -> Option<Disk> {
    let disk = |id: String, read_only: Option<bool>| Disk { id, is_read_only: read_only.unwrap_or(false) };
    if let Some(gce) = &volume.gce_persistent_disk {
        return Some(disk(format!("gce/{}", gce.pd_name), gce.read_only));
    }
    if let Some(aws) = &volume.aws_elastic_block_store {
        // Even to read: a node attaches such a volume once.
        return Some(disk(format!("aws/{}", aws.volume_id), None));
    }
    if let Some(iscsi) = &volume.iscsi {
        return Some(disk(format!("iscsi/{}", iscsi.iqn), iscsi.read_only));
    }
    let rbd = volume.rbd.as_ref()?;
    let pool = rbd.pool.as_deref().unwrap_or("rbd");
    Some(disk(format!("rbd/{}/{pool}/{}", rbd.monitors.join(","), rbd.image), rbd.read_only))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::fixture;

    #[test]
    fn a_disk_is_shared_by_readers_alone() {
        let disk = |volume: Value| {
            let pod = fixture::pod("web").edit(|spec| {
                spec.volumes = Some(vec![serde_json::from_value(volume.clone()).unwrap()]);
            });
            disks(&pod.info()).pop().unwrap()
        };
        let gce = |name: &str, read_only: bool| {
            disk(json!({"name": "v", "gcePersistentDisk": {"pdName": name, "readOnly": read_only}}))
        };
        let aws = || disk(json!({"name": "v", "awsElasticBlockStore": {"volumeID": "x", "readOnly": true}}));
        assert!(gce("x", false).conflicts(&gce("x", true)));
        assert!(!gce("x", true).conflicts(&gce("x", true)));
        assert!(!gce("x", false).conflicts(&gce("y", false)));
        assert!(aws().conflicts(&aws()));
        assert!(!aws().conflicts(&gce("x", false)));
    }
}
