//! Events of a runtime that tells of none: found by looking at everything once a second, as upstream's kubelet does.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt};
use stdx::Clock;

use crate::*;

/// Upstream's period.
const RELIST_EVERY: Duration = Duration::from_secs(1);

/// What was there at the last look, and who looks.
pub(crate) struct Relist {
    runtime: Arc<dyn RuntimeService>,
    clock: Clock,
    seen: Seen,
    /// Found at the last look and not told yet; as many as things have changed.
    found: VecDeque<ContainerEventResponse>,
}

impl Relist {
    /// Takes the first look: what changes after it is an event.
    pub(crate) async fn begin(runtime: impl RuntimeService, clock: Clock) -> Result<Self> {
        let runtime: Arc<dyn RuntimeService> = Arc::new(runtime);
        let seen = look(&*runtime).await?;
        Ok(Relist { runtime, clock, seen, found: VecDeque::new() })
    }

    /// Ends with the first look that fails.
    pub(crate) fn events(self) -> BoxStream<'static, Result<ContainerEventResponse>> {
        stream::unfold(Some(self), |relist| async {
            let mut relist = relist?;
            match relist.next().await {
                Ok(event) => Some((Ok(event), Some(relist))),
                Err(status) => Some((Err(status), None)),
            }
        })
        .boxed()
    }

    async fn next(&mut self) -> Result<ContainerEventResponse> {
        loop {
            if let Some(event) = self.found.pop_front() {
                return Ok(event);
            }
            self.clock.sleep(RELIST_EVERY).await;
            let seen = look(&*self.runtime).await?;
            let now = i64::try_from(self.clock.now().as_nanosecond()).unwrap_or(i64::MAX);
            self.found = changes(&self.seen, &seen, now).into();
            self.seen = seen;
        }
    }
}

/// Sandboxes and containers by their ids.
#[derive(Clone, Debug, Default, PartialEq)]
struct Seen {
    sandboxes: BTreeMap<String, PodSandbox>,
    containers: BTreeMap<String, Container>,
}

async fn look(runtime: &dyn RuntimeService) -> Result<Seen> {
    // Containers first: a sandbox made between the two looks is then there with no container, and not the reverse.
    let containers = runtime.list_containers(ListContainersRequest { filter: None }).await?.containers;
    let sandboxes = runtime.list_pod_sandbox(ListPodSandboxRequest { filter: None }).await?.items;
    Ok(Seen {
        sandboxes: sandboxes.into_iter().map(|sandbox| (sandbox.id.clone(), sandbox)).collect(),
        containers: containers.into_iter().map(|container| (container.id.clone(), container)).collect(),
    })
}

/// One event for each thing that came, went or is in another state, those of containers first: when a pod's sandbox is
/// told to have ended, so have its containers.
fn changes(before: &Seen, after: &Seen, now: i64) -> Vec<ContainerEventResponse> {
    let event = |id: &str, kind: ContainerEventType, sandbox: Option<&PodSandbox>| ContainerEventResponse {
        container_id: id.to_owned(),
        container_event_type: kind as i32,
        created_at: now,
        pod_sandbox_status: sandbox.map(status),
        containers_statuses: Vec::new(),
    };
    let sandbox_of = |container: &Container| {
        let id = &container.pod_sandbox_id;
        after.sandboxes.get(id).or_else(|| before.sandboxes.get(id))
    };
    let mut events = Vec::new();
    for (id, container) in &after.containers {
        let known = before.containers.get(id).map(|container| container.state);
        if let Some(kind) = change(known.map(container_event), container_event(container.state)) {
            events.push(event(id, kind, sandbox_of(container)));
        }
    }
    for (id, container) in before.containers.iter().filter(|(id, _)| !after.containers.contains_key(*id)) {
        events.push(event(id, ContainerEventType::DeletedEvent, sandbox_of(container)));
    }
    for (id, sandbox) in &after.sandboxes {
        let known = before.sandboxes.get(id).map(|sandbox| sandbox.state);
        if let Some(kind) = change(known.map(sandbox_event), sandbox_event(sandbox.state)) {
            events.push(event(id, kind, Some(sandbox)));
        }
    }
    for (id, sandbox) in before.sandboxes.iter().filter(|(id, _)| !after.sandboxes.contains_key(*id)) {
        events.push(event(id, ContainerEventType::DeletedEvent, Some(sandbox)));
    }
    events
}

