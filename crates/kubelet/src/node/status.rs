//! The node's status, as a pure function of what is known of machine and runtime.

use std::collections::BTreeMap;

use api::k8s::api::core::v1::{
    ContainerImage, DaemonEndpoint, Node, NodeAddress, NodeCondition, NodeDaemonEndpoints, NodeFeatures,
    NodeRuntimeHandler, NodeRuntimeHandlerFeatures, NodeStatus, NodeSystemInfo,
};
use api::k8s::apimachinery::pkg::api::resource::Quantity;
use api::k8s::apimachinery::pkg::apis::meta::v1::Time;
use cri::{Image, RuntimeHandler, StatusResponse};
use jiff::Timestamp;

use super::machine::{Machine, Pressure};
use crate::config::totals::binary_si;
use crate::policy::Policy;

/// Unless the node is told otherwise.
pub(crate) const MAXIMUM_PODS: i64 = 110;
/// A node lists its largest images only.
pub(crate) const MAXIMUM_IMAGES: usize = 50;
const MAXIMUM_NAMES_PER_IMAGE: usize = 5;
const KUBELET_VERSION: &str = "v1.37.0+pintle";

#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) policy: &'a Policy,
    /// How many devices of each kind there are, and how many are healthy.
    pub(crate) devices: &'a BTreeMap<String, (usize, usize)>,
    pub(crate) pressure: Pressure,
    pub(crate) is_shutting_down: bool,
    /// The runtime's name and version, `pintle://0.1.0`.
    pub(crate) runtime_version: &'a str,
    /// What the runtime says of itself; `Err` where it does not answer.
    pub(crate) runtime: Result<&'a StatusResponse, &'a str>,
    pub(crate) volumes_in_use: &'a [String],
    pub(crate) images: &'a [Image],
    pub(crate) node_name: &'a str,
    pub(crate) node_ips: &'a [String],
    pub(crate) port: u16,
    pub(crate) now: Timestamp,
}

/// The whole status; what others wrote is kept.
pub(crate) fn generate(node: &Node, facts: &Facts<'_>) -> NodeStatus {
    let previous = node.status.clone().unwrap_or_default();
    let capacity = capacity(&previous, facts);
    NodeStatus {
        addresses: Some(addresses(facts)),
        allocatable: Some(allocatable(&capacity, facts)),
        capacity: Some(capacity),
        conditions: Some(conditions(&previous, facts)),
        daemon_endpoints: Some(NodeDaemonEndpoints {
            kubelet_endpoint: Some(DaemonEndpoint { port: i32::from(facts.port) }),
        }),
        images: Some(images(facts.images)),
        node_info: Some(NodeSystemInfo {
            architecture: facts.machine.architecture.to_owned(),
            boot_id: facts.machine.boot_id.clone(),
            container_runtime_version: facts.runtime_version.to_owned(),
            kernel_version: facts.machine.kernel_version.clone(),
            kube_proxy_version: String::new(),
            kubelet_version: KUBELET_VERSION.to_owned(),
            machine_id: facts.machine.machine_id.clone(),
            operating_system: "linux".to_owned(),
            os_image: facts.machine.os_image.clone(),
            system_uuid: facts.machine.system_uuid.clone(),
            ..NodeSystemInfo::default()
        }),
        features: facts.runtime.ok().map(features).or(previous.features),
        runtime_handlers: facts.runtime.ok().map(handlers).or(previous.runtime_handlers),
        volumes_in_use: Some(facts.volumes_in_use.to_vec()).filter(|names| !names.is_empty()),
        ..previous
    }
}

/// What is to be done about a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    Write,
    /// It says nothing new.
    Keep,
    /// A node that was ready is about to be ready again, as far as can be told yet.
    TooEarly,
}

pub(crate) fn telling(before: &NodeStatus, wanted: &NodeStatus, heartbeat_due: bool, settling: bool) -> Telling {
    if settling && is_ready(before) && !is_ready(wanted) {
        return Telling::TooEarly;
    }
    if differs(before, wanted) || heartbeat_due { Telling::Write } else { Telling::Keep }
}

