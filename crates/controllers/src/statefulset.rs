//! StatefulSets: pods with names and claims of their own, in order.

mod claims;
mod identity;
mod plan;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use api::k8s::api::apps::v1::{ControllerRevision, StatefulSet};
use api::k8s::api::core::v1::{PersistentVolumeClaim, Pod, PodTemplateSpec};
use api::selector::SelectorError;
use api::{NamespacedName, Selector};
use client::Client;
use client::kube::Api;
use client::kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use reconcile::{Controller, Expectations, Informer, Outcome, Reconciler, Recorder, WorkQueue};
use serde_json::json;
use stdx::Ambient;

use crate::context::{Context, on_each};
use crate::error::{During, ReconcileError, unless_gone};
use crate::history::{History, name_of, plan_truncation, template_of, watch_revisions};
use crate::metrics::StatefulSetFigure;
use crate::ownership::{claim_dependents, index_by_controller};
use crate::podowner::{PodOwner, watch_pods};
use crate::pods;
use crate::replicaset::round_up;
use crate::written::Written;
use claims::Claims;
use identity::{ordinal_of, pod_of, revision_of};
use plan::{Action, Revision, View, max_unavailable, plan, plan_status};

const REVISION_HASH: &str = "controller.kubernetes.io/hash";

impl PodOwner for StatefulSet {
    fn selector(&self) -> Result<Selector, SelectorError> {
        Selector::from_label_selector(&self.spec.selector)
    }
}

pub(crate) async fn run(context: Context) {
    let sets = context.informers.of::<StatefulSet>();
    let pods = index_by_controller(context.informers.of::<Pod>());
    let revisions = index_by_controller(context.informers.of::<ControllerRevision>());
    let claims = context.informers.of::<PersistentVolumeClaim>();
    let recorder = context.recorder();
    let keeper = Keeper {
        client: context.client.clone(),
        recorder: recorder.clone(),
        sets: sets.clone(),
        pods: pods.clone(),
        history: History { client: context.client.clone(), revisions: revisions.clone(), hash_label: REVISION_HASH },
        claims: Claims { client: context.client.clone(), recorder, informer: claims.clone() },
        written: Written::default(),
        ambient: context.ambient.clone(),
    };
    context.figures.ask_stateful_sets({
        let (sets, cancel) = (sets.clone(), context.cancel.clone());
        move || if cancel.is_cancelled() { Vec::new() } else { sets.list().iter().map(|set| figure(set)).collect() }
    });
    let controller = Controller::new("statefulset-controller", keeper, context.ambient.clock);
    let queue = controller.queue();
    on_each(&sets, {
        let queue = queue.clone();
        move |set| queue.add(NamespacedName::of(&set.metadata))
    });
    watch_revisions(&revisions, &sets, queue.clone());
    claims.on_change({
        let (sets, queue) = (sets.clone(), queue.clone());
        move |old, new| {
            if let (Some(gone), None) = (old, new) {
                claim_gone(&sets, &queue, gone);
            }
        }
    });
    // Names tell its pods apart: it expects nothing.
    let expectations = Arc::new(Expectations::new(context.ambient.clock));
    watch_pods(&pods, &sets, expectations, queue);
    let synced = async {
        sets.synced().await;
        pods.synced().await;
        revisions.synced().await;
        claims.synced().await;
    };
    context.run(controller, synced).await;
}

/// A pod may have waited for it to go.
fn claim_gone(sets: &Informer<StatefulSet>, queue: &WorkQueue<NamespacedName>, claim: &PersistentVolumeClaim) {
    let key = NamespacedName::of(&claim.metadata);
    for set in sets.list_namespace(&key.namespace) {
        let templates = set.spec.volume_claim_templates.iter().flatten();
        let set_name = set.metadata.name.as_deref().unwrap_or_default();
        let mut names = templates.filter_map(|template| template.metadata.name.as_deref());
        if names.any(|template| key.name.starts_with(&format!("{template}-{set_name}-"))) {
            queue.add(NamespacedName::of(&set.metadata));
        }
    }
}

