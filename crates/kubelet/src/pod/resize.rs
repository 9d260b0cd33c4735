//! Other resources for containers that run: what the node has granted, what containers have got, and what
//! the pod is told meanwhile. Decided purely; the worker carries it out.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::Quantity;
use api::k8s::api::core::v1::{Container, Node, Pod, ResourceRequirements};
use serde::{Deserialize, Serialize};

use super::admit;
use super::observed::Observed;
use super::spec::{self, Role};
use crate::config::qos::positive;
use crate::config::{names, totals};
use crate::node::machine::Pressure;

/// What the node has granted a pod and what its containers run with: kept on disk, as the API knows only
/// what is wanted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grants {
    /// By container.
    allocated: BTreeMap<String, ResourceRequirements>,
    /// By container id, with which it was made or last changed.
    actuated: BTreeMap<String, ResourceRequirements>,
}

/// What is to be told of a resize.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Reason and message of what the node has not granted.
    pub(crate) pending: Option<(&'static str, String)>,
    pub(crate) is_under_way: bool,
    /// Why what was granted could not be carried out.
    pub(crate) error: Option<String>,
    /// It was told that containers are being changed, and not yet that they have been.
    pub(crate) has_begun: bool,
}

/// One event about a resize: reason and message. Those that are not about success are warnings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    pub(crate) is_warning: bool,
}

/// What is to be told of a resize that was like this before and is like that now. A message that changes while a
/// resize waits is not news: it tells what the node has left, which changes often.
pub(crate) fn news(pod: &Pod, granted: &Pod, before: &Progress, now: &Progress, begins: bool) -> Vec<News> {
    let mut told = Vec::new();
    let mut tell = |reason, lead: &str, of: &Pod, error: Option<&str>| {
        let message = format!("Pod resize {lead}: {}", described(of, pod.metadata.generation, error));
        told.push(News { reason, message, is_warning: error.is_some() });
    };
    if let Some((reason, error)) = &now.pending
        && before.pending.as_ref().is_none_or(|(before, _)| before != reason)
    {
        let event = if *reason == INFEASIBLE { "ResizeInfeasible" } else { "ResizeDeferred" };
        tell(event, reason, pod, Some(error));
    }
    if begins && !before.has_begun {
        tell("ResizeStarted", "started", granted, None);
    }
    if let Some(error) = now.error.as_ref().filter(|error| before.error.as_ref() != Some(error)) {
        tell("ResizeError", "error", granted, Some(error));
    }
    if (begins || before.has_begun) && !now.has_begun && now.error.is_none() {
        tell("ResizeCompleted", "completed", granted, None);
    }
    told
}

/// The containers' resources, as upstream's events show them.
fn described(pod: &Pod, generation: Option<i64>, error: Option<&str>) -> String {
    let shown =
        |container: &Container| serde_json::json!({ "name": container.name, "resources": resources(container) });
    let mut all = serde_json::Map::new();
    let sidecars: Vec<_> =
        spec::init_containers(pod).iter().filter(|container| spec::is_sidecar(container)).map(shown).collect();
    if !sidecars.is_empty() {
        all.insert("initContainers".to_owned(), sidecars.into());
    }
    all.insert("containers".to_owned(), spec::spec(pod).containers.iter().map(shown).collect());
    all.insert("generation".to_owned(), generation.unwrap_or(0).into());
    if let Some(error) = error {
        all.insert("error".to_owned(), error.into());
    }
    serde_json::Value::Object(all).to_string()
}

pub(crate) const INFEASIBLE: &str = "Infeasible";
pub(crate) const DEFERRED: &str = "Deferred";

/// What to do to one running container.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    Update { id: String, name: String },
    Restart { id: String, name: String },
}

