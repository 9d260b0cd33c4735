//! The Container Runtime Interface, v1: the seam between the kubelet and a runtime.
//!
//! The kubelet knows runtimes only as [`RuntimeService`] and [`ImageService`]; the runtime knows
//! the pod network only as [`PodNetwork`]. Requests and responses are the protocol's own messages.
//!
//! Streaming (`exec`, `attach`, `port_forward`) answers with a URL, as the protocol has it: the
//! runtime serves the stream there and the kubelet tunnels the client's connection to it. So a
//! runtime behind gRPC and the built-in one look the same.

mod messages;
mod network;

use async_trait::async_trait;
use futures::stream::BoxStream;

pub use messages::*;
pub use network::{NetworkError, PodAddresses, PodNetwork, PodNetworkRequest};

/// A failed call: a gRPC status code and one line of text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Status {
    pub code: Code,
    pub message: String,
}

/// The gRPC codes that runtimes use. Numbers are gRPC's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Code {
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
}

impl Status {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Status { code, message: message.into() }
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Status::new(Code::NotFound, message)
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Status::new(Code::InvalidArgument, message)
    }

    pub fn internal(message: impl Into<String>) -> Self {
        Status::new(Code::Internal, message)
    }
}

pub type Result<T> = std::result::Result<T, Status>;

/// Sandboxes and containers. Stop and remove are idempotent: what is gone already is success.
#[async_trait]
pub trait RuntimeService: Send + Sync + 'static {
    async fn version(&self, request: VersionRequest) -> Result<VersionResponse>;
    async fn status(&self, request: StatusRequest) -> Result<StatusResponse>;

    async fn run_pod_sandbox(&self, request: RunPodSandboxRequest) -> Result<RunPodSandboxResponse>;
    async fn stop_pod_sandbox(&self, request: StopPodSandboxRequest) -> Result<StopPodSandboxResponse>;
    async fn remove_pod_sandbox(&self, request: RemovePodSandboxRequest) -> Result<RemovePodSandboxResponse>;
    async fn pod_sandbox_status(&self, request: PodSandboxStatusRequest) -> Result<PodSandboxStatusResponse>;
    async fn list_pod_sandbox(&self, request: ListPodSandboxRequest) -> Result<ListPodSandboxResponse>;

    async fn create_container(&self, request: CreateContainerRequest) -> Result<CreateContainerResponse>;
    async fn start_container(&self, request: StartContainerRequest) -> Result<StartContainerResponse>;
    async fn stop_container(&self, request: StopContainerRequest) -> Result<StopContainerResponse>;
    async fn remove_container(&self, request: RemoveContainerRequest) -> Result<RemoveContainerResponse>;
    async fn list_containers(&self, request: ListContainersRequest) -> Result<ListContainersResponse>;
    async fn container_status(&self, request: ContainerStatusRequest) -> Result<ContainerStatusResponse>;
    async fn update_container_resources(
        &self,
        request: UpdateContainerResourcesRequest,
    ) -> Result<UpdateContainerResourcesResponse>;
    /// Tells the runtime the node's pod range; it passes it on to the pod network.
    async fn update_runtime_config(&self, request: UpdateRuntimeConfigRequest) -> Result<UpdateRuntimeConfigResponse>;
    async fn reopen_container_log(&self, request: ReopenContainerLogRequest) -> Result<ReopenContainerLogResponse>;

    /// Runs a command to its end and returns its output: exec probes and hooks.
    async fn exec_sync(&self, request: ExecSyncRequest) -> Result<ExecSyncResponse>;
    async fn exec(&self, request: ExecRequest) -> Result<ExecResponse>;
    async fn attach(&self, request: AttachRequest) -> Result<AttachResponse>;
    async fn port_forward(&self, request: PortForwardRequest) -> Result<PortForwardResponse>;

    async fn container_stats(&self, request: ContainerStatsRequest) -> Result<ContainerStatsResponse>;
    async fn list_container_stats(&self, request: ListContainerStatsRequest) -> Result<ListContainerStatsResponse>;

    /// Every container and sandbox change from now on. A receiver that lags gets an error item and
    /// the end; it lists again and re-subscribes.
    async fn container_events(&self) -> Result<BoxStream<'static, Result<ContainerEventResponse>>>;
}

/// Images.
#[async_trait]
pub trait ImageService: Send + Sync + 'static {
    async fn list_images(&self, request: ListImagesRequest) -> Result<ListImagesResponse>;
    /// An absent image is an empty answer, not an error.
    async fn image_status(&self, request: ImageStatusRequest) -> Result<ImageStatusResponse>;
    async fn pull_image(&self, request: PullImageRequest) -> Result<PullImageResponse>;
    async fn remove_image(&self, request: RemoveImageRequest) -> Result<RemoveImageResponse>;
    async fn image_fs_info(&self, request: ImageFsInfoRequest) -> Result<ImageFsInfoResponse>;
}
