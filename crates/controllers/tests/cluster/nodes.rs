//! What nodes ask for, and what is done for those that cannot ask any more.

use std::time::Duration;

use api::k8s::api::certificates::v1::CertificateSigningRequest;
use api::k8s::api::core::v1::{Event, Node, PersistentVolume, PersistentVolumeClaim, Pod};
use api::k8s::api::rbac::v1::ClusterRoleBinding;
use api::k8s::api::scheduling::v1::PriorityClass;
use api::k8s::api::storage::v1::VolumeAttachment;
use client::kube::Api;
use client::kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::world::{self, World};

const UNIQUE_NAME: &str = "kubernetes.io/csi/disks.example.com^disk-7";

/// A node whose kubelet leaves attaching to us, and a pod on it that uses a driver's disk.
async fn world_with_a_disk() -> World {
    let world = World::start().await;
    world.add_node("one").await;
    let managed = json!({"metadata": {"annotations": {
        "volumes.kubernetes.io/controller-managed-attach-detach": "true",
    }}});
    world.cluster::<Node>().patch("one", &PatchParams::default(), &Patch::Merge(managed)).await.unwrap();
    world
        .create::<PersistentVolume>(json!({
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "disk"},
            "spec": {
                "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "storageClassName": "manual",
                "csi": {"driver": "disks.example.com", "volumeHandle": "disk-7"},
            },
        }))
        .await;
    world
        .create::<PersistentVolumeClaim>(json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "default"},
            "spec": {
                "accessModes": ["ReadWriteOnce"], "storageClassName": "manual", "volumeName": "disk",
                "resources": {"requests": {"storage": "1Gi"}},
            },
        }))
        .await;
    world.create::<Pod>(user("writer")).await;
    world.until::<VolumeAttachment>("the order to attach", |all| all.len() == 1).await;
    world
}

fn user(name: &str) -> Value {
    let mut pod = world::pod(name);
    pod["spec"]["volumes"] = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]);
    pod
}

/// What the driver and the kubelet do once they are told.
async fn attach_and_mount(world: &World) {
    let api = world.cluster::<VolumeAttachment>();
    let attachment = api.list(&Default::default()).await.unwrap().items.remove(0);
    assert_eq!(attachment.spec.attacher, "disks.example.com");
    assert_eq!(attachment.spec.node_name, "one");
    assert_eq!(attachment.spec.source.persistent_volume_name.as_deref(), Some("disk"));
    let name = attachment.metadata.name.unwrap();
    let attached = Patch::Merge(json!({"status": {"attached": true}}));
    api.patch_status(&name, &PatchParams::default(), &attached).await.unwrap();
    world.until::<Node>("the node to be told", |nodes| attached_to(nodes) == [UNIQUE_NAME]).await;
    set_in_use(world, &[UNIQUE_NAME]).await;
}

async fn set_in_use(world: &World, names: &[&str]) {
    let patch = Patch::Merge(json!({"status": {"volumesInUse": names}}));
    world.cluster::<Node>().patch_status("one", &PatchParams::default(), &patch).await.unwrap();
}

fn attached_to(nodes: &[Node]) -> Vec<String> {
    let one = nodes.iter().filter(|node| node.metadata.name.as_deref() == Some("one"));
    let statuses = one.filter_map(|node| node.status.as_ref());
    statuses.flat_map(|status| status.volumes_attached.iter().flatten()).map(|volume| volume.name.clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_disk_is_attached_for_its_pod_and_detached_once_it_is_unmounted() {
    let world = world_with_a_disk().await;
    attach_and_mount(&world).await;
    world
        .until::<Event>("the success told", |events| {
            events.iter().any(|event| {
                event.reason.as_deref() == Some("SuccessfulAttachVolume")
                    && event.message.as_deref() == Some("AttachVolume.Attach succeeded for volume \"disk\" ")
            })
        })
        .await;
    world.namespaced::<Pod>().delete("writer", &DeleteParams::default()).await.unwrap();
    world.until::<Pod>("the pod gone", |pods| pods.is_empty()).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    world.until::<VolumeAttachment>("the disk kept while it is mounted", |all| all.len() == 1).await;
    set_in_use(&world, &[]).await;
    world.until::<VolumeAttachment>("the order taken back", |all| all.is_empty()).await;
    world.until::<Node>("the node told", |nodes| attached_to(nodes).is_empty()).await;
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_node_out_of_service_gives_up_its_pods_and_disks_at_once() {
    let world = world_with_a_disk().await;
    attach_and_mount(&world).await;
    world.silence("one").await;
    world
        .until::<Node>("the node lost", |nodes| {
            let conditions = nodes.iter().flat_map(|node| node.status.iter().flat_map(|status| &status.conditions));
            conditions.flatten().any(|told| told.type_ == "Ready" && told.status == "Unknown")
        })
        .await;
    let node = world.cluster::<Node>().get("one").await.unwrap();
    let mut taints = json!(node.spec.unwrap().taints.unwrap_or_default());
    let shut_down = json!({"key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute"});
    taints.as_array_mut().unwrap().push(shut_down);
    let patch = Patch::Merge(json!({"spec": {"taints": taints}}));
    world.cluster::<Node>().patch("one", &PatchParams::default(), &patch).await.unwrap();
    world.until::<Pod>("the pod gone without its kubelet", |pods| pods.is_empty()).await;
    world.until::<VolumeAttachment>("the order taken back", |all| all.is_empty()).await;
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_joining_nodes_request_is_approved_for_its_group() {
    let world = World::start().await;
    world
        .create::<ClusterRoleBinding>(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": "joining"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                "name": "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
            },
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:bootstrappers"}],
        }))
        .await;
    world
        .create::<ClusterRoleBinding>(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "asking"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:node-bootstrapper",
            },
            "subjects": [
                {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:bootstrappers"},
                {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "strangers"},
            ],
        }))
        .await;
    for (group, name) in [("strangers", "stranger"), ("system:bootstrappers", "joiner")] {
        let client = world.member("system:bootstrap:abcdef", group);
        let requests: Api<CertificateSigningRequest> = Api::all(client);
        requests.create(&PostParams::default(), &request(name)).await.unwrap();
    }
    let approved = |all: &[CertificateSigningRequest], name: &str| {
        let one = all.iter().find(|one| one.metadata.name.as_deref() == Some(name)).unwrap();
        let conditions = one.status.iter().flat_map(|status| status.conditions.iter().flatten());
        conditions.into_iter().any(|told| told.type_ == "Approved" && told.reason.as_deref() == Some("AutoApproved"))
    };
    world
        .until::<CertificateSigningRequest>("the joiner approved", |all| all.len() == 2 && approved(all, "joiner"))
        .await;
    // The stranger came first, and was looked at before.
    world.until::<CertificateSigningRequest>("the stranger not", |all| !approved(all, "stranger")).await;
    world.stop().await;
}

