//! The objects of addresses in use, and the ranges that they come from.

use serde_json::{Value, json};

use crate::common::{Cluster, config};

const SERVICES: &str = "/api/v1/namespaces/default/services";
const ADDRESSES: &str = "/apis/networking.k8s.io/v1/ipaddresses";

fn service(name: &str, address: Option<&str>) -> Value {
    let mut service = json!({"metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}});
    if let Some(address) = address {
        service["spec"]["clusterIP"] = json!(address);
    }
    service
}

async fn names(cluster: &Cluster) -> Vec<String> {
    let list = cluster.admin.get(ADDRESSES).await;
    list["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_address_in_use_has_an_object_that_leads_to_its_service() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    assert_eq!(names(&cluster).await, ["10.96.0.1"], "the first service has one from the beginning");
    let created = admin.create(SERVICES, service("web", None)).await;
    let address = created["spec"]["clusterIP"].as_str().unwrap();
    let path = format!("{ADDRESSES}/{address}");
    let object = admin.get(&path).await;
    let parent = json!({"group": "", "resource": "services", "namespace": "default", "name": "web"});
    assert_eq!(object["spec"]["parentRef"], parent);
    let labels = json!({"ipaddress.kubernetes.io/ip-family": "IPv4", "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"});
    assert_eq!(object["metadata"]["labels"], labels);
    // Both came to be at once.
    assert_eq!(object["metadata"]["resourceVersion"], created["metadata"]["resourceVersion"]);
    // Without the service's leave it does not go for good.
    let (code, _) = admin.call("DELETE", &path, None).await;
    assert_eq!(code, 200);
    let again = admin.get(&path).await;
    assert_eq!(again["spec"]["parentRef"], parent);
    assert_ne!(again["metadata"]["uid"], object["metadata"]["uid"]);
    let (code, _) = admin.call("DELETE", &format!("{SERVICES}/web"), None).await;
    assert_eq!(code, 200);
    assert_eq!(admin.refused("GET", &path, None).await.0, 404);
    let (code, _) =
        admin.call("POST", &format!("{SERVICES}?dryRun=All"), Some(service("dry", Some("10.96.0.77")))).await;
    assert_eq!((code.as_u16(), names(&cluster).await), (201, vec!["10.96.0.1".to_owned()]));
}

#[tokio::test]
async fn a_service_that_turns_external_gives_its_address_back() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    admin.create(SERVICES, service("web", Some("10.96.0.9"))).await;
    assert_eq!(names(&cluster).await, ["10.96.0.1", "10.96.0.9"]);
    let external =
        json!({"spec": {"type": "ExternalName", "externalName": "example.com", "clusterIP": null, "clusterIPs": null}});
    let (code, changed) = admin.call("PATCH", &format!("{SERVICES}/web"), Some(external)).await;
    assert_eq!((code.as_u16(), changed["spec"].get("clusterIP")), (200, None), "{changed}");
    assert_eq!(names(&cluster).await, ["10.96.0.1"]);
    let back = json!({"spec": {"type": "ClusterIP", "externalName": null}});
    let (_, changed) = admin.call("PATCH", &format!("{SERVICES}/web"), Some(back)).await;
    let there = names(&cluster).await;
    assert!(there.len() == 2 && there.iter().any(|name| changed["spec"]["clusterIP"] == name.as_str()), "{there:?}");
}

#[tokio::test]
async fn whoever_makes_an_address_by_hand_keeps_it_from_services() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let parent = json!({"group": "gateway.example", "resource": "gateways", "namespace": "default", "name": "g"});
    let reserved = json!({"metadata": {"name": "10.96.0.50"}, "spec": {"parentRef": parent}});
    admin.create(ADDRESSES, reserved).await;
    let refused = admin.refused("POST", SERVICES, Some(service("web", Some("10.96.0.50")))).await;
    let why = "Service \"web\" is invalid: spec.clusterIPs: Invalid value: [\"10.96.0.50\"]: failed to allocate IP 10.96.0.50: \
               provided IP is already allocated";
    assert_eq!((refused.0, refused.2.as_str()), (422, why));
    let parent = json!({"resource": "services", "namespace": "default", "name": "web"});
    let foretold = json!({"metadata": {"name": "10.96.0.51"}, "spec": {"parentRef": parent}});
    admin.create(ADDRESSES, foretold).await;
    let refused = admin.refused("POST", SERVICES, Some(service("web", Some("10.96.0.51")))).await;
    assert!(refused.2.ends_with("failed to allocate IP 10.96.0.51: provided IP is already allocated"), "{refused:?}");
    assert_eq!(admin.refused("GET", &format!("{SERVICES}/web"), None).await.0, 404);
    let (code, _) = admin.call("DELETE", &format!("{ADDRESSES}/10.96.0.50"), None).await;
    assert_eq!(code, 200);
    admin.create(SERVICES, service("web", Some("10.96.0.50"))).await;
}

#[tokio::test]
async fn a_start_repairs_what_an_earlier_program_left() {
    let first = config(stdx::Ambient::simulated(1));
    let store = first.store.clone();
    let cluster = Cluster::with(first).await;
    cluster.admin.create(SERVICES, service("web", Some("10.96.0.9"))).await;
    drop(cluster);
    // As before there were such objects; and one whose service went unseen.
    let prefix = "/registry/networking.k8s.io/ipaddresses";
    let key = format!("{prefix}/10.96.0.9");
    let entry = store.get(&key, store::ReadAt::Newest).await.unwrap().unwrap();
    store.delete(&key, store::Expect::Anything).await.unwrap();
    let stray =
        String::from_utf8(entry.value.to_vec()).unwrap().replace("10.96.0.9", "10.96.0.10").replace("web", "gone");
    store.put(&format!("{prefix}/10.96.0.10"), stray.into(), store::Expect::Absent).await.unwrap();
    let cluster = Cluster::with(apiserver::Config { store, ..config(stdx::Ambient::simulated(2)) }).await;
    assert_eq!(names(&cluster).await, ["10.96.0.1", "10.96.0.9"]);
}

#[tokio::test]
async fn the_servers_own_range_is_an_object_that_is_kept() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    const RANGE: &str = "/apis/networking.k8s.io/v1/servicecidrs/kubernetes";
    let range = admin.get(RANGE).await;
    let ready = &range["status"]["conditions"][0];
    assert_eq!((&ready["type"], &ready["status"]), (&json!("Ready"), &json!("True")));
    assert_eq!(range["metadata"]["finalizers"], json!(["networking.k8s.io/service-cidr-finalizer"]));
    assert_eq!(admin.call("DELETE", RANGE, None).await.0, 200);
    assert!(admin.get(RANGE).await["metadata"].get("deletionTimestamp").is_some());
}

