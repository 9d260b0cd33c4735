//! DaemonSets: one pod on every node that suits.

mod backoff;
mod placement;
mod plan;
mod status;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use api::k8s::api::apps::v1::{ControllerRevision, DaemonSet};
use api::k8s::api::core::v1::{Node, Pod};
use api::selector::SelectorError;
use api::{NamespacedName, Selector};
use client::Client;
use client::kube::Api;
use client::kube::api::PostParams;
use reconcile::{
    Controller, Expectations, Informer, Outcome, Reconciler, Recorder, WorkQueue, controller_reference, slow_start,
};
use stdx::Ambient;

use crate::context::{Context, on_each};
use crate::error::{During, ReconcileError};
use crate::history::{History, plan_truncation, watch_revisions};
use crate::ownership::{claim_dependents, index_by_controller};
use crate::podowner::{PodControl, PodOwner, watch_pods};
use crate::pods;
use crate::replicaset::pod_from_template;
use crate::written::Written;
use backoff::Backoffs;
use placement::{differs, placement, tie_to, tolerations};
use plan::{HASH, Plan, View, plan_nodes, plan_rollout, template_generation};

/// One reconciliation creates or deletes at most so many pods.
const BURST: usize = 250;

impl PodOwner for DaemonSet {
    fn selector(&self) -> Result<Selector, SelectorError> {
        Selector::from_label_selector(&self.spec.selector)
    }
}

pub(crate) async fn run(context: Context) {
    let sets = context.informers.of::<DaemonSet>();
    let pods = index_by_controller(context.informers.of::<Pod>());
    let revisions = index_by_controller(context.informers.of::<ControllerRevision>());
    let nodes = context.informers.of::<Node>();
    let expectations = Arc::new(Expectations::new(context.ambient.clock));
    let pod_control = PodControl {
        client: context.client.clone(),
        recorder: context.recorder(),
        expectations: Arc::clone(&expectations),
    };
    let placer = Placer {
        client: context.client.clone(),
        recorder: pod_control.recorder.clone(),
        sets: sets.clone(),
        pods: pods.clone(),
        nodes: nodes.clone(),
        history: History { client: context.client.clone(), revisions: revisions.clone(), hash_label: HASH },
        expectations: Arc::clone(&expectations),
        pod_control,
        written: Written::default(),
        backoffs: Mutex::default(),
        ambient: context.ambient.clone(),
    };
    let controller = Controller::new("daemonset-controller", placer, context.ambient.clock);
    let queue = controller.queue();
    on_each(&sets, {
        let queue = queue.clone();
        move |set| queue.add(NamespacedName::of(&set.metadata))
    });
    watch_revisions(&revisions, &sets, queue.clone());
    nodes.on_change({
        let (sets, queue) = (sets.clone(), queue.clone());
        move |old, new| node_changed(&sets, &queue, old, new)
    });
    watch_pods(&pods, &sets, expectations, queue);
    let synced = async {
        sets.synced().await;
        pods.synced().await;
        revisions.synced().await;
        nodes.synced().await;
    };
    context.run(controller, synced).await;
}

/// Only where a node's name, labels or taints now mean something else to a DaemonSet, it is looked at.
fn node_changed(
    sets: &Informer<DaemonSet>,
    queue: &WorkQueue<NamespacedName>,
    old: Option<&Arc<Node>>,
    new: Option<&Arc<Node>>,
) {
    if let (Some(old), Some(new)) = (old, new)
        && !differs(old, new)
    {
        return;
    }
    for set in sets.list() {
        let place = |node: Option<&Arc<Node>>| node.map(|node| placement(&set, node));
        if place(old) != place(new) {
            queue.add(NamespacedName::of(&set.metadata));
        }
    }
}

struct Placer {
    client: Client,
    recorder: Recorder,
    sets: Informer<DaemonSet>,
    pods: Informer<Pod>,
    nodes: Informer<Node>,
    history: History,
    expectations: Arc<Expectations>,
    pod_control: PodControl,
    written: Written,
    /// By DaemonSet. Lost with a restart, and then begun anew.
    backoffs: Mutex<BTreeMap<NamespacedName, Backoffs>>,
    ambient: Ambient,
}

