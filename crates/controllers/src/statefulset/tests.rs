//! StatefulSets played through on paper: plans are applied to a model in which pods become ready or fail.

use std::sync::Arc;

use api::k8s::api::apps::v1::StatefulSet;
use api::k8s::api::core::v1::Pod;
use api::k8s::apimachinery::pkg::apis::meta::v1::Time;
use api::k8s::jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::identity::{ordinal_of, revision_of};
use super::plan::{Action, Revision, View, plan, plan_status};
use super::pod_of;
use crate::pods;

/// What the API holds.
struct World {
    set: StatefulSet,
    pods: Vec<Arc<Pod>>,
    current: String,
    update: String,
    now: Timestamp,
    made: usize,
    /// What happened, in order: `+1`, `-1`.
    log: Vec<String>,
}

impl World {
    fn new(spec: Value) -> Self {
        let mut full = json!({
            "selector": {}, "template": {"spec": {"containers": []}}, "replicas": 3,
            "podManagementPolicy": "OrderedReady",
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        });
        full.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        let set =
            json!({"metadata": {"name": "db", "namespace": "default", "uid": "set", "generation": 1}, "spec": full});
        World {
            set: serde_json::from_value(set).unwrap(),
            pods: Vec::new(),
            current: "first".into(),
            update: "first".into(),
            now: Timestamp::from_second(1_000_000).unwrap(),
            made: 0,
            log: Vec::new(),
        }
    }

    fn view(&self) -> View<'_> {
        View { set: &self.set, pods: &self.pods, current: &self.current, update: &self.update, now: self.now }
    }

    /// One reconciliation. True where it changed anything.
    fn step(&mut self) -> bool {
        let actions = plan(&self.view());
        let mut changed = false;
        for action in actions {
            match action {
                Action::Create { ordinal, revision } => {
                    let revision = match revision {
                        Revision::Current => self.current.clone(),
                        Revision::Update => self.update.clone(),
                    };
                    let mut pod = pod_of(&self.set, &self.set.spec.template, &revision, ordinal);
                    self.made += 1;
                    pod.metadata.uid = Some(self.made.to_string());
                    self.pods.push(Arc::new(with_state(pod, "Pending", false)));
                    self.log.push(format!("+{ordinal}"));
                    changed = true;
                }
                Action::Delete(doomed) => {
                    let ordinal = ordinal_of(&self.set, &doomed).unwrap();
                    self.log.push(format!("-{ordinal}"));
                    self.pods.retain(|pod| pods::uid(pod) != pods::uid(&doomed));
                    changed = true;
                }
                Action::SupplyClaims { .. } | Action::Label { .. } => {}
            }
        }
        let status = plan_status(&self.view(), None);
        self.current = status.current_revision.clone().unwrap();
        self.set.status = Some(status);
        changed
    }

    fn settle(&mut self) {
        for _ in 0..1000 {
            for number in 0..self.pods.len() {
                self.set_state(number, "Running", true);
            }
            if !self.step() {
                return;
            }
        }
        panic!("it does not come to rest");
    }

    fn set_state(&mut self, number: usize, phase: &str, ready: bool) {
        let pod = Pod::clone(&self.pods[number]);
        self.pods[number] = Arc::new(with_state(pod, phase, ready));
    }

    fn position(&self, ordinal: i32) -> usize {
        self.pods.iter().position(|pod| ordinal_of(&self.set, pod) == Some(ordinal)).unwrap()
    }

    fn resize(&mut self, replicas: i32) {
        self.set.spec.replicas = Some(replicas);
    }

    /// `ordinal:revision`, in order.
    fn names(&self) -> Vec<String> {
        let mut pods: Vec<_> =
            self.pods.iter().map(|pod| (ordinal_of(&self.set, pod).unwrap(), revision_of(pod))).collect();
        pods.sort_unstable();
        pods.into_iter().map(|(ordinal, revision)| format!("{ordinal}:{revision}")).collect()
    }

    fn available(&self) -> Vec<i32> {
        let available = self.pods.iter().filter(|pod| pods::is_ready(pod) && pods::phase(pod) == "Running");
        available.filter_map(|pod| ordinal_of(&self.set, pod)).collect()
    }
}

