//! Whether the node takes a pod that was given to it: upstream's checks, their order, reasons and words. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::Quantity;
use api::k8s::api::core::v1::{Node, Pod, Taint, Toleration};

use super::preempt::{self, Need};
use super::spec;
use crate::config::{huge_pages, qos, totals};
use crate::node::machine::Pressure;
use crate::node::{MAXIMUM_PODS, is_extended};

/// What the decision rests on.
#[derive(Debug)]
pub(crate) struct Situation<'a> {
    pub(crate) pod: &'a Pod,
    /// Absent before it is registered: then only a pod's own faults count.
    pub(crate) node: Option<&'a Node>,
    pub(crate) node_name: &'a str,
    pub(crate) pressure: Pressure,
    /// Whether the kernel enforces AppArmor profiles.
    pub(crate) has_app_armor: bool,
    /// What device plugins serve: who got devices fits.
    pub(crate) plugin_resources: &'a BTreeSet<String>,
    /// The pods that the node has taken and that have not ended.
    pub(crate) others: &'a [Arc<Pod>],
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    Admit,
    /// These make room for a critical pod first.
    AdmitAfter(Vec<Arc<Pod>>),
    Reject(Rejection),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) reason: String,
    pub(crate) message: String,
}

const SAFE_SYSCTLS: [&str; 14] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_notsent_lowat",
];

/// What upstream asks before it gives processors, memory and devices away.
pub(crate) fn refuse_at_once(situation: &Situation<'_>) -> Option<Rejection> {
    under_pressure(situation).or_else(|| sysctls(situation.pod))
}

/// What it asks after: these pods have got what they need of the managers.
pub(crate) fn judge(situation: &Situation<'_>) -> Verdict {
    let Situation { pod, node, .. } = *situation;
    if let Some(rejection) = operating_system(pod) {
        return Verdict::Reject(rejection);
    }
    let verdict = node.map_or(Verdict::Admit, |node| fit(situation, node));
    match (verdict, app_armor(situation)) {
        // Before anybody makes room for it.
        (Verdict::Admit | Verdict::AdmitAfter(_), Some(rejection)) => Verdict::Reject(rejection),
        (verdict, _) => verdict,
    }
}

/// What the node has too little of, if anything.
pub(crate) fn lack_of_room(situation: &Situation<'_>, node: &Node) -> Option<Rejection> {
    shortages(situation, node).first().map(Shortage::rejection)
}

fn fit(situation: &Situation<'_>, node: &Node) -> Verdict {
    let pod = situation.pod;
    if let Some(rejection) = groups_policy(pod, node) {
        return Verdict::Reject(rejection);
    }
    let short = shortages(situation, node);
    let other = [affinity(pod, node, situation.node_name), host_ports(pod, situation.others), taints(pod, node)];
    match (short.first(), other.into_iter().flatten().next()) {
        (None, None) => Verdict::Admit,
        (None, Some(rejection)) => Verdict::Reject(rejection),
        // Room can be made for a critical pod; what else it lacks then counts alone.
        (Some(_), Some(rejection)) if spec::is_critical(pod) => Verdict::Reject(rejection),
        (Some(_), None) if spec::is_critical(pod) => {
            let needs = short.iter().map(|shortage| Need {
                resource: shortage.resource.clone(),
                amount: shortage.requested - (shortage.capacity - shortage.used),
            });
            match preempt::victims(pod, situation.others, needs.collect()) {
                Ok(victims) => Verdict::AdmitAfter(victims),
                Err(error) => Verdict::Reject(Rejection {
                    reason: "UnexpectedAdmissionError".to_owned(),
                    message: format!("Unexpected error while attempting to recover from admission failure: {error}"),
                }),
            }
        }
        (Some(shortage), _) => Verdict::Reject(shortage.rejection()),
    }
}

fn reject(reason: &str, message: impl Into<String>) -> Option<Rejection> {
    Some(Rejection { reason: reason.to_owned(), message: message.into() })
}

