//! Whether the node takes a pod that was given to it: upstream's checks, reasons and words. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::Quantity;
use api::k8s::api::core::v1::{Node, Pod, Taint, Toleration};

use super::spec;
use crate::config::{qos, totals};
use crate::node::MAXIMUM_PODS;
use crate::node::machine::Pressure;

/// What the decision rests on.
#[derive(Debug)]
pub(crate) struct Situation<'a> {
    pub(crate) pod: &'a Pod,
    /// Absent before it is registered: then only a pod's own faults count.
    pub(crate) node: Option<&'a Node>,
    pub(crate) node_name: &'a str,
    pub(crate) pressure: Pressure,
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

pub(crate) fn judge(situation: &Situation<'_>) -> Verdict {
    let Situation { pod, node, .. } = *situation;
    let checks = [under_pressure(situation), sysctls(pod), operating_system(pod)];
    if let Some(rejection) = checks.into_iter().flatten().next() {
        return Verdict::Reject(rejection);
    }
    let Some(node) = node else { return Verdict::Admit };
    let short = shortages(pod, node, situation.others);
    let other = [affinity(pod, node, situation.node_name), host_ports(pod, situation.others), taints(pod, node)];
    let other = other.into_iter().flatten().next();
    match (short.first(), other) {
        (None, None) => Verdict::Admit,
        (Some(_), None) if spec::is_critical(pod) => {
            let victims = make_room(pod, node, situation.others);
            victims.map_or_else(|| Verdict::Reject(short[0].rejection()), Verdict::AdmitAfter)
        }
        (Some(shortage), _) => Verdict::Reject(shortage.rejection()),
        (None, Some(rejection)) => Verdict::Reject(rejection),
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
    let wanted = spec::spec(pod).os.as_ref()?;
    if wanted.name == "linux" {
        return None;
    }
    reject("PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS")
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

fn shortages(pod: &Pod, node: &Node, others: &[Arc<Pod>]) -> Vec<Shortage> {
    let allocatable = node.status.as_ref().and_then(|status| status.allocatable.as_ref());
    let amount = |resource: &str| -> Option<Quantity> { Quantity::of(allocatable?.get(resource)?).ok() };
    let mut found = Vec::new();
    let taken = i64::try_from(others.len()).unwrap_or(i64::MAX);
    let room = amount("pods").map_or(MAXIMUM_PODS, Quantity::units);
    if taken >= room {
        found.push(Shortage { resource: "pods".to_owned(), requested: 1, used: taken, capacity: room });
    }
    for resource in ["cpu", "memory", "ephemeral-storage"] {
        let requested = totals::request(pod, resource);
        // What the node does not count it cannot lack.
        let Some(capacity) = amount(resource).filter(|_| requested > Quantity::ZERO) else { continue };
        let used =
            others.iter().map(|other| totals::request(other, resource)).fold(Quantity::ZERO, Quantity::saturating_add);
        if requested.saturating_add(used) > capacity {
            let number = |quantity: Quantity| if resource == "cpu" { quantity.millis() } else { quantity.units() };
            let (requested, used, capacity) = (number(requested), number(used), number(capacity));
            found.push(Shortage { resource: resource.to_owned(), requested, used, capacity });
        }
    }
    found
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

/// The fewest and least important pods whose end lets a critical pod in; `None` where that is not enough.
fn make_room(pod: &Pod, node: &Node, others: &[Arc<Pod>]) -> Option<Vec<Arc<Pod>>> {
    let priority = |pod: &Pod| spec::spec(pod).priority.unwrap_or(0);
    let preemptable = |other: &&Arc<Pod>| !spec::is_critical(other) || priority(other) < priority(pod);
    let mut candidates: Vec<&Arc<Pod>> = others.iter().filter(preemptable).collect();
    let standing = |class: qos::Class| match class {
        qos::Class::BestEffort => 0,
        qos::Class::Burstable => 1,
        qos::Class::Guaranteed => 2,
    };
    candidates.sort_by_key(|other| (standing(qos::class(other)), priority(other)));
    let without = |victims: &[Arc<Pod>]| -> Vec<Arc<Pod>> {
        let stays = |other: &&Arc<Pod>| !victims.iter().any(|victim| spec::uid(victim) == spec::uid(other));
        others.iter().filter(stays).cloned().collect()
    };
    let fits = |victims: &[Arc<Pod>]| shortages(pod, node, &without(victims)).is_empty();
    let mut victims: Vec<Arc<Pod>> = Vec::new();
    for candidate in candidates {
        if fits(&victims) {
            break;
        }
        victims.push(Arc::clone(candidate));
    }
    if !fits(&victims) {
        return None;
    }
    // The most important are spared where the others' end is enough.
    for index in (0..victims.len()).rev() {
        let spared = victims.remove(index);
        if !fits(&victims) {
            victims.insert(index, spared);
        }
    }
    Some(victims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pod_from;

    fn node() -> Node {
        serde_json::from_str(
            r#"{"metadata":{"name":"n","labels":{"disk":"ssd"}},
                "spec":{"taints":[{"key":"gone","effect":"NoExecute"},{"key":"soft","effect":"NoSchedule"}]},
                "status":{"allocatable":{"cpu":"2","memory":"1Gi","pods":"3"}}}"#,
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
        let situation = Situation { pod, node: Some(&node), node_name: "n", pressure, others };
        match judge(&situation) {
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
    fn critical_pods_push_out_as_few_as_possible() {
        let critical =
            |requests: &str| pod("p", r#""tolerations":[{"operator":"Exists"}],"priority":2000000000,"#, requests);
        let guaranteed = Arc::new(pod_from(
            r#"{"metadata":{"name":"g","uid":"g"},"spec":{"containers":[{"name":"c","resources":{
                "requests":{"cpu":"1","memory":"1Mi"},"limits":{"cpu":"1","memory":"1Mi"}}}]}}"#,
        ));
        let small = pod("small", "", r#"{"cpu":"100m"}"#);
        let large = pod("large", r#""priority":5,"#, r#"{"cpu":"900m"}"#);
        let others = [guaranteed, small, large];
        assert_eq!(check(&critical(r#"{"cpu":"1"}"#), &others[..2], Pressure::default()), "small");
        assert_eq!(check(&critical(r#"{"cpu":"900m"}"#), &others, Pressure::default()), "large");
        assert_eq!(check(&critical(r#"{"cpu":"1"}"#), &others, Pressure::default()), "small large");
        let vital = pod("vital", r#""priority":2000000001,"#, r#"{"cpu":"2"}"#);
        assert!(check(&critical(r#"{"cpu":"1"}"#), &[vital], Pressure::default()).starts_with("OutOfcpu"));
    }
}