fn with_state(mut pod: Pod, phase: &str, ready: bool) -> Pod {
    let status = json!({"phase": phase, "conditions": [{
        "type": "Ready", "status": if ready { "True" } else { "False" }, "lastTransitionTime": "1970-01-02T00:00:00Z",
    }]});
    pod.status = Some(serde_json::from_value(status).unwrap());
    pod
}

#[test]
fn pods_start_in_order_and_leave_in_reverse() {
    let mut world = World::new(json!({}));
    world.step();
    assert!(!world.step(), "nothing more before the first is ready");
    world.settle();
    world.resize(1);
    world.step();
    assert_eq!(world.log, ["+0", "+1", "+2", "-2"]);
    world.settle();
    assert_eq!(world.log, ["+0", "+1", "+2", "-2", "-1"]);
}

#[test]
fn in_parallel_all_come_and_go_at_once() {
    let mut world = World::new(json!({"podManagementPolicy": "Parallel"}));
    world.step();
    assert_eq!(world.log, ["+0", "+1", "+2"]);
    world.resize(0);
    world.step();
    assert_eq!(world.log[3..], ["-2", "-1", "-0"]);
}

#[test]
fn ordinals_begin_where_told() {
    let mut world = World::new(json!({"replicas": 2, "ordinals": {"start": 5}}));
    world.settle();
    assert_eq!(world.names(), ["5:first", "6:first"]);
    world.set.spec.ordinals.as_mut().unwrap().start = Some(6);
    world.settle();
    assert_eq!(world.names(), ["6:first", "7:first"]);
}

#[test]
fn an_ended_pod_is_made_again_under_its_name() {
    for phase in ["Failed", "Succeeded"] {
        let mut world = World::new(json!({}));
        world.settle();
        let position = world.position(1);
        world.set_state(position, phase, false);
        world.step();
        world.step();
        assert_eq!(world.log[3..], ["-1", "+1"]);
    }
}

#[test]
fn nothing_is_made_while_the_set_or_a_pod_is_going() {
    let mut world = World::new(json!({}));
    world.settle();
    let mut going = Pod::clone(&world.pods[0]);
    going.metadata.deletion_timestamp = Some(Time(world.now));
    world.pods[0] = Arc::new(going);
    world.resize(5);
    assert!(!world.step());
    world.set.metadata.deletion_timestamp = Some(Time(world.now));
    world.pods.clear();
    assert!(!world.step());
    assert_eq!(world.set.status.as_ref().unwrap().replicas, 0);
}

#[test]
fn scaling_down_waits_for_an_ill_pod_unless_it_is_the_one_to_go() {
    let mut world = World::new(json!({}));
    world.settle();
    let position = world.position(0);
    world.set_state(position, "Running", false);
    world.resize(2);
    assert!(!world.step());
    world.set_state(position, "Running", true);
    let position = world.position(2);
    world.set_state(position, "Running", false);
    world.step();
    assert_eq!(world.log[3..], ["-2"]);
}

#[test]
fn a_rollout_goes_from_the_highest_ordinal_to_the_partition() {
    let mut world = World::new(json!({}));
    world.settle();
    world.update = "second".into();
    world.set.spec.update_strategy.as_mut().unwrap().rolling_update.as_mut().unwrap().partition = Some(1);
    world.step();
    assert_eq!(world.log[3..], ["-2"]);
    world.settle();
    assert_eq!(world.names(), ["0:first", "1:second", "2:second"]);
    let status = world.set.status.clone().unwrap();
    assert_eq!(
        (status.current_revision.as_deref(), status.update_revision.as_deref()),
        (Some("first"), Some("second"))
    );
    assert_eq!((status.current_replicas, status.updated_replicas), (Some(1), Some(2)));
    // One beneath the partition that is lost comes back as it was.
    let position = world.position(0);
    world.pods.remove(position);
    world.settle();
    assert_eq!(world.names(), ["0:first", "1:second", "2:second"]);
    world.set.spec.update_strategy.as_mut().unwrap().rolling_update.as_mut().unwrap().partition = Some(0);
    world.settle();
    let status = world.set.status.clone().unwrap();
    assert_eq!(world.names(), ["0:second", "1:second", "2:second"]);
    assert_eq!((status.current_revision.as_deref(), status.current_replicas), (Some("second"), Some(3)));
}

