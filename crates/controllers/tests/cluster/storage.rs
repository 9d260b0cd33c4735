//! Claims and volumes: bound, made, grown, kept while in use, and given back.

use std::path::Path;

use api::k8s::api::core::v1::{Event, PersistentVolume, PersistentVolumeClaim, Pod};
use api::k8s::api::storage::v1::StorageClass;
use client::kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::world::{self, World};

fn claim(name: &str, class: Option<&str>, size: &str) -> Value {
    let mut claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": "default"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}},
    });
    if let Some(class) = class {
        claim["spec"]["storageClassName"] = json!(class);
    }
    claim
}

fn user_of(claim: &str) -> Value {
    let mut pod = world::pod(&format!("user-of-{claim}"));
    pod["spec"]["volumes"] = json!([{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]);
    pod
}

fn volume(name: &str, size: &str, policy: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"], "capacity": {"storage": size}, "storageClassName": "manual",
            "persistentVolumeReclaimPolicy": policy, "hostPath": {"path": "/tmp/none"},
        },
    })
}

fn phase_of_claim(claim: &PersistentVolumeClaim) -> Option<&str> {
    claim.status.as_ref()?.phase.as_deref()
}

fn phase_of_volume(volume: &PersistentVolume) -> Option<&str> {
    volume.status.as_ref()?.phase.as_deref()
}

fn is_running(pod: &Pod) -> bool {
    pod.status.as_ref().is_some_and(|status| status.phase.as_deref() == Some("Running"))
}

