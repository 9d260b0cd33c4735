//! Which node a volume goes to, and what the volume looks like.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::NamespacedName;
use api::k8s::api::core::v1::{
    HostPathVolumeSource, Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, ObjectReference,
    PersistentVolume, PersistentVolumeClaim, PersistentVolumeSpec, VolumeNodeAffinity,
};
use api::k8s::api::storage::v1::StorageClass;
use api::k8s::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use api::volumes::{self, PROVISIONED_BY, SELECTED_NODE, STORAGE_PROVISIONER};

/// What storage classes name.
pub(crate) const NAME: &str = "pintle.dev/local";
/// On a volume: the node that has its folder.
const NODE: &str = "pintle.dev/node";
const HOSTNAME: &str = "kubernetes.io/hostname";

/// Provisioners of clouds, once part of upstream: manifests still name them.
const CLOUDS: &[&str] = &[
    "kubernetes.io/aws-ebs",
    "kubernetes.io/azure-disk",
    "kubernetes.io/azure-file",
    "kubernetes.io/cinder",
    "kubernetes.io/flocker",
    "kubernetes.io/gce-pd",
    "kubernetes.io/glusterfs",
    "kubernetes.io/host-path",
    "kubernetes.io/photon-pd",
    "kubernetes.io/portworx-volume",
    "kubernetes.io/quobyte",
    "kubernetes.io/rbd",
    "kubernetes.io/scaleio",
    "kubernetes.io/storageos",
    "kubernetes.io/vsphere-volume",
];

/// Whether classes of that provisioner are served here.
pub(crate) fn is_ours(provisioner: &str) -> bool {
    provisioner == NAME || CLOUDS.contains(&provisioner)
}

/// Whether the claim has no volume, and the binder marked it for us.
pub(super) fn asks_us(claim: &PersistentVolumeClaim) -> bool {
    let marked = claim.metadata.annotations.as_ref().and_then(|annotations| annotations.get(STORAGE_PROVISIONER));
    marked.is_some_and(|provisioner| is_ours(provisioner))
        && volumes::volume_name(claim).is_empty()
        && claim.metadata.deletion_timestamp.is_none()
}

pub(super) struct View<'a> {
    pub(super) class: &'a StorageClass,
    pub(super) nodes: &'a [Arc<Node>],
    pub(super) volumes: &'a [Arc<PersistentVolume>],
    pub(super) folder: &'a str,
}

#[derive(Debug, PartialEq)]
pub(super) enum Plan {
    Wait,
    Make(Box<PersistentVolume>),
    Fail(String),
    /// The node that the scheduler chose is gone: let it choose anew.
    Reschedule,
}

pub(super) fn plan(claim: &PersistentVolumeClaim, view: &View<'_>) -> Plan {
    let class_name = volumes::class_of_claim(claim);
    let fail = |why: &str| Plan::Fail(format!("failed to provision volume with StorageClass \"{class_name}\": {why}"));
    let Some(spec) = &claim.spec else { return Plan::Wait };
    if spec.volume_mode.as_deref() == Some("Block") {
        return fail("node-local folders do not support block volume provisioning");
    }
    if spec.selector.is_some() {
        return fail("claim Selector is not supported");
    }
    let chosen = claim.metadata.annotations.as_ref().and_then(|annotations| annotations.get(SELECTED_NODE));
    let is_delayed = view.class.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer");
    let node = match chosen {
        Some(chosen) => match view.nodes.iter().find(|node| node.metadata.name.as_ref() == Some(chosen)) {
            Some(node) => node,
            None => return Plan::Reschedule,
        },
        None if is_delayed => return Plan::Wait,
        None => match emptiest_node(view) {
            Some(node) => node,
            None => return fail("no node is ready"),
        },
    };
    Plan::Make(Box::new(volume(claim, view, node)))
}

/// Ready, and open for pods.
pub(super) fn is_usable(node: &Node) -> bool {
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let is_ready = conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True");
    is_ready && node.spec.as_ref().is_none_or(|spec| spec.unschedulable != Some(true))
}

/// The node of a volume that was made here.
pub(super) fn node_of(volume: &PersistentVolume) -> Option<&str> {
    let annotations = volume.metadata.annotations.as_ref()?;
    annotations.get(PROVISIONED_BY).filter(|provisioner| *provisioner == NAME)?;
    annotations.get(NODE).map(String::as_str)
}

/// Whether the volume was made here, and is to be removed now that its claim is gone.
pub(super) fn is_to_go(volume: &PersistentVolume) -> bool {
    let phase = volume.status.as_ref().and_then(|status| status.phase.as_deref());
    let policy = volume.spec.as_ref().and_then(|spec| spec.persistent_volume_reclaim_policy.as_deref());
    node_of(volume).is_some()
        && phase == Some("Released")
        && policy == Some("Delete")
        && volume.metadata.deletion_timestamp.is_none()
}

