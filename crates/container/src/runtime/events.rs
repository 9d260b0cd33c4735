//! What happens in shims, told to whoever listens.

use std::sync::{Arc, Weak};

use cri::{Code, ContainerEventResponse, ContainerEventType, Status};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tokio::sync::broadcast::error::RecvError;

use super::sandbox::Sandbox;
use super::shim_client::{self, Conversation};
use super::{Runtime, internal_chain};
use crate::shim::protocol::{EventKind, Reply, Request};

/// A listener that is further behind is told so and lists again.
pub(super) const EVENTS_KEPT: usize = 1024;

impl Runtime {
    /// Listens to a sandbox's shim until it or the runtime ends.
    pub(super) async fn follow(self: &Arc<Self>, sandbox: Arc<Sandbox>) -> cri::Result<()> {
        let conversation = shim_client::ask(&self.shim_folder(&sandbox.id), &Request::Subscribe, &[]).await;
        let conversation = conversation.map_err(|error| internal_chain(&error))?;
        let cancelled = self.cancel.clone().cancelled_owned();
        let runtime = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::select! {
                () = cancelled => {}
                () = listen(runtime, sandbox, conversation) => {}
            }
        });
        Ok(())
    }

    /// Tells of a change with the pod's state after it.
    pub(super) fn announce(&self, sandbox_id: &str, id: &str, kind: ContainerEventType) {
        if self.events.receiver_count() == 0 {
            return;
        }
        let statuses = self.containers_of(sandbox_id).into_iter().filter_map(|container| {
            let status = self.status_of_container(&container);
            status.inspect_err(|error| tracing::warn!(container = container.id, %error, "cannot read a state")).ok()
        });
        let event = ContainerEventResponse {
            container_id: id.to_owned(),
            container_event_type: kind as i32,
            created_at: self.now_nanoseconds(),
            pod_sandbox_status: self.sandbox(sandbox_id).map(|sandbox| self.status_of_sandbox(&sandbox)),
            containers_statuses: statuses.collect(),
        };
        // Nobody listens any more: then nobody misses it.
        drop(self.events.send(event));
    }

    pub(super) fn event_stream(&self) -> BoxStream<'static, cri::Result<ContainerEventResponse>> {
        let receiver = self.events.subscribe();
        stream::unfold(Some(receiver), |receiver| async {
            let mut receiver = receiver?;
            match receiver.recv().await {
                Ok(event) => Some((Ok(event), Some(receiver))),
                Err(RecvError::Closed) => None,
                Err(RecvError::Lagged(missed)) => {
                    let reason = format!("{missed} events were missed; list again");
                    Some((Err(Status::new(Code::ResourceExhausted, reason)), None))
                }
            }
        })
        .boxed()
    }
}

async fn listen(runtime: Weak<Runtime>, sandbox: Arc<Sandbox>, mut conversation: Conversation) {
    loop {
        let reply = conversation.next().await;
        let Some(runtime) = runtime.upgrade() else { return };
        match reply {
            Ok(Some(Reply::Event { container_id, kind })) => {
                let kind = match kind {
                    EventKind::Started => ContainerEventType::StartedEvent,
                    EventKind::Stopped => ContainerEventType::StoppedEvent,
                };
                if let Some(container) = runtime.container(&container_id) {
                    container.changed();
                }
                runtime.announce(&sandbox.id, &container_id, kind);
            }
            Ok(Some(other)) => tracing::warn!(sandbox = sandbox.id, ?other, "an unexpected word from a shim"),
            Ok(None) | Err(_) => {
                runtime.bury(&sandbox);
                return;
            }
        }
    }
}
