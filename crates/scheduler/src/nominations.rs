//! Pods for which room is being made, and where.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::NamespacedName;
use api::k8s::api::core::v1::Pod;

use crate::pod::PodInfo;

/// Counted on their nodes by every pod that is no more important, so that nobody else takes the room.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nominations(BTreeMap<NamespacedName, Nomination>);

#[derive(Clone, Debug)]
struct Nomination {
    pod: Arc<PodInfo>,
    node: String,
}

impl Nominations {
    pub(crate) fn set(&mut self, pod: &Arc<PodInfo>, node: &str) {
        self.0.insert(pod.key(), Nomination { pod: Arc::clone(pod), node: node.to_owned() });
    }

    pub(crate) fn remove(&mut self, key: &NamespacedName) {
        self.0.remove(key);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn node_of(&self, pod: &PodInfo) -> Option<&str> {
        let nomination = self.0.get(&pod.key()).filter(|nomination| nomination.pod.uid() == pod.uid())?;
        Some(&nomination.node)
    }

    pub(crate) fn at<'a>(&'a self, node: &'a str) -> impl Iterator<Item = &'a Arc<PodInfo>> {
        self.0.values().filter(move |nomination| nomination.node == node).map(|nomination| &nomination.pod)
    }

    /// Those on the node that the pod must leave room for.
    pub(crate) fn before<'a>(&'a self, pod: &'a PodInfo, node: &'a str) -> impl Iterator<Item = &'a Arc<PodInfo>> {
        self.at(node).filter(|other| other.priority() >= pod.priority() && other.uid() != pod.uid())
    }
}

/// Where the API says that room is being made for the pod.
pub(crate) fn nominated_node(pod: &Pod) -> Option<&str> {
    let name = pod.status.as_ref()?.nominated_node_name.as_deref()?;
    (!name.is_empty()).then_some(name)
}