fn change(before: Option<ContainerEventType>, after: ContainerEventType) -> Option<ContainerEventType> {
    (before != Some(after)).then_some(after)
}

/// What tells that a container is in this state.
fn container_event(state: i32) -> ContainerEventType {
    match ContainerState::try_from(state) {
        Ok(ContainerState::Created) => ContainerEventType::CreatedEvent,
        Ok(ContainerState::Running) => ContainerEventType::StartedEvent,
        Ok(ContainerState::Exited | ContainerState::Unknown) | Err(_) => ContainerEventType::StoppedEvent,
    }
}

fn sandbox_event(state: i32) -> ContainerEventType {
    match PodSandboxState::try_from(state) {
        Ok(PodSandboxState::Ready) => ContainerEventType::StartedEvent,
        Ok(PodSandboxState::Notready) | Err(_) => ContainerEventType::StoppedEvent,
    }
}

/// As much of a sandbox's status as a list tells.
fn status(sandbox: &PodSandbox) -> PodSandboxStatus {
    PodSandboxStatus {
        id: sandbox.id.clone(),
        metadata: sandbox.metadata.clone(),
        state: sandbox.state,
        created_at: sandbox.created_at,
        network: None,
        linux: None,
        labels: sandbox.labels.clone(),
        annotations: sandbox.annotations.clone(),
        runtime_handler: sandbox.runtime_handler.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(sandboxes: &[(&str, PodSandboxState)], containers: &[(&str, &str, ContainerState)]) -> Seen {
        let sandbox = |(id, state): &(&str, PodSandboxState)| {
            let labels = [("uid".to_owned(), format!("of-{id}"))].into();
            let sandbox = PodSandbox { id: (*id).to_owned(), state: *state as i32, labels, ..Default::default() };
            ((*id).to_owned(), sandbox)
        };
        let container = |(id, sandbox, state): &(&str, &str, ContainerState)| {
            let (id, pod_sandbox_id) = ((*id).to_owned(), (*sandbox).to_owned());
            (id.clone(), Container { id, pod_sandbox_id, state: *state as i32, ..Default::default() })
        };
        Seen {
            sandboxes: sandboxes.iter().map(sandbox).collect(),
            containers: containers.iter().map(container).collect(),
        }
    }

    #[test]
    fn what_came_went_or_changed_is_told_with_its_pod() {
        use ContainerEventType::*;
        use ContainerState::{Created, Exited, Running, Unknown};
        use PodSandboxState::{Notready, Ready};
        let empty = Seen::default();
        let made = seen(&[("s", Ready)], &[("c", "s", Created)]);
        let runs = seen(&[("s", Ready)], &[("c", "s", Running)]);
        let ended = seen(&[("s", Ready)], &[("c", "s", Exited)]);
        let lost = seen(&[("s", Ready)], &[("c", "s", Unknown)]);
        let over = seen(&[("s", Notready)], &[]);
        for (before, after, expected) in [
            (&empty, &empty, vec![]),
            (&empty, &made, vec![("c", CreatedEvent), ("s", StartedEvent)]),
            (&made, &made, vec![]),
            (&made, &runs, vec![("c", StartedEvent)]),
            (&runs, &ended, vec![("c", StoppedEvent)]),
            (&runs, &lost, vec![("c", StoppedEvent)]),
            (&ended, &lost, vec![]),
            // It ran and ended between two looks: its end is what matters.
            (&empty, &ended, vec![("c", StoppedEvent), ("s", StartedEvent)]),
            (&ended, &over, vec![("c", DeletedEvent), ("s", StoppedEvent)]),
            (&over, &empty, vec![("s", DeletedEvent)]),
            (&runs, &empty, vec![("c", DeletedEvent), ("s", DeletedEvent)]),
        ] {
            let told = changes(before, after, 7);
            let kinds: Vec<(&str, ContainerEventType)> =
                told.iter().map(|event| (event.container_id.as_str(), event.container_event_type())).collect();
            assert_eq!(kinds, expected);
            for event in &told {
                assert_eq!(event.pod_sandbox_status.as_ref().unwrap().labels["uid"], "of-s");
                assert_eq!(event.created_at, 7);
            }
        }
    }
}
