//! Volumes that have to be attached to the node before they can be mounted. The node says which it uses, so that nobody
//! takes them away; it is told which it has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::k8s::api::core::v1::Node;
use api::k8s::api::storage::v1::CSIDriver;
use client::{Api, CallError};
use tokio_util::sync::CancellationToken;

use super::claims::BoundClaims;
use crate::pod::Context;

/// Upstream's patience with whatever attaches volumes.
const PATIENCE: Duration = Duration::from_secs(123);

/// A volume that must be attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attachable {
    /// The pod's name for it.
    volume: String,
    /// As nodes' statuses name it.
    unique_name: String,
}

/// Which of the pod's volumes a driver attaches: all of those of drivers but where they say that they do not.
pub(crate) async fn attachable(context: &Context, claims: &BoundClaims) -> Result<Vec<Attachable>, CallError> {
    let drivers: Api<CSIDriver> = Api::all(context.client.clone());
    let mut found = Vec::new();
    for (volume, claim) in claims {
        let Some(source) = claim.volume.spec.as_ref().and_then(|spec| spec.csi.as_ref()) else { continue };
        let driver = drivers.get_opt(&source.driver).await?;
        if driver.and_then(|driver| driver.spec.attach_required).unwrap_or(true) {
            let unique_name = format!("kubernetes.io/csi/{}^{}", source.driver, source.volume_handle);
            found.push(Attachable { volume: volume.clone(), unique_name });
        }
    }
    Ok(found)
}

/// Says that the pod uses the volumes, and waits until the node has them.
pub(crate) async fn wait(
    context: &Context,
    pod_uid: &str,
    wanted: &[Attachable],
    cancel: &CancellationToken,
) -> Result<(), String> {
    let names = wanted.iter().map(|one| one.unique_name.clone()).collect();
    if context.volumes_in_use.set(pod_uid, names) {
        context.node_changed.notify_one();
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let mut moved = context.own_node.changed();
    let all_there = async {
        while !context.own_node().is_some_and(|node| missing(&node, wanted).is_empty()) && moved.changed().await.is_ok()
        {
        }
    };
    let patient = tokio::time::timeout(PATIENCE, all_there);
    let why = match cancel.run_until_cancelled(patient).await {
        Some(Ok(())) => return Ok(()),
        Some(Err(_)) => "context deadline exceeded",
        None => "context canceled",
    };
    let missing = context.own_node().map_or_else(|| wanted.to_vec(), |node| missing(&node, wanted));
    let names = missing.iter().map(|one| one.volume.as_str()).collect::<Vec<_>>().join(" ");
    Err(format!(
        "Unable to attach or mount volumes: unmounted volumes=[{names}], unattached volumes=[{names}], \
         failed to process volumes=[]: {why}"
    ))
}

/// What the node does not have, or has not said that it uses: that might be taken away at any moment.
fn missing(node: &Node, wanted: &[Attachable]) -> Vec<Attachable> {
    let status = node.status.as_ref();
    let in_use = status.and_then(|status| status.volumes_in_use.as_ref());
    let attached = status.and_then(|status| status.volumes_attached.as_ref());
    let is_there = |one: &&Attachable| {
        in_use.is_some_and(|names| names.contains(&one.unique_name))
            && attached.is_some_and(|volumes| volumes.iter().any(|volume| volume.name == one.unique_name))
    };
    wanted.iter().filter(|one| !is_there(one)).cloned().collect()
}

/// What this node's pods use, by pod.
#[derive(Debug, Default)]
pub(crate) struct VolumesInUse {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    by_uid: BTreeMap<String, BTreeSet<String>>,
    knows_pods: bool,
}

impl VolumesInUse {
    /// Whether that is news.
    fn set(&self, pod_uid: &str, names: BTreeSet<String>) -> bool {
        let is_empty = names.is_empty();
        let before = self.lock().by_uid.insert(pod_uid.to_owned(), names.clone());
        before.map_or(!is_empty, |before| before != names)
    }

    /// The pod has none mounted any more. Whether that is news; it is of a pod that was never looked at.
    pub(crate) fn release(&self, pod_uid: &str) -> bool {
        let before = self.lock().by_uid.insert(pod_uid.to_owned(), BTreeSet::new());
        before.is_none_or(|names| !names.is_empty())
    }

    /// The pod is this node's no more.
    pub(crate) fn forget(&self, pod_uid: &str) {
        self.lock().by_uid.remove(pod_uid);
    }

    /// From now on a pod that is not there is no longer this node's.
    pub(crate) fn pods_are_known(&self) {
        self.lock().knows_pods = true;
    }

    /// What the node says. After a start, what it said before stands until each of its pods was looked at: its volumes
    /// may be mounted still.
    pub(crate) fn told(&self, before: Option<&[String]>, mut pods: impl Iterator<Item = String>) -> Vec<String> {
        let state = self.lock();
        let mut names: BTreeSet<String> = state.by_uid.values().flatten().cloned().collect();
        if !state.knows_pods || pods.any(|uid| !state.by_uid.contains_key(&uid)) {
            names.extend(before.into_iter().flatten().cloned());
        }
        names.into_iter().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_there_once_it_is_used_and_attached() {
        let wanted =
            |name: &str| Attachable { volume: name.to_owned(), unique_name: format!("kubernetes.io/csi/d^{name}") };
        let node: Node = serde_json::from_str(
            r#"{"metadata":{"name":"n"},"status":{
                "volumesInUse":["kubernetes.io/csi/d^a","kubernetes.io/csi/d^b"],
                "volumesAttached":[{"name":"kubernetes.io/csi/d^a","devicePath":""},{"name":"kubernetes.io/csi/d^c","devicePath":""}]}}"#,
        )
        .unwrap();
        let all = ["a", "b", "c"].map(wanted);
        assert_eq!(missing(&node, &all), ["b", "c"].map(wanted));
        assert_eq!(missing(&Node::default(), &all), all);
    }

    #[test]
    fn what_was_told_before_a_start_stands_until_all_pods_were_looked_at() {
        let volumes = VolumesInUse::default();
        let names = |names: &[&str]| -> BTreeSet<String> { names.iter().map(|name| (*name).to_owned()).collect() };
        let before = ["old".to_owned()];
        let told = |pods: &[&str]| volumes.told(Some(&before), pods.iter().map(|uid| (*uid).to_owned())).join(" ");
        assert_eq!(told(&[]), "old");
        volumes.pods_are_known();
        assert_eq!(told(&["u", "v"]), "old");
        assert!(volumes.set("u", names(&["a", "b"])) && !volumes.set("u", names(&["b", "a"])));
        assert_eq!(told(&["u", "v"]), "a b old");
        assert!(!volumes.set("v", names(&[])));
        assert_eq!(told(&["u", "v"]), "a b");
        assert!(volumes.release("u") && !volumes.release("v") && !volumes.release("u"));
        assert_eq!(told(&["u", "v"]), "");
        assert!(volumes.release("w"), "one that went before it was looked at");
        assert_eq!(told(&["w"]), "");
        volumes.forget("w");
        assert_eq!(told(&["w"]), "old");
    }
}
