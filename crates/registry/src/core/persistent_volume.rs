//! PersistentVolume.

use api::Quantity;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::persistent_volume_claim::{
    VOLUME_MODES, access_modes, check_class, class, or_unset, phase, validate_access_modes,
};
use crate::columns::{self, AGE, NAME, column, wide};
use crate::error::FieldError;
use crate::fields::{
    check_supported, get, get_array, get_object, join, object_at, object_mut, or_none, set, set_default, text,
};
use crate::kind::{Column, Kind, Object, Rules, WriteContext};
use crate::pod_spec;

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
        pod_spec::default_remote_source(spec);
    }

    fn prepare_create(&self, object: &mut Object, _context: &WriteContext<'_>) {
        set(object, "status", json!({"phase": "Pending"}));
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let empty = Object::new();
        validate_spec(get_object(object, "spec").unwrap_or(&empty), "spec", &mut faults);
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

fn validate_spec(spec: &Object, path: &str, faults: &mut Vec<FieldError>) {
    if get_array(spec, "accessModes").is_empty() {
        faults.push(FieldError::required(join(path, "accessModes"), ""));
    }
    validate_access_modes(spec, path, faults);
    let (capacity, capacity_path) = (get_object(spec, "capacity"), join(path, "capacity"));
    match capacity.filter(|capacity| !capacity.is_empty()) {
        None => faults.push(FieldError::required(capacity_path.as_str(), "")),
        Some(capacity) if capacity.len() > 1 || !capacity.contains_key("storage") => {
            let amounts = Value::Object(capacity.clone());
            faults.push(FieldError::not_supported(capacity_path.as_str(), amounts, &["storage"]));
        }
        Some(_) => {}
    }
    for (resource, amount) in capacity.into_iter().flatten() {
        let size = amount.as_str().and_then(|amount| amount.parse::<Quantity>().ok());
        if size.is_some_and(|size| size <= Quantity::ZERO) {
            let path = format!("{capacity_path}[{resource}]");
            faults.push(FieldError::invalid(path, amount.clone(), "must be greater than zero"));
        }
    }
    let policies = ["Delete", "Recycle", "Retain"];
    check_supported(spec, "persistentVolumeReclaimPolicy", &policies, path, faults);
    if let Some(required) = get_object(spec, "nodeAffinity.required") {
        pod_spec::validate_node_selector(required, &join(path, "nodeAffinity.required"), faults);
    }
    let mut sources = spec.iter().filter(|(field, value)| !NOT_SOURCES.contains(&field.as_str()) && value.is_object());
    match sources.next() {
        None => faults.push(FieldError::required(path, "must specify a volume type")),
        Some((kind, Value::Object(source))) => {
            pod_spec::validate_volume_source(kind, source, &join(path, kind), faults);
            if kind == "csi" && text(source, "volumeHandle").is_empty() {
                faults.push(FieldError::required(join(path, "csi.volumeHandle"), ""));
            }
        }
        Some(_) => {}
    }
    for (extra, _) in sources {
        faults.push(FieldError::forbidden(join(path, extra), "may not specify more than 1 volume type"));
    }
    let is_root = text(spec, "hostPath.path").trim_end_matches('/').is_empty() && get(spec, "hostPath").is_some();
    if is_root && text(spec, "persistentVolumeReclaimPolicy") == "Recycle" {
        let detail = "may not be 'recycle' for a hostPath mount of '/'";
        faults.push(FieldError::forbidden(join(path, "persistentVolumeReclaimPolicy"), detail));
    }
    check_class(spec, "storageClassName", path, faults);
    check_supported(spec, "volumeMode", &VOLUME_MODES, path, faults);
    if get(spec, "volumeAttributesClassName").is_some() {
        if text(spec, "volumeAttributesClassName").is_empty() {
            let detail = "an empty string is disallowed";
            faults.push(FieldError::required(join(path, "volumeAttributesClassName"), detail));
        }
        check_class(spec, "volumeAttributesClassName", path, faults);
        if get(spec, "csi").is_none() {
            let detail = "has to be specified when using volumeAttributesClassName";
            faults.push(FieldError::required(join(path, "csi"), detail));
        }
    }
}

fn source(volume: &Object) -> Object {
    let mut spec = get_object(volume, "spec").cloned().unwrap_or_else(Object::new);
    spec.retain(|field, _| !NOT_SOURCES.contains(&field.as_str()));
    spec
}
