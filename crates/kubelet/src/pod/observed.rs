//! What the runtime knows of one pod, read anew at every wake.

use std::collections::HashMap;

use cri::{
    ContainerFilter, ContainerState, ContainerStatusRequest, ListContainersRequest, ListPodSandboxRequest,
    PodSandboxFilter, PodSandboxState, PodSandboxStatusRequest, RuntimeService,
};
use jiff::Timestamp;

use super::labels;

/// Newest first, both.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Observed {
    pub(crate) sandboxes: Vec<Sandbox>,
    pub(crate) containers: Vec<Container>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sandbox {
    pub(crate) id: String,
    pub(crate) attempt: u32,
    pub(crate) ready: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) ips: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) sandbox_id: String,
    pub(crate) name: String,
    pub(crate) restart_count: u32,
    pub(crate) created_at: Timestamp,
    pub(crate) state: State,
    pub(crate) image: String,
    pub(crate) image_id: String,
    pub(crate) log_path: String,
    /// Which spec it was made from; a running container with another hash is replaced.
    pub(crate) spec_hash: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum State {
    Created,
    Running {
        started_at: Timestamp,
    },
    Exited(Exit),
    /// The runtime cannot tell; it is killed and replaced.
    Unknown,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Exit {
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) finished_at: Timestamp,
    pub(crate) exit_code: i32,
    pub(crate) reason: String,
    pub(crate) message: String,
}

impl Observed {
    pub(crate) fn current_sandbox(&self) -> Option<&Sandbox> {
        self.sandboxes.first()
    }

    /// The newest container of this name, whichever sandbox it ran in.
    pub(crate) fn latest(&self, name: &str) -> Option<&Container> {
        self.containers.iter().find(|container| container.name == name)
    }

    /// The newest container of this name in the current sandbox.
    pub(crate) fn latest_in_current(&self, name: &str) -> Option<&Container> {
        let sandbox = self.current_sandbox()?;
        self.containers.iter().find(|container| container.name == name && container.sandbox_id == sandbox.id)
    }

    pub(crate) fn running(&self) -> impl Iterator<Item = &Container> {
        self.containers.iter().filter(|container| container.is_running())
    }
}

impl Container {
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    pub(crate) fn exit(&self) -> Option<&Exit> {
        match &self.state {
            State::Exited(exit) => Some(exit),
            _ => None,
        }
    }
}

/// Reads a pod's sandboxes and containers. What disappears between the list and its status is
/// left out.
pub(crate) async fn observe(runtime: &dyn RuntimeService, pod_uid: &str) -> cri::Result<Observed> {
    let selector = HashMap::from([(labels::POD_UID.to_owned(), pod_uid.to_owned())]);
    let sandbox_filter = PodSandboxFilter { label_selector: selector.clone(), ..PodSandboxFilter::default() };
    let container_filter = ContainerFilter { label_selector: selector, ..ContainerFilter::default() };
    let listed = runtime.list_pod_sandbox(ListPodSandboxRequest { filter: Some(sandbox_filter) }).await?;
    let mut sandboxes = Vec::with_capacity(listed.items.len());
    for item in listed.items {
        let request = PodSandboxStatusRequest { pod_sandbox_id: item.id.clone(), verbose: false };
        let status = match runtime.pod_sandbox_status(request).await {
            Ok(response) => response.status,
            Err(status) if status.code == cri::Code::NotFound => None,
            Err(status) => return Err(status),
        };
        sandboxes.extend(status.map(sandbox));
    }
    let listed = runtime.list_containers(ListContainersRequest { filter: Some(container_filter) }).await?;
    let mut containers = Vec::with_capacity(listed.containers.len());
    for item in listed.containers {
        let request = ContainerStatusRequest { container_id: item.id.clone(), verbose: false };
        let status = match runtime.container_status(request).await {
            Ok(response) => response.status,
            Err(status) if status.code == cri::Code::NotFound => None,
            Err(status) => return Err(status),
        };
        containers.extend(status.map(|status| container(status, item.pod_sandbox_id)));
    }
    sandboxes.sort_by_key(|sandbox| std::cmp::Reverse((sandbox.created_at, sandbox.attempt)));
    containers.sort_by_key(|container| std::cmp::Reverse((container.created_at, container.restart_count)));
    Ok(Observed { sandboxes, containers })
}

fn sandbox(status: cri::PodSandboxStatus) -> Sandbox {
    let ready = status.state == PodSandboxState::Ready as i32;
    let network = status.network.unwrap_or_default();
    let ips = std::iter::once(network.ip)
        .chain(network.additional_ips.into_iter().map(|additional| additional.ip))
        .filter(|ip| !ip.is_empty())
        .collect();
    Sandbox {
        id: status.id,
        attempt: status.metadata.map_or(0, |metadata| metadata.attempt),
        ready,
        created_at: timestamp(status.created_at),
        ips,
    }
}

fn container(status: cri::ContainerStatus, sandbox_id: String) -> Container {
    let metadata = status.metadata.unwrap_or_default();
    let state = match ContainerState::try_from(status.state) {
        Ok(ContainerState::Created) => State::Created,
        Ok(ContainerState::Running) => State::Running { started_at: timestamp(status.started_at) },
        Ok(ContainerState::Exited) => State::Exited(Exit {
            started_at: (status.started_at != 0).then(|| timestamp(status.started_at)),
            finished_at: timestamp(status.finished_at),
            exit_code: status.exit_code,
            reason: status.reason,
            message: termination_message(&status.annotations, &status.mounts, &status.log_path, status.exit_code)
                .unwrap_or(status.message),
        }),
        Ok(ContainerState::Unknown) | Err(_) => State::Unknown,
    };
    let restart_count =
        status.annotations.get(labels::RESTART_COUNT).and_then(|count| count.parse().ok()).unwrap_or(metadata.attempt);
    let image = status.image.unwrap_or_default();
    let named = if image.user_specified_image.is_empty() { image.image } else { image.user_specified_image };
    let image_id = if status.image_ref.is_empty() { status.image_id } else { status.image_ref };
    Container {
        id: status.id,
        sandbox_id,
        name: metadata.name,
        restart_count,
        created_at: timestamp(status.created_at),
        state,
        image: named,
        image_id,
        log_path: status.log_path,
        spec_hash: status.annotations.get(labels::SPEC_HASH).cloned().unwrap_or_default(),
    }
}

/// What a container left in its termination-message file, or the tail of its log where the policy
/// falls back to it and the container failed.
fn termination_message(
    annotations: &HashMap<String, String>,
    mounts: &[cri::Mount],
    log_path: &str,
    exit_code: i32,
) -> Option<String> {
    let path = annotations.get(labels::TERMINATION_MESSAGE_PATH)?;
    let mount = mounts.iter().find(|mount| &mount.container_path == path);
    let written = mount.and_then(|mount| crate::termination::read_message(&mount.host_path));
    if let Some(message) = written.filter(|message| !message.is_empty()) {
        return Some(message);
    }
    let falls_back =
        annotations.get(labels::TERMINATION_MESSAGE_POLICY).is_some_and(|policy| policy == "FallbackToLogsOnError");
    if falls_back && exit_code != 0 { crate::termination::read_log_tail(log_path) } else { None }
}

/// CRI's nanoseconds since the epoch.
fn timestamp(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or(Timestamp::UNIX_EPOCH)
}
