//! Tells kubelets, by an annotation, how long they may keep secrets and config maps: longer in large clusters.

use std::sync::Mutex;
use std::sync::PoisonError;

use api::NamespacedName;
use api::k8s::api::core::v1::Node;
use client::Client;
use client::kube::Api;
use client::kube::api::{Patch, PatchParams};
use reconcile::{Controller, Informer, Outcome, Reconciler};
use serde_json::json;

use crate::context::Context;
use crate::error::{During, ReconcileError, unless_gone};

const ANNOTATION: &str = "node.alpha.kubernetes.io/ttl";

/// A size of cluster: left for a smaller or larger one only beyond its bounds, which overlap.
struct Boundary {
    at_least: usize,
    at_most: usize,
    seconds: u32,
}

const BOUNDARIES: [Boundary; 5] = [
    Boundary { at_least: 0, at_most: 100, seconds: 0 },
    Boundary { at_least: 90, at_most: 500, seconds: 15 },
    Boundary { at_least: 450, at_most: 1000, seconds: 30 },
    Boundary { at_least: 900, at_most: 2000, seconds: 60 },
    Boundary { at_least: 1800, at_most: usize::MAX, seconds: 300 },
];

pub(crate) async fn run(context: Context) {
    let nodes = context.informers.of::<Node>();
    let annotator = Annotator { client: context.client.clone(), nodes: nodes.clone(), step: Mutex::new(0) };
    let controller = Controller::new("ttl-controller", annotator, context.ambient.clock);
    let queue = controller.queue();
    nodes.on_change({
        let nodes = nodes.clone();
        move |old, new| {
            // The number of nodes changed, which may concern all.
            if old.is_none() || new.is_none() {
                for node in nodes.list() {
                    queue.add(NamespacedName::of(&node.metadata));
                }
            } else if let Some(node) = new {
                queue.add(NamespacedName::of(&node.metadata));
            }
        }
    });
    context.run(controller, nodes.synced()).await;
}

struct Annotator {
    client: Client,
    nodes: Informer<Node>,
    /// Which of the boundaries the cluster is within.
    step: Mutex<usize>,
}

/// The step for so many nodes, coming from another.
fn step_for(count: usize, mut step: usize) -> usize {
    while count > BOUNDARIES[step].at_most {
        step += 1;
    }
    while count < BOUNDARIES[step].at_least {
        step -= 1;
    }
    step
}

impl Reconciler for Annotator {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(node) = self.nodes.get(key) else { return Ok(Outcome::Done) };
        let seconds = {
            let mut step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
            *step = step_for(self.nodes.len(), *step);
            BOUNDARIES[*step].seconds.to_string()
        };
        let present = node.metadata.annotations.as_ref().and_then(|annotations| annotations.get(ANNOTATION));
        if present == Some(&seconds) {
            return Ok(Outcome::Done);
        }
        let patch = json!({"metadata": {"annotations": {ANNOTATION: seconds}}});
        let api: Api<Node> = Api::all(self.client.clone());
        let patched = api.patch(&key.name, &PatchParams::default(), &Patch::Strategic(patch)).await;
        unless_gone(patched).during("annotate node", key)?;
        Ok(Outcome::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_overlap_so_that_a_cluster_does_not_flap() {
        for (count, from, expected) in [
            (1, 0, 0),
            (100, 0, 0),
            (101, 0, 1),
            (95, 1, 1),
            (89, 1, 0),
            (1500, 0, 3),
            (5000, 0, 4),
            (1799, 4, 3),
            (10, 4, 0),
        ] {
            assert_eq!(step_for(count, from), expected, "{count} from {from}");
        }
    }
}
