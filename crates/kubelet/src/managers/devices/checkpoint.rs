//! What outlives the kubelet: which devices were given to whom, and which there were. In upstream's shape.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use prost::Message;
use serde::{Deserialize, Serialize};

use super::Grant;
use super::messages::ContainerAllocateResponse;
use crate::managers::checksum;

pub(super) const FILE: &str = "kubelet_internal_checkpoint";

/// By pod uid, container and resource.
pub(super) type Grants = BTreeMap<String, BTreeMap<String, BTreeMap<String, Grant>>>;
/// Ids by resource.
pub(super) type Registered = BTreeMap<String, Vec<String>>;

#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error("the devices' checkpoint cannot be read or written")]
    Disk(#[from] io::Error),
    #[error("the devices' checkpoint is corrupted")]
    Corrupted(#[source] Box<dyn std::error::Error + Send + Sync>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    data: Data,
    checksum: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Data {
    pod_device_entries: Vec<Entry>,
    registered_devices: Registered,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(rename = "PodUID")]
    pod_uid: String,
    #[serde(rename = "ContainerName")]
    container_name: String,
    #[serde(rename = "ResourceName")]
    resource_name: String,
    /// By NUMA node; -1 where that does not matter.
    #[serde(rename = "DeviceIDs")]
    device_ids: BTreeMap<String, Vec<String>>,
    /// The plugin's answer, as it came.
    #[serde(rename = "AllocResp", with = "base64_text")]
    answer: Vec<u8>,
}

pub(super) fn save(folder: &Path, grants: &Grants, registered: Registered) -> Result<(), CheckpointError> {
    let mut entries = Vec::new();
    for (uid, containers) in grants {
        for (container, resources) in containers {
            for (resource, grant) in resources {
                entries.push(Entry {
                    pod_uid: uid.clone(),
                    container_name: container.clone(),
                    resource_name: resource.clone(),
                    device_ids: grant.by_node(),
                    answer: grant.answer.encode_to_vec(),
                });
            }
        }
    }
    let data = Data { pod_device_entries: entries, registered_devices: registered };
    let corrupted = |error: serde_json::Error| CheckpointError::Corrupted(error.into());
    let checksum = checksum(&serde_json::to_vec(&data).map_err(corrupted)?);
    let document = serde_json::to_vec(&Document { data, checksum }).map_err(corrupted)?;
    Ok(stdx::fs::write_atomic(&folder.join(FILE), &document, 0o600)?)
}

/// Empty where nothing was ever given.
pub(super) fn load(folder: &Path) -> Result<(Grants, Registered), CheckpointError> {
    let bytes = match std::fs::read(folder.join(FILE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Default::default()),
        bytes => bytes?,
    };
    let document: Document =
        serde_json::from_slice(&bytes).map_err(|error| CheckpointError::Corrupted(error.into()))?;
    let data = serde_json::to_vec(&document.data).map_err(|error| CheckpointError::Corrupted(error.into()))?;
    if checksum(&data) != document.checksum {
        return Err(CheckpointError::Corrupted("checkpoint is corrupted".into()));
    }
    let mut grants = Grants::new();
    for entry in document.data.pod_device_entries {
        let answer = ContainerAllocateResponse::decode(entry.answer.as_slice());
        let answer = answer.map_err(|error| CheckpointError::Corrupted(error.into()))?;
        let grant = Grant::from_nodes(entry.device_ids, answer);
        let containers = grants.entry(entry.pod_uid).or_default();
        containers.entry(entry.container_name).or_default().insert(entry.resource_name, grant);
    }
    Ok((grants, document.data.registered_devices))
}

/// Bytes as Go's JSON has them.
mod base64_text {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(serde::de::Error::custom)
    }
}
