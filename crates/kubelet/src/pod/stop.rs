//! Stops one container: the preStop hook, then the signal, within one span of grace.

use std::sync::Arc;
use std::time::Duration;

use api::k8s::api::core::v1::Pod;
use cri::StopContainerRequest;
use jiff::Timestamp;
use reconcile::EventType::{Normal, Warning};

use super::{Context, lifecycle, spec};

/// However long the hook took, the container has this long to answer its signal.
const MINIMUM_GRACE: Duration = Duration::from_secs(2);

pub(crate) struct ContainerStop {
    pub(crate) context: Arc<Context>,
    pub(crate) pod: Arc<Pod>,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) why: String,
    pub(crate) deadline: Timestamp,
    pub(crate) address: String,
}

impl ContainerStop {
    pub(crate) async fn run(self) -> cri::Result<()> {
        self.context.container_event(&self.pod, &self.name, Normal, "Killing", self.why.clone());
        let hooked = self.pre_stop().await;
        let left = self.left();
        let grace = if hooked { left.max(MINIMUM_GRACE) } else { left };
        // Rounded up: a grace of zero would be an immediate kill.
        let timeout = i64::try_from(grace.as_millis().div_ceil(1000)).unwrap_or(i64::MAX);
        self.context.runtime.stop_container(StopContainerRequest { container_id: self.id, timeout }).await?;
        Ok(())
    }

    /// Whether there was a hook to run.
    async fn pre_stop(&self) -> bool {
        let container = spec::find(&self.pod, &self.name).map(|(container, _)| container);
        let hook = container.as_ref().and_then(|container| container.lifecycle.as_ref()?.pre_stop.as_ref());
        let (Some(container), Some(hook)) = (&container, hook) else { return false };
        let grace = self.left();
        if grace.is_zero() {
            return false;
        }
        let run = lifecycle::run(&self.context, hook, container, &self.id, &self.address);
        match tokio::time::timeout(grace, run).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(pod = spec::long_name(&self.pod), container = self.name, error = %error, "the preStop hook failed");
                self.context.container_event(&self.pod, &self.name, Warning, "FailedPreStopHook", "PreStopHook failed");
            }
            Err(_) => {
                tracing::warn!(
                    pod = spec::long_name(&self.pod),
                    container = self.name,
                    "the preStop hook outlasted the grace period"
                );
            }
        }
        true
    }

    fn left(&self) -> Duration {
        let left = self.deadline.duration_since(self.context.ambient.clock.now());
        Duration::try_from(left).unwrap_or_default()
    }
}
