//! `custom.metrics.k8s.io`: metrics of objects, as pods tell them.
//!
//! A pod's metric is the sum of its series; a Service's, of those that its selector chooses or that name it in a label
//! `service`; a Namespace's, of all in it; that of any other object, of those that name it in a label of its kind.

use std::collections::BTreeMap;

use api::k8s::api::core::v1::Service;
use api::k8s::jiff::Timestamp;
use api::{NamespacedName, Selector};
use client::CallError;
use client::kube::Api;
use client::kube::api::ListParams;
use registry::Kind;
use serde_json::{Value, json};

use super::{Group, Refusal, Request, ResourceInfo, list, moment, quantity};
use crate::Metrics;
use crate::adapter::resources;
use crate::adapter::series::Told;

pub(super) const GROUP: Group = Group { name: "custom.metrics.k8s.io", versions: &["v1beta2", "v1beta1"] };
const KIND: &str = "MetricValueList";
/// What a path says instead of a name to ask for all that a selector chooses.
const ALL: &str = "*";
/// What a path says in place of a resource to ask for a namespace's own metric.
const OF_NAMESPACE: &str = "metrics";

/// A question, as its path says it.
struct Question<'a> {
    kind: &'static Kind,
    /// Empty for what stands in none.
    namespace: &'a str,
    name: &'a str,
    metric: &'a str,
    selector: Selector,
    /// The same as the query says it.
    selector_text: String,
    metric_selector: Selector,
}

/// What is told of an object: the latest of its moments, and the sum.
type Sum = (Timestamp, f64);

impl Metrics {
    pub(super) fn custom_resources(&self) -> Vec<ResourceInfo> {
        let series = self.series();
        let mut all = Vec::new();
        for (metric, labels) in series.metrics() {
            let named = labels
                .into_iter()
                .filter_map(resources::of_label)
                .map(|kind| (resources::name(kind), kind.plural != "namespaces" && resources::is_namespaced(kind)));
            // Services choose pods, so that a series need not name them.
            let mut named: BTreeMap<String, bool> = named.collect();
            named.insert("services".to_owned(), true);
            all.extend(named.into_iter().map(|(resource, is_namespaced)| ResourceInfo {
                name: format!("{resource}/{metric}").into(),
                kind: KIND,
                is_namespaced,
                verbs: &["get"],
            }));
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    pub(super) async fn custom_metrics(&self, request: &Request) -> Result<Value, Refusal> {
        let question = Question::read(request)?;
        let told = match question.kind.plural {
            "services" => self.of_services(&question).await?,
            _ => self.of_labels(&question),
        };
        if told.is_empty() && (question.name != ALL || !self.series().has_metric(question.metric, question.namespace)) {
            return Err(question.not_found());
        }
        let items = told.into_iter().map(|(name, value)| question.item(&request.version, &name, value));
        Ok(list(KIND, GROUP, &request.version, items.collect()))
    }

    /// Of objects that the series name.
    fn of_labels(&self, question: &Question<'_>) -> BTreeMap<String, Sum> {
        let series = self.series();
        let label = question.kind.singular;
        // A namespace's own metric is asked for in it.
        let (namespace, name) = match label {
            "namespace" if question.name != ALL => (question.name, question.name),
            _ => (question.namespace, question.name),
        };
        let told = series.of_metric(question.metric, namespace);
        let chosen = told.iter().filter(|told| question.metric_selector.matches(told.labels));
        // Of other objects than pods the labels are not known here, and a selector chooses none of them.
        let is_chosen = |told: &Told<'_>| match label {
            "pod" => question.selector.matches(told.pod_labels),
            _ => name != ALL || question.selector.is_everything(),
        };
        let named = chosen.filter_map(|told| Some((told.labels.get(label)?.clone(), told)));
        sums(named.filter(|(own, told)| (name == ALL || own == name) && is_chosen(told)))
    }

    /// Of Services, each with what its selector chooses and what names it.
    async fn of_services(&self, question: &Question<'_>) -> Result<BTreeMap<String, Sum>, Refusal> {
        let api: Api<Service> = Api::namespaced(self.client.clone(), question.namespace);
        let services = match question.name {
            ALL => {
                let parameters = ListParams::default().labels(&question.selector_text);
                api.list(&parameters).await.map_err(CallError::from)?.items
            }
            name => api.get_opt(name).await.map_err(CallError::from)?.into_iter().collect(),
        };
        let series = self.series();
        let told = series.of_metric(question.metric, question.namespace);
        let chosen: Vec<&Told<'_>> = told.iter().filter(|told| question.metric_selector.matches(told.labels)).collect();
        let pairs = services.iter().flat_map(|service| {
            let name = NamespacedName::of(&service.metadata).name;
            let selector = service.spec.as_ref().and_then(|spec| spec.selector.as_ref()).filter(|map| !map.is_empty());
            let selector = selector.map(Selector::from_map);
            chosen.iter().filter_map(move |told| {
                let is_its = match told.labels.get("service") {
                    Some(named) => *named == name,
                    None => selector.as_ref().is_some_and(|selector| selector.matches(told.pod_labels)),
                };
                is_its.then(|| (name.clone(), *told))
            })
        });
        Ok(sums(pairs))
    }
}

impl<'a> Question<'a> {
    fn read(request: &'a Request) -> Result<Self, Refusal> {
        let (resource, namespace, name, metric) = match request.resource.as_str() {
            OF_NAMESPACE if !request.namespace.is_empty() => {
                ("namespaces", "", request.namespace.as_str(), request.name.as_str())
            }
            resource => (resource, request.namespace.as_str(), request.name.as_str(), request.subresource.as_str()),
        };
        let kind = resources::of_path(resource).ok_or(Refusal::NoResource)?;
        let is_misplaced = resources::is_namespaced(kind) == namespace.is_empty();
        if name.is_empty() || metric.is_empty() || is_misplaced {
            return Err(Refusal::NoResource);
        }
        let selector_text = request.parameter("labelSelector");
        Ok(Question {
            kind,
            namespace,
            name,
            metric,
            selector: selector(&selector_text)?,
            selector_text,
            metric_selector: selector(&request.parameter("metricLabelSelector"))?,
        })
    }

