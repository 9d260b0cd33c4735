//! Pod sandboxes: their folder, shim, network and end.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use cri::{ContainerEventType, NamespaceMode, PodNetworkRequest, PodSandboxConfig, RunPodSandboxRequest, Status};

use super::record::{self, SandboxRecord};
use super::shim_client::{self, ShimError};
use super::users;
use super::{Runtime, blocking, internal, internal_chain, mounts};
use crate::shim::protocol::{READY_FILE, Request, SETTINGS_FILE, SandboxSettings, ShimReady, UserMappings};

const HOST_NAME_FILE: &str = "hostname";
const RESOLVER_FILE: &str = "resolv.conf";
const HOSTS_FILE: &str = "hosts";

pub(crate) struct Sandbox {
    pub(super) id: String,
    pub(super) config: PodSandboxConfig,
    record: Mutex<SandboxRecord>,
    /// One operation on a sandbox at a time.
    pub(super) operation: tokio::sync::Mutex<()>,
}

/// Which of the host's namespaces the pod shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sharing {
    pub(super) host_network: bool,
    pub(super) host_ipc: bool,
    pub(super) pod_processes: bool,
}

impl Sandbox {
    pub(super) fn new(id: String, config: PodSandboxConfig, record: SandboxRecord) -> Self {
        Sandbox { id, config, record: Mutex::new(record), operation: tokio::sync::Mutex::new(()) }
    }

    pub(super) fn record(&self) -> SandboxRecord {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn is_ready(&self) -> bool {
        self.record().ready
    }

    pub(super) fn sharing(&self) -> Sharing {
        sharing(&self.config)
    }

    /// Records that the sandbox is no longer ready; answers whether it was until now.
    fn end(&self, folder: &Path) -> cri::Result<bool> {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut record.ready, false) {
            return Ok(false);
        }
        record::save_record(folder, &*record).map_err(|error| internal_chain(&error))?;
        Ok(true)
    }
}

pub(super) fn sharing(config: &PodSandboxConfig) -> Sharing {
    let context = config.linux.as_ref().and_then(|linux| linux.security_context.as_ref());
    let options = context.and_then(|context| context.namespace_options.as_ref());
    let is = |mode: fn(&cri::NamespaceOption) -> i32, wanted: NamespaceMode| {
        options.is_some_and(|options| mode(options) == wanted as i32)
    };
    Sharing {
        host_network: is(|options| options.network, NamespaceMode::Node),
        host_ipc: is(|options| options.ipc, NamespaceMode::Node),
        pod_processes: is(|options| options.pid, NamespaceMode::Pod),
    }
}

impl Runtime {
    pub(super) async fn run_sandbox(self: &Arc<Self>, request: RunPodSandboxRequest) -> cri::Result<String> {
        let config = request.config.ok_or_else(|| Status::invalid("sandbox config must include metadata"))?;
        if config.metadata.is_none() {
            return Err(Status::invalid("sandbox config must include metadata"));
        }
        if !request.runtime_handler.is_empty() {
            let handler = &request.runtime_handler;
            return Err(Status::new(
                cri::Code::Unknown,
                format!("failed to get sandbox runtime: no runtime for {handler:?} is configured"),
            ));
        }
        let id = self.new_id();
        let users = users::of_sandbox(&config).map_err(|error| Status::invalid(error.to_string()))?;
        match self.build_sandbox(&id, config, users, request.runtime_handler).await {
            Ok(sandbox) => {
                let id = sandbox.id.clone();
                self.follow(sandbox.clone()).await?;
                self.announce(&id, &id, ContainerEventType::CreatedEvent);
                self.announce(&id, &id, ContainerEventType::StartedEvent);
                Ok(id)
            }
            Err(error) => {
                if let Err(leftover) = self.tear_down(&id).await {
                    tracing::warn!(sandbox = id, %leftover, "cannot clean up after a failed sandbox");
                }
                if let Err(leftover) = self.remove_sandbox_files(&id).await {
                    tracing::warn!(sandbox = id, %leftover, "cannot clean up after a failed sandbox");
                }
                Err(error)
            }
        }
    }

