//! A node of its own for each test: folders, cgroups and shims under a name nobody else has.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cri::*;
use futures::StreamExt;
use stdx::Ambient;

/// Whatever a test awaits comes much sooner; this only ends one that fails.
const PATIENCE: Duration = Duration::from_secs(60);
/// At some milliseconds each.
const LOOKS: usize = 1000;
pub(crate) const IMAGE: &str = "docker.io/library/busybox:test";

pub(crate) struct Bench {
    pub(crate) runtime: Arc<container::Runtime>,
    pub(crate) network: Arc<FakeNetwork>,
    pub(crate) cluster: String,
    pub(crate) folder: Folder,
}

/// The node's folder; taken away with all that lives in it, also after a test that fails.
pub(crate) struct Folder {
    folder: tempfile::TempDir,
    cluster: String,
}

impl Folder {
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    fn destroy(&self) -> std::result::Result<(), container::DestroyError> {
        container::destroy(&self.path().join("data"), &self.path().join("run"), &self.cluster)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = self.destroy() {
            eprintln!("leftovers in {}: {error}", self.path().display());
        }
    }
}

/// Remembers who is attached; connects nobody.
#[derive(Default)]
pub(crate) struct FakeNetwork {
    pub(crate) attached: std::sync::Mutex<Vec<(String, PathBuf)>>,
    pub(crate) ranges: std::sync::Mutex<Vec<String>>,
}

#[async_trait]
impl PodNetwork for FakeNetwork {
    async fn configure(&self, pod_cidrs: &[String]) -> std::result::Result<(), NetworkError> {
        *self.ranges.lock().unwrap() = pod_cidrs.to_vec();
        Ok(())
    }

    async fn status(&self) -> std::result::Result<(), NetworkError> {
        match self.ranges.lock().unwrap().is_empty() {
            true => Err(NetworkError::NotReady("no pod range is set".to_owned())),
            false => Ok(()),
        }
    }

    async fn attach(&self, request: &PodNetworkRequest) -> std::result::Result<PodAddresses, NetworkError> {
        assert!(std::fs::metadata(&request.netns).is_ok(), "the namespace exists when the network is attached");
        self.attached.lock().unwrap().push((request.sandbox_id.clone(), request.netns.clone()));
        Ok(PodAddresses { ips: vec![IpAddr::V4(Ipv4Addr::new(10, 244, 0, 7))] })
    }

    async fn detach(&self, sandbox_id: &str) -> std::result::Result<(), NetworkError> {
        self.attached.lock().unwrap().retain(|(known, _)| known != sandbox_id);
        Ok(())
    }
}

impl Bench {
    pub(crate) async fn new() -> Self {
        // Short: the path of a shim's socket must fit into a socket address.
        let folder = tempfile::Builder::new().prefix("pt").tempdir_in("/tmp").unwrap();
        // As /run is; a pod's own root must be able to pass.
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let cluster = format!("pintle-test-{}", Ambient::system().random.suffix(8));
        let network = Arc::new(FakeNetwork::default());
        let runtime = open(folder.path(), &cluster, network.clone()).await;
        load_busybox(runtime.images(), folder.path());
        let folder = Folder { folder, cluster: cluster.clone() };
        Bench { runtime, network, cluster, folder }
    }

    /// What a restarted program does.
    pub(crate) async fn reopen(&mut self) {
        self.runtime = open(self.folder.path(), &self.cluster, self.network.clone()).await;
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.folder.path().join("logs")
    }

