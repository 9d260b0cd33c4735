//! What a cluster was given at an earlier start, so that a later one need not be told again.
//!
//! A cluster that came up on another port, or on another's runtime, must not come up elsewhere because somebody left out a
//! flag. Where its state rests is remembered apart from this: see [`crate::store`].

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{RemoteRuntime, Settings};

#[derive(Debug, thiserror::Error)]
pub enum ChoicesError {
    #[error("cannot {doing} {}", path.display())]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("{} is damaged; remove it and give the cluster's ports and ranges again", path.display())]
    Damaged { path: PathBuf, source: serde_json::Error },
}

/// What is remembered; nothing of a new cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Choices {
    pub api_port: Option<u16>,
    pub kubelet_port: Option<u16>,
    pub pod_cidr: Option<String>,
    pub node_cidr_bits: Option<u8>,
    pub service_cidr: Option<String>,
    pub cluster_domain: Option<String>,
    pub legacy_apis: Option<bool>,
    pub container_runtime: Option<RemoteRuntime>,
}

/// The file's name in the data folder.
pub(crate) const FILE: &str = "settings.json";

impl Choices {
    pub fn read(data_dir: &Path) -> Result<Choices, ChoicesError> {
        let path = data_dir.join(FILE);
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|source| ChoicesError::Damaged { path, source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Choices::default()),
            Err(source) => Err(ChoicesError::File { doing: "read", path, source }),
        }
    }

    /// Keeps what a start was given, once it has proved to work.
    pub fn remember(settings: &Settings) -> Result<(), ChoicesError> {
        let Settings { data_dir, .. } = settings;
        let choices = Choices {
            api_port: Some(settings.api_port),
            kubelet_port: Some(settings.kubelet_port),
            pod_cidr: Some(settings.pod_cidr.clone()),
            node_cidr_bits: Some(settings.node_cidr_bits),
            service_cidr: Some(settings.service_cidr.clone()),
            cluster_domain: Some(settings.cluster_domain.clone()),
            legacy_apis: Some(settings.legacy_apis),
            container_runtime: settings.container_runtime.clone(),
        };
        if Choices::read(data_dir).is_ok_and(|before| before == choices) {
            return Ok(());
        }
        let path = data_dir.join(FILE);
        let text = serde_json::to_vec_pretty(&choices)
            .map_err(|source| ChoicesError::Damaged { path: path.clone(), source })?;
        fs::create_dir_all(data_dir).map_err(|source| ChoicesError::File {
            doing: "create",
            path: data_dir.clone(),
            source,
        })?;
        stdx::fs::write_atomic(&path, &text, 0o600).map_err(|source| ChoicesError::File {
            doing: "write",
            path,
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::tests::example;

    #[test]
    fn what_was_given_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data");
        assert_eq!(Choices::read(&data_dir).unwrap(), Choices::default());
        let endpoint = "unix:///run/c.sock".to_owned();
        let runtime = RemoteRuntime { runtime: endpoint.clone(), images: endpoint };
        let given = Settings {
            data_dir: data_dir.clone(),
            api_port: 7000,
            container_runtime: Some(runtime.clone()),
            legacy_apis: false,
            ..example()
        };
        Choices::remember(&given).unwrap();
        let found = Choices::read(&data_dir).unwrap();
        assert_eq!((found.api_port, found.legacy_apis), (Some(7000), Some(false)));
        assert_eq!(found.container_runtime, Some(runtime));
        // The built-in runtime is a choice too.
        Choices::remember(&Settings { container_runtime: None, ..given }).unwrap();
        assert_eq!(Choices::read(&data_dir).unwrap().container_runtime, None);
        fs::write(data_dir.join(FILE), "{").unwrap();
        assert!(matches!(Choices::read(&data_dir), Err(ChoicesError::Damaged { .. })));
    }
}
