//! What is wrong with volumes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::volume_files::{
    check_descending_path, check_mode, check_no_backsteps, validate_downward_file, validate_items, validate_projected,
};
use crate::core::persistent_volume_claim;
use crate::error::FieldError;
use crate::fields::{
    check_range, check_supported, get, get_array, get_i64, get_object, get_str, invalid_all, items, join, number, text,
    value,
};
use crate::kind::Object;
use crate::names;

/// The volumes that mounts may name.
pub(super) type Volumes<'a> = BTreeMap<&'a str, &'a Object>;

/// Sources in the order that upstream asks for them: of two the later one is too many.
const SOURCES: [&str; 31] = [
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "flocker",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "quobyte",
    "downwardAPI",
    "fc",
    "flexVolume",
    "configMap",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "scaleIO",
    "csi",
    "ephemeral",
    "image",
    "podCertificate",
];

/// What a source cannot do without.
const REQUIRED: [(&str, &str); 31] = [
    ("hostPath", "path"),
    ("gitRepo", "repository"),
    ("gcePersistentDisk", "pdName"),
    ("awsElasticBlockStore", "volumeID"),
    ("secret", "secretName"),
    ("nfs", "server"),
    ("nfs", "path"),
    ("iscsi", "targetPortal"),
    ("iscsi", "iqn"),
    ("glusterfs", "endpoints"),
    ("glusterfs", "path"),
    ("persistentVolumeClaim", "claimName"),
    ("rbd", "monitors"),
    ("rbd", "image"),
    ("cinder", "volumeID"),
    ("cephfs", "monitors"),
    ("quobyte", "registry"),
    ("quobyte", "volume"),
    ("flexVolume", "driver"),
    ("configMap", "name"),
    ("azureFile", "secretName"),
    ("azureFile", "shareName"),
    ("vsphereVolume", "volumePath"),
    ("photonPersistentDisk", "pdID"),
    ("portworxVolume", "volumeID"),
    ("azureDisk", "diskName"),
    ("azureDisk", "diskURI"),
    ("scaleIO", "gateway"),
    ("scaleIO", "system"),
    ("scaleIO", "volumeName"),
    ("csi", "driver"),
];

/// Validates the volumes of a spec; those without a fault, by name, for mounts to refer to.
pub(super) fn validate_volumes<'a>(
    spec: &'a Object,
    pod_name: &str,
    path: &str,
    faults: &mut Vec<FieldError>,
) -> Volumes<'a> {
    let mut sound = Volumes::new();
    let made_claims: BTreeSet<String> = items(spec, "volumes")
        .filter(|volume| !pod_name.is_empty() && get(volume, "ephemeral").is_some())
        .map(|volume| format!("{pod_name}-{}", text(volume, "name")))
        .collect();
    for (at, volume) in items(spec, "volumes").enumerate() {
        let path = format!("{path}[{at}]");
        let (before, name) = (faults.len(), text(volume, "name"));
        validate_source(volume, pod_name, &path, faults);
        match name {
            "" => faults.push(FieldError::required(join(&path, "name"), "")),
            name => invalid_all(&join(&path, "name"), name, names::dns_label(name), faults),
        }
        if sound.contains_key(name) {
            faults.push(FieldError::duplicate(join(&path, "name"), name));
        }
        if faults.len() == before {
            sound.insert(name, volume);
        }
        let claim = text(volume, "persistentVolumeClaim.claimName");
        if made_claims.contains(claim) {
            let detail = "must not reference a PVC that gets created for an ephemeral volume";
            faults.push(FieldError::invalid(join(&path, "persistentVolumeClaim.claimName"), claim, detail));
        }
    }
    sound
}

fn validate_source(volume: &Object, pod_name: &str, path: &str, faults: &mut Vec<FieldError>) {
    let mut given = SOURCES.iter().copied().filter_map(|source| Some((source, get_object(volume, source)?)));
    let Some((kind, source)) = given.next() else {
        return faults.push(FieldError::required(path, "must specify a volume type"));
    };
    validate_kind(kind, source, &join(path, kind), faults);
    for (extra, _) in given {
        faults.push(FieldError::forbidden(join(path, extra), "may not specify more than 1 volume type"));
    }
    if kind == "ephemeral" && !pod_name.is_empty() {
        let name = text(volume, "name");
        let claim = format!("{pod_name}-{name}");
        for complaint in names::dns_subdomain(&claim) {
            let detail = format!("PVC name {claim:?}: {complaint}");
            faults.push(FieldError::invalid(join(path, "name"), name, detail));
        }
    }
}

