//! `metrics.k8s.io`: what nodes and pods use of processor and memory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use api::k8s::api::core::v1::{Node, Pod};
use api::k8s::jiff::Timestamp;
use api::quantity::canonical;
use api::{NamespacedName, time};
use client::CallError;
use client::kube::Api;
use client::kube::api::ListParams;
use serde_json::{Value, json};

use super::{Group, Refusal, Request, ResourceInfo, list};
use crate::Metrics;
use crate::samples::Use;

pub(super) const GROUP: Group = Group { name: "metrics.k8s.io", versions: &["v1", "v1beta1"] };
pub(super) const RESOURCES: &[ResourceInfo] = &[
    ResourceInfo { name: Cow::Borrowed("nodes"), kind: "NodeMetrics", is_namespaced: false, verbs: &["get", "list"] },
    ResourceInfo { name: Cow::Borrowed("pods"), kind: "PodMetrics", is_namespaced: true, verbs: &["get", "list"] },
];

impl Metrics {
    pub(super) async fn resource_metrics(&self, request: &Request) -> Result<Value, Refusal> {
        let (kind, items) = match (request.resource.as_str(), request.subresource.as_str()) {
            ("nodes", "") if request.namespace.is_empty() => ("NodeMetrics", self.nodes(request).await?),
            ("pods", "") => ("PodMetrics", self.pods(request).await?),
            _ => return Err(Refusal::NoResource),
        };
        if request.name.is_empty() {
            return Ok(list(&format!("{kind}List"), GROUP, &request.version, items));
        }
        let mut item = items.into_iter().next().ok_or_else(|| not_found(request))?;
        item["kind"] = json!(kind);
        item["apiVersion"] = json!(format!("{}/{}", GROUP.name, request.version));
        Ok(item)
    }

    async fn nodes(&self, request: &Request) -> Result<Vec<Value>, Refusal> {
        let api: Api<Node> = Api::all(self.client.clone());
        let nodes = match request.name.as_str() {
            "" => api.list_metadata(&parameters(request)).await.map_err(CallError::from)?.items,
            name => api.get_metadata_opt(name).await.map_err(CallError::from)?.into_iter().collect(),
        };
        let now = self.ambient.clock.now();
        let samples = self.lock();
        let told = nodes.into_iter().filter_map(|node| {
            let name = node.metadata.name.clone().unwrap_or_default();
            let used = samples.node(&name)?;
            let mut item = head(&name, None, node.metadata.labels.as_ref(), now, used.at, used.window);
            item["usage"] = amounts(&used);
            Some(item)
        });
        Ok(told.collect())
    }

    async fn pods(&self, request: &Request) -> Result<Vec<Value>, Refusal> {
        let api: Api<Pod> = match request.namespace.as_str() {
            "" => Api::all(self.client.clone()),
            namespace => Api::namespaced(self.client.clone(), namespace),
        };
        let pods = match request.name.as_str() {
            "" => api.list(&parameters(request)).await.map_err(CallError::from)?.items,
            name => api.get_opt(name).await.map_err(CallError::from)?.into_iter().collect(),
        };
        let now = self.ambient.clock.now();
        let samples = self.lock();
        let told = pods.into_iter().filter_map(|pod| {
            let node = pod.spec.as_ref()?.node_name.as_deref()?;
            let key = NamespacedName::of(&pod.metadata);
            let containers = samples.pod(node, &key);
            let earliest = containers.values().min_by_key(|used| used.at)?;
            let labels = pod.metadata.labels.as_ref();
            let mut item = head(&key.name, Some(&key.namespace), labels, now, earliest.at, earliest.window);
            let containers = containers.iter().map(|(name, used)| json!({"name": name, "usage": amounts(used)}));
            item["containers"] = containers.collect();
            Some(item)
        });
        Ok(told.collect())
    }
}

fn parameters(request: &Request) -> ListParams {
    let mut parameters = ListParams::default();
    let (labels, fields) = (request.parameter("labelSelector"), request.parameter("fieldSelector"));
    if !labels.is_empty() {
        parameters = parameters.labels(&labels);
    }
    if !fields.is_empty() {
        parameters = parameters.fields(&fields);
    }
    parameters
}

fn head(
    name: &str,
    namespace: Option<&str>,
    labels: Option<&BTreeMap<String, String>>,
    now: Timestamp,
    at: Timestamp,
    window: Duration,
) -> Value {
    let mut metadata = json!({"name": name, "creationTimestamp": time::seconds(now)});
    if let Some(namespace) = namespace {
        metadata["namespace"] = json!(namespace);
    }
    if let Some(labels) = labels {
        metadata["labels"] = json!(labels);
    }
    json!({"metadata": metadata, "timestamp": time::seconds(at), "window": duration(window)})
}

/// Processor time in billionths of a core, memory in powers of 1024 where that is exact.
fn amounts(used: &Use) -> Value {
    let cpu = if used.cpu_nanocores == 0 { "0".to_owned() } else { format!("{}n", used.cpu_nanocores) };
    let bytes = used.memory_bytes;
    let memory = match bytes % 1024 {
        // Digits and a suffix can always be read.
        0 => canonical(&format!("{}Ki", bytes / 1024)).unwrap_or_else(|_| bytes.to_string()),
        _ => bytes.to_string(),
    };
    json!({"cpu": cpu, "memory": memory})
}

/// `15.021s`, as Go writes durations.
fn duration(window: Duration) -> String {
    let (minutes, seconds) = (window.as_secs() / 60, window.as_secs() % 60);
    let millis = window.subsec_millis();
    let mut text = if minutes > 0 { format!("{minutes}m{seconds}") } else { seconds.to_string() };
    if millis > 0 {
        text += format!(".{millis:03}").trim_end_matches('0');
    }
    text + "s"
}

fn not_found(request: &Request) -> Refusal {
    let name = match request.namespace.as_str() {
        "" => request.name.clone(),
        namespace => format!("{namespace}/{}", request.name),
    };
    let (resource, group) = (format!("{}metrics", request.resource.trim_end_matches('s')), GROUP.name);
    Refusal::NotFound {
        message: format!("{resource}.{group} \"{name}\" not found"),
        details: json!({"name": name, "group": group, "kind": resource}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_windows_are_written_as_metrics_server_does() {
        let used = |cpu_nanocores, memory_bytes| Use {
            at: Timestamp::UNIX_EPOCH,
            window: Duration::from_secs(15),
            cpu_nanocores,
            memory_bytes,
        };
        assert_eq!(amounts(&used(1_234_567, 4096)), json!({"cpu": "1234567n", "memory": "4Ki"}));
        assert_eq!(amounts(&used(0, 0)), json!({"cpu": "0", "memory": "0"}));
        assert_eq!(amounts(&used(1_000_000_000, 1 << 30))["memory"], "1Gi");
        assert_eq!(amounts(&used(1, 4097))["memory"], "4097");
        for (millis, expected) in [(15_021, "15.021s"), (15_000, "15s"), (15_500, "15.5s"), (61_250, "1m1.25s")] {
            assert_eq!(duration(Duration::from_millis(millis)), expected);
        }
    }

    #[test]
    fn what_is_not_there_is_named_as_upstream_names_it() {
        let request =
            Request { resource: "pods".into(), namespace: "shop".into(), name: "web".into(), ..Request::default() };
        let (code, status) = not_found(&request).answer().unwrap();
        assert_eq!(code, 404);
        assert_eq!(status["message"], "podmetrics.metrics.k8s.io \"shop/web\" not found");
    }
}