/// A node that runs short takes only what it cannot do without; short of memory alone, also what has
/// asked for its memory.
fn under_pressure(situation: &Situation<'_>) -> Option<Rejection> {
    let Situation { pod, pressure, .. } = *situation;
    let conditions: Vec<&str> =
        [(pressure.memory, "MemoryPressure"), (pressure.disk, "DiskPressure"), (pressure.pids, "PIDPressure")]
            .into_iter()
            .filter_map(|(holds, name)| holds.then_some(name))
            .collect();
    if conditions.is_empty() || spec::is_critical(pod) {
        return None;
    }
    if conditions == ["MemoryPressure"] {
        let taint = Taint {
            key: "node.kubernetes.io/memory-pressure".to_owned(),
            effect: "NoSchedule".to_owned(),
            ..Taint::default()
        };
        if qos::class(pod) != qos::Class::BestEffort || tolerates(pod, &taint) {
            return None;
        }
    }
    reject("Evicted", format!("The node had condition: [{}]. ", conditions.join(" ")))
}

fn sysctls(pod: &Pod) -> Option<Rejection> {
    let wanted = spec::spec(pod).security_context.as_ref().and_then(|context| context.sysctls.as_ref());
    let name = |name: &str| name.replace('/', ".");
    let forbidden = wanted.into_iter().flatten().find(|sysctl| !SAFE_SYSCTLS.contains(&name(&sysctl.name).as_str()))?;
    reject("SysctlForbidden", format!("forbidden sysctl: {:?} not allowlisted", forbidden.name))
}

fn operating_system(pod: &Pod) -> Option<Rejection> {
    let labelled = pod.metadata.labels.as_ref().and_then(|labels| labels.get("kubernetes.io/os"));
    if labelled.is_some_and(|name| name != "linux") {
        let message = "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label";
        return reject("PodOSSelectorNodeLabelDoesNotMatch", message);
    }
    let wanted = spec::spec(pod).os.as_ref()?;
    if wanted.name == "linux" {
        return None;
    }
    reject("PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS")
}

fn groups_policy(pod: &Pod, node: &Node) -> Option<Rejection> {
    let context = spec::spec(pod).security_context.as_ref()?;
    let features = node.status.as_ref().and_then(|status| status.features.as_ref());
    let is_supported = features.is_some_and(|features| features.supplemental_groups_policy == Some(true));
    if context.supplemental_groups_policy.as_deref() != Some("Strict") || is_supported {
        return None;
    }
    let message = "SupplementalGroupsPolicy=Strict is not supported in this node";
    reject("SupplementalGroupsPolicyNotSupported", message)
}

