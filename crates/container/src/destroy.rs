//! Removes every trace of a cluster's containers, also when no server runs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use stdx::Clock;

use crate::cgroup::Cgroups;
use crate::paths::Paths;
use crate::runtime::{mounts, staging};

#[derive(Debug, thiserror::Error)]
pub enum DestroyError {
    #[error("cannot find the cgroups")]
    Cgroups(#[source] io::Error),
    #[error("cannot end the processes of {cgroup}")]
    Kill {
        cgroup: String,
        #[source]
        source: io::Error,
    },
    #[error("cannot remove {}", path.display())]
    Remove {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// How long pods may take to end when they are asked to. Upstream's default grace is longer, but here a person waits.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks every process of the cluster's pods to end, waits a bounded time, then ends the shims and containers of the cluster and removes their mounts, namespaces, cgroups and
/// folders. Images stay. Nothing there is success. No server may run meanwhile.
pub fn destroy(data_dir: &Path, run_dir: &Path, cluster: &str) -> Result<(), DestroyError> {
    let paths = Paths::new(data_dir, run_dir);
    let cgroups = Cgroups::discover().map_err(DestroyError::Cgroups)?;
    let root = format!("/{cluster}");
    let ended = cgroups.terminate(&format!("{root}/pods"), PATIENCE, Clock::system());
    ended.and_then(|()| cgroups.kill(&root)).map_err(|source| DestroyError::Kill { cgroup: root.clone(), source })?;
    for folder in [paths.root_filesystems(), paths.shared_memories()] {
        for path in children(&folder)? {
            mounts::unmount(&path).map_err(|source| DestroyError::Remove { path, source })?;
        }
    }
    for path in children(&paths.staged_mounts())? {
        staging::remove(&path).map_err(|source| DestroyError::Remove { path, source })?;
    }
    let program = paths.program();
    mounts::unmount(&program).map_err(|source| DestroyError::Remove { path: program.clone(), source })?;
    for path in [
        program,
        paths.shims(),
        paths.shared_memories(),
        paths.root_filesystems(),
        paths.staged_mounts(),
        paths.sandboxes(),
        paths.containers(),
    ] {
        remove(&path).map_err(|source| DestroyError::Remove { path, source })?;
    }
    remove_cgroup(&cgroups, &root)
}

/// Killed processes leave their groups only when they have been reaped, a moment later.
fn remove_cgroup(cgroups: &Cgroups, path: &str) -> Result<(), DestroyError> {
    cgroups.await_empty(path).map_err(|source| DestroyError::Kill { cgroup: path.to_owned(), source })?;
    cgroups.remove(path).map_err(|source| DestroyError::Remove { path: path.into(), source })
}

fn children(folder: &Path) -> Result<Vec<PathBuf>, DestroyError> {
    let failed = |source| DestroyError::Remove { path: folder.to_owned(), source };
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>().map_err(failed),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(error)),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
