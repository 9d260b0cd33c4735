//! One metric of an autoscaler: what it proposes, and how it is shown.

use std::sync::Arc;

use api::Quantity;
use api::k8s::api::autoscaling::v2::{
    ContainerResourceMetricStatus, ExternalMetricStatus, MetricIdentifier, MetricSpec, MetricStatus, MetricTarget,
    MetricValueStatus, ObjectMetricStatus, PodsMetricStatus, ResourceMetricStatus,
};
use api::k8s::api::core::v1::Pod;
use api::k8s::apimachinery::pkg::api::resource::Quantity as Written;

use super::replicas::{
    PodMetrics, Proposal, ReplicaError, Target, Tolerance, propose, propose_for_share, propose_for_value,
};
use super::source::{Source, SourceError, shown};

/// What a metric is computed from.
pub(super) struct Scene<'a> {
    pub(super) source: &'a Source,
    pub(super) namespace: &'a str,
    /// The target's pods, in the query form.
    pub(super) selector: &'a str,
    pub(super) pods: &'a [Arc<Pod>],
    /// What the target's scale wants, and what there is.
    pub(super) wanted: i32,
    pub(super) present: i32,
    pub(super) tolerance: Tolerance,
}

pub(super) struct Computed {
    pub(super) replicas: i32,
    /// As events name it.
    pub(super) name: String,
    pub(super) status: MetricStatus,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum MetricError {
    #[error("failed to get {name} {measure}: {why}")]
    Resource { name: String, measure: &'static str, why: String },
    #[error("{0}")]
    Source(SourceError),
    #[error("{0}")]
    Replicas(ReplicaError),
    #[error("invalid {0} metric source: neither a value target nor an average value target was set")]
    NoTarget(&'static str),
    #[error(
        "invalid resource metric source: neither an average utilization target nor an average value (usage) target was set"
    )]
    NoResourceTarget,
    #[error("unknown metric source type \"{0}\"")]
    UnknownType(String),
}

/// The reason of the condition, and of the event, when the metric cannot be had.
pub(super) fn failure_reason(spec: &MetricSpec) -> &'static str {
    match spec.type_.as_str() {
        "Resource" => "FailedGetResourceMetric",
        "ContainerResource" => "FailedGetContainerResourceMetric",
        "Pods" => "FailedGetPodsMetric",
        "Object" => "FailedGetObjectMetric",
        "External" => "FailedGetExternalMetric",
        _ => "InvalidMetricSourceType",
    }
}

/// The failure as the event on the whole tells it: upstream puts more around it than the event of the metric has.
pub(super) fn summary(spec: &MetricSpec, error: &MetricError) -> String {
    let is_fetched = !matches!(error, MetricError::NoTarget(_));
    if let Some(metric) = &spec.resource {
        format!("failed to get {} resource metric value: {error}", metric.name)
    } else if let Some(metric) = &spec.container_resource {
        format!("failed to get {} container metric value: {error}", metric.container)
    } else if spec.pods.is_some() {
        format!("failed to get pods metric value: {error}")
    } else if let Some(metric) = &spec.object {
        match metric.target.type_.as_str() {
            "AverageValue" if is_fetched => {
                format!(
                    "failed to get object metric value: failed to get {} object metric: {error}",
                    metric.metric.name
                )
            }
            _ => format!("failed to get object metric value: {error}"),
        }
    } else if let Some(metric) = &spec.external {
        let name = &metric.metric.name;
        let inner = match metric.target.average_value {
            _ if !is_fetched => error.to_string(),
            Some(_) => format!("failed to get {name} external metric: {error}"),
            None => format!("failed to get external metric {name}: {error}"),
        };
        format!("failed to get {name} external metric value: {inner}")
    } else {
        error.to_string()
    }
}

