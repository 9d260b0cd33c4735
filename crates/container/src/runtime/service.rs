//! CRI's runtime service: each call in a few lines, the work elsewhere.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cri::*;
use futures::stream::BoxStream;

use super::shim_client::{self, ShimError};
use super::{Runtime, internal_chain, pod_stats};
use crate::shim::protocol::Request;

const RUNTIME_NAME: &str = "pintle";
const API_VERSION: &str = "v1";

/// The handle to share: the services need to reach the runtime from tasks of their own.
#[async_trait]
impl RuntimeService for Runtime {
    async fn version(&self, _: VersionRequest) -> Result<VersionResponse> {
        Ok(VersionResponse {
            version: "0.1.0".to_owned(),
            runtime_name: RUNTIME_NAME.to_owned(),
            runtime_version: env!("CARGO_PKG_VERSION").to_owned(),
            runtime_api_version: API_VERSION.to_owned(),
        })
    }

    async fn status(&self, _: StatusRequest) -> Result<StatusResponse> {
        let network = self.network.status().await.map_err(|error| stdx::error::chain(&error));
        let conditions =
            vec![condition("RuntimeReady", Ok(()), ""), condition("NetworkReady", network, "NetworkPluginNotReady")];
        let handler = RuntimeHandler {
            name: String::new(),
            features: Some(RuntimeHandlerFeatures {
                recursive_read_only_mounts: true,
                user_namespaces: Path::new("/proc/self/ns/user").exists(),
            }),
        };
        Ok(StatusResponse {
            status: Some(RuntimeStatus { conditions }),
            info: HashMap::new(),
            runtime_handlers: vec![handler],
            features: Some(RuntimeFeatures { supplemental_groups_policy: true }),
        })
    }

    async fn run_pod_sandbox(&self, request: RunPodSandboxRequest) -> Result<RunPodSandboxResponse> {
        let pod_sandbox_id = self.shared()?.run_sandbox(request).await?;
        Ok(RunPodSandboxResponse { pod_sandbox_id })
    }

    async fn stop_pod_sandbox(&self, request: StopPodSandboxRequest) -> Result<StopPodSandboxResponse> {
        self.stop_sandbox(&request.pod_sandbox_id).await?;
        Ok(StopPodSandboxResponse {})
    }

    async fn remove_pod_sandbox(&self, request: RemovePodSandboxRequest) -> Result<RemovePodSandboxResponse> {
        self.remove_sandbox(&request.pod_sandbox_id).await?;
        Ok(RemovePodSandboxResponse {})
    }

    async fn pod_sandbox_status(&self, request: PodSandboxStatusRequest) -> Result<PodSandboxStatusResponse> {
        let sandbox = self.expect_sandbox(&request.pod_sandbox_id)?;
        let containers = self.containers_of(&sandbox.id);
        Ok(PodSandboxStatusResponse {
            status: Some(self.status_of_sandbox(&sandbox)),
            info: HashMap::new(),
            containers_statuses: containers
                .iter()
                .map(|container| self.status_of_container(container))
                .collect::<Result<_>>()?,
            timestamp: self.now_nanoseconds(),
        })
    }

    async fn list_pod_sandbox(&self, request: ListPodSandboxRequest) -> Result<ListPodSandboxResponse> {
        Ok(ListPodSandboxResponse { items: self.list_sandboxes(request.filter) })
    }

    async fn create_container(&self, request: CreateContainerRequest) -> Result<CreateContainerResponse> {
        Ok(CreateContainerResponse { container_id: self.build_container(request).await? })
    }

    async fn start_container(&self, request: StartContainerRequest) -> Result<StartContainerResponse> {
        self.start(&request.container_id).await?;
        Ok(StartContainerResponse {})
    }

    async fn stop_container(&self, request: StopContainerRequest) -> Result<StopContainerResponse> {
        let timeout = Duration::from_secs(u64::try_from(request.timeout).unwrap_or(0));
        self.stop(&request.container_id, timeout).await?;
        Ok(StopContainerResponse {})
    }

    async fn remove_container(&self, request: RemoveContainerRequest) -> Result<RemoveContainerResponse> {
        self.remove_container(&request.container_id).await?;
        Ok(RemoveContainerResponse {})
    }

    async fn list_containers(&self, request: ListContainersRequest) -> Result<ListContainersResponse> {
        Ok(ListContainersResponse { containers: self.list_containers(request.filter)? })
    }

    async fn container_status(&self, request: ContainerStatusRequest) -> Result<ContainerStatusResponse> {
        let container = self.expect_container(&request.container_id)?;
        Ok(ContainerStatusResponse { status: Some(self.status_of_container(&container)?), info: HashMap::new() })
    }

    async fn update_container_resources(
        &self,
        request: UpdateContainerResourcesRequest,
    ) -> Result<UpdateContainerResourcesResponse> {
        let container = self.expect_container(&request.container_id)?;
        if let Some(wanted) = &request.linux
            && self.is_running(&container)?
        {
            self.limit(&container, wanted)?;
        }
        Ok(UpdateContainerResourcesResponse {})
    }

