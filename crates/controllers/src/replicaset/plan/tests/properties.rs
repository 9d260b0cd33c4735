//! What holds of every plan, whatever pods there are.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// Node, phase, since when it is ready, and what its deletion costs.
type Parts = (Option<u8>, &'static str, Option<i64>, Option<i32>);

fn any_pod() -> impl Strategy<Value = Parts> {
    let phase = prop::sample::select(vec!["Pending", "Running", "Unknown"]);
    (prop::option::of(0..4_u8), phase, prop::option::of(0..2000_i64), prop::option::of(-5..5_i32))
}

fn made(parts: Vec<Parts>) -> Vec<Arc<Pod>> {
    let pods = parts.into_iter().enumerate().map(|(number, (node, phase, ready_since, cost))| {
        let node = node.map(|node| format!("node-{node}"));
        let mut pod = pod(&format!("pod-{number}"), node.as_deref(), phase, ready_since);
        pod.metadata.annotations = cost.map(|cost| [(DELETION_COST.to_owned(), cost.to_string())].into());
        Arc::new(pod)
    });
    pods.collect()
}

/// The first three things that upstream compares: on a node, running, ready.
fn standing(pod: &Pod) -> (bool, bool, bool) {
    (pods::node_name(pod).is_some(), pods::phase(pod) == "Running", pods::is_ready(pod))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_leads_towards_the_number_and_never_past_it(
        parts in prop::collection::vec(any_pod(), 0..30),
        replicas in 0..1200_i32,
    ) {
        let pods = made(parts);
        let wanted = usize::try_from(replicas).unwrap();
        let plan = plan_replicas(replicas, &pods, || pods.clone(), at(2000));
        prop_assert!(plan.create == 0 || plan.delete.is_empty(), "none is made and taken away at once");
        prop_assert!(plan.create <= 500 && plan.delete.len() <= 500, "no more than a burst");
        let after = pods.len() + plan.create - plan.delete.len();
        prop_assert!(after == wanted || (plan.create == 500 && after < wanted));
        let names: BTreeSet<_> = plan.delete.iter().map(|pod| pod.metadata.name.clone()).collect();
        prop_assert_eq!(names.len(), plan.delete.len(), "none goes twice");
    }

    #[test]
    fn none_that_stays_is_of_less_use_than_one_that_goes(
        parts in prop::collection::vec(any_pod(), 1..30),
        replicas in 0..30_i32,
    ) {
        let pods = made(parts);
        let plan = plan_replicas(replicas, &pods, || pods.clone(), at(2000));
        let stays = |pod: &&Arc<Pod>| plan.delete.iter().all(|gone| gone.metadata.name != pod.metadata.name);
        for kept in pods.iter().filter(stays) {
            for gone in &plan.delete {
                prop_assert!(standing(gone) <= standing(kept) || pods::phase(gone) != pods::phase(kept));
                if standing(gone) == standing(kept) && pods::phase(gone) == pods::phase(kept) {
                    prop_assert!(deletion_cost(gone) <= deletion_cost(kept));
                }
            }
        }
    }

    #[test]
    fn the_choice_does_not_depend_on_the_order_of_the_cache(
        parts in prop::collection::vec(any_pod(), 1..30),
        replicas in 0..30_i32,
    ) {
        let pods = made(parts);
        let turned: Vec<_> = pods.iter().rev().cloned().collect();
        let names = |pods: &[Arc<Pod>]| {
            let plan = plan_replicas(replicas, pods, || pods.to_vec(), at(2000));
            plan.delete.iter().map(|pod| pod.metadata.name.clone()).collect::<Vec<_>>()
        };
        prop_assert_eq!(names(&pods), names(&turned));
    }
}
