use api::k8s::api::policy::v1::PodDisruptionBudget;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::cache::Cache;
use crate::fixture::{self, NodeBuilder, PodBuilder};
use crate::framework::decide;

/// A node where two pods of one CPU fit.
fn node(name: &str) -> NodeBuilder {
    fixture::node(name).allocatable(&[("cpu", "2")])
}

fn pod(name: &str, priority: i32, cpu: &str) -> PodBuilder {
    fixture::pod(name).priority(priority).container(&[("cpu", cpu)]).started(100)
}

struct World {
    cache: Cache,
}

fn world(nodes: Vec<NodeBuilder>, placed: Vec<(PodBuilder, &str)>) -> World {
    let mut cache = Cache::default();
    for node in nodes {
        cache.set_node(&node.build()).unwrap();
    }
    for (pod, node) in placed {
        cache.confirm(&pod.info(), node);
    }
    World { cache }
}

impl World {
    fn budget(mut self, label: &str, allowed: i32, disrupted: &[&str]) -> Self {
        let disrupted: serde_json::Map<_, _> =
            disrupted.iter().map(|name| ((*name).to_owned(), json!("2030-01-01T00:00:00Z"))).collect();
        let budget: PodDisruptionBudget = serde_json::from_value(json!({
            "metadata": {"name": label, "namespace": "default"},
            "spec": {"selector": {"matchLabels": {"app": label}}},
            "status": {
                "disruptionsAllowed": allowed, "disruptedPods": disrupted,
                "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0,
            },
        }))
        .unwrap();
        self.cache.budgets_mut().set(&budget);
        self
    }

    fn nominated(mut self, pod: PodBuilder, node: &str) -> Self {
        self.cache.nominations_mut().set(&pod.info(), node);
        self
    }

    /// Node and victims, or why not.
    fn preempt(&self, pod: PodBuilder) -> String {
        let (pod, snapshot, random) = (pod.info(), self.cache.snapshot(), Random::seeded(1));
        let diagnosis = match decide(&pod, &snapshot, &random, |_, _| {}) {
            Ok(placement) => return format!("fits on {}", placement.node),
            Err(diagnosis) => diagnosis,
        };
        match preempt(&pod, &snapshot, &diagnosis, &random) {
            Preemption::Nominated(candidate) => {
                let victims: Vec<String> = candidate.victims.iter().map(|victim| victim.key().name).collect();
                format!("{}: {}", candidate.node, victims.join(" "))
            }
            other => other.message(),
        }
    }
}

#[test]
fn the_least_important_go_and_no_more_than_must() {
    let full = || {
        world(
            vec![node("a")],
            vec![(pod("low", 1, "500m"), "a"), (pod("mid", 5, "1"), "a"), (pod("new", 1, "500m").started(200), "a")],
        )
    };
    assert_eq!(full().preempt(pod("p", 10, "500m")), "a: new", "of equals, the one that came last");
    assert_eq!(full().preempt(pod("p", 10, "1")), "a: low new");
    assert_eq!(full().preempt(pod("p", 10, "2")), "a: mid low new");
    assert_eq!(full().preempt(pod("p", 5, "1")), "a: low new", "equals are spared");
    assert_eq!(
        full().preempt(pod("p", 5, "1500m")),
        "0/1 nodes are available: 1 Insufficient cpu.",
        "all that may go would not be enough"
    );
    assert_eq!(
        full().preempt(pod("p", 1, "1")),
        "0/1 nodes are available: 1 No preemption victims found for incoming pod."
    );
    assert_eq!(
        full().preempt(pod("p", 10, "3")),
        "0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
        "the node is too small however empty"
    );
}