    async fn update_runtime_config(&self, request: UpdateRuntimeConfigRequest) -> Result<UpdateRuntimeConfigResponse> {
        let config = request.runtime_config.and_then(|config| config.network_config).unwrap_or_default();
        let ranges: Vec<String> =
            config.pod_cidr.split(',').map(str::trim).filter(|range| !range.is_empty()).map(str::to_owned).collect();
        if !ranges.is_empty() {
            self.network.configure(&ranges).await.map_err(|error| internal_chain(&error))?;
        }
        Ok(UpdateRuntimeConfigResponse {})
    }

    async fn reopen_container_log(&self, request: ReopenContainerLogRequest) -> Result<ReopenContainerLogResponse> {
        let container = self.expect_container(&request.container_id)?;
        if !self.is_running(&container)? {
            return Err(Status::new(Code::FailedPrecondition, "container is not running"));
        }
        let ask = Request::ReopenLog { container_id: container.id.clone() };
        match shim_client::ask(&self.shim_folder(&container.sandbox_id), &ask, &[]).await {
            Ok(_) => Ok(ReopenContainerLogResponse {}),
            Err(ShimError::NotRunning | ShimError::Gone(_)) => {
                Err(Status::new(Code::FailedPrecondition, "container is not running"))
            }
            Err(error) => Err(internal_chain(&error)),
        }
    }

    async fn exec_sync(&self, request: ExecSyncRequest) -> Result<ExecSyncResponse> {
        let timeout = u64::try_from(request.timeout).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs);
        self.run_to_end(&request.container_id, &request.cmd, timeout).await
    }

    async fn exec(&self, request: ExecRequest) -> Result<ExecResponse> {
        Ok(ExecResponse { url: self.shared()?.offer_exec(request).await? })
    }

    async fn attach(&self, request: AttachRequest) -> Result<AttachResponse> {
        Ok(AttachResponse { url: self.shared()?.offer_attach(request).await? })
    }

    async fn port_forward(&self, request: PortForwardRequest) -> Result<PortForwardResponse> {
        Ok(PortForwardResponse { url: self.shared()?.offer_port_forward(request).await? })
    }

    async fn container_stats(&self, request: ContainerStatsRequest) -> Result<ContainerStatsResponse> {
        let container = self.expect_container(&request.container_id)?;
        self.count_writable(&container).await;
        Ok(ContainerStatsResponse { stats: Some(self.stats_of(&container)?) })
    }

    async fn list_container_stats(&self, request: ListContainerStatsRequest) -> Result<ListContainerStatsResponse> {
        Ok(ListContainerStatsResponse { stats: self.list_stats(request.filter).await? })
    }

    async fn pod_sandbox_stats(&self, request: PodSandboxStatsRequest) -> Result<PodSandboxStatsResponse> {
        let sandbox = self.expect_sandbox(&request.pod_sandbox_id)?;
        Ok(PodSandboxStatsResponse { stats: Some(self.stats_of_sandbox(&sandbox)?) })
    }

    async fn list_pod_sandbox_stats(&self, request: ListPodSandboxStatsRequest) -> Result<ListPodSandboxStatsResponse> {
        Ok(ListPodSandboxStatsResponse { stats: self.list_sandbox_stats(request.filter)? })
    }

    async fn list_metric_descriptors(&self, _: ListMetricDescriptorsRequest) -> Result<ListMetricDescriptorsResponse> {
        Ok(ListMetricDescriptorsResponse { descriptors: pod_stats::metric_descriptors() })
    }

    async fn list_pod_sandbox_metrics(&self, _: ListPodSandboxMetricsRequest) -> Result<ListPodSandboxMetricsResponse> {
        Ok(ListPodSandboxMetricsResponse { pod_metrics: self.list_metrics()? })
    }

    async fn runtime_config(&self, _: RuntimeConfigRequest) -> Result<RuntimeConfigResponse> {
        let linux = LinuxRuntimeConfiguration { cgroup_driver: CgroupDriver::Cgroupfs as i32 };
        Ok(RuntimeConfigResponse { linux: Some(linux) })
    }

    /// The kubelet has changed the pod's cgroup by now, and a sandbox has no process of its own to be limited.
    async fn update_pod_sandbox_resources(
        &self,
        request: UpdatePodSandboxResourcesRequest,
    ) -> Result<UpdatePodSandboxResourcesResponse> {
        self.expect_sandbox(&request.pod_sandbox_id)?;
        Ok(UpdatePodSandboxResourcesResponse {})
    }

    async fn container_events(&self) -> Result<BoxStream<'static, Result<ContainerEventResponse>>> {
        Ok(self.event_stream())
    }
}

impl Runtime {
    /// Tasks that outlive a call need the runtime without keeping it alive.
    fn shared(&self) -> Result<Arc<Runtime>> {
        self.own.upgrade().ok_or_else(|| Status::internal("the runtime is being closed"))
    }
}

fn condition(kind: &str, state: std::result::Result<(), String>, reason: &str) -> RuntimeCondition {
    match state {
        Ok(()) => RuntimeCondition { r#type: kind.to_owned(), status: true, ..RuntimeCondition::default() },
        Err(message) => RuntimeCondition { r#type: kind.to_owned(), status: false, reason: reason.to_owned(), message },
    }
}
