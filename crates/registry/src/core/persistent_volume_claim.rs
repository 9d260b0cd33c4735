//! PersistentVolumeClaim.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::columns::{self, AGE, NAME, column, wide};
use crate::error::FieldError;
use crate::fields::{get, get_array, get_object, object_at, set, set_default, text};
use crate::kind::{Column, Kind, Object, Rules, WriteContext};

pub static PERSISTENT_VOLUME_CLAIM: Kind = Kind {
    kind: "PersistentVolumeClaim",
    plural: "persistentvolumeclaims",
    singular: "persistentvolumeclaim",
    short_names: &["pvc"],
    has_status: true,
    rules: &PersistentVolumeClaimRules,
    ..Kind::NAMESPACED
};

struct PersistentVolumeClaimRules;

static COLUMNS: &[Column] = &[
    NAME,
    column("Status", "string", "phase represents the current phase of PersistentVolumeClaim."),
    column("Volume", "string", "volumeName is the binding reference to the PersistentVolume backing this claim."),
    column("Capacity", "string", "capacity represents the actual resources of the underlying volume."),
    column("Access Modes", "string", "accessModes contains the actual access modes the volume has."),
    column("StorageClass", "string", "StorageClass of the pvc"),
    column("VolumeAttributesClass", "string", "VolumeAttributesClass of the pvc"),
    AGE,
    wide("VolumeMode", "string", "What type of volume is required by the claim."),
];

impl Rules for PersistentVolumeClaimRules {
    fn default(&self, object: &mut Object) {
        set_default(object_at(object, "spec"), "volumeMode", "Filesystem");
    }

    fn prepare_create(&self, object: &mut Object, _context: &WriteContext<'_>) {
        set(object, "status", json!({"phase": "Pending"}));
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if get_array(object, "spec.accessModes").is_empty() {
            faults.push(FieldError::required("spec.accessModes", "at least 1 access mode is required"));
        }
        if get(object, "spec.resources.requests.storage").is_none() {
            faults.push(FieldError::required("spec.resources[storage]", ""));
        }
        if let Some(old) = old
            && fixed(object, old) != fixed(old, old)
        {
            let detail = "spec is immutable after creation except resources.requests and volumeAttributesClassName for \
                          bound claims";
            faults.push(FieldError::forbidden("spec", detail));
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let is_bound = !text(object, "spec.volumeName").is_empty();
        let (capacity, modes) = match is_bound {
            true => (text(object, "status.capacity.storage"), access_modes(object, "status.accessModes")),
            false => ("", String::new()),
        };
        vec![
            columns::name(object),
            Value::from(phase(object)),
            Value::from(text(object, "spec.volumeName")),
            Value::from(capacity),
            Value::from(modes),
            Value::from(class(object)),
            or_unset(text(object, "spec.volumeAttributesClassName")),
            columns::age(object, now),
            or_unset(text(object, "spec.volumeMode")),
        ]
    }
}

/// What of the spec may not change: all but the size, and the volume and class once, where there was none.
fn fixed(claim: &Object, old: &Object) -> Object {
    let mut spec = get_object(claim, "spec").cloned().unwrap_or_else(Object::new);
    if let Some(resources) = spec.get_mut("resources").and_then(Value::as_object_mut) {
        resources.shift_remove("requests");
    }
    spec.shift_remove("volumeAttributesClassName");
    for field in ["volumeName", "storageClassName"] {
        if get(old, &format!("spec.{field}")).is_none() {
            spec.shift_remove(field);
        }
    }
    spec
}

/// The phase, or that the object is going.
pub(super) fn phase(object: &Object) -> &str {
    if get(object, "metadata.deletionTimestamp").is_some() { "Terminating" } else { text(object, "status.phase") }
}

/// The storage class, from the field or its older annotation.
pub(super) fn class(object: &Object) -> &str {
    let annotations = get_object(object, "metadata.annotations");
    let older = annotations.and_then(|annotations| annotations.get("volume.beta.kubernetes.io/storage-class"));
    older.and_then(Value::as_str).unwrap_or_else(|| text(object, "spec.storageClassName"))
}

/// Modes by their initials, in upstream's order.
pub(super) fn access_modes(object: &Object, path: &str) -> String {
    let modes = get_array(object, path);
    let shown: Vec<&str> =
        [("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP")]
            .iter()
            .filter(|(mode, _)| modes.iter().any(|given| given == mode))
            .map(|(_, initials)| *initials)
            .collect();
    shown.join(",")
}

pub(super) fn or_unset(text: &str) -> Value {
    Value::from(if text.is_empty() { "<unset>" } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_may_grow_and_be_bound_and_nothing_else() {
        let claim = |size: &str, volume: Option<&str>, mode: &str| {
            let mut spec = json!({"accessModes": [mode], "resources": {"requests": {"storage": size}}});
            if let Some(volume) = volume {
                spec["volumeName"] = json!(volume);
            }
            Object::from_iter([("spec".to_owned(), spec)])
        };
        let old = claim("1Gi", None, "ReadWriteOnce");
        let rules = PersistentVolumeClaimRules;
        assert_eq!(rules.validate(&claim("2Gi", Some("v"), "ReadWriteOnce"), Some(&old)), []);
        assert_eq!(rules.validate(&claim("1Gi", None, "ReadWriteMany"), Some(&old)).len(), 1);
        let bound = claim("1Gi", Some("v"), "ReadWriteOnce");
        assert_eq!(rules.validate(&claim("1Gi", Some("w"), "ReadWriteOnce"), Some(&bound)).len(), 1);
        assert_eq!(access_modes(&old, "spec.accessModes"), "RWO");
    }
}
