//! Controllers and scheduler against the real API server on virtual time, with nodes that only claim to
//! run pods.

mod election;
mod nodes;
mod properties;
mod ranges;
mod storage;
mod world;

use std::time::Duration;

use api::k8s::api::apps::v1::{Deployment, ReplicaSet};
use api::k8s::api::core::v1::{ConfigMap, Endpoints, Event, Namespace, Node, Pod, Service, ServiceAccount};
use api::k8s::api::discovery::v1::EndpointSlice;
use client::kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;
use world::World;

fn deployment(replicas: i32, image: &str) -> serde_json::Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{
                    "name": "main",
                    "image": image,
                    "ports": [{"name": "http", "containerPort": 8080}],
                }]},
            },
        },
    })
}

fn ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

#[tokio::test(start_paused = true)]
async fn a_deployment_rolls_out_is_served_scales_and_goes() {
    let world = World::start().await;
    world.add_node("one").await;
    world.add_node("two").await;
    world.create::<Deployment>(deployment(3, "v1")).await;
    world.until::<Pod>("three ready pods", |pods| pods.iter().filter(|pod| ready(pod)).count() == 3).await;

    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]},
    });
    world.create::<Service>(service).await;
    world
        .until::<EndpointSlice>("a slice of three", |slices| {
            slices.iter().any(|slice| {
                let ports = slice.ports.iter().flatten().map(|port| port.port);
                slice
                    .metadata
                    .labels
                    .as_ref()
                    .is_some_and(|labels| labels.get("kubernetes.io/service-name").is_some_and(|name| name == "web"))
                    && slice
                        .endpoints
                        .iter()
                        .flatten()
                        .filter(|endpoint| endpoint.conditions.as_ref().unwrap().ready == Some(true))
                        .count()
                        == 3
                    && ports.eq([Some(8080)])
            })
        })
        .await;
    world
        .until::<Endpoints>("three addresses", |endpoints| {
            let subsets = endpoints.iter().filter(|one| one.metadata.name.as_deref() == Some("web"));
            subsets
                .flat_map(|one| one.subsets.iter().flatten())
                .flat_map(|subset| subset.addresses.iter().flatten())
                .count()
                == 3
        })
        .await;
    world
        .until::<Deployment>("a finished rollout", |deployments| {
            let status = deployments[0].status.clone().unwrap_or_default();
            let done =
                status.conditions.iter().flatten().any(|told| told.reason.as_deref() == Some("NewReplicaSetAvailable"));
            done && status.available_replicas == Some(3)
                && status.observed_generation == deployments[0].metadata.generation
        })
        .await;

    let patch = json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "v2"}]}}}});
    world.namespaced::<Deployment>().patch("web", &PatchParams::default(), &Patch::Strategic(patch)).await.unwrap();
    world
        .until::<Pod>("three pods of the new version", |pods| {
            let images = |pod: &Pod| pod.spec.as_ref().unwrap().containers[0].image.clone().unwrap();
            pods.len() == 3 && pods.iter().all(|pod| ready(pod) && images(pod) == "v2")
        })
        .await;
    world
        .until::<ReplicaSet>("the old set at zero", |sets| {
            let mut sizes: Vec<_> = sets.iter().map(|set| set.spec.replicas.unwrap()).collect();
            sizes.sort_unstable();
            sizes == [0, 3]
        })
        .await;

    let patch = json!({"spec": {"replicas": 5}});
    world.namespaced::<Deployment>().patch("web", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    world.until::<Pod>("five ready pods", |pods| pods.iter().filter(|pod| ready(pod)).count() == 5).await;
    world
        .until::<Event>("the story told", |events| {
            let told = |reason: &str, message: &str| {
                events.iter().any(|event| {
                    event.reason.as_deref() == Some(reason)
                        && event.message.as_deref().unwrap_or_default().contains(message)
                })
            };
            told("ScalingReplicaSet", "from 0 to 3")
                && told("ScalingReplicaSet", "from 3 to 5")
                && told("SuccessfulCreate", "Created pod: web-")
                && told("Scheduled", "Successfully assigned default/web-")
        })
        .await;

    world.namespaced::<Deployment>().delete("web", &DeleteParams::background()).await.unwrap();
    world.until::<Pod>("no pods", |pods| pods.is_empty()).await;
    world.until::<ReplicaSet>("no sets", |sets| sets.is_empty()).await;
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_pod_is_bound_in_no_time_once_there_is_room() {
    let world = World::start().await;
    world.create::<Pod>(world::pod("waiting")).await;
    world
        .until::<Pod>("a reason to wait", |pods| {
            let conditions =
                pods.iter().flat_map(|pod| pod.status.iter()).flat_map(|status| status.conditions.iter().flatten());
            conditions.into_iter().any(|told| told.message.as_deref() == Some("no nodes available to schedule pods"))
        })
        .await;
    world.add_node("one").await;
    world.until::<Pod>("a bound pod", |pods| pods[0].spec.as_ref().unwrap().node_name.is_some()).await;
    let before = tokio::time::Instant::now();
    world.create::<Pod>(world::pod("second")).await;
    world.until::<Pod>("both ready", |pods| pods.iter().filter(|pod| ready(pod)).count() == 2).await;
    assert!(before.elapsed() < Duration::from_millis(5), "nothing on the way waits: {:?}", before.elapsed());
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn every_namespace_is_furnished_and_goes_with_all_its_content() {
    let world = World::start().await;
    world.add_node("one").await;
    world.create::<Namespace>(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})).await;
    world
        .until::<ServiceAccount>("an account", |accounts| {
            accounts.iter().any(|one| one.metadata.namespace.as_deref() == Some("shop"))
        })
        .await;
    world
        .until::<ConfigMap>("the CA", |maps| {
            maps.iter().any(|map| {
                map.metadata.namespace.as_deref() == Some("shop")
                    && map
                        .data
                        .as_ref()
                        .is_some_and(|data| data.get("ca.crt").is_some_and(|pem| pem == world::CLUSTER_CA))
            })
        })
        .await;
    let mut pod = world::pod("tenant");
    pod["metadata"]["namespace"] = json!("shop");
    world.create::<Pod>(pod).await;
    world.until::<Pod>("a ready pod", |pods| pods.iter().any(ready)).await;
    world.cluster::<Namespace>().delete("shop", &DeleteParams::default()).await.unwrap();
    world
        .until::<Namespace>("the namespace gone", |all| {
            all.iter().all(|one| one.metadata.name.as_deref() != Some("shop"))
        })
        .await;
    world.until::<Pod>("its pod gone", |pods| pods.is_empty()).await;
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_node_loses_its_pods_to_another() {
    let world = World::start().await;
    world.add_node("one").await;
    world.create::<Deployment>(deployment(1, "v1")).await;
    world.until::<Pod>("a ready pod", |pods| pods.iter().any(ready)).await;
    world.add_node("two").await;
    world.silence("one").await;
    world
        .until::<Node>("the node lost", |nodes| {
            let lost = nodes.iter().find(|node| node.metadata.name.as_deref() == Some("one")).unwrap();
            let conditions = lost.status.iter().flat_map(|status| status.conditions.iter().flatten());
            let taints = lost.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
            conditions.into_iter().any(|told| told.type_ == "Ready" && told.status == "Unknown")
                && taints
                    .into_iter()
                    .any(|taint| taint.key == "node.kubernetes.io/unreachable" && taint.effect == "NoExecute")
        })
        .await;
    world
        .until::<Pod>("the pod on the other node", |pods| {
            pods.iter().any(|pod| ready(pod) && pod.spec.as_ref().unwrap().node_name.as_deref() == Some("two"))
        })
        .await;
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_cluster_is_quiet() {
    let world = World::start().await;
    world.add_node("one").await;
    world.create::<Deployment>(deployment(3, "v1")).await;
    world
        .until::<Deployment>("a finished rollout", |deployments| {
            deployments[0].status.as_ref().is_some_and(|status| status.available_replicas == Some(3))
        })
        .await;
    // Beyond every deadline of the rollout.
    tokio::time::sleep(Duration::from_secs(700)).await;
    let before = world.calls();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(world.calls() - before, 0, "nothing changes, so nobody asks");
    world.stop().await;
}
