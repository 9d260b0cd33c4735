//! Kinds of the `storage.k8s.io` group.

pub mod csi_driver;
pub mod csi_node;
pub mod storage_class;
pub mod volume_attachment;
