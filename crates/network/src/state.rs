//! What is remembered of attached pods, one small file each.
//!
//! The files live in a folder named after the machine's boot: neither a namespace nor a link
//! outlives a reboot, so neither does this. That is also why nothing is synced to the disk: what
//! a power cut could tear belongs to a boot that is over.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
const LAST: &str = "last";
const TEMPORARY: &str = ".tmp";

/// One attached pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pod {
    pub(crate) address: Ipv4Addr,
    /// The node's end of the veth pair.
    pub(crate) link: String,
    pub(crate) ports: Vec<HostPort>,
}

/// A port of the node that leads to a port of the pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HostPort {
    pub(crate) transport: HostTransport,
    /// All addresses of the node where none is given.
    pub(crate) host_address: Option<Ipv4Addr>,
    pub(crate) host_port: u16,
    pub(crate) pod_port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HostTransport {
    Tcp,
    Udp,
    Sctp,
}

#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("cannot {step} {}", path.display())]
    File {
        step: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} is damaged", path.display())]
    Damaged {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
}

/// The folder of this boot.
#[derive(Debug)]
pub(crate) struct Files {
    folder: PathBuf,
}

/// All that the files say.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    pub(crate) pods: BTreeMap<String, Pod>,
    /// The address that was given out last.
    pub(crate) last: Option<Ipv4Addr>,
}

impl Files {
    /// Opens this boot's folder, removes those of earlier boots, and reads what is there.
    pub(crate) fn open(state_dir: &Path) -> Result<(Self, Remembered), StateError> {
        let boot = std::fs::read_to_string(BOOT_ID).map_err(file_error("read", Path::new(BOOT_ID)))?;
        let boot = boot.trim();
        let folder = state_dir.join(boot);
        std::fs::create_dir_all(&folder).map_err(file_error("make", &folder))?;
        for entry in names(state_dir)?.into_iter().filter(|name| name != boot) {
            let stale = state_dir.join(entry);
            if stale.is_dir() {
                std::fs::remove_dir_all(&stale).map_err(file_error("remove", &stale))?;
            }
        }
        let files = Files { folder };
        let remembered = files.read()?;
        Ok((files, remembered))
    }

    pub(crate) fn save(&self, sandbox: &str, pod: &Pod) -> Result<(), StateError> {
        self.write(LAST, &pod.address)?;
        self.write(&pod_file(sandbox), pod)
    }

    pub(crate) fn remove(&self, sandbox: &str) -> Result<(), StateError> {
        let path = self.folder.join(pod_file(sandbox));
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(file_error("remove", &path)(error)),
            _ => Ok(()),
        }
    }

    fn read(&self) -> Result<Remembered, StateError> {
        let mut remembered = Remembered::default();
        for name in names(&self.folder)? {
            if name == LAST {
                remembered.last = Some(self.load(&name)?);
            } else if let Some(sandbox) = name.strip_suffix(".json") {
                remembered.pods.insert(sandbox.to_owned(), self.load(&name)?);
            }
        }
        Ok(remembered)
    }

    fn load<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T, StateError> {
        let path = self.folder.join(name);
        let bytes = std::fs::read(&path).map_err(file_error("read", &path))?;
        serde_json::from_slice(&bytes).map_err(|source| StateError::Damaged { path, source })
    }

    fn write(&self, name: &str, value: &impl Serialize) -> Result<(), StateError> {
        let path = self.folder.join(name);
        let temporary = self.folder.join(format!("{name}{TEMPORARY}"));
        let bytes = serde_json::to_vec(value).map_err(|source| StateError::Damaged { path: path.clone(), source })?;
        std::fs::write(&temporary, bytes).map_err(file_error("write", &temporary))?;
        std::fs::rename(&temporary, &path).map_err(file_error("replace", &path))
    }
}

fn pod_file(sandbox: &str) -> String {
    format!("{sandbox}.json")
}

fn names(folder: &Path) -> Result<Vec<String>, StateError> {
    let entries = std::fs::read_dir(folder).map_err(file_error("list", folder))?;
    entries
        .map(|entry| Ok(entry.map_err(file_error("list", folder))?.file_name().to_string_lossy().into_owned()))
        .collect()
}

fn file_error<'a>(step: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> StateError + 'a {
    move |source| StateError::File { step, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(last: u8) -> Pod {
        let port = HostPort { transport: HostTransport::Tcp, host_address: None, host_port: 80, pod_port: 8080 };
        Pod { address: Ipv4Addr::new(10, 244, 0, last), link: format!("pv{last}"), ports: vec![port] }
    }

    #[test]
    fn a_restart_finds_the_pods_and_a_reboot_does_not() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("an-earlier-boot")).unwrap();
        let (files, remembered) = Files::open(folder.path()).unwrap();
        assert!(remembered.pods.is_empty() && remembered.last.is_none());
        files.save("one", &pod(2)).unwrap();
        files.save("two", &pod(3)).unwrap();
        files.remove("one").unwrap();
        files.remove("one").unwrap();
        let (_, remembered) = Files::open(folder.path()).unwrap();
        assert_eq!(remembered.pods, BTreeMap::from([("two".to_owned(), pod(3))]));
        assert_eq!(remembered.last, Some(pod(3).address));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn damage_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (files, _) = Files::open(folder.path()).unwrap();
        std::fs::write(files.folder.join("one.json"), "{").unwrap();
        let error = Files::open(folder.path()).unwrap_err();
        assert!(error.to_string().ends_with("one.json is damaged"), "{error}");
    }
}
