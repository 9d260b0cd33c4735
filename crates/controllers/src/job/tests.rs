//! Jobs played through on paper: plans are applied to a model, and cut off at any step.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::k8s::api::batch::v1::{Job, JobStatus};
use api::k8s::api::core::v1::Pod;
use api::k8s::apimachinery::pkg::apis::meta::v1::Time;
use api::k8s::jiff::{Timestamp, ToSpan};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::backoff::Failures;
use super::count::{Effects, count_ended, settle};
use super::plan::{Plan, Pods, plan};
use super::pod::pod_of;
use super::view::{View, has_finalizer};
use crate::pods;

fn start() -> Timestamp {
    "2030-01-01T00:00:00Z".parse().unwrap()
}

fn job(spec: Value) -> Job {
    let mut defaults = json!({
        "parallelism": 1,
        "backoffLimit": 6,
        "completionMode": "NonIndexed",
        "suspend": false,
        "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "x"}]}},
    });
    let fields = defaults.as_object_mut().unwrap();
    fields.extend(spec.as_object().unwrap().clone());
    serde_json::from_value(json!({
        "metadata": {"name": "work", "namespace": "default", "uid": "job"},
        "spec": defaults,
    }))
    .unwrap()
}

/// What the API holds, and what the controller remembers.
struct World {
    job: Job,
    pods: Vec<Pod>,
    failures: Failures,
    released: BTreeSet<String>,
    now: Timestamp,
    made: usize,
    /// How every pod that is no longer at work came to its end; `None` for those taken back.
    ends: BTreeMap<String, Option<bool>>,
}

impl World {
    fn new(spec: Value) -> Self {
        World {
            job: job(spec),
            pods: Vec::new(),
            failures: Failures::default(),
            released: BTreeSet::new(),
            now: start(),
            made: 0,
            ends: BTreeMap::new(),
        }
    }

    /// One reconciliation, cut off after `steps` writes. True where it wrote anything.
    fn reconcile(&mut self, steps: usize) -> bool {
        let (job, pods) = (self.job.clone(), self.pods.iter().cloned().map(Arc::new).collect::<Vec<_>>());
        let released = self.released.clone();
        let view = View {
            job: &job,
            spec: job.spec.as_ref().unwrap(),
            pods: &pods,
            released: &released,
            is_settled: true,
            failures: self.failures,
            now: self.now,
        };
        let plan = plan(&view);
        let mut left = steps;
        let finished = self.carry_out(&view, &plan, &mut left).is_some();
        if !finished {
            // A new process remembers nothing.
            self.failures = Failures::default();
            self.released.clear();
        }
        left < steps
    }

    fn carry_out(&mut self, view: &View, plan: &Plan, left: &mut usize) -> Option<()> {
        let mut effects = Effects::default();
        match &plan.pods {
            Pods::Keep => {}
            Pods::Create(entries) => {
                let predecessors = view.predecessors();
                for index in entries {
                    spend(left)?;
                    let replaced = index.and_then(|index| predecessors.get(&index).copied());
                    self.create(pod_of(view.job, view.spec, *index, replaced));
                    effects.created += 1;
                }
            }
            Pods::Remove(doomed) => {
                for pod in doomed {
                    spend(left)?;
                    self.ends.insert(pods::uid(pod).to_owned(), None);
                    self.release(pods::uid(pod));
                    spend(left)?;
                    self.delete(pods::uid(pod));
                    effects.deleted += 1;
                }
            }
            Pods::End(running) => {
                for pod in running {
                    spend(left)?;
                    self.delete(pods::uid(pod));
                    effects.deleted += 1;
                }
            }
        }
        let counting = count_ended(view, plan, effects);
        if self.job.status.as_ref() != Some(&counting.status) {
            spend(left)?;
            self.job.status = Some(counting.status.clone());
            self.failures = view.failures_now();
        }
        let mut gone = BTreeSet::new();
        for pod in &counting.release {
            spend(left)?;
            self.release(pods::uid(pod));
            gone.insert(pods::uid(pod).to_owned());
        }
        let (status, _) = settle(view, &counting, &gone);
        if status != counting.status {
            spend(left)?;
            self.job.status = Some(status);
        }
        Some(())
    }