fn request(name: &str) -> CertificateSigningRequest {
    let mut subject = rcgen::DistinguishedName::new();
    subject.push(rcgen::DnType::CommonName, "system:node:new");
    subject.push(rcgen::DnType::OrganizationName, "system:nodes");
    let mut parameters = rcgen::CertificateParams::default();
    parameters.distinguished_name = subject;
    let key = rcgen::KeyPair::generate().unwrap();
    let pem = parameters.serialize_request(&key).unwrap().pem().unwrap();
    let mut request: CertificateSigningRequest = serde_json::from_value(json!({
        "metadata": {"name": name},
        "spec": {
            "request": "", "signerName": "kubernetes.io/kube-apiserver-client-kubelet",
            "usages": ["digital signature", "client auth"],
        },
    }))
    .unwrap();
    request.spec.request.0 = pem.into_bytes();
    request
}

#[tokio::test(start_paused = true)]
async fn a_promised_eviction_that_does_not_come_is_taken_back() {
    let world = World::start().await;
    world.add_node("one").await;
    world.create::<Pod>(world::pod("spared")).await;
    let target = |pods: &[Pod]| -> Option<String> {
        let conditions = pods[0].status.as_ref()?.conditions.as_ref()?;
        conditions.iter().find(|told| told.type_ == "DisruptionTarget").map(|told| told.status.clone())
    };
    world.until::<Pod>("a running pod", |pods| pods.iter().any(crate::ready)).await;
    let now = api::time::seconds(world.ambient().clock.now());
    let condition = json!({
        "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", "lastTransitionTime": now,
    });
    let patch = Patch::Strategic(json!({"status": {"conditions": [condition]}}));
    let began = tokio::time::Instant::now();
    world.namespaced::<Pod>().patch_status("spared", &PatchParams::default(), &patch).await.unwrap();
    world.until::<Pod>("the promise", |pods| target(pods).as_deref() == Some("True")).await;
    world.until::<Pod>("the promise taken back", |pods| target(pods).as_deref() == Some("False")).await;
    let waited = began.elapsed();
    assert!((119..122).contains(&waited.as_secs()), "{waited:?}");
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_important_pod_takes_a_lesser_ones_room_and_says_so() {
    let world = World::start().await;
    world.add_node("one").await;
    for (name, value) in [("low", 1), ("high", 100)] {
        world
            .create::<PriorityClass>(json!({
                "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name},
                "value": value,
            }))
            .await;
    }
    let wanting = |class: &str| {
        let mut pod = world::pod(class);
        pod["spec"]["priorityClassName"] = json!(class);
        pod["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "3"}});
        pod
    };
    world.create::<Pod>(wanting("low")).await;
    world.until::<Pod>("a running pod", |pods| pods.iter().any(crate::ready)).await;
    let high: Pod = world.create(wanting("high")).await;
    world
        .until::<Pod>("the important pod in its place", |pods| {
            pods.len() == 1 && pods[0].metadata.name.as_deref() == Some("high") && crate::ready(&pods[0])
        })
        .await;
    let told = format!("Preempted by pod {} on node one", high.metadata.uid.unwrap());
    world
        .until::<Event>("the victim told", |events| {
            events.iter().any(|event| {
                event.reason.as_deref() == Some("Preempted") && event.message.as_deref() == Some(told.as_str())
            })
        })
        .await;
    world.stop().await;
}