    async fn build_sandbox(
        &self,
        id: &str,
        config: PodSandboxConfig,
        users: Option<UserMappings>,
        runtime_handler: String,
    ) -> cri::Result<Arc<Sandbox>> {
        let sharing = sharing(&config);
        let folder = self.paths.sandbox(id);
        let owner = users::root_of(users.as_ref());
        let settings = self.settings(id, &config, users, sharing);
        let shim_folder = self.paths.shim(id);
        let shared_memory = self.paths.shared_memory(id);
        {
            let (folder, config, shim_folder) = (folder.clone(), config.clone(), shim_folder.clone());
            blocking(move || {
                record::create_folder(&folder).map_err(|error| internal_chain(&error))?;
                record::create_folder(&shim_folder).map_err(|error| internal_chain(&error))?;
                record::save_sandbox_config(&folder, &config).map_err(|error| internal_chain(&error))?;
                record::save(&shim_folder, SETTINGS_FILE, &settings).map_err(|error| internal_chain(&error))?;
                write_files(&folder, &config).map_err(internal("write the sandbox's files"))?;
                if !sharing.host_ipc {
                    mounts::mount_shared_memory(&shared_memory, owner).map_err(internal("mount /dev/shm"))?;
                }
                Ok(())
            })
            .await?;
        }
        let ready = self.start_shim(&shim_folder).await?;
        // Not before: no group can be made meanwhile.
        self.announce_move();
        let addresses = match sharing.host_network {
            true => Vec::new(),
            false => self.attach_network(id, &config, ready.pid).await?,
        };
        let record = SandboxRecord {
            created_at: self.now_nanoseconds(),
            ready: true,
            runtime_handler,
            addresses,
            pause_pid: ready.pause_pid,
            user_namespace: ready.user_namespace,
            process_namespace: ready.process_namespace,
        };
        record::save_record(&folder, &record).map_err(|error| internal_chain(&error))?;
        let sandbox = Arc::new(Sandbox::new(id.to_owned(), config, record));
        self.insert_sandbox(sandbox.clone());
        Ok(sandbox)
    }

    fn settings(
        &self,
        id: &str,
        config: &PodSandboxConfig,
        user_namespace: Option<UserMappings>,
        sharing: Sharing,
    ) -> SandboxSettings {
        let mut sysctls: Vec<(String, String)> = config.linux.iter().flat_map(|linux| linux.sysctls.clone()).collect();
        sysctls.sort();
        SandboxSettings {
            sandbox_id: id.to_owned(),
            cgroups: self.cgroups.clone(),
            shim_cgroup: self.shim_cgroup(),
            private_network: !sharing.host_network,
            private_ipc: !sharing.host_ipc,
            // As containerd: a pod on the host's network has the host's name.
            hostname: (!sharing.host_network && !config.hostname.is_empty()).then(|| config.hostname.clone()),
            shared_processes: sharing.pod_processes,
            sysctls,
            user_namespace,
        }
    }

    pub(crate) fn shim_cgroup(&self) -> String {
        format!("/{}/shims", self.cluster)
    }

    /// Runs the program as a shim and waits until its sandbox is ready.
    async fn start_shim(&self, folder: &Path) -> cri::Result<ShimReady> {
        // Nothing is asked for that would need a copy of this whole process instead of posix_spawn: no folder, no users.
        let mut command = tokio::process::Command::new(self.paths.program());
        command.arg("shim").arg(folder).env_clear();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let output = command.output().await.map_err(internal("start the pod's shim"))?;
        if !output.status.success() {
            let reason = String::from_utf8_lossy(&output.stderr);
            return Err(Status::internal(format!("failed to create the pod's sandbox: {}", reason.trim())));
        }
        record::load(folder, READY_FILE).map_err(|error| internal_chain(&error))
    }

    /// The namespace needs no other name than that of the shim's process, which lives as long as the pod: a mount for each
    /// pod would make all the longer what everyone reads who looks for a mount.
    async fn attach_network(&self, id: &str, config: &PodSandboxConfig, shim: i32) -> cri::Result<Vec<String>> {
        let metadata = config.metadata.clone().unwrap_or_default();
        let request = PodNetworkRequest {
            sandbox_id: id.to_owned(),
            pod_namespace: metadata.namespace,
            pod_name: metadata.name,
            pod_uid: metadata.uid,
            netns: PathBuf::from(format!("/proc/{shim}/ns/net")),
            port_mappings: config.port_mappings.clone(),
        };
        match self.network.attach(&request).await {
            Ok(addresses) => Ok(addresses.ips.iter().map(ToString::to_string).collect()),
            Err(error) => Err(Status::new(
                cri::Code::Unknown,
                format!("failed to setup network for sandbox {id:?}: {}", stdx::error::chain(&error)),
            )),
        }
    }

    /// Ends everything in the sandbox and gives its network back. Idempotent.
    pub(super) async fn stop_sandbox(&self, id: &str) -> cri::Result<()> {
        let Some(sandbox) = self.sandbox(id) else { return Ok(()) };
        let _operation = sandbox.operation.lock().await;
        for container in self.containers_of(id) {
            self.kill_container(&container).await?;
        }
        self.tear_down(id).await?;
        if sandbox.end(&self.paths.sandbox(id))? {
            self.announce(id, id, ContainerEventType::StoppedEvent);
        }
        Ok(())
    }

