//! The graph beside a plain list of what there is, whatever comes and goes.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Set { uid: u8, owners: BTreeSet<u8>, waits: bool },
    Remove(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let set = (0..8_u8, prop::collection::btree_set(0..8_u8, 0..3), prop::bool::weighted(0.2))
        .prop_map(|(uid, owners, waits)| Step::Set { uid, owners, waits });
    prop::collection::vec(prop_oneof![3 => set, 1 => (0..8_u8).prop_map(Step::Remove)], 0..60)
}

fn named(uid: u8) -> String {
    format!("uid-{uid}")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn edges_are_those_of_the_objects_and_nothing_that_is_lost_is_missed(steps in steps()) {
        let mut graph = Graph::default();
        let mut objects: BTreeMap<String, Item> = BTreeMap::new();
        for step in steps {
            let mut was_there = true;
            let (work, changed) = match step {
                Step::Set { uid, owners, waits } => {
                    // Nothing owns itself.
                    let owners: Vec<String> = owners.into_iter().filter(|owner| *owner != uid).map(named).collect();
                    let owners: Vec<&str> = owners.iter().map(String::as_str).collect();
                    let item = Item { is_going: waits, waits_for_dependents: waits, ..item(&named(uid), &owners) };
                    objects.insert(named(uid), item.clone());
                    (graph.set(item), named(uid))
                }
                Step::Remove(uid) => {
                    was_there = objects.remove(&named(uid)).is_some();
                    (graph.remove(&named(uid)), named(uid))
                }
            };
            let told: BTreeSet<&str> = work.iter().map(Work::uid).collect();
            for uid in (0..8).map(named) {
                let owns = |item: &&Item| item.owners.iter().any(|owner| owner.uid == uid);
                let dependents: Vec<String> = objects.values().filter(owns).map(|item| item.uid.clone()).collect();
                let found: Vec<String> = graph.dependents(&uid).into_iter().map(|item| item.uid).collect();
                prop_assert_eq!(&found, &dependents);
                prop_assert_eq!(graph.has_dependents(&uid), !dependents.is_empty());
                prop_assert_eq!(graph.get(&uid).is_some(), objects.contains_key(&uid));
            }
            // Whom the change has robbed of an owner is looked at, and so is a newcomer without one.
            let is_lost = |owner: &str| objects.get(owner).is_none_or(|owner| owner.waits_for_dependents);
            for item in objects.values().filter(|item| was_there && !item.is_going) {
                if item.owners.iter().any(|owner| owner.uid == changed) && is_lost(&changed) {
                    prop_assert!(told.contains(item.uid.as_str()), "{} lost {changed} and nobody looks", item.uid);
                }
                if item.uid == changed && item.owners.iter().any(|owner| is_lost(&owner.uid)) {
                    prop_assert!(told.contains(item.uid.as_str()), "{} came without an owner", item.uid);
                }
            }
            // An owner that waits looks again whenever one of its dependents changes or goes.
            if let Some(item) = objects.get(&changed) {
                for owner in &item.owners {
                    if objects.get(&owner.uid).is_some_and(|owner| owner.waits_for_dependents) {
                        prop_assert!(told.contains(owner.uid.as_str()), "{} waits and is not woken", owner.uid);
                    }
                }
            }
        }
    }
}
