//! One metric of an autoscaler: what it proposes, and how it is shown.

use std::sync::Arc;

use api::Quantity;
use api::k8s::api::autoscaling::v2::{
    ContainerResourceMetricStatus, ExternalMetricStatus, MetricSpec, MetricStatus, MetricTarget, MetricValueStatus,
    ObjectMetricStatus, PodsMetricStatus, ResourceMetricStatus,
};
use api::k8s::api::core::v1::Pod;
use api::k8s::apimachinery::pkg::api::resource::Quantity as Written;

use super::replicas::{
    PodMetrics, Proposal, ReplicaError, Target, Tolerance, propose, propose_for_share, propose_for_value,
};
use super::source::{Source, SourceError};

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

pub(super) async fn compute(spec: &MetricSpec, scene: &Scene<'_>) -> Result<Computed, MetricError> {
    let status = MetricStatus { type_: spec.type_.clone(), ..MetricStatus::default() };
    if let Some(metric) = &spec.resource {
        let (proposal, current) = of_resource(scene, &metric.name, None, &metric.target).await?;
        let name = named(&format!("{} resource", metric.name), &proposal);
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
        let name = named(&format!("{} container resource", metric.name), &proposal);
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
        let name = format!("{} metric {}", metric.described_object.kind, metric.metric.name);
        return Ok(Computed { replicas, name, status: MetricStatus { object: Some(shown), ..status } });
    }
    if let Some(metric) = &spec.external {
        let usage = scene.source.external(scene.namespace, &metric.metric).await.map_err(MetricError::Source)?;
        let (replicas, current) = scene.whole(usage, &metric.target, "external")?;
        let shown = ExternalMetricStatus { metric: metric.metric.clone(), current };
        let name = format!("external metric {}(nil)", metric.metric.name);
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
            let millis = millis(Some(amount)).ok_or(MetricError::NoTarget("resource"))?;
            (Target::Average { millis, resource: Some(resource) }, "usage")
        }
        (None, Some(percent)) => (Target::Utilization { percent, resource, container }, "utilization"),
        (None, None) => return Err(MetricError::NoTarget("resource")),
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
        Ok((replicas, MetricValueStatus { value: Some(written(usage)), ..MetricValueStatus::default() }))
    }
}

fn named(name: &str, proposal: &Proposal) -> String {
    match proposal.utilization {
        Some(_) => format!("{name} utilization (percentage of request)"),
        None => name.to_owned(),
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
