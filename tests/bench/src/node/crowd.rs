//! As many pods as a node may have to bear, up and down.

use std::time::Duration;

use super::cluster::Cluster;
use super::pods::{Pods, State, sleeping};
use crate::Bench;
use crate::figures::{Aim, Figure, Quantity};
use crate::machine::{now, processor_seconds, pss_bytes};

const PODS: usize = 500;
/// How long they are watched for one that ends.
const STAY: Duration = Duration::from_secs(10);
/// Between two looks for shims that still run.
const LOOK: Duration = Duration::from_millis(20);

pub(super) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let cluster = Cluster::start(bench, &["busybox"], PODS)?;
    let figures = crate::api::server::runtime()?.block_on(crowd(&cluster, bench.scaled(PODS)))?;
    cluster.destroy()?;
    Ok(figures)
}

async fn crowd(cluster: &Cluster, count: usize) -> anyhow::Result<Vec<Figure>> {
    let server = cluster.server()?;
    let mut pods = Pods::watch(&cluster.api()?).await?;
    let (began, begun) = (now(), processor_seconds(server)?);
    for number in 0..count {
        pods.create(&sleeping(&format!("pod-{number:03}"))).await?;
    }
    let up = pods.until(count, State::Running).await? - began;
    let started = processor_seconds(server)? - begun;
    let memory = pss_bytes(server)?;
    let worked = processor_seconds(server)?;
    tokio::time::sleep(STAY).await;
    let worked = (processor_seconds(server)? - worked) / STAY.as_secs_f64();
    anyhow::ensure!(cluster.shims()?.len() == count, "a pod did not stay up");

    let asked = pods.delete_all().await?;
    pods.until_gone().await?;
    while !cluster.shims()?.is_empty() {
        tokio::time::sleep(LOOK).await;
    }
    let down = asked.elapsed();
    Ok(vec![
        Figure::new(format!("{count} pods at once, to all Running"), up.into())
            .detail("the server's processor time a pod", Quantity::Seconds(started / count as f64))
            .detail("the server's memory", Quantity::Bytes(memory))
            .detail("its processor time a second, at rest", Quantity::Seconds(worked)),
        Figure::new(format!("{count} pods deleted, to all gone"), down.into())
            .aim(Aim::AtMost(Quantity::Seconds(20.0))),
    ])
}
