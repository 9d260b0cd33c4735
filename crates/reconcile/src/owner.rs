//! Who controls whom.

use api::Selector;
use api::k8s::apimachinery::pkg::apis::meta::v1::OwnerReference;
use client::CallError;
use client::kube::Resource;
use client::kube::api::{Api, ObjectMeta, Patch, PatchParams};
use serde_json::json;

use crate::informer::Kind;

/// The owner that manages the object; at most one may.
pub fn controller_of(metadata: &ObjectMeta) -> Option<&OwnerReference> {
    metadata.owner_references.iter().flatten().find(|reference| reference.controller == Some(true))
}

/// What a dependent carries to name `owner` as its controller.
pub fn controller_reference<K: Resource<DynamicType = ()>>(owner: &K) -> OwnerReference {
    let metadata = owner.meta();
    OwnerReference {
        api_version: K::api_version(&()).into_owned(),
        kind: K::kind(&()).into_owned(),
        name: metadata.name.clone().unwrap_or_default(),
        uid: metadata.uid.clone().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// What an owner is to do about an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is the owner's, and stays so.
    Keep,
    /// It is nobody's and matches: take it.
    Adopt,
    /// It is the owner's but matches no longer: let it go.
    Release,
    /// None of the owner's business.
    Ignore,
}

/// Decides by owner reference first and selector second, as every controller of pods does.
pub fn claim(owner: &ObjectMeta, selector: &Selector, object: &ObjectMeta) -> Claim {
    let matches = selector.matches_optional(object.labels.as_ref());
    let owner_is_going = owner.deletion_timestamp.is_some();
    match controller_of(object) {
        Some(reference) if Some(&reference.uid) != owner.uid.as_ref() => Claim::Ignore,
        Some(_) if matches => Claim::Keep,
        Some(_) if owner_is_going => Claim::Ignore,
        Some(_) => Claim::Release,
        None if owner_is_going || !matches || object.deletion_timestamp.is_some() => Claim::Ignore,
        None if owner.namespace != object.namespace => Claim::Ignore,
        None => Claim::Adopt,
    }
}

/// Makes `reference` the object's controller, and holds it with `finalizers`. Fails where the object was
/// replaced by another of its name.
pub async fn adopt<K: Kind>(
    api: &Api<K>,
    object: &K,
    reference: &OwnerReference,
    finalizers: &[&str],
) -> Result<(), CallError> {
    let mut patch = json!({"metadata": {"ownerReferences": [reference], "uid": object.meta().uid}});
    if !finalizers.is_empty() {
        patch["metadata"]["finalizers"] = json!(finalizers);
    }
    patch_owner(api, object, patch).await
}

/// Takes the owner `uid` and its `finalizers` off the object. An object that is gone is released already.
pub async fn release<K: Kind>(api: &Api<K>, object: &K, uid: &str, finalizers: &[&str]) -> Result<(), CallError> {
    let remove = json!({"$patch": "delete", "uid": uid});
    let mut patch = json!({"metadata": {"ownerReferences": [remove], "uid": object.meta().uid}});
    if !finalizers.is_empty() {
        patch["metadata"]["$deleteFromPrimitiveList/finalizers"] = json!(finalizers);
    }
    match patch_owner(api, object, patch).await {
        Err(error) if error.is_not_found() => Ok(()),
        other => other,
    }
}

async fn patch_owner<K: Kind>(api: &Api<K>, object: &K, patch: serde_json::Value) -> Result<(), CallError> {
    let name = object.meta().name.as_deref().unwrap_or_default();
    api.patch(name, &PatchParams::default(), &Patch::Strategic(patch)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use api::k8s::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;

    fn object(controller: Option<&str>, label: &str, going: bool) -> ObjectMeta {
        let reference = |uid: &str| OwnerReference { uid: uid.into(), controller: Some(true), ..Default::default() };
        ObjectMeta {
            namespace: Some("default".into()),
            labels: Some([("app".to_owned(), label.to_owned())].into()),
            owner_references: controller.map(|uid| vec![reference(uid)]),
            deletion_timestamp: going.then(|| Time(stdx_epoch())),
            ..ObjectMeta::default()
        }
    }

    fn stdx_epoch() -> api::k8s::jiff::Timestamp {
        api::k8s::jiff::Timestamp::UNIX_EPOCH
    }

    #[test]
    fn claims_as_upstreams_reference_manager() {
        let owner = |going: bool| ObjectMeta { uid: Some("me".into()), ..object(None, "", going) };
        let selector = Selector::parse("app=web").unwrap();
        for (controller, label, going, owner_going, expected) in [
            (Some("me"), "web", false, false, Claim::Keep),
            (Some("me"), "web", true, false, Claim::Keep),
            (Some("me"), "db", false, false, Claim::Release),
            (Some("me"), "db", false, true, Claim::Ignore),
            (Some("other"), "web", false, false, Claim::Ignore),
            (None, "web", false, false, Claim::Adopt),
            (None, "web", true, false, Claim::Ignore),
            (None, "web", false, true, Claim::Ignore),
            (None, "db", false, false, Claim::Ignore),
        ] {
            let object = object(controller, label, going);
            assert_eq!(claim(&owner(owner_going), &selector, &object), expected, "{controller:?} {label} {going}");
        }
    }
}
