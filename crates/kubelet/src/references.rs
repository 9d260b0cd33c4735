//! The ConfigMaps and Secrets that this node's pods refer to, each watched by itself.
//!
//! A kubelet may read only what its pods name, so there is one watch per object, not per kind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::NamespacedName;
use api::k8s::NamespaceResourceScope;
use api::k8s::api::core::v1::{ConfigMap, Container, Pod, Secret, Volume};
use client::kube::Resource;
use client::{Api, Client};
use reconcile::informer::Kind;
use reconcile::{Informer, ListOptions};
use stdx::Ambient;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::config::environment::Objects;
use crate::pod::spec;

/// How long a start waits for the first answer about an object.
const SYNC_DEADLINE: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
#[error("failed to sync {kind} cache: timed out waiting for the condition")]
pub(crate) struct NotSynced {
    kind: &'static str,
}

/// Called with a pod's uid when something it refers to has changed.
pub(crate) type Notify = Arc<dyn Fn(&str) + Send + Sync>;

pub(crate) struct References {
    config_maps: Watches<ConfigMap>,
    secrets: Watches<Secret>,
}

impl References {
    pub(crate) fn new(client: Client, ambient: Ambient, notify: Notify, cancel: CancellationToken) -> Self {
        References {
            config_maps: Watches::new(client.clone(), ambient.clone(), Arc::clone(&notify), cancel.clone()),
            secrets: Watches::new(client, ambient, notify, cancel),
        }
    }

    /// Watches what the pod names from now on, and no longer what it does not.
    pub(crate) fn follow(&self, pod: &Pod) {
        let names = named(pod);
        self.config_maps.follow(spec::uid(pod), spec::namespace(pod), &names.config_maps);
        self.secrets.follow(spec::uid(pod), spec::namespace(pod), &names.secrets);
    }

    pub(crate) fn forget(&self, pod_uid: &str) {
        self.config_maps.follow(pod_uid, "", &BTreeSet::new());
        self.secrets.follow(pod_uid, "", &BTreeSet::new());
    }

    /// The objects as they are now; what does not exist is left out.
    pub(crate) async fn objects(&self, pod: &Pod) -> Result<Objects, NotSynced> {
        let names = named(pod);
        Ok(Objects {
            config_maps: self.config_maps.get(spec::namespace(pod), &names.config_maps, "configmap").await?,
            secrets: self.secrets.get(spec::namespace(pod), &names.secrets, "secret").await?,
            ..Objects::default()
        })
    }
}

struct Watches<K> {
    client: Client,
    ambient: Ambient,
    notify: Notify,
    cancel: CancellationToken,
    watched: Mutex<BTreeMap<NamespacedName, Watched<K>>>,
}

struct Watched<K> {
    informer: Informer<K>,
    /// Uids of the pods that refer to it. Shared with the handler that tells them.
    pods: Arc<Mutex<BTreeSet<String>>>,
    _stop: DropGuard,
}

