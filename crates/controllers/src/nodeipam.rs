//! Gives each node its range of pod addresses, the moment it appears: its pods cannot start before.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use api::NamespacedName;
use api::k8s::api::core::v1::Node;
use client::Client;
use client::kube::Api;
use client::kube::api::{Patch, PatchParams};
use reconcile::{Controller, Informer, Outcome, Reconciler, Recorder};
use serde_json::json;

use crate::cidr::Cidr;
use crate::context::{Context, Settings};
use crate::error::{During, ReconcileError};

pub(crate) async fn run(context: Context) {
    let nodes = context.informers.of::<Node>();
    let allocator = Allocator {
        client: context.client.clone(),
        recorder: context.recorder(),
        settings: Arc::clone(&context.settings),
        nodes: nodes.clone(),
        given: Mutex::default(),
    };
    // One worker: two must not give away the same range.
    let controller = Controller::new("node-ipam-controller", allocator, context.ambient.clock).workers(1);
    let queue = controller.queue();
    nodes.on_change({
        let nodes = nodes.clone();
        move |old, new| match (old, new) {
            (_, Some(node)) => {
                if pod_cidr(node).is_none() {
                    queue.add(NamespacedName::of(&node.metadata));
                }
            }
            (Some(gone), None) => {
                queue.add(NamespacedName::of(&gone.metadata));
                // Its range is free: one that went without may have it.
                for waiting in nodes.list().iter().filter(|node| pod_cidr(node).is_none()) {
                    queue.add(NamespacedName::of(&waiting.metadata));
                }
            }
            (None, None) => {}
        }
    });
    let synced = async { nodes.synced().await };
    context.run(controller, synced).await;
}

struct Allocator {
    client: Client,
    recorder: Recorder,
    settings: Arc<Settings>,
    nodes: Informer<Node>,
    /// What was given away and the cache may not show yet.
    given: Mutex<BTreeMap<NamespacedName, Cidr>>,
}

impl Reconciler for Allocator {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(node) = self.nodes.get(key) else {
            self.given().remove(key);
            return Ok(Outcome::Done);
        };
        if pod_cidr(&node).is_some() || node.metadata.deletion_timestamp.is_some() {
            self.given().remove(key);
            return Ok(Outcome::Done);
        }
        let range: Cidr = self.settings.pod_cidr.parse()?;
        let Some(part) = self.choose(key, range) else {
            let message = format!("Node {} status is now: CIDRNotAvailable", key.name);
            self.recorder.normal(&*node, "CIDRNotAvailable", message);
            return Ok(Outcome::Done);
        };
        let part = part.to_string();
        let patch = json!({"spec": {"podCIDR": part, "podCIDRs": [part]}});
        let api: Api<Node> = Api::all(self.client.clone());
        api.patch(&key.name, &PatchParams::default(), &Patch::Strategic(patch))
            .await
            .during("give pod range to node", key)?;
        Ok(Outcome::Done)
    }
}

impl Allocator {
    /// The range given to the node already, or the first that no node has.
    fn choose(&self, key: &NamespacedName, range: Cidr) -> Option<Cidr> {
        let mut given = self.given();
        if let Some(part) = given.get(key) {
            return Some(*part);
        }
        let mut used: Vec<Cidr> = self.nodes.list().iter().filter_map(|node| pod_cidr(node)?.parse().ok()).collect();
        used.extend(given.values());
        let part = range.first_free_part(self.settings.node_cidr_bits, &used)?;
        given.insert(key.clone(), part);
        Some(part)
    }

    fn given(&self) -> std::sync::MutexGuard<'_, BTreeMap<NamespacedName, Cidr>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pod_cidr(node: &Node) -> Option<&str> {
    node.spec.as_ref()?.pod_cidr.as_deref().filter(|cidr| !cidr.is_empty())
}
