//! PersistentVolume.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::persistent_volume_claim::{access_modes, class, or_unset, phase};
use crate::columns::{self, AGE, NAME, column, wide};
use crate::error::FieldError;
use crate::fields::{
    check_supported, get, get_array, get_object, object_at, object_mut, or_none, set, set_default, text,
};
use crate::kind::{Column, Kind, Object, Rules, WriteContext};

pub static PERSISTENT_VOLUME: Kind = Kind {
    kind: "PersistentVolume",
    plural: "persistentvolumes",
    singular: "persistentvolume",
    short_names: &["pv"],
    has_status: true,
    rules: &PersistentVolumeRules,
    ..Kind::CLUSTER
};

struct PersistentVolumeRules;

static COLUMNS: &[Column] = &[
    NAME,
    column("Capacity", "string", "capacity is the description of the persistent volume's resources and capacity."),
    column("Access Modes", "string", "accessModes contains all ways the volume can be mounted."),
    column("Reclaim Policy", "string", "What happens to a persistent volume when released from its claim."),
    column("Status", "string", "phase indicates if a volume is available, bound to a claim, or released by a claim."),
    column("Claim", "string", "claimRef is part of a bi-directional binding between volume and claim."),
    column("StorageClass", "string", "StorageClass of the pv"),
    column("VolumeAttributesClass", "string", "VolumeAttributesClass of the pv"),
    column("Reason", "string", "reason is a brief CamelCase string that describes any failure."),
    AGE,
    wide("VolumeMode", "string", "Whether a volume is used with a formatted filesystem or as a raw block device."),
];

/// Fields of the spec that are not a volume's source.
const NOT_SOURCES: [&str; 9] = [
    "capacity",
    "accessModes",
    "claimRef",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "mountOptions",
    "volumeMode",
    "nodeAffinity",
    "volumeAttributesClassName",
];

impl Rules for PersistentVolumeRules {
    fn default(&self, object: &mut Object) {
        let spec = object_at(object, "spec");
        set_default(spec, "persistentVolumeReclaimPolicy", "Retain");
        set_default(spec, "volumeMode", "Filesystem");
        if let Some(host_path) = object_mut(spec, "hostPath") {
            set_default(host_path, "type", "");
        }
    }

    fn prepare_create(&self, object: &mut Object, _context: &WriteContext<'_>) {
        set(object, "status", json!({"phase": "Pending"}));
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if get_array(object, "spec.accessModes").is_empty() {
            faults.push(FieldError::required("spec.accessModes", ""));
        }
        if get_object(object, "spec.capacity").is_none_or(Object::is_empty) {
            faults.push(FieldError::required("spec.capacity", ""));
        }
        let policies = ["Delete", "Recycle", "Retain"];
        check_supported(object, "spec.persistentVolumeReclaimPolicy", &policies, "", &mut faults);
        if source(object).is_empty() {
            faults.push(FieldError::required("spec", "must specify a volume type"));
        }
        if let Some(old) = old
            && source(object) != source(old)
        {
            let detail = "spec.persistentvolumesource is immutable after creation";
            faults.push(FieldError::forbidden("spec.persistentvolumesource", detail));
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let claim = match get(object, "spec.claimRef") {
            Some(_) => {
                format!("{}/{}", text(object, "spec.claimRef.namespace"), text(object, "spec.claimRef.name"))
            }
            None => String::new(),
        };
        vec![
            columns::name(object),
            Value::from(text(object, "spec.capacity.storage")),
            Value::from(access_modes(object, "spec.accessModes")),
            Value::from(text(object, "spec.persistentVolumeReclaimPolicy")),
            Value::from(phase(object)),
            Value::from(claim),
            Value::from(class(object)),
            or_unset(text(object, "spec.volumeAttributesClassName")),
            Value::from(text(object, "status.reason")),
            columns::age(object, now),
            or_none(text(object, "spec.volumeMode")),
        ]
    }
}

fn source(volume: &Object) -> Object {
    let mut spec = get_object(volume, "spec").cloned().unwrap_or_else(Object::new);
    spec.retain(|field, _| !NOT_SOURCES.contains(&field.as_str()));
    spec
}
