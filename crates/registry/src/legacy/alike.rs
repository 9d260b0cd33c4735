//! Versions that say what the stable one says, in its words.

use crate::apiregistration::api_service::API_SERVICE;
use crate::autoscaling::horizontal_pod_autoscaler::HORIZONTAL_POD_AUTOSCALER;
use crate::batch::cron_job::CRON_JOB;
use crate::coordination::lease::LEASE;
use crate::events::event::EVENT;
use crate::kind::{Conversion, Kind};
use crate::scheduling::priority_class::PRIORITY_CLASS;
use crate::storage::csi_driver::CSI_DRIVER;
use crate::storage::csi_node::CSI_NODE;
use crate::storage::csi_storage_capacity::CSI_STORAGE_CAPACITY;
use crate::storage::storage_class::STORAGE_CLASS;
use crate::storage::volume_attachment::VOLUME_ATTACHMENT;
use crate::storage::volume_attributes_class::VOLUME_ATTRIBUTES_CLASS;

const STORAGE: &str = "storage.k8s.io";

pub static API_SERVICE_V1BETA1: Kind = Kind::served_as(
    "apiregistration.k8s.io",
    "v1beta1",
    &Conversion::same_as(&API_SERVICE),
)
.deprecated(19, 22, "apiregistration.k8s.io/v1 APIService");
pub static HORIZONTAL_POD_AUTOSCALER_V2BETA2: Kind = Kind::served_as(
    "autoscaling",
    "v2beta2",
    &Conversion::same_as(&HORIZONTAL_POD_AUTOSCALER),
)
.deprecated(23, 26, "autoscaling/v2 HorizontalPodAutoscaler");
pub static CRON_JOB_V1BETA1: Kind =
    Kind::served_as("batch", "v1beta1", &Conversion::same_as(&CRON_JOB)).deprecated(21, 25, "batch/v1 CronJob");
pub static CRON_JOB_V2ALPHA1: Kind =
    Kind::served_as("batch", "v2alpha1", &Conversion::same_as(&CRON_JOB)).deprecated(11, 21, "batch/v1 CronJob");
pub static LEASE_V1BETA1: Kind = Kind::served_as("coordination.k8s.io", "v1beta1", &Conversion::same_as(&LEASE))
    .deprecated(19, 22, "coordination.k8s.io/v1 Lease");
pub static EVENT_V1BETA1: Kind = Kind { version: "v1beta1", ..EVENT }.deprecated(22, 25, "");
pub static PRIORITY_CLASS_V1BETA1: Kind = Kind::served_as(
    "scheduling.k8s.io",
    "v1beta1",
    &Conversion::same_as(&PRIORITY_CLASS),
)
.deprecated(14, 22, "scheduling.k8s.io/v1 PriorityClass");
pub static PRIORITY_CLASS_V1ALPHA1: Kind = Kind::served_as(
    "scheduling.k8s.io",
    "v1alpha1",
    &Conversion::same_as(&PRIORITY_CLASS),
)
.deprecated(14, 22, "scheduling.k8s.io/v1 PriorityClass");
pub static STORAGE_CLASS_V1BETA1: Kind = Kind::served_as(STORAGE, "v1beta1", &Conversion::same_as(&STORAGE_CLASS))
    .deprecated(19, 22, "storage.k8s.io/v1 StorageClass");
pub static VOLUME_ATTACHMENT_V1BETA1: Kind = Kind::served_as(
    STORAGE,
    "v1beta1",
    &Conversion::same_as(&VOLUME_ATTACHMENT),
)
.deprecated(19, 22, "storage.k8s.io/v1 VolumeAttachment");
pub static VOLUME_ATTACHMENT_V1ALPHA1: Kind = Kind::served_as(
    STORAGE,
    "v1alpha1",
    &Conversion::same_as(&VOLUME_ATTACHMENT),
)
.deprecated(21, 24, "storage.k8s.io/v1 VolumeAttachment");
pub static CSI_DRIVER_V1BETA1: Kind = Kind::served_as(STORAGE, "v1beta1", &Conversion::same_as(&CSI_DRIVER))
    .deprecated(19, 22, "storage.k8s.io/v1 CSIDriver");
pub static CSI_NODE_V1BETA1: Kind = Kind::served_as(STORAGE, "v1beta1", &Conversion::same_as(&CSI_NODE)).deprecated(
    17,
    22,
    "storage.k8s.io/v1 CSINode",
);
pub static CSI_STORAGE_CAPACITY_V1BETA1: Kind = Kind::served_as(
    STORAGE,
    "v1beta1",
    &Conversion::same_as(&CSI_STORAGE_CAPACITY),
)
.deprecated(24, 27, "storage.k8s.io/v1 CSIStorageCapacity");
pub static CSI_STORAGE_CAPACITY_V1ALPHA1: Kind = Kind::served_as(
    STORAGE,
    "v1alpha1",
    &Conversion::same_as(&CSI_STORAGE_CAPACITY),
)
.deprecated(21, 24, "storage.k8s.io/v1beta1 CSIStorageCapacity");
pub static VOLUME_ATTRIBUTES_CLASS_V1BETA1: Kind = Kind::served_as(
    STORAGE,
    "v1beta1",
    &Conversion::same_as(&VOLUME_ATTRIBUTES_CLASS),
)
.deprecated(34, 37, "storage.k8s.io/v1 VolumeAttributesClass");
pub static VOLUME_ATTRIBUTES_CLASS_V1ALPHA1: Kind = Kind::served_as(
    STORAGE,
    "v1alpha1",
    &Conversion::same_as(&VOLUME_ATTRIBUTES_CLASS),
)
.deprecated(32, 35, "storage.k8s.io/v1 VolumeAttributesClass");
