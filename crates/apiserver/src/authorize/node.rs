//! What a kubelet may do: its own Node and Lease, the pods bound to it, and what those pods refer to.

use std::borrow::Cow;
use std::collections::BTreeSet;

use registry::Object;
use serde_json::Value;

use crate::kinds;
use crate::metadata;
use crate::status::ApiError;
use crate::storage::{Encoded, Storage};
use crate::wire::query::Query;
use crate::wire::request_info::ResourceInfo;

/// What every kubelet may do regardless of its pods: group, resource, verbs.
const ALWAYS: &[(&str, &str, &[&str])] = &[
    ("", "events", &["create", "update", "patch"]),
    ("events.k8s.io", "events", &["create", "update", "patch"]),
    ("", "services", &["get", "list", "watch"]),
    ("", "pods", &["create", "delete"]),
    ("", "pods/status", &["update", "patch"]),
    ("", "pods/eviction", &["create"]),
    ("", "nodes", &["create"]),
    ("authentication.k8s.io", "tokenreviews", &["create"]),
    ("authorization.k8s.io", "subjectaccessreviews", &["create"]),
    ("authorization.k8s.io", "localsubjectaccessreviews", &["create"]),
    ("certificates.k8s.io", "certificatesigningrequests", &["create", "get", "list", "watch"]),
    ("node.k8s.io", "runtimeclasses", &["get", "list", "watch"]),
    ("storage.k8s.io", "csidrivers", &["get", "list", "watch"]),
    ("storage.k8s.io", "volumeattachments", &["get"]),
];