#[test]
fn nodes_that_no_eviction_opens_are_left_alone() {
    let nodes =
        || vec![node("a").taint("dedicated", "NoSchedule"), node("b").cordoned(), node("c").label("disk", "ssd")];
    let world = world(nodes(), ["a", "b", "c"].map(|at| (pod(&format!("on-{at}"), 1, "2"), at)).into());
    assert_eq!(world.preempt(pod("p", 10, "1")), "c: on-c");
    let picky = pod("p", 10, "1").edit(|spec| spec.node_selector = Some([("disk".into(), "hdd".into())].into()));
    assert_eq!(world.preempt(picky), "0/3 nodes are available: 3 Preemption is not helpful for scheduling.");
    assert_eq!(
        world.preempt(pod("p", 0, "1")),
        "0/3 nodes are available: 1 No preemption victims found for incoming pod, \
         2 Preemption is not helpful for scheduling."
    );
}

#[test]
fn the_node_that_loses_least_is_taken() {
    // Upstream's order: budgets, the highest victim, the sum, the count, the start.
    for (placed, expected) in [
        (vec![("x", 5, "2", 1, "a"), ("y", 4, "2", 1, "b")], "b: y"),
        (vec![("x", 5, "1", 1, "a"), ("w", 1, "1", 1, "a"), ("y", 5, "2", 1, "b")], "b: y"),
        (vec![("x", 0, "1", 1, "a"), ("w", 0, "1", 1, "a"), ("y", 0, "2", 1, "b")], "b: y"),
        (vec![("x", -9, "1", 1, "a"), ("w", -9, "1", 1, "a"), ("y", -9, "2", 1, "b")], "b: y"),
        (vec![("x", 5, "2", 1, "a"), ("y", 5, "2", 2, "b")], "b: y"),
        (vec![("x", 5, "2", 2, "a"), ("y", 5, "2", 1, "b")], "a: x"),
    ] {
        let placed: Vec<_> = placed
            .into_iter()
            .map(|(name, priority, cpu, second, at)| (pod(name, priority, cpu).started(second), at))
            .collect();
        assert_eq!(world(vec![node("a"), node("b")], placed).preempt(pod("p", 10, "2")), expected);
    }
}

#[test]
fn budgets_are_minded_as_far_as_can_be() {
    let on = |label: &str, name: &str, priority, at| (pod(name, priority, "1").label("app", label), at);
    let one = || world(vec![node("a")], vec![on("web", "web", 1, "a"), on("db", "db", 5, "a")]);
    assert_eq!(one().preempt(pod("p", 10, "1")), "a: web");
    assert_eq!(one().budget("web", 0, &[]).preempt(pod("p", 10, "1")), "a: db", "the protected is spared first");
    assert_eq!(one().budget("web", 1, &[]).preempt(pod("p", 10, "1")), "a: web");
    assert_eq!(one().budget("web", 0, &["web"]).preempt(pod("p", 10, "1")), "a: web", "already paid for");
    assert_eq!(one().budget("web", 0, &[]).preempt(pod("p", 10, "2")), "a: db web", "protected, yet it must be");
    let two = world(
        vec![node("a"), node("b")],
        vec![on("web", "web", 1, "a"), on("x", "x", 1, "a"), on("web", "w2", 9, "b"), on("y", "y", 9, "b")],
    );
    assert_eq!(two.budget("web", 0, &[]).preempt(pod("p", 10, "1")), "a: x");
    let two =
        world(vec![node("a"), node("b")], vec![(pod("web", 1, "2").label("app", "web"), "a"), (pod("y", 9, "2"), "b")]);
    assert_eq!(two.budget("web", 0, &[]).preempt(pod("p", 10, "1")), "b: y", "budgets weigh more than priority");
}

#[test]
fn who_may_not_push_others_out_is_told_so() {
    let full = || world(vec![node("a")], vec![(pod("low", 1, "2").preempted(), "a")]);
    let polite = pod("p", 10, "1").edit(|spec| spec.preemption_policy = Some("Never".into()));
    assert_eq!(full().preempt(polite), "not eligible due to preemptionPolicy=Never.");
    assert_eq!(
        full().nominated(pod("p", 10, "1"), "a").preempt(pod("p", 10, "1")),
        "not eligible due to a terminating pod on the nominated node."
    );
    let elsewhere = world(
        vec![node("a").cordoned(), node("b")],
        vec![(pod("low", 1, "2").preempted(), "a"), (pod("on-b", 1, "2"), "b")],
    );
    assert_eq!(
        elsewhere.nominated(pod("p", 10, "1"), "a").preempt(pod("p", 10, "1")),
        "b: on-b",
        "the nominated node will not do any more"
    );
}

