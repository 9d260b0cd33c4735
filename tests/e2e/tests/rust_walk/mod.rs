//! The walk of `kube`, over HTTPS with a kubeconfig: typed objects, apply, pages, a watch, metadata alone.

use std::pin::pin;

use api::k8s::api::core::v1::{ConfigMap, Pod};
use api::k8s::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use client::kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use client::kube::config::{KubeConfigOptions, Kubeconfig};
use client::kube::core::PartialObjectMeta;
use client::kube::{Config, ResourceExt};
use client::{Api, Client, ClientError};
use futures::StreamExt;
use serde_json::json;

pub(crate) fn run(namespace: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(walk(namespace));
}

async fn walk(namespace: &str) {
    let path = std::env::var("KUBECONFIG").expect("$KUBECONFIG is set");
    let kubeconfig = Kubeconfig::read_from(path).expect("a kubeconfig");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.expect("a context");
    let client = Client::try_from(config).expect("a client");
    let version = client.apiserver_version().await.unwrap();
    assert_eq!((version.major.as_str(), version.minor.as_str()), ("1", "37"));
    objects(&Api::namespaced(client.clone(), namespace)).await;
    applies(&Api::namespaced(client.clone(), namespace)).await;
    watches(&Api::namespaced(client.clone(), namespace), client, namespace).await;
}

async fn objects(maps: &Api<ConfigMap>) {
    let created = maps.create(&PostParams::default(), &named("typed")).await.unwrap();
    assert!(created.uid().is_some());
    let again = maps.create(&PostParams::default(), &named("typed")).await.unwrap_err();
    assert!(matches!(&again, ClientError::Api(status) if status.is_already_exists()), "{again}");
    for number in 0..5 {
        maps.create(&PostParams::default(), &named(&format!("page-{number}"))).await.unwrap();
    }
    let mut page = maps.list(&ListParams::default().limit(2)).await.unwrap();
    let mut names: Vec<String> = page.iter().map(ResourceExt::name_any).collect();
    while let Some(token) = page.metadata.continue_.clone().filter(|token| !token.is_empty()) {
        page = maps.list(&ListParams::default().limit(2).continue_token(&token)).await.unwrap();
        names.extend(page.iter().map(ResourceExt::name_any));
    }
    names.retain(|name| name.starts_with("page-"));
    assert_eq!(names, ["page-0", "page-1", "page-2", "page-3", "page-4"]);
    let gone = maps.delete("typed", &DeleteParams::default()).await.unwrap();
    assert!(gone.right().is_some_and(|status| status.is_success()), "what is gone at once answers with a status");
}

async fn applies(maps: &Api<ConfigMap>) {
    let apply = |manager: &'static str, data: serde_json::Value| async move {
        let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": data});
        maps.patch("applied", &PatchParams::apply(manager), &Patch::Apply(body)).await
    };
    apply("one", json!({"a": "1", "b": "1"})).await.unwrap();
    let conflict = apply("two", json!({"a": "2"})).await.unwrap_err();
    assert!(matches!(&conflict, ClientError::Api(status) if status.is_conflict()), "{conflict}");
    let left = apply("one", json!({"a": "1"})).await.unwrap();
    assert_eq!(left.data.unwrap().into_keys().collect::<Vec<_>>(), ["a"], "what nobody applies any more is gone");
}

async fn watches(maps: &Api<ConfigMap>, client: Client, namespace: &str) {
    let parameters = WatchParams::default().labels("walk=rust");
    let start = maps.list(&ListParams::default().labels("walk=rust")).await.unwrap();
    let mut events = pin!(maps.watch(&parameters, &start.metadata.resource_version.unwrap()).await.unwrap());
    maps.patch("applied", &PatchParams::default(), &Patch::Merge(json!({"metadata": {"labels": {"walk": "rust"}}})))
        .await
        .unwrap();
    maps.patch("applied", &PatchParams::default(), &Patch::Merge(json!({"data": {"a": "3"}}))).await.unwrap();
    maps.delete("applied", &DeleteParams::default()).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let event = events.next().await.expect("the watch goes on").unwrap();
        let word = match event {
            WatchEvent::Added(_) => "added",
            WatchEvent::Modified(_) => "modified",
            WatchEvent::Deleted(_) => "deleted",
            WatchEvent::Bookmark(_) => continue,
            WatchEvent::Error(error) => panic!("{error:?}"),
        };
        seen.push(word);
    }
    assert_eq!(seen, ["added", "modified", "deleted"]);

    let metadata: Api<PartialObjectMeta<Pod>> = Api::namespaced(client, namespace);
    assert!(metadata.list_metadata(&ListParams::default()).await.unwrap().items.is_empty());
}

fn named(name: &str) -> ConfigMap {
    ConfigMap { metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() }, ..ConfigMap::default() }
}
