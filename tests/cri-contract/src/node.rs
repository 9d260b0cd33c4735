//! A runtime, and what tests ask of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cri::*;
use futures::StreamExt;
use futures::stream::BoxStream;

use crate::IMAGE;

/// What a test awaits comes much sooner; this only ends one that fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// One runtime, seen as a kubelet sees it. It knows [`IMAGE`].
pub struct Node {
    pub runtime: Arc<dyn RuntimeService>,
    pub images: Arc<dyn ImageService>,
    /// Where logs go.
    pub folder: PathBuf,
    /// The control group below which every pod's lies.
    pub cgroup: String,
}

impl Node {
    pub(crate) fn sandbox_config(&self, name: &str) -> PodSandboxConfig {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let uid = format!("{name}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        PodSandboxConfig {
            metadata: Some(PodSandboxMetadata {
                name: name.to_owned(),
                uid: uid.clone(),
                namespace: "default".to_owned(),
                attempt: 0,
            }),
            hostname: name.to_owned(),
            log_directory: self.folder.join("logs").join(&uid).display().to_string(),
            dns_config: Some(DNSConfig {
                servers: vec!["10.96.0.10".to_owned()],
                searches: vec!["default.svc.cluster.local".to_owned()],
                options: vec!["ndots:5".to_owned()],
            }),
            labels: [("uid".to_owned(), uid.clone())].into(),
            annotations: [("note".to_owned(), "kept as it is".to_owned())].into(),
            linux: Some(LinuxPodSandboxConfig {
                cgroup_parent: format!("{}/pods/{uid}", self.cgroup),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    /// A pod to try things in; gone by [`Pod::end`].
    pub(crate) async fn pod(&self, name: &str) -> Pod<'_> {
        let config = self.sandbox_config(name);
        std::fs::create_dir_all(&config.log_directory).unwrap();
        let request = RunPodSandboxRequest { config: Some(config.clone()), runtime_handler: String::new() };
        let id = self.runtime.run_pod_sandbox(request).await.unwrap().pod_sandbox_id;
        Pod { node: self, id, config }
    }

    pub(crate) async fn status(&self, container: &str) -> ContainerStatus {
        let request = ContainerStatusRequest { container_id: container.to_owned(), verbose: false };
        self.runtime.container_status(request).await.unwrap().status.unwrap()
    }

    /// Waits for the container's end by events, as the kubelet does.
    pub(crate) async fn ended(&self, container: &str) -> ContainerStatus {
        let mut events = self.events().await;
        loop {
            let status = self.status(container).await;
            if status.state == ContainerState::Exited as i32 {
                return status;
            }
            next(&mut events).await;
        }
    }

    pub(crate) async fn events(&self) -> BoxStream<'static, Result<ContainerEventResponse>> {
        self.runtime.container_events().await.unwrap()
    }

    pub(crate) async fn start(&self, container: &str) -> Result<()> {
        self.runtime.start_container(StartContainerRequest { container_id: container.to_owned() }).await.map(drop)
    }

    pub(crate) async fn stop(&self, container: &str, timeout: i64) {
        let request = StopContainerRequest { container_id: container.to_owned(), timeout };
        self.runtime.stop_container(request).await.unwrap();
    }

    pub(crate) async fn remove(&self, container: &str) {
        let request = RemoveContainerRequest { container_id: container.to_owned() };
        self.runtime.remove_container(request).await.unwrap();
    }

    pub(crate) async fn exec(&self, container: &str, script: &str) -> ExecSyncResponse {
        self.try_exec(container, &["sh", "-c", script], 0).await.unwrap()
    }

    /// What a script in the container says.
    pub(crate) async fn output(&self, container: &str, script: &str) -> String {
        let answer = self.exec(container, script).await;
        assert_eq!(answer.exit_code, 0, "{script}: {}", String::from_utf8_lossy(&answer.stderr));
        String::from_utf8(answer.stdout).unwrap().trim().to_owned()
    }

    pub(crate) async fn try_exec(&self, container: &str, command: &[&str], timeout: i64) -> Result<ExecSyncResponse> {
        let cmd = command.iter().map(|word| (*word).to_owned()).collect();
        self.runtime.exec_sync(ExecSyncRequest { container_id: container.to_owned(), cmd, timeout }).await
    }
}

/// The next event; it comes.
pub(crate) async fn next(events: &mut BoxStream<'static, Result<ContainerEventResponse>>) -> ContainerEventResponse {
    tokio::time::timeout(PATIENCE, events.next()).await.expect("an event comes").unwrap().unwrap()
}

/// Looks again and again: nothing announces what is waited for.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, look: impl Fn() -> F) -> T {
    let look = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, look).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// A sandbox of the test's own.
pub(crate) struct Pod<'n> {
    pub(crate) node: &'n Node,
    pub(crate) id: String,
    pub(crate) config: PodSandboxConfig,
}

impl Pod<'_> {
    pub(crate) async fn try_create(&self, config: ContainerConfig) -> Result<String> {
        let request = CreateContainerRequest {
            pod_sandbox_id: self.id.clone(),
            config: Some(config),
            sandbox_config: Some(self.config.clone()),
        };
        self.node.runtime.create_container(request).await.map(|created| created.container_id)
    }

    pub(crate) async fn create(&self, config: ContainerConfig) -> String {
        self.try_create(config).await.unwrap()
    }

    pub(crate) async fn run(&self, config: ContainerConfig) -> String {
        let id = self.create(config).await;
        self.node.start(&id).await.unwrap();
        id
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        Path::new(&self.config.log_directory).join(format!("{name}.log"))
    }

    pub(crate) async fn stop(&self) {
        let request = StopPodSandboxRequest { pod_sandbox_id: self.id.clone() };
        self.node.runtime.stop_pod_sandbox(request).await.unwrap();
    }

    pub(crate) async fn end(&self) {
        self.stop().await;
        self.remove().await;
    }

    pub(crate) async fn remove(&self) {
        let request = RemovePodSandboxRequest { pod_sandbox_id: self.id.clone() };
        self.node.runtime.remove_pod_sandbox(request).await.unwrap();
    }
}

/// A container of busybox that runs a script.
pub(crate) fn container(name: &str, script: &str) -> ContainerConfig {
    ContainerConfig {
        metadata: Some(ContainerMetadata { name: name.to_owned(), attempt: 0 }),
        image: Some(ImageSpec { image: IMAGE.to_owned(), ..Default::default() }),
        command: ["sh", "-c", script].map(str::to_owned).into(),
        log_path: format!("{name}.log"),
        labels: [("container".to_owned(), name.to_owned())].into(),
        linux: Some(LinuxContainerConfig::default()),
        ..Default::default()
    }
}

/// One that runs until it is told to end.
pub(crate) fn sleeper(name: &str) -> ContainerConfig {
    container(name, "trap 'exit 0' TERM; while :; do sleep 0.1; done")
}