/// Whether the two differ in more than the time they were taken at.
fn differs(one: &NodeStatus, other: &NodeStatus) -> bool {
    let without_heartbeats = |status: &NodeStatus| {
        let mut status = status.clone();
        for condition in status.conditions.iter_mut().flatten() {
            condition.last_heartbeat_time = None;
        }
        status
    };
    without_heartbeats(one) != without_heartbeats(other)
}

pub(crate) fn is_ready(status: &NodeStatus) -> bool {
    readiness_in(status) == Some(true)
}

/// Whether the node's object says that it is ready; `None` where it says nothing yet.
pub(crate) fn readiness(node: &Node) -> Option<bool> {
    readiness_in(node.status.as_ref()?)
}

fn readiness_in(status: &NodeStatus) -> Option<bool> {
    let mut conditions = status.conditions.iter().flatten();
    conditions.find(|condition| condition.type_ == "Ready").map(|condition| condition.status == "True")
}

/// What there is: the machine's own, what device plugins tell of, and what others have written into the node.
fn capacity(previous: &NodeStatus, facts: &Facts<'_>) -> BTreeMap<String, Quantity> {
    let machine = facts.machine;
    let own = [
        ("cpu".to_owned(), Quantity((machine.cpu_millis / 1000).to_string())),
        ("memory".to_owned(), Quantity(format!("{}Ki", machine.memory_bytes / 1024))),
        ("ephemeral-storage".to_owned(), Quantity(format!("{}Ki", machine.disk_bytes / 1024))),
        ("pods".to_owned(), Quantity(facts.policy.maximum_pods.to_string())),
    ];
    let huge = machine.huge_pages.iter().map(|(size, bytes)| (size.resource(), Quantity(binary_si(*bytes))));
    let foreign = previous.capacity.iter().flatten().filter(|(name, _)| is_extended(name));
    let mut all: BTreeMap<String, Quantity> =
        foreign.map(|(name, amount)| (name.clone(), amount.clone())).chain(own).chain(huge).collect();
    all.extend(facts.devices.iter().map(|(name, (all, _))| (name.clone(), Quantity(all.to_string()))));
    all
}

/// What pods may have of it.
fn allocatable(capacity: &BTreeMap<String, Quantity>, facts: &Facts<'_>) -> BTreeMap<String, Quantity> {
    let of = |(name, amount): (&String, &Quantity)| {
        if let Some((_, healthy)) = facts.devices.get(name) {
            return (name.clone(), Quantity(healthy.to_string()));
        }
        let left = api::Quantity::of(amount).ok().map(|whole| {
            // Memory in huge pages is there for nothing else.
            let huge: i64 = if name == "memory" { facts.machine.huge_pages.values().sum() } else { 0 };
            let reserved = facts.policy.reserved(name, whole).saturating_add(api::Quantity::from_units(huge));
            (reserved, whole.saturating_sub(reserved).max(api::Quantity::ZERO))
        });
        let amount = match left {
            // As it is written, where nothing is taken from it.
            None | Some((api::Quantity::ZERO, _)) => amount.clone(),
            Some((_, left)) if name == "cpu" && left.millis() % 1000 != 0 => Quantity(format!("{}m", left.millis())),
            Some((_, left)) if name == "cpu" => Quantity(left.units().to_string()),
            Some((_, left)) if left.units() % 1024 == 0 => Quantity(format!("{}Ki", left.units() / 1024)),
            Some((_, left)) => Quantity(left.units().to_string()),
        };
        (name.clone(), amount)
    };
    capacity.iter().map(of).collect()
}

/// `example.com/device`: of somebody else's making.
pub(crate) fn is_extended(resource: &str) -> bool {
    resource.contains('/') && !resource.contains("kubernetes.io/")
}

