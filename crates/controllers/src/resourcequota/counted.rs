//! The objects that quotas count, each kind watched from the first quota that names it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use api::NamespacedName;
use api::k8s::api::core::v1::{PersistentVolumeClaim, Pod, ResourceQuota, Service};
use client::kube::core::{ApiResource, DynamicObject, PartialObjectMeta};
use client::kube::{Api, Resource};
use reconcile::{Informer, Kind as Watchable, ListOptions, WorkQueue};
use registry::{Kind, Object};
use serde_json::Value;

use crate::context::Context;
use crate::discovery::discover;
use crate::error::{During, ReconcileError};
use crate::pods;

type Metadata = PartialObjectMeta<DynamicObject>;

pub(super) struct Counted {
    context: Context,
    quotas: Informer<ResourceQuota>,
    queue: WorkQueue<NamespacedName>,
    /// By group and plural. Of most kinds, the number of objects is all that counts.
    watched: Mutex<BTreeMap<(String, String), Informer<Metadata>>>,
    whole: Whole,
}

/// Kinds whose objects use different amounts.
struct Whole {
    pods: Informer<Pod>,
    services: Informer<Service>,
    claims: Informer<PersistentVolumeClaim>,
}

impl Counted {
    pub(super) fn new(context: Context, quotas: Informer<ResourceQuota>, queue: WorkQueue<NamespacedName>) -> Counted {
        let whole =
            Whole { pods: context.informers.of(), services: context.informers.of(), claims: context.informers.of() };
        whole.pods.on_change({
            let (quotas, queue) = (quotas.clone(), queue.clone());
            move |old, new| {
                let was_counted = old.is_some_and(|pod| !pods::is_finished(pod));
                let is_counted = new.is_some_and(|pod| !pods::is_finished(pod));
                if new.is_none() || (was_counted && !is_counted) || is_smaller(old, new) {
                    recount(&quotas, &queue, namespace_of(old.or(new)));
                }
            }
        });
        whole.services.on_change({
            let (quotas, queue) = (quotas.clone(), queue.clone());
            move |old, new| {
                if old.is_some_and(|old| new.is_none_or(|new| old.spec != new.spec)) {
                    recount(&quotas, &queue, namespace_of(old));
                }
            }
        });
        whole.claims.on_change({
            let (quotas, queue) = (quotas.clone(), queue.clone());
            move |old, new| {
                let asked = |claim: &PersistentVolumeClaim| {
                    let allocated = claim.status.as_ref().and_then(|status| status.allocated_resources.clone());
                    (claim.spec.as_ref().and_then(|spec| spec.resources.clone()), allocated)
                };
                if old.is_some_and(|old| new.is_none_or(|new| asked(old) != asked(new))) {
                    recount(&quotas, &queue, namespace_of(old));
                }
            }
        });
        Counted { context, quotas, queue, watched: Mutex::default(), whole }
    }

    /// The namespace's objects of a kind, as far as they matter: where all use the same, they are empty.
    pub(super) async fn objects(&self, kind: &Kind, namespace: &str) -> Result<Vec<Object>, ReconcileError> {
        match (kind.group, kind.plural) {
            ("", "pods") => whole(&self.whole.pods, namespace).await,
            ("", "services") => whole(&self.whole.services, namespace).await,
            ("", "persistentvolumeclaims") => whole(&self.whole.claims, namespace).await,
            _ => {
                let resource = ApiResource {
                    group: kind.group.to_owned(),
                    version: kind.version.to_owned(),
                    api_version: kind.api_version(),
                    kind: kind.kind.to_owned(),
                    plural: kind.plural.to_owned(),
                };
                Ok(vec![Object::new(); self.count(&resource, namespace).await])
            }
        }
    }

    /// How many objects a name such as `count/trees.example.com` stands for; `None` where there is no such kind.
    pub(super) async fn custom(&self, name: &str, namespace: &str) -> Result<Option<usize>, ReconcileError> {
        let Some((plural, group)) = name.strip_prefix("count/").and_then(|name| name.split_once('.')) else {
            return Ok(None);
        };
        let served = discover(&self.context.client).await.during("discover", name)?;
        let is_meant =
            |group_and_plural: &ApiResource| group_and_plural.group == group && group_and_plural.plural == plural;
        match served.into_iter().find(|found| found.is_namespaced && is_meant(&found.resource)) {
            Some(found) => Ok(Some(self.count(&found.resource, namespace).await)),
            None => Ok(None),
        }
    }

    async fn count(&self, resource: &ApiResource, namespace: &str) -> usize {
        let informer = self.watch(resource);
        informer.synced().await;
        informer.list_namespace(namespace).len()
    }

    fn watch(&self, resource: &ApiResource) -> Informer<Metadata> {
        let mut watched = self.lock();
        let informer = watched.entry((resource.group.clone(), resource.plural.clone())).or_insert_with(|| {
            let api: Api<Metadata> = Api::all_with(self.context.client.clone(), resource);
            let options = ListOptions { trim: Some(trim), ..ListOptions::default() };
            let informer = Informer::start(api, options, &self.context.ambient, self.context.cancel.clone());
            let (quotas, queue) = (self.quotas.clone(), self.queue.clone());
            informer.on_change(move |old, new| {
                if let Some(gone) = old.filter(|_| new.is_none()) {
                    recount(&quotas, &queue, gone.metadata.namespace.as_deref());
                }
            });
            informer
        });
        informer.clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String), Informer<Metadata>>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn whole<K: Watchable + serde::Serialize>(
    informer: &Informer<K>,
    namespace: &str,
) -> Result<Vec<Object>, ReconcileError> {
    informer.synced().await;
    let mut objects = Vec::new();
    for object in informer.list_namespace(namespace) {
        if let Value::Object(object) = serde_json::to_value(&*object)? {
            objects.push(object);
        }
    }
    Ok(objects)
}

/// A pod that asks for less than before, in place.
fn is_smaller(old: Option<&std::sync::Arc<Pod>>, new: Option<&std::sync::Arc<Pod>>) -> bool {
    let resources = |pod: &Pod| -> Vec<_> {
        let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
        containers.map(|container| container.resources.clone()).collect()
    };
    old.zip(new).is_some_and(|(old, new)| resources(old) != resources(new))
}

fn namespace_of<K: Resource>(object: Option<&std::sync::Arc<K>>) -> Option<&str> {
    object?.meta().namespace.as_deref()
}

fn recount(quotas: &Informer<ResourceQuota>, queue: &WorkQueue<NamespacedName>, namespace: Option<&str>) {
    for quota in quotas.list_namespace(namespace.unwrap_or_default()) {
        queue.add(NamespacedName::of(&quota.metadata));
    }
}

/// Only that they are there counts.
fn trim(object: &mut Metadata) {
    object.metadata.labels = None;
    object.metadata.annotations = None;
    object.metadata.owner_references = None;
    object.metadata.finalizers = None;
}
