//! The server and the client of one protocol, over a socket.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cri::*;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use stdx::Clock;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A runtime that answers what it was told to list, and everything else with the name of the method that was called.
#[derive(Default)]
struct Parrot {
    sandboxes: Mutex<Vec<PodSandbox>>,
    has_events: bool,
}

fn said<T>(method: &str) -> Result<T> {
    Err(Status::not_found(format!("{method} ☃")))
}

macro_rules! parrot {
    ($service:ident { $($method:ident($request:ty) -> $response:ty;)* } $($rest:item)*) => {
        #[async_trait]
        impl $service for Parrot {
            $(async fn $method(&self, _: $request) -> Result<$response> { said(stringify!($method)) })*
            $($rest)*
        }
    };
}

parrot! {
    RuntimeService {
        version(VersionRequest) -> VersionResponse;
        status(StatusRequest) -> StatusResponse;
        run_pod_sandbox(RunPodSandboxRequest) -> RunPodSandboxResponse;
        stop_pod_sandbox(StopPodSandboxRequest) -> StopPodSandboxResponse;
        remove_pod_sandbox(RemovePodSandboxRequest) -> RemovePodSandboxResponse;
        pod_sandbox_status(PodSandboxStatusRequest) -> PodSandboxStatusResponse;
        create_container(CreateContainerRequest) -> CreateContainerResponse;
        start_container(StartContainerRequest) -> StartContainerResponse;
        stop_container(StopContainerRequest) -> StopContainerResponse;
        remove_container(RemoveContainerRequest) -> RemoveContainerResponse;
        container_status(ContainerStatusRequest) -> ContainerStatusResponse;
        update_container_resources(UpdateContainerResourcesRequest) -> UpdateContainerResourcesResponse;
        update_runtime_config(UpdateRuntimeConfigRequest) -> UpdateRuntimeConfigResponse;
        reopen_container_log(ReopenContainerLogRequest) -> ReopenContainerLogResponse;
        exec_sync(ExecSyncRequest) -> ExecSyncResponse;
        exec(ExecRequest) -> ExecResponse;
        attach(AttachRequest) -> AttachResponse;
        port_forward(PortForwardRequest) -> PortForwardResponse;
        container_stats(ContainerStatsRequest) -> ContainerStatsResponse;
        list_container_stats(ListContainerStatsRequest) -> ListContainerStatsResponse;
        pod_sandbox_stats(PodSandboxStatsRequest) -> PodSandboxStatsResponse;
        list_pod_sandbox_stats(ListPodSandboxStatsRequest) -> ListPodSandboxStatsResponse;
        list_metric_descriptors(ListMetricDescriptorsRequest) -> ListMetricDescriptorsResponse;
        list_pod_sandbox_metrics(ListPodSandboxMetricsRequest) -> ListPodSandboxMetricsResponse;
        runtime_config(RuntimeConfigRequest) -> RuntimeConfigResponse;
        update_pod_sandbox_resources(UpdatePodSandboxResourcesRequest) -> UpdatePodSandboxResourcesResponse;
    }

    async fn list_pod_sandbox(&self, request: ListPodSandboxRequest) -> Result<ListPodSandboxResponse> {
        let wanted = request.filter.unwrap_or_default().id;
        let mut items = self.sandboxes.lock().unwrap().clone();
        items.retain(|sandbox| sandbox.id.starts_with(&wanted));
        Ok(ListPodSandboxResponse { items })
    }

    async fn list_containers(&self, _: ListContainersRequest) -> Result<ListContainersResponse> {
        let container = Container { id: "c".to_owned(), pod_sandbox_id: "s".to_owned(), ..Container::default() };
        Ok(ListContainersResponse { containers: vec![container] })
    }

    async fn container_events(&self) -> Result<BoxStream<'static, Result<ContainerEventResponse>>> {
        if !self.has_events {
            return Err(Status::unimplemented("unknown method GetContainerEvents"));
        }
        let event = ContainerEventResponse { container_id: "c".to_owned(), ..Default::default() };
        let cut = Status::new(Code::ResourceExhausted, "3 events were missed; list again");
        Ok(stream::iter([Ok(event), Err(cut)]).boxed())
    }
}

