//! A pod on this node: what is to be done with it, and one worker that does it.

pub(crate) mod admit;
pub(crate) mod backoff;
pub(crate) mod cgroups;
mod conditions;
pub(crate) mod images;
pub(crate) mod labels;
mod lifecycle;
pub(crate) mod manager;
mod mirror;
pub(crate) mod observed;
pub(crate) mod plan;
mod preempt;
pub(crate) mod publish;
pub(crate) mod resize;
pub(crate) mod spec;
mod start;
mod status;
mod stop;
mod worker;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use api::k8s::api::core::v1::{Node, ObjectReference, Pod, Service};
use client::Client;
use cri::{ImageService, RuntimeService};
use jiff::Timestamp;
use reconcile::{EventType, Informer, Recorder, reference_to};
use stdx::Ambient;
use tokio::sync::{Notify, watch};

use crate::config::NodeFacts;
use crate::counts::{Counts, ProbeKey};
use crate::managers::Managers;
use crate::node::machine::Pressures;
use crate::references::References;
use crate::volumes::attach::VolumesInUse;
use crate::volumes::claims::MountedClaims;
use crate::volumes::mounts::Mounter;
use crate::volumes::tokens::Tokens;
use manager::Mailboxes;
use spec::Role;

/// What every worker shares.
pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) runtime: Arc<dyn RuntimeService>,
    pub(crate) images: Arc<dyn ImageService>,
    pub(crate) node: NodeFacts,
    pub(crate) ambient: Ambient,
    pub(crate) recorder: Recorder,
    pub(crate) references: References,
    pub(crate) services: Informer<Service>,
    pub(crate) tokens: Tokens,
    pub(crate) mounter: Box<dyn Mounter>,
    pub(crate) registries: images::SilentRegistries,
    /// This node's own object.
    pub(crate) own_node: Informer<Node>,
    pub(crate) mailboxes: Arc<Mailboxes>,
    /// What the node runs short of.
    pub(crate) pressures: Pressures,
    pub(crate) mounted_claims: MountedClaims,
    pub(crate) volumes_in_use: VolumesInUse,
    pub(crate) managers: Arc<Managers>,
    /// Set when the machine is about to go down: no pod is taken any more.
    pub(crate) is_shutting_down: AtomicBool,
    pub(crate) probe_counts: Counts<ProbeKey>,
    /// By signal.
    pub(crate) eviction_counts: Counts<&'static str>,
    /// Told when something that the node's status shows may have changed.
    pub(crate) node_changed: Arc<Notify>,
    /// Moves with every event of the runtime.
    pub(crate) runtime_events: watch::Sender<u64>,
    /// When this program started: probes of pods that ran before spread over their first period.
    pub(crate) started_at: tokio::time::Instant,
    /// When the machine started.
    pub(crate) booted_at: Timestamp,
}

impl Context {
    pub(crate) fn own_node(&self) -> Option<Arc<Node>> {
        self.own_node.get(&api::NamespacedName::new("", self.node.node_name.clone()))
    }

    pub(crate) fn pod_event(&self, pod: &Pod, event_type: EventType, reason: &str, message: impl Into<String>) {
        self.recorder.event(&reference_to(pod), event_type, reason, message);
    }

    /// An event about one container of the pod.
    pub(crate) fn container_event(
        &self,
        pod: &Pod,
        name: &str,
        event_type: EventType,
        reason: &str,
        message: impl Into<String>,
    ) {
        let role = spec::find(pod, name).map_or(Role::App, |(_, role)| role);
        let about = ObjectReference { field_path: Some(role.field_path(name)), ..reference_to(pod) };
        self.recorder.event(&about, event_type, reason, message);
    }
}
