//! Users of a pod's own: which range of the host's ids a pod with `hostUsers: false` has.
//!
//! A pod keeps its range as long as its folder is there: the file in it is the only record, and the range is free
//! again when the folder has gone.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use api::k8s::api::core::v1::Pod;
use cri::{ContainerConfig, IDMapping, NamespaceMode, NamespaceOption, PodSandboxConfig, UserNamespace};
use serde::{Deserialize, Serialize};

use crate::config::names;
use crate::pod::spec;

/// Every pod has as many ids as there are of 16 bits, in a range that starts at a multiple of it: ids of two pods
/// never meet, and none is one of the host's own.
const RANGE: u32 = 65536;
const FILE: &str = "userns";

/// Two pods that look for a range at once would find the same.
static CHOOSING: Mutex<()> = Mutex::new(());

#[derive(Debug, thiserror::Error)]
pub(crate) enum UserNamespaceError {
    #[error("could not find an empty slot to allocate a user namespace")]
    NoneFree,
    #[error("cannot {step} {}", path.display())]
    Disk {
        step: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} names no range of a pod's", path.display())]
    Damaged { path: PathBuf },
}

/// The file, in upstream's form.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    uid_mappings: Vec<Mapping>,
    gid_mappings: Vec<Mapping>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mapping {
    host_id: u32,
    container_id: u32,
    length: u32,
}

/// The pod's range, chosen at the first call; none: the pod has the host's users.
pub(crate) fn of_pod(root_dir: &Path, pod: &Pod) -> Result<Option<IDMapping>, UserNamespaceError> {
    if spec::spec(pod).host_users != Some(false) {
        return Ok(None);
    }
    let _choosing = CHOOSING.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = names::pod_dir(root_dir, spec::uid(pod));
    let first = match read(&folder)? {
        Some(first) => first,
        None => choose(root_dir, &folder)?,
    };
    Ok(Some(IDMapping { host_id: first, container_id: 0, length: RANGE }))
}

pub(crate) fn give_to_sandbox(config: &mut PodSandboxConfig, mapping: IDMapping) {
    let security = config.linux.as_mut().and_then(|linux| linux.security_context.as_mut());
    if let Some(options) = security.and_then(|security| security.namespace_options.as_mut()) {
        give(options, mapping);
    }
}

/// The container, and all that it mounts: on a volume the pod's root is the volume's.
pub(crate) fn give_to_container(config: &mut ContainerConfig, mapping: IDMapping) {
    let security = config.linux.as_mut().and_then(|linux| linux.security_context.as_mut());
    if let Some(options) = security.and_then(|security| security.namespace_options.as_mut()) {
        give(options, mapping.clone());
    }
    for mount in &mut config.mounts {
        mount.uid_mappings = vec![mapping.clone()];
        mount.gid_mappings = vec![mapping.clone()];
    }
}

fn give(options: &mut NamespaceOption, mapping: IDMapping) {
    let (uids, gids) = (vec![mapping.clone()], vec![mapping]);
    options.userns_options = Some(UserNamespace { mode: NamespaceMode::Pod as i32, uids, gids });
}

/// The lowest range that no pod's folder names.
fn choose(root_dir: &Path, folder: &Path) -> Result<u32, UserNamespaceError> {
    let pods = folder.parent().unwrap_or(root_dir);
    let mut taken = BTreeSet::new();
    match fs::read_dir(pods) {
        Ok(entries) => {
            for entry in entries {
                let entry = entry.map_err(failed("list", pods))?;
                taken.extend(read(&entry.path())?);
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed("list", pods)(error)),
    }
    // The last range would reach the id that stands for nobody.
    let mut ranges = (1..u32::MAX / RANGE).map(|number| number * RANGE);
    let first = ranges.find(|first| !taken.contains(first)).ok_or(UserNamespaceError::NoneFree)?;
    let mapping = || vec![Mapping { host_id: first, container_id: 0, length: RANGE }];
    let record = Record { uid_mappings: mapping(), gid_mappings: mapping() };
    let path = folder.join(FILE);
    let text = serde_json::to_vec(&record).map_err(|error| failed("write", &path)(error.into()))?;
    DirBuilder::new().recursive(true).mode(0o750).create(folder).map_err(failed("make", folder))?;
    stdx::fs::write_atomic(&path, &text, 0o600).map_err(failed("write", &path))?;
    Ok(first)
}

fn read(folder: &Path) -> Result<Option<u32>, UserNamespaceError> {
    let path = folder.join(FILE);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(failed("read", &path)(error)),
    };
    let record: Option<Record> = serde_json::from_slice(&text).ok();
    match record.as_ref().map(|record| (record.uid_mappings.as_slice(), &record.gid_mappings)) {
        Some(([Mapping { host_id, container_id: 0, length: RANGE }], gids))
            if host_id % RANGE == 0 && *host_id != 0 && gids.len() == 1 && gids[0].host_id == *host_id =>
        {
            Ok(Some(*host_id))
        }
        _ => Err(UserNamespaceError::Damaged { path }),
    }
}

