//! Finding, adopting and releasing what an owner controls.

use std::sync::Arc;

use api::k8s::NamespaceResourceScope;
use api::k8s::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use api::{NamespacedName, Selector};
use client::Client;
use client::kube::{Api, Resource};
use reconcile::{Claim, Informer, Kind, adopt, claim, controller_of, controller_reference, release};

use crate::error::{During, ReconcileError};

/// The index that [`dependents`] reads.
const BY_CONTROLLER: &str = "controller";

/// A namespaced kind that is known when compiling.
pub(crate) trait Namespaced: Kind + Resource<DynamicType = (), Scope = NamespaceResourceScope> {}

impl<K: Kind + Resource<DynamicType = (), Scope = NamespaceResourceScope>> Namespaced for K {}

/// Makes an informer's objects findable by their controller.
pub(crate) fn index_by_controller<K: Kind>(informer: Informer<K>) -> Informer<K> {
    informer.with_index(BY_CONTROLLER, |object| vec![index_value(object.meta())])
}

fn index_value(metadata: &ObjectMeta) -> String {
    match controller_of(metadata) {
        Some(reference) => reference.uid.clone(),
        None => orphans_of(metadata.namespace.as_deref().unwrap_or_default()),
    }
}

/// No UID holds a slash.
fn orphans_of(namespace: &str) -> String {
    format!("orphans/{namespace}")
}

/// The objects that name `owner` as their controller, ordered by key.
pub(crate) fn controlled_by<K: Kind>(informer: &Informer<K>, owner: &ObjectMeta) -> Vec<Arc<K>> {
    informer.by_index(BY_CONTROLLER, owner.uid.as_deref().unwrap_or_default())
}

/// Those in the owner's namespace that nobody controls.
fn orphans<K: Kind>(informer: &Informer<K>, owner: &ObjectMeta) -> Vec<Arc<K>> {
    informer.by_index(BY_CONTROLLER, &orphans_of(owner.namespace.as_deref().unwrap_or_default()))
}

/// The owner's objects, after adopting what matches and releasing what does no longer.
/// `may_adopt` keeps back what must not be taken in, such as finished pods.
pub(crate) async fn claim_dependents<O, K>(
    client: &Client,
    informer: &Informer<K>,
    owner: &O,
    selector: &Selector,
    may_claim: impl Fn(&K) -> bool,
) -> Result<Vec<Arc<K>>, ReconcileError>
where
    O: Namespaced,
    K: Namespaced,
{
    claim_with_finalizers(client, informer, owner, selector, &[], may_claim).await
}

/// As [`claim_dependents`]; what is adopted is held by finalizers, and what is released loses them.
pub(crate) async fn claim_with_finalizers<O, K>(
    client: &Client,
    informer: &Informer<K>,
    owner: &O,
    selector: &Selector,
    finalizers: &[&str],
    may_claim: impl Fn(&K) -> bool,
) -> Result<Vec<Arc<K>>, ReconcileError>
where
    O: Namespaced,
    K: Namespaced,
{
    let metadata = owner.meta();
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    let mut claimed = Vec::new();
    let mut to_adopt = Vec::new();
    for object in controlled_by(informer, metadata).into_iter().chain(orphans(informer, metadata)) {
        if !may_claim(&object) {
            continue;
        }
        match claim(metadata, selector, object.meta()) {
            Claim::Keep => claimed.push(object),
            Claim::Adopt => to_adopt.push(object),
            Claim::Release => {
                let uid = metadata.uid.as_deref().unwrap_or_default();
                release(&api, &*object, uid, finalizers).await.during("release", NamespacedName::of(object.meta()))?;
            }
            Claim::Ignore => {}
        }
    }
    // What the index gives is in order.
    if !to_adopt.is_empty() {
        confirm_alive(client, owner).await?;
        let reference = controller_reference(owner);
        for object in to_adopt {
            adopt(&api, &*object, &reference, finalizers).await.during("adopt", NamespacedName::of(object.meta()))?;
            claimed.push(object);
        }
        claimed.sort_by_cached_key(|object| NamespacedName::of(object.meta()));
    }
    Ok(claimed)
}

/// Asks the API whether the owner is still there and not going: the cache may be old, and what a
/// deleted owner adopts is lost.
async fn confirm_alive<O: Namespaced>(client: &Client, owner: &O) -> Result<(), ReconcileError> {
    let key = NamespacedName::of(owner.meta());
    let api: Api<O> = Api::namespaced(client.clone(), &key.namespace);
    let fresh = api.get(&key.name).await.during("read owner", &key)?;
    if fresh.meta().uid == owner.meta().uid && fresh.meta().deletion_timestamp.is_none() {
        Ok(())
    } else {
        Err(ReconcileError::OwnerReplaced { owner: key })
    }
}

/// The owner of kind `O` that the object names as its controller, if it is in the cache under that UID.
pub(crate) fn resolve_controller<O: Namespaced>(owners: &Informer<O>, object: &ObjectMeta) -> Option<Arc<O>> {
    let reference = controller_of(object)?;
    if reference.kind != O::kind(&()) || reference.api_version != O::api_version(&()) {
        return None;
    }
    let key = NamespacedName::new(object.namespace.clone().unwrap_or_default(), &reference.name);
    owners.get(&key).filter(|owner| owner.meta().uid.as_deref() == Some(&reference.uid))
}
