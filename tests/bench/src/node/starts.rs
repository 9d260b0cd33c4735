//! Pods that come one by one: from the request to Running, as a watch sees it.

use std::time::Duration;

use super::cluster::{Cluster, USUAL_PODS};
use super::pods::{Pods, State, sleeping};
use crate::Bench;
use crate::durations::Durations;
use crate::figures::{Aim, Figure, Quantity};

const PODS: usize = 60;
const PERIOD: Duration = Duration::from_secs(1);

pub(super) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let cluster = Cluster::start(bench, &["busybox"], USUAL_PODS)?;
    let delays = crate::api::server::runtime()?.block_on(starts(&cluster, bench.scaled(PODS)))?;
    cluster.destroy()?;
    let at_most = |most: f64| Aim::AtMost(Quantity::Seconds(most));
    Ok(vec![
        Figure::new("create to Running, p50", delays.percentile(0.5).into())
            .detail("pods", Quantity::Count(delays.count() as f64))
            .detail("p90", delays.percentile(0.9).into())
            .aim(at_most(0.060)),
        Figure::new("create to Running, p99", delays.percentile(0.99).into())
            .detail("longest", delays.longest().into())
            .aim(at_most(0.250)),
    ])
}

async fn starts(cluster: &Cluster, count: usize) -> anyhow::Result<Durations> {
    let mut pods = Pods::watch(&cluster.api()?).await?;
    let mut delays = Durations::default();
    let mut ticks = tokio::time::interval(PERIOD);
    for number in 0..count {
        ticks.tick().await;
        let name = format!("pod-{number:03}");
        let sent = pods.create(&sleeping(&name)).await?;
        delays.record(pods.until(1, State::Running).await? - sent);
        pods.delete(&name).await?;
        pods.until_gone().await?;
    }
    Ok(delays)
}
