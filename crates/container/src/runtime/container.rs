//! Containers: bundle, start, stop, removal.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cri::{Code, ContainerConfig, ContainerEventType, ContainerState, CreateContainerRequest, NamespaceMode, Status};
use tokio::sync::watch;

use super::preparation::{BUNDLE_SPEC, PodUsers, Preparation};
use super::record::{self, ContainerFacts, RecordError};
use super::sandbox::{Sandbox, remove_folder};
use super::shim_client::{self, ShimError};
use super::{Runtime, blocking, internal, internal_chain, mounts, staging, users};
use crate::shim::protocol::{ContainerRecord, Request};

/// What a container that could not start is said to have exited with, and why; containerd's words.
const START_ERROR: (i32, &str) = (128, "StartError");
/// What is said of one whose end nobody saw.
const UNKNOWN_END: (i32, &str) = (255, "Unknown");

pub(crate) struct Container {
    pub(super) id: String,
    pub(super) sandbox_id: String,
    pub(super) config: ContainerConfig,
    pub(super) facts: ContainerFacts,
    /// Counts the events seen; whoever waits for a change looks at the state again after each.
    changes: watch::Sender<u64>,
    pub(super) operation: tokio::sync::Mutex<()>,
}

impl Container {
    pub(super) fn new(id: String, request: CreateContainerRequest, facts: ContainerFacts) -> Self {
        Container {
            id,
            sandbox_id: request.pod_sandbox_id,
            config: request.config.unwrap_or_default(),
            facts,
            changes: watch::channel(0).0,
            operation: tokio::sync::Mutex::new(()),
        }
    }

    pub(super) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }
}

/// The state a record tells of.
pub(super) fn state_of(record: Option<&ContainerRecord>) -> ContainerState {
    match record {
        None => ContainerState::Created,
        Some(record) if record.pid.is_some() => ContainerState::Running,
        Some(_) => ContainerState::Exited,
    }
}

impl Runtime {
    pub(super) async fn build_container(&self, request: CreateContainerRequest) -> cri::Result<String> {
        let sandbox = self.expect_sandbox(&request.pod_sandbox_id)?;
        if !sandbox.is_ready() {
            return Err(Status::new(
                Code::FailedPrecondition,
                format!("sandbox container {:?} is not running", sandbox.id),
            ));
        }
        let config = request.config.ok_or_else(|| Status::invalid("container config is required"))?;
        if config.metadata.is_none() {
            return Err(Status::invalid("container config must include metadata"));
        }
        self.announce_move();
        let id = self.new_id();
        let prepared = self.prepare(&id, &sandbox, &config).await;
        let result = match prepared {
            Ok(preparation) => blocking(move || preparation.carry_out()).await,
            Err(error) => Err(error),
        };
        match result {
            Ok(facts) => {
                let stored = CreateContainerRequest {
                    pod_sandbox_id: sandbox.id.clone(),
                    config: Some(config),
                    sandbox_config: None,
                };
                let folder = self.paths.container(&id);
                record::save_container_config(&folder, &stored).map_err(|error| internal_chain(&error))?;
                record::save_record(&folder, &facts).map_err(|error| internal_chain(&error))?;
                self.insert_container(Container::new(id.clone(), stored, facts));
                self.announce(&sandbox.id, &id, ContainerEventType::CreatedEvent);
                Ok(id)
            }
            Err(error) => {
                if let Err(leftover) = self.remove_container_files(&id) {
                    tracing::warn!(container = id, %leftover, "cannot clean up after a failed container");
                }
                Err(error)
            }
        }
    }

    async fn prepare(&self, id: &str, sandbox: &Sandbox, config: &ContainerConfig) -> cri::Result<Preparation> {
        let name = config.image.as_ref().map_or("", |image| image.image.as_str());
        let image = self.images.find(name).map_err(|error| internal_chain(&error))?;
        let image = image.ok_or_else(|| Status::not_found(format!("failed to resolve image {name:?}: not found")))?;
        let process_namespace = self.process_namespace(sandbox, config)?;
        let log_path = match (sandbox.config.log_directory.is_empty(), config.log_path.is_empty()) {
            (false, false) => Some(Path::new(&sandbox.config.log_directory).join(&config.log_path)),
            _ => None,
        };
        Ok(Preparation {
            id: id.to_owned(),
            folder: self.paths.container(id),
            root: self.paths.root_filesystem(id),
            staged: self.paths.staged(id),
            passages: self.paths.passages(),
            images: self.images.clone(),
            image,
            users: self.users(sandbox).await?,
            config: config.clone(),
            sandbox_config: sandbox.config.clone(),
            cgroup: format!("{}/{id}", self.cgroup_parent(sandbox)),
            process_namespace,
            shared_memory: match sandbox.sharing().host_ipc {
                true => PathBuf::from("/dev/shm"),
                false => self.paths.shared_memory(&sandbox.id),
            },
            sandbox_files: self.sandbox_files(sandbox),
            cgroups: self.cgroups.clone(),
            log_path,
            created_at: self.now_nanoseconds(),
        })
    }

