//! The copy itself: ordered, indexed, and telling what each write changed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use api::NamespacedName;
use client::kube::Resource;

/// One difference; a side that is absent means created or deleted.
pub(super) struct Change<K> {
    pub(super) old: Option<Arc<K>>,
    pub(super) new: Option<Arc<K>>,
}

pub(super) struct Cache<K> {
    objects: BTreeMap<NamespacedName, Arc<K>>,
    indexes: BTreeMap<&'static str, Index<K>>,
}

struct Index<K> {
    function: fn(&K) -> Vec<String>,
    /// The objects themselves: a reader takes thousands without looking each up.
    found: BTreeMap<String, BTreeMap<NamespacedName, Arc<K>>>,
}

impl<K> Default for Cache<K> {
    fn default() -> Self {
        Cache { objects: BTreeMap::new(), indexes: BTreeMap::new() }
    }
}

impl<K: Resource> Cache<K> {
    pub(super) fn get(&self, key: &NamespacedName) -> Option<Arc<K>> {
        self.objects.get(key).cloned()
    }

    pub(super) fn len(&self) -> usize {
        self.objects.len()
    }

    pub(super) fn list(&self) -> Vec<Arc<K>> {
        self.objects.values().cloned().collect()
    }

    pub(super) fn list_namespace(&self, namespace: &str) -> Vec<Arc<K>> {
        let first = NamespacedName::new(namespace, "");
        self.objects
            .range((Bound::Included(first), Bound::Unbounded))
            .take_while(|(key, _)| key.namespace == namespace)
            .map(|(_, object)| Arc::clone(object))
            .collect()
    }

    pub(super) fn by_index(&self, name: &'static str, value: &str) -> Vec<Arc<K>> {
        let found = self.indexes.get(name).and_then(|index| index.found.get(value));
        found.into_iter().flat_map(BTreeMap::values).cloned().collect()
    }

    pub(super) fn add_index(&mut self, name: &'static str, function: fn(&K) -> Vec<String>) {
        let objects = &self.objects;
        self.indexes.entry(name).or_insert_with(|| {
            let mut index = Index { function, found: BTreeMap::new() };
            for (key, object) in objects {
                index.replace(key, None, object);
            }
            index
        });
    }

    /// Makes the copy hold exactly `objects`; only real differences are told.
    pub(super) fn replace_all(&mut self, objects: Vec<Arc<K>>) -> Vec<Change<K>> {
        let present: BTreeSet<NamespacedName> = objects.iter().map(key_of).collect();
        let gone: Vec<NamespacedName> = self.objects.keys().filter(|key| !present.contains(key)).cloned().collect();
        let mut changes: Vec<Change<K>> = gone.iter().filter_map(|key| self.remove_key(key, None)).collect();
        changes.extend(objects.into_iter().filter_map(|object| self.upsert(object)));
        changes
    }

    /// `None` where the very same version is here already: a watch may repeat what a list gave.
    pub(super) fn upsert(&mut self, object: Arc<K>) -> Option<Change<K>> {
        let key = key_of(&object);
        let old = self.objects.get(&key).cloned();
        if let Some(old) = &old {
            let (old, new) = (old.meta(), object.meta());
            if old.resource_version.is_some() && old.resource_version == new.resource_version && old.uid == new.uid {
                return None;
            }
        }
        for index in self.indexes.values_mut() {
            index.replace(&key, old.as_deref(), &object);
        }
        self.objects.insert(key, Arc::clone(&object));
        Some(Change { old, new: Some(object) })
    }

    /// The change's old side is the last state, which a deletion carries.
    pub(super) fn remove(&mut self, last: Arc<K>) -> Option<Change<K>> {
        self.remove_key(&key_of(&last), Some(last))
    }

    fn remove_key(&mut self, key: &NamespacedName, last: Option<Arc<K>>) -> Option<Change<K>> {
        let old = self.objects.remove(key)?;
        for index in self.indexes.values_mut() {
            index.remove(key, &old);
        }
        Some(Change { old: Some(last.unwrap_or(old)), new: None })
    }
}