/// A profile that is asked for must be enforced.
fn app_armor(situation: &Situation<'_>) -> Option<Rejection> {
    let spec = spec::spec(situation.pod);
    let of_pod = spec.security_context.as_ref().and_then(|context| context.app_armor_profile.as_ref());
    let containers = spec::init_containers(situation.pod).iter().chain(&spec.containers);
    let of_containers =
        containers.filter_map(|container| container.security_context.as_ref()?.app_armor_profile.as_ref());
    let mut profiles = of_pod.into_iter().chain(of_containers);
    if situation.has_app_armor || profiles.all(|profile| profile.type_ == "Unconfined") {
        return None;
    }
    reject("AppArmor", "Cannot enforce AppArmor: AppArmor is not enabled on the host")
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Shortage {
    resource: String,
    requested: i64,
    used: i64,
    capacity: i64,
}

impl Shortage {
    fn rejection(&self) -> Rejection {
        let Shortage { resource, requested, used, capacity } = self;
        Rejection {
            reason: format!("OutOf{resource}"),
            message: format!(
                "Node didn't have enough resource: {resource}, requested: {requested}, used: {used}, capacity: {capacity}"
            ),
        }
    }
}

fn shortages(situation: &Situation<'_>, node: &Node) -> Vec<Shortage> {
    let Situation { pod, others, .. } = *situation;
    let allocatable = node.status.as_ref().and_then(|status| status.allocatable.as_ref());
    let amount = |resource: &str| -> Option<Quantity> { Quantity::of(allocatable?.get(resource)?).ok() };
    let mut found = Vec::new();
    let taken = i64::try_from(others.len()).unwrap_or(i64::MAX);
    let room = amount("pods").map_or(MAXIMUM_PODS, Quantity::units);
    if taken >= room {
        found.push(Shortage { resource: "pods".to_owned(), requested: 1, used: taken, capacity: room });
    }
    let others_of_plugins = |resource: &String| !situation.plugin_resources.contains(resource);
    let further = further_resources(pod).into_iter().filter(others_of_plugins);
    for resource in ["cpu", "memory", "ephemeral-storage"].map(str::to_owned).into_iter().chain(further) {
        let requested = totals::request(pod, &resource);
        let none = huge_pages::PageSize::of_resource(&resource).map(|_| Quantity::ZERO);
        // What the node does not count it cannot lack, but for huge pages.
        let Some(capacity) = amount(&resource).or(none).filter(|_| requested > Quantity::ZERO) else { continue };
        let used =
            others.iter().map(|other| totals::request(other, &resource)).fold(Quantity::ZERO, Quantity::saturating_add);
        if requested.saturating_add(used) > capacity {
            let number = |quantity: Quantity| if resource == "cpu" { quantity.millis() } else { quantity.units() };
            let (requested, used, capacity) = (number(requested), number(used), number(capacity));
            found.push(Shortage { resource, requested, used, capacity });
        }
    }
    found
}

/// What the pod asks for besides what every node has: huge pages, and what somebody else counts.
fn further_resources(pod: &Pod) -> BTreeSet<String> {
    let spec = spec::spec(pod);
    let own = spec.resources.as_ref().and_then(|resources| resources.requests.as_ref());
    let containers = spec::init_containers(pod).iter().chain(&spec.containers).filter_map(qos::requests);
    let names = containers.chain(own).flat_map(|amounts| amounts.keys());
    names.filter(|name| name.starts_with(huge_pages::RESOURCE_PREFIX) || is_extended(name)).cloned().collect()
}

fn predicate(name: &str, description: &str) -> Option<Rejection> {
    reject(name, format!("Predicate {name} failed: {description}"))
}

fn affinity(pod: &Pod, node: &Node, node_name: &str) -> Option<Rejection> {
    let none = BTreeMap::new();
    let labels = node.metadata.labels.as_ref().unwrap_or(&none);
    let selected = spec::spec(pod).node_selector.iter().flatten().all(|(key, value)| labels.get(key) == Some(value));
    let required = spec::spec(pod).affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    let required = required.and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution.as_ref());
    let admitted = required.is_none_or(|selector| api::node_selector::admits(selector, node_name, labels));
    if selected && admitted {
        return None;
    }
    predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")
}

fn host_ports(pod: &Pod, others: &[Arc<Pod>]) -> Option<Rejection> {
    let clash = spec::host_ports(pod).any(|(ip, port, protocol)| {
        others.iter().flat_map(|other| spec::host_ports(other)).any(|(other_ip, other_port, other_protocol)| {
            let any = |ip: &str| ip.is_empty() || ip == "0.0.0.0";
            port == other_port && protocol == other_protocol && (ip == other_ip || any(ip) || any(other_ip))
        })
    });
    if !clash {
        return None;
    }
    predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports")
}

/// Only what would drive the pod away again: a pod may be given to a node past the others.
fn taints(pod: &Pod, node: &Node) -> Option<Rejection> {
    if spec::is_static(pod) {
        return None;
    }
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_ref()).into_iter().flatten();
    let mut untolerated = taints.filter(|taint| taint.effect == "NoExecute" && !tolerates(pod, taint));
    untolerated.next()?;
    predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate")
}

fn tolerates(pod: &Pod, taint: &Taint) -> bool {
    spec::spec(pod).tolerations.iter().flatten().any(|toleration| covers(toleration, taint))
}