fn failed(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> UserNamespaceError {
    let path = path.to_owned();
    move |source| UserNamespaceError::Disk { step, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(uid: &str, host_users: Option<bool>) -> Pod {
        let mut pod = Pod::default();
        pod.metadata.uid = Some(uid.to_owned());
        pod.spec.get_or_insert_default().host_users = host_users;
        pod
    }

    fn first(root: &Path, uid: &str) -> u32 {
        let mapping = of_pod(root, &pod(uid, Some(false))).unwrap().unwrap();
        assert_eq!((mapping.container_id, mapping.length), (0, RANGE));
        mapping.host_id
    }

    #[test]
    fn pods_keep_ranges_of_their_own_until_their_folder_goes() {
        let root = tempfile::tempdir().unwrap();
        for host_users in [None, Some(true)] {
            assert_eq!(of_pod(root.path(), &pod("a", host_users)).unwrap(), None);
        }
        assert_eq!(
            [first(root.path(), "a"), first(root.path(), "b"), first(root.path(), "c")],
            [65536, 131_072, 196_608]
        );
        assert_eq!(first(root.path(), "b"), 131_072, "as after a restart: only the folder is asked");
        fs::remove_dir_all(root.path().join("pods/b")).unwrap();
        assert_eq!([first(root.path(), "d"), first(root.path(), "b")], [131_072, 262_144]);
        let text = fs::read_to_string(root.path().join("pods/a/userns")).unwrap();
        let mapping = r#"[{"hostId":65536,"containerId":0,"length":65536}]"#;
        assert_eq!(text, format!(r#"{{"uidMappings":{mapping},"gidMappings":{mapping}}}"#));
    }

    #[test]
    fn a_damaged_record_is_no_free_range() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("pods/a");
        fs::create_dir_all(&folder).unwrap();
        for text in ["", "{}", r#"{"uidMappings":[{"hostId":0,"containerId":0,"length":65536}],"gidMappings":[]}"#] {
            fs::write(folder.join(FILE), text).unwrap();
            let error = of_pod(root.path(), &pod("b", Some(false))).unwrap_err();
            assert!(matches!(error, UserNamespaceError::Damaged { .. }), "{text}: {error}");
        }
    }

    #[test]
    fn a_container_is_mapped_with_all_it_mounts() {
        let mapping = IDMapping { host_id: RANGE, container_id: 0, length: RANGE };
        let context = cri::LinuxContainerSecurityContext {
            namespace_options: Some(NamespaceOption::default()),
            ..Default::default()
        };
        let mut config = ContainerConfig {
            linux: Some(cri::LinuxContainerConfig { security_context: Some(context), ..Default::default() }),
            mounts: vec![cri::Mount::default()],
            ..Default::default()
        };
        give_to_container(&mut config, mapping.clone());
        assert_eq!((&config.mounts[0].uid_mappings[0], &config.mounts[0].gid_mappings[0]), (&mapping, &mapping));
        let options = config.linux.unwrap().security_context.unwrap().namespace_options.unwrap();
        let users = options.userns_options.unwrap();
        assert_eq!((users.mode, &users.uids[0]), (NamespaceMode::Pod as i32, &mapping));
    }
}