impl<K> Index<K> {
    /// Most changes leave an object where it is.
    fn replace(&mut self, key: &NamespacedName, old: Option<&K>, new: &Arc<K>) {
        let values = (self.function)(new);
        if let Some(old) = old {
            let before = (self.function)(old);
            self.take_out(key, before.iter().filter(|value| !values.contains(value)));
        }
        for value in values {
            let found = self.found.entry(value).or_default();
            match found.get_mut(key) {
                Some(place) => *place = Arc::clone(new),
                None => drop(found.insert(key.clone(), Arc::clone(new))),
            }
        }
    }

    fn remove(&mut self, key: &NamespacedName, object: &K) {
        self.take_out(key, &(self.function)(object));
    }

    fn take_out<'a>(&mut self, key: &NamespacedName, values: impl IntoIterator<Item = &'a String>) {
        for value in values {
            if let Some(found) = self.found.get_mut(value) {
                found.remove(key);
                if found.is_empty() {
                    self.found.remove(value);
                }
            }
        }
    }
}

fn key_of<K: Resource>(object: &Arc<K>) -> NamespacedName {
    NamespacedName::of(object.meta())
}

#[cfg(test)]
mod tests {
    use api::k8s::api::core::v1::Pod;
    use client::kube::api::ObjectMeta;

    use super::*;

    fn pod(namespace: &str, name: &str, version: &str, node: Option<&str>) -> Arc<Pod> {
        Arc::new(Pod {
            metadata: ObjectMeta {
                namespace: Some(namespace.into()),
                name: Some(name.into()),
                resource_version: Some(version.into()),
                ..ObjectMeta::default()
            },
            spec: Some(api::k8s::api::core::v1::PodSpec { node_name: node.map(str::to_owned), ..Default::default() }),
            ..Pod::default()
        })
    }

    fn node_of(pod: &Pod) -> Vec<String> {
        pod.spec.as_ref().and_then(|spec| spec.node_name.clone()).into_iter().collect()
    }

    fn told(changes: &[Change<Pod>]) -> Vec<String> {
        let version = |pod: &Option<Arc<Pod>>| {
            pod.as_ref().map_or("-".into(), |pod| pod.metadata.resource_version.clone().unwrap_or_default())
        };
        let name = |change: &Change<Pod>| {
            change.new.as_ref().or(change.old.as_ref()).map(|pod| NamespacedName::of(&pod.metadata).to_string())
        };
        changes
            .iter()
            .map(|change| format!("{} {}>{}", name(change).unwrap(), version(&change.old), version(&change.new)))
            .collect()
    }

    #[test]
    fn a_relist_tells_only_real_differences() {
        let mut cache = Cache::default();
        cache.replace_all(vec![pod("a", "one", "1", None), pod("a", "two", "2", None), pod("b", "one", "3", None)]);
        let changes =
            cache.replace_all(vec![pod("a", "one", "1", None), pod("b", "one", "9", None), pod("c", "new", "8", None)]);
        assert_eq!(told(&changes), ["a/two 2>-", "b/one 3>9", "c/new ->8"]);
        assert_eq!(cache.list_namespace("a").len(), 1);
        assert_eq!(cache.list_namespace("").len(), 0);
        assert!(cache.remove(pod("a", "two", "10", None)).is_none());
    }

    #[test]
    fn indexes_follow_every_write() {
        let mut cache = Cache::default();
        cache.upsert(pod("a", "one", "1", Some("left")));
        cache.add_index("node", node_of);
        cache.upsert(pod("a", "two", "2", Some("left")));
        assert_eq!(cache.by_index("node", "left").len(), 2);
        cache.upsert(pod("a", "one", "3", Some("right")));
        assert_eq!(cache.by_index("node", "left").len(), 1);
        assert_eq!(cache.by_index("node", "right").len(), 1);
        cache.remove(pod("a", "two", "4", Some("elsewhere")));
        assert!(cache.by_index("node", "left").is_empty());
        assert!(cache.by_index("unknown", "left").is_empty());
    }
}
