//! Deletes Jobs some time after they have finished, where they say so.

use std::time::Duration;

use api::NamespacedName;
use api::k8s::api::batch::v1::Job;
use api::k8s::jiff::Timestamp;
use client::Client;
use client::kube::Api;
use client::kube::api::{DeleteParams, Preconditions, PropagationPolicy};
use reconcile::{Controller, Informer, Outcome, Reconciler};
use stdx::Ambient;

use crate::context::{Context, on_each};
use crate::error::{During, ReconcileError, unless_gone};
use crate::job::finished_condition;
use crate::replicaset::round_up;

pub(crate) async fn run(context: Context) {
    let jobs = context.informers.of::<Job>();
    let cleaner = Cleaner { client: context.client.clone(), jobs: jobs.clone(), ambient: context.ambient.clone() };
    let controller = Controller::new("ttl-after-finished-controller", cleaner, context.ambient.clock);
    let queue = controller.queue();
    on_each(&jobs, move |job| {
        if expires_at(job).is_some() {
            queue.add(NamespacedName::of(&job.metadata));
        }
    });
    let synced = jobs.synced();
    context.run(controller, synced).await;
}

struct Cleaner {
    client: Client,
    jobs: Informer<Job>,
    ambient: Ambient,
}

impl Reconciler for Cleaner {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(job) = self.jobs.get(key) else { return Ok(Outcome::Done) };
        match time_left(&job, self.ambient.clock.now()) {
            None => return Ok(Outcome::Done),
            Some(left) if !left.is_zero() => return Ok(Outcome::RequeueAfter(round_up(left))),
            Some(_) => {}
        }
        let api: Api<Job> = Api::namespaced(self.client.clone(), &key.namespace);
        // The cache may be old: its time to live may have been prolonged meanwhile.
        let fresh = match api.get(&key.name).await {
            Ok(fresh) => fresh,
            Err(error) => return unless_gone::<Job>(Err(error)).during("read job", key).map(|()| Outcome::Done),
        };
        match time_left(&fresh, self.ambient.clock.now()) {
            Some(left) if left.is_zero() => {}
            // The event of what has changed is under way.
            _ => return Ok(Outcome::Done),
        }
        let only_this = Preconditions { uid: fresh.metadata.uid, resource_version: fresh.metadata.resource_version };
        let parameters =
            DeleteParams { propagation_policy: Some(PropagationPolicy::Foreground), ..DeleteParams::default() };
        let deleted = api.delete(&key.name, &parameters.preconditions(only_this)).await;
        unless_gone(deleted).during("delete job", key)?;
        Ok(Outcome::Done)
    }
}

/// None where it is to stay, or is going already.
fn time_left(job: &Job, now: Timestamp) -> Option<Duration> {
    let left = expires_at(job)?.duration_since(now);
    Some(Duration::try_from(left).unwrap_or(Duration::ZERO))
}

fn expires_at(job: &Job) -> Option<Timestamp> {
    if job.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let seconds = u64::try_from(job.spec.as_ref()?.ttl_seconds_after_finished?).ok()?;
    let finished = finished_condition(job)?.last_transition_time.as_ref()?.0;
    finished.checked_add(Duration::from_secs(seconds)).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_time_to_live_begins_when_the_job_has_finished() {
        let now: Timestamp = "2030-01-01T00:01:00Z".parse().unwrap();
        let left = |ttl: Value, condition: &str, status: &str| {
            let job: Job = serde_json::from_value(json!({
                "metadata": {"name": "j"},
                "spec": {"ttlSecondsAfterFinished": ttl, "template": {}},
                "status": {"conditions": [
                    {"type": condition, "status": status, "lastTransitionTime": "2030-01-01T00:00:00Z"},
                ]},
            }))
            .unwrap();
            time_left(&job, now).map(|left| left.as_secs())
        };
        assert_eq!(left(json!(100), "Complete", "True"), Some(40));
        assert_eq!(left(json!(100), "Failed", "True"), Some(40));
        assert_eq!(left(json!(0), "Complete", "True"), Some(0));
        assert_eq!(left(json!(100), "FailureTarget", "True"), None);
        assert_eq!(left(json!(100), "Complete", "False"), None);
        assert_eq!(left(Value::Null, "Complete", "True"), None);
    }
}
