//! Containers that run and share processors move when the shared ones are others.

use cri::{
    ContainerFilter, ContainerState, ContainerStateValue, LinuxContainerResources, ListContainersRequest,
    UpdateContainerResourcesRequest,
};

use super::cpu_set::CpuSet;
use crate::pod::{Context, labels};

/// Follows what is shared until dropped.
pub(crate) async fn keep_shared(context: &Context) {
    let mut moved = context.managers.shared_moved.subscribe();
    while moved.changed().await.is_ok() {
        moved.mark_unchanged();
        if let Err(status) = move_all(context).await {
            tracing::warn!(error = %status, "containers were not moved to other processors");
        }
    }
}

async fn move_all(context: &Context) -> cri::Result<()> {
    let running = ContainerStateValue { state: ContainerState::Running as i32 };
    let filter = ContainerFilter { state: Some(running), ..ContainerFilter::default() };
    let listed = context.runtime.list_containers(ListContainersRequest { filter: Some(filter) }).await?;
    for container in listed.containers {
        let label = |key: &str| container.labels.get(key).map_or("", String::as_str);
        let (uid, name) = (label(labels::POD_UID), label(labels::CONTAINER_NAME));
        let allotment = context.managers.allotment(uid, name);
        if allotment.is_exclusive || allotment.cpus.is_empty() {
            continue;
        }
        if let Err(status) = confine(context, &container.id, &allotment.cpus).await {
            // It may have ended just now; one that runs on keeps what it had.
            tracing::warn!(container = container.id, error = %status, "a container was not moved to other processors");
        }
    }
    Ok(())
}

/// A container that was made while the shared processors changed runs on those it was made for: moves it after.
pub(crate) async fn settle(context: &Context, uid: &str, name: &str, id: &str, made_for: &str) -> cri::Result<()> {
    let allotment = context.managers.allotment(uid, name);
    if allotment.cpus.is_empty() || allotment.cpus.to_string() == made_for {
        return Ok(());
    }
    confine(context, id, &allotment.cpus).await
}

async fn confine(context: &Context, id: &str, cpus: &CpuSet) -> cri::Result<()> {
    let resources = LinuxContainerResources { cpuset_cpus: cpus.to_string(), ..LinuxContainerResources::default() };
    let request = UpdateContainerResourcesRequest {
        container_id: id.to_owned(),
        linux: Some(resources),
        ..UpdateContainerResourcesRequest::default()
    };
    context.runtime.update_container_resources(request).await.map(drop)
}
