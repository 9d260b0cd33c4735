//! The person at the command line.

use std::fmt::Debug;
use std::time::Duration;

use api::k8s::NamespaceResourceScope;
use api::k8s::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use api::k8s::api::batch::v1::{CronJob, Job};
use api::k8s::api::core::v1::{Node, Pod, Service};
use client::kube::Resource;
use client::kube::api::{Api, EvictParams, ListParams, Patch, PatchParams, PostParams};
use client::{CallError, Client, ClientError};
use http::Method;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::condition::NAMESPACE;
use crate::manifest;
use crate::script::{Request, Suspendable, Workload};

const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";
const YAML: &str = "application/yaml";
/// As `kubectl drain` has it.
const DRAIN_PAUSE: Duration = Duration::from_secs(5);
/// A quarter of an hour.
const MOST_DRAIN_ROUNDS: usize = 180;

pub(crate) async fn send(client: &Client, request: &Request) -> Result<(), String> {
    let result = match request {
        Request::CreateDeployment { name, image, replicas, max_surge, max_unavailable } => {
            let strategy = json!({
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": amount(max_surge), "maxUnavailable": amount(max_unavailable)},
            });
            create::<Deployment>(client, deployment(name, image, *replicas, strategy)).await?
        }
        Request::CreateStatefulSet { name, image, replicas, policy } => {
            let mut set = labelled(name, image, "Always");
            set["spec"]["replicas"] = json!(replicas);
            set["spec"]["serviceName"] = json!(name);
            set["spec"]["podManagementPolicy"] = json!(policy);
            create::<StatefulSet>(client, set).await?
        }
        Request::CreateDaemonSet { name, image, max_surge, max_unavailable } => {
            let rolling = json!({"maxSurge": amount(max_surge), "maxUnavailable": amount(max_unavailable)});
            let mut set = labelled(name, image, "Always");
            set["spec"]["updateStrategy"] = json!({"type": "RollingUpdate", "rollingUpdate": rolling});
            create::<DaemonSet>(client, set).await?
        }
        Request::CreateJob { name, job } => {
            let spec = json!({
                "completions": job.completions,
                "parallelism": job.parallelism,
                "backoffLimit": job.backoff_limit,
                "completionMode": job.mode,
                "template": template(name, &job.image, "Never"),
            });
            create::<Job>(client, json!({"metadata": {"name": name}, "spec": spec})).await?
        }
        Request::CreateCronJob { name, image, schedule, concurrency } => {
            let job = json!({"spec": {"template": template(name, image, "Never")}});
            let spec = json!({"schedule": schedule, "concurrencyPolicy": concurrency, "jobTemplate": job});
            create::<CronJob>(client, json!({"metadata": {"name": name}, "spec": spec})).await?
        }
        Request::CreateService { name, port } => {
            let spec = json!({"selector": {"app": name}, "ports": [{"port": port}]});
            create::<Service>(client, json!({"metadata": {"name": name}, "spec": spec})).await?
        }
        Request::Scale { kind, name, replicas } => {
            let patch = json!({"spec": {"replicas": replicas}});
            match kind {
                Workload::StatefulSet => patch_with::<StatefulSet>(client, name, patch).await,
                _ => {
                    let patch = Patch::Merge(patch);
                    all::<Deployment>(client).patch_scale(name, &PatchParams::default(), &patch).await.map(drop)
                }
            }
        }
        Request::SetImage { kind, name, image } => {
            let containers = json!([{"name": "main", "image": image}]);
            let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}});
            match kind {
                Workload::Deployment => patch_with::<Deployment>(client, name, patch).await,
                Workload::StatefulSet => patch_with::<StatefulSet>(client, name, patch).await,
                Workload::DaemonSet => patch_with::<DaemonSet>(client, name, patch).await,
            }
        }
        Request::Suspend { kind, name, suspend } => {
            let patch = json!({"spec": {"suspend": suspend}});
            match kind {
                Suspendable::Job => patch_with::<Job>(client, name, patch).await,
                Suspendable::CronJob => patch_with::<CronJob>(client, name, patch).await,
            }
        }
        Request::Create { manifest } => {
            return ask(client, Method::POST, &manifest::folder_of(manifest)?, YAML, manifest.clone()).await;
        }
        Request::Patch { kind, name, patch } => {
            return ask(client, Method::PATCH, &manifest::path(kind, name)?, MERGE_PATCH, patch.clone()).await;
        }
        Request::Delete { kind, name, policy } => {
            let options = json!({"propagationPolicy": policy}).to_string();
            return ask(client, Method::DELETE, &manifest::path(kind, name)?, JSON, options).await;
        }
    };
    result.map_err(describe)
}