pub(super) async fn compute(spec: &MetricSpec, scene: &Scene<'_>) -> Result<Computed, MetricError> {
    let status = MetricStatus { type_: spec.type_.clone(), ..MetricStatus::default() };
    if let Some(metric) = &spec.resource {
        let (proposal, current) = of_resource(scene, &metric.name, None, &metric.target).await?;
        let name = named(&metric.name, "resource", &proposal);
        let shown = ResourceMetricStatus { name: metric.name.clone(), current };
        return Ok(Computed {
            replicas: proposal.replicas,
            name,
            status: MetricStatus { resource: Some(shown), ..status },
        });
    }
    if let Some(metric) = &spec.container_resource {
        let container = Some(metric.container.as_str());
        let (proposal, current) = of_resource(scene, &metric.name, container, &metric.target).await?;
        let name = named(&metric.name, "container resource", &proposal);
        let shown =
            ContainerResourceMetricStatus { name: metric.name.clone(), container: metric.container.clone(), current };
        let status = MetricStatus { container_resource: Some(shown), ..status };
        return Ok(Computed { replicas: proposal.replicas, name, status });
    }
    if let Some(metric) = &spec.pods {
        let told =
            scene.source.pods(scene.namespace, scene.selector, &metric.metric).await.map_err(MetricError::Source)?;
        let millis = millis(metric.target.average_value.as_ref()).ok_or(MetricError::NoTarget("pods"))?;
        let proposal =
            scene.propose(Target::Average { millis, resource: None }, told).map_err(MetricError::Replicas)?;
        let shown = PodsMetricStatus { metric: metric.metric.clone(), current: average(proposal.average) };
        let name = format!("pods metric {}", metric.metric.name);
        return Ok(Computed {
            replicas: proposal.replicas,
            name,
            status: MetricStatus { pods: Some(shown), ..status },
        });
    }
    if let Some(metric) = &spec.object {
        let usage = scene.source.object(scene.namespace, &metric.described_object, &metric.metric).await;
        let (replicas, current) = scene.whole(usage.map_err(MetricError::Source)?, &metric.target, "object")?;
        let shown = ObjectMetricStatus {
            metric: metric.metric.clone(),
            current,
            described_object: metric.described_object.clone(),
        };
        let name = match metric.target.type_.as_str() {
            // So upstream names it.
            "AverageValue" => external_name(&metric.metric),
            _ => format!("{} metric {}", metric.described_object.kind, metric.metric.name),
        };
        return Ok(Computed { replicas, name, status: MetricStatus { object: Some(shown), ..status } });
    }
    if let Some(metric) = &spec.external {
        let usage = scene.source.external(scene.namespace, &metric.metric).await.map_err(MetricError::Source)?;
        let (replicas, current) = scene.whole(usage, &metric.target, "external")?;
        let shown = ExternalMetricStatus { metric: metric.metric.clone(), current };
        let name = external_name(&metric.metric);
        return Ok(Computed { replicas, name, status: MetricStatus { external: Some(shown), ..status } });
    }
    Err(MetricError::UnknownType(spec.type_.clone()))
}

async fn of_resource(
    scene: &Scene<'_>,
    resource: &str,
    container: Option<&str>,
    target: &MetricTarget,
) -> Result<(Proposal, MetricValueStatus), MetricError> {
    let (target, measure) = match (&target.average_value, target.average_utilization) {
        (Some(amount), _) => {
            let millis = millis(Some(amount)).ok_or(MetricError::NoResourceTarget)?;
            (Target::Average { millis, resource: Some(resource) }, "usage")
        }
        (None, Some(percent)) => (Target::Utilization { percent, resource, container }, "utilization"),
        (None, None) => return Err(MetricError::NoResourceTarget),
    };
    let failed = |why: String| MetricError::Resource { name: resource.to_owned(), measure, why };
    let told = scene.source.resource(scene.namespace, scene.selector, resource, container).await;
    let proposal = scene.propose(target, told.map_err(|error| failed(error.to_string()))?);
    let proposal = proposal.map_err(|error| failed(error.to_string()))?;
    let current = MetricValueStatus { average_utilization: proposal.utilization, ..average(proposal.average) };
    Ok((proposal, current))
}

impl Scene<'_> {
    fn propose(&self, target: Target<'_>, metrics: PodMetrics) -> Result<Proposal, ReplicaError> {
        propose(self.wanted, target, metrics, self.pods, self.tolerance, self.source.now)
    }

    /// For a metric of the whole: per pod, or as it is.
    fn whole(
        &self,
        usage: i64,
        target: &MetricTarget,
        source: &'static str,
    ) -> Result<(i32, MetricValueStatus), MetricError> {
        if let Some(target) = millis(target.average_value.as_ref()) {
            let replicas = propose_for_share(self.present, usage, target, self.tolerance);
            let share = usage as f64 / f64::from(self.present.max(1));
            return Ok((replicas, average(share.ceil() as i64)));
        }
        let target = millis(target.value.as_ref()).ok_or(MetricError::NoTarget(source))?;
        let replicas = propose_for_value(self.wanted, usage, target, self.pods, self.tolerance);
        let replicas = replicas.map_err(MetricError::Replicas)?;
        Ok((replicas, MetricValueStatus { value: Some(written(usage)), ..MetricValueStatus::default() }))
    }
}

