//! Jobs: run pods until enough of them have succeeded, and count every one exactly once.

mod backoff;
mod count;
mod failure;
mod figures;
mod indexes;
mod orphans;
mod plan;
mod pod;
mod released;
mod view;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use api::k8s::api::batch::v1::{Job, JobStatus};
use api::k8s::api::core::v1::Pod;
use api::k8s::apimachinery::pkg::apis::meta::v1::LabelSelector;
use api::selector::SelectorError;
use api::{NamespacedName, Selector};
use client::Client;
use client::kube::Api;
use client::kube::api::PostParams;
use reconcile::{Controller, Expectations, Informer, Outcome, Reconciler, Recorder, slow_start};
use stdx::Ambient;

pub(crate) use view::{finished_condition, is_finished};

use crate::context::{Context, on_each};
use crate::error::{During, ReconcileError};
use crate::metrics::Figures;
use crate::ownership::{claim_with_finalizers, index_by_controller};
use crate::podowner::{PodControl, PodOwner, watch_pods};
use crate::pods;
use crate::written::Written;
use backoff::Failures;
use count::{Effects, count_ended, settle};
use plan::{End, Plan, Pods, Verdict};
use pod::FINALIZER;
use released::Released;
use view::View;

/// What `spec.managedBy` says of the Jobs of this controller. Others it leaves to those they name.
const MANAGER: &str = "kubernetes.io/job-controller";

impl PodOwner for Job {
    fn selector(&self) -> Result<Selector, SelectorError> {
        // The API sets one where the writer does not.
        let selector = self.spec.as_ref().and_then(|spec| spec.selector.as_ref());
        Selector::from_label_selector(selector.unwrap_or(&LabelSelector::default()))
    }
}

pub(crate) async fn run(context: Context) {
    let jobs = context.informers.of::<Job>();
    let pods = index_by_controller(context.informers.of::<Pod>());
    let expectations = Arc::new(Expectations::new(context.ambient.clock));
    let released = Arc::new(Released::default());
    let pod_control = PodControl {
        client: context.client.clone(),
        recorder: context.recorder(),
        expectations: Arc::clone(&expectations),
    };
    let runner = Runner {
        client: context.client.clone(),
        recorder: pod_control.recorder.clone(),
        jobs: jobs.clone(),
        pods: pods.clone(),
        expectations: Arc::clone(&expectations),
        pod_control,
        released: Arc::clone(&released),
        written: Written::default(),
        failures: Mutex::default(),
        figures: Arc::clone(&context.figures),
        ambient: context.ambient.clone(),
    };
    let controller = Controller::new("job-controller", runner, context.ambient.clock);
    let queue = controller.queue();
    on_each(&jobs, {
        let queue = queue.clone();
        move |job| queue.add(NamespacedName::of(&job.metadata))
    });
    released.watch(&pods);
    figures::count_tracked_pods(&pods, Arc::clone(&context.figures));
    watch_pods(&pods, &jobs, expectations, queue);
    let orphans = orphans::controller(&context, &jobs, &pods);
    let synced = || async {
        jobs.synced().await;
        pods.synced().await;
    };
    tokio::join!(context.run(controller, synced()), context.run(orphans, synced()));
}

struct Runner {
    client: Client,
    recorder: Recorder,
    jobs: Informer<Job>,
    pods: Informer<Pod>,
    expectations: Arc<Expectations>,
    pod_control: PodControl,
    released: Arc<Released>,
    written: Written,
    /// By Job, how often its pods have failed in a row. Lost with a restart, and then begun anew.
    failures: Mutex<BTreeMap<NamespacedName, Failures>>,
    figures: Arc<Figures>,
    ambient: Ambient,
}

impl Reconciler for Runner {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(job) = self.jobs.get(key) else {
            self.expectations.forget(key);
            self.written.forget(key);
            self.set_failures(key, Failures::default());
            return Ok(Outcome::Done);
        };
        let Some(spec) = &job.spec else { return Ok(Outcome::Done) };
        if !is_ours(&job) || !self.written.is_shown_by(&job.metadata) {
            return Ok(Outcome::Done);
        }
        if is_finished(&job) {
            self.set_failures(key, Failures::default());
            return Ok(Outcome::Done);
        }
        let begun = self.ambient.clock.instant();
        let is_settled = self.expectations.satisfied(key);
        let released = self.released.all();
        let pods =
            claim_with_finalizers(&self.client, &self.pods, &*job, &job.selector()?, &[FINALIZER], |_| true).await?;
        let view = View {
            job: &job,
            spec,
            pods: &pods,
            released: &released,
            is_settled,
            failures: self.failures(key),
            now: self.ambient.clock.now(),
        };
        let plan = plan::plan(&view);
        let (effects, problem) = self.carry_out(key, &view, &plan).await;
        let counted = self.count(key, &view, &plan, effects).await;
        let result = counted.and(problem.map_or(Ok(()), Err));
        let took = self.ambient.clock.instant().duration_since(begun);
        figures::tell_sync(&self.figures, &view, &plan, took, result.is_ok());
        result.map(|()| plan.wait.map_or(Outcome::Done, Outcome::RequeueAfter))
    }
}