fn addresses(facts: &Facts<'_>) -> Vec<NodeAddress> {
    let address = |type_: &str, address: &str| NodeAddress { type_: type_.to_owned(), address: address.to_owned() };
    let internal = facts.node_ips.iter().map(|ip| address("InternalIP", ip));
    internal.chain([address("Hostname", facts.node_name)]).collect()
}

fn conditions(previous: &NodeStatus, facts: &Facts<'_>) -> Vec<NodeCondition> {
    let pressure = facts.pressure;
    let fresh = [
        match pressure.memory {
            true => (
                "MemoryPressure",
                true,
                "KubeletHasInsufficientMemory",
                "kubelet has insufficient memory available".to_owned(),
            ),
            false => (
                "MemoryPressure",
                false,
                "KubeletHasSufficientMemory",
                "kubelet has sufficient memory available".to_owned(),
            ),
        },
        match pressure.disk {
            true => ("DiskPressure", true, "KubeletHasDiskPressure", "kubelet has disk pressure".to_owned()),
            false => ("DiskPressure", false, "KubeletHasNoDiskPressure", "kubelet has no disk pressure".to_owned()),
        },
        match pressure.pids {
            true => {
                ("PIDPressure", true, "KubeletHasInsufficientPID", "kubelet has insufficient PID available".to_owned())
            }
            false => {
                ("PIDPressure", false, "KubeletHasSufficientPID", "kubelet has sufficient PID available".to_owned())
            }
        },
        match unreadiness(facts) {
            None => ("Ready", true, "KubeletReady", "kubelet is posting ready status".to_owned()),
            Some(message) => ("Ready", false, "KubeletNotReady", message),
        },
    ];
    let foreign = previous.conditions.iter().flatten();
    let foreign = foreign.filter(|condition| !fresh.iter().any(|(type_, ..)| *type_ == condition.type_)).cloned();
    let foreign: Vec<NodeCondition> = foreign.collect();
    let now = Time(Timestamp::from_second(facts.now.as_second()).unwrap_or(facts.now));
    let finish = |(type_, holds, reason, message): (&str, bool, &str, String)| {
        let status = if holds { "True" } else { "False" };
        let before = previous.conditions.iter().flatten().find(|condition| condition.type_ == type_);
        let since =
            before.filter(|before| before.status == status).and_then(|before| before.last_transition_time.clone());
        NodeCondition {
            last_heartbeat_time: Some(now.clone()),
            last_transition_time: since.or(Some(now.clone())),
            message: Some(message),
            reason: Some(reason.to_owned()),
            status: status.to_owned(),
            type_: type_.to_owned(),
        }
    };
    foreign.into_iter().chain(fresh.into_iter().map(finish)).collect()
}

/// Why the node cannot take pods, in upstream's words.
fn unreadiness(facts: &Facts<'_>) -> Option<String> {
    let conditions = match facts.runtime {
        Ok(response) => response.status.as_ref().map_or(&[][..], |status| &status.conditions),
        Err(error) => return Some(format!("container runtime is down: {error}")),
    };
    let mut reasons = Vec::new();
    for (type_, lead) in
        [("RuntimeReady", "container runtime not ready"), ("NetworkReady", "container runtime network not ready")]
    {
        match conditions.iter().find(|condition| condition.r#type == type_) {
            Some(condition) if condition.status => {}
            Some(condition) => {
                reasons.push(format!("{lead}: {type_}=false reason:{} message:{}", condition.reason, condition.message))
            }
            None => reasons.push(format!("{lead}: the runtime does not report {type_}")),
        }
    }
    if facts.is_shutting_down {
        reasons.push("node is shutting down".to_owned());
    }
    (!reasons.is_empty()).then(|| reasons.join(", "))
}

fn features(runtime: &StatusResponse) -> NodeFeatures {
    let groups_policy = runtime.features.as_ref().is_some_and(|features| features.supplemental_groups_policy);
    NodeFeatures { supplemental_groups_policy: Some(groups_policy) }
}

