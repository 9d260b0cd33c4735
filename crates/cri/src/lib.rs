//! The Container Runtime Interface, v1: the seam between the kubelet and a runtime.
//!
//! The kubelet knows runtimes only as [`RuntimeService`] and [`ImageService`]; the runtime knows
//! the pod network only as [`PodNetwork`]. Requests and responses are the protocol's own messages.
//!
//! Streaming (`exec`, `attach`, `port_forward`) answers with a URL, as the protocol has it: the
//! runtime serves the stream there and the kubelet tunnels the client's connection to it. So a
//! runtime behind gRPC and the built-in one look the same: [`RuntimeClient`] and [`ImageClient`] are
//! the traits over a socket, [`serve`] puts them behind one.

mod client;
mod endpoint;
mod messages;
mod network;
mod relist;
mod server;

use async_trait::async_trait;
use futures::stream::BoxStream;

pub use client::{ImageClient, RuntimeClient};
pub use endpoint::{Endpoint, EndpointError};
pub use grpc::{Code, Status, bind};
pub use messages::*;
pub use network::{NetworkError, PodAddresses, PodNetwork, PodNetworkRequest};
pub use server::serve;

/// The services' names on the wire.
pub(crate) const RUNTIME_SERVICE: &str = "runtime.v1.RuntimeService";
pub(crate) const IMAGE_SERVICE: &str = "runtime.v1.ImageService";

pub type Result<T> = std::result::Result<T, Status>;

/// Sandboxes and containers. Stop and remove are idempotent: what is gone already is success.
///
/// Calls that came later than the others, or that a runtime may leave out, are answered as unimplemented.
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

    async fn pod_sandbox_stats(&self, _: PodSandboxStatsRequest) -> Result<PodSandboxStatsResponse> {
        Err(not_implemented("PodSandboxStats"))
    }

    async fn list_pod_sandbox_stats(&self, _: ListPodSandboxStatsRequest) -> Result<ListPodSandboxStatsResponse> {
        Err(not_implemented("ListPodSandboxStats"))
    }

    /// The figures that [`list_pod_sandbox_metrics`](Self::list_pod_sandbox_metrics) shows; always the same.
    async fn list_metric_descriptors(&self, _: ListMetricDescriptorsRequest) -> Result<ListMetricDescriptorsResponse> {
        Err(not_implemented("ListMetricDescriptors"))
    }

    async fn list_pod_sandbox_metrics(&self, _: ListPodSandboxMetricsRequest) -> Result<ListPodSandboxMetricsResponse> {
        Err(not_implemented("ListPodSandboxMetrics"))
    }

    /// What the kubelet must know before it makes cgroups; always the same.
    async fn runtime_config(&self, _: RuntimeConfigRequest) -> Result<RuntimeConfigResponse> {
        Err(not_implemented("RuntimeConfig"))
    }

    /// Tells of a pod's new resources, after its cgroup has them.
    async fn update_pod_sandbox_resources(
        &self,
        _: UpdatePodSandboxResourcesRequest,
    ) -> Result<UpdatePodSandboxResourcesResponse> {
        Err(not_implemented("UpdatePodSandboxResources"))
    }

    async fn checkpoint_container(&self, _: CheckpointContainerRequest) -> Result<CheckpointContainerResponse> {
        Err(not_implemented("CheckpointContainer"))
    }

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

/// In the words of upstream's generated servers.
fn not_implemented(method: &str) -> Status {
    Status::unimplemented(format!("method {method} not implemented"))
}