#[test]
fn on_delete_leaves_old_pods_until_somebody_deletes_them() {
    let mut world = World::new(json!({"updateStrategy": {"type": "OnDelete"}}));
    world.settle();
    world.update = "second".into();
    world.settle();
    assert_eq!(world.names(), ["0:first", "1:first", "2:first"]);
    world.pods.remove(1);
    world.settle();
    assert_eq!(world.names(), ["0:first", "1:second", "2:first"]);
}

#[test]
fn a_pod_counts_once_it_has_been_ready_long_enough() {
    let mut world = World::new(json!({"replicas": 2, "minReadySeconds": 60}));
    world.step();
    let mut ready = with_state(Pod::clone(&world.pods[0]), "Running", true);
    let condition = &mut ready.status.as_mut().unwrap().conditions.as_mut().unwrap()[0];
    condition.last_transition_time = Some(Time(world.now));
    world.pods[0] = Arc::new(ready);
    assert!(!world.step());
    let status = world.set.status.clone().unwrap();
    assert_eq!((status.ready_replicas, status.available_replicas), (Some(1), Some(0)));
    assert_eq!(super::next_availability(&world.view()).map(|wait| wait.as_secs()), Some(60));
    world.now = Timestamp::from_second(1_000_060).unwrap();
    assert!(world.step());
}

#[test]
fn a_broken_old_pod_does_not_stop_a_parallel_rollout() {
    let mut world = World::new(json!({"podManagementPolicy": "Parallel"}));
    world.settle();
    let position = world.position(0);
    world.set_state(position, "Running", false);
    world.update = "second".into();
    world.step();
    assert_eq!(world.log[3..], ["-0"], "what serves nobody goes first; no other may be missing with it");
}

#[derive(Clone, Debug)]
enum Event {
    Step,
    Ready(usize),
    Fail(usize),
    Template(u8),
    Resize(i32),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        5 => Just(Event::Step),
        4 => (0..8_usize).prop_map(Event::Ready),
        1 => (0..8_usize).prop_map(Event::Fail),
        1 => (0..3_u8).prop_map(Event::Template),
        1 => (0..6).prop_map(Event::Resize),
    ]
}

fn happen(world: &mut World, event: &Event) -> Vec<String> {
    let known = world.log.len();
    match event {
        Event::Step => {
            world.step();
        }
        Event::Ready(number) if *number < world.pods.len() => world.set_state(*number, "Running", true),
        Event::Fail(number) if *number < world.pods.len() => world.set_state(*number, "Failed", false),
        Event::Ready(_) | Event::Fail(_) => {}
        Event::Template(number) => world.update = format!("template-{number}"),
        Event::Resize(replicas) => world.resize(*replicas),
    }
    world.log[known..].to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_order_a_pod_starts_only_after_all_before_it_are_available(events in prop::collection::vec(event(), 1..100)) {
        let mut world = World::new(json!({}));
        for event in &events {
            let before = world.available();
            let news = happen(&mut world, event);
            prop_assert!(news.len() <= 1, "one thing at a time");
            for made in news.iter().filter_map(|entry| entry.strip_prefix('+')) {
                let ordinal: i32 = made.parse().unwrap();
                prop_assert!((0..ordinal).all(|earlier| before.contains(&earlier)));
            }
        }
        world.settle();
        let wanted = world.set.spec.replicas.unwrap();
        let expected: Vec<String> = (0..wanted).map(|ordinal| format!("{ordinal}:{}", world.update)).collect();
        prop_assert_eq!(world.names(), expected);
    }

    #[test]
    fn a_rollout_takes_no_more_pods_than_may_be_unavailable(
        readies in prop::collection::vec((any::<bool>(), 0..6_usize), 1..80),
        allowed in 1..4_usize,
        parallel in any::<bool>(),
    ) {
        let policy = if parallel { "Parallel" } else { "OrderedReady" };
        let rolling = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0, "maxUnavailable": allowed}});
        let mut world =
            World::new(json!({"replicas": 6, "podManagementPolicy": policy, "updateStrategy": rolling}));
        world.settle();
        world.update = "second".into();
        for (is_step, number) in readies {
            happen(&mut world, &if is_step { Event::Step } else { Event::Ready(number) });
            prop_assert!(6 - world.available().len() <= allowed);
        }
        world.settle();
        prop_assert!(world.names().iter().all(|name| name.ends_with(":second")));
    }
}
