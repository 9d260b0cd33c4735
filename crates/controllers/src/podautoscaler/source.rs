//! Where metrics come from: the groups that serve them.

use std::time::Duration;

use api::Quantity;
use api::k8s::api::autoscaling::v2::{CrossVersionObjectReference, MetricIdentifier};
use api::k8s::apimachinery::pkg::apis::meta::v1::LabelSelector;
use api::k8s::jiff::Timestamp;
use api::selector::SelectorError;
use api::{NamespacedName, Selector, time};
use client::{CallError, Client};
use serde_json::Value;

use super::replicas::{PodMetric, PodMetrics};

/// The window of a metric that does not tell its own, as metrics adapters use.
const CUSTOM_WINDOW: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
pub(super) enum SourceError {
    #[error(
        "unable to get metrics for resource {resource}: unable to fetch metrics from resource metrics API: {error}"
    )]
    Resource { resource: String, error: CallError },
    #[error("unable to get metrics for resource {resource}: no metrics returned from resource metrics API")]
    NoResource { resource: String },
    #[error(
        "unable to get metrics for resource {resource}: failed to get container metrics: container {container} not present in metrics for pod {pod}"
    )]
    NoContainer { resource: String, container: String, pod: NamespacedName },
    #[error("unable to get metric {metric}: {why}")]
    Pods { metric: String, why: Why },
    // So upstream words it.
    #[error("unable to get metric {metric}: {kind} on {namespace} {name}/{why}")]
    Object { metric: String, kind: String, namespace: String, name: String, why: Why },
    #[error("unable to get external metric {namespace}/{metric}/{selector}: {why}")]
    External { namespace: String, metric: String, selector: String, why: Why },
    #[error("{0}")]
    Selector(SelectorError),
}

