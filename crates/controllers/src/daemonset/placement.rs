//! On which nodes a DaemonSet's pods run, and how a pod is tied to its node.

use std::collections::BTreeMap;

use api::k8s::api::apps::v1::DaemonSet;
use api::k8s::api::core::v1::{
    Affinity, Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec, Taint, Toleration,
};
use api::node_selector;

use crate::pods;
use crate::tainteviction::covers;

/// What holds for one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placement {
    pub(super) should_run: bool,
    /// What is there may stay, though nothing new would come: the node has been tainted.
    pub(super) may_stay: bool,
}

const NOWHERE: Placement = Placement { should_run: false, may_stay: false };

/// Decides as the scheduler would for a pod that fits anyhow: by name, affinity and taints.
pub(super) fn placement(set: &DaemonSet, node: &Node) -> Placement {
    let no_spec = PodSpec::default();
    let spec = set.spec.template.spec.as_ref().unwrap_or(&no_spec);
    let name = node.metadata.name.as_deref().unwrap_or_default();
    let is_other = spec.node_name.as_deref().is_some_and(|wanted| !wanted.is_empty() && wanted != name);
    if is_other || !suits(spec, node, name) {
        return NOWHERE;
    }
    let tolerations = tolerations(spec);
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_deref()).unwrap_or_default();
    let forbids = |effects: &[&str]| {
        let mut effective = taints.iter().filter(|taint| effects.contains(&taint.effect.as_str()));
        effective.any(|taint| !tolerations.iter().any(|toleration| covers(toleration, taint)))
    };
    Placement { should_run: !forbids(&["NoSchedule", "NoExecute"]), may_stay: !forbids(&["NoExecute"]) }
}

/// Whether anything that placements depend on differs.
pub(super) fn differs(old: &Node, new: &Node) -> bool {
    fn taints(node: &Node) -> &[Taint] {
        node.spec.as_ref().and_then(|spec| spec.taints.as_deref()).unwrap_or_default()
    }
    let taints_differ = || {
        let same = |a: &Taint, b: &Taint| (&a.key, &a.value, &a.effect) == (&b.key, &b.value, &b.effect);
        taints(old).len() != taints(new).len() || taints(old).iter().zip(taints(new)).any(|(a, b)| !same(a, b))
    };
    old.metadata.labels != new.metadata.labels || taints_differ()
}

fn suits(spec: &PodSpec, node: &Node, name: &str) -> bool {
    let no_labels = BTreeMap::new();
    let labels = node.metadata.labels.as_ref().unwrap_or(&no_labels);
    let is_selected = spec.node_selector.iter().flatten().all(|(key, value)| labels.get(key) == Some(value));
    is_selected && required(spec.affinity.as_ref()).is_none_or(|terms| node_selector::admits(terms, name, labels))
}

fn required(affinity: Option<&Affinity>) -> Option<&NodeSelector> {
    affinity?.node_affinity.as_ref()?.required_during_scheduling_ignored_during_execution.as_ref()
}

/// Those of the template, and those every pod of a DaemonSet has: it runs where others have to leave.
pub(super) fn tolerations(spec: &PodSpec) -> Vec<Toleration> {
    let mut all = spec.tolerations.clone().unwrap_or_default();
    let network = (spec.host_network == Some(true)).then_some(("network-unavailable", "NoSchedule"));
    let always = [
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
    ];
    for (condition, effect) in always.into_iter().chain(network) {
        let toleration = Toleration {
            key: Some(format!("node.kubernetes.io/{condition}")),
            operator: Some("Exists".to_owned()),
            effect: Some(effect.to_owned()),
            ..Toleration::default()
        };
        let identity = |toleration: &Toleration| {
            (
                toleration.key.clone(),
                toleration.operator.clone(),
                toleration.effect.clone(),
                toleration.value.clone().filter(|value| !value.is_empty()),
            )
        };
        match all.iter_mut().find(|known| identity(known) == identity(&toleration)) {
            // For ever, where the template says for how long.
            Some(known) => *known = toleration,
            None => all.push(toleration),
        }
    }
    all
}

