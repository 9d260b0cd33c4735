//! A runtime of data: it records calls, and containers end when a test says so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use cri::*;
use futures::StreamExt;
use futures::stream::BoxStream;
use stdx::Clock;
use tokio::sync::broadcast;

pub(crate) struct FakeRuntime {
    clock: Clock,
    state: Mutex<Inner>,
    events: broadcast::Sender<ContainerEventResponse>,
}

#[derive(Default)]
struct Inner {
    calls: Vec<String>,
    sandboxes: Vec<PodSandboxStatus>,
    containers: Vec<(String, ContainerStatus)>,
    /// Errors that pulls give, by image; others succeed.
    pulls: HashMap<String, Status>,
    local_images: HashMap<String, Image>,
    /// What a command run inside a container ends with.
    exec_exit_code: i32,
    ignores_term: bool,
    failed_start: Option<FailedStart>,
}

/// What a runtime keeps of a container whose program could not be started.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FailedStart {
    Exited,
    Created,
    Removed,
}

impl FakeRuntime {
    pub(crate) fn new(clock: Clock) -> Arc<Self> {
        Arc::new(FakeRuntime { clock, state: Mutex::default(), events: broadcast::channel(256).0 })
    }

    /// What was asked since the last time, queries left out.
    pub(crate) fn take_calls(&self) -> String {
        std::mem::take(&mut self.lock().calls).join("\n")
    }

    /// The container of this name that runs ends with a code.
    pub(crate) fn exit(&self, name: &str, exit_code: i32) {
        let now = self.now();
        let uid = {
            let mut state = self.lock();
            let running = |status: &&mut ContainerStatus| {
                status.state == ContainerState::Running as i32
                    && status.metadata.as_ref().is_some_and(|metadata| metadata.name == name)
            };
            let status = state.containers.iter_mut().map(|(_, status)| status).find(running).unwrap();
            end(status, exit_code, now);
            status.labels["io.kubernetes.pod.uid"].clone()
        };
        self.announce(&uid);
    }

    pub(crate) fn fail_pulls(&self, image: &str, status: Option<Status>) {
        let mut state = self.lock();
        match status {
            Some(status) => state.pulls.insert(image.to_owned(), status),
            None => state.pulls.remove(image),
        };
    }

    pub(crate) fn add_image(&self, name: &str, origin: &str) {
        let annotations = HashMap::from([("pintle.dev/origin".to_owned(), origin.to_owned())]);
        let spec = Some(ImageSpec { image: name.to_owned(), annotations, ..ImageSpec::default() });
        let image = Image { id: format!("sha256:{name}"), spec, size: 7, ..Image::default() };
        self.lock().local_images.insert(name.to_owned(), image);
    }

    pub(crate) fn set_exec_exit_code(&self, exit_code: i32) {
        self.lock().exec_exit_code = exit_code;
    }

    /// Containers outlast their signal and are killed when the grace is over.
    pub(crate) fn ignore_term(&self) {
        self.lock().ignores_term = true;
    }

    /// No program can be started any more.
    pub(crate) fn fail_starts(&self, kept: FailedStart) {
        self.lock().failed_start = Some(kept);
    }

    /// Nothing is left, as after a reboot.
    pub(crate) fn forget(&self) {
        let mut state = self.lock();
        state.sandboxes.clear();
        state.containers.clear();
    }

    pub(crate) fn log_path(&self, id: &str) -> String {
        let state = self.lock();
        let found = state.containers.iter().find(|(_, status)| status.id == id);
        found.unwrap().1.log_path.clone()
    }

    pub(crate) fn lose_sandbox(&self) {
        let uid = {
            let mut state = self.lock();
            let sandbox = state.sandboxes.last_mut().unwrap();
            sandbox.state = PodSandboxState::Notready as i32;
            sandbox.metadata.clone().unwrap().uid
        };
        self.announce(&uid);
    }

    pub(crate) fn is_empty(&self) -> bool {
        let state = self.lock();
        state.sandboxes.is_empty() && state.containers.is_empty()
    }

    fn announce(&self, uid: &str) {
        let metadata = PodSandboxMetadata { uid: uid.to_owned(), ..PodSandboxMetadata::default() };
        let status = PodSandboxStatus { metadata: Some(metadata), ..PodSandboxStatus::default() };
        let event = ContainerEventResponse { pod_sandbox_status: Some(status), ..ContainerEventResponse::default() };
        // Without a listener there is nobody to tell.
        drop(self.events.send(event));
    }