async fn set_ready(cluster: &Cluster, name: &str, status: &str) {
    let condition = json!({"type": "Ready", "status": status, "reason": "", "message": "", "lastTransitionTime": "2030-01-01T00:00:00Z"});
    let path = format!("/apis/networking.k8s.io/v1/servicecidrs/{name}/status");
    let (code, answer) = cluster.admin.call("PATCH", &path, Some(json!({"status": {"conditions": [condition]}}))).await;
    assert_eq!(code, 200, "{answer}");
}

/// Source: pkg/registry/core/service/ipallocator, cidrallocator.go.
#[tokio::test]
async fn every_range_that_is_ready_gives_addresses() {
    let first = apiserver::Config { service_cidr: "10.96.0.0/29".to_owned(), ..config(stdx::Ambient::simulated(1)) };
    let cluster = Cluster::with(first).await;
    let admin = &cluster.admin;
    const RANGES: &str = "/apis/networking.k8s.io/v1/servicecidrs";
    // Six addresses, of which the first Service has one.
    for at in 0..5 {
        admin.create(SERVICES, service(&format!("own-{at}"), None)).await;
    }
    let full = "Internal error occurred: failed to allocate a serviceIP: range is full";
    assert_eq!(admin.refused("POST", SERVICES, Some(service("web", None))).await.2, full);
    admin.create(RANGES, json!({"metadata": {"name": "more"}, "spec": {"cidrs": ["10.200.0.0/30"]}})).await;
    assert_eq!(admin.refused("POST", SERVICES, Some(service("web", None))).await.2, full, "it is not ready");
    let outside = "Service \"web\" is invalid: spec.clusterIPs: Invalid value: [\"10.200.0.1\"]: failed to allocate IP 10.200.0.1: \
                   the provided network does not match the current range";
    assert_eq!(admin.refused("POST", SERVICES, Some(service("web", Some("10.200.0.1")))).await.2, outside);
    set_ready(&cluster, "more", "True").await;
    let created = admin.create(SERVICES, service("web", None)).await;
    let address = created["spec"]["clusterIP"].as_str().unwrap();
    assert!(["10.200.0.1", "10.200.0.2"].contains(&address), "{address}");
    let object = admin.get(&format!("{ADDRESSES}/{address}")).await;
    assert_eq!(object["spec"]["parentRef"]["name"], "web");
    // A range that gives no more leaves what it gave.
    set_ready(&cluster, "more", "False").await;
    let (code, _) =
        admin.call("PATCH", &format!("{SERVICES}/web"), Some(json!({"metadata": {"labels": {"a": "b"}}}))).await;
    assert_eq!(code, 200);
    assert_eq!(admin.refused("POST", SERVICES, Some(service("other", None))).await.2, full);
}
