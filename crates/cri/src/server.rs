//! A runtime of this process, behind a socket: for `crictl` and for another's kubelet.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt};
use grpc::Answer;
use prost::Message;
use stdx::Clock;
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;

use crate::*;

/// Serves both services until cancelled. Streams that are open then are cut.
pub async fn serve(
    listener: UnixListener,
    runtime: Arc<dyn RuntimeService>,
    images: Arc<dyn ImageService>,
    clock: Clock,
    cancel: CancellationToken,
) {
    grpc::serve(listener, Arc::new(Services { runtime, images }), clock, cancel).await;
}

struct Services {
    runtime: Arc<dyn RuntimeService>,
    images: Arc<dyn ImageService>,
}

impl grpc::Service for Services {
    fn call(self: Arc<Self>, path: String, message: Bytes) -> BoxFuture<'static, Result<Answer>> {
        Box::pin(async move {
            let (service, method) = path.trim_start_matches('/').split_once('/').unwrap_or_default();
            let is_runtime = match service {
                RUNTIME_SERVICE => true,
                IMAGE_SERVICE => false,
                _ => return Err(Status::unimplemented(format!("unknown service {service}"))),
            };
            let method = method.to_owned();
            // A command and a transfer end with the client that waits for them. Whatever else was begun is brought to
            // its end, so that a client's deadline leaves nothing half made.
            let ends_with_client = matches!(method.as_str(), "ExecSync" | "PullImage");
            let call = async move {
                if is_runtime {
                    self.runtime_call(&method, message).await
                } else {
                    self.image_call(&method, message).await
                }
            };
            if ends_with_client {
                return call.await;
            }
            tokio::spawn(call).await.unwrap_or_else(|error| Err(Status::internal(error.to_string())))
        })
    }
}

impl Services {
    async fn runtime_call(&self, method: &str, message: Bytes) -> Result<Answer> {
        let runtime = &*self.runtime;
        match method {
            "Version" => one(message, |request| runtime.version(request)).await,
            "Status" => one(message, |request| runtime.status(request)).await,
            "RunPodSandbox" => one(message, |request| runtime.run_pod_sandbox(request)).await,
            "StopPodSandbox" => one(message, |request| runtime.stop_pod_sandbox(request)).await,
            "RemovePodSandbox" => one(message, |request| runtime.remove_pod_sandbox(request)).await,
            "PodSandboxStatus" => one(message, |request| runtime.pod_sandbox_status(request)).await,
            "ListPodSandbox" => one(message, |request| runtime.list_pod_sandbox(request)).await,
            "StreamPodSandboxes" => {
                let StreamPodSandboxesRequest { filter } = read(message)?;
                let listed = runtime.list_pod_sandbox(ListPodSandboxRequest { filter }).await?.items;
                Ok(each(listed, |sandbox| StreamPodSandboxesResponse { pod_sandbox: Some(sandbox) }))
            }
            "CreateContainer" => one(message, |request| runtime.create_container(request)).await,
            "StartContainer" => one(message, |request| runtime.start_container(request)).await,
            "StopContainer" => one(message, |request| runtime.stop_container(request)).await,
            "RemoveContainer" => one(message, |request| runtime.remove_container(request)).await,
            "ListContainers" => one(message, |request| runtime.list_containers(request)).await,
            "StreamContainers" => {
                let StreamContainersRequest { filter } = read(message)?;
                let listed = runtime.list_containers(ListContainersRequest { filter }).await?.containers;
                Ok(each(listed, |container| StreamContainersResponse { containers: vec![container] }))
            }
            "ContainerStatus" => one(message, |request| runtime.container_status(request)).await,
            "UpdateContainerResources" => one(message, |request| runtime.update_container_resources(request)).await,
            "ReopenContainerLog" => one(message, |request| runtime.reopen_container_log(request)).await,
            "ExecSync" => one(message, |request| runtime.exec_sync(request)).await,
            "Exec" => one(message, |request| runtime.exec(request)).await,
            "Attach" => one(message, |request| runtime.attach(request)).await,
            "PortForward" => one(message, |request| runtime.port_forward(request)).await,
            "ContainerStats" => one(message, |request| runtime.container_stats(request)).await,
            "ListContainerStats" => one(message, |request| runtime.list_container_stats(request)).await,
            "StreamContainerStats" => {
                let StreamContainerStatsRequest { filter } = read(message)?;
                let listed = runtime.list_container_stats(ListContainerStatsRequest { filter }).await?.stats;
                Ok(each(listed, |stats| StreamContainerStatsResponse { container_stats: Some(stats) }))
            }
            "PodSandboxStats" => one(message, |request| runtime.pod_sandbox_stats(request)).await,
            "ListPodSandboxStats" => one(message, |request| runtime.list_pod_sandbox_stats(request)).await,
            "StreamPodSandboxStats" => {
                let StreamPodSandboxStatsRequest { filter } = read(message)?;
                let listed = runtime.list_pod_sandbox_stats(ListPodSandboxStatsRequest { filter }).await?.stats;
                Ok(each(listed, |stats| StreamPodSandboxStatsResponse { pod_sandbox_stats: Some(stats) }))
            }
            "UpdateRuntimeConfig" => one(message, |request| runtime.update_runtime_config(request)).await,
            "CheckpointContainer" => one(message, |request| runtime.checkpoint_container(request)).await,
            "GetContainerEvents" => {
                let GetEventsRequest {} = read(message)?;
                Ok(Answer::many(runtime.container_events().await?))
            }
            "ListMetricDescriptors" => one(message, |request| runtime.list_metric_descriptors(request)).await,
            "ListPodSandboxMetrics" => one(message, |request| runtime.list_pod_sandbox_metrics(request)).await,
            "StreamPodSandboxMetrics" => {
                let StreamPodSandboxMetricsRequest {} = read(message)?;
                let listed = runtime.list_pod_sandbox_metrics(ListPodSandboxMetricsRequest {}).await?.pod_metrics;
                Ok(each(listed, |metrics| StreamPodSandboxMetricsResponse { pod_sandbox_metrics: Some(metrics) }))
            }
            "RuntimeConfig" => one(message, |request| runtime.runtime_config(request)).await,
            "UpdatePodSandboxResources" => one(message, |request| runtime.update_pod_sandbox_resources(request)).await,
            _ => Err(unknown(RUNTIME_SERVICE, method)),
        }
    }