/// What is wrong with a source; also with those that PersistentVolumes share.
pub(crate) fn validate_kind(kind: &str, source: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let is_missing = |field: &str| match get(source, field) {
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        None | Some(Value::Null) => true,
        Some(_) => false,
    };
    for (_, field) in REQUIRED.iter().filter(|(of, field)| *of == kind && is_missing(field)) {
        let detail = match (kind, *field) {
            ("quobyte", "registry") => "must be a host:port pair or multiple pairs separated by commas",
            _ => "",
        };
        faults.push(FieldError::required(join(path, field), detail));
    }
    match kind {
        "emptyDir" if text(source, "sizeLimit").starts_with('-') => {
            let detail = "SizeLimit field must be a valid resource quantity";
            faults.push(FieldError::forbidden(join(path, "sizeLimit"), detail));
        }
        "hostPath" => {
            check_no_backsteps(text(source, "path"), &join(path, "path"), faults);
            check_supported(source, "type", &HOST_PATH_TYPES, path, faults);
        }
        "gitRepo" => check_descending_path(text(source, "directory"), &join(path, "directory"), faults),
        "nfs" if !text(source, "path").starts_with('/') => {
            let place = text(source, "path");
            faults.push(FieldError::invalid(join(path, "path"), place, "must be an absolute path"));
        }
        "gcePersistentDisk" | "awsElasticBlockStore" => {
            let partition = number(source, "partition");
            if !(0..=255).contains(&partition) {
                let detail = "must be between 1 and 255, inclusive";
                faults.push(FieldError::invalid(join(path, "partition"), partition, detail));
            }
        }
        "secret" | "configMap" => {
            check_mode(source, "defaultMode", path, faults);
            validate_items(source, path, faults);
        }
        "downwardAPI" => {
            check_mode(source, "defaultMode", path, faults);
            items(source, "items").for_each(|file| validate_downward_file(file, path, faults));
        }
        "projected" => validate_projected(source, path, faults),
        "iscsi" => validate_iscsi(source, path, faults),
        "fc" => validate_fibre_channel(source, path, faults),
        "csi" => {
            let driver = text(source, "driver");
            if !driver.is_empty() {
                names::driver_name(driver, &join(path, "driver"), faults);
            }
            if get(source, "nodePublishSecretRef").is_some() && text(source, "nodePublishSecretRef.name").is_empty() {
                faults.push(FieldError::required(join(path, "nodePublishSecretRef.name"), ""));
            }
        }
        "ephemeral" => match get_object(source, "volumeClaimTemplate") {
            None => faults.push(FieldError::required(join(path, "volumeClaimTemplate"), "")),
            Some(template) => {
                let empty = Object::new();
                let spec = get_object(template, "spec").unwrap_or(&empty);
                let path = join(path, "volumeClaimTemplate.spec");
                persistent_volume_claim::validate_spec(spec, &path, faults);
            }
        },
        "image" => validate_image(source, path, faults),
        _ => {}
    }
}

const HOST_PATH_TYPES: [&str; 8] =
    ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];

fn validate_iscsi(source: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let name = text(source, "iqn");
    if !name.is_empty() && !["iqn", "eui", "naa"].iter().any(|prefix| name.starts_with(prefix)) {
        let detail = "must be valid format starting with iqn, eui, or naa";
        faults.push(FieldError::invalid(join(path, "iqn"), name, detail));
    }
    check_range(source, "lun", 0..=255, path, faults);
    let needs_secret = ["chapAuthDiscovery", "chapAuthSession"].iter().any(|field| crate::fields::truth(source, field));
    if needs_secret && get(source, "secretRef").is_none() {
        faults.push(FieldError::required(join(path, "secretRef"), ""));
    }
}

fn validate_fibre_channel(source: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let (has_names, has_ids) = (!get_array(source, "targetWWNs").is_empty(), !get_array(source, "wwids").is_empty());
    if !has_names && !has_ids {
        let detail = "must specify either targetWWNs or wwids, but not both";
        faults.push(FieldError::required(join(path, "targetWWNs"), detail));
    }
    if has_names && has_ids {
        let detail = "targetWWNs and wwids can not be specified simultaneously";
        faults.push(FieldError::invalid(join(path, "targetWWNs"), value(source, "targetWWNs"), detail));
    }
    if has_names {
        match get_i64(source, "lun") {
            None => faults.push(FieldError::required(join(path, "lun"), "lun is required if targetWWNs is specified")),
            Some(_) => check_range(source, "lun", 0..=255, path, faults),
        }
    }
}

fn validate_image(source: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let reference = text(source, "reference");
    // A template may leave the reference to whoever makes pods of it.
    if reference.trim() != reference {
        let detail = "must not have leading or trailing whitespace";
        faults.push(FieldError::invalid(join(path, "reference"), reference, detail));
    }
    if let Some(policy) = get_str(source, "pullPolicy") {
        let supported = ["Always", "IfNotPresent", "Never"];
        match policy {
            "" => faults.push(FieldError::required(join(path, "pullPolicy"), "")),
            policy if supported.contains(&policy) => {}
            policy => faults.push(FieldError::not_supported(join(path, "pullPolicy"), policy, &supported)),
        }
    }
}
