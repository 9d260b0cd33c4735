//! Asks every node's kubelet, through the API server.

use std::sync::Arc;

use api::NamespacedName;
use api::k8s::api::core::v1::Node;
use client::CallError;
use client::kube::Api;
use client::kube::core::PartialObjectMeta;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use http::Request;
use reconcile::{Informer, ListOptions};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::samples::Answer;
use crate::{Config, Metrics};

/// Nodes asked at once.
const AT_ONCE: usize = 16;

type Metadata = PartialObjectMeta<Node>;

pub(crate) async fn run(config: &Config, metrics: &Metrics) {
    let options = ListOptions { trim: Some(trim as fn(&mut Metadata)), ..ListOptions::default() };
    let api: Api<Metadata> = Api::all(config.client.clone());
    let nodes: Informer<Metadata> = Informer::start(api, options, &config.ambient, config.cancel.clone());
    nodes.synced().await;
    let mut ticks = interval(config.resolution);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let names: Vec<String> = nodes.list().iter().filter_map(|node| node.metadata.name.clone()).collect();
        metrics.lock().keep_nodes(|node| nodes.get(&NamespacedName::new("", node)).is_some());
        scrape_all(config, metrics, names).await;
        metrics.remember(config);
    }
}

async fn scrape_all(config: &Config, metrics: &Metrics, nodes: Vec<String>) {
    let mut left = nodes.into_iter();
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < AT_ONCE
            && let Some(node) = left.next()
        {
            running.push(async move {
                // A node that does not answer in time is as good as silent.
                match timeout(config.resolution, scrape(config, &node)).await {
                    Ok(Ok(text)) => metrics.lock().add(&node, Answer::parse(&text, config.ambient.clock.now())),
                    Ok(Err(error)) => {
                        tracing::debug!(node, error = stdx::error::chain(&error), "the node's counters cannot be read");
                    }
                    Err(_) => tracing::debug!(node, "the node's counters did not come in time"),
                }
            });
        }
        if running.next().await.is_none() {
            return;
        }
    }
}

async fn scrape(config: &Config, node: &str) -> Result<Arc<str>, CallError> {
    let request = Request::get(format!("/api/v1/nodes/{node}/proxy/metrics/resource"));
    let request = request.body(Vec::new()).map_err(|error| CallError::from(client::ClientError::HttpError(error)))?;
    Ok(config.client.request_text(request).await?.into())
}

/// The names are enough.
fn trim(node: &mut Metadata) {
    node.metadata.labels = None;
    node.metadata.annotations = None;
}