    /// The pod's own user namespace, if it has one.
    async fn users(&self, sandbox: &Sandbox) -> cri::Result<Option<PodUsers>> {
        let mappings = users::of_sandbox(&sandbox.config).map_err(|error| Status::invalid(error.to_string()))?;
        let (Some(mappings), Some(descriptor)) = (mappings, sandbox.record().user_namespace) else { return Ok(None) };
        let answer = shim_client::ask(&self.shim_folder(&sandbox.id), &Request::UserNamespace, &[]).await;
        let mut answer = answer.map_err(|error| internal_chain(&error))?;
        let namespace = answer.descriptors.pop();
        let namespace = namespace.ok_or_else(|| Status::internal("the pod's shim sent no user namespace"))?;
        Ok(Some(PodUsers { mappings, namespace, inside_shim: own_descriptor(descriptor) }))
    }

    fn cgroup_parent(&self, sandbox: &Sandbox) -> String {
        match sandbox.config.linux.as_ref().map(|linux| linux.cgroup_parent.trim_end_matches('/')) {
            Some(parent) if parent.starts_with('/') && !parent.split('/').any(|part| part == "..") => parent.to_owned(),
            _ => {
                let uid = sandbox.config.metadata.as_ref().map_or("", |metadata| metadata.uid.as_str());
                format!("/{}/pods/pod{uid}", self.cluster)
            }
        }
    }

    /// The shared process namespace of the pod, or that of another container.
    fn process_namespace(&self, sandbox: &Sandbox, config: &ContainerConfig) -> cri::Result<Option<PathBuf>> {
        let context = config.linux.as_ref().and_then(|linux| linux.security_context.as_ref());
        let Some(options) = context.and_then(|context| context.namespace_options.clone()) else { return Ok(None) };
        let pid = if options.pid == NamespaceMode::Target as i32 {
            let target = self.expect_container(&options.target_id)?;
            let state = self.state(&target)?;
            match state.and_then(|state| state.pid) {
                Some(pid) if target.sandbox_id == sandbox.id => pid,
                Some(_) => return Err(Status::invalid("the target container is not in the same sandbox")),
                None => return Err(Status::new(Code::FailedPrecondition, "the target container is not running")),
            }
        } else if options.pid == NamespaceMode::Pod as i32 {
            let record = sandbox.record();
            if let Some(descriptor) = record.process_namespace {
                return Ok(Some(own_descriptor(descriptor)));
            }
            match record.pause_pid {
                Some(pid) => pid,
                None => return Ok(None),
            }
        } else {
            return Ok(None);
        };
        Ok(Some(PathBuf::from(format!("/proc/{pid}/ns/pid"))))
    }

    pub(super) async fn start(&self, id: &str) -> cri::Result<()> {
        let container = self.expect_container(id)?;
        let _operation = container.operation.lock().await;
        if let Some(record) = self.state(&container)? {
            let state = state_of(Some(&record));
            return Err(Status::new(
                Code::FailedPrecondition,
                format!("container is in {state:?} state, expected Created"),
            ));
        }
        let folder = self.paths.container(id);
        let request = Request::Start { container_id: id.to_owned(), bundle: folder.clone() };
        let answer = shim_client::ask(&self.shim_folder(&container.sandbox_id), &request, &[]).await;
        // It has its own hold on what was staged for it, or needs it no more.
        let staged = self.paths.staged(id);
        blocking(move || staging::remove(&staged).map_err(internal("release what was staged"))).await?;
        let refused = match answer {
            Ok(_) => return Ok(()),
            Err(ShimError::Refused(reason)) => reason,
            Err(error) => stdx::error::chain(&error),
        };
        let now = self.now_nanoseconds();
        let record = ContainerRecord {
            pid: None,
            started_at: 0,
            finished_at: now,
            exit_code: START_ERROR.0,
            reason: START_ERROR.1.to_owned(),
            message: refused.clone(),
        };
        record::save_state(&folder, &record).map_err(|error| internal_chain(&error))?;
        container.changed();
        self.announce(&container.sandbox_id, id, ContainerEventType::StoppedEvent);
        Err(Status::new(Code::Unknown, format!("failed to start container {id:?}: {refused}")))
    }

    /// Signals, waits, kills. A container that does not run has been stopped already.
    pub(super) async fn stop(&self, id: &str, timeout: Duration) -> cri::Result<()> {
        let Some(container) = self.container(id) else { return Ok(()) };
        if !self.is_running(&container)? {
            return Ok(());
        }
        if !timeout.is_zero() {
            self.signal(&container, container.facts.stop_signal, false).await?;
            if self.wait_for_end(&container, Some(timeout)).await? {
                return Ok(());
            }
        }
        self.kill_container(&container).await
    }

