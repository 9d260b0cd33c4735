//! storage.k8s.io `VolumeAttachment`.

use crate::kind::Kind;

pub static VOLUME_ATTACHMENT: Kind = Kind {
    group: "storage.k8s.io",
    kind: "VolumeAttachment",
    plural: "volumeattachments",
    singular: "volumeattachment",
    has_status: true,
    ..Kind::CLUSTER
};
