//! DaemonSets played through on paper: plans are applied to a model in which pods become ready or fail.

use std::sync::Arc;

use api::k8s::api::apps::v1::DaemonSet;
use api::k8s::api::core::v1::{Node, Pod};
use api::k8s::jiff::{Timestamp, ToSpan};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::backoff::Backoffs;
use super::plan::{HASH, Plan, View, plan_nodes, plan_rollout};
use super::status::plan_status;
use crate::pods;

/// What the API holds.
struct World {
    set: DaemonSet,
    nodes: Vec<Arc<Node>>,
    pods: Vec<Arc<Pod>>,
    hash: String,
    backoffs: Backoffs,
    now: Timestamp,
    made: usize,
}

impl World {
    fn new(nodes: usize, strategy: Value) -> Self {
        let set = serde_json::from_value(json!({
            "metadata": {"name": "agent", "namespace": "default", "uid": "set", "generation": 1},
            "spec": {"selector": {}, "updateStrategy": strategy, "template": {"spec": {"containers": []}}},
        }))
        .unwrap();
        World {
            set,
            nodes: (0..nodes).map(|number| Arc::new(node(&format!("node-{number}"), json!([])))).collect(),
            pods: Vec::new(),
            hash: "first".into(),
            backoffs: Backoffs::default(),
            now: Timestamp::from_second(1_000_000).unwrap(),
            made: 0,
        }
    }

    fn plan(&self) -> Plan {
        let view = View::new(&self.set, &self.nodes, &self.pods, &self.hash, self.now);
        let plan = plan_nodes(&view, &self.backoffs);
        let is_calm = plan.create.is_empty() && plan.delete.is_empty();
        if is_calm && view.is_rolling() { Plan { wait: plan.wait, ..plan_rollout(&view) } } else { plan }
    }

    /// One reconciliation. True where it changed anything.
    fn step(&mut self) -> bool {
        let plan = self.plan();
        for node in &plan.failed_on {
            self.backoffs.extend(node, self.now);
        }
        let doomed: Vec<&str> = plan.delete.iter().map(|pod| pods::uid(pod)).collect();
        self.pods.retain(|pod| !doomed.contains(&pods::uid(pod)));
        for node in &plan.create {
            self.made += 1;
            self.pods.push(Arc::new(pod(self.made, node, &self.hash, "Pending", false)));
        }
        !plan.create.is_empty() || !plan.delete.is_empty()
    }

    fn settle(&mut self) {
        for _ in 0..1000 {
            for number in 0..self.pods.len() {
                self.set_ready(number, true);
            }
            if !self.step() {
                return;
            }
        }
        panic!("it does not come to rest");
    }

    fn set_ready(&mut self, number: usize, ready: bool) {
        let old = &self.pods[number];
        let created: usize = pods::uid(old).parse().unwrap();
        let hash = old.metadata.labels.as_ref().unwrap()[HASH].clone();
        let node = pods::node_name(old).unwrap().to_owned();
        self.pods[number] = Arc::new(pod(created, &node, &hash, "Running", ready));
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .pods
            .iter()
            .map(|pod| format!("{} {}", pods::node_name(pod).unwrap(), pod.metadata.labels.as_ref().unwrap()[HASH]))
            .collect();
        names.sort();
        names
    }

    fn available_nodes(&self) -> usize {
        let serves = |node: &&Arc<Node>| {
            let name = node.metadata.name.as_deref();
            self.pods.iter().any(|pod| pods::node_name(pod) == name && pods::is_ready(pod))
        };
        self.nodes.iter().filter(serves).count()
    }
}

fn node(name: &str, taints: Value) -> Node {
    serde_json::from_value(json!({"metadata": {"name": name}, "spec": {"taints": taints}})).unwrap()
}

fn pod(uid: usize, node: &str, hash: &str, phase: &str, ready: bool) -> Pod {
    let created = Timestamp::from_second(uid as i64).unwrap().to_string();
    serde_json::from_value(json!({
        "metadata": {
            "name": format!("agent-{uid}"), "namespace": "default", "uid": uid.to_string(),
            "creationTimestamp": created, "labels": {HASH: hash},
        },
        "spec": {"nodeName": node, "containers": []},
        "status": {"phase": phase, "conditions": [
            {"type": "Ready", "status": if ready { "True" } else { "False" }, "lastTransitionTime": created},
        ]},
    }))
    .unwrap()
}

fn rolling(unavailable: Value, surge: Value) -> Value {
    json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": unavailable, "maxSurge": surge}})
}

#[test]
fn every_node_has_one_pod_new_nodes_too() {
    let mut world = World::new(2, rolling(json!(1), json!(0)));
    world.settle();
    assert_eq!(world.names(), ["node-0 first", "node-1 first"]);
    world.nodes.push(Arc::new(node("node-2", json!([]))));
    world.settle();
    assert_eq!(world.names(), ["node-0 first", "node-1 first", "node-2 first"]);
    world.pods.push(Arc::new(pod(100, "node-0", "first", "Running", true)));
    world.settle();
    assert_eq!(world.pods.iter().map(|pod| pods::uid(pod)).collect::<Vec<_>>(), ["1", "2", "3"], "the oldest stays");
}

