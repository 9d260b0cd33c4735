//! The services of CRI, by shims.

mod container;
mod devices;
mod events;
mod exec;
mod image_service;
pub(crate) mod mounts;
mod pod_stats;
mod preparation;
pub(crate) mod record;
mod sandbox;
mod service;
mod shim_client;
pub(crate) mod staging;
mod stats;
mod status;
mod streaming;
mod streams;
mod users;
mod writable;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};

use cri::{PodNetwork, Status};
use stdx::Ambient;
use tokio::sync::broadcast;
use tokio_util::sync::{CancellationToken, DropGuard};

use self::container::Container;
use self::events::EVENTS_KEPT;
use self::record::RecordError;
use self::sandbox::Sandbox;
use self::writable::WritableLayers;
use crate::cgroup::Cgroups;
use crate::images::{ImageStore, StoreError};
use crate::paths::Paths;

/// What a runtime needs to know of its node.
pub struct Config {
    /// The cluster's name; it names the cgroups.
    pub cluster: String,
    pub data_dir: PathBuf,
    pub run_dir: PathBuf,
    pub network: Arc<dyn PodNetwork>,
    /// The program that is run as `<program> shim …`.
    pub shim_program: PathBuf,
    pub ambient: Ambient,
}

/// The node's container runtime.
pub struct Runtime {
    cluster: String,
    paths: Paths,
    network: Arc<dyn PodNetwork>,
    ambient: Ambient,
    cgroups: Cgroups,
    is_announcing: Arc<AtomicBool>,
    images: ImageStore,
    writable_layers: Arc<WritableLayers>,
    sandboxes: RwLock<HashMap<String, Arc<Sandbox>>>,
    containers: RwLock<HashMap<String, Arc<Container>>>,
    events: broadcast::Sender<cri::ContainerEventResponse>,
    streaming: tokio::sync::OnceCell<streaming::StreamingServer>,
    /// For tasks that a call starts and that outlive it.
    own: Weak<Runtime>,
    cancel: CancellationToken,
    /// Ends the tasks that listen to shims when the runtime is dropped; the shims live on.
    _stop: DropGuard,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cannot {step} {}", path.display())]
    Disk {
        step: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot find the cgroups")]
    Cgroups(#[source] io::Error),
    #[error(transparent)]
    Images(#[from] StoreError),
}

impl Runtime {
    /// Opens the runtime and finds again what runs: living shims are listened to, the containers of
    /// dead ones have ended. Nothing that lives is touched. Must be called inside a tokio runtime.
    pub async fn open(config: Config) -> Result<Arc<Self>, OpenError> {
        let paths = Paths::new(&config.data_dir, &config.run_dir);
        for path in [
            paths.sandboxes(),
            paths.containers(),
            paths.shims(),
            paths.shared_memories(),
            paths.root_filesystems(),
            paths.staged_mounts(),
        ] {
            record::create_folder(&path).map_err(|error| OpenError::Disk {
                step: "make the folder",
                path,
                source: io::Error::other(error),
            })?;
        }
        let program = paths.program();
        mounts::bind_program(&config.shim_program, &program).map_err(|source| OpenError::Disk {
            step: "bind the program to",
            path: program,
            source,
        })?;
        let images = ImageStore::open(paths.images())?;
        let cgroups = Cgroups::discover().map_err(OpenError::Cgroups)?;
        let (events, _) = broadcast::channel(EVENTS_KEPT);
        let cancel = CancellationToken::new();
        let runtime = Arc::new_cyclic(|own| Runtime {
            cluster: config.cluster,
            paths,
            network: config.network,
            writable_layers: Arc::new(WritableLayers::new(config.ambient.clock)),
            ambient: config.ambient,
            cgroups,
            is_announcing: Arc::default(),
            images,
            sandboxes: RwLock::default(),
            containers: RwLock::default(),
            events,
            streaming: tokio::sync::OnceCell::new(),
            own: own.clone(),
            _stop: cancel.clone().drop_guard(),
            cancel,
        });
        runtime.recover().await?;
        Ok(runtime)
    }

    /// The images of the node, shared with the command line.
    pub fn images(&self) -> &ImageStore {
        &self.images
    }

    async fn recover(self: &Arc<Self>) -> Result<(), OpenError> {
        for id in folder_names(self.paths.containers())? {
            match record::load_container(&self.paths.container(&id)) {
                Ok((request, facts)) => self.insert_container(Container::new(id, request, facts)),
                // A crash while it was being created: there is nothing to be had of it.
                Err(error) => self.discard_container(&id, &error),
            }
        }
        for id in folder_names(self.paths.sandboxes())? {
            match record::load_sandbox(&self.paths.sandbox(&id)) {
                Ok((config, record)) => self.recover_sandbox(Sandbox::new(id, config, record)).await,
                Err(error) => self.discard_sandbox(&id, &error).await,
            }
        }
        Ok(())
    }

    fn discard_container(&self, id: &str, reason: &RecordError) {
        tracing::warn!(container = id, reason = %stdx::error::chain(reason), "removing an unfinished container");
        if let Err(error) = self.remove_container_files(id) {
            tracing::warn!(container = id, %error, "cannot remove an unfinished container");
        }
    }

    async fn discard_sandbox(&self, id: &str, reason: &RecordError) {
        tracing::warn!(sandbox = id, reason = %stdx::error::chain(reason), "removing an unfinished sandbox");
        if let Err(error) = self.remove_sandbox_files(id).await {
            tracing::warn!(sandbox = id, %error, "cannot remove an unfinished sandbox");
        }
    }

    fn sandbox(&self, id: &str) -> Option<Arc<Sandbox>> {
        self.sandboxes.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn container(&self, id: &str) -> Option<Arc<Container>> {
        self.containers.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// The sandbox, or the error that clients know.
    fn expect_sandbox(&self, id: &str) -> cri::Result<Arc<Sandbox>> {
        self.sandbox(id)
            .ok_or_else(|| Status::not_found(format!("an error occurred when try to find sandbox: {id}: not found")))
    }

    fn expect_container(&self, id: &str) -> cri::Result<Arc<Container>> {
        self.container(id)
            .ok_or_else(|| Status::not_found(format!("an error occurred when try to find container {id:?}: not found")))
    }

    fn insert_container(&self, container: Container) {
        let mut containers = self.containers.write().unwrap_or_else(PoisonError::into_inner);
        containers.insert(container.id.clone(), Arc::new(container));
    }

    fn all_sandboxes(&self) -> Vec<Arc<Sandbox>> {
        self.sandboxes_where(|_| true)
    }

    fn all_containers(&self) -> Vec<Arc<Container>> {
        self.containers_where(|_| true)
    }

    fn containers_of(&self, sandbox_id: &str) -> Vec<Arc<Container>> {
        self.containers_where(|container| container.sandbox_id == sandbox_id)
    }

    /// A pod's worker asks for its own at every step, so that nothing may be copied before it is chosen.
    fn sandboxes_where(&self, is_wanted: impl Fn(&Sandbox) -> bool) -> Vec<Arc<Sandbox>> {
        let sandboxes = self.sandboxes.read().unwrap_or_else(PoisonError::into_inner);
        sandboxes.values().filter(|sandbox| is_wanted(sandbox)).cloned().collect()
    }

    fn containers_where(&self, is_wanted: impl Fn(&Container) -> bool) -> Vec<Arc<Container>> {
        let containers = self.containers.read().unwrap_or_else(PoisonError::into_inner);
        containers.values().filter(|container| is_wanted(container)).cloned().collect()
    }

    /// A container's first process will soon be moved into its groups. Nobody waits for the announcement, and one at a
    /// time is enough.
    fn announce_move(&self) {
        if self.is_announcing.swap(true, Ordering::Relaxed) {
            return;
        }
        let (cgroups, is_announcing) = (self.cgroups.clone(), Arc::clone(&self.is_announcing));
        drop(tokio::task::spawn_blocking(move || {
            if let Err(error) = cgroups.announce_move() {
                tracing::debug!(%error, "containers will wait for their groups");
            }
            is_announcing.store(false, Ordering::Relaxed);
        }));
    }

    /// 64 hexadecimal digits, as everyone's ids are.
    fn new_id(&self) -> String {
        (0..4).map(|_| format!("{:016x}", self.ambient.random.next_u64())).collect()
    }

    fn now_nanoseconds(&self) -> i64 {
        i64::try_from(self.ambient.clock.now().as_nanosecond()).unwrap_or(i64::MAX)
    }
}

fn folder_names(folder: PathBuf) -> Result<Vec<String>, OpenError> {
    let failed = |source| OpenError::Disk { step: "list", path: folder.clone(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed)? {
        if let Ok(name) = entry.map_err(failed)?.file_name().into_string() {
            names.push(name);
        }
    }
    Ok(names)
}

/// Runs work that blocks (mounts, file trees) aside; the closure's error becomes CRI's.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> cri::Result<T> + Send + 'static) -> cri::Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Status::internal(error.to_string())),
    }
}

/// An internal error with what was being done.
fn internal(step: impl std::fmt::Display) -> impl FnOnce(io::Error) -> Status {
    move |error| Status::internal(format!("{step}: {error}"))
}

fn internal_chain(error: &(dyn std::error::Error + 'static)) -> Status {
    Status::internal(stdx::error::chain(error))
}