    pub(crate) fn sandbox_config(&self, name: &str) -> PodSandboxConfig {
        PodSandboxConfig {
            metadata: Some(PodSandboxMetadata {
                name: name.to_owned(),
                uid: format!("uid-{name}"),
                namespace: "default".to_owned(),
                attempt: 0,
            }),
            hostname: name.to_owned(),
            log_directory: self.logs().join(name).display().to_string(),
            dns_config: Some(DNSConfig {
                servers: vec!["10.96.0.10".to_owned()],
                searches: vec!["default.svc.cluster.local".to_owned()],
                options: vec!["ndots:5".to_owned()],
            }),
            labels: [("app".to_owned(), name.to_owned())].into(),
            linux: Some(LinuxPodSandboxConfig {
                cgroup_parent: format!("/{}/pods/pod-{name}", self.cluster),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    pub(crate) async fn sandbox(&self, name: &str) -> String {
        self.sandbox_of(self.sandbox_config(name)).await
    }

    pub(crate) async fn sandbox_of(&self, config: PodSandboxConfig) -> String {
        let request = RunPodSandboxRequest { config: Some(config), runtime_handler: String::new() };
        self.runtime.run_pod_sandbox(request).await.unwrap().pod_sandbox_id
    }

    pub(crate) async fn create(&self, sandbox: &str, config: ContainerConfig) -> String {
        self.try_create(sandbox, config).await.unwrap()
    }

    pub(crate) async fn try_create(&self, sandbox: &str, config: ContainerConfig) -> Result<String> {
        let request =
            CreateContainerRequest { pod_sandbox_id: sandbox.to_owned(), config: Some(config), sandbox_config: None };
        Ok(self.runtime.create_container(request).await?.container_id)
    }

    pub(crate) async fn start(&self, container: &str) -> Result<()> {
        self.runtime.start_container(StartContainerRequest { container_id: container.to_owned() }).await.map(drop)
    }

    pub(crate) async fn run(&self, sandbox: &str, config: ContainerConfig) -> String {
        let id = self.create(sandbox, config).await;
        self.start(&id).await.unwrap();
        id
    }

    pub(crate) async fn status(&self, container: &str) -> ContainerStatus {
        let request = ContainerStatusRequest { container_id: container.to_owned(), verbose: false };
        self.runtime.container_status(request).await.unwrap().status.unwrap()
    }

    /// Waits for the container's end by events, as the kubelet does.
    pub(crate) async fn ended(&self, container: &str) -> ContainerStatus {
        let mut events = self.runtime.container_events().await.unwrap();
        let ended = async {
            loop {
                let status = self.status(container).await;
                if status.state == ContainerState::Exited as i32 {
                    return status;
                }
                events.next().await.unwrap().unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, ended).await.expect("the container ends")
    }

    pub(crate) async fn exec(&self, container: &str, script: &str) -> ExecSyncResponse {
        self.try_exec(container, &["/bin/sh", "-c", script], 0).await.unwrap()
    }

    pub(crate) async fn output(&self, container: &str, script: &str) -> String {
        let answer = self.exec(container, script).await;
        assert_eq!(answer.exit_code, 0, "{script}: {}", String::from_utf8_lossy(&answer.stderr));
        String::from_utf8(answer.stdout).unwrap().trim().to_owned()
    }

    pub(crate) async fn try_exec(&self, container: &str, command: &[&str], timeout: i64) -> Result<ExecSyncResponse> {
        let cmd = command.iter().map(|word| (*word).to_owned()).collect();
        self.runtime.exec_sync(ExecSyncRequest { container_id: container.to_owned(), cmd, timeout }).await
    }

    /// Runs a script to its end and answers what it wrote and its status.
    pub(crate) async fn script(&self, sandbox: &str, config: ContainerConfig) -> (ContainerStatus, String) {
        let id = self.run(sandbox, config).await;
        let status = self.ended(&id).await;
        let log = std::fs::read_to_string(&status.log_path).unwrap();
        (status, content(&log))
    }

    pub(crate) async fn stop(&self, container: &str) {
        let request = StopContainerRequest { container_id: container.to_owned(), timeout: 0 };
        self.runtime.stop_container(request).await.unwrap();
    }

    pub(crate) async fn remove(&self, sandbox: &str) {
        self.runtime.stop_pod_sandbox(StopPodSandboxRequest { pod_sandbox_id: sandbox.to_owned() }).await.unwrap();
        self.runtime.remove_pod_sandbox(RemovePodSandboxRequest { pod_sandbox_id: sandbox.to_owned() }).await.unwrap();
    }

    /// Takes everything away and looks that nothing is left.
    pub(crate) fn close(self) {
        drop(self.runtime);
        self.folder.destroy().unwrap();
        let here = self.folder.path().display().to_string();
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
        assert!(!mounts.contains(&here), "a mount is left: {mounts}");
        for hierarchy in std::fs::read_dir("/sys/fs/cgroup").unwrap() {
            let group = hierarchy.unwrap().path().join(&self.cluster);
            assert!(!group.exists(), "a cgroup is left: {}", group.display());
        }
        // One that has just ended is no longer in any group and may still be seen for a moment.
        assert!((0..LOOKS).any(|_| !shim_is_alive(&here)), "a shim is left");
    }
}

impl Bench {
    pub(crate) fn image_id(&self) -> String {
        self.runtime.images().find(IMAGE).unwrap().unwrap().id
    }

    /// The container's first process, as the host counts.
    pub(crate) fn first_pid(&self, container: &str) -> i32 {
        let state = self.folder.path().join("data/containers").join(container).join("state.json");
        let state: serde_json::Value = serde_json::from_slice(&std::fs::read(state).unwrap()).unwrap();
        state["pid"].as_i64().unwrap() as i32
    }

    pub(crate) fn shim_pid(&self, sandbox: &str) -> i32 {
        let ready = self.folder.path().join("run/shim").join(sandbox).join("ready.json");
        let ready: serde_json::Value = serde_json::from_slice(&std::fs::read(ready).unwrap()).unwrap();
        ready["pid"].as_i64().unwrap() as i32
    }
}

pub(crate) async fn open(folder: &Path, cluster: &str, network: Arc<dyn PodNetwork>) -> Arc<container::Runtime> {
    let config = container::Config {
        cluster: cluster.to_owned(),
        data_dir: folder.join("data"),
        run_dir: folder.join("run"),
        network,
        shim_program: env!("CARGO_BIN_EXE_shim-host").into(),
        ambient: Ambient::system(),
    };
    container::Runtime::open(config).await.unwrap()
}

/// `docker save` of busybox, as far as loading it needs.
pub(crate) fn load_busybox(images: &container::ImageStore, folder: &Path) {
    let program = std::fs::read("/bin/busybox").expect("Debian's busybox-static is installed");
    let mut layer = tar::Builder::new(Vec::new());
    let mut add = |path: &str, kind: tar::EntryType, mode: u32, link: &str, contents: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(contents.len() as u64);
        match link {
            "" => layer.append_data(&mut header, path, contents).unwrap(),
            link => layer.append_link(&mut header, path, link).unwrap(),
        }
    };
    use tar::EntryType::{Directory, Regular, Symlink};
    for folder in ["bin", "etc", "root", "var"] {
        add(folder, Directory, 0o755, "", b"");
    }
    add("tmp", Directory, 0o1777, "", b"");
    add("bin/busybox", Regular, 0o755, "", &program);
    for name in [
        "sh", "cat", "echo", "sleep", "id", "hostname", "head", "dd", "ls", "true", "mount", "ps", "tail", "grep",
        "nc", "kill", "mkdir", "pwd", "stat", "tr", "mknod", "ip", "stty", "unshare", "chown", "touch", "df", "wc",
    ] {
        add(&format!("bin/{name}"), Symlink, 0o777, "busybox", b"");
    }
    // Only the owner and the group may run it.
    add("bin/private", Regular, 0o750, "", b"#!/bin/sh\necho private\n");
    add("etc/passwd", Regular, 0o644, "", b"root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n");
    add("etc/group", Regular, 0o644, "", b"root:x:0:\napp:x:1000:\nlogs:x:40:app\n");
    let layer = layer.into_inner().unwrap();
    let digest = {
        use sha2::Digest;
        hex::encode(sha2::Sha256::digest(&layer))
    };
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let config = serde_json::json!({
        "architecture": architecture, "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{digest}")] },
        "config": { "Cmd": ["sh"], "Env": ["FROM_IMAGE=yes"] },
    });
    let manifest = serde_json::json!([{ "Config": "config.json", "RepoTags": [IMAGE], "Layers": ["layer.tar"] }]);
    let mut archive = tar::Builder::new(Vec::new());
    for (name, contents) in [
        ("manifest.json", manifest.to_string().into_bytes()),
        ("config.json", config.to_string().into_bytes()),
        ("layer.tar", layer),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(contents.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, contents.as_slice()).unwrap();
    }
    let path = folder.join("busybox.tar");
    std::fs::write(&path, archive.into_inner().unwrap()).unwrap();
    images.load(&path).unwrap();
}

pub(crate) fn config(name: &str, script: &str) -> ContainerConfig {
    ContainerConfig {
        metadata: Some(ContainerMetadata { name: name.to_owned(), attempt: 0 }),
        image: Some(ImageSpec { image: IMAGE.to_owned(), ..Default::default() }),
        command: vec!["/bin/sh".to_owned(), "-c".to_owned(), script.to_owned()],
        log_path: format!("{name}.log"),
        ..Default::default()
    }
}

pub(crate) fn with_security(mut config: ContainerConfig, context: LinuxContainerSecurityContext) -> ContainerConfig {
    config.linux.get_or_insert_default().security_context = Some(context);
    config
}

/// The content of log lines, without time, stream and tag.
pub(crate) fn content(log: &str) -> String {
    log.lines().map(|line| line.splitn(4, ' ').nth(3).unwrap_or_default().to_owned() + "\n").collect()
}

fn shim_is_alive(here: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes.into_iter().any(|process| {
        let command = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&command).contains(here)
    })
}
