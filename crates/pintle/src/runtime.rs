//! Who runs this node's containers: this program, or another's runtime at a socket.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context;
use cluster::{RemoteRuntime, Settings};
use container::Runtime;
use cri::{
    Endpoint, ImageClient, ImageService, ListPodSandboxRequest, RemovePodSandboxRequest, RuntimeClient, RuntimeService,
    StopPodSandboxRequest, VersionRequest,
};
use network::Bridge;
use stdx::{Ambient, Clock};
use tokio_util::sync::CancellationToken;

use crate::server::Rooms;

/// The label by which kubelets know their pods' sandboxes.
const POD_UID_LABEL: &str = "io.kubernetes.pod.uid";

pub(crate) struct NodeRuntime {
    pub(crate) runtime: Arc<dyn RuntimeService>,
    pub(crate) images: Arc<dyn ImageService>,
    /// The pod network, where it is ours: another's runtime brings its own.
    pub(crate) bridge: Option<Arc<Bridge>>,
}

pub(crate) async fn open(
    settings: &Settings,
    ambient: &Ambient,
    cancel: &CancellationToken,
    rooms: &mut Rooms,
) -> anyhow::Result<NodeRuntime> {
    match &settings.container_runtime {
        None => open_built_in(settings, ambient, cancel, rooms).await,
        Some(remote) => connect(remote, ambient).await,
    }
}

/// The built-in runtime; others reach it at a socket too.
async fn open_built_in(
    settings: &Settings,
    ambient: &Ambient,
    cancel: &CancellationToken,
    rooms: &mut Rooms,
) -> anyhow::Result<NodeRuntime> {
    let bridge = Bridge::open(network::Config {
        bridge: settings.bridge(),
        cluster: settings.name.clone(),
        state_dir: settings.network_dir(),
        ambient: ambient.clone(),
    })?;
    let runtime = Runtime::open(container::Config {
        cluster: settings.name.clone(),
        data_dir: settings.data_dir.clone(),
        run_dir: settings.run_dir.clone(),
        network: bridge.clone(),
        shim_program: std::env::current_exe().context("cannot find this program's own file")?,
        ambient: ambient.clone(),
    })
    .await?;
    let socket = settings.cri_socket();
    let listener = cri::bind(&socket).with_context(|| format!("cannot listen at {}", socket.display()))?;
    rooms.spawn({
        let (runtime, clock, cancel) = (runtime.clone(), ambient.clock, cancel.clone());
        async move {
            cri::serve(listener, runtime.clone(), runtime, clock, cancel).await;
            Ok(())
        }
    });
    Ok(NodeRuntime { runtime: runtime.clone(), images: runtime, bridge: Some(bridge) })
}

/// A runtime that does not answer ends the start, in the words of upstream's kubelet.
async fn connect(remote: &RemoteRuntime, ambient: &Ambient) -> anyhow::Result<NodeRuntime> {
    let runtime = RuntimeClient::new(&endpoint(&remote.runtime)?, ambient.clock);
    let answered = runtime.version(VersionRequest { version: "v1".to_owned() }).await;
    let version = answered.with_context(|| format!("validate CRI v1 runtime API for endpoint {:?}", remote.runtime))?;
    tracing::info!(name = version.runtime_name, version = version.runtime_version, "containers are another's");
    let images = ImageClient::new(&endpoint(&remote.images)?);
    let listed = images.list_images(cri::ListImagesRequest { filter: None }).await;
    listed.with_context(|| format!("validate CRI v1 image API for endpoint {:?}", remote.images))?;
    Ok(NodeRuntime { runtime: Arc::new(runtime), images: Arc::new(images), bridge: None })
}

/// Stops and removes the cluster's pods at another's runtime; those of the built-in one end with their shims. The
/// folders of the stopped kubelet tell which are the cluster's: others may run their own there.
pub(crate) async fn remove_pods(settings: &Settings) -> anyhow::Result<()> {
    let Some(remote) = &settings.container_runtime else { return Ok(()) };
    let pods = settings.kubelet_dir().join("pods");
    let own: BTreeSet<String> = match std::fs::read_dir(&pods) {
        Ok(entries) => entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", pods.display())),
    };
    let runtime = RuntimeClient::new(&endpoint(&remote.runtime)?, Clock::system());
    let failed = || format!("the cluster's pods stay in {}", remote.runtime);
    let sandboxes = runtime.list_pod_sandbox(ListPodSandboxRequest { filter: None }).await.with_context(failed)?.items;
    for sandbox in sandboxes {
        if !sandbox.labels.get(POD_UID_LABEL).is_some_and(|uid| own.contains(uid)) {
            continue;
        }
        let pod_sandbox_id = sandbox.id;
        let stop = StopPodSandboxRequest { pod_sandbox_id: pod_sandbox_id.clone() };
        runtime.stop_pod_sandbox(stop).await.with_context(failed)?;
        runtime.remove_pod_sandbox(RemovePodSandboxRequest { pod_sandbox_id }).await.with_context(failed)?;
    }
    Ok(())
}

fn endpoint(text: &str) -> anyhow::Result<Endpoint> {
    Ok(text.parse()?)
}