/// What a group that serves metrics of no resource did.
#[derive(Debug, thiserror::Error)]
pub(super) enum Why {
    #[error("unable to fetch metrics from {api} metrics API: {error}")]
    Call { api: &'static str, error: CallError },
    #[error("no metrics returned from {api} metrics API")]
    Nothing { api: &'static str },
}

const CUSTOM: &str = "custom";
const EXTERNAL: &str = "external";

#[derive(Clone)]
pub(super) struct Source {
    pub(super) client: Client,
    pub(super) now: Timestamp,
}

impl Source {
    /// What the selected pods use of a resource, as a whole or in one container. Pods that do not tell all are left out.
    pub(super) async fn resource(
        &self,
        namespace: &str,
        selector: &str,
        resource: &str,
        container: Option<&str>,
    ) -> Result<PodMetrics, SourceError> {
        let path = format!("/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods");
        let list = self.get(&path, &[("labelSelector", selector)]).await;
        let list = list.map_err(|error| SourceError::Resource { resource: resource.to_owned(), error })?;
        let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        if items.is_empty() {
            return Err(SourceError::NoResource { resource: resource.to_owned() });
        }
        let mut metrics = PodMetrics::new();
        for item in items {
            let pod = item["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            if let Some(container) = container.filter(|name| !has_container(item, name)) {
                let (resource, container) = (resource.to_owned(), container.to_owned());
                let pod = NamespacedName::new(namespace, pod);
                return Err(SourceError::NoContainer { resource, container, pod });
            }
            if let Some(value) = used(item, resource, container) {
                metrics.insert(pod, PodMetric { value, ..self.timing(item) });
            }
        }
        Ok(metrics)
    }

    /// A metric of each of the selected pods.
    pub(super) async fn pods(
        &self,
        namespace: &str,
        selector: &str,
        metric: &MetricIdentifier,
    ) -> Result<PodMetrics, SourceError> {
        let path = format!("/apis/custom.metrics.k8s.io/v1beta2/namespaces/{namespace}/pods/*/{}", metric.name);
        let failed = |why| SourceError::Pods { metric: metric.name.clone(), why };
        let metric_selector = written(metric.selector.as_ref())?;
        let query = [("labelSelector", selector), ("metricLabelSelector", &metric_selector)];
        let list = self.get(&path, &query).await.map_err(|error| failed(Why::Call { api: CUSTOM, error }))?;
        let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        if items.is_empty() {
            return Err(failed(Why::Nothing { api: CUSTOM }));
        }
        let told = items.iter().filter_map(|item| {
            let pod = item["describedObject"]["name"].as_str()?.to_owned();
            Some((pod, PodMetric { value: millis(&item["value"])?, ..self.timing(item) }))
        });
        Ok(told.collect())
    }

    /// A metric of one object.
    pub(super) async fn object(
        &self,
        namespace: &str,
        object: &CrossVersionObjectReference,
        metric: &MetricIdentifier,
    ) -> Result<i64, SourceError> {
        let failed = |why| SourceError::Object {
            metric: metric.name.clone(),
            kind: object.kind.clone(),
            namespace: namespace.to_owned(),
            name: object.name.clone(),
            why,
        };
        let path = format!("/apis/custom.metrics.k8s.io/v1beta2/{}/{}", place(namespace, object), metric.name);
        let selector = written(metric.selector.as_ref())?;
        let list = self.get(&path, &[("metricLabelSelector", &selector)]).await;
        let list = list.map_err(|error| failed(Why::Call { api: CUSTOM, error }))?;
        millis(&list["items"][0]["value"]).ok_or_else(|| failed(Why::Nothing { api: CUSTOM }))
    }

    /// The sum of a metric from outside of the cluster.
    pub(super) async fn external(&self, namespace: &str, metric: &MetricIdentifier) -> Result<i64, SourceError> {
        let failed = |why| SourceError::External {
            namespace: namespace.to_owned(),
            metric: metric.name.clone(),
            selector: shown(metric.selector.as_ref()),
            why,
        };
        let path = format!("/apis/external.metrics.k8s.io/v1beta1/namespaces/{namespace}/{}", metric.name);
        let selector = written(metric.selector.as_ref())?;
        let list = self.get(&path, &[("labelSelector", &selector)]).await;
        let list = list.map_err(|error| failed(Why::Call { api: EXTERNAL, error }))?;
        let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        let values: Vec<i64> = items.iter().filter_map(|item| millis(&item["value"])).collect();
        if values.is_empty() {
            return Err(failed(Why::Nothing { api: EXTERNAL }));
        }
        Ok(values.into_iter().fold(0, i64::saturating_add))
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, CallError> {
        let given = query.iter().filter(|(_, value)| !value.is_empty());
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
        let request = http::Request::get(format!("{path}?{query}")).body(Vec::new());
        let request = request.map_err(|error| CallError::from(client::ClientError::HttpError(error)))?;
        Ok(self.client.request(request).await?)
    }

    /// A metric of no value yet, taken when the item says.
    fn timing(&self, item: &Value) -> PodMetric {
        let at = item["timestamp"].as_str().and_then(time::parse).unwrap_or(self.now);
        let window = item["window"]
            .as_str()
            .and_then(duration)
            .or_else(|| item["windowSeconds"].as_u64().map(Duration::from_secs));
        PodMetric { value: 0, at, window: window.unwrap_or(CUSTOM_WINDOW) }
    }
}

/// Where the custom metrics API has an object: Namespaces have a place of their own.
fn place(namespace: &str, object: &CrossVersionObjectReference) -> String {
    let group = object.api_version.as_deref().and_then(|version| version.split_once('/')).map(|(group, _)| group);
    // As upstream guesses resources from kinds.
    let lower = object.kind.to_lowercase();
    let plural = match lower.as_bytes().last() {
        Some(b's') => format!("{lower}es"),
        Some(b'y') => format!("{}ies", lower.trim_end_matches('y')),
        _ => format!("{lower}s"),
    };
    let resource = group.map_or(plural.clone(), |group| format!("{plural}.{group}"));
    match object.kind.as_str() {
        "Namespace" if group.is_none() => format!("namespaces/{}/metrics", object.name),
        "Node" | "PersistentVolume" if group.is_none() => format!("{resource}/{}", object.name),
        _ => format!("namespaces/{namespace}/{resource}/{}", object.name),
    }
}

/// A selector as Go prints it, and as upstream's events show it.
pub(super) fn shown(selector: Option<&LabelSelector>) -> String {
    let Some(selector) = selector else { return "nil".to_owned() };
    let labels = selector.match_labels.iter().flatten().map(|(name, value)| format!("{name}: {value},"));
    let expressions = selector.match_expressions.iter().flatten().map(|one| {
        let values = one.values.iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
        format!("LabelSelectorRequirement{{Key:{},Operator:{},Values:[{values}],}},", one.key, one.operator)
    });
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{}}},MatchExpressions:[]LabelSelectorRequirement{{{}}},}}",
        labels.collect::<String>(),
        expressions.collect::<String>(),
    )
}

fn has_container(item: &Value, name: &str) -> bool {
    item["containers"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == name))
}

/// The sum over a pod's containers, or one of them, in thousandths.
fn used(item: &Value, resource: &str, container: Option<&str>) -> Option<i64> {
    let containers = item["containers"].as_array()?;
    let amount = |one: &Value| millis(&one["usage"][resource]);
    match container {
        Some(name) => containers.iter().find(|one| one["name"] == name).and_then(amount),
        None => containers.iter().map(amount).sum(),
    }
}

fn millis(amount: &Value) -> Option<i64> {
    amount.as_str()?.parse::<Quantity>().ok().map(Quantity::millis)
}

