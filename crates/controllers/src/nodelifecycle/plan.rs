//! What a node's conditions mean for its taints, and what silence means for its conditions.

use std::time::Duration;

use api::k8s::api::core::v1::{Node, NodeCondition, Taint};
use api::k8s::apimachinery::pkg::apis::meta::v1::Time;
use api::k8s::jiff::Timestamp;

/// A node that is silent for so long is taken for lost.
pub(super) const GRACE: Duration = Duration::from_secs(50);
/// A node that never spoke has a little longer.
pub(super) const STARTUP_GRACE: Duration = Duration::from_secs(60);

const NOT_READY: &str = "node.kubernetes.io/not-ready";
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
const PRESSURES: [(&str, &str); 4] = [
    ("MemoryPressure", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "node.kubernetes.io/disk-pressure"),
    ("PIDPressure", "node.kubernetes.io/pid-pressure"),
    ("NetworkUnavailable", "node.kubernetes.io/network-unavailable"),
];
/// The conditions that the kubelet keeps: silence makes all of them unknown.
const KEPT_BY_KUBELET: [&str; 4] = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

/// The status of the condition Ready; `None` where the node has never told.
pub(super) fn ready_status(node: &Node) -> Option<&str> {
    condition(node, "Ready").map(|condition| condition.status.as_str())
}

pub(super) fn is_ready(node: &Node) -> bool {
    ready_status(node) == Some("True")
}

/// Whether the node's pods are being evicted for its health's sake.
pub(super) fn is_given_up(node: &Node) -> bool {
    gives_up(node.spec.as_ref().and_then(|spec| spec.taints.as_deref()).unwrap_or_default())
}

/// Whether the taints drive out the pods of a node that is not well.
pub(super) fn gives_up(taints: &[Taint]) -> bool {
    taints.iter().any(|taint| taint.effect == "NoExecute" && [NOT_READY, UNREACHABLE].contains(&taint.key.as_str()))
}

/// Changes whenever the kubelet posts its status.
pub(super) fn heartbeat(node: &Node) -> Option<&Time> {
    condition(node, "Ready")?.last_heartbeat_time.as_ref()
}

/// A silent node's conditions; `None` where they say so already.
pub(super) fn plan_silent_conditions(node: &Node, now: Timestamp) -> Option<Vec<NodeCondition>> {
    let mut conditions = node.status.as_ref().and_then(|status| status.conditions.clone()).unwrap_or_default();
    let mut changed = false;
    for r#type in KEPT_BY_KUBELET {
        match conditions.iter_mut().find(|condition| condition.type_ == r#type) {
            Some(condition) if condition.status == "Unknown" => {}
            Some(condition) => {
                changed = true;
                condition.status = "Unknown".to_owned();
                condition.reason = Some("NodeStatusUnknown".to_owned());
                condition.message = Some("Kubelet stopped posting node status.".to_owned());
                condition.last_transition_time = Some(Time(now));
            }
            None => {
                changed = true;
                conditions.push(NodeCondition {
                    type_: r#type.to_owned(),
                    status: "Unknown".to_owned(),
                    reason: Some("NodeStatusNeverUpdated".to_owned()),
                    message: Some("Kubelet never posted node status.".to_owned()),
                    last_heartbeat_time: node.metadata.creation_timestamp.clone(),
                    last_transition_time: Some(Time(now)),
                });
            }
        }
    }
    changed.then_some(conditions)
}

/// The node's taints as its conditions want them; `None` where they are so. Pods stay where they may not
/// be evicted, whatever the node's health.
pub(super) fn plan_taints(node: &Node, may_evict: bool, now: Timestamp) -> Option<Vec<Taint>> {
    let present = node.spec.as_ref().and_then(|spec| spec.taints.clone()).unwrap_or_default();
    let wanted = wanted_taints(node, may_evict);
    let mut taints: Vec<Taint> =
        present.iter().filter(|taint| !is_ours(taint) || wanted.contains(&key_of(taint))).cloned().collect();
    for (key, effect) in wanted {
        if !taints.iter().any(|taint| taint.key == key && taint.effect == effect) {
            taints.push(Taint {
                key: key.to_owned(),
                effect: effect.to_owned(),
                time_added: Some(Time(now)),
                ..Taint::default()
            });
        }
    }
    (taints != present).then_some(taints)
}

