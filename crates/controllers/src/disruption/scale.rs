//! How many pods their owners want.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::NamespacedName;
use api::k8s::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use api::k8s::api::autoscaling::v1::Scale;
use api::k8s::api::core::v1::{Pod, ReplicationController};
use api::k8s::apimachinery::pkg::apis::meta::v1::OwnerReference;
use client::kube::Api;
use client::kube::core::DynamicObject;
use client::{CallError, Client};
use reconcile::{Informer, controller_of};

use crate::context::Context;
use crate::discovery::discover;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ScaleError {
    #[error("found no controllers for pod \"{0}\"")]
    NoController(String),
    #[error("{kind}.{group} does not implement the scale subresource")]
    NotScalable { kind: String, group: String },
    #[error("{0}")]
    Call(CallError),
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) count: i32,
    /// Pods that nobody keeps the number of.
    pub(super) unmanaged: Vec<String>,
}

/// Reads owners: the usual ones from the caches, others through their scale.
#[derive(Clone)]
pub(super) struct Scales {
    client: Client,
    controllers: Informer<ReplicationController>,
    sets: Informer<ReplicaSet>,
    deployments: Informer<Deployment>,
    stateful_sets: Informer<StatefulSet>,
}

struct Owner {
    uid: String,
    replicas: i32,
}

impl Scales {
    pub(super) fn new(context: &Context) -> Scales {
        Scales {
            client: context.client.clone(),
            controllers: context.informers.of(),
            sets: context.informers.of(),
            deployments: context.informers.of(),
            stateful_sets: context.informers.of(),
        }
    }

    pub(super) async fn synced(&self) {
        self.controllers.synced().await;
        self.sets.synced().await;
        self.deployments.synced().await;
        self.stateful_sets.synced().await;
    }

    /// The sum over all owners, each counted once.
    pub(super) async fn expected(&self, pods: &[Arc<Pod>]) -> Result<Expected, ScaleError> {
        let mut by_owner: BTreeMap<String, i32> = BTreeMap::new();
        let mut seen: BTreeMap<String, ()> = BTreeMap::new();
        let mut unmanaged = Vec::new();
        for pod in pods {
            let key = NamespacedName::of(&pod.metadata);
            let Some(reference) = controller_of(&pod.metadata) else {
                unmanaged.push(key.name);
                continue;
            };
            if seen.insert(reference.uid.clone(), ()).is_some() {
                continue;
            }
            let owner = self.owner(&key.namespace, reference).await?;
            let owner = owner.ok_or_else(|| ScaleError::NoController(key.name.clone()))?;
            by_owner.insert(owner.uid, owner.replicas);
        }
        Ok(Expected { count: by_owner.values().fold(0, |sum, count| sum.saturating_add(*count)), unmanaged })
    }

    async fn owner(&self, namespace: &str, reference: &OwnerReference) -> Result<Option<Owner>, ScaleError> {
        let key = NamespacedName::new(namespace, &reference.name);
        let group = reference.api_version.split_once('/').map_or("", |(group, _)| group);
        let owner = |uid: &Option<String>, replicas: Option<i32>| {
            let uid = uid.clone().unwrap_or_default();
            (uid == reference.uid).then(|| Owner { uid, replicas: replicas.unwrap_or(1) })
        };
        Ok(match (group, reference.kind.as_str()) {
            ("", "ReplicationController") => self
                .controllers
                .get(&key)
                .and_then(|found| owner(&found.metadata.uid, found.spec.as_ref().and_then(|spec| spec.replicas))),
            ("apps", "StatefulSet") => {
                self.stateful_sets.get(&key).and_then(|found| owner(&found.metadata.uid, found.spec.replicas))
            }
            ("apps", "ReplicaSet") => match self.sets.get(&key) {
                None => None,
                Some(set) => match controller_of(&set.metadata).filter(|owner| owner.kind == "Deployment") {
                    None => owner(&set.metadata.uid, set.spec.replicas),
                    Some(above) => {
                        let deployment = self.deployments.get(&NamespacedName::new(namespace, &above.name));
                        deployment
                            .filter(|found| found.metadata.uid.as_ref() == Some(&above.uid))
                            .map(|found| Owner { uid: above.uid.clone(), replicas: found.spec.replicas.unwrap_or(1) })
                    }
                },
            },
            _ => self.other_owner(namespace, group, reference).await?,
        })
    }

    /// An owner of any other kind that can be scaled.
    async fn other_owner(
        &self,
        namespace: &str,
        group: &str,
        reference: &OwnerReference,
    ) -> Result<Option<Owner>, ScaleError> {
        let served = discover(&self.client).await.map_err(ScaleError::Call)?;
        let found = served.into_iter().find(|one| one.resource.group == group && one.resource.kind == reference.kind);
        let Some(found) = found else { return Ok(None) };
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), namespace, &found.resource);
        match api.get_scale(&reference.name).await.map_err(CallError::from) {
            Ok(scale) => {
                let scale: Scale = scale;
                let replicas = scale.spec.and_then(|spec| spec.replicas).unwrap_or(0);
                Ok(Some(Owner { uid: reference.uid.clone(), replicas }))
            }
            Err(error) if error.is_not_found() => {
                Err(ScaleError::NotScalable { kind: found.resource.plural, group: found.resource.group })
            }
            Err(error) => Err(ScaleError::Call(error)),
        }
    }
}