    async fn image_call(&self, method: &str, message: Bytes) -> Result<Answer> {
        let images = &*self.images;
        match method {
            "ListImages" => one(message, |request| images.list_images(request)).await,
            "StreamImages" => {
                let StreamImagesRequest { filter } = read(message)?;
                let listed = images.list_images(ListImagesRequest { filter }).await?.images;
                Ok(each(listed, |image| StreamImagesResponse { image: Some(image) }))
            }
            "ImageStatus" => one(message, |request| images.image_status(request)).await,
            "PullImage" => one(message, |request| images.pull_image(request)).await,
            "RemoveImage" => one(message, |request| images.remove_image(request)).await,
            "ImageFsInfo" => one(message, |request| images.image_fs_info(request)).await,
            _ => Err(unknown(IMAGE_SERVICE, method)),
        }
    }
}

/// A call with one answer.
async fn one<Q, A, F>(message: Bytes, call: impl FnOnce(Q) -> F) -> Result<Answer>
where
    Q: Message + Default,
    A: Message,
    F: Future<Output = Result<A>>,
{
    Ok(Answer::one(&call(read(message)?).await?))
}

/// A list, one at a time: it may be longer than a message may be large.
fn each<T: Send + 'static, A: Message + 'static>(listed: Vec<T>, answer: impl Fn(T) -> A + Send + 'static) -> Answer {
    Answer::many(stream::iter(listed).map(move |item| Ok(answer(item))))
}

fn read<Q: Message + Default>(message: Bytes) -> Result<Q> {
    let failed = |error| Status::internal(format!("grpc: error unmarshalling request: {error}"));
    Q::decode(message).map_err(failed)
}

fn unknown(service: &str, method: &str) -> Status {
    Status::unimplemented(format!("unknown method {method} for service {service}"))
}
