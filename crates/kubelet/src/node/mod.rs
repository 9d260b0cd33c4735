//! The node's own object: it registers, says how it is, and keeps its lease.

mod lease;
pub(crate) mod machine;
mod status;

pub(crate) use lease::DURATION_SECONDS as LEASE_SECONDS;
pub(crate) use status::{MAXIMUM_IMAGES, MAXIMUM_PODS, is_extended};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use api::k8s::api::core::v1::Node;
use api::k8s::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use client::kube::api::{Patch, PatchParams, PostParams};
use client::{Api, CallError};
use cri::{ListImagesRequest, NetworkConfig, RuntimeConfig, StatusRequest, UpdateRuntimeConfigRequest, VersionRequest};
use reconcile::{EventType, Informer};
use serde_json::json;
use stdx::Backoff;

use crate::pod::{Context, publish, spec};
use crate::policy::Policy;
use machine::Machine;
use status::Telling;

/// Without any change the status is written this often.
pub(crate) const REPORT_EVERY: Duration = Duration::from_secs(300);
/// A runtime that is not ready is asked again after this; nothing tells when it becomes so.
const ASK_AGAIN_FIRST: Duration = Duration::from_millis(100);
const ASK_AGAIN_CAP: Duration = Duration::from_secs(10);
const ATTEMPTS: usize = 5;
/// A node that was ready before this program started is not called unready before the runtime had
/// this long to find itself again; its pods have lived on meanwhile.
const SETTLE: Duration = Duration::from_secs(2);
/// A runtime that gives no answer within this counts as down.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);

pub(crate) struct NodeKeeper {
    pub(crate) context: Arc<Context>,
    pub(crate) machine: Machine,
    pub(crate) policy: Arc<Policy>,
    pub(crate) port: u16,
}

