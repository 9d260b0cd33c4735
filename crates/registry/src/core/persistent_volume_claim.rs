//! PersistentVolumeClaim.

use api::Quantity;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::columns::{self, AGE, NAME, column, wide};
use crate::error::FieldError;
use crate::fields::{
    check_supported, get, get_array, get_object, get_str, invalid_all, join, object_at, set, set_default, text, texts,
};
use crate::kind::{Column, Kind, Object, Rules, WriteContext};
use crate::{metadata, names};

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
        let empty = Object::new();
        validate_spec(get_object(object, "spec").unwrap_or(&empty), "spec", &mut faults);
        if let Some(old) = old {
            validate_update(object, old, &mut faults);
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

pub(super) const ACCESS_MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
pub(super) const VOLUME_MODES: [&str; 2] = ["Block", "Filesystem"];

/// What is wrong with a claim's spec, also in templates of claims.
pub(crate) fn validate_spec(spec: &Object, path: &str, faults: &mut Vec<FieldError>) {
    if get_array(spec, "accessModes").is_empty() {
        faults.push(FieldError::required(join(path, "accessModes"), "at least 1 access mode is required"));
    }
    if let Some(selector) = get_object(spec, "selector") {
        metadata::validate_selector(selector, &join(path, "selector"), faults);
    }
    validate_access_modes(spec, path, faults);
    let size_path = format!("{}[storage]", join(path, "resources"));
    match get_str(spec, "resources.requests.storage") {
        None => faults.push(FieldError::required(size_path, "")),
        Some(size) if size.parse::<Quantity>().is_ok_and(|size| size <= Quantity::ZERO) => {
            faults.push(FieldError::invalid(size_path, size, "must be greater than zero"));
        }
        Some(_) => {}
    }
    check_class(spec, "storageClassName", path, faults);
    check_supported(spec, "volumeMode", &VOLUME_MODES, path, faults);
    for field in ["dataSource", "dataSourceRef"] {
        if let Some(source) = get_object(spec, field) {
            validate_data_source(source, &join(path, field), faults);
        }
    }
    let (source, reference) = (get_object(spec, "dataSource"), get_object(spec, "dataSourceRef"));
    if let (Some(source), Some(reference)) = (source, reference) {
        let is_same = ["apiGroup", "kind", "name"].iter().all(|field| source.get(*field) == reference.get(*field));
        let detail = match text(reference, "namespace") {
            "" if is_same => "",
            "" => "must match dataSourceRef",
            _ => "may not be specified when dataSourceRef.namespace is specified",
        };
        if !detail.is_empty() {
            faults.push(FieldError::invalid(path, join(path, "dataSource"), detail));
        }
    }
    check_class(spec, "volumeAttributesClassName", path, faults);
}

/// Whom a volume lets in: the last mode one pod alone, so that no other mode stands beside it.
pub(super) fn validate_access_modes(spec: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let path = join(path, "accessModes");
    let modes: Vec<&str> = texts(spec, "accessModes").collect();
    for mode in modes.iter().filter(|mode| !ACCESS_MODES.contains(*mode)) {
        faults.push(FieldError::not_supported(path.as_str(), *mode, &ACCESS_MODES));
    }
    let is_alone = |mode: &&&str| **mode == "ReadWriteOncePod";
    let alone = modes.iter().filter(is_alone).count();
    let others = modes.iter().filter(|mode| !is_alone(mode) && ACCESS_MODES.contains(*mode)).count();
    if alone > 0 && others > 0 {
        faults.push(FieldError::forbidden(path, "may not use ReadWriteOncePod with other access modes"));
    }
}

pub(super) fn check_class(spec: &Object, field: &str, path: &str, faults: &mut Vec<FieldError>) {
    if let Some(class) = get_str(spec, field).filter(|class| !class.is_empty()) {
        invalid_all(&join(path, field), class, names::dns_subdomain(class), faults);
    }
}

fn validate_data_source(source: &Object, path: &str, faults: &mut Vec<FieldError>) {
    for field in ["name", "kind"] {
        if text(source, field).is_empty() {
            faults.push(FieldError::required(join(path, field), ""));
        }
    }
    let (group, kind) = (text(source, "apiGroup"), text(source, "kind"));
    if group.is_empty() && kind != "PersistentVolumeClaim" {
        let detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
        faults.push(FieldError::invalid(path, kind, detail));
    }
    if !group.is_empty() {
        invalid_all(&join(path, "apiGroup"), group, names::dns_subdomain(group), faults);
    }
    let namespace = text(source, "namespace");
    if !namespace.is_empty() {
        invalid_all(&join(path, "namespace"), namespace, names::dns_label(namespace), faults);
    }
}

fn validate_update(object: &Object, old: &Object, faults: &mut Vec<FieldError>) {
    if fixed(object, old) != fixed(old, old) {
        let detail = "spec is immutable after creation except resources.requests and volumeAttributesClassName for \
                      bound claims";
        faults.push(FieldError::forbidden("spec", detail));
    }
    let amount = |claim: &Object, path: &str| get_str(claim, path).and_then(|size| size.parse::<Quantity>().ok());
    const SIZE: &str = "spec.resources.requests.storage";
    let (after, before) = (amount(object, SIZE), amount(old, SIZE));
    // A growth that cannot be had may be taken back, but not below what there is.
    if after < before && after <= Some(amount(old, "status.capacity.storage").unwrap_or(Quantity::ZERO)) {
        faults.push(FieldError::forbidden(SIZE, "field can not be less than status.capacity"));
    }
    const CLASS: &str = "spec.volumeAttributesClassName";
    match (get_str(old, CLASS), get_str(object, CLASS)) {
        (Some(_), None) => faults.push(FieldError::forbidden(CLASS, "update from non-nil value to nil is forbidden")),
        (Some(before), Some("")) if !before.is_empty() => {
            faults.push(FieldError::forbidden(CLASS, "update from non-nil value to an empty string is forbidden"));
        }
        _ => {}
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
