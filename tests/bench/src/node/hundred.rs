//! A hundred pods at once, what they cost in memory, and what it costs to probe them.

use std::time::Duration;

use super::cluster::{Cluster, USUAL_PODS};
use super::pods::{Pods, State, probed};
use crate::Bench;
use crate::figures::{Aim, Figure, Quantity};
use crate::machine::{processor_seconds, pss_bytes};

/// Until what starts have left undone is done, and every probe has its place on the wheel.
const SETTLING: Duration = Duration::from_secs(10);

pub(super) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let cluster = Cluster::start(bench, &["echo"], USUAL_PODS)?;
    let figures = crate::api::server::runtime()?.block_on(hundred(bench, &cluster))?;
    cluster.destroy()?;
    Ok(figures)
}

async fn hundred(bench: &Bench, cluster: &Cluster) -> anyhow::Result<Vec<Figure>> {
    let count = bench.scaled(100);
    let window = Duration::from_secs(if bench.quick { 10 } else { 60 });
    let server = cluster.server()?;
    let before = pss_bytes(server)?;
    let begun = processor_seconds(server)?;
    let mut pods = Pods::watch(&cluster.api()?).await?;
    let mut sent = None;
    for number in 0..count {
        let created = pods.create(&probed(&format!("pod-{number:03}"))).await?;
        sent.get_or_insert(created);
    }
    let running = pods.until(count, State::Running).await?;
    let started = processor_seconds(server)? - begun;
    pods.until(count, State::Ready).await?;
    tokio::time::sleep(SETTLING).await;

    let shims = cluster.shims()?;
    anyhow::ensure!(shims.len() == count, "{} shims for {count} pods", shims.len());
    let shim_bytes = shims.iter().map(|&pid| pss_bytes(pid)).collect::<anyhow::Result<Vec<f64>>>()?;
    let growth = pss_bytes(server)? - before;
    let all: f64 = shim_bytes.iter().sum();
    let largest = shim_bytes.iter().copied().fold(0.0, f64::max);

    let work = || -> anyhow::Result<f64> {
        let shims = shims.iter().map(|&pid| processor_seconds(pid)).sum::<anyhow::Result<f64>>()?;
        Ok(shims + processor_seconds(server)?)
    };
    let worked = work()?;
    tokio::time::sleep(window).await;
    let worked = (work()? - worked) / window.as_secs_f64();

    let running = sent.map_or(Duration::ZERO, |sent| running - sent);
    let pods = count as f64;
    Ok(vec![
        Figure::new(format!("{count} pods at once, to all Running"), running.into())
            .detail("the server's processor time a pod", Quantity::Seconds(started / pods))
            .aim(Aim::AtMost(Quantity::Seconds(5.0))),
        Figure::new("memory of a pod beside its container", Quantity::Bytes((all + growth) / pods))
            .detail("of it the server's growth", Quantity::Bytes(growth / pods))
            .aim(Aim::AtMost(Quantity::Bytes(4e6))),
        Figure::new("memory of a shim (PSS)", Quantity::Bytes(all / pods))
            .detail("the largest", Quantity::Bytes(largest))
            .aim(Aim::AtMost(Quantity::Bytes(3e6))),
        Figure::new(format!("processor time a second, {count} pods probed every 10 s"), Quantity::Seconds(worked))
            .detail("seconds", Quantity::Seconds(window.as_secs_f64()))
            .aim(Aim::AtMost(Quantity::Seconds(0.030))),
    ])
}