#[test]
fn a_tainted_node_keeps_its_pod_unless_the_taint_evicts() {
    let mut world = World::new(2, rolling(json!(1), json!(0)));
    world.settle();
    world.nodes[0] = Arc::new(node("node-0", json!([{"key": "a", "effect": "NoSchedule"}])));
    world.settle();
    let view = View::new(&world.set, &world.nodes, &world.pods, &world.hash, world.now);
    let status = plan_status(&view, None);
    assert_eq!((status.desired_number_scheduled, status.number_misscheduled), (1, 1));
    assert_eq!((status.number_available, status.updated_number_scheduled), (Some(1), Some(1)));
    world.nodes[0] = Arc::new(node("node-0", json!([{"key": "a", "effect": "NoExecute"}])));
    world.settle();
    assert_eq!(world.names(), ["node-1 first"]);
}

#[test]
fn pods_that_ended_are_replaced_and_those_that_keep_failing_wait() {
    let mut world = World::new(1, rolling(json!(1), json!(0)));
    world.settle();
    let fail = |world: &mut World| {
        let uid = pods::uid(&world.pods[0]).parse().unwrap();
        world.pods[0] = Arc::new(pod(uid, "node-0", "first", "Failed", false));
    };
    fail(&mut world);
    let plan = world.plan();
    let message = "Found failed daemon pod default/agent-1 on node node-0, will try to kill it";
    assert_eq!(plan.events, [("FailedDaemonPod", message.to_owned())]);
    world.step();
    world.step();
    fail(&mut world);
    assert_eq!(world.plan().wait.map(|wait| wait.as_secs()), Some(1));
    assert!(!world.step());
    world.now = world.now.checked_add(1.second()).unwrap();
    assert!(world.step());
}

#[test]
fn pods_for_a_node_that_is_gone_do_not_wait_for_it() {
    let mut world = World::new(1, rolling(json!(1), json!(0)));
    let mut waiting = pod(7, "gone", "first", "Pending", false);
    super::placement::tie_to(waiting.spec.as_mut().unwrap(), "gone");
    waiting.spec.as_mut().unwrap().node_name = None;
    world.pods.push(Arc::new(waiting));
    assert_eq!(world.plan().delete.len(), 1);
}

#[test]
fn on_delete_leaves_old_pods_until_somebody_deletes_them() {
    let mut world = World::new(2, json!({"type": "OnDelete"}));
    world.settle();
    world.hash = "second".into();
    world.settle();
    assert_eq!(world.names(), ["node-0 first", "node-1 first"]);
    world.pods.remove(0);
    world.settle();
    assert_eq!(world.names(), ["node-0 second", "node-1 first"]);
}

#[test]
fn a_rollout_replaces_broken_pods_first() {
    let mut world = World::new(3, rolling(json!(1), json!(0)));
    world.settle();
    world.set_ready(1, false);
    world.hash = "second".into();
    let doomed: Vec<String> = world.plan().delete.iter().map(|pod| pods::uid(pod).to_owned()).collect();
    assert_eq!(doomed, ["2"]);
}

#[derive(Clone, Debug)]
enum Event {
    Step,
    Ready(usize),
    Template(u8),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => Just(Event::Step),
        3 => (0..20_usize).prop_map(Event::Ready),
        1 => (0..3_u8).prop_map(Event::Template),
    ]
}

fn happen(world: &mut World, event: &Event) {
    match event {
        Event::Step => {
            world.step();
        }
        Event::Ready(number) if *number < world.pods.len() => world.set_ready(*number, true),
        Event::Ready(_) => {}
        Event::Template(number) => world.hash = format!("template-{number}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_more_nodes_are_without_than_allowed(
        events in prop::collection::vec(event(), 1..80),
        nodes in 1..6_usize,
        allowed in 1..4_usize,
    ) {
        let mut world = World::new(nodes, rolling(json!(allowed), json!(0)));
        world.settle();
        for event in &events {
            happen(&mut world, event);
            prop_assert!(nodes - world.available_nodes() <= allowed);
            prop_assert!(world.pods.len() <= nodes);
        }
        world.settle();
        prop_assert!(world.names().iter().all(|name| name.ends_with(&world.hash)));
        prop_assert_eq!(world.pods.len(), nodes);
    }

    #[test]
    fn a_surge_leaves_no_node_without(
        events in prop::collection::vec(event(), 1..80),
        nodes in 1..6_usize,
        surge in 1..4_usize,
    ) {
        let mut world = World::new(nodes, rolling(json!(0), json!(surge)));
        world.settle();
        for event in &events {
            happen(&mut world, event);
            prop_assert_eq!(world.available_nodes(), nodes);
            prop_assert!(world.pods.len() <= nodes + surge);
        }
        world.settle();
        prop_assert!(world.names().iter().all(|name| name.ends_with(&world.hash)));
        prop_assert_eq!(world.pods.len(), nodes);
    }
}