async fn told(world: &World, reason: &str, message: &str) {
    let what = format!("an event {reason}: {message}");
    world
        .until::<Event>(&what, |events| {
            events.iter().any(|event| {
                event.reason.as_deref() == Some(reason) && event.message.as_deref().unwrap_or("").contains(message)
            })
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_claim_waits_for_its_pod_gets_a_folder_on_its_node_and_takes_it_along() {
    let world = World::start().await;
    let folders = world.start_volume_agent("one");
    world
        .until::<StorageClass>("the default class", |classes| {
            classes.iter().any(|class| class.metadata.name.as_deref() == Some("local"))
        })
        .await;
    world.create::<PersistentVolumeClaim>(claim("data", None, "1Gi")).await;
    told(&world, "WaitForFirstConsumer", "waiting for first consumer to be created before binding").await;
    world.create::<Pod>(user_of("data")).await;
    world.add_node("one").await;
    world.until::<Pod>("a running pod", |pods| pods.iter().any(is_running)).await;
    world.until::<PersistentVolumeClaim>("a bound claim", |all| phase_of_claim(&all[0]) == Some("Bound")).await;
    told(&world, "ProvisioningSucceeded", "Successfully provisioned volume pvc-").await;
    let all = world.cluster::<PersistentVolume>().list(&Default::default()).await.unwrap();
    let path = all.items[0].spec.as_ref().unwrap().host_path.as_ref().unwrap().path.clone();
    assert!(Path::new(&path).starts_with(folders.path()));
    folders.until(|| Path::new(&path).is_dir()).await;
    std::fs::write(Path::new(&path).join("file"), "kept").unwrap();

    // It grows when it is asked to.
    let larger = json!({"spec": {"resources": {"requests": {"storage": "3Gi"}}}});
    let claims = world.namespaced::<PersistentVolumeClaim>();
    claims.patch("data", &PatchParams::default(), &Patch::Merge(larger)).await.unwrap();
    world
        .until::<PersistentVolumeClaim>("more room", |all| {
            let capacity = all[0].status.as_ref().and_then(|status| status.capacity.clone());
            capacity.is_some_and(|capacity| capacity["storage"].0 == "3Gi")
        })
        .await;
    world
        .until::<PersistentVolume>("a larger volume", |all| {
            all[0].spec.as_ref().unwrap().capacity.as_ref().unwrap()["storage"].0 == "3Gi"
        })
        .await;

    // It stays while its pod does, and its folder goes with it.
    claims.delete("data", &DeleteParams::default()).await.unwrap();
    world
        .until::<PersistentVolumeClaim>("a claim on its way", |all| all[0].metadata.deletion_timestamp.is_some())
        .await;
    world.namespaced::<Pod>().delete("user-of-data", &DeleteParams::default()).await.unwrap();
    world.until::<PersistentVolumeClaim>("no claim", |all| all.is_empty()).await;
    folders.until(|| !Path::new(&path).exists()).await;
    world.until::<PersistentVolume>("no volume", |all| all.is_empty()).await;
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn volumes_made_by_hand_are_bound_kept_and_not_given_twice() {
    let world = World::start().await;
    world.create::<PersistentVolume>(volume("small", "1Gi", "Retain")).await;
    world.create::<PersistentVolume>(volume("large", "9Gi", "Recycle")).await;
    world
        .until::<PersistentVolume>("both free", |all| {
            all.len() == 2 && all.iter().all(|volume| phase_of_volume(volume) == Some("Available"))
        })
        .await;
    world.create::<PersistentVolumeClaim>(claim("first", Some("manual"), "500Mi")).await;
    world
        .until::<PersistentVolume>("the small one taken", |all| {
            all.iter().any(|one| one.metadata.name.as_deref() == Some("small") && phase_of_volume(one) == Some("Bound"))
        })
        .await;
    world.create::<PersistentVolumeClaim>(claim("second", Some("manual"), "500Mi")).await;
    world.create::<PersistentVolumeClaim>(claim("third", Some("manual"), "500Mi")).await;
    let both = |all: &[PersistentVolumeClaim]| {
        let bound = all.iter().filter(|claim| phase_of_claim(claim) == Some("Bound"));
        let sizes = bound.map(|claim| claim.status.as_ref().unwrap().capacity.as_ref().unwrap()["storage"].0.clone());
        let mut sizes: Vec<String> = sizes.collect();
        sizes.sort();
        sizes == ["1Gi", "9Gi"] && all.iter().filter(|claim| phase_of_claim(claim) == Some("Pending")).count() == 1
    };
    world.until::<PersistentVolumeClaim>("two bound and one waiting", both).await;
    told(&world, "ProvisioningFailed", "storageclass.storage.k8s.io \"manual\" not found").await;

    let claims = world.namespaced::<PersistentVolumeClaim>();
    for name in ["first", "second"] {
        claims.delete(name, &DeleteParams::default()).await.unwrap();
    }
    let phase = |name: &'static str, wanted: &'static str| {
        move |all: &[PersistentVolume]| {
            all.iter().any(|one| one.metadata.name.as_deref() == Some(name) && phase_of_volume(one) == Some(wanted))
        }
    };
    world.until("the small one kept for whoever clears it", phase("small", "Released")).await;
    told(&world, "VolumeFailedRecycle", "No recycler plugin found for the volume!").await;
    world.until("the large one set aside", phase("large", "Failed")).await;

    let cleared = json!({"spec": {"claimRef": null}});
    let volumes = world.cluster::<PersistentVolume>();
    volumes.patch("small", &PatchParams::default(), &Patch::Merge(cleared)).await.unwrap();
    world.until("the waiting claim served", phase("small", "Bound")).await;

    volumes.delete("small", &DeleteParams::default()).await.unwrap();
    world
        .until::<PersistentVolume>("a bound volume that stays", |all| {
            all.iter().any(|one| one.metadata.deletion_timestamp.is_some() && phase_of_volume(one) == Some("Bound"))
        })
        .await;
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_cloud_class_is_served_here_and_says_so() {
    let world = World::start().await;
    let _folders = world.start_volume_agent("one");
    world.add_node("one").await;
    let class = json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "gp2"},
        "provisioner": "kubernetes.io/aws-ebs", "parameters": {"type": "gp2"}, "reclaimPolicy": "Retain",
    });
    world.create::<StorageClass>(class).await;
    world.create::<PersistentVolumeClaim>(claim("data", Some("gp2"), "1Gi")).await;
    world.until::<PersistentVolumeClaim>("a bound claim", |all| phase_of_claim(&all[0]) == Some("Bound")).await;
    told(&world, "ProvisioningLocally", "No cloud serves \"kubernetes.io/aws-ebs\" here").await;

    // Kept after its claim, as the class says.
    world.namespaced::<PersistentVolumeClaim>().delete("data", &DeleteParams::default()).await.unwrap();
    world.until::<PersistentVolume>("a kept volume", |all| phase_of_volume(&all[0]) == Some("Released")).await;
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_pod_brings_its_claim_along() {
    let world = World::start().await;
    let _folders = world.start_volume_agent("one");
    world.add_node("one").await;
    let template = json!({"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    let mut pod = world::pod("web");
    pod["spec"]["volumes"] = json!([{"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}}]);
    world.create::<Pod>(pod).await;
    world.until::<Pod>("a running pod", |pods| pods.iter().any(is_running)).await;
    world
        .until::<PersistentVolumeClaim>("its claim", |all| {
            all.iter().any(|claim| {
                claim.metadata.name.as_deref() == Some("web-scratch") && phase_of_claim(claim) == Some("Bound")
            })
        })
        .await;
    world.namespaced::<Pod>().delete("web", &DeleteParams::default()).await.unwrap();
    world.until::<PersistentVolumeClaim>("no claim", |all| all.is_empty()).await;
    world.until::<PersistentVolume>("no volume", |all| all.is_empty()).await;
    world.stop().await;
}