/// What pods may ask for by a runtime class, and what of it can do what.
fn handlers(runtime: &StatusResponse) -> Vec<NodeRuntimeHandler> {
    let of = |handler: &RuntimeHandler| {
        let can = handler.features.clone().unwrap_or_default();
        NodeRuntimeHandler {
            name: Some(handler.name.clone()),
            features: Some(NodeRuntimeHandlerFeatures {
                recursive_read_only_mounts: Some(can.recursive_read_only_mounts),
                user_namespaces: Some(can.user_namespaces),
            }),
        }
    };
    runtime.runtime_handlers.iter().map(of).collect()
}

fn images(images: &[Image]) -> Vec<ContainerImage> {
    let mut largest: Vec<&Image> = images.iter().collect();
    largest.sort_by(|one, other| (other.size, &one.id).cmp(&(one.size, &other.id)));
    let list = largest.into_iter().take(MAXIMUM_IMAGES).map(|image| ContainerImage {
        names: Some(image.repo_digests.iter().chain(&image.repo_tags).take(MAXIMUM_NAMES_PER_IMAGE).cloned().collect()),
        size_bytes: Some(i64::try_from(image.size).unwrap_or(i64::MAX)),
    });
    list.collect()
}

#[cfg(test)]
mod tests {
    use cri::{RuntimeCondition, RuntimeFeatures, RuntimeHandlerFeatures, RuntimeStatus};

    use super::*;
    use crate::config::huge_pages::PageSize;