impl Grants {
    /// A pod that is new to the node is granted what it asks for: it was admitted with that.
    pub(crate) fn load(root_dir: &Path, pod: &Pod) -> io::Result<Grants> {
        match std::fs::read(path(root_dir, pod)) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Grants { allocated: wanted(pod), actuated: BTreeMap::new() })
            }
            Err(error) => Err(error),
        }
    }

    /// Whole or not at all, but not synced: pods start in less time than a disk takes, and after a crash of
    /// the machine no container is left that these figures could be about.
    pub(crate) fn save(&self, root_dir: &Path, pod: &Pod) -> io::Result<()> {
        let path = path(root_dir, pod);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let unfinished = path.with_extension("new");
        std::fs::write(&unfinished, serde_json::to_vec(self)?)?;
        std::fs::rename(unfinished, path)
    }

    /// The pod with what it was granted in place of what it wants: containers are made from that.
    pub(crate) fn apply(&self, pod: &Arc<Pod>) -> Arc<Pod> {
        let differs = |container: &Container| {
            self.allocated.get(&container.name).is_some_and(|granted| *granted != resources(container))
        };
        if !resizable(pod).any(differs) {
            return Arc::clone(pod);
        }
        let mut changed = Pod::clone(pod);
        if let Some(spec) = &mut changed.spec {
            let all = spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten());
            for container in all {
                if let Some(granted) = self.allocated.get(&container.name) {
                    container.resources = Some(granted.clone());
                }
            }
        }
        Arc::new(changed)
    }

    /// Whether the pod wants nothing else by now.
    pub(crate) fn suffice(&self, pod: &Pod) -> bool {
        self.allocated == wanted(pod)
    }

    pub(crate) fn allocated(&self, container: &str) -> Option<&ResourceRequirements> {
        self.allocated.get(container)
    }

    pub(crate) fn actuated(&self, container_id: &str) -> Option<&ResourceRequirements> {
        self.actuated.get(container_id)
    }

    /// The container runs with what its name was granted.
    pub(crate) fn note_actuated(&mut self, id: &str, name: &str) {
        if let Some(granted) = self.allocated.get(name).cloned() {
            self.actuated.insert(id.to_owned(), granted);
        }
    }

    /// Notes containers that have come, which were made with what was granted then, and forgets those that
    /// are gone. Whether anything changed.
    pub(crate) fn follow(&mut self, observed: &Observed) -> bool {
        let before = self.actuated.len();
        self.actuated.retain(|id, _| observed.containers.iter().any(|container| &container.id == id));
        let mut changed = self.actuated.len() != before;
        for container in observed.running() {
            if !self.actuated.contains_key(&container.id) {
                self.note_actuated(&container.id, &container.name);
                changed = true;
            }
        }
        changed
    }
}

/// Grants what the pod wants by now, where the node has it.
pub(crate) fn grant(
    grants: &mut Grants,
    pod: &Pod,
    node: Option<&Node>,
    others: impl FnOnce() -> Vec<Arc<Pod>>,
) -> Option<(&'static str, String)> {
    if grants.suffice(pod) {
        return None;
    }
    if let Some(node) = node {
        if let Some(message) = beyond_node(pod, node) {
            return Some((INFEASIBLE, message));
        }
        let node_name = node.metadata.name.as_deref().unwrap_or("");
        let (others, plugin_resources) = (others(), BTreeSet::new());
        let situation = admit::Situation {
            pod,
            node: Some(node),
            node_name,
            pressure: Pressure::default(),
            has_app_armor: true,
            plugin_resources: &plugin_resources,
            others: &others,
        };
        // Labels and taints may have changed since it was taken: only room counts now.
        if let Some(rejection) = admit::lack_of_room(&situation, node) {
            return Some((DEFERRED, rejection.message));
        }
    }
    grants.allocated = wanted(pod);
    None
}

/// More than the node has altogether.
fn beyond_node(pod: &Pod, node: &Node) -> Option<String> {
    let allocatable = node.status.as_ref()?.allocatable.as_ref()?;
    ["memory", "cpu"].into_iter().find_map(|resource| {
        let capacity = Quantity::of(allocatable.get(resource)?).ok()?;
        let requested = totals::request(pod, resource);
        let number = |quantity: Quantity| if resource == "cpu" { quantity.millis() } else { quantity.units() };
        (requested > capacity).then(|| {
            let (requested, capacity) = (number(requested), number(capacity));
            format!("Node didn't have enough capacity: {resource}, requested: {requested}, capacity: {capacity}")
        })
    })
}

