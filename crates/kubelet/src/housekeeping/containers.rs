//! What is left of containers whose pods have ended goes when the disk runs short: their layers and logs. Their pods'
//! statuses tell how they ended all the same.

use std::collections::BTreeSet;
use std::path::Path;

use cri::{
    ContainerFilter, ContainerState, ContainerStateValue, ContainerStatusRequest, ListContainersRequest,
    RemoveContainerRequest,
};

use super::logs;
use crate::pod::{Context, labels};

/// Removes the containers of pods that have ended, by uid; how many there were.
pub(crate) async fn remove_of(context: &Context, ended: &BTreeSet<String>) -> cri::Result<usize> {
    let exited = ContainerStateValue { state: ContainerState::Exited as i32 };
    let filter = ContainerFilter { state: Some(exited), ..ContainerFilter::default() };
    let listed = context.runtime.list_containers(ListContainersRequest { filter: Some(filter) }).await?.containers;
    let mut removed = 0;
    for container in listed {
        let is_of_ended = container.labels.get(labels::POD_UID).is_some_and(|uid| ended.contains(uid));
        if !is_of_ended || container.state != ContainerState::Exited as i32 {
            continue;
        }
        match remove(context, &container.id).await {
            Ok(()) => removed += 1,
            Err(status) => {
                tracing::warn!(container = container.id, error = %status, "what is left of a container was not removed");
            }
        }
    }
    Ok(removed)
}

async fn remove(context: &Context, id: &str) -> cri::Result<()> {
    let request = ContainerStatusRequest { container_id: id.to_owned(), verbose: false };
    let status = context.runtime.container_status(request).await?.status;
    context.runtime.remove_container(RemoveContainerRequest { container_id: id.to_owned() }).await?;
    let log_path = status.map(|status| status.log_path).filter(|path| !path.is_empty());
    if let Some(Err(error)) = log_path.as_ref().map(|path| logs::remove(Path::new(path))) {
        tracing::warn!(container = id, %error, "a dead container's logs were not removed");
    }
    Ok(())
}