impl Runner {
    /// Makes and deletes pods. What was done counts, even where some of it failed.
    async fn carry_out(&self, key: &NamespacedName, view: &View<'_>, plan: &Plan) -> (Effects, Option<ReconcileError>) {
        match &plan.pods {
            Pods::Keep => (Effects::default(), None),
            Pods::Create(entries) => {
                self.expectations.expect(key, entries.len(), []);
                let predecessors = view.predecessors();
                let made: Vec<Pod> = entries
                    .iter()
                    .map(|index| {
                        let replaced = index.and_then(|index| predecessors.get(&index).copied());
                        pod::pod_of(view.job, view.spec, *index, replaced)
                    })
                    .collect();
                let result = slow_start(made.len(), |nth| self.pod_control.create(view.job, &made[nth])).await;
                for _ in 0..result.skipped {
                    self.expectations.creation_observed(key);
                }
                (Effects { created: result.succeeded, ..Effects::default() }, result.first_error)
            }
            Pods::Remove(doomed) => self.delete(key, view.job, doomed, true).await,
            Pods::End(running) => self.delete(key, view.job, running, false).await,
        }
    }

    /// Pods that are not to be counted lose their finalizer first.
    async fn delete(
        &self,
        key: &NamespacedName,
        job: &Job,
        doomed: &[Arc<Pod>],
        uncounted: bool,
    ) -> (Effects, Option<ReconcileError>) {
        self.expectations.expect(key, 0, doomed.iter().map(|pod| pods::uid(pod).to_owned()));
        let deletions = doomed.iter().map(|pod| async move {
            if uncounted && let Err(error) = orphans::release(&self.client, pod).await {
                self.expectations.deletion_observed(key, pods::uid(pod));
                return Err(error);
            }
            self.pod_control.delete(job, pod).await
        });
        let results = futures::future::join_all(deletions).await;
        let mut effects = Effects::default();
        let mut problem = None;
        for (pod, result) in doomed.iter().zip(results) {
            match result {
                Ok(()) => {
                    effects.deleted += 1;
                    effects.deleted_ready += usize::from(pods::is_ready(pod));
                }
                Err(error) => problem = Some(error),
            }
        }
        (effects, problem)
    }

    async fn count(
        &self,
        key: &NamespacedName,
        view: &View<'_>,
        plan: &Plan,
        effects: Effects,
    ) -> Result<(), ReconcileError> {
        let counting = count_ended(view, plan, effects);
        let mut job = view.job.clone();
        if job.status.as_ref() != Some(&counting.status) {
            job = self.write_status(key, job, &counting.status).await?;
            self.set_failures(key, view.failures_now());
        }
        if let Some((reason, message)) = counting.event {
            self.recorder.normal(view.job, reason, message);
        }
        let (gone, problem) = self.release(&counting.release).await;
        let (status, has_ended) = settle(view, &counting, &gone);
        if status != counting.status {
            job = self.write_status(key, job, &status).await?;
        }
        figures::tell_counted(&self.figures, view, &view.job.status.clone().unwrap_or_default(), &status);
        if let (true, Some(verdict)) = (has_ended, &counting.verdict) {
            figures::tell_end(&self.figures, view, verdict);
            self.tell_end(&job, verdict);
        }
        problem.map_or(Ok(()), Err)
    }

    async fn write_status(&self, key: &NamespacedName, job: Job, status: &JobStatus) -> Result<Job, ReconcileError> {
        let api: Api<Job> = Api::namespaced(self.client.clone(), &key.namespace);
        let updated = Job { status: Some(status.clone()), ..job };
        let answer =
            api.replace_status(&key.name, &PostParams::default(), &updated).await.during("update status of", key)?;
        self.written.remember(&answer.metadata);
        Ok(answer)
    }

    /// UIDs of the pods that have no finalizer any longer.
    async fn release(&self, ended: &[Arc<Pod>]) -> (BTreeSet<String>, Option<ReconcileError>) {
        let releases = ended.iter().map(|pod| async move {
            self.released.expect(pod);
            let result = orphans::release(&self.client, pod).await;
            if result.is_err() {
                self.released.forget(pod);
            }
            result
        });
        let results = futures::future::join_all(releases).await;
        let (mut gone, mut problem) = (BTreeSet::new(), None);
        for (pod, result) in ended.iter().zip(results) {
            match result {
                Ok(()) => {
                    gone.insert(pods::uid(pod).to_owned());
                }
                Err(error) => problem = Some(error),
            }
        }
        (gone, problem)
    }

    fn tell_end(&self, job: &Job, verdict: &Verdict) {
        match verdict.end {
            End::Complete => {
                let succeeded = job.status.as_ref().and_then(|status| status.succeeded).unwrap_or(0);
                let completions = job.spec.as_ref().and_then(|spec| spec.completions);
                if completions.is_some_and(|completions| succeeded > completions) {
                    let message = "Too many succeeded pods running after completion count reached";
                    self.recorder.warning(job, "TooManySucceededPods", message);
                }
                self.recorder.normal(job, "Completed", "Job completed");
            }
            End::Failed => self.recorder.warning(job, &verdict.reason, verdict.message.as_str()),
        }
    }

    fn failures(&self, key: &NamespacedName) -> Failures {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied().unwrap_or_default()
    }

    fn set_failures(&self, key: &NamespacedName, failures: Failures) {
        let mut all = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures == Failures::default() {
            all.remove(key);
        } else {
            all.insert(key.clone(), failures);
        }
    }
}

fn is_ours(job: &Job) -> bool {
    job.spec.as_ref().and_then(|spec| spec.managed_by.as_deref()).is_none_or(|manager| manager == MANAGER)
}