    fn now(&self) -> i64 {
        i64::try_from(self.clock.now().as_nanosecond()).unwrap()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn end(status: &mut ContainerStatus, exit_code: i32, now: i64) {
    status.state = ContainerState::Exited as i32;
    status.exit_code = exit_code;
    status.finished_at = now;
    status.reason = if exit_code == 0 { "Completed" } else { "Error" }.to_owned();
}

fn unimplemented<T>() -> Result<T> {
    Err(Status::new(Code::Unimplemented, "not part of this runtime"))
}

#[async_trait]
impl RuntimeService for FakeRuntime {
    async fn version(&self, _request: VersionRequest) -> Result<VersionResponse> {
        Ok(VersionResponse { runtime_name: "fake".into(), runtime_version: "1".into(), ..VersionResponse::default() })
    }

    async fn status(&self, _request: StatusRequest) -> Result<StatusResponse> {
        unimplemented()
    }

    async fn run_pod_sandbox(&self, request: RunPodSandboxRequest) -> Result<RunPodSandboxResponse> {
        let config = request.config.unwrap();
        let metadata = config.metadata.unwrap();
        let created_at = self.now();
        let mut state = self.lock();
        let id = format!("sandbox{}", metadata.attempt);
        state.calls.push(format!("run {id}"));
        state.sandboxes.push(PodSandboxStatus {
            id: id.clone(),
            metadata: Some(metadata),
            created_at,
            network: Some(PodSandboxNetworkStatus { ip: "10.244.0.5".into(), ..PodSandboxNetworkStatus::default() }),
            labels: config.labels,
            annotations: config.annotations,
            ..PodSandboxStatus::default()
        });
        Ok(RunPodSandboxResponse { pod_sandbox_id: id })
    }

    async fn stop_pod_sandbox(&self, request: StopPodSandboxRequest) -> Result<StopPodSandboxResponse> {
        let mut state = self.lock();
        state.calls.push(format!("stop {}", request.pod_sandbox_id));
        for sandbox in state.sandboxes.iter_mut().filter(|sandbox| sandbox.id == request.pod_sandbox_id) {
            sandbox.state = PodSandboxState::Notready as i32;
        }
        Ok(StopPodSandboxResponse {})
    }

    async fn remove_pod_sandbox(&self, request: RemovePodSandboxRequest) -> Result<RemovePodSandboxResponse> {
        let mut state = self.lock();
        state.calls.push(format!("remove {}", request.pod_sandbox_id));
        state.sandboxes.retain(|sandbox| sandbox.id != request.pod_sandbox_id);
        state.containers.retain(|(sandbox, _)| *sandbox != request.pod_sandbox_id);
        Ok(RemovePodSandboxResponse {})
    }

    async fn pod_sandbox_status(&self, request: PodSandboxStatusRequest) -> Result<PodSandboxStatusResponse> {
        let state = self.lock();
        let status = state.sandboxes.iter().find(|sandbox| sandbox.id == request.pod_sandbox_id).cloned();
        Ok(PodSandboxStatusResponse { status, ..PodSandboxStatusResponse::default() })
    }

    async fn list_pod_sandbox(&self, _request: ListPodSandboxRequest) -> Result<ListPodSandboxResponse> {
        let state = self.lock();
        let items = state.sandboxes.iter().map(|status| PodSandbox {
            id: status.id.clone(),
            metadata: status.metadata.clone(),
            state: status.state,
            labels: status.labels.clone(),
            annotations: status.annotations.clone(),
            ..PodSandbox::default()
        });
        Ok(ListPodSandboxResponse { items: items.collect() })
    }

    async fn create_container(&self, request: CreateContainerRequest) -> Result<CreateContainerResponse> {
        let config = request.config.unwrap();
        let metadata = config.metadata.unwrap();
        let created_at = self.now();
        let mut state = self.lock();
        let id = format!("{}-{}", metadata.name, metadata.attempt);
        state.calls.push(format!("create {id}"));
        let status = ContainerStatus {
            id: id.clone(),
            metadata: Some(metadata),
            created_at,
            image: config.image,
            labels: config.labels,
            annotations: config.annotations,
            mounts: config.mounts,
            log_path: config.log_path,
            ..ContainerStatus::default()
        };
        state.containers.push((request.pod_sandbox_id, status));
        Ok(CreateContainerResponse { container_id: id })
    }

    async fn start_container(&self, request: StartContainerRequest) -> Result<StartContainerResponse> {
        let started_at = self.now();
        let mut state = self.lock();
        state.calls.push(format!("start {}", request.container_id));
        if let Some(kept) = state.failed_start {
            let own = |status: &ContainerStatus| status.id == request.container_id;
            match kept {
                FailedStart::Created => {}
                FailedStart::Removed => state.containers.retain(|(_, status)| !own(status)),
                FailedStart::Exited => {
                    for (_, status) in state.containers.iter_mut().filter(|(_, status)| own(status)) {
                        end(status, 128, started_at);
                        status.reason = "StartError".to_owned();
                    }
                }
            }
            return Err(Status::new(Code::Unknown, "executable file not found in $PATH"));
        }
        for (_, status) in state.containers.iter_mut().filter(|(_, status)| status.id == request.container_id) {
            status.state = ContainerState::Running as i32;
            status.started_at = started_at;
        }
        Ok(StartContainerResponse {})
    }

    async fn stop_container(&self, request: StopContainerRequest) -> Result<StopContainerResponse> {
        let ignores = {
            let mut state = self.lock();
            state.calls.push(format!("stop {} {}", request.container_id, request.timeout));
            state.ignores_term
        };
        if ignores {
            self.clock.sleep(std::time::Duration::from_secs(u64::try_from(request.timeout).unwrap())).await;
        }
        let now = self.now();
        let mut state = self.lock();
        for (_, status) in state.containers.iter_mut().filter(|(_, status)| status.id == request.container_id) {
            end(status, 137, now);
        }
        Ok(StopContainerResponse {})
    }

    async fn remove_container(&self, request: RemoveContainerRequest) -> Result<RemoveContainerResponse> {
        let mut state = self.lock();
        state.calls.push(format!("remove {}", request.container_id));
        state.containers.retain(|(_, status)| status.id != request.container_id);
        Ok(RemoveContainerResponse {})
    }

    async fn list_containers(&self, _request: ListContainersRequest) -> Result<ListContainersResponse> {
        let state = self.lock();
        let containers = state.containers.iter().map(|(sandbox, status)| Container {
            id: status.id.clone(),
            pod_sandbox_id: sandbox.clone(),
            metadata: status.metadata.clone(),
            labels: status.labels.clone(),
            ..Container::default()
        });
        Ok(ListContainersResponse { containers: containers.collect() })
    }

    async fn container_status(&self, request: ContainerStatusRequest) -> Result<ContainerStatusResponse> {
        let state = self.lock();
        let found = state.containers.iter().find(|(_, status)| status.id == request.container_id);
        let status = found.map(|(_, status)| status.clone());
        Ok(ContainerStatusResponse { status, ..ContainerStatusResponse::default() })
    }

    async fn update_container_resources(
        &self,
        request: UpdateContainerResourcesRequest,
    ) -> Result<UpdateContainerResourcesResponse> {
        let shares = request.linux.unwrap_or_default().cpu_shares;
        self.lock().calls.push(format!("update {} {shares}", request.container_id));
        Ok(UpdateContainerResourcesResponse {})
    }

    async fn update_runtime_config(&self, _request: UpdateRuntimeConfigRequest) -> Result<UpdateRuntimeConfigResponse> {
        unimplemented()
    }

    async fn reopen_container_log(&self, _request: ReopenContainerLogRequest) -> Result<ReopenContainerLogResponse> {
        unimplemented()
    }

    async fn exec_sync(&self, request: ExecSyncRequest) -> Result<ExecSyncResponse> {
        let mut state = self.lock();
        state.calls.push(format!("exec {}: {}", request.container_id, request.cmd.join(" ")));
        Ok(ExecSyncResponse { exit_code: state.exec_exit_code, ..ExecSyncResponse::default() })
    }

    async fn exec(&self, _request: ExecRequest) -> Result<ExecResponse> {
        unimplemented()
    }

    async fn attach(&self, _request: AttachRequest) -> Result<AttachResponse> {
        unimplemented()
    }

    async fn port_forward(&self, _request: PortForwardRequest) -> Result<PortForwardResponse> {
        unimplemented()
    }

    async fn container_stats(&self, _request: ContainerStatsRequest) -> Result<ContainerStatsResponse> {
        Ok(ContainerStatsResponse { stats: None })
    }

    async fn list_container_stats(&self, _request: ListContainerStatsRequest) -> Result<ListContainerStatsResponse> {
        unimplemented()
    }

    async fn container_events(&self) -> Result<BoxStream<'static, Result<ContainerEventResponse>>> {
        let events = futures::stream::unfold(self.events.subscribe(), |mut events| async move {
            let event = events.recv().await.ok()?;
            Some((Ok(event), events))
        });
        Ok(events.boxed())
    }
}

#[async_trait]
impl ImageService for FakeRuntime {
    async fn list_images(&self, _request: ListImagesRequest) -> Result<ListImagesResponse> {
        Ok(ListImagesResponse::default())
    }

    async fn image_status(&self, request: ImageStatusRequest) -> Result<ImageStatusResponse> {
        let name = request.image.unwrap_or_default().image;
        let image = self.lock().local_images.get(&name).cloned();
        Ok(ImageStatusResponse { image, ..ImageStatusResponse::default() })
    }

    async fn pull_image(&self, request: PullImageRequest) -> Result<PullImageResponse> {
        let name = request.image.unwrap_or_default().image;
        let failure = {
            let mut state = self.lock();
            state.calls.push(format!("pull {name}"));
            state.pulls.get(&name).cloned()
        };
        match failure {
            Some(status) => Err(status),
            None => {
                self.add_image(&name, "pull");
                Ok(PullImageResponse { image_ref: name })
            }
        }
    }

    async fn remove_image(&self, _request: RemoveImageRequest) -> Result<RemoveImageResponse> {
        unimplemented()
    }

    async fn image_fs_info(&self, _request: ImageFsInfoRequest) -> Result<ImageFsInfoResponse> {
        unimplemented()
    }
}