impl Reconciler for Placer {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(set) = self.sets.get(key) else {
            self.expectations.forget(key);
            self.written.forget(key);
            self.lock_backoffs().remove(key);
            return Ok(Outcome::Done);
        };
        let selector = set.selector()?;
        if selector.is_everything() {
            let message = "This daemon set is selecting all pods. A non-empty selector is required.";
            self.recorder.warning(&*set, "SelectingAll", message);
            return Ok(Outcome::Done);
        }
        if set.metadata.deletion_timestamp.is_some() || !self.written.is_shown_by(&set.metadata) {
            return Ok(Outcome::Done);
        }
        let is_settled = self.expectations.satisfied(key);
        let revisions = self.history.of(&*set, &selector).await?;
        let known_collisions = set.status.as_ref().and_then(|status| status.collision_count);
        let (newest, collisions) =
            self.history.settle_newest(&*set, &set.spec.template, &revisions, known_collisions).await?;
        let hash = newest.metadata.labels.as_ref().and_then(|labels| labels.get(HASH)).cloned().unwrap_or_default();
        let claimed = claim_dependents(&self.client, &self.pods, &*set, &selector, |_| true).await?;
        let nodes = self.nodes.list();
        let view = View::new(&set, &nodes, &claimed, &hash, self.ambient.clock.now());
        let (worked, wait) = if is_settled { self.advance(key, &view).await } else { (Ok(()), None) };
        if worked.is_ok() {
            let is_live = |revision: &ControllerRevision| {
                let label =
                    |labels: Option<&BTreeMap<String, String>>| labels.and_then(|labels| labels.get(HASH)).cloned();
                let hash = label(revision.metadata.labels.as_ref());
                revision.metadata.uid == newest.metadata.uid
                    || claimed.iter().any(|pod| label(pod.metadata.labels.as_ref()) == hash)
            };
            for revision in plan_truncation(&revisions, set.spec.revision_history_limit, is_live) {
                self.history.delete(&revision).await?;
            }
        }
        self.update_status(key, &view, collisions).await?;
        worked?;
        let wait = wait.into_iter().chain(status::next_availability(&view)).min();
        Ok(wait.map_or(Outcome::Done, Outcome::RequeueAfter))
    }
}

impl Placer {
    /// First every node gets its pod; only when nothing of that is to be done, a rollout goes on.
    async fn advance(
        &self,
        key: &NamespacedName,
        view: &View<'_>,
    ) -> (Result<(), ReconcileError>, Option<std::time::Duration>) {
        let backoffs = self.lock_backoffs().get(key).cloned().unwrap_or_default();
        let plan = plan_nodes(view, &backoffs);
        let wait = plan.wait;
        if !plan.failed_on.is_empty() {
            let mut all = self.lock_backoffs();
            let mine = all.entry(key.clone()).or_default();
            for node in &plan.failed_on {
                mine.extend(node, view.now);
            }
        }
        for (reason, message) in &plan.events {
            match *reason {
                "FailedDaemonPod" => self.recorder.warning(view.set, reason, message.as_str()),
                _ => self.recorder.normal(view.set, reason, message.as_str()),
            }
        }
        let is_calm = plan.create.is_empty() && plan.delete.is_empty();
        let result = if is_calm && view.is_rolling() {
            self.carry_out(key, view, plan_rollout(view)).await
        } else {
            self.carry_out(key, view, plan).await
        };
        (result, wait)
    }

    async fn carry_out(&self, key: &NamespacedName, view: &View<'_>, mut plan: Plan) -> Result<(), ReconcileError> {
        plan.create.truncate(BURST);
        plan.delete.truncate(BURST);
        if plan.create.is_empty() && plan.delete.is_empty() {
            return Ok(());
        }
        let doomed = plan.delete.iter().map(|pod| pods::uid(pod).to_owned());
        self.expectations.expect(key, plan.create.len(), doomed);
        let made: Vec<Pod> = plan.create.iter().map(|node| pod_of(view, key, node)).collect();
        let created = slow_start(made.len(), |nth| self.pod_control.create(view.set, &made[nth])).await;
        for _ in 0..created.skipped {
            self.expectations.creation_observed(key);
        }
        let deletions = plan.delete.iter().map(|pod| self.pod_control.delete(view.set, pod));
        let mut failed = futures::future::join_all(deletions).await.into_iter().filter_map(Result::err);
        created.first_error.or(failed.next()).map_or(Ok(()), Err)
    }

    async fn update_status(
        &self,
        key: &NamespacedName,
        view: &View<'_>,
        collisions: Option<i32>,
    ) -> Result<(), ReconcileError> {
        let status = status::plan_status(view, collisions);
        if view.set.status.as_ref() == Some(&status) {
            return Ok(());
        }
        let api: Api<DaemonSet> = Api::namespaced(self.client.clone(), &key.namespace);
        let updated = DaemonSet { status: Some(status), ..view.set.clone() };
        let answer =
            api.replace_status(&key.name, &PostParams::default(), &updated).await.during("update status of", key)?;
        self.written.remember(&answer.metadata);
        Ok(())
    }

    fn lock_backoffs(&self) -> std::sync::MutexGuard<'_, BTreeMap<NamespacedName, Backoffs>> {
        self.backoffs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pod_of(view: &View, key: &NamespacedName, node: &str) -> Pod {
    let mut pod = pod_from_template(Some(&view.spec().template), &key.name, Some(controller_reference(view.set)));
    let labels = pod.metadata.labels.get_or_insert_default();
    labels.insert(HASH.to_owned(), view.hash.to_owned());
    if let Some(generation) = template_generation(view.set) {
        labels.insert("pod-template-generation".to_owned(), generation.to_owned());
    }
    if let Some(spec) = &mut pod.spec {
        spec.tolerations = Some(tolerations(spec));
        tie_to(spec, node);
    }
    pod
}
