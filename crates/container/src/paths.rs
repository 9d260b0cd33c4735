//! Where everything lives. State that must survive a reboot is under `data`, the rest under `run`.

use std::path::{Path, PathBuf};

#[derive(Clone, Debug)]
pub(crate) struct Paths {
    data: PathBuf,
    run: PathBuf,
}

impl Paths {
    pub(crate) fn new(data: &Path, run: &Path) -> Self {
        Paths { data: data.to_owned(), run: run.to_owned() }
    }

    pub(crate) fn images(&self) -> PathBuf {
        self.data.join("images")
    }

    /// One folder per sandbox: its configuration and record.
    pub(crate) fn sandboxes(&self) -> PathBuf {
        self.data.join("sandboxes")
    }

    pub(crate) fn sandbox(&self, id: &str) -> PathBuf {
        self.sandboxes().join(id)
    }

    /// One folder per container: configuration, bundle, state and write layer.
    pub(crate) fn containers(&self) -> PathBuf {
        self.data.join("containers")
    }

    pub(crate) fn container(&self, id: &str) -> PathBuf {
        self.containers().join(id)
    }

    pub(crate) fn shims(&self) -> PathBuf {
        self.run.join("shim")
    }

    pub(crate) fn shim(&self, sandbox_id: &str) -> PathBuf {
        self.shims().join(sandbox_id)
    }

    pub(crate) fn shared_memories(&self) -> PathBuf {
        self.run.join("shm")
    }

    /// The pod's /dev/shm.
    pub(crate) fn shared_memory(&self, sandbox_id: &str) -> PathBuf {
        self.shared_memories().join(sandbox_id)
    }

    pub(crate) fn root_filesystems(&self) -> PathBuf {
        self.run.join("rootfs")
    }

    pub(crate) fn root_filesystem(&self, container_id: &str) -> PathBuf {
        self.root_filesystems().join(container_id)
    }

    /// Mounts made ahead for containers, a folder for each.
    pub(crate) fn staged_mounts(&self) -> PathBuf {
        self.run.join("staged")
    }

    pub(crate) fn staged(&self, container_id: &str) -> PathBuf {
        self.staged_mounts().join(container_id)
    }

    /// What lies between the run folder and the files of a container.
    pub(crate) fn passages(&self) -> Vec<PathBuf> {
        vec![self.run.clone(), self.root_filesystems(), self.staged_mounts()]
    }

    /// The program, bound read-only: what a container sees as its `/proc/self/exe` before its own
    /// program runs cannot be written through.
    pub(crate) fn program(&self) -> PathBuf {
        self.run.join("program")
    }
}
