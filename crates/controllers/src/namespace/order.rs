//! In which order a namespace is emptied.

use crate::discovery::Discovered;

/// Everything that is to be deleted from a namespace, pods first: what they use must not vanish under them. A wave
/// begins when nothing is left of the one before.
pub(super) fn waves(resources: &[Discovered]) -> [Vec<&Discovered>; 2] {
    let deletable =
        |resource: &&Discovered| resource.is_namespaced && resource.supports("list") && resource.supports("delete");
    let (pods, others) = resources.iter().filter(deletable).partition(|resource| is_pods(resource));
    [pods, others]
}

fn is_pods(resource: &Discovered) -> bool {
    resource.resource.group.is_empty() && resource.resource.plural == "pods"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::{select, subsequence};

    use super::*;

    fn resource() -> impl Strategy<Value = Discovered> {
        let verbs = subsequence(vec!["get", "list", "watch", "create", "delete", "deletecollection"], 0..=6);
        let names = select(vec!["pods", "secrets", "configmaps", "deployments", "trees"]);
        (select(vec!["", "apps", "metrics.k8s.io"]), names, any::<bool>(), verbs).prop_map(
            |(group, plural, is_namespaced, verbs)| Discovered::for_test(group, plural, is_namespaced, &verbs),
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn pods_go_first_and_nothing_that_can_go_is_forgotten_or_named_twice(
            resources in prop::collection::vec(resource(), 0..12),
        ) {
            let [first, second] = waves(&resources);
            prop_assert!(first.iter().all(|resource| is_pods(resource)), "{first:?}");
            prop_assert!(!second.iter().any(|resource| is_pods(resource)), "{second:?}");
            let named: Vec<&Discovered> = first.iter().chain(&second).copied().collect();
            for resource in &resources {
                let can_go = resource.is_namespaced && resource.supports("list") && resource.supports("delete");
                let times = named.iter().filter(|other| std::ptr::eq(**other, resource)).count();
                prop_assert_eq!(times, usize::from(can_go), "{:?}", resource);
            }
        }
    }
}
