//! Pods and nodes for tests.

use std::sync::Arc;

use api::k8s::api::core::v1::{
    Container, ContainerPort, Node, NodeSpec, NodeStatus, Pod, PodCondition, PodSpec, ResourceRequirements, Taint,
    Toleration,
};
use api::k8s::apimachinery::pkg::api::resource::Quantity;
use api::k8s::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use api::k8s::jiff::Timestamp;
use client::kube::api::ObjectMeta;

use crate::pod::PodInfo;

pub(crate) struct PodBuilder(pub(crate) Pod);

pub(crate) fn pod(name: &str) -> PodBuilder {
    let metadata = ObjectMeta {
        name: Some(name.into()),
        namespace: Some("default".into()),
        uid: Some(format!("uid-{name}")),
        ..ObjectMeta::default()
    };
    PodBuilder(Pod { metadata, spec: Some(PodSpec::default()), status: None })
}

impl PodBuilder {
    pub(crate) fn edit(mut self, change: impl FnOnce(&mut PodSpec)) -> Self {
        change(self.0.spec.get_or_insert_default());
        self
    }

    pub(crate) fn label(mut self, key: &str, value: &str) -> Self {
        self.0.metadata.labels.get_or_insert_default().insert(key.into(), value.into());
        self
    }

    pub(crate) fn controlled_by(mut self, uid: &str) -> Self {
        let reference = OwnerReference { uid: uid.into(), controller: Some(true), ..OwnerReference::default() };
        self.0.metadata.owner_references.get_or_insert_default().push(reference);
        self
    }

    /// On its way out.
    pub(crate) fn going(mut self) -> Self {
        self.0.metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
        self
    }

    pub(crate) fn priority(self, priority: i32) -> Self {
        self.edit(|spec| spec.priority = Some(priority))
    }

    pub(crate) fn container(self, requests: &[(&str, &str)]) -> Self {
        let container = container(requests);
        self.edit(|spec| spec.containers.push(container))
    }

    pub(crate) fn init(self, requests: &[(&str, &str)], is_sidecar: bool) -> Self {
        let mut container = container(requests);
        container.restart_policy = is_sidecar.then(|| "Always".to_owned());
        self.edit(|spec| spec.init_containers.get_or_insert_default().push(container))
    }

    pub(crate) fn host_port(self, port: i32) -> Self {
        let port = ContainerPort { container_port: port, host_port: Some(port), ..ContainerPort::default() };
        let container = Container { ports: Some(vec![port]), ..Container::default() };
        self.edit(|spec| spec.containers.push(container))
    }

    pub(crate) fn tolerate(self, key: &str) -> Self {
        let toleration = Toleration { key: Some(key.into()), operator: Some("Exists".into()), ..Toleration::default() };
        self.edit(|spec| spec.tolerations.get_or_insert_default().push(toleration))
    }

    /// Runs since that second.
    pub(crate) fn started(mut self, second: i64) -> Self {
        let time = Timestamp::from_second(second).unwrap();
        self.0.status.get_or_insert_default().start_time = Some(Time(time));
        self
    }

    /// Pushed out by the scheduler, and not gone yet.
    pub(crate) fn preempted(self) -> Self {
        let mut pod = self.going();
        let condition = PodCondition {
            type_: "DisruptionTarget".into(),
            status: "True".into(),
            reason: Some("PreemptionByScheduler".into()),
            ..PodCondition::default()
        };
        pod.0.status.get_or_insert_default().conditions.get_or_insert_default().push(condition);
        pod
    }

    pub(crate) fn spec(self) -> PodSpec {
        self.0.spec.unwrap()
    }

    pub(crate) fn info(self) -> Arc<PodInfo> {
        Arc::new(PodInfo::new(Arc::new(self.0)).unwrap())
    }
}

fn container(requests: &[(&str, &str)]) -> Container {
    let requests = requests.iter().map(|(name, amount)| ((*name).to_owned(), Quantity((*amount).to_owned()))).collect();
    let resources = ResourceRequirements { requests: Some(requests), ..ResourceRequirements::default() };
    Container { resources: Some(resources), ..Container::default() }
}

pub(crate) struct NodeBuilder(Node);

/// A node of 4 CPUs, 8 GiB and 110 pods, which bears its name as its hostname label.
pub(crate) fn node(name: &str) -> NodeBuilder {
    let metadata = ObjectMeta {
        name: Some(name.into()),
        labels: Some([("kubernetes.io/hostname".to_owned(), name.to_owned())].into()),
        ..ObjectMeta::default()
    };
    NodeBuilder(Node { metadata, spec: Some(NodeSpec::default()), status: Some(NodeStatus::default()) }).allocatable(&[
        ("cpu", "4"),
        ("memory", "8Gi"),
        ("pods", "110"),
    ])
}

impl NodeBuilder {
    pub(crate) fn allocatable(mut self, amounts: &[(&str, &str)]) -> Self {
        let allocatable = self.0.status.get_or_insert_default().allocatable.get_or_insert_default();
        for (name, amount) in amounts {
            allocatable.insert((*name).to_owned(), Quantity((*amount).to_owned()));
        }
        self
    }

    pub(crate) fn label(mut self, key: &str, value: &str) -> Self {
        self.0.metadata.labels.get_or_insert_default().insert(key.into(), value.into());
        self
    }

    pub(crate) fn taint(mut self, key: &str, effect: &str) -> Self {
        let taint = Taint { key: key.into(), effect: effect.into(), ..Taint::default() };
        self.0.spec.get_or_insert_default().taints.get_or_insert_default().push(taint);
        self
    }

    pub(crate) fn cordoned(mut self) -> Self {
        self.0.spec.get_or_insert_default().unschedulable = Some(true);
        self
    }

    pub(crate) fn build(self) -> Arc<Node> {
        Arc::new(self.0)
    }
}
