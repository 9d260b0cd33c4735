//! Where metrics come from: the groups that serve them.

use std::time::Duration;

use api::Quantity;
use api::k8s::api::autoscaling::v2::{CrossVersionObjectReference, MetricIdentifier};
use api::k8s::apimachinery::pkg::apis::meta::v1::LabelSelector;
use api::k8s::jiff::Timestamp;
use api::{Selector, time};
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
        "unable to get metrics for resource {resource}: container {container} not present in metrics for pod {pod}"
    )]
    NoContainer { resource: String, container: String, pod: String },
    #[error("unable to get metric {metric}: unable to fetch metrics from custom metrics API: {why}")]
    Custom { metric: String, why: String },
    #[error("unable to get external metric {metric}: unable to fetch metrics from external metrics API: {why}")]
    External { metric: String, why: String },
    #[error("unable to get metric {metric}: no metrics returned from custom metrics API")]
    NoCustom { metric: String },
    #[error("unable to get external metric {metric}: no metrics returned from external metrics API")]
    NoExternal { metric: String },
    #[error("the metric selector cannot be read")]
    Selector,
}

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
            if let Some(value) = used(item, resource, container) {
                metrics.insert(pod, PodMetric { value, ..self.timing(item) });
            } else if let Some(container) = container {
                let (resource, container) = (resource.to_owned(), container.to_owned());
                return Err(SourceError::NoContainer { resource, container, pod });
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
        let list = self.custom(&path, metric, &[("labelSelector", selector)]).await?;
        let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        if items.is_empty() {
            return Err(SourceError::NoCustom { metric: metric.name.clone() });
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
        let group = object.api_version.as_deref().and_then(|version| version.split_once('/')).map(|(group, _)| group);
        let plural = format!("{}s", object.kind.to_lowercase());
        let resource = group.map_or(plural.clone(), |group| format!("{plural}.{group}"));
        let place = match object.kind.as_str() {
            "Namespace" => format!("namespaces/{}/metrics", object.name),
            _ => format!("namespaces/{namespace}/{resource}/{}", object.name),
        };
        let path = format!("/apis/custom.metrics.k8s.io/v1beta2/{place}/{}", metric.name);
        let list = self.custom(&path, metric, &[]).await?;
        millis(&list["items"][0]["value"]).ok_or_else(|| SourceError::NoCustom { metric: metric.name.clone() })
    }

    /// The sum of a metric from outside of the cluster.
    pub(super) async fn external(&self, namespace: &str, metric: &MetricIdentifier) -> Result<i64, SourceError> {
        let path = format!("/apis/external.metrics.k8s.io/v1beta1/namespaces/{namespace}/{}", metric.name);
        let selector = written(metric.selector.as_ref())?;
        let list = self.get(&path, &[("labelSelector", &selector)]).await;
        let list =
            list.map_err(|error| SourceError::External { metric: metric.name.clone(), why: error.to_string() })?;
        let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        let values: Vec<i64> = items.iter().filter_map(|item| millis(&item["value"])).collect();
        if values.is_empty() {
            return Err(SourceError::NoExternal { metric: metric.name.clone() });
        }
        Ok(values.iter().sum())
    }

    async fn custom(
        &self,
        path: &str,
        metric: &MetricIdentifier,
        query: &[(&str, &str)],
    ) -> Result<Value, SourceError> {
        let selector = written(metric.selector.as_ref())?;
        let mut query = query.to_vec();
        query.push(("metricLabelSelector", &selector));
        self.get(path, &query).await.map_err(|error| SourceError::Custom {
            metric: metric.name.clone(),
            why: match error.is_not_found() {
                true => "no custom metrics API (custom.metrics.k8s.io) registered".to_owned(),
                false => error.to_string(),
            },
        })
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
    Selector::from_label_selector(selector).map_err(|_| SourceError::Selector)?;
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
        for (text, millis) in [("15.021s", Some(15_021)), ("1m0s", Some(60_000)), ("2m", Some(120_000)), ("x", None)] {
            assert_eq!(duration(text).map(|window| window.as_millis()), millis, "{text}");
        }
    }
}
