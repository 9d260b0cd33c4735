//! Mirror pods: what the API shows of pods that the node was told of by files.

use api::k8s::api::core::v1::{Node, Pod, PodStatus};
use api::k8s::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use client::kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use client::{Api, CallError, Client};
use serde_json::json;

use super::publish::{self, PublishError};
use super::spec;

const ATTEMPTS: usize = 5;

/// Brings the mirror up to date, and makes it where it is missing or shows another. The static pod with
/// the status that the API has now.
pub(crate) async fn status(
    client: &Client,
    pod: &Pod,
    node: Option<&Node>,
    generate: impl Fn(&Pod) -> PodStatus,
) -> Result<Pod, PublishError> {
    let api: Api<Pod> = Api::namespaced(client.clone(), spec::namespace(pod));
    let name = spec::name(pod);
    let failed = |error: CallError| PublishError::Write(spec::long_name(pod), error);
    for _ in 0..ATTEMPTS {
        let mirror = match find(&api, name).await.map_err(failed)? {
            Some(mirror) if shows(&mirror, pod) && mirror.metadata.deletion_timestamp.is_none() => mirror,
            Some(other) => {
                remove(&api, &other).await.map_err(failed)?;
                continue;
            }
            None => match api.create(&PostParams::default(), &mirror_of(pod, node)).await.map_err(CallError::from) {
                Err(error) if error.is_already_exists() => continue,
                created => created.map_err(failed)?,
            },
        };
        let current = Pod { status: mirror.status, ..pod.clone() };
        let Some(change) = publish::difference(&current, &generate(&current))? else { return Ok(current) };
        let patch = json!({ "metadata": { "resourceVersion": mirror.metadata.resource_version }, "status": change });
        match api.patch_status(name, &PatchParams::default(), &Patch::Merge(patch)).await.map_err(CallError::from) {
            Ok(written) => return Ok(Pod { status: written.status, ..pod.clone() }),
            Err(error) if error.is_conflict() || error.is_not_found() => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Err(PublishError::Contended(spec::long_name(pod)))
}

/// Removes the mirror of a pod that has ended.
pub(crate) async fn delete(client: &Client, pod: &Pod) -> Result<(), PublishError> {
    let api: Api<Pod> = Api::namespaced(client.clone(), spec::namespace(pod));
    let failed = |error: CallError| PublishError::Delete(spec::long_name(pod), error);
    match find(&api, spec::name(pod)).await.map_err(failed)? {
        Some(mirror) if shows(&mirror, pod) => remove(&api, &mirror).await.map_err(failed),
        _ => Ok(()),
    }
}

/// A node is not told of pods that are not its own, nor whether there are any.
async fn find(api: &Api<Pod>, name: &str) -> Result<Option<Pod>, CallError> {
    match api.get_opt(name).await.map_err(CallError::from) {
        Err(error) if error.is_forbidden() => Ok(None),
        found => found,
    }
}

async fn remove(api: &Api<Pod>, mirror: &Pod) -> Result<(), CallError> {
    let preconditions = Preconditions { uid: mirror.metadata.uid.clone(), resource_version: None };
    let parameters =
        DeleteParams { grace_period_seconds: Some(0), preconditions: Some(preconditions), ..DeleteParams::default() };
    match api.delete(spec::name(mirror), &parameters).await.map_err(CallError::from) {
        Err(error) if !error.is_not_found() && !error.is_conflict() => Err(error),
        _ => Ok(()),
    }
}

fn shows(mirror: &Pod, pod: &Pod) -> bool {
    spec::is_mirror(mirror) && spec::uid(mirror) == spec::uid(pod)
}

/// It bears the pod's uid as a note, and goes with its node.
fn mirror_of(pod: &Pod, node: Option<&Node>) -> Pod {
    let mut annotations = pod.metadata.annotations.clone().unwrap_or_default();
    annotations.insert(spec::CONFIG_MIRROR.to_owned(), spec::uid(pod).to_owned());
    let owner = node.and_then(|node| {
        Some(OwnerReference {
            api_version: "v1".to_owned(),
            kind: "Node".to_owned(),
            name: node.metadata.name.clone()?,
            uid: node.metadata.uid.clone()?,
            controller: Some(true),
            ..OwnerReference::default()
        })
    });
    Pod {
        metadata: ObjectMeta {
            name: pod.metadata.name.clone(),
            namespace: pod.metadata.namespace.clone(),
            labels: pod.metadata.labels.clone(),
            annotations: Some(annotations),
            owner_references: owner.map(|owner| vec![owner]),
            ..ObjectMeta::default()
        },
        spec: pod.spec.clone(),
        status: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pod_from;

    #[test]
    fn a_mirror_is_known_by_what_it_shows() {
        let pod = pod_from(
            r#"{"metadata":{"name":"web-node","namespace":"ns","uid":"u1","annotations":{"kubernetes.io/config.source":"file"}},"spec":{"containers":[]}}"#,
        );
        let node: Node = serde_json::from_str(r#"{"metadata":{"name":"node","uid":"n1"}}"#).unwrap();
        let mut mirror = mirror_of(&pod, Some(&node));
        mirror.metadata.uid = Some("of the API's own".to_owned());
        assert!(shows(&mirror, &pod) && spec::is_mirror(&mirror));
        assert_eq!(spec::uid(&mirror), "u1", "whoever asks about the mirror is told of the pod");
        let owner = &mirror.metadata.owner_references.as_ref().unwrap()[0];
        assert_eq!((owner.kind.as_str(), owner.uid.as_str(), owner.controller), ("Node", "n1", Some(true)));
        let other = Pod { metadata: ObjectMeta { uid: Some("u2".to_owned()), ..pod.metadata.clone() }, ..pod };
        assert!(!shows(&mirror, &other));
    }
}
