//! What happened in the cluster that may make room for a pod.

/// A cause for another attempt. Plugins say which of them can undo their refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClusterEvent {
    NodeAdded,
    NodeAllocatableChanged,
    NodeLabelsChanged,
    NodeTaintsChanged,
    /// A pod came to a node: affinity may now be satisfied.
    AssignedPodAdded,
    /// A pod on a node changed its labels or its requests.
    AssignedPodUpdated,
    /// A pod left a node: there is room.
    AssignedPodDeleted,
    NamespaceChanged,
    ClaimChanged,
    VolumeChanged,
    ClassChanged,
    CsiNodeChanged,
}

impl ClusterEvent {
    /// As upstream's metrics name it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            ClusterEvent::NodeAdded => "NodeAdd",
            ClusterEvent::NodeAllocatableChanged => "NodeUpdateNodeAllocatable",
            ClusterEvent::NodeLabelsChanged => "NodeUpdateNodeLabel",
            ClusterEvent::NodeTaintsChanged => "NodeUpdateNodeTaint",
            ClusterEvent::AssignedPodAdded => "AssignedPodAdd",
            ClusterEvent::AssignedPodUpdated => "AssignedPodUpdate",
            ClusterEvent::AssignedPodDeleted => "AssignedPodDelete",
            ClusterEvent::NamespaceChanged => "NamespaceUpdate",
            ClusterEvent::ClaimChanged => "PersistentVolumeClaimUpdate",
            ClusterEvent::VolumeChanged => "PersistentVolumeUpdate",
            ClusterEvent::ClassChanged => "storage.k8s.io/StorageClassUpdate",
            ClusterEvent::CsiNodeChanged => "storage.k8s.io/CSINodeUpdate",
        }
    }
}