/// An empty effect covers all effects, an empty key with `Exists` all keys.
fn covers(toleration: &Toleration, taint: &Taint) -> bool {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let effect = given(&toleration.effect).is_none_or(|effect| effect == taint.effect);
    let exists = toleration.operator.as_deref() == Some("Exists");
    let key = given(&toleration.key).map_or(exists, |key| key == taint.key);
    let value = exists || toleration.value.as_deref().unwrap_or("") == taint.value.as_deref().unwrap_or("");
    effect && key && value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pod_from;

    fn node() -> Node {
        serde_json::from_str(
            r#"{"metadata":{"name":"n","labels":{"disk":"ssd"}},
                "spec":{"taints":[{"key":"gone","effect":"NoExecute"},{"key":"soft","effect":"NoSchedule"}]},
                "status":{"allocatable":{"cpu":"2","memory":"1Gi","pods":"3","hugepages-2Mi":"4Mi","example.com/counted":"2",
                    "example.com/served":"2"}}}"#,
        )
        .unwrap()
    }

    const TOLERANT: &str = r#""tolerations":[{"key":"gone","operator":"Exists"}],"#;

    fn pod(name: &str, spec: &str, requests: &str) -> Arc<Pod> {
        Arc::new(pod_from(&format!(
            r#"{{"metadata":{{"name":"{name}","namespace":"ns","uid":"{name}"}},"spec":{{{spec}
                "containers":[{{"name":"c","resources":{{"requests":{requests}}}}}]}}}}"#
        )))
    }

    fn check(pod: &Pod, others: &[Arc<Pod>], pressure: Pressure) -> String {
        let node = node();
        let plugin_resources = BTreeSet::from(["example.com/served".to_owned()]);
        let situation = Situation {
            pod,
            node: Some(&node),
            node_name: "n",
            pressure,
            has_app_armor: false,
            plugin_resources: &plugin_resources,
            others,
        };
        match refuse_at_once(&situation).map_or_else(|| judge(&situation), Verdict::Reject) {
            Verdict::Admit => "admitted".to_owned(),
            Verdict::AdmitAfter(victims) => {
                victims.iter().map(|victim| spec::name(victim)).collect::<Vec<_>>().join(" ")
            }
            Verdict::Reject(Rejection { reason, message }) => format!("{reason}: {message}"),
        }
    }

    fn alone(spec: &str, requests: &str) -> String {
        check(&pod("p", spec, requests), &[], Pressure::default())
    }

    #[test]
    fn what_does_not_fit_is_named_as_upstream_names_it() {
        assert_eq!(alone(TOLERANT, r#"{"cpu":"2","memory":"1Gi"}"#), "admitted");
        let others = [pod("a", "", r#"{"cpu":"1500m"}"#)];
        let pod = |requests: &str| pod("p", TOLERANT, requests);
        assert_eq!(
            check(&pod(r#"{"cpu":"1"}"#), &others, Pressure::default()),
            "OutOfcpu: Node didn't have enough resource: cpu, requested: 1000, used: 1500, capacity: 2000"
        );
        assert_eq!(
            check(&pod(r#"{"memory":"2Gi"}"#), &others, Pressure::default()),
            "OutOfmemory: Node didn't have enough resource: memory, requested: 2147483648, used: 0, capacity: 1073741824"
        );
        let many = [others[0].clone(), others[0].clone(), others[0].clone()];
        assert_eq!(
            check(&pod("{}"), &many, Pressure::default()),
            "OutOfpods: Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3"
        );
    }

    #[test]
    fn labels_ports_taints_and_sysctls_count() {
        assert_eq!(
            alone(r#""tolerations":[{"operator":"Exists"}],"nodeSelector":{"disk":"hdd"},"#, "{}"),
            "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
        );
        assert_eq!(
            alone("", "{}"),
            "TaintToleration: Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate"
        );
        assert_eq!(
            alone(r#""securityContext":{"sysctls":[{"name":"kernel.msgmax","value":"1"}]},"#, "{}"),
            "SysctlForbidden: forbidden sysctl: \"kernel.msgmax\" not allowlisted"
        );
        let with_port = |name: &str, ip: &str| {
            Arc::new(pod_from(&format!(
                r#"{{"metadata":{{"name":"{name}","uid":"{name}"}},"spec":{{{TOLERANT}"containers":[
                    {{"name":"c","ports":[{{"containerPort":80,"hostPort":8080,"hostIP":"{ip}"}}]}}]}}}}"#
            )))
        };
        let taken = [with_port("a", "")];
        assert_eq!(
            check(&with_port("b", "127.0.0.1"), &taken, Pressure::default()),
            "NodePorts: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"
        );
        assert_eq!(check(&with_port("b", "::1"), &[with_port("a", "127.0.0.1")], Pressure::default()), "admitted");
    }

    #[test]
    fn a_node_under_pressure_takes_little() {
        let pressure = Pressure { memory: true, ..Pressure::default() };
        let best_effort = pod("p", TOLERANT, "{}");
        assert_eq!(check(&best_effort, &[], pressure), "Evicted: The node had condition: [MemoryPressure]. ");
        assert_eq!(check(&pod("p", TOLERANT, r#"{"memory":"1Mi"}"#), &[], pressure), "admitted");
        let both = Pressure { disk: true, ..pressure };
        let burstable = pod("p", TOLERANT, r#"{"memory":"1Mi"}"#);
        assert_eq!(check(&burstable, &[], both), "Evicted: The node had condition: [MemoryPressure DiskPressure]. ");
        let critical = pod("p", r#""tolerations":[{"operator":"Exists"}],"priority":2000000000,"#, "{}");
        assert_eq!(check(&critical, &[], both), "admitted");
    }

    #[test]
    fn huge_pages_and_foreign_resources_are_counted() {
        let of = |requests: &str| alone(TOLERANT, requests);
        assert_eq!(of(r#"{"hugepages-2Mi":"4Mi"}"#), "admitted");
        assert_eq!(
            of(r#"{"hugepages-2Mi":"6Mi"}"#),
            "OutOfhugepages-2Mi: Node didn't have enough resource: hugepages-2Mi, requested: 6291456, used: 0, capacity: 4194304"
        );
        assert!(of(r#"{"hugepages-1Gi":"1Gi"}"#).ends_with("requested: 1073741824, used: 0, capacity: 0"));
        assert!(of(r#"{"example.com/counted":"3"}"#).starts_with("OutOfexample.com/counted: "));
        assert_eq!(of(r#"{"example.com/served":"3","example.com/of-the-cluster":"3"}"#), "admitted");
    }

    #[test]
    fn what_the_node_cannot_do_it_does_not_promise() {
        let of_pod = |context: &str| alone(&format!(r#"{TOLERANT}"securityContext":{context},"#), "{}");
        let expected = "AppArmor: Cannot enforce AppArmor: AppArmor is not enabled on the host";
        assert_eq!(of_pod(r#"{"appArmorProfile":{"type":"RuntimeDefault"}}"#), expected);
        assert_eq!(of_pod(r#"{"appArmorProfile":{"type":"Unconfined"}}"#), "admitted");
        assert_eq!(
            of_pod(r#"{"supplementalGroupsPolicy":"Strict"}"#),
            "SupplementalGroupsPolicyNotSupported: SupplementalGroupsPolicy=Strict is not supported in this node"
        );
        assert_eq!(of_pod(r#"{"supplementalGroupsPolicy":"Merge"}"#), "admitted");
        let windows = r#"{"metadata":{"name":"p","labels":{"kubernetes.io/os":"windows"}},"spec":{"containers":[]}}"#;
        assert!(
            check(&pod_from(windows), &[], Pressure::default()).starts_with("PodOSSelectorNodeLabelDoesNotMatch: ")
        );
        assert!(alone(r#""os":{"name":"windows"},"#, "{}").starts_with("PodOSNotSupported: "));
    }

    #[test]
    fn room_is_made_for_critical_pods_alone() {
        let critical = |more: &str, requests: &str| pod("p", &format!(r#"{more}"priority":2000000000,"#), requests);
        let all = r#""tolerations":[{"operator":"Exists"}],"#;
        let others = [pod("small", "", r#"{"cpu":"100m"}"#), pod("large", "", r#"{"cpu":"1900m"}"#)];
        assert_eq!(check(&critical(all, r#"{"cpu":"1"}"#), &others, Pressure::default()), "large");
        // What no room helps against is named, and nobody goes.
        let elsewhere = critical(&format!(r#"{all}"nodeSelector":{{"disk":"hdd"}},"#), r#"{"cpu":"1"}"#);
        assert!(check(&elsewhere, &others, Pressure::default()).starts_with("NodeAffinity: "));
        let vital = pod("vital", r#""priority":2000000001,"#, r#"{"cpu":"2"}"#);
        assert_eq!(
            check(&critical(all, r#"{"cpu":"1"}"#), &[vital], Pressure::default()),
            "UnexpectedAdmissionError: Unexpected error while attempting to recover from admission failure: \
             preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: \
             [(res: cpu, q: 1000), ]"
        );
    }
}
