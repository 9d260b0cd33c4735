//! Keeps pods off nodes whose taints they do not tolerate, and away from those they would rather avoid.

use std::sync::Arc;

use api::k8s::api::core::v1::{Taint, Toleration};

use crate::cache::NodeInfo;
use crate::events::ClusterEvent;
use crate::framework::{Cycle, Judge, Plugin, Rejection, normalize};
use crate::pod::PodInfo;

pub(super) struct TaintToleration;

impl Plugin for TaintToleration {
    fn name(&self) -> &'static str {
        "TaintToleration"
    }

    fn weight(&self) -> i64 {
        3
    }

    fn is_helped_by(&self, event: ClusterEvent) -> bool {
        matches!(event, ClusterEvent::NodeAdded | ClusterEvent::NodeTaintsChanged)
    }

    fn prepare<'a>(&self, cycle: Cycle<'a>) -> Option<Box<dyn Judge + 'a>> {
        Some(Box::new(Taints { pod: cycle.pod }))
    }
}

struct Taints<'a> {
    pod: &'a PodInfo,
}

impl Judge for Taints<'_> {
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        if tolerates_all(self.pod, node) {
            Ok(())
        } else {
            Err(Rejection::unresolvable("node(s) had untolerated taint(s)"))
        }
    }

    fn score(&self, nodes: &[Arc<NodeInfo>]) -> Option<Vec<i64>> {
        let intolerable = |node: &Arc<NodeInfo>| {
            let soft = node.taints().iter().filter(|taint| taint.effect == "PreferNoSchedule");
            i64::try_from(soft.filter(|taint| !tolerates(self.pod, taint)).count()).unwrap_or(i64::MAX)
        };
        let mut scores: Vec<i64> = nodes.iter().map(intolerable).collect();
        normalize(&mut scores, true);
        Some(scores)
    }
}

/// Whether no taint keeps the pod off the node.
pub(crate) fn tolerates_all(pod: &PodInfo, node: &NodeInfo) -> bool {
    let hard = node.taints().iter().filter(|taint| matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute"));
    hard.into_iter().all(|taint| tolerates(pod, taint))
}

pub(super) fn tolerates(pod: &PodInfo, taint: &Taint) -> bool {
    let tolerations = pod.spec().and_then(|spec| spec.tolerations.as_deref()).unwrap_or_default();
    tolerations.iter().any(|toleration| covers(toleration, taint))
}

/// An empty effect covers all effects, an empty key with `Exists` all keys.
fn covers(toleration: &Toleration, taint: &Taint) -> bool {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if given(&toleration.effect).is_some_and(|effect| effect != taint.effect) {
        return false;
    }
    if given(&toleration.key).is_some_and(|key| key != taint.key) {
        return false;
    }
    let (wanted, actual) =
        (toleration.value.as_deref().unwrap_or_default(), taint.value.as_deref().unwrap_or_default());
    let compare = |holds: fn(&i64, &i64) -> bool| match (actual.parse::<i64>(), wanted.parse::<i64>()) {
        (Ok(actual), Ok(wanted)) => holds(&actual, &wanted),
        _ => false,
    };
    match toleration.operator.as_deref().unwrap_or("Equal") {
        "" | "Equal" => wanted == actual,
        "Exists" => true,
        "Lt" => compare(i64::lt),
        "Gt" => compare(i64::gt),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerations_cover_as_documented() {
        let taint =
            Taint { key: "gpu".into(), value: Some("a100".into()), effect: "NoSchedule".into(), ..Taint::default() };
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        for (key, operator, value, effect, expected) in [
            ("gpu", "Equal", "a100", "NoSchedule", true),
            ("gpu", "", "a100", "", true),
            ("gpu", "Equal", "h100", "", false),
            ("gpu", "Exists", "", "NoSchedule", true),
            ("gpu", "Exists", "", "NoExecute", false),
            ("", "Exists", "", "", true),
            ("other", "Exists", "", "", false),
        ] {
            let toleration = Toleration {
                key: some(key),
                operator: some(operator),
                value: some(value),
                effect: some(effect),
                toleration_seconds: None,
            };
            assert_eq!(covers(&toleration, &taint), expected, "{key} {operator} {value} {effect}");
        }
    }
}
