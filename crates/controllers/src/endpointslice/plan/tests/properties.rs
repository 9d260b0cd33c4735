//! Packing, whatever came and went before.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What the API holds after a plan.
fn applied(present: &[Arc<EndpointSlice>], plan: SlicePlan, next_name: &mut usize) -> Vec<Arc<EndpointSlice>> {
    let mut slices: BTreeMap<String, Arc<EndpointSlice>> =
        present.iter().map(|slice| (slice.metadata.name.clone().unwrap(), Arc::clone(slice))).collect();
    for name in plan.delete {
        assert!(slices.remove(&name).is_some(), "what is deleted was there");
    }
    for slice in plan.update {
        let name = slice.metadata.name.clone().unwrap();
        assert!(slices.insert(name, Arc::new(slice)).is_some(), "what is updated was there");
    }
    for mut slice in plan.create {
        let name = format!("shop-{next_name:05}");
        *next_name += 1;
        slice.metadata.name = Some(name.clone());
        slices.insert(name, Arc::new(slice));
    }
    slices.into_values().collect()
}

fn addresses(slices: &[Arc<EndpointSlice>]) -> Vec<(String, bool)> {
    let endpoints = slices.iter().flat_map(|slice| slice.endpoints.iter().flatten());
    let mut found: Vec<(String, bool)> = endpoints
        .map(|endpoint| (endpoint.addresses[0].clone(), endpoint.conditions.as_ref().unwrap().ready.unwrap()))
        .collect();
    found.sort();
    found
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// Each round some of 400 pods stand behind the Service, some of them ready, at one of two ports.
    #[test]
    fn every_address_stands_in_one_slice_and_none_holds_more_than_a_hundred(
        rounds in prop::collection::vec(prop::collection::btree_map(0..400_usize, (any::<bool>(), 0..2_i32), 0..300), 1..5),
    ) {
        let (mut present, mut next_name) = (Vec::new(), 0);
        for round in rounds {
            let pods: Vec<_> = round.iter().map(|(number, (ready, port))| pod(*number, 80 + port, *ready)).collect();
            let plan = plan(&pods, &present);
            present = applied(&present, plan, &mut next_name);
            prop_assert!(present.iter().all(|slice| slice.endpoints.as_ref().unwrap().len() <= 100));
            let mut wanted: Vec<(String, bool)> = pods
                .iter()
                .map(|pod| (pod.status.as_ref().unwrap().pod_ip.clone().unwrap(), pods::is_ready(pod)))
                .collect();
            wanted.sort();
            prop_assert_eq!(addresses(&present), wanted);
            // One more for each kind of port than a perfect packing, and never an empty one beside others.
            prop_assert!(!present.is_empty());
            prop_assert!(present.len() == 1 || present.iter().all(|slice| !slice.endpoints.as_ref().unwrap().is_empty()));
            prop_assert_eq!(super::plan(&pods, &present), SlicePlan::default(), "nothing is left to do");
        }
    }

    #[test]
    fn one_pods_change_writes_one_slice(count in 1..500_usize, chosen in any::<prop::sample::Index>()) {
        let pods: Vec<_> = (0..count).map(|number| pod(number, 80, true)).collect();
        let present = stored(plan(&pods, &[]).create);
        let mut changed = pods.clone();
        let chosen = chosen.index(count);
        changed[chosen] = pod(chosen, 80, false);
        let plan = plan(&changed, &present);
        prop_assert_eq!((plan.create.len(), plan.update.len(), plan.delete.len()), (0, 1, 0));
    }
}
