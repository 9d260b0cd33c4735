//! What the runtime remembers on disk of sandboxes and containers, so that a restarted program
//! finds them again.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use cri::{CreateContainerRequest, PodSandboxConfig};
use prost::Message;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::shim::protocol::{ContainerRecord, STATE_FILE};
use crate::shim::write_whole;

const CONFIG_FILE: &str = "config";
const RECORD_FILE: &str = "record.json";

#[derive(Debug, thiserror::Error)]
#[error("cannot {step} the record in {folder}")]
pub(crate) struct RecordError {
    step: &'static str,
    folder: String,
    #[source]
    source: io::Error,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SandboxRecord {
    pub(crate) created_at: i64,
    pub(crate) ready: bool,
    pub(crate) runtime_handler: String,
    /// The primary address first; empty on the host's network.
    pub(crate) addresses: Vec<String>,
    pub(crate) pause_pid: Option<i32>,
    /// The shim's descriptors of a user namespace of the pod's and of the process namespace in it.
    #[serde(default)]
    pub(crate) user_namespace: Option<i32>,
    #[serde(default)]
    pub(crate) process_namespace: Option<i32>,
}

/// What is fixed when a container is created.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ContainerFacts {
    pub(crate) created_at: i64,
    pub(crate) image_id: String,
    /// What a pod's status shows: a name with digest, else the id.
    pub(crate) image_ref: String,
    pub(crate) stop_signal: i32,
    pub(crate) cgroup: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) groups: Vec<u32>,
    /// The images that it has as volumes.
    #[serde(default)]
    pub(crate) volume_images: Vec<String>,
}

impl ContainerFacts {
    pub(crate) fn uses(&self, image_id: &str) -> bool {
        self.image_id == image_id || self.volume_images.iter().any(|image| image == image_id)
    }
}

pub(crate) fn create_folder(folder: &Path) -> Result<(), RecordError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(failed("make the folder of", folder))
}

pub(crate) fn save_sandbox_config(folder: &Path, config: &PodSandboxConfig) -> Result<(), RecordError> {
    write_whole(&folder.join(CONFIG_FILE), &config.encode_to_vec()).map_err(failed("write", folder))
}

pub(crate) fn load_sandbox(folder: &Path) -> Result<(PodSandboxConfig, SandboxRecord), RecordError> {
    let config = fs::read(folder.join(CONFIG_FILE)).map_err(failed("read", folder))?;
    let config = PodSandboxConfig::decode(config.as_slice());
    let config = config.map_err(|error| failed("read", folder)(io::Error::other(error)))?;
    Ok((config, load(folder, RECORD_FILE)?))
}

pub(crate) fn save_container_config(folder: &Path, request: &CreateContainerRequest) -> Result<(), RecordError> {
    write_whole(&folder.join(CONFIG_FILE), &request.encode_to_vec()).map_err(failed("write", folder))
}

pub(crate) fn load_container(folder: &Path) -> Result<(CreateContainerRequest, ContainerFacts), RecordError> {
    let request = fs::read(folder.join(CONFIG_FILE)).map_err(failed("read", folder))?;
    let request = CreateContainerRequest::decode(request.as_slice());
    let request = request.map_err(|error| failed("read", folder)(io::Error::other(error)))?;
    Ok((request, load(folder, RECORD_FILE)?))
}

/// The containers that were made from an image, running or not, going by what rests on disk.
pub(crate) fn users_of_image(containers: &Path, image_id: &str) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(containers) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut users = Vec::new();
    for entry in entries {
        let entry = entry?;
        // A container that is being made or removed has no whole record, and no claim yet.
        if load_container(&entry.path()).is_ok_and(|(_, facts)| facts.uses(image_id)) {
            users.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(users)
}

pub(crate) fn save_record<T: Serialize>(folder: &Path, record: &T) -> Result<(), RecordError> {
    save(folder, RECORD_FILE, record)
}

/// The container's life so far; none before its first start.
pub(crate) fn load_state(folder: &Path) -> Result<Option<ContainerRecord>, RecordError> {
    match load(folder, STATE_FILE) {
        Ok(state) => Ok(Some(state)),
        Err(error) if error.source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

pub(crate) fn save_state(folder: &Path, state: &ContainerRecord) -> Result<(), RecordError> {
    save(folder, STATE_FILE, state)
}

pub(crate) fn save<T: Serialize>(folder: &Path, name: &str, value: &T) -> Result<(), RecordError> {
    let text = serde_json::to_vec(value).map_err(|error| failed("write", folder)(error.into()))?;
    write_whole(&folder.join(name), &text).map_err(failed("write", folder))
}

pub(crate) fn load<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<T, RecordError> {
    let text = fs::read(folder.join(name)).map_err(failed("read", folder))?;
    serde_json::from_slice(&text).map_err(|error| failed("read", folder)(error.into()))
}

fn failed(step: &'static str, folder: &Path) -> impl FnOnce(io::Error) -> RecordError {
    let folder = folder.display().to_string();
    move |source| RecordError { step, folder, source }
}
