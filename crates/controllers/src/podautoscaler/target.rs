//! What is scaled: anything that has a scale.

use api::k8s::api::autoscaling::v1::Scale;
use api::k8s::api::autoscaling::v2::CrossVersionObjectReference;
use client::kube::Api;
use client::kube::api::PostParams;
use client::kube::core::{ApiResource, DynamicObject};
use client::{CallError, Client};

use crate::discovery::discover;

#[derive(Debug, thiserror::Error)]
pub(super) enum TargetError {
    #[error("no matches for kind \"{kind}\" in group \"{group}\"")]
    UnknownKind { group: String, kind: String },
    #[error("{0}")]
    Call(CallError),
}

/// The scale of one object.
pub(super) struct Target {
    api: Api<DynamicObject>,
    name: String,
}

impl Target {
    pub(super) async fn find(
        client: &Client,
        namespace: &str,
        reference: &CrossVersionObjectReference,
    ) -> Result<Target, TargetError> {
        let resource = match usual(reference) {
            Some(resource) => resource,
            None => discovered(client, reference).await?,
        };
        Ok(Target { api: Api::namespaced_with(client.clone(), namespace, &resource), name: reference.name.clone() })
    }

    pub(super) async fn scale(&self) -> Result<Scale, TargetError> {
        self.api.get_scale(&self.name).await.map_err(|error| TargetError::Call(error.into()))
    }

    pub(super) async fn set(&self, mut scale: Scale, replicas: i32) -> Result<(), TargetError> {
        scale.spec.get_or_insert_default().replicas = Some(replicas);
        let replaced = self.api.replace_scale(&self.name, &PostParams::default(), &scale).await;
        replaced.map(drop).map_err(|error| TargetError::Call(error.into()))
    }
}

fn group(reference: &CrossVersionObjectReference) -> &str {
    reference.api_version.as_deref().and_then(|version| version.split_once('/')).map_or("", |(group, _)| group)
}

/// The kinds that nearly all autoscalers scale, known without asking; by their former group too, in which the
/// discovery does not show what rests in another.
fn usual(reference: &CrossVersionObjectReference) -> Option<ApiResource> {
    let (group, plural) = match (group(reference), reference.kind.as_str()) {
        ("apps" | "extensions", "Deployment") => ("apps", "deployments"),
        ("apps" | "extensions", "ReplicaSet") => ("apps", "replicasets"),
        ("apps", "StatefulSet") => ("apps", "statefulsets"),
        ("", "ReplicationController") => ("", "replicationcontrollers"),
        _ => return None,
    };
    Some(ApiResource {
        group: group.to_owned(),
        version: "v1".to_owned(),
        api_version: if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") },
        kind: reference.kind.clone(),
        plural: plural.to_owned(),
    })
}

async fn discovered(client: &Client, reference: &CrossVersionObjectReference) -> Result<ApiResource, TargetError> {
    let group = group(reference);
    let served = discover(client).await.map_err(TargetError::Call)?;
    let found = served.into_iter().find(|one| one.resource.group == group && one.resource.kind == reference.kind);
    found
        .map(|found| found.resource)
        .ok_or_else(|| TargetError::UnknownKind { group: group.to_owned(), kind: reference.kind.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_is_found_by_its_former_group_too() {
        let reference = |api_version: &str, kind: &str| CrossVersionObjectReference {
            api_version: Some(api_version.to_owned()),
            kind: kind.to_owned(),
            name: "web".to_owned(),
        };
        for (api_version, kind, expected) in [
            ("apps/v1", "Deployment", Some("apps/v1 deployments")),
            ("extensions/v1beta1", "Deployment", Some("apps/v1 deployments")),
            ("extensions/v1beta1", "ReplicaSet", Some("apps/v1 replicasets")),
            ("v1", "ReplicationController", Some("v1 replicationcontrollers")),
            ("example.com/v1", "Deployment", None),
        ] {
            let found = usual(&reference(api_version, kind));
            let found = found.map(|found| format!("{} {}", found.api_version, found.plural));
            assert_eq!(found.as_deref(), expected, "{api_version} {kind}");
        }
    }
}