    /// Until nothing more is to be written.
    fn quiesce(&mut self) {
        for _ in 0..100 {
            if self.is_finished() || !self.reconcile(usize::MAX) {
                return;
            }
        }
        panic!("it does not come to rest: {:?}", self.job.status);
    }

    fn create(&mut self, mut pod: Pod) {
        self.made += 1;
        pod.metadata.uid = Some(format!("uid-{}", self.made));
        pod.metadata.name = Some(format!("pod-{}", self.made));
        pod.metadata.namespace = Some("default".into());
        pod.metadata.creation_timestamp = Some(Time(self.now));
        set_phase(&mut pod, "Running");
        self.pods.push(pod);
    }

    /// Until the finalizer is gone, the pod is merely told to go.
    fn delete(&mut self, uid: &str) {
        let now = self.now;
        let Some(pod) = self.pods.iter_mut().find(|pod| pods::uid(pod) == uid) else { return };
        pod.metadata.deletion_timestamp.get_or_insert(Time(now));
        pod.metadata.deletion_grace_period_seconds = Some(0);
        self.ends.entry(uid.to_owned()).or_insert(Some(false));
        self.pods.retain(|pod| has_finalizer(pod) || !pods::is_terminating(pod));
    }

    fn release(&mut self, uid: &str) {
        if let Some(pod) = self.pods.iter_mut().find(|pod| pods::uid(pod) == uid) {
            pod.metadata.finalizers = None;
        }
        self.pods.retain(|pod| has_finalizer(pod) || !pods::is_terminating(pod));
    }

    fn active(&self) -> Vec<String> {
        self.pods.iter().filter(|pod| pods::is_active(pod)).map(|pod| pods::uid(pod).to_owned()).collect()
    }

    fn end(&mut self, uid: &str, exit_code: i32) {
        let finished = self.now.to_string();
        let pod = self.pods.iter_mut().find(|pod| pods::uid(pod) == uid).unwrap();
        set_phase(pod, if exit_code == 0 { "Succeeded" } else { "Failed" });
        let container = json!({
            "name": "main", "image": "", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"terminated": {"exitCode": exit_code, "finishedAt": finished}},
        });
        pod.status.as_mut().unwrap().container_statuses = Some(serde_json::from_value(json!([container])).unwrap());
        // One that was already given up does not count, however it ends.
        self.ends.entry(uid.to_owned()).or_insert(Some(exit_code == 0));
    }

    /// Ends the pods at work one after the other, the back-off's time in between.
    fn play(&mut self, exit_codes: &[i32]) {
        for code in exit_codes {
            self.quiesce();
            let Some(uid) = self.active().first().cloned() else { return };
            self.end(&uid, *code);
            self.now = self.now.checked_add(1.hour()).unwrap();
        }
        self.quiesce();
    }

    fn status(&self) -> JobStatus {
        self.job.status.clone().unwrap_or_default()
    }

    fn is_finished(&self) -> bool {
        super::is_finished(&self.job)
    }

    /// Conditions as `type reason`, in order.
    fn conditions(&self) -> Vec<String> {
        let conditions = self.status().conditions.unwrap_or_default();
        conditions
            .iter()
            .map(|condition| {
                format!("{}={} {}", condition.type_, condition.status, condition.reason.clone().unwrap_or_default())
            })
            .collect()
    }

    fn counts(&self) -> (i32, i32, i32) {
        let status = self.status();
        (status.active.unwrap_or(0), status.succeeded.unwrap_or(0), status.failed.unwrap_or(0))
    }
}

fn spend(left: &mut usize) -> Option<()> {
    *left = left.checked_sub(1)?;
    Some(())
}

fn set_phase(pod: &mut Pod, phase: &str) {
    pod.status.get_or_insert_default().phase = Some(phase.to_owned());
}

#[test]
fn a_job_runs_to_its_completions() {
    let mut world = World::new(json!({"completions": 3, "parallelism": 2}));
    world.quiesce();
    assert_eq!((world.counts(), world.status().start_time), ((2, 0, 0), Some(Time(start()))));
    world.play(&[0, 0]);
    assert_eq!(world.counts(), (1, 2, 0));
    world.play(&[0]);
    assert_eq!(world.counts(), (0, 3, 0));
    assert_eq!(world.conditions(), ["SuccessCriteriaMet=True CompletionsReached", "Complete=True CompletionsReached"]);
    assert_eq!(world.status().completion_time, Some(Time(world.now)));
    assert!(world.pods.iter().all(|pod| !has_finalizer(pod)), "finished pods stay, but nothing holds them");
}

