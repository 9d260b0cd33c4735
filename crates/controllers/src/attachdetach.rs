//! Has drivers attach volumes to the nodes whose pods want them, and detach them when nobody does.
//!
//! A `VolumeAttachment` is the order to a driver; the node's status tells its kubelet what is attached.

mod plan;
mod volume;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use api::NamespacedName;
use api::k8s::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim, Pod};
use api::k8s::api::storage::v1::{CSIDriver, VolumeAttachment};
use client::Client;
use client::kube::Api;
use client::kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use reconcile::{Controller, Informer, Outcome, Reconciler, Recorder, WorkQueue};
use serde_json::json;
use stdx::Ambient;
use tokio::time::Instant;

use crate::context::{Context, on_each};
use crate::error::{During, ReconcileError, unless_gone};
use crate::nodelifecycle::{BY_NODE, index_by_node};
use crate::persistentvolume::{BY_CLAIM, claims_of, index_by_claim};
use crate::pods;
use plan::{Observed, Plan, plan};
use volume::{Wanted, wanted};

const ATTACHMENTS_BY_NODE: &str = "node";
const ATTACHMENTS_BY_VOLUME: &str = "volume";
/// Kubelets whose volumes are attached from here say so on their nodes.
const MANAGED: &str = "volumes.kubernetes.io/controller-managed-attach-detach";

pub(crate) async fn run(context: Context) {
    let attachments = context
        .informers
        .of::<VolumeAttachment>()
        .with_index(ATTACHMENTS_BY_NODE, |attachment| vec![attachment.spec.node_name.clone()])
        .with_index(ATTACHMENTS_BY_VOLUME, |attachment| {
            attachment.spec.source.persistent_volume_name.clone().into_iter().collect()
        });
    let attacher = Attacher {
        client: context.client.clone(),
        recorder: context.recorder(),
        nodes: context.informers.of::<Node>(),
        pods: index_by_claim(index_by_node(context.informers.of::<Pod>())),
        claims: context.informers.of::<PersistentVolumeClaim>(),
        volumes: context.informers.of::<PersistentVolume>(),
        drivers: context.informers.of::<CSIDriver>(),
        attachments,
        unwanted_since: Mutex::default(),
        ambient: context.ambient.clone(),
    };
    let Attacher { nodes, pods, claims, volumes, drivers, attachments, .. } = &attacher;
    let (nodes, pods, claims) = (nodes.clone(), pods.clone(), claims.clone());
    let (volumes, drivers, attachments) = (volumes.clone(), drivers.clone(), attachments.clone());
    let controller = Controller::new("persistentvolume-attach-detach-controller", attacher, context.ambient.clock);
    let users = Users { pods: pods.clone(), queue: controller.queue() };
    on_each(&nodes, {
        let queue = users.queue.clone();
        move |node| queue.add(NamespacedName::of(&node.metadata))
    });
    pods.on_change({
        let users = users.clone();
        move |old, new| [old, new].into_iter().flatten().for_each(|pod| users.pod_changed(pod))
    });
    on_each(&claims, {
        let users = users.clone();
        move |claim| users.claim_changed(&NamespacedName::of(&claim.metadata))
    });
    on_each(&volumes, {
        let users = users.clone();
        move |volume| users.volume_changed(volume)
    });
    on_each(&attachments, {
        let (users, volumes) = (users.clone(), volumes.clone());
        move |attachment| {
            users.queue.add(NamespacedName::new("", &attachment.spec.node_name));
            // Another node may be waiting for the volume.
            let name = attachment.spec.source.persistent_volume_name.as_deref().unwrap_or_default();
            if let Some(volume) = volumes.get(&NamespacedName::new("", name)) {
                users.volume_changed(&volume);
            }
        }
    });
    on_each(&drivers, {
        let (queue, nodes) = (users.queue.clone(), nodes.clone());
        move |_| nodes.list().iter().for_each(|node| queue.add(NamespacedName::of(&node.metadata)))
    });
    let synced = async {
        nodes.synced().await;
        pods.synced().await;
        claims.synced().await;
        volumes.synced().await;
        drivers.synced().await;
        attachments.synced().await;
    };
    context.run(controller, synced).await;
}

/// Whose nodes are to be looked at again.
#[derive(Clone)]
struct Users {
    pods: Informer<Pod>,
    queue: WorkQueue<NamespacedName>,
}

impl Users {
    fn pod_changed(&self, pod: &Pod) {
        let has_volumes = claims_of(pod).next().is_some() || volume::of_pod(pod).next().is_some();
        if let Some(node) = pods::node_name(pod).filter(|_| has_volumes) {
            self.queue.add(NamespacedName::new("", node));
        }
    }

    fn claim_changed(&self, claim: &NamespacedName) {
        self.pods.by_index(BY_CLAIM, &claim.to_string()).iter().for_each(|pod| self.pod_changed(pod));
    }

    fn volume_changed(&self, volume: &PersistentVolume) {
        let claim = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref());
        if let Some(claim) = claim {
            let part = |part: &Option<String>| part.clone().unwrap_or_default();
            self.claim_changed(&NamespacedName::new(part(&claim.namespace), part(&claim.name)));
        }
    }
}

