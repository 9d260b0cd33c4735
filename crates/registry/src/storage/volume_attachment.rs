//! storage.k8s.io `VolumeAttachment`.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_immutable, text, truth};
use crate::kind::{Column, Kind, Object, Rules};

pub static VOLUME_ATTACHMENT: Kind = Kind {
    group: "storage.k8s.io",
    kind: "VolumeAttachment",
    plural: "volumeattachments",
    singular: "volumeattachment",
    has_status: true,
    rules: &VolumeAttachmentRules,
    ..Kind::CLUSTER
};

struct VolumeAttachmentRules;

static COLUMNS: &[Column] = &[
    NAME,
    column("Attacher", "string", "attacher indicates the name of the volume driver that must handle this request."),
    column("PV", "string", "persistentVolumeName represents the name of the persistent volume to attach."),
    column("Node", "string", "nodeName represents the node that the volume should be attached to."),
    column("Attached", "boolean", "attached indicates the volume is successfully attached."),
    AGE,
];

impl Rules for VolumeAttachmentRules {
    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        for field in ["spec.attacher", "spec.nodeName"] {
            if text(object, field).is_empty() {
                faults.push(FieldError::required(field, ""));
            }
        }
        if let Some(old) = old {
            check_immutable(object, old, "spec", &mut faults);
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        vec![
            columns::name(object),
            Value::from(text(object, "spec.attacher")),
            Value::from(text(object, "spec.source.persistentVolumeName")),
            Value::from(text(object, "spec.nodeName")),
            Value::from(truth(object, "status.attached")),
            columns::age(object, now),
        ]
    }

    fn allows_unconditional_update(&self) -> bool {
        false
    }
}