#[test]
fn without_completions_the_first_success_lets_the_others_finish() {
    let mut world = World::new(json!({"parallelism": 3}));
    world.play(&[0]);
    assert_eq!((world.counts(), world.is_finished()), ((2, 1, 0), false));
    world.play(&[1, 0]);
    assert_eq!((world.counts(), world.is_finished()), ((0, 2, 1), true));
}

#[test]
fn failures_end_the_job_beyond_the_limit() {
    let mut world = World::new(json!({"completions": 2, "backoffLimit": 2}));
    world.play(&[1, 1]);
    assert_eq!((world.counts(), world.is_finished()), ((1, 0, 2), false));
    world.play(&[1]);
    assert_eq!(world.counts(), (0, 0, 3));
    assert_eq!(world.conditions(), ["FailureTarget=True BackoffLimitExceeded", "Failed=True BackoffLimitExceeded"]);
    let message = world.status().conditions.unwrap()[1].message.clone();
    assert_eq!(message.as_deref(), Some("Job has reached the specified backoff limit"));
}

#[test]
fn a_failed_pod_is_replaced_only_after_the_back_off() {
    let mut world = World::new(json!({"completions": 1}));
    world.quiesce();
    world.end("uid-1", 1);
    world.quiesce();
    assert_eq!(world.counts(), (0, 0, 1));
    world.now = start().checked_add(9.seconds()).unwrap();
    world.quiesce();
    assert_eq!(world.made, 1);
    world.now = start().checked_add(10.seconds()).unwrap();
    world.quiesce();
    assert_eq!((world.counts(), world.made), ((1, 0, 1), 2));
}

#[test]
fn containers_that_restart_in_place_count_by_their_restarts() {
    let mut world = World::new(json!({"completions": 1, "backoffLimit": 2}));
    world.job.spec.as_mut().unwrap().template.spec.as_mut().unwrap().restart_policy = Some("OnFailure".into());
    world.quiesce();
    let restarts = |world: &mut World, count: i32| {
        let status = json!([{"name": "main", "image": "", "imageID": "", "ready": true, "restartCount": count}]);
        let pod = world.pods.first_mut().unwrap();
        pod.status.as_mut().unwrap().container_statuses = Some(serde_json::from_value(status).unwrap());
        world.quiesce();
    };
    restarts(&mut world, 1);
    assert!(!world.is_finished());
    restarts(&mut world, 2);
    assert_eq!(world.conditions()[1], "Failed=True BackoffLimitExceeded");
}

#[test]
fn the_deadline_ends_what_runs_but_not_while_suspended() {
    let mut world = World::new(json!({"completions": 1, "activeDeadlineSeconds": 60}));
    world.quiesce();
    world.now = start().checked_add(30.seconds()).unwrap();
    world.job.spec.as_mut().unwrap().suspend = Some(true);
    world.quiesce();
    assert_eq!((world.counts(), world.pods.len()), ((0, 0, 0), 0));
    assert_eq!(world.conditions(), ["Suspended=True JobSuspended"]);
    world.now = start().checked_add(1.hour()).unwrap();
    world.job.spec.as_mut().unwrap().suspend = Some(false);
    world.quiesce();
    assert_eq!(world.conditions(), ["Suspended=False JobResumed"]);
    assert_eq!((world.status().start_time, world.counts()), (Some(Time(world.now)), (1, 0, 0)));
    world.now = world.now.checked_add(60.seconds()).unwrap();
    world.quiesce();
    assert_eq!(world.conditions()[1..], ["FailureTarget=True DeadlineExceeded", "Failed=True DeadlineExceeded"]);
    assert_eq!(world.counts(), (0, 0, 1));
}

#[test]
fn a_job_created_suspended_starts_when_it_is_resumed() {
    let mut world = World::new(json!({"completions": 1, "suspend": true}));
    world.quiesce();
    assert_eq!((world.counts(), world.status().start_time), ((0, 0, 0), None));
    world.job.spec.as_mut().unwrap().suspend = Some(false);
    world.play(&[0]);
    assert!(world.is_finished());
}