impl<K> Watches<K>
where
    K: Kind + Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    fn new(client: Client, ambient: Ambient, notify: Notify, cancel: CancellationToken) -> Self {
        Watches { client, ambient, notify, cancel, watched: Mutex::default() }
    }

    fn follow(&self, pod_uid: &str, namespace: &str, names: &BTreeSet<String>) {
        let mut watched = self.lock();
        watched.retain(|key, watch| {
            let named = key.namespace == namespace && names.contains(&key.name);
            let mut pods = lock(&watch.pods);
            if !named {
                pods.remove(pod_uid);
            }
            !pods.is_empty()
        });
        for name in names {
            let key = NamespacedName::new(namespace, name.clone());
            let watch = watched.entry(key).or_insert_with_key(|key| self.watch(key, pod_uid));
            lock(&watch.pods).insert(pod_uid.to_owned());
        }
    }

    fn watch(&self, key: &NamespacedName, pod_uid: &str) -> Watched<K> {
        let cancel = self.cancel.child_token();
        let api: Api<K> = Api::namespaced(self.client.clone(), &key.namespace);
        let options = ListOptions::fields(format!("metadata.name={}", key.name));
        let informer = Informer::start(api, options, &self.ambient, cancel.clone());
        let pods = Arc::new(Mutex::new(BTreeSet::from([pod_uid.to_owned()])));
        let (told, notify) = (Arc::clone(&pods), Arc::clone(&self.notify));
        informer.on_change(move |_, _| {
            let pods: Vec<String> = lock(&told).iter().cloned().collect();
            for pod in pods {
                notify(&pod);
            }
        });
        Watched { informer, pods, _stop: cancel.drop_guard() }
    }

    async fn get(
        &self,
        namespace: &str,
        names: &BTreeSet<String>,
        kind: &'static str,
    ) -> Result<BTreeMap<String, K>, NotSynced> {
        let mut found = BTreeMap::new();
        for name in names {
            let key = NamespacedName::new(namespace, name.clone());
            let Some(informer) = self.lock().get(&key).map(|watch| watch.informer.clone()) else { continue };
            let synced = tokio::time::timeout(SYNC_DEADLINE, informer.synced()).await;
            synced.map_err(|_| NotSynced { kind })?;
            if let Some(object) = informer.get(&key) {
                found.insert(name.clone(), K::clone(&object));
            }
        }
        Ok(found)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<NamespacedName, Watched<K>>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Names {
    config_maps: BTreeSet<String>,
    secrets: BTreeSet<String>,
}

fn named(pod: &Pod) -> Names {
    let mut names = Names::default();
    for container in spec::init_containers(pod).iter().chain(&spec::spec(pod).containers) {
        names.add_container(container);
    }
    for ephemeral in spec::ephemeral_containers(pod) {
        if let Some((container, _)) = spec::find(pod, &ephemeral.name) {
            names.add_container(&container);
        }
    }
    for volume in spec::spec(pod).volumes.iter().flatten() {
        names.add_volume(volume);
    }
    for reference in spec::spec(pod).image_pull_secrets.iter().flatten() {
        names.secrets.insert(reference.name.clone());
    }
    names.config_maps.remove("");
    names.secrets.remove("");
    names
}

impl Names {
    fn add_container(&mut self, container: &Container) {
        for source in container.env_from.iter().flatten() {
            self.config_maps.extend(source.config_map_ref.as_ref().map(|reference| reference.name.clone()));
            self.secrets.extend(source.secret_ref.as_ref().map(|reference| reference.name.clone()));
        }
        for source in container.env.iter().flatten().filter_map(|variable| variable.value_from.as_ref()) {
            self.config_maps.extend(source.config_map_key_ref.as_ref().map(|selector| selector.name.clone()));
            self.secrets.extend(source.secret_key_ref.as_ref().map(|selector| selector.name.clone()));
        }
    }

    fn add_volume(&mut self, volume: &Volume) {
        self.config_maps.extend(volume.config_map.as_ref().map(|source| source.name.clone()));
        self.secrets.extend(volume.secret.as_ref().and_then(|source| source.secret_name.clone()));
        let sources = volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten());
        for source in sources {
            self.config_maps.extend(source.config_map.as_ref().map(|source| source.name.clone()));
            self.secrets.extend(source.secret.as_ref().map(|source| source.name.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pod_from;

    #[test]
    fn every_way_to_name_an_object_counts() {
        let pod = pod_from(
            r#"{"metadata":{"name":"p"},"spec":{"imagePullSecrets":[{"name":"s1"}],
                "initContainers":[{"name":"i","envFrom":[{"secretRef":{"name":"s2"}}]}],
                "containers":[{"name":"c","env":[{"name":"A","valueFrom":{"configMapKeyRef":{"name":"m1","key":"k"}}}]}],
                "volumes":[{"name":"v","configMap":{"name":"m2"}},{"name":"w","secret":{"secretName":"s3"}},
                    {"name":"x","projected":{"sources":[{"configMap":{"name":"m3"}},{"secret":{"name":"s4"}}]}}]}}"#,
        );
        let names = named(&pod);
        assert_eq!(names.config_maps.into_iter().collect::<Vec<_>>(), ["m1", "m2", "m3"]);
        assert_eq!(names.secrets.into_iter().collect::<Vec<_>>(), ["s1", "s2", "s3", "s4"]);
    }
}