impl NodeKeeper {
    /// Registers and then keeps the node's object true until dropped.
    pub(crate) async fn run(self) {
        let node = self.register().await;
        self.context.recorder.normal(&node, "Starting", "Starting kubelet.");
        let lease = lease::keep(self.context.client.clone(), node, self.context.ambient.clone());
        let _lease = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(lease));
        let own = &self.context.own_node;
        let changed = Arc::clone(&self.context.node_changed);
        own.on_change(move |old, new| {
            let ranges = |node: Option<&Arc<Node>>| node.and_then(|node| node.spec.as_ref()?.pod_cidrs.clone());
            if ranges(old) != ranges(new) {
                changed.notify_one();
            }
        });
        self.keep(own).await;
    }

    async fn keep(&self, own: &Informer<Node>) {
        own.synced().await;
        let mut configured: Option<Vec<String>> = None;
        let mut again = Backoff::new(ASK_AGAIN_FIRST, ASK_AGAIN_CAP);
        let mut was_ready = None;
        let settled_at = self.context.ambient.clock.instant() + SETTLE;
        loop {
            let key = api::NamespacedName::new("", self.context.node.node_name.clone());
            let node = match own.get(&key) {
                Some(node) => Node::clone(&node),
                // Somebody deleted it: a node that runs is there.
                None => self.register().await,
            };
            let ranges = node.spec.as_ref().and_then(|spec| spec.pod_cidrs.clone()).unwrap_or_default();
            if !ranges.is_empty() && configured.as_ref() != Some(&ranges) && self.configure(&ranges).await {
                configured = Some(ranges);
            }
            let settling = self.context.ambient.clock.instant() < settled_at;
            let wait = match self.report(&node, settling).await {
                Ok(None) => again.next_delay(),
                Ok(Some(ready)) => {
                    // A node found as it was has no news; nor has a new one before it is first ready.
                    let before = was_ready.replace(ready).or_else(|| status::readiness(&node));
                    if before.is_some_and(|before| before != ready) {
                        let reason = if ready { "NodeReady" } else { "NodeNotReady" };
                        let message = format!("Node {} status is now: {reason}", self.context.node.node_name);
                        self.context.recorder.event(
                            &reconcile::reference_to(&node),
                            EventType::Normal,
                            reason,
                            message,
                        );
                    }
                    if ready { REPORT_EVERY } else { again.next_delay() }
                }
                Err(error) => {
                    tracing::warn!(error = stdx::error::chain(&error), "the node's status was not written");
                    again.next_delay()
                }
            };
            if wait == REPORT_EVERY {
                again.reset();
            }
            tokio::select! {
                () = self.context.node_changed.notified() => {}
                () = self.context.ambient.clock.sleep(wait) => {}
            }
        }
    }

    /// Creates the node, or takes over the one that is there.
    async fn register(&self) -> Node {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(7));
        loop {
            match self.try_register().await {
                Ok(node) => return node,
                Err(error) => {
                    tracing::warn!(error = stdx::error::chain(&error), "the node was not registered");
                    self.context.ambient.clock.sleep(backoff.next_delay()).await;
                }
            }
        }
    }

    async fn try_register(&self) -> Result<Node, CallError> {
        let api: Api<Node> = Api::all(self.context.client.clone());
        let name = &self.context.node.node_name;
        if let Some(existing) = api.get_opt(name).await? {
            let present = existing.metadata.labels.clone().unwrap_or_default();
            let labels = self.labels();
            let annotations = existing.metadata.annotations.as_ref();
            let is_managed =
                annotations.is_some_and(|all| all.get(MANAGED_ATTACHMENTS).is_some_and(|value| value == "true"));
            if is_managed && labels.iter().all(|(key, value)| present.get(key) == Some(value)) {
                return Ok(existing);
            }
            let annotations = BTreeMap::from([(MANAGED_ATTACHMENTS, "true")]);
            let patch = Patch::Merge(json!({ "metadata": { "labels": labels, "annotations": annotations } }));
            return Ok(api.patch(name, &PatchParams::default(), &patch).await?);
        }
        let annotation = (MANAGED_ATTACHMENTS.to_owned(), "true".to_owned());
        let mut node = Node {
            metadata: ObjectMeta {
                name: Some(name.clone()),
                labels: Some(self.labels()),
                annotations: Some(BTreeMap::from([annotation])),
                ..ObjectMeta::default()
            },
            ..Node::default()
        };
        node.status = Some(self.status(&node).await);
        match api.create(&PostParams::default(), &node).await.map_err(CallError::from) {
            Err(error) if error.is_already_exists() => Ok(api.get(name).await?),
            result => result,
        }
    }

    fn labels(&self) -> BTreeMap<String, String> {
        let architecture = self.machine.architecture;
        let labels = [
            ("beta.kubernetes.io/arch", architecture),
            ("beta.kubernetes.io/os", "linux"),
            ("kubernetes.io/arch", architecture),
            ("kubernetes.io/hostname", &self.context.node.node_name),
            ("kubernetes.io/os", "linux"),
        ];
        labels.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// Hands the node's pod ranges to the network, through the runtime. Whether it took them.
    async fn configure(&self, ranges: &[String]) -> bool {
        let network_config = Some(NetworkConfig { pod_cidr: ranges.join(",") });
        let request = UpdateRuntimeConfigRequest { runtime_config: Some(RuntimeConfig { network_config }) };
        match self.context.runtime.update_runtime_config(request).await {
            Ok(_) => true,
            Err(status) => {
                tracing::warn!(error = %status, "the runtime did not take the pod ranges");
                false
            }
        }
    }

    /// Writes the status if it says something new, or for the heartbeat. Whether the node is ready;
    /// `None` where it is too early to tell.
    async fn report(&self, node: &Node, settling: bool) -> Result<Option<bool>, CallError> {
        let api: Api<Node> = Api::all(self.context.client.clone());
        let name = &self.context.node.node_name;
        let mut current = node.clone();
        let mut attempt = 0;
        loop {
            let wanted = self.status(&current).await;
            let ready = status::is_ready(&wanted);
            let encode = |status| serde_json::to_value(status).map_err(client::ClientError::SerdeError);
            let before = current.status.clone().unwrap_or_default();
            match status::telling(&before, &wanted, self.heartbeat_due(&before), settling) {
                Telling::Write => {}
                Telling::Keep => return Ok(Some(ready)),
                Telling::TooEarly => return Ok(None),
            }
            let Some(change) = publish::merge_patch(&encode(&before)?, &encode(&wanted)?) else {
                return Ok(Some(ready));
            };
            let patch =
                json!({ "metadata": { "resourceVersion": current.metadata.resource_version }, "status": change });
            match api.patch_status(name, &PatchParams::default(), &Patch::Merge(patch)).await.map_err(CallError::from) {
                Ok(_) => return Ok(Some(ready)),
                Err(error) if error.is_conflict() && attempt < ATTEMPTS => current = api.get(name).await?,
                Err(error) => return Err(error),
            }
            attempt += 1;
        }
    }

    fn heartbeat_due(&self, status: &api::k8s::api::core::v1::NodeStatus) -> bool {
        let beats = status.conditions.iter().flatten().filter_map(|condition| condition.last_heartbeat_time.as_ref());
        let age = beats.map(|beat| self.context.ambient.clock.now().duration_since(beat.0)).max();
        age.is_none_or(|age| age.as_secs() + 1 >= REPORT_EVERY.as_secs() as i64)
    }

    fn volumes_in_use(&self, node: &Node) -> Vec<String> {
        let before = node.status.as_ref().and_then(|status| status.volumes_in_use.as_deref());
        let pods = self.context.mailboxes.active().into_iter().map(|pod| spec::uid(&pod).to_owned());
        self.context.volumes_in_use.told(before, pods)
    }

    async fn status(&self, node: &Node) -> api::k8s::api::core::v1::NodeStatus {
        let (runtime, images) = (&self.context.runtime, &self.context.images);
        let version = answer(runtime.version(VersionRequest { version: "v1".to_owned() })).await;
        let version = version.map(|version| format!("{}://{}", version.runtime_name, version.runtime_version));
        let state = answer(runtime.status(StatusRequest { verbose: false })).await;
        let listed = images.list_images(ListImagesRequest { filter: None }).await;
        let listed = listed.map(|response| response.images).unwrap_or_else(|status| {
            tracing::warn!(error = %status, "the images cannot be listed");
            Vec::new()
        });
        status::generate(
            node,
            &status::Facts {
                machine: &self.machine,
                policy: &self.policy,
                devices: &self.context.managers.devices.amounts(),
                pressure: self.context.pressures.get(),
                is_shutting_down: self.context.is_shutting_down.load(Ordering::Relaxed),
                runtime_version: version.as_deref().unwrap_or(&self.context.node.runtime_name),
                runtime: state.as_ref().map_err(|status| status.message.as_str()),
                volumes_in_use: &self.volumes_in_use(node),
                images: &listed,
                node_name: &self.context.node.node_name,
                node_ips: &self.context.node.node_ips,
                port: self.port,
                now: self.context.ambient.clock.now(),
            },
        )
    }
}

/// Whoever manages attachments looks for it.
const MANAGED_ATTACHMENTS: &str = "volumes.kubernetes.io/controller-managed-attach-detach";

async fn answer<T>(call: impl Future<Output = cri::Result<T>>) -> cri::Result<T> {
    let silent = |_| cri::Status::new(cri::Code::DeadlineExceeded, "context deadline exceeded");
    tokio::time::timeout(ANSWER_DEADLINE, call).await.map_err(silent).flatten()
}