#[test]
fn every_index_runs_and_the_status_names_those_that_are_done() {
    let mut world = World::new(json!({"completions": 5, "parallelism": 3, "completionMode": "Indexed"}));
    world.quiesce();
    world.end("uid-3", 0);
    world.end("uid-1", 0);
    world.quiesce();
    assert_eq!(world.status().completed_indexes.as_deref(), Some("0,2"));
    world.play(&[0, 0, 0]);
    assert_eq!(world.status().completed_indexes.as_deref(), Some("0-4"));
    assert!(world.is_finished());
}

#[test]
fn an_indexed_job_shrinks_and_grows() {
    let mut world = World::new(json!({"completions": 3, "parallelism": 3, "completionMode": "Indexed"}));
    world.quiesce();
    let resize = |world: &mut World, size: i32| {
        let spec = world.job.spec.as_mut().unwrap();
        (spec.completions, spec.parallelism) = (Some(size), Some(size));
        world.quiesce();
    };
    resize(&mut world, 1);
    assert_eq!(world.counts(), (1, 0, 0), "an index beyond the completions goes without being counted");
    resize(&mut world, 2);
    world.play(&[0, 0]);
    assert_eq!(world.status().completed_indexes.as_deref(), Some("0,1"));
    assert!(world.is_finished());
}

#[test]
fn an_index_fails_by_itself() {
    let mut world = World::new(json!({
        "completions": 2, "parallelism": 2, "completionMode": "Indexed",
        "backoffLimit": i32::MAX, "backoffLimitPerIndex": 1,
    }));
    world.quiesce();
    world.end("uid-1", 1);
    world.now = world.now.checked_add(1.hour()).unwrap();
    world.quiesce();
    let annotations = world.pods.last().unwrap().metadata.annotations.clone().unwrap();
    assert_eq!(annotations["batch.kubernetes.io/job-index-failure-count"], "1");
    world.end("uid-3", 1);
    world.quiesce();
    assert_eq!((world.status().failed_indexes.as_deref(), world.is_finished()), (Some("0"), false));
    world.play(&[0]);
    assert_eq!(world.conditions(), ["FailureTarget=True FailedIndexes", "Failed=True FailedIndexes"]);
    assert_eq!(world.counts(), (0, 1, 2));
}

#[test]
fn too_many_failed_indexes_end_the_job() {
    let mut world = World::new(json!({
        "completions": 4, "parallelism": 4, "completionMode": "Indexed",
        "backoffLimit": i32::MAX, "backoffLimitPerIndex": 0, "maxFailedIndexes": 1,
    }));
    world.play(&[1]);
    assert!(!world.is_finished());
    world.play(&[1]);
    assert_eq!(world.conditions()[1], "Failed=True MaxFailedIndexesExceeded");
    assert_eq!(world.counts(), (0, 0, 4), "what still ran has failed with the Job");
}

#[test]
fn a_failure_policy_ignores_or_ends() {
    let rules = json!([
        {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [7]}},
        {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}},
    ]);
    let mut world = World::new(json!({
        "completions": 2, "backoffLimit": 0, "podReplacementPolicy": "Failed", "podFailurePolicy": {"rules": rules},
    }));
    world.play(&[7, 7, 0]);
    assert_eq!((world.counts(), world.is_finished()), ((1, 1, 0), false));
    world.play(&[42]);
    assert_eq!(world.conditions(), ["FailureTarget=True PodFailurePolicy", "Failed=True PodFailurePolicy"]);
    let message = world.status().conditions.unwrap()[1].message.clone().unwrap();
    assert_eq!(
        message,
        "Container main for pod default/pod-4 failed with exit code 42 matching FailJob rule at index 1"
    );
}

#[test]
fn a_success_policy_ends_the_rest_without_counting_it() {
    let mut world = World::new(json!({
        "completions": 3, "parallelism": 3, "completionMode": "Indexed",
        "successPolicy": {"rules": [{"succeededIndexes": "0"}]},
    }));
    world.play(&[0]);
    assert_eq!(world.conditions(), ["SuccessCriteriaMet=True SuccessPolicy", "Complete=True SuccessPolicy"]);
    assert_eq!(world.status().conditions.unwrap()[1].message.as_deref(), Some("Matched rules at index 0"));
    assert_eq!((world.counts(), world.pods.len()), ((0, 1, 0), 1));
}