pub(crate) async fn allows(
    storage: &Storage,
    node: &str,
    verb: &str,
    info: &ResourceInfo,
    query: &Query,
) -> Result<bool, ApiError> {
    let resource = info.with_subresource();
    let known = |(group, name, verbs): &(&str, &str, &[&str])| {
        *group == info.group && *name == resource && verbs.contains(&verb)
    };
    if ALWAYS.iter().any(known) {
        return Ok(true);
    }
    let own = info.name == node;
    let reads = matches!(verb, "get" | "list" | "watch");
    match (info.group.as_str(), resource.as_str()) {
        ("", "nodes") => Ok(own && (reads || matches!(verb, "update" | "patch"))),
        ("", "nodes/status") => Ok(own && matches!(verb, "get" | "update" | "patch")),
        ("coordination.k8s.io", "leases") => Ok(info.namespace == "kube-node-lease"
            && (own || verb == "create" && info.name.is_empty())
            && matches!(verb, "get" | "create" | "update" | "patch" | "delete")),
        ("storage.k8s.io", "csinodes") => {
            Ok((own || verb == "create") && matches!(verb, "get" | "create" | "update" | "patch" | "delete"))
        }
        ("", "pods") if verb == "get" => is_bound(storage, node, info).await,
        ("", "pods") if reads => Ok(selects_node(query, node) || is_bound(storage, node, info).await?),
        ("", "secrets") if reads => refers(storage, node, info, Target::Secret).await,
        ("", "configmaps") if reads => refers(storage, node, info, Target::ConfigMap).await,
        ("", "persistentvolumeclaims") if verb == "get" => refers(storage, node, info, Target::Claim).await,
        ("", "persistentvolumeclaims/status") if matches!(verb, "get" | "update" | "patch") => {
            refers(storage, node, info, Target::Claim).await
        }
        ("", "persistentvolumes") if verb == "get" => refers_to_volume(storage, node, &info.name).await,
        ("", "serviceaccounts") if verb == "get" => refers(storage, node, info, Target::ServiceAccount).await,
        ("", "serviceaccounts/token") if verb == "create" => refers(storage, node, info, Target::ServiceAccount).await,
        _ => Ok(false),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Secret,
    ConfigMap,
    Claim,
    ServiceAccount,
}

fn selects_node(query: &Query, node: &str) -> bool {
    query.get("fieldSelector").unwrap_or("").split(',').any(|term| {
        let value = term.strip_prefix("spec.nodeName==").or_else(|| term.strip_prefix("spec.nodeName="));
        value == Some(node)
    })
}

async fn is_bound(storage: &Storage, node: &str, info: &ResourceInfo) -> Result<bool, ApiError> {
    if info.name.is_empty() || info.namespace.is_empty() {
        return Ok(false);
    }
    let pods = kinds::required("", "v1", "pods");
    let pod = storage.object(pods, &info.namespace, &info.name).await?;
    Ok(pod.is_some_and(|pod| bound_node(&pod) == Some(node)))
}

async fn refers(storage: &Storage, node: &str, info: &ResourceInfo, target: Target) -> Result<bool, ApiError> {
    if info.name.is_empty() || info.namespace.is_empty() {
        return Ok(false);
    }
    let wanted = (target, info.name.as_str().into());
    for pod in pods_of(storage, node, &info.namespace).await? {
        if references(&pod?).contains(&wanted) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn refers_to_volume(storage: &Storage, node: &str, volume: &str) -> Result<bool, ApiError> {
    let claims = kinds::required("", "v1", "persistentvolumeclaims");
    for pod in pods_of(storage, node, "").await? {
        let pod = pod?;
        for (target, claim) in references(&pod) {
            if target != Target::Claim {
                continue;
            }
            let claim = storage.object(claims, metadata::namespace(&pod), &claim).await?;
            let bound = claim.as_ref().and_then(|claim| claim.get("spec")).and_then(|spec| spec.get("volumeName"));
            if bound.and_then(Value::as_str) == Some(volume) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The pods bound to the node. A kubelet asks once per volume, so nothing is kept between requests; pods that do not
/// even mention the node are passed over without decoding, and none is decoded before it is asked for: what the kubelet
/// may read is mostly named by the first.
async fn pods_of(
    storage: &Storage,
    node: &str,
    namespace: &str,
) -> Result<impl Iterator<Item = Result<Object, ApiError>>, ApiError> {
    let needle = format!("\"nodeName\":{}", Value::from(node));
    let range = storage.list(kinds::required("", "v1", "pods"), namespace).await?;
    let mentions = move |bytes: &[u8]| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
    let pods = range.entries.into_iter().filter(move |entry| mentions(&entry.value));
    let pods = pods.map(|entry| Encoded::from(entry).decode());
    Ok(pods.filter(move |pod| pod.as_ref().map_or(true, |pod| bound_node(pod) == Some(node))))
}

fn bound_node(pod: &Object) -> Option<&str> {
    pod.get("spec")?.get("nodeName")?.as_str()
}

/// Everything a pod names that its kubelet has to read.
fn references(pod: &Object) -> BTreeSet<(Target, Cow<'_, str>)> {
    let mut found = BTreeSet::new();
    let Some(spec) = pod.get("spec") else { return found };
    if let Some(account) = spec.get("serviceAccountName").and_then(Value::as_str) {
        found.insert((Target::ServiceAccount, account.into()));
    }
    for secret in list(spec, "imagePullSecrets") {
        insert(&mut found, Target::Secret, secret, "name");
    }
    for volume in list(spec, "volumes") {
        volume_references(&mut found, volume);
        // A claim made for the pod bears both names.
        if volume.get("ephemeral").is_some_and(Value::is_object)
            && let Some(name) = volume.get("name").and_then(Value::as_str)
        {
            found.insert((Target::Claim, format!("{}-{name}", metadata::name(pod)).into()));
        }
    }
    for containers in ["initContainers", "containers", "ephemeralContainers"] {
        for container in list(spec, containers) {
            for variable in list(container, "env") {
                let source = variable.get("valueFrom").unwrap_or(&Value::Null);
                insert(&mut found, Target::Secret, source.get("secretKeyRef").unwrap_or(&Value::Null), "name");
                insert(&mut found, Target::ConfigMap, source.get("configMapKeyRef").unwrap_or(&Value::Null), "name");
            }
            for source in list(container, "envFrom") {
                insert(&mut found, Target::Secret, source.get("secretRef").unwrap_or(&Value::Null), "name");
                insert(&mut found, Target::ConfigMap, source.get("configMapRef").unwrap_or(&Value::Null), "name");
            }
        }
    }
    found
}

fn volume_references<'a>(found: &mut BTreeSet<(Target, Cow<'a, str>)>, volume: &'a Value) {
    let part = |name: &str| volume.get(name).unwrap_or(&Value::Null);
    insert(found, Target::Secret, part("secret"), "secretName");
    insert(found, Target::ConfigMap, part("configMap"), "name");
    insert(found, Target::Claim, part("persistentVolumeClaim"), "claimName");
    if let Some(secret) = part("csi").get("nodePublishSecretRef") {
        insert(found, Target::Secret, secret, "name");
    }
    for source in list(part("projected"), "sources") {
        insert(found, Target::Secret, source.get("secret").unwrap_or(&Value::Null), "name");
        insert(found, Target::ConfigMap, source.get("configMap").unwrap_or(&Value::Null), "name");
    }
}

fn list<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value.get(field).and_then(Value::as_array).into_iter().flatten()
}

fn insert<'a>(found: &mut BTreeSet<(Target, Cow<'a, str>)>, target: Target, source: &'a Value, field: &str) {
    found.extend(source.get(field).and_then(Value::as_str).map(|name| (target, name.into())));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pods_references_are_found_wherever_they_stand() {
        let Value::Object(pod) = json!({"metadata": {"name": "a"}, "spec": {
            "serviceAccountName": "web",
            "imagePullSecrets": [{"name": "pull"}],
            "volumes": [
                {"name": "a", "secret": {"secretName": "s1"}},
                {"name": "b", "configMap": {"name": "c1"}},
                {"name": "c", "persistentVolumeClaim": {"claimName": "p1"}},
                {"name": "e", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}},
                {"name": "d", "projected": {"sources": [{"configMap": {"name": "c2"}}, {"secret": {"name": "s2"}}]}},
            ],
            "initContainers": [{"env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "s3", "key": "k"}}}]}],
            "containers": [{"envFrom": [{"configMapRef": {"name": "c3"}}]}],
        }}) else {
            unreachable!()
        };
        let found: Vec<Cow<'_, str>> = references(&pod).into_iter().map(|(_, name)| name).collect();
        assert_eq!(found, ["pull", "s1", "s2", "s3", "c1", "c2", "c3", "a-e", "p1", "web"]);
    }
}
