//! Where a cluster's state rests, and that it goes on resting there.
//!
//! A cluster that was made over etcd must not come up empty in a folder because somebody left out a flag. So the choice
//! rests beside the cluster's other files, is taken up again by a start that does not name one, and a start that names
//! another kind is refused.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where the state rests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StoreLocation {
    /// In the cluster's own folder.
    #[default]
    Folder,
    Etcd(EtcdLocation),
}

/// An etcd cluster, as `--store etcd://…` names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EtcdLocation {
    /// `etcd://host:2379,host:2379/root`
    pub address: String,
    /// The authority that etcd's certificate must come from. Without one, etcd is spoken to in the clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<PathBuf>,
    /// The client's certificate, and its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum StoreLocationError {
    #[error("cannot {doing} {}", path.display())]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("{} is damaged; remove it and name the store with --store", path.display())]
    Damaged { path: PathBuf, source: serde_json::Error },
    #[error(
        "this cluster's state rests in {remembered}, not in {asked}; leave out --store, \
         or make a new cluster with `pintle destroy` and `pintle up --store …`"
    )]
    Moved { remembered: String, asked: String },
}

impl std::fmt::Display for StoreLocation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StoreLocation::Folder => formatter.write_str("its folder"),
            StoreLocation::Etcd(etcd) => formatter.write_str(&etcd.address),
        }
    }
}

/// The location to use: the one asked for, or else the one remembered in the data folder.
pub fn settle(data_dir: &Path, asked: Option<StoreLocation>) -> Result<StoreLocation, StoreLocationError> {
    let remembered = match read(data_dir)? {
        Some(remembered) => Some(remembered),
        // A folder from before anything was remembered, or with the default.
        None => data_dir.join("store").exists().then_some(StoreLocation::Folder),
    };
    match (remembered, asked) {
        (None, asked) => Ok(asked.unwrap_or_default()),
        (Some(remembered), None) => Ok(remembered),
        // Servers of an etcd cluster come and go, and certificates are renewed elsewhere.
        (Some(StoreLocation::Etcd(_)), Some(asked @ StoreLocation::Etcd(_))) => Ok(asked),
        (Some(remembered), Some(asked)) if remembered == asked => Ok(asked),
        (Some(remembered), Some(asked)) => {
            Err(StoreLocationError::Moved { remembered: remembered.to_string(), asked: asked.to_string() })
        }
    }
}

/// Keeps the location for later starts.
pub fn remember(data_dir: &Path, location: &StoreLocation) -> Result<(), StoreLocationError> {
    if *location == StoreLocation::Folder {
        // The folder itself tells.
        return Ok(());
    }
    let path = path(data_dir);
    let text = serde_json::to_vec_pretty(location)
        .map_err(|source| StoreLocationError::Damaged { path: path.clone(), source })?;
    fs::create_dir_all(data_dir).map_err(failed("create", data_dir))?;
    stdx::fs::write_atomic(&path, &text, 0o600).map_err(failed("write", &path))
}

/// The file's name in the data folder.
pub(crate) const FILE: &str = "store.json";

fn read(data_dir: &Path) -> Result<Option<StoreLocation>, StoreLocationError> {
    let path = path(data_dir);
    match fs::read(&path) {
        Ok(text) => {
            serde_json::from_slice(&text).map(Some).map_err(|source| StoreLocationError::Damaged { path, source })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(failed("read", &path)(source)),
    }
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE)
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreLocationError {
    let path = path.to_owned();
    move |source| StoreLocationError::File { doing, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn etcd(address: &str) -> StoreLocation {
        StoreLocation::Etcd(EtcdLocation { address: address.into(), ..EtcdLocation::default() })
    }

    #[test]
    fn a_cluster_stays_where_it_was_made() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data");
        assert_eq!(settle(&data_dir, None).unwrap(), StoreLocation::Folder);
        let made = settle(&data_dir, Some(etcd("etcd://a"))).unwrap();
        remember(&data_dir, &made).unwrap();
        assert_eq!(settle(&data_dir, None).unwrap(), etcd("etcd://a"), "a later start need not say it");
        assert_eq!(settle(&data_dir, Some(etcd("etcd://b,c"))).unwrap(), etcd("etcd://b,c"), "servers come and go");
        let error = settle(&data_dir, Some(StoreLocation::Folder)).unwrap_err();
        assert!(error.to_string().starts_with("this cluster's state rests in etcd://a, not in its folder"), "{error}");
    }

    #[test]
    fn a_cluster_in_a_folder_does_not_move_to_etcd() {
        let folder = tempfile::tempdir().unwrap();
        remember(folder.path(), &StoreLocation::Folder).unwrap();
        fs::create_dir(folder.path().join("store")).unwrap();
        assert_eq!(settle(folder.path(), None).unwrap(), StoreLocation::Folder);
        let error = settle(folder.path(), Some(etcd("etcd://a"))).unwrap_err();
        assert!(matches!(error, StoreLocationError::Moved { .. }), "{error}");
        fs::write(folder.path().join("store.json"), "{").unwrap();
        assert!(matches!(settle(folder.path(), None), Err(StoreLocationError::Damaged { .. })));
    }
}