#[test]
fn a_pod_on_its_way_out_keeps_its_place_where_only_failed_ones_are_replaced() {
    let leaving = |policy: &str| {
        let mut world = World::new(json!({"completions": 1, "podReplacementPolicy": policy}));
        world.quiesce();
        world.delete("uid-1");
        world.now = world.now.checked_add(1.hour()).unwrap();
        world.reconcile(usize::MAX);
        world.made
    };
    assert_eq!(leaving("TerminatingOrFailed"), 2);
    assert_eq!(leaving("Failed"), 1);
}

#[test]
fn a_job_that_is_going_makes_nothing_and_lets_its_pods_go() {
    let mut world = World::new(json!({"completions": 2, "parallelism": 2}));
    world.quiesce();
    world.job.metadata.deletion_timestamp = Some(Time(world.now));
    world.end("uid-1", 0);
    world.quiesce();
    assert_eq!(world.made, 2);
    assert!(world.pods.iter().all(|pod| !has_finalizer(pod)));
}

#[derive(Clone, Debug)]
enum Event {
    End { which: usize, exit_code: i32 },
    Delete { which: usize },
    Reconcile { steps: usize },
    Hour,
    Parallelism(i32),
    Suspend(bool),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0..4_usize, 0..2).prop_map(|(which, exit_code)| Event::End { which, exit_code }),
        1 => (0..4_usize).prop_map(|which| Event::Delete { which }),
        4 => (0..12_usize).prop_map(|steps| Event::Reconcile { steps }),
        2 => Just(Event::Hour),
        1 => (0..4).prop_map(Event::Parallelism),
        1 => any::<bool>().prop_map(Event::Suspend),
    ]
}

fn happen(world: &mut World, event: &Event) {
    let pick = |world: &World, which: usize| {
        let active = world.active();
        active.get(which % active.len().max(1)).cloned()
    };
    match event {
        Event::End { which, exit_code } => {
            if let Some(uid) = pick(world, *which) {
                world.end(&uid, *exit_code);
            }
        }
        Event::Delete { which } => {
            if let Some(uid) = pick(world, *which) {
                world.delete(&uid);
            }
        }
        Event::Reconcile { steps } => {
            if !world.is_finished() {
                world.reconcile(*steps);
            }
        }
        Event::Hour => world.now = world.now.checked_add(1.hour()).unwrap(),
        Event::Parallelism(parallelism) => world.job.spec.as_mut().unwrap().parallelism = Some(*parallelism),
        Event::Suspend(suspend) => world.job.spec.as_mut().unwrap().suspend = Some(*suspend),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_pod_is_counted_once_wherever_the_controller_stops(
        events in prop::collection::vec(event(), 1..60),
        completions in prop::option::of(50..60),
    ) {
        // Too many to finish: what is counted is all that happens.
        let mut world = World::new(json!({"completions": completions, "parallelism": 3, "backoffLimit": 1000}));
        for event in &events {
            happen(&mut world, event);
            let pods = world.pods.iter().filter(|pod| pods::is_active(pod)).count();
            prop_assert!(pods <= 3, "never more than the parallelism");
        }
        world.quiesce();
        let ended = |well: bool| world.ends.values().filter(|end| **end == Some(well)).count() as i32;
        let (_, succeeded, failed) = world.counts();
        prop_assert_eq!((succeeded, failed), (ended(true), ended(false)));
        prop_assert!(world.status().uncounted_terminated_pods.is_some_and(|left| left == Default::default()));
    }

    #[test]
    fn an_indexed_job_ends_with_every_index_wherever_the_controller_stops(
        events in prop::collection::vec(event(), 1..40),
    ) {
        let mut world = World::new(json!({
            "completions": 4, "parallelism": 2, "completionMode": "Indexed", "backoffLimit": 1000,
        }));
        for event in &events {
            happen(&mut world, event);
        }
        world.job.spec.as_mut().unwrap().suspend = Some(false);
        world.job.spec.as_mut().unwrap().parallelism = Some(2);
        world.now = world.now.checked_add(1.hour()).unwrap();
        world.play(&[0; 12]);
        prop_assert!(world.is_finished());
        prop_assert_eq!(world.status().completed_indexes, Some("0-3".to_owned()));
        prop_assert_eq!(world.counts().1, 4);
    }
}