parrot! {
    ImageService {
        image_status(ImageStatusRequest) -> ImageStatusResponse;
        pull_image(PullImageRequest) -> PullImageResponse;
        remove_image(RemoveImageRequest) -> RemoveImageResponse;
        image_fs_info(ImageFsInfoRequest) -> ImageFsInfoResponse;
    }

    async fn list_images(&self, _: ListImagesRequest) -> Result<ListImagesResponse> {
        let image = |number: u64| Image { size: number, ..Image::default() };
        Ok(ListImagesResponse { images: (0..3).map(image).collect() })
    }
}

struct Bench {
    parrot: Arc<Parrot>,
    runtime: RuntimeClient,
    images: ImageClient,
    channel: grpc::Channel,
    _folder: tempfile::TempDir,
    _stop: DropGuard,
}

fn bench(parrot: Parrot) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cri.sock");
    let (parrot, cancel) = (Arc::new(parrot), CancellationToken::new());
    let listener = bind(&path).unwrap();
    tokio::spawn(serve(listener, parrot.clone(), parrot.clone(), Clock::system(), cancel.clone()));
    let endpoint: Endpoint = format!("unix://{}", path.display()).parse().unwrap();
    Bench {
        parrot,
        runtime: RuntimeClient::new(&endpoint, Clock::system()),
        images: ImageClient::new(&endpoint),
        channel: grpc::Channel::unix(&path),
        _folder: folder,
        _stop: cancel.drop_guard(),
    }
}

#[tokio::test]
async fn every_call_reaches_its_method_and_brings_back_its_status() {
    let bench = bench(Parrot::default());
    macro_rules! check {
        ($client:ident: $($method:ident)*) => {
            $(
                let answered = bench.$client.$method(Default::default()).await.map(drop);
                assert_eq!(answered, said(stringify!($method)));
            )*
        };
    }
    check!(runtime: version status run_pod_sandbox stop_pod_sandbox remove_pod_sandbox pod_sandbox_status);
    check!(runtime: create_container start_container stop_container remove_container container_status);
    check!(runtime: update_container_resources update_runtime_config reopen_container_log);
    check!(runtime: exec_sync exec attach port_forward);
    check!(runtime: container_stats list_container_stats pod_sandbox_stats list_pod_sandbox_stats);
    check!(runtime: list_metric_descriptors list_pod_sandbox_metrics runtime_config update_pod_sandbox_resources);
    check!(images: image_status pull_image remove_image image_fs_info);
    assert_eq!(bench.images.list_images(Default::default()).await.unwrap().images.len(), 3);
    assert_eq!(bench.runtime.list_containers(Default::default()).await.unwrap().containers.len(), 1);
    let checkpoint = bench.runtime.checkpoint_container(Default::default()).await.unwrap_err();
    assert_eq!(checkpoint, Status::unimplemented("method CheckpointContainer not implemented"));
}