    /// Kills everything in the container and waits for its end.
    pub(super) async fn kill_container(&self, container: &Container) -> cri::Result<()> {
        if !self.is_running(container)? {
            return Ok(());
        }
        self.signal(container, libc::SIGKILL, true).await?;
        self.wait_for_end(container, None).await?;
        Ok(())
    }

    async fn signal(&self, container: &Container, signal: i32, everyone: bool) -> cri::Result<()> {
        let request = Request::Signal { container_id: container.id.clone(), signal, everyone };
        match shim_client::ask(&self.shim_folder(&container.sandbox_id), &request, &[]).await {
            Ok(_) => Ok(()),
            Err(ShimError::Gone(_)) => {
                self.bury_container(container);
                Ok(())
            }
            Err(error) => Err(internal_chain(&error)),
        }
    }

    /// Whether the container ended in time.
    pub(super) async fn wait_for_end(&self, container: &Container, timeout: Option<Duration>) -> cri::Result<bool> {
        let mut changes = container.changes.subscribe();
        let deadline = timeout.map(|timeout| self.ambient.clock.instant() + timeout);
        loop {
            changes.borrow_and_update();
            if !self.is_running(container)? {
                return Ok(true);
            }
            let changed = async {
                match deadline {
                    Some(deadline) => tokio::time::timeout_at(deadline, changes.changed()).await.is_ok(),
                    None => changes.changed().await.is_ok(),
                }
            };
            if !changed.await {
                return Ok(!self.is_running(container)?);
            }
        }
    }

    pub(super) async fn remove_container(&self, id: &str) -> cri::Result<()> {
        let Some(container) = self.container(id) else { return Ok(()) };
        let _operation = container.operation.lock().await;
        self.kill_container(&container).await?;
        let request = Request::Delete { container_id: id.to_owned() };
        match shim_client::ask(&self.shim_folder(&container.sandbox_id), &request, &[]).await {
            Ok(_) | Err(ShimError::Gone(_)) => {}
            Err(error) => return Err(internal_chain(&error)),
        }
        if let Err(error) = self.cgroups.remove(&container.facts.cgroup) {
            tracing::warn!(container = id, %error, "cannot remove a cgroup");
        }
        let places = self.places(id);
        blocking(move || places.remove().map_err(internal("remove the container"))).await?;
        self.writable_layers.forget(id);
        self.announce(&container.sandbox_id, id, ContainerEventType::DeletedEvent);
        self.containers.write().unwrap_or_else(std::sync::PoisonError::into_inner).remove(id);
        Ok(())
    }

    pub(super) fn remove_container_files(&self, id: &str) -> io::Result<()> {
        self.places(id).remove()
    }

    fn places(&self, id: &str) -> Places {
        Places { folder: self.paths.container(id), root: self.paths.root_filesystem(id), staged: self.paths.staged(id) }
    }

    /// Nobody saw its end; with the shim gone there is nobody left to supervise it, so it ends now.
    pub(super) fn bury_container(&self, container: &Container) {
        let state = match self.state(container) {
            Ok(Some(state)) if state.pid.is_some() => state,
            Ok(_) => return,
            Err(error) => {
                tracing::warn!(container = container.id, %error, "cannot read the container's state");
                return;
            }
        };
        if let Err(error) = self.cgroups.kill(&container.facts.cgroup) {
            tracing::warn!(container = container.id, %error, "cannot kill what a dead shim left");
        }
        let state = ContainerRecord {
            pid: None,
            finished_at: self.now_nanoseconds(),
            exit_code: UNKNOWN_END.0,
            reason: UNKNOWN_END.1.to_owned(),
            ..state
        };
        if let Err(error) = record::save_state(&self.paths.container(&container.id), &state) {
            tracing::warn!(container = container.id, %error, "cannot record the container's end");
        }
        container.changed();
        self.announce(&container.sandbox_id, &container.id, ContainerEventType::StoppedEvent);
    }

    pub(super) fn state(&self, container: &Container) -> cri::Result<Option<ContainerRecord>> {
        record::load_state(&self.paths.container(&container.id)).map_err(|error| internal_chain(&error))
    }

    pub(super) fn is_running(&self, container: &Container) -> cri::Result<bool> {
        Ok(state_of(self.state(container)?.as_ref()) == ContainerState::Running)
    }

    /// The OCI specification the container was created with.
    pub(super) fn specification(&self, container: &Container) -> Result<serde_json::Value, RecordError> {
        record::load(&self.paths.container(&container.id), BUNDLE_SPEC)
    }
}

/// Where one container's files and mounts lie.
struct Places {
    folder: PathBuf,
    root: PathBuf,
    staged: PathBuf,
}

impl Places {
    fn remove(&self) -> io::Result<()> {
        staging::remove(&self.staged)?;
        mounts::remove_mount_point(&self.root)?;
        remove_folder(&self.folder)
    }
}

/// A descriptor of the shim's, as the processes that it forks name it.
fn own_descriptor(descriptor: i32) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{descriptor}"))
}