/// Ties the pod to the node; the scheduler does the rest.
pub(super) fn tie_to(pod: &mut PodSpec, node: &str) {
    let field = NodeSelectorRequirement {
        key: "metadata.name".to_owned(),
        operator: "In".to_owned(),
        values: Some(vec![node.to_owned()]),
    };
    let affinity = pod.affinity.get_or_insert_default().node_affinity.get_or_insert_default();
    let terms = &mut affinity.required_during_scheduling_ignored_during_execution.get_or_insert_default();
    if terms.node_selector_terms.is_empty() {
        terms.node_selector_terms.push(NodeSelectorTerm::default());
    }
    // The terms are alternatives: each has to name the node.
    for term in &mut terms.node_selector_terms {
        term.match_fields = Some(vec![field.clone()]);
    }
}

/// The node a pod is on, or tied to.
pub(super) fn target_of(pod: &Pod) -> Option<&str> {
    if let Some(node) = pods::node_name(pod) {
        return Some(node);
    }
    let terms = &required(pod.spec.as_ref()?.affinity.as_ref())?.node_selector_terms;
    let fields = terms.iter().flat_map(|term| term.match_fields.iter().flatten());
    let mut names = fields.filter(|field| field.key == "metadata.name" && field.operator == "In");
    match names.next()?.values.as_deref()? {
        [name] => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn node(name: &str, labels: Value, taints: Value) -> Node {
        serde_json::from_value(json!({"metadata": {"name": name, "labels": labels}, "spec": {"taints": taints}}))
            .unwrap()
    }

    fn set(pod: Value) -> DaemonSet {
        let mut spec = json!({"containers": []});
        spec.as_object_mut().unwrap().extend(pod.as_object().unwrap().clone());
        serde_json::from_value(json!({
            "metadata": {"name": "agent"},
            "spec": {"selector": {}, "template": {"spec": spec}},
        }))
        .unwrap()
    }

    #[test]
    fn runs_where_name_selector_affinity_and_taints_allow() {
        let zone = |zone: &str| {
            json!({"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": "zone", "operator": "In", "values": [zone]}]},
            ]}})
        };
        let taint = |key: &str, effect: &str| json!([{"key": key, "effect": effect}]);
        for (pod, taints, expected) in [
            (json!({}), json!([]), (true, true)),
            (json!({"nodeName": "one"}), json!([]), (true, true)),
            (json!({"nodeName": "two"}), json!([]), (false, false)),
            (json!({"nodeSelector": {"zone": "left"}}), json!([]), (true, true)),
            (json!({"nodeSelector": {"zone": "right"}}), json!([]), (false, false)),
            (json!({"affinity": {"nodeAffinity": zone("left")}}), json!([]), (true, true)),
            (json!({"affinity": {"nodeAffinity": zone("right")}}), json!([]), (false, false)),
            (json!({}), taint("dedicated", "NoSchedule"), (false, true)),
            (json!({}), taint("dedicated", "NoExecute"), (false, false)),
            (json!({}), taint("dedicated", "PreferNoSchedule"), (true, true)),
            (
                json!({"tolerations": [{"key": "dedicated", "operator": "Exists"}]}),
                taint("dedicated", "NoExecute"),
                (true, true),
            ),
            (json!({}), taint("node.kubernetes.io/unschedulable", "NoSchedule"), (true, true)),
            (json!({}), taint("node.kubernetes.io/unreachable", "NoExecute"), (true, true)),
            (json!({}), taint("node.kubernetes.io/network-unavailable", "NoSchedule"), (false, true)),
            (json!({"hostNetwork": true}), taint("node.kubernetes.io/network-unavailable", "NoSchedule"), (true, true)),
        ] {
            let found = placement(&set(pod.clone()), &node("one", json!({"zone": "left"}), taints.clone()));
            assert_eq!((found.should_run, found.may_stay), expected, "{pod} {taints}");
        }
    }

    #[test]
    fn a_pod_is_tied_to_its_node_in_every_term() {
        let affinity = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "zone", "operator": "Exists"}]},
            {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["other"]}]},
        ]}}});
        for affinity in [affinity, Value::Null] {
            let mut pod: Pod =
                serde_json::from_value(json!({"spec": {"containers": [], "affinity": affinity}})).unwrap();
            tie_to(pod.spec.as_mut().unwrap(), "one");
            assert_eq!(target_of(&pod), Some("one"));
            let terms = required(pod.spec.as_ref().unwrap().affinity.as_ref()).unwrap().node_selector_terms.clone();
            assert!(terms.iter().all(|term| term.match_fields.as_ref().unwrap()[0].values == Some(vec!["one".into()])));
        }
    }
}