/// The name of a volume's folder, which tells people whose it is.
pub(super) fn folder_name(volume: &str, claim: &NamespacedName) -> String {
    format!("{volume}_{}_{}", claim.namespace, claim.name)
}

/// Among the nodes that the class allows, the one with the fewest volumes.
fn emptiest_node<'a>(view: &View<'a>) -> Option<&'a Arc<Node>> {
    let mut volumes: BTreeMap<&str, usize> = BTreeMap::new();
    for node in view.volumes.iter().filter_map(|volume| node_of(volume)) {
        *volumes.entry(node).or_default() += 1;
    }
    let name = |node: &'a Node| node.metadata.name.as_deref().unwrap_or_default();
    let usable = view.nodes.iter().filter(|node| is_usable(node) && is_allowed(view.class, node));
    usable.min_by_key(|node| (volumes.get(name(node)).copied().unwrap_or(0), name(node)))
}

/// Whether the class's topologies admit the node; none admit every one.
fn is_allowed(class: &StorageClass, node: &Node) -> bool {
    let Some(terms) = class.allowed_topologies.as_ref().filter(|terms| !terms.is_empty()) else { return true };
    let label = |key: &str| node.metadata.labels.as_ref().and_then(|labels| labels.get(key));
    terms.iter().any(|term| {
        let mut requirements = term.match_label_expressions.iter().flatten();
        requirements.all(|requirement| label(&requirement.key).is_some_and(|value| requirement.values.contains(value)))
    })
}

