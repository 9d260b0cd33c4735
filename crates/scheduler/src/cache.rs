//! Nodes and the pods on them, those included that are only assumed to be there.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use api::NamespacedName;
use api::k8s::api::core::v1::{Node, Taint};
use api::quantity::ParseQuantityError;

use crate::budgets::Budgets;
use crate::nominations::Nominations;
use crate::pod::{NamespaceLabels, PodController, PodInfo};
use crate::resources::Resources;
use crate::volumes::Volumes;

/// The present state. [`Cache::snapshot`] is cheap: nodes are shared and copied when written to.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    nodes: BTreeMap<String, Arc<NodeInfo>>,
    /// Where each pod is counted, and whether that is confirmed by the API.
    placed: BTreeMap<NamespacedName, Placement>,
    namespaces: Arc<NamespaceLabels>,
    volumes: Arc<Volumes>,
    nominations: Arc<Nominations>,
    budgets: Arc<Budgets>,
}

#[derive(Debug)]
struct Placement {
    uid: String,
    node: String,
    is_assumed: bool,
}

/// An immutable view, with only nodes that exist.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) nodes: Vec<Arc<NodeInfo>>,
    pub(crate) namespaces: Arc<NamespaceLabels>,
    pub(crate) volumes: Arc<Volumes>,
    pub(crate) nominations: Arc<Nominations>,
    pub(crate) budgets: Arc<Budgets>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct NodeInfo {
    pub(crate) name: String,
    /// None while only pods told of the node.
    pub(crate) node: Option<Arc<Node>>,
    pub(crate) pods: BTreeMap<NamespacedName, Arc<PodInfo>>,
    pub(crate) allocatable: Resources,
    pub(crate) requested: Resources,
    pub(crate) assumed_requested: Resources,
    /// How many of the pods have wishes about their neighbours, or about whose neighbours they are.
    pub(crate) with_affinity: usize,
    /// How many of each controller's pods are here to stay.
    controlled: BTreeMap<PodController, usize>,
}

impl Cache {
    pub(crate) fn set_node(&mut self, node: &Arc<Node>) -> Result<(), ParseQuantityError> {
        let name = node.metadata.name.clone().unwrap_or_default();
        let allocatable = Resources::parse(node.status.as_ref().and_then(|status| status.allocatable.as_ref()))?;
        let info = self.node_mut(&name);
        info.node = Some(Arc::clone(node));
        info.allocatable = allocatable;
        Ok(())
    }

    /// Forgets the node; its pods stay counted until they are gone too.
    pub(crate) fn remove_node(&mut self, name: &str) {
        self.node_mut(name).node = None;
        self.drop_if_empty(name);
    }

    pub(crate) fn set_namespace(&mut self, name: &str, labels: BTreeMap<String, String>) {
        Arc::make_mut(&mut self.namespaces).insert(name.to_owned(), labels);
    }

    pub(crate) fn remove_namespace(&mut self, name: &str) {
        Arc::make_mut(&mut self.namespaces).remove(name);
    }

    pub(crate) fn nominations(&self) -> &Nominations {
        &self.nominations
    }

    pub(crate) fn nominations_mut(&mut self) -> &mut Nominations {
        Arc::make_mut(&mut self.nominations)
    }

    pub(crate) fn budgets_mut(&mut self) -> &mut Budgets {
        Arc::make_mut(&mut self.budgets)
    }

    pub(crate) fn volumes_mut(&mut self) -> &mut Volumes {
        Arc::make_mut(&mut self.volumes)
    }

    /// Counts the pod on the node before the API confirms it.
    pub(crate) fn assume(&mut self, pod: &Arc<PodInfo>, node: &str) {
        self.place(pod, node, true);
    }

    /// The API says that the pod is on the node.
    pub(crate) fn confirm(&mut self, pod: &Arc<PodInfo>, node: &str) {
        self.place(pod, node, false);
    }

    /// The binding failed: the pod is not there after all. What the API has confirmed stays.
    pub(crate) fn forget_assumed(&mut self, pod: &PodInfo) {
        let key = pod.key();
        if self.placed.get(&key).is_some_and(|placement| placement.is_assumed && placement.uid == pod.uid()) {
            self.remove_pod(&key);
        }
    }

    /// Gives whether the pod was counted anywhere.
    pub(crate) fn remove_pod(&mut self, key: &NamespacedName) -> bool {
        let Some(placement) = self.placed.remove(key) else { return false };
        self.node_mut(&placement.node).remove(key);
        self.drop_if_empty(&placement.node);
        true
    }

    /// Whether a pod of this key and UID is counted on a node.
    pub(crate) fn is_placed(&self, pod: &PodInfo) -> bool {
        self.placed.get(&pod.key()).is_some_and(|placement| placement.uid == pod.uid())
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let nodes = self.nodes.values().filter(|node| node.node.is_some()).cloned().collect();
        Snapshot {
            nodes,
            namespaces: Arc::clone(&self.namespaces),
            volumes: Arc::clone(&self.volumes),
            nominations: Arc::clone(&self.nominations),
            budgets: Arc::clone(&self.budgets),
        }
    }

    fn place(&mut self, pod: &Arc<PodInfo>, node: &str, is_assumed: bool) {
        let key = pod.key();
        self.remove_pod(&key);
        self.node_mut(node).add(pod);
        self.placed.insert(key, Placement { uid: pod.uid().to_owned(), node: node.to_owned(), is_assumed });
    }

    fn node_mut(&mut self, name: &str) -> &mut NodeInfo {
        let info = self
            .nodes
            .entry(name.to_owned())
            .or_insert_with(|| Arc::new(NodeInfo { name: name.to_owned(), ..NodeInfo::default() }));
        Arc::make_mut(info)
    }

