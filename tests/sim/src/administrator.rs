//! The person at the command line.

use std::fmt::Debug;

use api::k8s::NamespaceResourceScope;
use api::k8s::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use api::k8s::api::batch::v1::{CronJob, Job};
use api::k8s::api::core::v1::{Node, Service};
use client::kube::Resource;
use client::kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use client::{CallError, Client, ClientError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::condition::NAMESPACE;
use crate::script::{Request, Suspendable, Workload};

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
        Request::DeleteDeployment { name } => {
            all::<Deployment>(client).delete(name, &DeleteParams::background()).await.map(drop)
        }
        Request::DeleteNode { name } => {
            Api::<Node>::all(client.clone()).delete(name, &DeleteParams::default()).await.map(drop)
        }
    };
    result.map_err(|error| CallError::from(error).to_string())
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
