//! What Prometheus asks for, under upstream's names and labels.

mod cadvisor;
mod exposition;
mod own;
mod resource;

use std::sync::Arc;

use api::k8s::api::core::v1::Pod;
use http::header;
use reconcile::Informer;

use super::{Answer, Refusal, text};
use crate::pod::Context;
use crate::usage;
use exposition::Exposition;

/// `/metrics`: the kubelet itself.
pub(crate) async fn own(context: &Context, pods: &[Arc<Pod>]) -> Result<Answer, Refusal> {
    let containers = super::stats::listed(context).await?;
    Ok(answer(own::generate(context, pods, &containers)))
}

/// `/metrics/resource`: what nodes, pods and containers use; `kubectl top` and autoscalers build on it.
pub(crate) async fn resource(context: &Context) -> Answer {
    let containers = usage::containers(&*context.runtime).await;
    let containers = containers.map_err(|status| tracing::warn!(error = %status, "usage cannot be read")).ok();
    let node = usage::node().map_err(|error| tracing::warn!(%error, "the node's usage cannot be read")).ok();
    answer(resource::generate(node, containers.as_deref(), context.ambient.clock.now()))
}

/// `/metrics/cadvisor`: the same and more, in cAdvisor's terms.
pub(crate) async fn cadvisor(context: &Context, pods: &Informer<Pod>) -> Result<Answer, Refusal> {
    let containers = usage::containers(&*context.runtime).await;
    let containers = containers.map_err(|status| Refusal::internal(status.message))?;
    Ok(answer(cadvisor::generate(context, &pods.list(), &containers)))
}

/// `/metrics/probes`: how probes went.
pub(crate) fn probes(context: &Context) -> Answer {
    let mut exposition = Exposition::default();
    let help = "[ALPHA] Cumulative number of a liveness, readiness or startup probe for a container by result.";
    let mut family = exposition.family("prober_probe_total", help, "counter");
    for (key, count) in context.probe_counts.all() {
        family.sample(
            &[
                ("container", &key.container),
                ("namespace", &key.namespace),
                ("pod", &key.pod),
                ("pod_uid", &key.pod_uid),
                ("probe_type", key.kind.as_str()),
                ("result", key.result),
            ],
            count as f64,
        );
    }
    answer(exposition)
}

fn answer(exposition: Exposition) -> Answer {
    let mut answer = text(exposition.into_text());
    let kind = header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}