    fn drop_if_empty(&mut self, name: &str) {
        if self.nodes.get(name).is_some_and(|info| info.node.is_none() && info.pods.is_empty()) {
            self.nodes.remove(name);
        }
    }
}

impl Snapshot {
    /// As if the node were so.
    pub(crate) fn with_node(&self, node: &NodeInfo) -> Snapshot {
        let replaced = |known: &Arc<NodeInfo>| match known.name == node.name {
            true => Arc::new(node.clone()),
            false => Arc::clone(known),
        };
        Snapshot { nodes: self.nodes.iter().map(replaced).collect(), ..self.clone() }
    }
}

impl NodeInfo {
    pub(crate) fn add(&mut self, pod: &Arc<PodInfo>) {
        self.requested.add(&pod.requests);
        self.assumed_requested.add(&pod.assumed_requests);
        self.with_affinity += usize::from(pod.has_affinity());
        if let Some(controller) = pod.controller().filter(|_| !pod.is_going()) {
            *self.controlled.entry(controller).or_default() += 1;
        }
        self.pods.insert(pod.key(), Arc::clone(pod));
    }

    pub(crate) fn remove(&mut self, key: &NamespacedName) {
        let Some(pod) = self.pods.remove(key) else { return };
        self.requested.subtract(&pod.requests);
        self.assumed_requested.subtract(&pod.assumed_requests);
        self.with_affinity -= usize::from(pod.has_affinity());
        if let Some(controller) = pod.controller().filter(|_| !pod.is_going())
            && let Entry::Occupied(mut count) = self.controlled.entry(controller)
        {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }

    /// How many pods of the controller are here to stay.
    pub(crate) fn controlled_by(&self, controller: &PodController) -> usize {
        self.controlled.get(controller).copied().unwrap_or(0)
    }

    pub(crate) fn label(&self, key: &str) -> Option<&str> {
        self.labels()?.get(key).map(String::as_str)
    }

    pub(crate) fn labels(&self) -> Option<&BTreeMap<String, String>> {
        self.node.as_ref()?.metadata.labels.as_ref()
    }

    pub(crate) fn taints(&self) -> &[Taint] {
        let spec = self.node.as_ref().and_then(|node| node.spec.as_ref());
        spec.and_then(|spec| spec.taints.as_deref()).unwrap_or_default()
    }

    pub(crate) fn is_unschedulable(&self) -> bool {
        let spec = self.node.as_ref().and_then(|node| node.spec.as_ref());
        spec.and_then(|spec| spec.unschedulable).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use api::k8s::api::core::v1::{Affinity, PodAffinity, PodAffinityTerm};

    use super::*;
    use crate::fixture;

    #[test]
    fn an_assumed_pod_counts_until_it_is_forgotten_or_gone() {
        let mut cache = Cache::default();
        cache.set_node(&fixture::node("one").allocatable(&[("cpu", "2")]).build()).unwrap();
        let pod = fixture::pod("web").container(&[("cpu", "500m")]).info();
        cache.assume(&pod, "one");
        let before = cache.snapshot();
        assert_eq!(before.nodes[0].requested.get("cpu"), 500);
        cache.confirm(&pod, "one");
        cache.forget_assumed(&pod);
        assert_eq!(cache.snapshot().nodes[0].requested.get("cpu"), 500);
        assert!(cache.remove_pod(&pod.key()));
        assert_eq!(cache.snapshot().nodes[0].requested.get("cpu"), 0);
        assert_eq!(before.nodes[0].requested.get("cpu"), 500, "a snapshot never changes");
    }

    #[test]
    fn what_is_counted_of_pods_follows_them() {
        let mut cache = Cache::default();
        cache.set_node(&fixture::node("one").build()).unwrap();
        let counts = |cache: &Cache, controller: &PodController| {
            let node = Arc::clone(&cache.snapshot().nodes[0]);
            (node.controlled_by(controller), node.with_affinity)
        };
        let made = |name: &str| fixture::pod(name).controlled_by("set");
        let (staying, going) = (made("a").info(), made("b").going().info());
        let controller = staying.controller().unwrap();
        cache.confirm(&staying, "one");
        cache.confirm(&made("b").info(), "one");
        assert_eq!(counts(&cache, &controller), (2, 0));
        cache.confirm(&going, "one");
        assert_eq!(counts(&cache, &controller), (1, 0), "who is on its way out makes room for others");
        let term = PodAffinityTerm { topology_key: "zone".into(), ..PodAffinityTerm::default() };
        let near =
            PodAffinity { required_during_scheduling_ignored_during_execution: Some(vec![term]), ..Default::default() };
        let affinity = Affinity { pod_affinity: Some(near), ..Affinity::default() };
        cache.confirm(&made("a").edit(|spec| spec.affinity = Some(affinity)).info(), "one");
        assert_eq!(counts(&cache, &controller), (1, 1));
        cache.remove_pod(&staying.key());
        cache.remove_pod(&going.key());
        assert_eq!(counts(&cache, &controller), (0, 0));
        assert!(cache.snapshot().nodes[0].controlled.is_empty());
    }

    #[test]
    fn a_removed_node_is_not_offered_but_its_pods_stay_counted() {
        let mut cache = Cache::default();
        let node = fixture::node("one").build();
        cache.set_node(&node).unwrap();
        let pod = fixture::pod("web").container(&[("cpu", "1")]).info();
        cache.confirm(&pod, "one");
        cache.remove_node("one");
        assert!(cache.snapshot().nodes.is_empty());
        cache.set_node(&node).unwrap();
        assert_eq!(cache.snapshot().nodes[0].requested.get("cpu"), 1000);
    }
}
