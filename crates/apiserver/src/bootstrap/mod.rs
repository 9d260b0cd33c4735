//! What every cluster has from its first moment. Written where it is missing, at every start.

use std::net::IpAddr;

use futures::future::try_join_all;
use registry::{Kind, Object, WriteContext, Writer};
use serde_json::{Value, json};
use store::StoreError;

use crate::kinds;
use crate::metadata;
use crate::server::ApiServer;
use crate::services;
use crate::status::ApiError;
use crate::storage::Stored;

mod api_services;
mod policy;
mod roles;

const NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

/// All writes are handed to the store at once, so that they share one sync.
pub(crate) async fn run(server: &ApiServer) -> Result<(), ApiError> {
    let mut wanted = Vec::new();
    for name in NAMESPACES {
        wanted.push(("", "namespaces", namespace(name)));
    }
    wanted.push((
        "scheduling.k8s.io",
        "priorityclasses",
        priority_class(
            "system-node-critical",
            2_000_001_000,
            "Used for system critical pods that must not be moved from their current node.",
        ),
    ));
    wanted.push(("scheduling.k8s.io", "priorityclasses", priority_class(
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    )));
    wanted.push(("", "configmaps", authentication_config(server)));
    for (plural, object) in policy::objects() {
        wanted.push(("rbac.authorization.k8s.io", plural, object));
    }
    for (plural, object) in registry::flowcontrol::bootstrap::objects() {
        wanted.push(("flowcontrol.apiserver.k8s.io", plural, object));
    }
    wanted.push(("networking.k8s.io", "servicecidrs", service_cidr(server)));
    for object in api_services::objects(server.serves_legacy_apis()) {
        wanted.push(("apiregistration.k8s.io", "apiservices", object));
    }
    let mut writes = Vec::with_capacity(wanted.len());
    for (group, plural, object) in wanted {
        writes.push(ensure(server, kinds::required(group, "v1", plural), object));
    }
    try_join_all(writes).await?;
    forget_api_services(server).await?;
    kubernetes_service(server).await?;
    services::repair(server).await?;
    server.rbac.catch_up().await?;
    Ok(())
}