fn figure(set: &StatefulSet) -> StatefulSetFigure {
    let available = set.status.as_ref().and_then(|status| status.available_replicas).unwrap_or(0);
    let unavailable = set.spec.replicas.unwrap_or(1).saturating_sub(available);
    StatefulSetFigure {
        namespace: set.metadata.namespace.clone().unwrap_or_default(),
        name: set.metadata.name.clone().unwrap_or_default(),
        pod_management_policy: set.spec.pod_management_policy.clone().unwrap_or_else(|| "OrderedReady".to_owned()),
        max_unavailable: max_unavailable(&set.spec),
        unavailable: usize::try_from(unavailable).unwrap_or(0),
    }
}

struct Keeper {
    client: Client,
    recorder: Recorder,
    sets: Informer<StatefulSet>,
    pods: Informer<Pod>,
    history: History,
    claims: Claims,
    written: Written,
    ambient: Ambient,
}

impl Reconciler for Keeper {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(set) = self.sets.get(key) else {
            self.written.forget(key);
            return Ok(Outcome::Done);
        };
        let selector = set.selector()?;
        if selector.is_everything() || !self.written.is_shown_by(&set.metadata) {
            return Ok(Outcome::Done);
        }
        let revisions = self.history.of(&*set, &selector).await?;
        let is_member = |pod: &Pod| ordinal_of(&set, pod).is_some();
        let claimed = claim_dependents(&self.client, &self.pods, &*set, &selector, is_member).await?;
        let status = set.status.as_ref();
        let collisions = status.and_then(|status| status.collision_count);
        let (update, collisions) =
            self.history.settle_newest(&*set, &set.spec.template, &revisions, collisions).await?;
        let known_current = status.and_then(|status| status.current_revision.as_deref());
        let current = revisions.iter().find(|revision| Some(name_of(revision)) == known_current).unwrap_or(&update);
        let view = View {
            set: &set,
            pods: &claimed,
            current: name_of(current),
            update: name_of(&update),
            now: self.ambient.clock.now(),
        };
        let worked = self.advance(&view, current, &update).await;
        self.update_status(key, &view, collisions).await?;
        worked?;
        let is_live = |revision: &ControllerRevision| {
            let name = name_of(revision);
            name == view.current || name == view.update || claimed.iter().any(|pod| revision_of(pod) == name)
        };
        for revision in plan_truncation(&revisions, set.spec.revision_history_limit, is_live) {
            self.history.delete(&revision).await?;
        }
        Ok(next_availability(&view).map_or(Outcome::Done, Outcome::RequeueAfter))
    }
}