/// As Go writes durations of seconds and minutes.
fn duration(text: &str) -> Option<Duration> {
    let (minutes, rest) = match text.split_once('m') {
        Some((minutes, rest)) if !rest.starts_with('s') => (minutes.parse::<u64>().ok()?, rest),
        _ => (0, text),
    };
    let seconds: f64 = if rest.is_empty() { 0.0 } else { rest.strip_suffix('s')?.parse().ok()? };
    Duration::try_from_secs_f64(seconds).ok().map(|seconds| seconds + Duration::from_secs(minutes * 60))
}

/// A selector in its query form.
fn written(selector: Option<&LabelSelector>) -> Result<String, SourceError> {
    let Some(selector) = selector else { return Ok(String::new()) };
    // What cannot be read would select everything.
    Selector::from_label_selector(selector).map_err(SourceError::Selector)?;
    let labels = selector.match_labels.iter().flatten().map(|(key, value)| format!("{key}={value}"));
    let expressions = selector.match_expressions.iter().flatten().map(|one| {
        let values = one.values.clone().unwrap_or_default().join(",");
        match one.operator.as_str() {
            "In" => format!("{} in ({values})", one.key),
            "NotIn" => format!("{} notin ({values})", one.key),
            "Exists" => one.key.clone(),
            _ => format!("!{}", one.key),
        }
    });
    Ok(labels.chain(expressions).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pods_use_is_the_sum_of_its_containers() {
        let item = json!({"containers": [
            {"name": "a", "usage": {"cpu": "250m", "memory": "1Ki"}},
            {"name": "b", "usage": {"cpu": "500000001n", "memory": "1Ki"}},
            {"name": "c", "usage": {"cpu": "0"}},
        ]});
        assert_eq!(used(&item, "cpu", None), Some(751));
        assert_eq!(used(&item, "cpu", Some("a")), Some(250));
        assert_eq!(used(&item, "memory", Some("b")), Some(1_024_000));
        assert_eq!(used(&item, "memory", None), None, "one does not tell");
        assert_eq!(used(&item, "cpu", Some("d")), None);
    }

    #[test]
    fn objects_are_asked_for_at_their_places() {
        for (version, kind, expected) in [
            (Some("v1"), "Service", "namespaces/shop/services/main"),
            (None, "Pod", "namespaces/shop/pods/main"),
            (Some("networking.k8s.io/v1"), "Ingress", "namespaces/shop/ingresses.networking.k8s.io/main"),
            (Some("networking.k8s.io/v1"), "NetworkPolicy", "namespaces/shop/networkpolicies.networking.k8s.io/main"),
            (Some("v1"), "Namespace", "namespaces/main/metrics"),
            (Some("v1"), "Node", "nodes/main"),
        ] {
            let object = CrossVersionObjectReference {
                api_version: version.map(str::to_owned),
                kind: kind.to_owned(),
                name: "main".to_owned(),
            };
            assert_eq!(place("shop", &object), expected);
        }
    }

    #[test]
    fn what_fails_is_said_in_upstreams_words() {
        let why = || Why::Nothing { api: EXTERNAL };
        let (namespace, metric, selector) = ("shop".to_owned(), "depth".to_owned(), shown(None));
        assert_eq!(
            SourceError::External { namespace: namespace.clone(), metric: metric.clone(), selector, why: why() }
                .to_string(),
            "unable to get external metric shop/depth/nil: no metrics returned from external metrics API"
        );
        let object = SourceError::Object { metric, kind: "Service".into(), namespace, name: "main".into(), why: why() };
        let expected = "unable to get metric depth: Service on shop main/no metrics returned from external metrics API";
        assert_eq!(object.to_string(), expected);
    }

    #[test]
    fn selectors_and_windows_are_read_and_written() {
        let selector = json!({
            "matchLabels": {"app": "web"},
            "matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["a", "b"]},
                {"key": "old", "operator": "DoesNotExist"},
            ],
        });
        let selector: LabelSelector = serde_json::from_value(selector).unwrap();
        assert_eq!(written(Some(&selector)).unwrap(), "app=web,tier in (a,b),!old");
        let gos = "&LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{\
                   LabelSelectorRequirement{Key:tier,Operator:In,Values:[a b],},\
                   LabelSelectorRequirement{Key:old,Operator:DoesNotExist,Values:[],},},}";
        assert_eq!((shown(Some(&selector)).as_str(), shown(None).as_str()), (gos, "nil"));
        for (text, millis) in [("15.021s", Some(15_021)), ("1m0s", Some(60_000)), ("2m", Some(120_000)), ("x", None)] {
            assert_eq!(duration(text).map(|window| window.as_millis()), millis, "{text}");
        }
    }
}