/// Takes back what an earlier start registered and this one does not serve.
async fn forget_api_services(server: &ApiServer) -> Result<(), ApiError> {
    let kind = kinds::required("apiregistration.k8s.io", "v1", "apiservices");
    let wanted = api_services::objects(server.serves_legacy_apis());
    for entry in server.storage.list(kind, "").await?.entries {
        let registered = Stored::from(entry);
        let object = registered.decode()?;
        let label = metadata::map(&object, "labels").and_then(|labels| labels.get(api_services::MANAGED_LABEL));
        let name = metadata::name(&object);
        let is_wanted = wanted.iter().any(|wanted| wanted["metadata"]["name"] == name);
        if is_wanted || label.is_none_or(|label| *label != api_services::MANAGED_VALUE) {
            continue;
        }
        match server.storage.delete(kind, "", name, registered.revision, Vec::new(), None).await {
            Ok(_) | Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Writes the object unless one of its name is there. Roles and bindings that carry the annotation
/// get back what was taken from them.
async fn ensure(server: &ApiServer, kind: &'static Kind, value: Value) -> Result<(), ApiError> {
    let Value::Object(mut object) = value else { return Err(ApiError::internal("a first object is no object")) };
    let (namespace, name) = (metadata::namespace(&object).to_owned(), metadata::name(&object).to_owned());
    match server.storage.get(kind, &namespace, &name).await? {
        None => {
            prepare(server, kind, &mut object);
            match server.storage.create(kind, &object, None).await {
                // Another server of the cluster was faster.
                Ok(_) | Err(StoreError::Conflict { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            }
        }
        Some(current) if kind.group == "rbac.authorization.k8s.io" => {
            let present = current.decode()?;
            let Some(repaired) = policy::repaired(&present, &object) else { return Ok(()) };
            match server.storage.replace(kind, &repaired, current.revision, None).await {
                Ok(_) | Err(StoreError::Conflict { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            }
        }
        Some(_) => Ok(()),
    }
}

fn prepare(server: &ApiServer, kind: &'static Kind, object: &mut Object) {
    object.insert("kind".to_owned(), Value::from(kind.kind));
    object.insert("apiVersion".to_owned(), Value::from(kind.api_version()));
    kind.rules.default(object);
    metadata::prepare_create(kind, object, &server.ambient);
    let context = WriteContext { now: server.ambient.clock.now_seconds(), writer: Writer::named("system:apiserver") };
    // What the server itself says of the state of a thing, it knows.
    let status = object.get("status").cloned();
    kind.rules.prepare_create(object, &context);
    if let Some(status) = status {
        object.insert("status".to_owned(), status);
    }
}

fn namespace(name: &str) -> Value {
    json!({
        "metadata": { "name": name, "labels": { "kubernetes.io/metadata.name": name } },
        "spec": { "finalizers": ["kubernetes"] },
        "status": { "phase": "Active" },
    })
}

fn priority_class(name: &str, value: i64, description: &str) -> Value {
    json!({
        "metadata": { "name": name },
        "value": value,
        "description": description,
        "preemptionPolicy": "PreemptLowerPriority",
    })
}

/// The range that Services get their addresses from. It cannot be removed while it is in use.
fn service_cidr(server: &ApiServer) -> Value {
    let ready = json!({
        "type": "Ready",
        "status": "True",
        "lastTransitionTime": server.ambient.clock.now_seconds().to_string(),
        "reason": "",
        "message": "Kubernetes Service CIDR is ready",
    });
    json!({
        "metadata": { "name": "kubernetes", "finalizers": ["networking.k8s.io/service-cidr-finalizer"] },
        "spec": { "cidrs": [server.services.cidr().to_string()] },
        "status": { "conditions": [ready] },
    })
}

/// How extension servers tell that a client was authenticated here.
fn authentication_config(server: &ApiServer) -> Value {
    json!({
        "metadata": { "name": "extension-apiserver-authentication", "namespace": "kube-system" },
        "data": { "client-ca-file": server.client_ca_pem },
    })
}

/// The Service `default/kubernetes` and the endpoints behind it, which follow this server's address.
async fn kubernetes_service(server: &ApiServer) -> Result<(), ApiError> {
    let address = server.services.first_address().to_string();
    let service = json!({
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": { "component": "apiserver", "provider": "kubernetes" },
        },
        "spec": {
            "type": "ClusterIP",
            "clusterIP": address,
            "clusterIPs": [address],
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
            "sessionAffinity": "None",
            "ports": [{ "name": "https", "port": 443, "protocol": "TCP", "targetPort": server.advertise.port() }],
        },
        "status": { "loadBalancer": {} },
    });
    let ip = server.advertise.ip();
    let family = if matches!(ip, IpAddr::V4(_)) { "IPv4" } else { "IPv6" };
    let port = json!({ "name": "https", "port": server.advertise.port(), "protocol": "TCP" });
    let endpoints = json!({
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": { "endpointslice.kubernetes.io/skip-mirror": "true" },
        },
        "subsets": [{ "addresses": [{ "ip": ip.to_string() }], "ports": [port] }],
    });
    let slice = json!({
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": { "kubernetes.io/service-name": "kubernetes" },
        },
        "addressType": family,
        "endpoints": [{ "addresses": [ip.to_string()], "conditions": { "ready": true } }],
        "ports": [port],
    });
    futures::try_join!(
        ensure(server, kinds::required("", "v1", "services"), service),
        follow(server, kinds::required("", "v1", "endpoints"), endpoints, &["subsets"]),
        follow(server, kinds::required("discovery.k8s.io", "v1", "endpointslices"), slice, &["endpoints", "ports"]),
    )?;
    Ok(())
}

/// As [`ensure`], and brings the named fields of a present object to their wanted values.
async fn follow(server: &ApiServer, kind: &'static Kind, value: Value, fields: &[&str]) -> Result<(), ApiError> {
    let Some(current) = server.storage.get(kind, "default", "kubernetes").await? else {
        return ensure(server, kind, value).await;
    };
    let mut object = current.decode()?;
    let mut changed = false;
    for field in fields {
        let wanted = value.get(*field).cloned().unwrap_or(Value::Null);
        if object.get(*field) != Some(&wanted) {
            object.insert((*field).to_owned(), wanted);
            changed = true;
        }
    }
    if !changed {
        return Ok(());
    }
    match server.storage.replace(kind, &object, current.revision, None).await {
        Ok(_) | Err(StoreError::Conflict { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