struct Attacher {
    client: Client,
    recorder: Recorder,
    nodes: Informer<Node>,
    pods: Informer<Pod>,
    claims: Informer<PersistentVolumeClaim>,
    volumes: Informer<PersistentVolume>,
    drivers: Informer<CSIDriver>,
    attachments: Informer<VolumeAttachment>,
    /// Attachments that nobody wants, by name; no more than there are attachments.
    unwanted_since: Mutex<BTreeMap<String, Instant>>,
    ambient: Ambient,
}

impl Reconciler for Attacher {
    type Key = NamespacedName;
    type Error = ReconcileError;

    /// One node.
    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        match self.decide(key) {
            Some(plan) => self.carry_out(key, plan).await,
            None => Ok(Outcome::Done),
        }
    }
}

fn is_managed(node: &Node) -> bool {
    node.metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(MANAGED))
}

impl Attacher {
    /// `None` where the node's volumes are none of our business.
    fn decide(&self, key: &NamespacedName) -> Option<Plan> {
        let present = self.attachments.by_index(ATTACHMENTS_BY_NODE, &key.name);
        let node = self.nodes.get(key);
        let is_managed = node.as_ref().is_some_and(|node| is_managed(node));
        if !is_managed && present.is_empty() {
            return None;
        }
        let wanted = if is_managed { self.wanted_on(&key.name) } else { Vec::new() };
        let elsewhere = |volume: &str| {
            let all = self.attachments.by_index(ATTACHMENTS_BY_VOLUME, volume);
            all.into_iter().map(|one| one.spec.node_name.clone()).filter(|name| *name != key.name).collect()
        };
        let users = |volume: &Wanted, nodes: &[String]| self.users_on(volume, nodes);
        let now = self.ambient.clock.instant();
        let unwanted_since = self.note_unwanted(&present, &wanted, now);
        Some(plan(&Observed {
            node: node.as_deref(),
            wanted: &wanted,
            present: &present,
            unwanted_since: &unwanted_since,
            elsewhere: &elsewhere,
            users: &users,
            now,
        }))
    }

    fn wanted_on(&self, node: &str) -> Vec<Wanted> {
        let mut all: BTreeMap<String, Wanted> = BTreeMap::new();
        for pod in self.pods.by_index(BY_NODE, node).into_iter().filter(|pod| volume::is_in_use(pod)) {
            for volume in wanted(&pod, node, &self.claims, &self.volumes, &self.drivers) {
                all.entry(volume.unique_name.clone()).or_insert(volume).pods.push(pod.clone());
            }
        }
        all.into_values().collect()
    }

    /// Pods on those nodes that use the volume.
    fn users_on(&self, volume: &Wanted, nodes: &[String]) -> Vec<Arc<Pod>> {
        let Some(claim) = &volume.claim else { return Vec::new() };
        let users = self.pods.by_index(BY_CLAIM, &claim.to_string());
        let is_there = |pod: &Arc<Pod>| pods::node_name(pod).is_some_and(|name| nodes.iter().any(|node| node == name));
        users.into_iter().filter(|pod| is_there(pod) && volume::is_in_use(pod)).collect()
    }

    /// Since when nobody wants the node's attachments.
    fn note_unwanted(
        &self,
        present: &[Arc<VolumeAttachment>],
        wanted: &[Wanted],
        now: Instant,
    ) -> BTreeMap<String, Instant> {
        let mut noted = self.unwanted_since.lock().unwrap_or_else(PoisonError::into_inner);
        noted.retain(|name, _| self.attachments.get(&NamespacedName::new("", name)).is_some());
        for attachment in present {
            let name = attachment.metadata.name.clone().unwrap_or_default();
            if wanted.iter().any(|volume| volume.attachment_name.as_deref() == Some(&name)) {
                noted.remove(&name);
            } else {
                noted.entry(name).or_insert(now);
            }
        }
        noted.clone()
    }

    async fn carry_out(&self, key: &NamespacedName, plan: Plan) -> Result<Outcome, ReconcileError> {
        // Kubelets must not count on what is about to be detached.
        if let Some(attached) = &plan.report {
            let api: Api<Node> = Api::all(self.client.clone());
            let patch = Patch::Merge(json!({"status": {"volumesAttached": attached}}));
            let patched = api.patch_status(&key.name, &PatchParams::default(), &patch).await;
            unless_gone(patched).during("report volumes of node", key)?;
        }
        for notice in &plan.notices {
            for pod in &notice.pods {
                self.recorder.event(&reconcile::reference_to(&**pod), notice.r#type, notice.reason, &notice.message);
            }
        }
        let api: Api<VolumeAttachment> = Api::all(self.client.clone());
        for name in &plan.detach {
            unless_gone(api.delete(name, &DeleteParams::default()).await).during("delete volume attachment", name)?;
        }
        for attachment in &plan.attach {
            let created = api.create(&PostParams::default(), attachment).await.map_err(client::CallError::from);
            match created {
                // The cache is behind.
                Err(error) if error.is_already_exists() => {}
                created => drop(created.during("create volume attachment", key)?),
            }
        }
        Ok(plan.recheck_after.map_or(Outcome::Done, Outcome::RequeueAfter))
    }
}