impl Keeper {
    /// In order, the first failure ends the round; in parallel, the others do not wait for it.
    async fn advance(
        &self,
        view: &View<'_>,
        current: &ControllerRevision,
        update: &ControllerRevision,
    ) -> Result<(), ReconcileError> {
        if view.set.metadata.deletion_timestamp.is_none() {
            self.settle_claims(view).await?;
        }
        let mut first_error = None;
        for action in plan(view) {
            if let Err(error) = self.act(view, current, update, action).await {
                if view.is_in_order() {
                    return Err(error);
                }
                first_error.get_or_insert(error);
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    /// Before a pod goes, its claims have to know whether they go with it.
    async fn settle_claims(&self, view: &View<'_>) -> Result<(), ReconcileError> {
        if view.set.spec.volume_claim_templates.iter().flatten().next().is_none() {
            return Ok(());
        }
        for pod in view.pods {
            if let Some(ordinal) = ordinal_of(view.set, pod) {
                self.claims.settle_owners(view.set, ordinal, Some(pod), view.wants(ordinal)).await?;
            }
        }
        Ok(())
    }

    async fn act(
        &self,
        view: &View<'_>,
        current: &ControllerRevision,
        update: &ControllerRevision,
        action: Action,
    ) -> Result<(), ReconcileError> {
        match action {
            Action::Create { ordinal, .. } if self.claims.has_stale(view.set, ordinal) => Ok(()),
            Action::Create { ordinal, revision } => {
                self.claims.supply(view.set, ordinal).await?;
                let revision = match revision {
                    Revision::Current => current,
                    Revision::Update => update,
                };
                let template: Option<PodTemplateSpec> = template_of(revision);
                let template = template.as_ref().unwrap_or(&view.set.spec.template);
                self.create(view.set, &pod_of(view.set, template, name_of(revision), ordinal)).await
            }
            Action::SupplyClaims { ordinal } => self.claims.supply(view.set, ordinal).await,
            Action::Label { pod, labels } => {
                let key = NamespacedName::of(&pod.metadata);
                let patch = json!({"metadata": {"uid": pod.metadata.uid, "labels": labels}});
                let patched = self.api(&key).patch(&key.name, &PatchParams::default(), &Patch::Merge(patch)).await;
                unless_gone(patched).during("label pod", &key)
            }
            Action::Delete(pod) => self.delete(view.set, &pod).await,
        }
    }

    async fn create(&self, set: &StatefulSet, pod: &Pod) -> Result<(), ReconcileError> {
        let key = NamespacedName::of(&pod.metadata);
        let created = self.api(&key).create(&PostParams::default(), pod).await.during("create pod", &key).map(drop);
        // The cache does not show it yet, or it is another's: no news either way.
        let is_known = |error: &ReconcileError| error.call().is_some_and(client::CallError::is_already_exists);
        if !created.as_ref().is_err_and(is_known) {
            self.tell(set, "create", "SuccessfulCreate", "FailedCreate", &key.name, &created);
        }
        created
    }

    async fn delete(&self, set: &StatefulSet, pod: &Pod) -> Result<(), ReconcileError> {
        let key = NamespacedName::of(&pod.metadata);
        // Its successor has the same name.
        let only_this = Preconditions { uid: pod.metadata.uid.clone(), resource_version: None };
        let deleted = self.api(&key).delete(&key.name, &DeleteParams::default().preconditions(only_this)).await;
        let deleted = match unless_gone(deleted) {
            Err(error) if error.is_conflict() => return Ok(()),
            other => other.during("delete pod", &key),
        };
        self.tell(set, "delete", "SuccessfulDelete", "FailedDelete", &key.name, &deleted);
        deleted
    }

    fn tell(
        &self,
        set: &StatefulSet,
        verb: &str,
        success: &str,
        failure: &str,
        pod: &str,
        result: &Result<(), ReconcileError>,
    ) {
        let name = set.metadata.name.as_deref().unwrap_or_default();
        match result.as_ref().map_err(ReconcileError::call) {
            Ok(()) => {
                self.recorder.normal(set, success, format!("{verb} Pod {pod} in StatefulSet {name} successful"));
            }
            Err(Some(call)) => {
                let message = format!("{verb} Pod {pod} in StatefulSet {name} failed error: {call}");
                self.recorder.warning(set, failure, message);
            }
            Err(None) => {}
        }
    }

    async fn update_status(
        &self,
        key: &NamespacedName,
        view: &View<'_>,
        collisions: Option<i32>,
    ) -> Result<(), ReconcileError> {
        let status = plan_status(view, collisions);
        if view.set.status.as_ref() == Some(&status) {
            return Ok(());
        }
        let api: Api<StatefulSet> = Api::namespaced(self.client.clone(), &key.namespace);
        let updated = StatefulSet { status: Some(status), ..view.set.clone() };
        let answer =
            api.replace_status(&key.name, &PostParams::default(), &updated).await.during("update status of", key)?;
        self.written.remember(&answer.metadata);
        Ok(())
    }

    fn api(&self, key: &NamespacedName) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &key.namespace)
    }
}

/// When the next pod that is ready now becomes available.
fn next_availability(view: &View) -> Option<Duration> {
    let minimum = view.min_ready_seconds();
    if minimum <= 0 {
        return None;
    }
    let waits = view.pods.iter().filter_map(|pod| pods::time_until_available(pod, minimum, view.now));
    waits.filter(|wait| !wait.is_zero()).min().map(round_up)
}
