//! CronJobs: start Jobs by the clock.

mod missed;
mod plan;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use api::NamespacedName;
use api::k8s::api::batch::v1::{CronJob, CronJobStatus, Job};
use api::k8s::api::core::v1::ObjectReference;
use api::k8s::apimachinery::pkg::apis::meta::v1::Time;
use client::kube::Api;
use client::kube::api::{DeleteParams, PostParams, PropagationPolicy};
use client::{CallError, Client};
use reconcile::{Controller, Informer, Outcome, Reconciler, Recorder, WorkQueue, controller_of, reference_to};
use stdx::Ambient;

use crate::context::{Context, on_each};
use crate::error::{During, ReconcileError, unless_gone};
use crate::metrics::Figures;
use crate::ownership::{controlled_by, index_by_controller, resolve_controller};
use crate::replicaset::round_up;
use crate::written::Written;
use plan::{Start, View, plan, unlist};

pub(crate) async fn run(context: Context) {
    let cron_jobs = context.informers.of::<CronJob>();
    let jobs = index_by_controller(context.informers.of::<Job>());
    let timekeeper = Timekeeper {
        client: context.client.clone(),
        recorder: context.recorder(),
        cron_jobs: cron_jobs.clone(),
        jobs: jobs.clone(),
        written: Written::default(),
        figures: Arc::clone(&context.figures),
        ambient: context.ambient.clone(),
    };
    let controller = Controller::new("cronjob-controller", timekeeper, context.ambient.clock);
    let queue = controller.queue();
    on_each(&cron_jobs, {
        let queue = queue.clone();
        move |cron_job| queue.add(NamespacedName::of(&cron_job.metadata))
    });
    on_each(&jobs, {
        let (cron_jobs, queue) = (cron_jobs.clone(), queue.clone());
        move |job| {
            if let Some(cron_job) = resolve_controller::<CronJob>(&cron_jobs, &job.metadata) {
                queue.add(NamespacedName::of(&cron_job.metadata));
            }
        }
    });
    let synced = async {
        cron_jobs.synced().await;
        jobs.synced().await;
    };
    tokio::select! {
        biased;
        () = context.run(controller, synced) => {}
        () = look_again_at_steps(&context, &cron_jobs, &queue) => {}
    }
}

/// Looks at all CronJobs again whenever somebody has set the clock: the wait for the next hour was reckoned by the old
/// one. Never returns.
async fn look_again_at_steps(context: &Context, cron_jobs: &Informer<CronJob>, queue: &WorkQueue<NamespacedName>) {
    let watched = async {
        let mut steps = context.ambient.clock.steps()?;
        loop {
            steps.next().await?;
            cron_jobs.list().iter().for_each(|cron_job| queue.add(NamespacedName::of(&cron_job.metadata)));
        }
    };
    let ended: io::Result<Infallible> = watched.await;
    let Err(error) = ended;
    tracing::warn!(error = stdx::error::chain(&error), "CronJobs will not notice when the clock is set");
    std::future::pending().await
}

struct Timekeeper {
    client: Client,
    recorder: Recorder,
    cron_jobs: Informer<CronJob>,
    jobs: Informer<Job>,
    written: Written,
    figures: Arc<Figures>,
    ambient: Ambient,
}

impl Reconciler for Timekeeper {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(cron_job) = self.cron_jobs.get(key) else {
            self.written.forget(key);
            return Ok(Outcome::Done);
        };
        if !self.written.is_shown_by(&cron_job.metadata) {
            return Ok(Outcome::Done);
        }
        let jobs = controlled_by(&self.jobs, &cron_job.metadata);
        let missing = self.missing(key, &cron_job, &jobs).await?;
        let view = View { cron_job: &cron_job, jobs: &jobs, missing: &missing, now: self.ambient.clock.now() };
        let mut plan = plan(&view);
        for (r#type, reason, message) in plan.events.drain(..) {
            self.recorder.event(&reference_to(&*cron_job), r#type, reason, message);
        }
        // What was begun is written down, even where the rest fails.
        let started = match plan.start.take() {
            Some(start) => self.start(&cron_job, start, &mut plan.status).await,
            None => Ok(()),
        };
        for job in &plan.forget {
            self.delete(&cron_job, job, &mut plan.status).await?;
        }
        self.update_status(key, &cron_job, plan.status).await?;
        started?;
        Ok(plan.wait.map_or(Outcome::Done, |wait| Outcome::RequeueAfter(round_up(wait))))
    }
}