fn wanted_taints(node: &Node, may_evict: bool) -> Vec<(&'static str, &'static str)> {
    let mut wanted = Vec::new();
    let health = match ready_status(node) {
        Some("False") => Some(NOT_READY),
        Some("Unknown") => Some(UNREACHABLE),
        Some(_) => None,
        // Before it first spoke, a node keeps pods off by the taint it was made with.
        None => Some(NOT_READY),
    };
    wanted.extend(health.map(|key| (key, "NoSchedule")));
    for (r#type, key) in PRESSURES {
        if condition(node, r#type).is_some_and(|condition| condition.status == "True") {
            wanted.push((key, "NoSchedule"));
        }
    }
    if node.spec.as_ref().and_then(|spec| spec.unschedulable).unwrap_or(false) {
        wanted.push((UNSCHEDULABLE, "NoSchedule"));
    }
    if may_evict && ready_status(node).is_some() {
        wanted.extend(health.map(|key| (key, "NoExecute")));
    }
    wanted
}

fn key_of(taint: &Taint) -> (&str, &str) {
    (&taint.key, &taint.effect)
}

fn is_ours(taint: &Taint) -> bool {
    let is_health = [NOT_READY, UNREACHABLE].contains(&taint.key.as_str());
    let is_other = taint.key == UNSCHEDULABLE || PRESSURES.iter().any(|(_, key)| *key == taint.key);
    match taint.effect.as_str() {
        "NoSchedule" => is_health || is_other,
        "NoExecute" => is_health,
        _ => false,
    }
}

fn condition<'a>(node: &'a Node, r#type: &str) -> Option<&'a NodeCondition> {
    node.status.as_ref()?.conditions.iter().flatten().find(|condition| condition.type_ == r#type)
}

#[cfg(test)]
mod tests {
    use api::k8s::api::core::v1::{NodeSpec, NodeStatus};

    use super::*;

    fn node(ready: Option<&str>, others: &[&str], taints: &[(&str, &str)]) -> Node {
        let condition = |r#type: &str, status: &str| NodeCondition {
            type_: r#type.into(),
            status: status.into(),
            ..NodeCondition::default()
        };
        let mut conditions: Vec<_> = ready.map(|status| condition("Ready", status)).into_iter().collect();
        conditions.extend(others.iter().map(|r#type| condition(r#type, "True")));
        let taint =
            |(key, effect): &(&str, &str)| Taint { key: (*key).into(), effect: (*effect).into(), ..Taint::default() };
        Node {
            spec: Some(NodeSpec { taints: Some(taints.iter().map(taint).collect()), ..NodeSpec::default() }),
            status: Some(NodeStatus { conditions: Some(conditions), ..NodeStatus::default() }),
            ..Node::default()
        }
    }

    fn taints(node: &Node, is_any_ready: bool) -> Option<Vec<String>> {
        let planned = plan_taints(node, is_any_ready, Timestamp::UNIX_EPOCH)?;
        Some(
            planned
                .iter()
                .map(|taint| format!("{}:{}", taint.key.replace("node.kubernetes.io/", ""), taint.effect))
                .collect(),
        )
    }

    #[test]
    fn taints_follow_conditions() {
        let fresh = node(None, &[], &[(NOT_READY, "NoSchedule")]);
        assert_eq!(taints(&fresh, true), None);
        let well = node(Some("True"), &[], &[(NOT_READY, "NoSchedule"), ("mine", "NoExecute")]);
        assert_eq!(taints(&well, true).unwrap(), ["mine:NoExecute"]);
        let lost = node(Some("Unknown"), &["DiskPressure"], &[(NOT_READY, "NoExecute")]);
        let expected = ["unreachable:NoSchedule", "disk-pressure:NoSchedule", "unreachable:NoExecute"];
        assert_eq!(taints(&lost, true).unwrap(), expected);
        assert_eq!(taints(&lost, false).unwrap(), expected[..2]);
    }

    #[test]
    fn silence_makes_everything_unknown_once() {
        let silent = node(Some("True"), &[], &[]);
        let conditions = plan_silent_conditions(&silent, Timestamp::UNIX_EPOCH).unwrap();
        assert!(conditions.iter().all(|condition| condition.status == "Unknown"));
        assert_eq!(conditions[0].message.as_deref(), Some("Kubelet stopped posting node status."));
        assert_eq!(conditions[1].message.as_deref(), Some("Kubelet never posted node status."));
        let mut marked = silent;
        marked.status.as_mut().unwrap().conditions = Some(conditions);
        assert_eq!(plan_silent_conditions(&marked, Timestamp::UNIX_EPOCH), None);
    }
}