/// The running containers that have other resources than were granted.
pub(crate) fn changes(grants: &Grants, pod: &Pod, observed: &Observed) -> Vec<Change> {
    let mut found = Vec::new();
    for container in resizable(pod) {
        let Some(latest) = observed.latest(&container.name).filter(|latest| latest.is_running()) else { continue };
        let (Some(granted), Some(actual)) = (grants.allocated(&container.name), grants.actuated(&latest.id)) else {
            continue;
        };
        if granted == actual {
            continue;
        }
        let (id, name) = (latest.id.clone(), container.name.clone());
        let restarts = ["cpu", "memory"].into_iter().any(|resource| {
            let policies = container.resize_policy.iter().flatten();
            let mut of_resource = policies.filter(|policy| policy.resource_name == resource);
            differs(granted, actual, resource) && of_resource.any(|policy| policy.restart_policy == "RestartContainer")
        });
        found.push(if restarts { Change::Restart { id, name } } else { Change::Update { id, name } });
    }
    found
}

fn differs(one: &ResourceRequirements, other: &ResourceRequirements, resource: &str) -> bool {
    positive(one.requests.as_ref(), resource) != positive(other.requests.as_ref(), resource)
        || positive(one.limits.as_ref(), resource) != positive(other.limits.as_ref(), resource)
}

fn wanted(pod: &Pod) -> BTreeMap<String, ResourceRequirements> {
    resizable(pod).map(|container| (container.name.clone(), resources(container))).collect()
}

fn resources(container: &Container) -> ResourceRequirements {
    container.resources.clone().unwrap_or_default()
}

/// Containers that outlive a resize: the app's and sidecars.
fn resizable(pod: &Pod) -> impl Iterator<Item = &Container> {
    let sidecars = spec::init_containers(pod).iter().filter(|container| spec::init_role(container) == Role::Sidecar);
    spec::spec(pod).containers.iter().chain(sidecars)
}

