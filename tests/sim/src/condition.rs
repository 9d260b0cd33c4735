//! What a script can wait for.

use api::NamespacedName;
use api::k8s::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use api::k8s::api::batch::v1::Job;
use api::k8s::api::core::v1::{Node, Pod};

use crate::trace::Informers;

/// The namespace that scripts act in.
pub(crate) const NAMESPACE: &str = "default";

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// As `kubectl rollout status` has it: every replica is of the newest template and available.
    DeploymentComplete(String),
    /// The same, up to its partition.
    StatefulSetComplete(String),
    /// Every node that should have a pod has one of the newest template, and available.
    DaemonSetComplete(String),
    /// The condition of that type says True.
    JobEnded(String, &'static str),
    /// The Ready condition says True.
    NodeReady(String),
    /// The Ready condition says Unknown.
    NodeUnknown(String),
    /// No pod is bound to it but those that are going.
    NodeEmpty(String),
}

impl Condition {
    pub(crate) fn parse(words: &[&str]) -> Result<Condition, String> {
        match *words {
            ["deployment", name, "complete"] => Ok(Condition::DeploymentComplete(name.into())),
            ["statefulset", name, "complete"] => Ok(Condition::StatefulSetComplete(name.into())),
            ["daemonset", name, "complete"] => Ok(Condition::DaemonSetComplete(name.into())),
            ["job", name, "complete"] => Ok(Condition::JobEnded(name.into(), "Complete")),
            ["job", name, "failed"] => Ok(Condition::JobEnded(name.into(), "Failed")),
            ["node", name, "ready"] => Ok(Condition::NodeReady(name.into())),
            ["node", name, "unknown"] => Ok(Condition::NodeUnknown(name.into())),
            ["node", name, "empty"] => Ok(Condition::NodeEmpty(name.into())),
            _ => Err(format!("no condition reads {:?}", words.join(" "))),
        }
    }

    pub(crate) fn holds(&self, informers: &Informers) -> bool {
        let node = |name: &str| informers.nodes.get(&NamespacedName::new("", name));
        let key = |name: &str| NamespacedName::new(NAMESPACE, name);
        match self {
            Condition::StatefulSetComplete(name) => {
                informers.stateful_sets.get(&key(name)).is_some_and(|set| is_set_complete(&set))
            }
            Condition::DaemonSetComplete(name) => {
                informers.daemon_sets.get(&key(name)).is_some_and(|set| is_everywhere(&set))
            }
            Condition::JobEnded(name, end) => informers.jobs.get(&key(name)).is_some_and(|job| job_has(&job, end)),
            Condition::DeploymentComplete(name) => informers
                .deployments
                .get(&NamespacedName::new(NAMESPACE, name))
                .is_some_and(|deployment| is_complete(&deployment)),
            Condition::NodeReady(name) => node(name).is_some_and(|node| ready_status(&node) == Some("True")),
            Condition::NodeUnknown(name) => node(name).is_some_and(|node| ready_status(&node) == Some("Unknown")),
            Condition::NodeEmpty(name) => !informers.pods.list().iter().any(|pod| stays_on(pod, name)),
        }
    }
}

/// What the Ready condition says.
pub(crate) fn ready_status(node: &Node) -> Option<&str> {
    let conditions = node.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == "Ready").map(|condition| condition.status.as_str())
}

fn is_complete(deployment: &Deployment) -> bool {
    let Some(status) = &deployment.status else { return false };
    let wanted = deployment.spec.replicas.unwrap_or(1);
    status.observed_generation >= deployment.metadata.generation
        && status.updated_replicas.unwrap_or(0) == wanted
        && status.replicas.unwrap_or(0) == wanted
        && status.available_replicas.unwrap_or(0) == wanted
}

fn is_set_complete(set: &StatefulSet) -> bool {
    let Some(status) = &set.status else { return false };
    let wanted = set.spec.replicas.unwrap_or(1);
    status.observed_generation >= set.metadata.generation
        && status.replicas == wanted
        && status.updated_replicas.unwrap_or(0) == wanted
        && status.ready_replicas.unwrap_or(0) == wanted
}

fn is_everywhere(set: &DaemonSet) -> bool {
    let Some(status) = &set.status else { return false };
    let wanted = status.desired_number_scheduled;
    status.observed_generation >= set.metadata.generation
        && status.updated_number_scheduled.unwrap_or(0) == wanted
        && status.number_available.unwrap_or(0) == wanted
}

pub(crate) fn job_has(job: &Job, condition: &str) -> bool {
    let conditions = job.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|known| known.type_ == condition && known.status == "True")
}

fn stays_on(pod: &Pod, node: &str) -> bool {
    pod.metadata.deletion_timestamp.is_none()
        && pod.spec.as_ref().is_some_and(|spec| spec.node_name.as_deref() == Some(node))
}
