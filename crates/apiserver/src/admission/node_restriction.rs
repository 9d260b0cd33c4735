//! A kubelet writes its own Node, its own Lease, and the pods bound to it.

use async_trait::async_trait;
use registry::Object;
use serde_json::Value;

use super::{Attributes, Operation, Plugin};
use crate::metadata;
use crate::status::ApiError;

/// Labels that say what a node is trusted for; no node may give them to itself.
const RESTRICTED_PREFIX: &str = "node-restriction.kubernetes.io";

/// Labels below `kubernetes.io` and `k8s.io` that a kubelet may set on its Node.
const OWN_LABELS: [&str; 12] = [
    "kubernetes.io/hostname",
    "kubernetes.io/os",
    "kubernetes.io/arch",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "node.kubernetes.io/instance-type",
    "beta.kubernetes.io/instance-type",
    "beta.kubernetes.io/os",
    "beta.kubernetes.io/arch",
    "node.kubernetes.io/windows-build",
];

pub(super) struct NodeRestriction;

#[async_trait]
impl Plugin for NodeRestriction {
    fn name(&self) -> &'static str {
        "NodeRestriction"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.call.user.node_name().is_some()
    }

    async fn validate(&self, attributes: &Attributes<'_>, object: Option<&Object>) -> Result<(), ApiError> {
        let Some(node) = attributes.call.user.node_name() else { return Ok(()) };
        match (attributes.kind.group, attributes.kind.plural) {
            ("", "nodes") => check_node(attributes, node, object),
            ("", "pods") => check_pod(attributes, node, object),
            ("coordination.k8s.io", "leases") => {
                if attributes.namespace != "kube-node-lease" {
                    let why = "can only access leases in the \"kube-node-lease\" system namespace";
                    return Err(attributes.forbidden(why));
                }
                only_named(attributes, node, "can only access node lease with the same name as the requesting node")
            }
            ("storage.k8s.io", "csinodes") => {
                only_named(attributes, node, "can only access CSINode with the same name as the requesting node")
            }
            _ => Ok(()),
        }
    }
}

fn only_named(attributes: &Attributes<'_>, node: &str, why: &str) -> Result<(), ApiError> {
    if attributes.name == node { Ok(()) } else { Err(attributes.forbidden(why)) }
}

fn check_node(attributes: &Attributes<'_>, node: &str, object: Option<&Object>) -> Result<(), ApiError> {
    if attributes.name != node {
        let why = format!("node {node:?} is not allowed to modify node {:?}", attributes.name);
        return Err(attributes.forbidden(&why));
    }
    let Some(object) = object else {
        let why = format!("node {node:?} is not allowed to delete node {:?}", attributes.name);
        return Err(attributes.forbidden(&why));
    };
    let old = attributes.old;
    if let Some(old) = old {
        let taints = |node: &Object| node.get("spec").and_then(|spec| spec.get("taints")).cloned();
        if taints(object) != taints(old) {
            let why = format!("node {node:?} is not allowed to modify taints");
            return Err(attributes.forbidden(&why));
        }
        let owners = |node: &Object| node.get("metadata").and_then(|metadata| metadata.get("ownerReferences")).cloned();
        if owners(object) != owners(old) {
            let why = format!("node {node:?} is not allowed to modify ownerReferences");
            return Err(attributes.forbidden(&why));
        }
    }
    let mut refused: Vec<&str> =
        changed_labels(object, old).into_iter().filter(|label| !may_set_label(label)).collect();
    refused.sort_unstable();
    if refused.is_empty() {
        return Ok(());
    }
    let why = format!("is not allowed to modify labels: {}", refused.join(", "));
    Err(attributes.forbidden(&why))
}

fn changed_labels<'a>(object: &'a Object, old: Option<&'a Object>) -> Vec<&'a str> {
    let empty = serde_json::Map::new();
    let after = metadata::map(object, "labels").unwrap_or(&empty).clone();
    let before = old.and_then(|old| metadata::map(old, "labels")).unwrap_or(&empty).clone();
    let named = metadata::map(object, "labels").into_iter().flat_map(|labels| labels.keys());
    let removed = old.and_then(|old| metadata::map(old, "labels")).into_iter().flat_map(|labels| labels.keys());
    let mut keys: Vec<&str> =
        named.chain(removed).filter(|key| after.get(*key) != before.get(*key)).map(String::as_str).collect();
    keys.dedup();
    keys
}

fn may_set_label(label: &str) -> bool {
    let prefix = label.split_once('/').map_or("", |(prefix, _)| prefix);
    let below = |domain: &str| prefix == domain || prefix.ends_with(&format!(".{domain}"));
    if below(RESTRICTED_PREFIX) {
        return false;
    }
    if OWN_LABELS.contains(&label) || below("kubelet.kubernetes.io") || below("node.kubernetes.io") {
        return true;
    }
    !below("kubernetes.io") && !below("k8s.io")
}

fn check_pod(attributes: &Attributes<'_>, node: &str, object: Option<&Object>) -> Result<(), ApiError> {
    let bound = |pod: &Object| {
        pod.get("spec").and_then(|spec| spec.get("nodeName")).and_then(Value::as_str).unwrap_or("").to_owned()
    };
    if attributes.operation == Operation::Create {
        let Some(pod) = object else { return Ok(()) };
        let annotations = metadata::map(pod, "annotations");
        if annotations.is_none_or(|annotations| !annotations.contains_key("kubernetes.io/config.mirror")) {
            let why = format!(
                "pod does not have \"kubernetes.io/config.mirror\" annotation, node {node:?} can only create mirror pods"
            );
            return Err(attributes.forbidden(&why));
        }
        if bound(pod) != node {
            let why = format!("node {node:?} can only create pods with spec.nodeName set to itself");
            return Err(attributes.forbidden(&why));
        }
        let spec = pod.get("spec").unwrap_or(&Value::Null);
        if spec.get("serviceAccountName").and_then(Value::as_str).is_some_and(|name| !name.is_empty()) {
            let why = format!("node {node:?} can not create pods that reference a service account");
            return Err(attributes.forbidden(&why));
        }
        return Ok(());
    }
    let Some(old) = attributes.old else { return Ok(()) };
    let verb = match (attributes.operation, attributes.subresource) {
        (Operation::Delete, _) => "delete pods",
        (_, "status") => "update pod status for pods",
        _ => {
            return Err(attributes
                .forbidden(&format!("unexpected operation, node {node:?} can only create and delete mirror pods")));
        }
    };
    if bound(old) != node {
        let why = format!("node {node:?} can only {verb} with spec.nodeName set to itself");
        return Err(attributes.forbidden(&why));
    }
    if let (Some(object), "status") = (object, attributes.subresource)
        && !changed_labels(object, Some(old)).is_empty()
    {
        return Err(attributes.forbidden(&format!("node {node:?} cannot update labels through pod status")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_labels_itself_only_with_what_nobody_trusts() {
        for (label, expected) in [
            ("kubernetes.io/hostname", true),
            ("node.kubernetes.io/anything", true),
            ("example.com/rack", true),
            ("rack", true),
            ("node-role.kubernetes.io/control-plane", false),
            ("node-restriction.kubernetes.io/pci", false),
            ("a.node-restriction.kubernetes.io/pci", false),
            ("foo.k8s.io/bar", false),
        ] {
            assert_eq!(may_set_label(label), expected, "{label}");
        }
    }
}
