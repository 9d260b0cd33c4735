//! Ranges of Service addresses that users add and take away.

use api::k8s::api::core::v1::Service;
use api::k8s::api::networking::v1::ServiceCIDR;
use client::kube::api::DeleteParams;
use serde_json::json;

use crate::world::World;

fn is_so(range: &ServiceCIDR, status: &str, reason: &str) -> bool {
    let conditions = range.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|it| it.type_ == "Ready" && it.status == status && it.reason == reason)
}

#[tokio::test(start_paused = true)]
async fn a_range_gives_addresses_once_it_is_ready_and_stays_while_they_are_in_use() {
    let world = World::start().await;
    let of_name =
        |ranges: &[ServiceCIDR]| ranges.iter().find(|it| it.metadata.name.as_deref() == Some("more")).cloned();
    world
        .create::<ServiceCIDR>(json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", "metadata": {"name": "more"},
            "spec": {"cidrs": ["10.200.0.0/24"]},
        }))
        .await;
    world.until::<ServiceCIDR>("a ready range", |all| of_name(all).is_some_and(|it| is_so(&it, "True", ""))).await;
    world
        .create::<Service>(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
            "spec": {"clusterIP": "10.200.0.7", "ports": [{"port": 80}]},
        }))
        .await;
    let ranges = world.cluster::<ServiceCIDR>();
    ranges.delete("more", &DeleteParams::default()).await.unwrap();
    world
        .until::<ServiceCIDR>("a range that says why it stays", |all| {
            of_name(all).is_some_and(|it| is_so(&it, "False", "Terminating"))
        })
        .await;
    world.namespaced::<Service>().delete("web", &DeleteParams::default()).await.unwrap();
    world.until::<ServiceCIDR>("no such range", |all| of_name(all).is_none()).await;
    world.stop().await;
}