/// The names are those of upstream's definition; what it does not name is told apart.
#[tokio::test]
async fn calls_have_the_names_of_the_protocol() {
    let bench = bench(Parrot { has_events: true, ..Parrot::default() });
    let runtime = "Version RunPodSandbox StopPodSandbox RemovePodSandbox PodSandboxStatus ListPodSandbox \
        StreamPodSandboxes CreateContainer StartContainer StopContainer RemoveContainer ListContainers \
        StreamContainers ContainerStatus UpdateContainerResources ReopenContainerLog ExecSync Exec Attach PortForward \
        ContainerStats ListContainerStats StreamContainerStats PodSandboxStats ListPodSandboxStats \
        StreamPodSandboxStats UpdateRuntimeConfig Status GetContainerEvents ListMetricDescriptors \
        ListPodSandboxMetrics StreamPodSandboxMetrics RuntimeConfig UpdatePodSandboxResources";
    let images = "ListImages StreamImages ImageStatus PullImage RemoveImage ImageFsInfo";
    let call = async |path: String| bench.channel.unary::<VersionResponse>(&path, &(), None).await;
    for (service, methods) in [("RuntimeService", runtime), ("ImageService", images)] {
        for method in methods.split_whitespace() {
            let answered = call(format!("runtime.v1.{service}/{method}")).await;
            assert!(!matches!(&answered, Err(status) if status.code == Code::Unimplemented), "{method}: {answered:?}");
        }
    }
    let unknown = call("runtime.v1.RuntimeService/Fly".to_owned()).await.unwrap_err();
    assert_eq!(unknown, Status::unimplemented("unknown method Fly for service runtime.v1.RuntimeService"));
    let unknown = call("runtime.v1alpha2.RuntimeService/Version".to_owned()).await.unwrap_err();
    assert_eq!(unknown, Status::unimplemented("unknown service runtime.v1alpha2.RuntimeService"));
}

#[tokio::test]
async fn lists_are_streamed_one_at_a_time() {
    let bench = bench(Parrot::default());
    *bench.parrot.sandboxes.lock().unwrap() = ["a", "b", "ab"].map(sandbox).into();
    let filter = Some(PodSandboxFilter { id: "a".to_owned(), ..Default::default() });
    let request = StreamPodSandboxesRequest { filter };
    let mut listed = bench.channel.stream("runtime.v1.RuntimeService/StreamPodSandboxes", &request).await.unwrap();
    let mut ids = Vec::new();
    while let Some(item) = listed.next().await {
        let StreamPodSandboxesResponse { pod_sandbox } = item.unwrap();
        ids.push(pod_sandbox.unwrap().id);
    }
    assert_eq!(ids, ["a", "ab"]);
    let path = "runtime.v1.ImageService/StreamImages";
    let mut listed = bench.channel.stream(path, &StreamImagesRequest::default()).await.unwrap();
    let mut sizes = Vec::new();
    while let Some(item) = listed.next().await {
        let StreamImagesResponse { image } = item.unwrap();
        sizes.push(image.unwrap().size);
    }
    assert_eq!(sizes, [0, 1, 2]);
}

#[tokio::test]
async fn events_come_as_the_runtime_tells_them() {
    let bench = bench(Parrot { has_events: true, ..Parrot::default() });
    let mut events = bench.runtime.container_events().await.unwrap();
    assert_eq!(events.next().await.unwrap().unwrap().container_id, "c");
    let cut = events.next().await.unwrap().unwrap_err();
    assert_eq!(cut, Status::new(Code::ResourceExhausted, "3 events were missed; list again"));
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn events_of_a_runtime_that_tells_none_are_found_by_looking() {
    let bench = bench(Parrot::default());
    *bench.parrot.sandboxes.lock().unwrap() = vec![sandbox("old")];
    let mut events = bench.runtime.container_events().await.unwrap();
    *bench.parrot.sandboxes.lock().unwrap() = vec![sandbox("new")];
    let mut told = BTreeMap::new();
    for _ in 0..2 {
        let event = events.next().await.unwrap().unwrap();
        told.insert(event.pod_sandbox_status.unwrap().labels["uid"].clone(), event.container_event_type);
    }
    let expected = [("new", ContainerEventType::StartedEvent), ("old", ContainerEventType::DeletedEvent)];
    assert_eq!(told, expected.map(|(uid, kind)| (uid.to_owned(), kind as i32)).into());
}

fn sandbox(id: &str) -> PodSandbox {
    PodSandbox { id: id.to_owned(), labels: [("uid".to_owned(), id.to_owned())].into(), ..PodSandbox::default() }
}