fn external_name(metric: &MetricIdentifier) -> String {
    format!("external metric {}({})", metric.name, shown(metric.selector.as_ref()))
}

/// As upstream names it; the mean of a container has the name of the whole pod's.
fn named(resource: &str, of: &str, proposal: &Proposal) -> String {
    match proposal.utilization {
        Some(_) => format!("{resource} {of} utilization (percentage of request)"),
        None => format!("{resource} resource"),
    }
}

/// None also for what would divide by nothing.
fn millis(amount: Option<&Written>) -> Option<i64> {
    amount.and_then(|amount| Quantity::of(amount).ok()).map(Quantity::millis).filter(|millis| *millis > 0)
}

fn average(millis: i64) -> MetricValueStatus {
    MetricValueStatus { average_value: Some(written(millis)), ..MetricValueStatus::default() }
}

fn written(millis: i64) -> Written {
    let text = format!("{millis}m");
    Written(api::quantity::canonical(&text).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_failure_is_told_with_what_upstream_puts_around_it() {
        let told = |spec: Value, error: MetricError| {
            let spec: MetricSpec = serde_json::from_value(spec).unwrap();
            (failure_reason(&spec), summary(&spec, &error))
        };
        let missing = || MetricError::Replicas(ReplicaError::NoPods);
        let why = "no pods returned by selector while calculating replica count";
        let average = json!({"type": "AverageValue", "averageValue": "1"});
        let value = json!({"type": "Value", "value": "1"});
        let depth = json!({"name": "depth"});
        let service = json!({"kind": "Service", "name": "main"});
        for (spec, reason, expected) in [
            (
                json!({"type": "Resource", "resource": {"name": "cpu", "target": average}}),
                "FailedGetResourceMetric",
                format!("failed to get cpu resource metric value: {why}"),
            ),
            (
                json!({"type": "ContainerResource",
                       "containerResource": {"name": "cpu", "container": "main", "target": average}}),
                "FailedGetContainerResourceMetric",
                format!("failed to get main container metric value: {why}"),
            ),
            (
                json!({"type": "Pods", "pods": {"metric": depth, "target": average}}),
                "FailedGetPodsMetric",
                format!("failed to get pods metric value: {why}"),
            ),
            (
                json!({"type": "Object", "object": {"metric": depth, "describedObject": service, "target": value}}),
                "FailedGetObjectMetric",
                format!("failed to get object metric value: {why}"),
            ),
            (
                json!({"type": "Object", "object": {"metric": depth, "describedObject": service, "target": average}}),
                "FailedGetObjectMetric",
                format!("failed to get object metric value: failed to get depth object metric: {why}"),
            ),
            (
                json!({"type": "External", "external": {"metric": depth, "target": value}}),
                "FailedGetExternalMetric",
                format!("failed to get depth external metric value: failed to get external metric depth: {why}"),
            ),
            (
                json!({"type": "External", "external": {"metric": depth, "target": average}}),
                "FailedGetExternalMetric",
                format!("failed to get depth external metric value: failed to get depth external metric: {why}"),
            ),
        ] {
            assert_eq!(told(spec, missing()), (reason, expected));
        }
        let odd = json!({"type": "Odd"});
        let (reason, summary) = told(odd, MetricError::UnknownType("Odd".into()));
        assert_eq!((reason, summary.as_str()), ("InvalidMetricSourceType", "unknown metric source type \"Odd\""));
    }

    #[test]
    fn metrics_are_named_as_events_name_them() {
        let proposal = |utilization| Proposal { replicas: 1, utilization, average: 1 };
        let percentage = "cpu container resource utilization (percentage of request)";
        assert_eq!(named("cpu", "container resource", &proposal(Some(3))), percentage);
        assert_eq!(named("cpu", "container resource", &proposal(None)), "cpu resource");
        let metric: MetricIdentifier =
            serde_json::from_value(json!({"name": "depth", "selector": {"matchLabels": {"queue": "a"}}})).unwrap();
        assert_eq!(
            external_name(&metric),
            "external metric depth(&LabelSelector{MatchLabels:map[string]string{queue: a,},\
             MatchExpressions:[]LabelSelectorRequirement{},})"
        );
    }
}
