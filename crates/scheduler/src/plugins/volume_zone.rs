//! Keeps pods in the zones that their volumes' labels name.

use std::sync::Arc;

use api::k8s::api::core::v1::PersistentVolume;

use crate::cache::NodeInfo;
use crate::events::ClusterEvent;
use crate::framework::{Cycle, Judge, Plugin, Rejection};

const LABELS: [&str; 4] = [
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
];
/// Between the zones of a volume that is in several.
const SEPARATOR: &str = "__";

pub(super) struct VolumeZone;

impl Plugin for VolumeZone {
    fn name(&self) -> &'static str {
        "VolumeZone"
    }

    fn is_helped_by(&self, event: ClusterEvent) -> bool {
        use ClusterEvent::{ClaimChanged, ClassChanged, NodeAdded, NodeLabelsChanged, VolumeChanged};
        matches!(event, ClaimChanged | ClassChanged | NodeAdded | NodeLabelsChanged | VolumeChanged)
    }

    fn prepare<'a>(&self, cycle: Cycle<'a>) -> Option<Box<dyn Judge + 'a>> {
        let zones: Vec<Zone<'a>> =
            cycle.snapshot.volumes.bound_volumes(cycle.pod).into_iter().flat_map(zones).collect();
        (!zones.is_empty()).then(|| Box::new(Zones { zones }) as Box<dyn Judge>)
    }
}

struct Zone<'a> {
    label: &'static str,
    values: &'a str,
}

fn zones(volume: &Arc<PersistentVolume>) -> impl Iterator<Item = Zone<'_>> {
    let labels = volume.metadata.labels.as_ref();
    LABELS.into_iter().filter_map(move |label| Some(Zone { label, values: labels?.get(label)? }))
}

struct Zones<'a> {
    zones: Vec<Zone<'a>>,
}

impl Judge for Zones<'_> {
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        // A cluster whose nodes tell of no zones has none.
        if !LABELS.iter().any(|label| node.label(label).is_some()) {
            return Ok(());
        }
        let is_in = |zone: &Zone<'_>| {
            node.label(zone.label)
                .or_else(|| node.label(other_name(zone.label)))
                .is_some_and(|value| zone.values.split(SEPARATOR).any(|one| one == value))
        };
        if self.zones.iter().all(is_in) {
            Ok(())
        } else {
            Err(Rejection::unresolvable("node(s) had no available volume zone"))
        }
    }
}

/// The older name of a label, or the newer.
fn other_name(label: &str) -> &'static str {
    let position = LABELS.iter().position(|known| *known == label).unwrap_or(0);
    LABELS[(position + 2) % LABELS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_two_names() {
        assert_eq!(other_name("topology.kubernetes.io/zone"), "failure-domain.beta.kubernetes.io/zone");
        assert_eq!(other_name("failure-domain.beta.kubernetes.io/region"), "topology.kubernetes.io/region");
    }
}