impl Timekeeper {
    /// UIDs of active Jobs that neither the cache nor the API has.
    async fn missing(
        &self,
        key: &NamespacedName,
        cron_job: &CronJob,
        jobs: &[Arc<Job>],
    ) -> Result<BTreeSet<String>, ReconcileError> {
        let mut missing = BTreeSet::new();
        for active in cron_job.status.iter().flat_map(|status| status.active.iter().flatten()) {
            if jobs.iter().any(|job| job.metadata.uid == active.uid) {
                continue;
            }
            let name = active.name.as_deref().unwrap_or_default();
            match self.api(key).get(name).await.map_err(CallError::from) {
                Ok(present) if present.metadata.uid == active.uid => {}
                Ok(_) => missing.extend(active.uid.clone()),
                Err(error) if error.is_not_found() => missing.extend(active.uid.clone()),
                Err(error) => return Err(error).during("read job", name),
            }
        }
        Ok(missing)
    }

    async fn start(&self, cron_job: &CronJob, start: Start, status: &mut CronJobStatus) -> Result<(), ReconcileError> {
        let key = NamespacedName::of(&start.job.metadata);
        for replaced in &start.replace {
            let name = replaced.name.as_deref().unwrap_or_default();
            let present = match self.api(&key).get(name).await.map_err(CallError::from) {
                Ok(present) => present,
                Err(error) => {
                    self.recorder.warning(cron_job, "FailedGet", format!("Get job: {error}"));
                    return Err(error).during("read job", name);
                }
            };
            self.delete(cron_job, &present, status).await?;
        }
        let created = match self.api(&key).create(&PostParams::default(), &start.job).await.map_err(CallError::from) {
            Ok(created) => {
                self.recorder.normal(cron_job, "SuccessfulCreate", format!("Created job {}", key.name));
                if let Some(Time(made)) = created.metadata.creation_timestamp {
                    self.figures.cron_job_skew_seconds.observe(&[], made.duration_since(start.scheduled).as_secs_f64());
                }
                created
            }
            Err(error) if error.is_namespace_terminating() => return Ok(()),
            // Made before, and not written down then; or by somebody else, whose business it stays.
            Err(error) if error.is_already_exists() => {
                let present = self.api(&key).get(&key.name).await.during("read job", &key)?;
                let is_ours =
                    controller_of(&present.metadata).map(|reference| &reference.uid) == cron_job.metadata.uid.as_ref();
                let is_listed = status.active.iter().flatten().any(|active| active.uid == present.metadata.uid);
                if !is_ours || is_listed {
                    return Ok(());
                }
                present
            }
            Err(error) => {
                self.recorder.warning(cron_job, "FailedCreate", format!("Error creating job: {error}"));
                return Err(error).during("create job", &key);
            }
        };
        let reference = ObjectReference { field_path: None, ..reference_to(&created) };
        status.active.get_or_insert_default().push(reference);
        status.last_schedule_time = Some(Time(start.scheduled));
        Ok(())
    }

    async fn delete(&self, cron_job: &CronJob, job: &Job, status: &mut CronJobStatus) -> Result<(), ReconcileError> {
        let key = NamespacedName::of(&job.metadata);
        let parameters =
            DeleteParams { propagation_policy: Some(PropagationPolicy::Background), ..DeleteParams::default() };
        if let Err(error) = unless_gone(self.api(&key).delete(&key.name, &parameters).await) {
            self.recorder.warning(cron_job, "FailedDelete", format!("Deleted job: {error}"));
            return Err(error).during("delete job", &key);
        }
        unlist(status, job.metadata.uid.as_deref());
        self.recorder.normal(cron_job, "SuccessfulDelete", format!("Deleted job {}", key.name));
        Ok(())
    }

    async fn update_status(
        &self,
        key: &NamespacedName,
        cron_job: &CronJob,
        mut status: CronJobStatus,
    ) -> Result<(), ReconcileError> {
        status.active = status.active.filter(|active| !active.is_empty());
        if cron_job.status.clone().unwrap_or_default() == status {
            return Ok(());
        }
        let api: Api<CronJob> = Api::namespaced(self.client.clone(), &key.namespace);
        let updated = CronJob { status: Some(status), ..cron_job.clone() };
        let answer =
            api.replace_status(&key.name, &PostParams::default(), &updated).await.during("update status of", key)?;
        self.written.remember(&answer.metadata);
        Ok(())
    }

    fn api(&self, key: &NamespacedName) -> Api<Job> {
        Api::namespaced(self.client.clone(), &key.namespace)
    }
}
