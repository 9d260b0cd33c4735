//! A runtime at a socket, behind the same traits as one in this process.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use grpc::{Channel, Streaming};
use prost::Message;
use stdx::Clock;

use crate::relist::Relist;
use crate::*;

/// How long a call may take, unless it says otherwise itself; upstream's `runtimeRequestTimeout`.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);

/// What calls take at the most; `None` is as long as it takes.
type Timeout = Option<Duration>;

/// Sandboxes and containers of a runtime at a socket.
#[derive(Clone, Debug)]
pub struct RuntimeClient {
    channel: Arc<Channel>,
    clock: Clock,
}

impl RuntimeClient {
    /// Nothing is connected before the first call; a runtime that was restarted is found again.
    pub fn new(endpoint: &Endpoint, clock: Clock) -> Self {
        RuntimeClient { channel: Arc::new(Channel::unix(endpoint.path())), clock }
    }

    async fn call<A: Message + Default>(&self, method: &str, request: impl Message) -> Result<A> {
        self.call_within(Some(REQUEST_TIMEOUT), method, request).await
    }

    async fn call_within<A: Message + Default>(
        &self,
        timeout: Timeout,
        method: &str,
        request: impl Message,
    ) -> Result<A> {
        self.channel.unary(&format!("{RUNTIME_SERVICE}/{method}"), &request, timeout).await
    }
}

/// The images of a runtime at a socket.
#[derive(Debug)]
pub struct ImageClient {
    channel: Channel,
}

impl ImageClient {
    /// Nothing is connected before the first call.
    pub fn new(endpoint: &Endpoint) -> Self {
        ImageClient { channel: Channel::unix(endpoint.path()) }
    }

    async fn call<A: Message + Default>(&self, method: &str, request: impl Message, timeout: Timeout) -> Result<A> {
        self.channel.unary(&format!("{IMAGE_SERVICE}/{method}"), &request, timeout).await
    }
}

/// The request's own seconds and what the runtime needs besides.
fn beyond(seconds: i64) -> Timeout {
    Some(REQUEST_TIMEOUT.saturating_add(Duration::from_secs(u64::try_from(seconds).unwrap_or(0))))
}

#[async_trait]
impl RuntimeService for RuntimeClient {
    async fn version(&self, request: VersionRequest) -> Result<VersionResponse> {
        self.call("Version", request).await
    }

    async fn status(&self, request: StatusRequest) -> Result<StatusResponse> {
        self.call("Status", request).await
    }

    async fn run_pod_sandbox(&self, request: RunPodSandboxRequest) -> Result<RunPodSandboxResponse> {
        // It may pull an image first.
        self.call_within(Some(REQUEST_TIMEOUT * 2), "RunPodSandbox", request).await
    }

    async fn stop_pod_sandbox(&self, request: StopPodSandboxRequest) -> Result<StopPodSandboxResponse> {
        self.call("StopPodSandbox", request).await
    }

    async fn remove_pod_sandbox(&self, request: RemovePodSandboxRequest) -> Result<RemovePodSandboxResponse> {
        self.call("RemovePodSandbox", request).await
    }

    async fn pod_sandbox_status(&self, request: PodSandboxStatusRequest) -> Result<PodSandboxStatusResponse> {
        self.call("PodSandboxStatus", request).await
    }

    async fn list_pod_sandbox(&self, request: ListPodSandboxRequest) -> Result<ListPodSandboxResponse> {
        self.call("ListPodSandbox", request).await
    }

    async fn create_container(&self, request: CreateContainerRequest) -> Result<CreateContainerResponse> {
        self.call("CreateContainer", request).await
    }

    async fn start_container(&self, request: StartContainerRequest) -> Result<StartContainerResponse> {
        self.call("StartContainer", request).await
    }

    async fn stop_container(&self, request: StopContainerRequest) -> Result<StopContainerResponse> {
        self.call_within(beyond(request.timeout), "StopContainer", request).await
    }

    async fn remove_container(&self, request: RemoveContainerRequest) -> Result<RemoveContainerResponse> {
        self.call("RemoveContainer", request).await
    }

    async fn list_containers(&self, request: ListContainersRequest) -> Result<ListContainersResponse> {
        self.call("ListContainers", request).await
    }

    async fn container_status(&self, request: ContainerStatusRequest) -> Result<ContainerStatusResponse> {
        self.call("ContainerStatus", request).await
    }

    async fn update_container_resources(
        &self,
        request: UpdateContainerResourcesRequest,
    ) -> Result<UpdateContainerResourcesResponse> {
        self.call("UpdateContainerResources", request).await
    }