/// Keeps new pods off a node, and evicts those that are there, as `kubectl drain` does: what a budget forbids is
/// tried again every five seconds.
pub(crate) async fn drain(client: &Client, node: &str) -> Result<(), String> {
    let cordon = json!({"spec": {"unschedulable": true}});
    let nodes: Api<Node> = Api::all(client.clone());
    nodes.patch(node, &PatchParams::default(), &Patch::Merge(cordon)).await.map_err(describe)?;
    let pods: Api<Pod> = Api::all(client.clone());
    let there = ListParams::default().fields(&format!("spec.nodeName={node}"));
    for _ in 0..MOST_DRAIN_ROUNDS {
        let left = pods.list(&there).await.map_err(describe)?.items;
        if left.is_empty() {
            return Ok(());
        }
        for pod in left.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()) {
            let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
            let name = pod.metadata.name.as_deref().unwrap_or_default();
            let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
            match pods.evict(name, &EvictParams::default()).await {
                Err(ClientError::Api(status)) if status.code == 429 || status.code == 404 => {}
                other => drop(other.map_err(describe)?),
            }
        }
        tokio::time::sleep(DRAIN_PAUSE).await;
    }
    Err(format!("node {node} keeps its pods"))
}

async fn ask(client: &Client, method: Method, path: &str, kind: &str, body: String) -> Result<(), String> {
    let request = http::Request::builder().method(method).uri(path).header(CONTENT_TYPE, kind).body(body.into_bytes());
    let request = request.map_err(|error| error.to_string())?;
    client.request::<Value>(request).await.map(drop).map_err(describe)
}

fn describe(error: ClientError) -> String {
    CallError::from(error).to_string()
}

/// A kind with a namespace, which scripts act in one of.
trait Kind:
    Resource<DynamicType = (), Scope = NamespaceResourceScope> + Serialize + DeserializeOwned + Clone + Debug
{
}

impl<K> Kind for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Serialize + DeserializeOwned + Clone + Debug
{
}

fn all<K: Kind>(client: &Client) -> Api<K> {
    Api::namespaced(client.clone(), NAMESPACE)
}

async fn create<K: Kind>(client: &Client, manifest: Value) -> Result<Result<(), ClientError>, String> {
    let object: K = serde_json::from_value(manifest).map_err(|error| error.to_string())?;
    Ok(all::<K>(client).create(&PostParams::default(), &object).await.map(drop))
}

async fn patch_with<K: Kind>(client: &Client, name: &str, patch: Value) -> Result<(), ClientError> {
    all::<K>(client).patch(name, &PatchParams::default(), &Patch::Strategic(patch)).await.map(drop)
}

/// What the kinds that select pods by a label have in common.
fn labelled(name: &str, image: &str, restart_policy: &str) -> Value {
    json!({
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template(name, image, restart_policy)},
    })
}

fn template(name: &str, image: &str, restart_policy: &str) -> Value {
    let container = json!({
        "name": "main",
        "image": image,
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
    });
    json!({
        "metadata": {"labels": {"app": name}},
        "spec": {"restartPolicy": restart_policy, "containers": [container]},
    })
}

fn deployment(name: &str, image: &str, replicas: i32, strategy: Value) -> Value {
    let mut deployment = labelled(name, image, "Always");
    deployment["spec"]["replicas"] = json!(replicas);
    deployment["spec"]["strategy"] = strategy;
    deployment
}

/// A count or a share, as the API has it.
fn amount(amount: &str) -> Value {
    amount.parse::<i32>().map_or_else(|_| json!(amount), |count| json!(count))
}