#[test]
fn room_that_is_being_made_is_left_to_whom_it_is_made_for() {
    let half_empty = || world(vec![node("a")], vec![(pod("x", 1, "1"), "a")]);
    assert_eq!(half_empty().preempt(pod("p", 5, "1")), "fits on a");
    let promised = || half_empty().nominated(pod("q", 10, "1"), "a");
    assert_eq!(promised().preempt(pod("p", 5, "1")), "a: x", "the free half is another's");
    assert_eq!(promised().preempt(pod("p", 20, "1")), "fits on a", "who is more important need not wait");
    assert_eq!(promised().preempt(pod("q", 10, "1")), "fits on a", "its own promise is no hindrance");
    let two = world(vec![node("a"), node("b")], vec![]).nominated(pod("q", 10, "1"), "b");
    assert_eq!(two.preempt(pod("q", 10, "1")), "fits on b", "the promised node first");
}

#[test]
fn ports_and_neighbours_can_be_reasons_too() {
    let taken = world(
        vec![fixture::node("a")],
        vec![(fixture::pod("web").priority(1).host_port(80), "a"), (pod("x", 1, "1"), "a")],
    );
    assert_eq!(taken.preempt(fixture::pod("p").priority(10).host_port(80)), "a: web");
    let alone = |name: &str, priority| {
        fixture::pod(name).priority(priority).label("app", "web").edit(|spec| {
            spec.affinity = Some(
                serde_json::from_value(json!({"podAntiAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [
                        {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}},
                    ],
                }}))
                .unwrap(),
            );
        })
    };
    let lonely = world(vec![fixture::node("a")], vec![(alone("one", 1), "a"), (pod("x", 1, "1"), "a")]);
    assert_eq!(lonely.preempt(alone("p", 10)), "a: one");
}

proptest! {
    /// Whoever goes is less important, the pod fits once they are gone, and none of them could have stayed.
    #[test]
    fn victims_are_few_and_lesser(
        placed in prop::collection::vec((0..3usize, -2..4i32, 1..5i64, 0..2usize, 0..50i64), 1..14),
        (priority, tenths, allowed) in (-1..5i32, 1..20i64, 0..3i32),
    ) {
        let names = ["a", "b", "c"];
        let placed: Vec<_> = placed
            .iter()
            .enumerate()
            .map(|(index, (node, priority, tenths, app, second))| {
                let pod = pod(&format!("pod-{index}"), *priority, &format!("{}m", tenths * 100));
                (pod.label("app", ["web", "db"][*app]).started(*second), names[*node])
            })
            .collect();
        let world = world(names.map(|name| fixture::node(name).allocatable(&[("cpu", "1")])).into(), placed)
            .budget("web", allowed, &[]);
        let pod = pod("p", priority, &format!("{}m", tenths * 100)).info();
        let (snapshot, random) = (world.cache.snapshot(), Random::seeded(7));
        let Err(diagnosis) = decide(&pod, &snapshot, &random, |_, _| {}) else { return Ok(()) };
        let Preemption::Nominated(candidate) = preempt(&pod, &snapshot, &diagnosis, &random) else { return Ok(()) };
        let node = snapshot.nodes.iter().find(|node| node.name == candidate.node).unwrap();
        let mut cleared = NodeInfo::clone(node);
        for victim in &candidate.victims {
            prop_assert!(victim.priority() < pod.priority());
            cleared.remove(&victim.key());
        }
        prop_assert!(!candidate.victims.is_empty());
        prop_assert!(fits(&pod, &snapshot.with_node(&cleared), &cleared).is_ok());
        for victim in &candidate.victims {
            let mut spared = cleared.clone();
            spared.add(victim);
            prop_assert!(fits(&pod, &snapshot.with_node(&spared), &spared).is_err());
        }
    }
}