fn volume(claim: &PersistentVolumeClaim, view: &View<'_>, node: &Node) -> PersistentVolume {
    let key = NamespacedName::of(&claim.metadata);
    let name = format!("pvc-{}", claim.metadata.uid.as_deref().unwrap_or_default());
    let node_name = node.metadata.name.clone().unwrap_or_default();
    let hostname = node.metadata.labels.as_ref().and_then(|labels| labels.get(HOSTNAME)).unwrap_or(&node_name).clone();
    let spec = claim.spec.clone().unwrap_or_default();
    let requests = spec.resources.and_then(|resources| resources.requests).unwrap_or_default();
    let here =
        NodeSelectorRequirement { key: HOSTNAME.to_owned(), operator: "In".to_owned(), values: Some(vec![hostname]) };
    let term = NodeSelectorTerm { match_expressions: Some(vec![here]), match_fields: None };
    PersistentVolume {
        metadata: ObjectMeta {
            annotations: Some([(PROVISIONED_BY.to_owned(), NAME.to_owned()), (NODE.to_owned(), node_name)].into()),
            name: Some(name.clone()),
            ..ObjectMeta::default()
        },
        spec: Some(PersistentVolumeSpec {
            access_modes: spec.access_modes,
            capacity: Some(requests.into_iter().filter(|(resource, _)| resource == "storage").collect()),
            claim_ref: Some(ObjectReference {
                api_version: Some("v1".to_owned()),
                kind: Some("PersistentVolumeClaim".to_owned()),
                name: Some(key.name.clone()),
                namespace: Some(key.namespace.clone()),
                uid: claim.metadata.uid.clone(),
                resource_version: claim.metadata.resource_version.clone(),
                ..ObjectReference::default()
            }),
            host_path: Some(HostPathVolumeSource {
                path: format!("{}/{}", view.folder.trim_end_matches('/'), folder_name(&name, &key)),
                type_: Some("DirectoryOrCreate".to_owned()),
            }),
            mount_options: view.class.mount_options.clone(),
            node_affinity: Some(VolumeNodeAffinity {
                required: Some(NodeSelector { node_selector_terms: vec![term] }),
            }),
            persistent_volume_reclaim_policy: view.class.reclaim_policy.clone(),
            storage_class_name: Some(volumes::class_of_claim(claim).to_owned()),
            volume_mode: spec.volume_mode,
            ..PersistentVolumeSpec::default()
        }),
        status: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn node(name: &str, status: &str) -> Arc<Node> {
        let conditions = json!([{"type": "Ready", "status": status}]);
        let labels = json!({HOSTNAME: format!("{name}.example"), "zone": if name == "three" { "b" } else { "a" }});
        let node = json!({"metadata": {"name": name, "labels": labels}, "status": {"conditions": conditions}});
        Arc::new(serde_json::from_value(node).unwrap())
    }

    fn class(mode: &str, more: Value) -> StorageClass {
        let mut class = json!({"metadata": {"name": "fast"}, "provisioner": NAME, "reclaimPolicy": "Retain",
            "volumeBindingMode": mode});
        for (key, value) in more.as_object().unwrap() {
            class[key] = value.clone();
        }
        serde_json::from_value(class).unwrap()
    }

    fn claim(selected: Option<&str>, more: Value) -> PersistentVolumeClaim {
        let mut spec = json!({"storageClassName": "fast", "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}}});
        for (key, value) in more.as_object().unwrap() {
            spec[key] = value.clone();
        }
        let mut annotations = json!({STORAGE_PROVISIONER: NAME});
        if let Some(selected) = selected {
            annotations[SELECTED_NODE] = json!(selected);
        }
        let metadata = json!({"name": "data", "namespace": "shop", "uid": "42", "annotations": annotations});
        serde_json::from_value(json!({"metadata": metadata, "spec": spec})).unwrap()
    }

    fn placed_on(node: &str) -> Arc<PersistentVolume> {
        let annotations = json!({PROVISIONED_BY: NAME, NODE: node});
        Arc::new(serde_json::from_value(json!({"metadata": {"annotations": annotations}})).unwrap())
    }

    #[test]
    fn a_volume_goes_where_its_pod_goes_or_where_there_are_fewest() {
        let nodes = [node("one", "True"), node("two", "True"), node("three", "True"), node("ill", "Unknown")];
        let made = [placed_on("one"), placed_on("one"), placed_on("two")];
        let zone = json!({"allowedTopologies": [{"matchLabelExpressions": [{"key": "zone", "values": ["a"]}]}]});
        let nowhere = json!({"allowedTopologies": [{"matchLabelExpressions": [{"key": "zone", "values": ["c"]}]}]});
        let why = |why: &str| format!("failed: failed to provision volume with StorageClass \"fast\": {why}");
        for (class, claim, expected) in [
            (class("WaitForFirstConsumer", json!({})), claim(None, json!({})), "wait".to_owned()),
            (class("WaitForFirstConsumer", json!({})), claim(Some("one"), json!({})), "one".to_owned()),
            (class("WaitForFirstConsumer", json!({})), claim(Some("gone"), json!({})), "reschedule".to_owned()),
            (class("Immediate", json!({})), claim(None, json!({})), "three".to_owned()),
            (class("Immediate", zone), claim(None, json!({})), "two".to_owned()),
            (class("Immediate", nowhere), claim(None, json!({})), why("no node is ready")),
            (
                class("Immediate", json!({})),
                claim(None, json!({"volumeMode": "Block"})),
                why("node-local folders do not support block volume provisioning"),
            ),
        ] {
            let view = View { class: &class, nodes: &nodes, volumes: &made, folder: "/data/volumes/" };
            let told = match plan(&claim, &view) {
                Plan::Wait => "wait".to_owned(),
                Plan::Reschedule => "reschedule".to_owned(),
                Plan::Fail(why) => format!("failed: {why}"),
                Plan::Make(volume) => node_of(&volume).unwrap().to_owned(),
            };
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn a_volume_is_tied_to_its_claim_and_its_node() {
        let (class, nodes) = (class("Immediate", json!({"mountOptions": ["ro"]})), [node("one", "True")]);
        let view = View { class: &class, nodes: &nodes, volumes: &[], folder: "/data/volumes" };
        let Plan::Make(volume) = plan(&claim(None, json!({})), &view) else { panic!("nothing is made") };
        assert_eq!(volume.metadata.name.as_deref(), Some("pvc-42"));
        let spec = volume.spec.clone().unwrap();
        assert_eq!(spec.host_path.unwrap().path, "/data/volumes/pvc-42_shop_data");
        assert_eq!(spec.capacity.unwrap()["storage"].0, "1Gi");
        assert_eq!(spec.persistent_volume_reclaim_policy.as_deref(), Some("Retain"));
        assert_eq!(spec.mount_options, Some(vec!["ro".to_owned()]));
        assert!(volumes::is_bound_to(&volume, &claim(None, json!({}))));
        let labels = |name: &str| BTreeMap::from([(HOSTNAME.to_owned(), name.to_owned())]);
        assert!(volumes::is_reachable(&volume, "one", &labels("one.example")));
        assert!(!volumes::is_reachable(&volume, "one", &labels("two.example")));
    }

    #[test]
    fn clouds_are_served_and_others_provisioners_are_not() {
        for (provisioner, expected) in [
            (NAME, true),
            ("kubernetes.io/aws-ebs", true),
            ("kubernetes.io/gce-pd", true),
            ("kubernetes.io/no-provisioner", false),
            ("ebs.csi.aws.com", false),
        ] {
            assert_eq!(is_ours(provisioner), expected, "{provisioner}");
        }
    }
}
