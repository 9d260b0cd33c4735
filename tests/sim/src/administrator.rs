//! The person at the command line.

use api::k8s::api::apps::v1::Deployment;
use api::k8s::api::core::v1::{Node, Service};
use client::kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use client::{CallError, Client};
use serde_json::{Value, json};

use crate::condition::NAMESPACE;
use crate::script::Request;

pub(crate) async fn send(client: &Client, request: &Request) -> Result<(), String> {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), NAMESPACE);
    let services: Api<Service> = Api::namespaced(client.clone(), NAMESPACE);
    let nodes: Api<Node> = Api::all(client.clone());
    let result = match request {
        Request::CreateDeployment { name, image, replicas, max_surge, max_unavailable } => {
            let strategy = json!({
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": amount(max_surge), "maxUnavailable": amount(max_unavailable)},
            });
            let deployment = parse(deployment(name, image, *replicas, strategy))?;
            deployments.create(&PostParams::default(), &deployment).await.map(drop)
        }
        Request::CreateService { name, port } => {
            let service = parse(json!({
                "metadata": {"name": name},
                "spec": {"selector": {"app": name}, "ports": [{"port": port}]},
            }))?;
            services.create(&PostParams::default(), &service).await.map(drop)
        }
        Request::Scale { name, replicas } => {
            let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
            deployments.patch_scale(name, &PatchParams::default(), &patch).await.map(drop)
        }
        Request::SetImage { name, image } => {
            let containers = json!([{"name": "main", "image": image}]);
            let patch = Patch::Strategic(json!({"spec": {"template": {"spec": {"containers": containers}}}}));
            deployments.patch(name, &PatchParams::default(), &patch).await.map(drop)
        }
        Request::DeleteDeployment { name } => deployments.delete(name, &DeleteParams::background()).await.map(drop),
        Request::DeleteNode { name } => nodes.delete(name, &DeleteParams::default()).await.map(drop),
    };
    result.map_err(|error| CallError::from(error).to_string())
}

fn deployment(name: &str, image: &str, replicas: i32, strategy: Value) -> Value {
    let container = json!({
        "name": "main",
        "image": image,
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
    });
    json!({
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "strategy": strategy,
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
    })
}

/// A count or a share, as the API has it.
fn amount(amount: &str) -> Value {
    amount.parse::<i32>().map_or_else(|_| json!(amount), |count| json!(count))
}

fn parse<K: serde::de::DeserializeOwned>(manifest: Value) -> Result<K, String> {
    serde_json::from_value(manifest).map_err(|error| error.to_string())
}
