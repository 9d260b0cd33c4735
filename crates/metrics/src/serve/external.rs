//! `external.metrics.k8s.io`: the same series, by their labels alone. A namespace sees its own.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::custom::selector;
use super::{Group, Refusal, Request, ResourceInfo, list, moment, quantity};
use crate::Metrics;

pub(super) const GROUP: Group = Group { name: "external.metrics.k8s.io", versions: &["v1beta1"] };

impl Metrics {
    pub(super) fn external_resources(&self) -> Vec<ResourceInfo> {
        let series = self.series();
        let names: BTreeSet<&str> = series.metrics().into_keys().collect();
        let described = names.into_iter().map(|name| ResourceInfo {
            name: name.to_owned().into(),
            kind: "ExternalMetricValueList",
            is_namespaced: true,
            verbs: &["get"],
        });
        described.collect()
    }

    pub(super) fn external_metrics(&self, request: &Request) -> Result<Value, Refusal> {
        let (namespace, metric) = (request.namespace.as_str(), request.resource.as_str());
        if namespace.is_empty() || !request.name.is_empty() {
            return Err(Refusal::NoResource);
        }
        let selector = selector(&request.parameter("labelSelector"))?;
        let series = self.series();
        if !series.has_metric(metric, namespace) {
            let message = format!("the server could not find the metric {metric} for namespaces");
            return Err(Refusal::NotFound { message, details: Value::Null });
        }
        let told = series.of_metric(metric, namespace).into_iter().filter(|told| selector.matches(told.labels));
        let items = told.map(|told| {
            json!({
                "metricName": metric,
                "metricLabels": told.labels,
                "timestamp": moment(told.at),
                "value": quantity(told.value),
            })
        });
        Ok(list("ExternalMetricValueList", GROUP, &request.version, items.collect()))
    }
}