    pub(super) async fn remove_sandbox(&self, id: &str) -> cri::Result<()> {
        if self.sandbox(id).is_none() {
            return Ok(());
        }
        self.stop_sandbox(id).await?;
        for container in self.containers_of(id) {
            self.remove_container(&container.id).await?;
        }
        self.remove_sandbox_files(id).await?;
        self.announce(id, id, ContainerEventType::DeletedEvent);
        self.sandboxes.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        Ok(())
    }

    /// Network, shim and mounts of a sandbox whose containers have ended. What is gone is gone.
    async fn tear_down(&self, id: &str) -> cri::Result<()> {
        self.network.detach(id).await.map_err(|error| {
            let reason = stdx::error::chain(&error);
            Status::new(cri::Code::Unknown, format!("failed to destroy network for sandbox {id:?}: {reason}"))
        })?;
        match shim_client::ask(&self.paths.shim(id), &Request::Shutdown, &[]).await {
            Ok(_) | Err(ShimError::Gone(_)) => {}
            Err(error) => return Err(internal_chain(&error)),
        }
        let shared_memory = self.paths.shared_memory(id);
        blocking(move || mounts::remove_mount_point(&shared_memory).map_err(internal("unmount /dev/shm"))).await
    }

    pub(super) async fn remove_sandbox_files(&self, id: &str) -> cri::Result<()> {
        let folders = [self.paths.shim(id), self.paths.sandbox(id)];
        blocking(move || {
            folders.iter().try_for_each(|folder| remove_folder(folder)).map_err(internal("remove the sandbox"))
        })
        .await
    }

    pub(super) async fn recover_sandbox(self: &Arc<Self>, sandbox: Sandbox) {
        let sandbox = Arc::new(sandbox);
        self.insert_sandbox(sandbox.clone());
        if !sandbox.is_ready() {
            return;
        }
        if let Err(error) = self.follow(sandbox.clone()).await {
            tracing::info!(sandbox = sandbox.id, %error, "the pod's shim has died");
            self.bury(&sandbox);
        }
    }

    /// The shim has died: what it owned has ended, and is cleaned away with the sandbox.
    pub(super) fn bury(&self, sandbox: &Sandbox) {
        let ended = sandbox.end(&self.paths.sandbox(&sandbox.id));
        for container in self.containers_of(&sandbox.id) {
            self.bury_container(&container);
        }
        match ended {
            Ok(true) => self.announce(&sandbox.id, &sandbox.id, ContainerEventType::StoppedEvent),
            Ok(false) => {}
            Err(error) => tracing::warn!(sandbox = sandbox.id, %error, "cannot record the sandbox's end"),
        }
    }

    fn insert_sandbox(&self, sandbox: Arc<Sandbox>) {
        let mut sandboxes = self.sandboxes.write().unwrap_or_else(PoisonError::into_inner);
        sandboxes.insert(sandbox.id.clone(), sandbox);
    }

    /// Files that the sandbox's containers see unless they bring their own.
    pub(super) fn sandbox_files(&self, sandbox: &Sandbox) -> Vec<(String, String)> {
        let folder = self.paths.sandbox(&sandbox.id);
        [HOST_NAME_FILE, RESOLVER_FILE, HOSTS_FILE]
            .into_iter()
            .map(|name| (format!("/etc/{name}"), folder.join(name).display().to_string()))
            .collect()
    }

    pub(super) fn shim_folder(&self, sandbox_id: &str) -> PathBuf {
        self.paths.shim(sandbox_id)
    }
}

fn write_files(folder: &Path, config: &PodSandboxConfig) -> io::Result<()> {
    let name = match config.hostname.is_empty() {
        true => nix::unistd::gethostname()?.to_string_lossy().into_owned(),
        false => config.hostname.clone(),
    };
    fs::write(folder.join(HOST_NAME_FILE), format!("{name}\n"))?;
    let resolver = match &config.dns_config {
        Some(dns) => resolver_file(dns).into_bytes(),
        None => read_or_empty("/etc/resolv.conf")?,
    };
    fs::write(folder.join(RESOLVER_FILE), resolver)?;
    fs::write(folder.join(HOSTS_FILE), read_or_empty("/etc/hosts")?)?;
    for name in [HOST_NAME_FILE, RESOLVER_FILE, HOSTS_FILE] {
        fs::set_permissions(folder.join(name), std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    }
    Ok(())
}

fn resolver_file(dns: &cri::DNSConfig) -> String {
    let mut text = String::new();
    if !dns.searches.is_empty() {
        text.push_str(&format!("search {}\n", dns.searches.join(" ")));
    }
    for server in &dns.servers {
        text.push_str(&format!("nameserver {server}\n"));
    }
    if !dns.options.is_empty() {
        text.push_str(&format!("options {}\n", dns.options.join(" ")));
    }
    text
}

fn read_or_empty(path: &str) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        result => result,
    }
}

pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
