//! Quality of service: who is throttled and killed first.

use std::collections::BTreeMap;

use api::Quantity;
use api::k8s::api::core::v1::{Container, Pod};
use api::k8s::apimachinery::pkg::api::resource::Quantity as ApiQuantity;

use crate::pod::spec;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Guaranteed,
    Burstable,
    BestEffort,
}

impl Class {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Class::Guaranteed => "Guaranteed",
            Class::Burstable => "Burstable",
            Class::BestEffort => "BestEffort",
        }
    }
}

const COUNTED: [&str; 2] = ["cpu", "memory"];

/// Guaranteed where every container's limits equal its requests, for both resources; best effort
/// where nothing is asked for at all. Where the pod as a whole asks, its containers do not count.
pub(crate) fn class(pod: &Pod) -> Class {
    let containers = spec::init_containers(pod).iter().chain(&spec::spec(pod).containers);
    let asking: Vec<_> = match of_whole(pod) {
        Some(own) => vec![own],
        None => containers.map(|container| (requests(container), limits(container))).collect(),
    };
    let (mut asks, mut guaranteed) = (false, true);
    for (requests, limits) in asking {
        for resource in COUNTED {
            let request = positive(requests, resource);
            let limit = positive(limits, resource);
            asks |= request.is_some() || limit.is_some();
            guaranteed &= limit.is_some() && request.or(limit) == limit;
        }
    }
    match (asks, guaranteed) {
        (false, _) => Class::BestEffort,
        (true, true) => Class::Guaranteed,
        (true, false) => Class::Burstable,
    }
}

/// Requests and limits of the pod as a whole, where it has such.
pub(crate) fn of_whole(pod: &Pod) -> Option<(Option<&Amounts>, Option<&Amounts>)> {
    let own = spec::spec(pod).resources.as_ref()?;
    let (requests, limits) = (own.requests.as_ref(), own.limits.as_ref());
    let asks = |amounts| COUNTED.iter().any(|resource| positive(amounts, resource).is_some());
    (asks(requests) || asks(limits)).then_some((requests, limits))
}

/// `<root>/<class>/pod<uid>`, guaranteed pods directly below the root.
pub(crate) fn cgroup_parent(cgroup_root: &str, pod: &Pod) -> String {
    let root = cgroup_root.trim_end_matches('/');
    let uid = spec::uid(pod);
    match class(pod) {
        Class::Guaranteed => format!("{root}/pod{uid}"),
        Class::Burstable => format!("{root}/burstable/pod{uid}"),
        Class::BestEffort => format!("{root}/besteffort/pod{uid}"),
    }
}

/// How readily the kernel kills a container when memory runs out: upstream's formula.
pub(crate) fn oom_score_adjust(pod: &Pod, container: &Container, memory_capacity_bytes: i64) -> i64 {
    const GUARANTEED: i64 = -997;
    const BEST_EFFORT: i64 = 1000;
    /// Priority of `system-node-critical`.
    const NODE_CRITICAL: i32 = 2_000_001_000;
    if spec::spec(pod).priority.is_some_and(|priority| priority >= NODE_CRITICAL) {
        return GUARANTEED;
    }
    match class(pod) {
        Class::Guaranteed => GUARANTEED,
        Class::BestEffort => BEST_EFFORT,
        Class::Burstable => {
            let request = positive(requests(container), "memory").map_or(0, Quantity::units);
            let share = i128::from(request) * 1000 / i128::from(memory_capacity_bytes.max(1));
            let score = BEST_EFFORT - i64::try_from(share).unwrap_or(BEST_EFFORT);
            score.clamp(BEST_EFFORT + GUARANTEED, BEST_EFFORT - 1)
        }
    }
}

pub(crate) type Amounts = BTreeMap<String, ApiQuantity>;

pub(crate) fn requests(container: &Container) -> Option<&Amounts> {
    container.resources.as_ref()?.requests.as_ref()
}

pub(crate) fn limits(container: &Container) -> Option<&Amounts> {
    container.resources.as_ref()?.limits.as_ref()
}

/// An amount above zero. The API admits only amounts that parse.
pub(crate) fn positive(amounts: Option<&Amounts>, resource: &str) -> Option<Quantity> {
    let amount = Quantity::of(amounts?.get(resource)?).ok()?;
    (amount > Quantity::ZERO).then_some(amount)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pod_from;

    fn check(resources: &str, class_name: &str, score: i64) {
        let pod = pod_from(&format!(
            r#"{{"metadata":{{"name":"p","uid":"u"}},"spec":{{"containers":[{{"name":"c","resources":{resources}}}]}}}}"#
        ));
        assert_eq!(class(&pod).as_str(), class_name, "{resources}");
        assert_eq!(oom_score_adjust(&pod, &spec::spec(&pod).containers[0], 10 << 30), score, "{resources}");
    }

    #[test]
    fn what_the_pod_asks_for_as_a_whole_counts_alone() {
        let class_of = |own: &str| {
            let limits = r#"{"limits":{"cpu":"1","memory":"1Gi"}}"#;
            let pod = pod_from(&format!(
                r#"{{"metadata":{{"name":"p","uid":"u"}},"spec":{{"resources":{own},
                    "containers":[{{"name":"c","resources":{limits}}},{{"name":"d"}}]}}}}"#
            ));
            class(&pod).as_str()
        };
        assert_eq!(class_of(r#"{"limits":{"cpu":"1","memory":"1Gi"}}"#), "Guaranteed");
        assert_eq!(class_of(r#"{"requests":{"cpu":"1"},"limits":{"cpu":"2","memory":"1Gi"}}"#), "Burstable");
        assert_eq!(class_of("{}"), "Burstable", "then the containers count");
    }

    #[test]
    fn classes_and_scores_follow_requests_and_limits() {
        check("{}", "BestEffort", 1000);
        check(r#"{"limits":{"cpu":"1","memory":"1Gi"}}"#, "Guaranteed", -997);
        check(
            r#"{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"1000m","memory":"1024Mi"}}"#,
            "Guaranteed",
            -997,
        );
        check(r#"{"requests":{"memory":"1Gi"}}"#, "Burstable", 900);
        check(r#"{"requests":{"cpu":"1"}}"#, "Burstable", 999);
        check(r#"{"limits":{"memory":"10Gi"},"requests":{"memory":"10Gi"}}"#, "Burstable", 3);
    }
}