    fn item(&self, version: &str, name: &str, (at, value): Sum) -> Value {
        let mut object = json!({"kind": self.kind.kind});
        if !self.namespace.is_empty() {
            object["namespace"] = json!(self.namespace);
        }
        object["name"] = json!(name);
        object["apiVersion"] = json!(format!("{}/{}", self.kind.group, self.kind.version));
        let mut item = json!({"describedObject": object});
        match version {
            "v1beta1" => item["metricName"] = json!(self.metric),
            _ => item["metric"] = json!({"name": self.metric, "selector": null}),
        }
        item["timestamp"] = json!(moment(at));
        item["value"] = json!(quantity(value));
        if version == "v1beta1" {
            item["selector"] = Value::Null;
        }
        item
    }

    fn not_found(&self) -> Refusal {
        let (metric, resource) = (self.metric, resources::name(self.kind));
        let mut message = format!("the server could not find the metric {metric} for {resource}");
        if self.name != ALL {
            message = format!("{message} {}", self.name);
        }
        Refusal::NotFound { message, details: Value::Null }
    }
}

pub(super) fn selector(text: &str) -> Result<Selector, Refusal> {
    Selector::parse(text).map_err(|error| Refusal::BadRequest(error.to_string()))
}

fn sums<'a>(named: impl Iterator<Item = (String, &'a Told<'a>)>) -> BTreeMap<String, Sum> {
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    for (name, told) in named {
        let (at, sum) = sums.entry(name).or_insert((told.at, 0.0));
        *at = (*at).max(told.at);
        *sum += told.value;
    }
    sums
}
