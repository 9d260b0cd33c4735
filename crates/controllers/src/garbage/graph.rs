//! Who owns whom, and what a change of that asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use api::NamespacedName;
use api::k8s::apimachinery::pkg::apis::meta::v1::OwnerReference;

/// Something to look at, by UID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Work {
    /// It may have to go, or to wait for its dependents.
    Delete(String),
    /// It is to let its dependents go free.
    Orphan(String),
}

impl Work {
    pub(super) fn uid(&self) -> &str {
        match self {
            Work::Delete(uid) | Work::Orphan(uid) => uid,
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Work::Delete(uid) => write!(formatter, "delete {uid}"),
            Work::Orphan(uid) => write!(formatter, "orphan {uid}"),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) uid: String,
    /// Group and kind.
    pub(super) kind: (String, String),
    pub(super) key: NamespacedName,
    pub(super) owners: Vec<OwnerReference>,
    pub(super) is_going: bool,
    /// Being deleted in the foreground.
    pub(super) waits_for_dependents: bool,
    /// Being deleted, and to let its dependents live on.
    pub(super) orphans_dependents: bool,
}

impl Item {
    /// Owners live in the same namespace, or in none.
    pub(super) fn may_be_owned_by(&self, owner: &Item) -> bool {
        owner.key.namespace.is_empty() || owner.key.namespace == self.key.namespace
    }
}

#[derive(Debug, Default)]
pub(super) struct Graph {
    items: BTreeMap<String, Item>,
    /// By owner, present or not.
    dependents: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    pub(super) fn get(&self, uid: &str) -> Option<&Item> {
        self.items.get(uid)
    }

    pub(super) fn has_dependents(&self, uid: &str) -> bool {
        self.dependents.contains_key(uid)
    }

    pub(super) fn dependents(&self, uid: &str) -> Vec<Item> {
        self.dependents.get(uid).into_iter().flatten().filter_map(|uid| self.items.get(uid)).cloned().collect()
    }

    /// The dependents that their owner must not go before.
    pub(super) fn blocking_dependents(&self, owner: &str) -> Vec<Item> {
        let blocks = |item: &Item| {
            let mut references = item.owners.iter();
            references.any(|reference| reference.uid == owner && reference.block_owner_deletion == Some(true))
        };
        self.dependents(owner).into_iter().filter(blocks).collect()
    }

    /// An object came or changed.
    pub(super) fn set(&mut self, item: Item) -> Vec<Work> {
        self.unlink(&item.uid);
        for owner in &item.owners {
            self.dependents.entry(owner.uid.clone()).or_default().insert(item.uid.clone());
        }
        let mut work = Vec::new();
        if item.orphans_dependents {
            work.push(Work::Orphan(item.uid.clone()));
        } else if item.waits_for_dependents {
            work.push(Work::Delete(item.uid.clone()));
            work.extend(self.dependent_work(&item.uid));
        } else if !item.is_going && item.owners.iter().any(|owner| self.is_lost(&owner.uid, &item)) {
            work.push(Work::Delete(item.uid.clone()));
        }
        // An owner may have waited for just this one to stop blocking it.
        work.extend(self.waiting_owners(&item));
        self.items.insert(item.uid.clone(), item);
        work
    }

    /// An object is gone.
    pub(super) fn remove(&mut self, uid: &str) -> Vec<Work> {
        self.unlink(uid);
        let Some(item) = self.items.remove(uid) else { return Vec::new() };
        let mut work = self.dependent_work(uid);
        work.extend(self.waiting_owners(&item));
        work
    }

    /// Gone, never seen, out of the item's reach, or waiting for its dependents to go.
    fn is_lost(&self, owner: &str, item: &Item) -> bool {
        self.items.get(owner).is_none_or(|owner| owner.waits_for_dependents || !item.may_be_owned_by(owner))
    }

    fn dependent_work(&self, uid: &str) -> Vec<Work> {
        self.dependents.get(uid).into_iter().flatten().cloned().map(Work::Delete).collect()
    }

    fn waiting_owners(&self, item: &Item) -> Vec<Work> {
        let owners = item.owners.iter().filter_map(|owner| self.items.get(&owner.uid));
        owners.filter(|owner| owner.waits_for_dependents).map(|owner| Work::Delete(owner.uid.clone())).collect()
    }

    fn unlink(&mut self, uid: &str) {
        let owners = self.items.get(uid).map(|item| item.owners.clone()).unwrap_or_default();
        for owner in owners {
            if let Some(dependents) = self.dependents.get_mut(&owner.uid) {
                dependents.remove(uid);
                if dependents.is_empty() {
                    self.dependents.remove(&owner.uid);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    mod properties;

    use super::*;

    fn item(uid: &str, owners: &[&str]) -> Item {
        let reference = |uid: &&str| OwnerReference {
            uid: (*uid).to_owned(),
            block_owner_deletion: Some(true),
            ..OwnerReference::default()
        };
        Item {
            uid: uid.into(),
            kind: (String::new(), "Pod".into()),
            key: NamespacedName::new("default", uid),
            owners: owners.iter().map(reference).collect(),
            is_going: false,
            waits_for_dependents: false,
            orphans_dependents: false,
        }
    }

    fn told(work: Vec<Work>) -> Vec<String> {
        work.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_owner_that_goes_takes_its_dependents_along() {
        let mut graph = Graph::default();
        assert_eq!(told(graph.set(item("set", &[]))), [""; 0]);
        assert_eq!(told(graph.set(item("pod-1", &["set"]))), [""; 0]);
        assert_eq!(told(graph.set(item("pod-2", &["set"]))), [""; 0]);
        assert_eq!(told(graph.remove("set")), ["delete pod-1", "delete pod-2"]);
        assert_eq!(told(graph.set(item("late", &["set"]))), ["delete late"]);
    }

    #[test]
    fn a_foreground_deletion_waits_for_those_that_block() {
        let mut graph = Graph::default();
        graph.set(item("set", &[]));
        graph.set(item("pod", &["set"]));
        let going = Item { is_going: true, waits_for_dependents: true, ..item("set", &[]) };
        assert_eq!(told(graph.set(going)), ["delete set", "delete pod"]);
        assert_eq!(graph.blocking_dependents("set").len(), 1);
        assert_eq!(told(graph.remove("pod")), ["delete set"]);
        assert!(graph.blocking_dependents("set").is_empty() && !graph.has_dependents("set"));
    }

    #[test]
    fn an_owner_in_another_namespace_is_none() {
        let mut graph = Graph::default();
        graph.set(item("set", &[]));
        graph.set(Item { key: NamespacedName::new("", "node"), ..item("node", &[]) });
        let abroad = |owner| Item { key: NamespacedName::new("other", "pod"), ..item("pod", &[owner]) };
        assert_eq!(told(graph.set(abroad("set"))), ["delete pod"]);
        assert_eq!(told(graph.set(abroad("node"))), [""; 0], "what is in no namespace may own anything");
    }

    #[test]
    fn an_orphaning_owner_says_so_and_adoption_moves_edges() {
        let mut graph = Graph::default();
        graph.set(item("old", &[]));
        graph.set(item("new", &[]));
        graph.set(item("pod", &["old"]));
        graph.set(item("pod", &["new"]));
        assert!(!graph.has_dependents("old"));
        let going = Item { is_going: true, orphans_dependents: true, ..item("new", &[]) };
        assert_eq!(told(graph.set(going)), ["orphan new"]);
        assert_eq!(graph.dependents("new").len(), 1);
    }
}