    fn condition(type_: &str, status: bool) -> RuntimeCondition {
        RuntimeCondition { r#type: type_.to_owned(), status, reason: "Why".to_owned(), message: "because".to_owned() }
    }

    fn generate_at(node: &Node, runtime: Result<&[RuntimeCondition], &str>, second: i64) -> NodeStatus {
        let huge_pages = BTreeMap::from([(PageSize(2 << 20), 16 << 20), (PageSize(1 << 30), 0)]);
        let machine = Machine {
            cpu_millis: 2000,
            memory_bytes: 1 << 30,
            huge_pages,
            architecture: "amd64",
            ..Machine::default()
        };
        let can = RuntimeHandlerFeatures { recursive_read_only_mounts: true, user_namespaces: false };
        let response = runtime.map(|conditions| StatusResponse {
            status: Some(RuntimeStatus { conditions: conditions.to_vec() }),
            runtime_handlers: vec![RuntimeHandler { name: "other".to_owned(), features: Some(can) }],
            features: Some(RuntimeFeatures { supplemental_groups_policy: true }),
            ..StatusResponse::default()
        });
        let policy = Policy::default();
        let devices = BTreeMap::from([("example.com/x".to_owned(), (3, 2))]);
        let facts = Facts {
            machine: &machine,
            policy: &policy,
            devices: &devices,
            pressure: Pressure::default(),
            is_shutting_down: false,
            runtime_version: "pintle://0.1.0",
            runtime: response.as_ref().map_err(|error| *error),
            volumes_in_use: &["kubernetes.io/csi/d^h".to_owned()],
            images: &[],
            node_name: "node",
            node_ips: &["192.0.2.10".to_owned()],
            port: 10250,
            now: Timestamp::from_second(second).unwrap(),
        };
        generate(node, &facts)
    }

    fn show(status: &NodeStatus, type_: &str) -> String {
        let condition = status.conditions.iter().flatten().find(|condition| condition.type_ == type_).unwrap();
        let since = condition.last_transition_time.as_ref().unwrap().0.as_second();
        format!("{} {} {since}", condition.status, condition.message.as_deref().unwrap_or(""))
    }

    #[test]
    fn a_node_is_ready_when_runtime_and_network_are() {
        let unready = [condition("RuntimeReady", true), condition("NetworkReady", false)];
        let first = generate_at(&Node::default(), Ok(&unready), 5);
        assert_eq!(
            show(&first, "Ready"),
            "False container runtime network not ready: NetworkReady=false reason:Why message:because 5"
        );
        let mut node = Node { status: Some(first), ..Node::default() };
        let ready = [condition("RuntimeReady", true), condition("NetworkReady", true)];
        let second = generate_at(&node, Ok(&ready), 9);
        assert_eq!(show(&second, "Ready"), "True kubelet is posting ready status 9");
        assert_eq!(show(&second, "DiskPressure"), "False kubelet has no disk pressure 5");
        node.status = Some(second.clone());
        let third = generate_at(&node, Ok(&ready), 20);
        assert!(!differs(&second, &third) && second != third, "only the heartbeat moved");
        assert!(show(&generate_at(&node, Err("gone"), 21), "Ready").contains("container runtime is down: gone"));
    }

    #[test]
    fn what_the_runtime_can_do_outlasts_its_silence() {
        let told = generate_at(&Node::default(), Ok(&[]), 1);
        assert_eq!(told.volumes_in_use.as_ref().unwrap(), &["kubernetes.io/csi/d^h"]);
        assert_eq!(told.features.as_ref().unwrap().supplemental_groups_policy, Some(true));
        let handler = &told.runtime_handlers.as_ref().unwrap()[0];
        let can = handler.features.as_ref().unwrap();
        assert_eq!(handler.name.as_deref(), Some("other"));
        assert_eq!((can.recursive_read_only_mounts, can.user_namespaces), (Some(true), Some(false)));
        let node = Node { status: Some(told.clone()), ..Node::default() };
        let silent = generate_at(&node, Err("gone"), 2);
        assert_eq!((silent.features, silent.runtime_handlers), (told.features, told.runtime_handlers));
    }

    #[test]
    fn a_node_found_again_is_not_called_unready_at_once() {
        let up = [condition("RuntimeReady", true), condition("NetworkReady", true)];
        let ready = generate_at(&Node::default(), Ok(&up), 5);
        let node = Node { status: Some(ready.clone()), ..Node::default() };
        let unready = generate_at(&node, Err("starting"), 6);
        assert_eq!(telling(&ready, &unready, true, true), Telling::TooEarly);
        assert_eq!(telling(&ready, &unready, false, false), Telling::Write);
        assert_eq!(telling(&unready, &ready, false, true), Telling::Write);
        assert_eq!(telling(&NodeStatus::default(), &unready, false, true), Telling::Write);
        assert_eq!((readiness(&Node::default()), readiness(&node)), (None, Some(true)));
        let later = generate_at(&node, Ok(&up), 6);
        assert_eq!(telling(&ready, &later, false, true), Telling::Keep);
        assert_eq!(telling(&ready, &later, true, false), Telling::Write);
    }

    #[test]
    fn conditions_and_amounts_of_others_stay() {
        let foreign = NodeCondition {
            type_: "NetworkUnavailable".to_owned(),
            status: "False".to_owned(),
            ..NodeCondition::default()
        };
        let amount = Quantity("7".to_owned());
        let capacity = BTreeMap::from([("example.com/y".to_owned(), amount.clone()), ("gone".to_owned(), amount)]);
        let status = NodeStatus { conditions: Some(vec![foreign]), capacity: Some(capacity), ..NodeStatus::default() };
        let node = Node { status: Some(status), ..Node::default() };
        let status = generate_at(&node, Ok(&[]), 1);
        assert_eq!(status.conditions.unwrap().len(), 5);
        let (capacity, allocatable) = (status.capacity.unwrap(), status.allocatable.unwrap());
        assert_eq!(capacity["memory"].0, "1048576Ki");
        assert_eq!(allocatable["memory"].0, "929792Ki", "what eviction and huge pages keep is nobody's");
        assert_eq!((capacity["hugepages-2Mi"].0.as_str(), allocatable["hugepages-2Mi"].0.as_str()), ("16Mi", "16Mi"));
        assert_eq!(capacity["hugepages-1Gi"].0, "0");
        assert_eq!((capacity["example.com/x"].0.as_str(), allocatable["example.com/x"].0.as_str()), ("3", "2"));
        assert_eq!((capacity["example.com/y"].0.as_str(), allocatable["example.com/y"].0.as_str()), ("7", "7"));
        assert!(!capacity.contains_key("gone"));
    }
}