fn path(root_dir: &Path, pod: &Pod) -> PathBuf {
    names::pod_dir(root_dir, spec::uid(pod)).join("resources.json")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::pod::observed::{Container as Seen, State};
    use crate::testing::pod_from;

    fn pod(cpu: &str, memory: &str) -> Pod {
        pod_from(&format!(
            r#"{{"metadata":{{"name":"p","namespace":"ns","uid":"u"}},"spec":{{"containers":[{{"name":"c",
                "resizePolicy":[{{"resourceName":"memory","restartPolicy":"RestartContainer"}}],
                "resources":{{"requests":{{"cpu":"{cpu}","memory":"{memory}"}}}}}}]}}}}"#
        ))
    }

    fn node() -> Node {
        serde_json::from_str(r#"{"metadata":{"name":"n"},"status":{"allocatable":{"cpu":"2","memory":"1Gi"}}}"#)
            .unwrap()
    }

    fn running() -> Observed {
        let started_at = Timestamp::UNIX_EPOCH;
        let container = Seen {
            id: "c-0".to_owned(),
            sandbox_id: String::new(),
            name: "c".to_owned(),
            restart_count: 0,
            created_at: started_at,
            state: State::Running { started_at },
            image: String::new(),
            image_id: String::new(),
            log_path: String::new(),
            spec_hash: String::new(),
        };
        Observed { sandboxes: Vec::new(), containers: vec![container] }
    }

    #[test]
    fn what_fits_is_granted_and_what_does_not_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut grants = Grants::load(folder.path(), &pod("1", "64Mi")).unwrap();
        let other = Arc::new(pod("1", "64Mi"));
        let others = || vec![Arc::clone(&other)];
        assert_eq!(grant(&mut grants, &pod("1", "64Mi"), Some(&node()), others), None);
        let expected = "Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000";
        assert_eq!(
            grant(&mut grants, &pod("3", "64Mi"), Some(&node()), Vec::new),
            Some((INFEASIBLE, expected.to_owned()))
        );
        let expected = "Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000";
        assert_eq!(
            grant(&mut grants, &pod("1500m", "64Mi"), Some(&node()), others),
            Some((DEFERRED, expected.to_owned()))
        );
        let effective = grants.apply(&Arc::new(pod("1500m", "64Mi")));
        assert_eq!(totals::request(&effective, "cpu").millis(), 1000, "what was granted stays in force");
        assert_eq!(grant(&mut grants, &pod("1500m", "64Mi"), Some(&node()), Vec::new), None);
        assert_eq!(totals::request(&grants.apply(&other), "cpu").millis(), 1500);
        grants.save(folder.path(), &other).unwrap();
        assert_eq!(Grants::load(folder.path(), &other).unwrap(), grants);
    }

    #[test]
    fn each_turn_of_a_resize_is_told_once() {
        let (wanted, granted) = (pod("2", "64Mi"), pod("1", "64Mi"));
        let told = |before: &Progress, now: &Progress, begins| -> Vec<String> {
            let news = news(&wanted, &granted, before, now, begins);
            news.iter().map(|news| format!("{} {} {}", news.is_warning, news.reason, news.message)).collect()
        };
        let idle = Progress::default();
        let waiting = |message: &str| Progress { pending: Some((DEFERRED, message.to_owned())), ..idle.clone() };
        let expected = r#"true ResizeDeferred Pod resize Deferred: {"containers":[{"name":"c","resources":{"requests":{"cpu":"2","memory":"64Mi"}}}],"generation":0,"error":"full"}"#;
        assert_eq!(told(&idle, &waiting("full"), false), [expected]);
        assert!(told(&waiting("full"), &waiting("fuller"), false).is_empty());
        let of_granted = |reason: &str, lead: &str| {
            format!(
                r#"false {reason} Pod resize {lead}: {{"containers":[{{"name":"c","resources":{{"requests":{{"cpu":"1","memory":"64Mi"}}}}}}],"generation":0}}"#
            )
        };
        let (started, completed) = (of_granted("ResizeStarted", "started"), of_granted("ResizeCompleted", "completed"));
        assert_eq!(told(&waiting("full"), &idle, true), [started.clone(), completed.clone()], "in one go");
        let begun = Progress { has_begun: true, is_under_way: true, ..idle.clone() };
        assert_eq!(told(&idle, &begun, true), [started]);
        assert!(told(&begun, &begun, true).is_empty());
        let failed = Progress { error: Some("no".to_owned()), ..begun.clone() };
        assert_eq!(told(&begun, &failed, true).len(), 1);
        assert!(told(&failed, &failed, true).is_empty());
        assert_eq!(told(&failed, &idle, false), [completed]);
    }

    #[test]
    fn running_containers_are_changed_as_their_policy_says() {
        let folder = tempfile::tempdir().unwrap();
        let mut grants = Grants::load(folder.path(), &pod("1", "64Mi")).unwrap();
        assert!(grants.follow(&running()) && !grants.follow(&running()));
        let all = |grants: &Grants, pod: &Pod| changes(grants, pod, &running());
        assert_eq!(all(&grants, &pod("1", "64Mi")), []);
        let (id, name) = ("c-0".to_owned(), "c".to_owned());
        grant(&mut grants, &pod("2", "64Mi"), None, Vec::new);
        assert_eq!(all(&grants, &pod("2", "64Mi")), [Change::Update { id: id.clone(), name: name.clone() }]);
        grant(&mut grants, &pod("2", "65Mi"), None, Vec::new);
        assert_eq!(all(&grants, &pod("2", "65Mi")), [Change::Restart { id, name }]);
        grants.note_actuated("c-0", "c");
        assert_eq!(all(&grants, &pod("2", "65Mi")), []);
        assert!(grants.follow(&Observed::default()));
    }
}