    async fn update_runtime_config(&self, request: UpdateRuntimeConfigRequest) -> Result<UpdateRuntimeConfigResponse> {
        self.call("UpdateRuntimeConfig", request).await
    }

    async fn reopen_container_log(&self, request: ReopenContainerLogRequest) -> Result<ReopenContainerLogResponse> {
        self.call("ReopenContainerLog", request).await
    }

    async fn exec_sync(&self, request: ExecSyncRequest) -> Result<ExecSyncResponse> {
        // Without a timeout of its own the command runs for as long as it likes.
        let timeout = if request.timeout > 0 { beyond(request.timeout) } else { None };
        self.call_within(timeout, "ExecSync", request).await
    }

    async fn exec(&self, request: ExecRequest) -> Result<ExecResponse> {
        self.call("Exec", request).await
    }

    async fn attach(&self, request: AttachRequest) -> Result<AttachResponse> {
        self.call("Attach", request).await
    }

    async fn port_forward(&self, request: PortForwardRequest) -> Result<PortForwardResponse> {
        self.call("PortForward", request).await
    }

    async fn container_stats(&self, request: ContainerStatsRequest) -> Result<ContainerStatsResponse> {
        self.call("ContainerStats", request).await
    }

    async fn list_container_stats(&self, request: ListContainerStatsRequest) -> Result<ListContainerStatsResponse> {
        self.call("ListContainerStats", request).await
    }

    async fn pod_sandbox_stats(&self, request: PodSandboxStatsRequest) -> Result<PodSandboxStatsResponse> {
        self.call("PodSandboxStats", request).await
    }

    async fn list_pod_sandbox_stats(&self, request: ListPodSandboxStatsRequest) -> Result<ListPodSandboxStatsResponse> {
        self.call("ListPodSandboxStats", request).await
    }

    async fn list_metric_descriptors(
        &self,
        request: ListMetricDescriptorsRequest,
    ) -> Result<ListMetricDescriptorsResponse> {
        self.call("ListMetricDescriptors", request).await
    }

    async fn list_pod_sandbox_metrics(
        &self,
        request: ListPodSandboxMetricsRequest,
    ) -> Result<ListPodSandboxMetricsResponse> {
        self.call("ListPodSandboxMetrics", request).await
    }

    async fn runtime_config(&self, request: RuntimeConfigRequest) -> Result<RuntimeConfigResponse> {
        self.call("RuntimeConfig", request).await
    }

    async fn update_pod_sandbox_resources(
        &self,
        request: UpdatePodSandboxResourcesRequest,
    ) -> Result<UpdatePodSandboxResourcesResponse> {
        self.call("UpdatePodSandboxResources", request).await
    }

    async fn checkpoint_container(&self, request: CheckpointContainerRequest) -> Result<CheckpointContainerResponse> {
        self.call_within(beyond(request.timeout), "CheckpointContainer", request).await
    }

    /// The runtime's own events; those of one that has none, such as containerd before 1.7, are found by looking.
    async fn container_events(&self) -> Result<BoxStream<'static, Result<ContainerEventResponse>>> {
        let method = format!("{RUNTIME_SERVICE}/GetContainerEvents");
        match self.channel.stream::<ContainerEventResponse>(&method, &GetEventsRequest {}).await {
            Ok(events) => {
                let next = async |mut events: Streaming<_>| Some((events.next().await?, events));
                Ok(stream::unfold(events, next).boxed())
            }
            Err(status) if status.code == Code::Unimplemented => {
                Ok(Relist::begin(self.clone(), self.clock).await?.events())
            }
            Err(status) => Err(status),
        }
    }
}

#[async_trait]
impl ImageService for ImageClient {
    async fn list_images(&self, request: ListImagesRequest) -> Result<ListImagesResponse> {
        self.call("ListImages", request, Some(REQUEST_TIMEOUT)).await
    }

    async fn image_status(&self, request: ImageStatusRequest) -> Result<ImageStatusResponse> {
        self.call("ImageStatus", request, Some(REQUEST_TIMEOUT)).await
    }

    async fn pull_image(&self, request: PullImageRequest) -> Result<PullImageResponse> {
        self.call("PullImage", request, None).await
    }

    async fn remove_image(&self, request: RemoveImageRequest) -> Result<RemoveImageResponse> {
        self.call("RemoveImage", request, Some(REQUEST_TIMEOUT)).await
    }

    async fn image_fs_info(&self, request: ImageFsInfoRequest) -> Result<ImageFsInfoResponse> {
        self.call("ImageFsInfo", request, Some(REQUEST_TIMEOUT)).await
    }
}
