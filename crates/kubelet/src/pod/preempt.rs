//! Which pods make room for a critical one: few, and those that count for little. Upstream's choice; pure.

use std::sync::Arc;

use api::Quantity;
use api::k8s::api::core::v1::Pod;

use super::spec;
use crate::config::{qos, totals};

/// So much of a resource is missing: processors in thousandths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) resource: String,
    pub(super) amount: i64,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: [{}]",
    missing.iter().map(|need| format!("(res: {}, q: {}), ", need.resource, need.amount)).collect::<String>()
)]
pub(super) struct NotEnough {
    missing: Vec<Need>,
}

/// Guaranteed pods go only where all others together are not enough, burstable ones only where those of best effort
/// are not.
pub(super) fn victims(pod: &Pod, others: &[Arc<Pod>], needs: Vec<Need>) -> Result<Vec<Arc<Pod>>, NotEnough> {
    let of = |class: qos::Class| -> Vec<Arc<Pod>> {
        let all = others.iter().filter(|other| is_preemptable(pod, other) && qos::class(other) == class);
        all.cloned().collect()
    };
    let best_effort = of(qos::Class::BestEffort);
    let (burstable, guaranteed) = (of(qos::Class::Burstable), of(qos::Class::Guaranteed));
    let missing = without(&needs, best_effort.iter().chain(&burstable).chain(&guaranteed));
    if !missing.is_empty() {
        return Err(NotEnough { missing });
    }
    let guaranteed = nearest(guaranteed, without(&needs, best_effort.iter().chain(&burstable)))?;
    let burstable = nearest(burstable, without(&needs, best_effort.iter().chain(&guaranteed)))?;
    let best_effort = nearest(best_effort, without(&needs, burstable.iter().chain(&guaranteed)))?;
    Ok([best_effort, burstable, guaranteed].concat())
}

fn is_preemptable(pod: &Pod, other: &Pod) -> bool {
    if spec::is_critical(pod) && !spec::is_critical(other) {
        return true;
    }
    matches!((spec::spec(pod).priority, spec::spec(other).priority), (Some(own), Some(theirs)) if own > theirs)
}

/// Always the one next that leaves the least to be found, and of two such the smaller.
fn nearest(mut pods: Vec<Arc<Pod>>, mut needs: Vec<Need>) -> Result<Vec<Arc<Pod>>, NotEnough> {
    let mut chosen = Vec::new();
    while !needs.is_empty() {
        let mut best: Option<(usize, f64)> = None;
        for (index, pod) in pods.iter().enumerate() {
            let distance = distance(&needs, pod);
            let is_better =
                best.is_none_or(|(at, least)| distance < least || (distance == least && size(pod) <= size(&pods[at])));
            if is_better {
                best = Some((index, distance));
            }
        }
        let Some((index, _)) = best else { return Err(NotEnough { missing: needs }) };
        let pod = pods.swap_remove(index);
        needs = without(&needs, std::iter::once(&pod));
        chosen.push(pod);
    }
    Ok(chosen)
}

/// What is still missing when these are gone.
fn without<'a>(needs: &[Need], gone: impl Iterator<Item = &'a Arc<Pod>> + Clone) -> Vec<Need> {
    let left = needs.iter().map(|need| {
        let freed = gone.clone().map(|pod| request(pod, &need.resource)).fold(0, i64::saturating_add);
        Need { amount: need.amount.saturating_sub(freed), ..need.clone() }
    });
    left.filter(|need| need.amount > 0).collect()
}

/// Each need weighs the same, however large its numbers are.
fn distance(needs: &[Need], pod: &Pod) -> f64 {
    let of = |need: &Need| {
        let left = need.amount.saturating_sub(request(pod, &need.resource)).max(0);
        (left as f64 / need.amount as f64).powi(2)
    };
    needs.iter().map(of).sum()
}

fn size(pod: &Pod) -> (i64, i64) {
    (request(pod, "memory"), request(pod, "cpu"))
}

fn request(pod: &Pod, resource: &str) -> i64 {
    let amount = |read: fn(Quantity) -> i64| read(totals::request(pod, resource));
    match resource {
        "pods" => 1,
        "cpu" => amount(Quantity::millis),
        _ => amount(Quantity::units),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pod_from;

    fn pod(name: &str, requests: &str, limits: &str) -> Arc<Pod> {
        Arc::new(pod_from(&format!(
            r#"{{"metadata":{{"name":"{name}","namespace":"ns","uid":"{name}"}},"spec":{{"priority":0,
                "containers":[{{"name":"c","resources":{{"requests":{requests},"limits":{limits}}}}}]}}}}"#
        )))
    }

    fn burstable(name: &str, requests: &str) -> Arc<Pod> {
        pod(name, requests, "{}")
    }

    fn guaranteed(name: &str, amounts: &str) -> Arc<Pod> {
        pod(name, amounts, amounts)
    }

    fn check(others: &[Arc<Pod>], needs: &[(&str, i64)]) -> String {
        let critical = pod_from(r#"{"metadata":{"name":"p"},"spec":{"priority":2000000000,"containers":[]}}"#);
        let needs = needs.iter().map(|(resource, amount)| Need { resource: (*resource).to_owned(), amount: *amount });
        match victims(&critical, others, needs.collect()) {
            Ok(victims) => victims.iter().map(|victim| spec::name(victim)).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn those_of_little_standing_go_first() {
        let idle = burstable("idle", "{}");
        let small = burstable("small", r#"{"cpu":"100m","memory":"100Mi"}"#);
        let large = burstable("large", r#"{"cpu":"1","memory":"300Mi"}"#);
        let safe = guaranteed("safe", r#"{"cpu":"1","memory":"200Mi"}"#);
        let all = [safe.clone(), large.clone(), small.clone(), idle.clone()];
        assert_eq!(check(&all, &[("cpu", 1)]), "small", "the smaller of two that are enough");
        assert_eq!(check(&all, &[("cpu", 500)]), "large");
        assert_eq!(check(&all, &[("cpu", 1050)]), "large small");
        assert_eq!(check(&all, &[("cpu", 1200)]), "large safe", "all burstable ones would not be enough");
        assert_eq!(check(&all, &[("cpu", 2100)]), "large small safe");
        assert_eq!(check(&all, &[("pods", 1)]), "idle", "one of best effort is enough");
        assert_eq!(check(&all, &[("cpu", 100), ("memory", 250 << 20)]), "large");
        assert_eq!(
            check(&all, &[("cpu", 2101), ("memory", 1)]),
            "preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: \
             [(res: cpu, q: 1), ]"
        );
    }

    #[test]
    fn nobody_goes_who_matters_as_much() {
        let critical = |name: &str, priority: i32| {
            Arc::new(pod_from(&format!(
                r#"{{"metadata":{{"name":"{name}"}},"spec":{{"priority":{priority},"containers":[{{"name":"c",
                    "resources":{{"requests":{{"cpu":"1"}}}}}}]}}}}"#
            )))
        };
        assert!(
            check(&[critical("equal", 2_000_000_000), critical("above", 2_000_001_000)], &[("cpu", 1)])
                .contains("q: 1")
        );
    }
}
