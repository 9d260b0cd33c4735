//! Memory with many pods stored, and the start with them.

use super::client::request;
use super::lists::pod_padding;
use super::verbs::fill;
use super::{block_on, make_namespace, objects, per_second, start};
use crate::Bench;
use crate::figures::{Aim, Figure, Quantity};
use crate::machine::{now, pss_bytes};

const POD_BYTES: usize = 4096;
const PODS: &str = "/api/v1/namespaces/footprint/pods";
const MEBIBYTE: f64 = 1024.0 * 1024.0;

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let folder = bench.folder.join("footprint");
    let [few, many, most] = [10_000, 50_000, 100_000].map(|count| bench.scaled(count));
    let (process, target) = start("api", &folder)?;
    let empty = pss_bytes(process.pid())?;
    let padding = block_on(async {
        make_namespace(&mut target.connect().await?, "footprint").await?;
        pod_padding(&target, POD_BYTES).await
    })?;
    let pod = |number: usize| objects::pod("footprint", &format!("pod-{number:06}"), number, &padding);

    let mut bytes = block_on(fill(&target, PODS, few, pod))?;
    let with_few = pss_bytes(process.pid())?;
    let began = now();
    bytes += block_on(fill(&target, PODS, many - few, |number| pod(few + number)))?;
    let rate = per_second((many - few) as u64, began.elapsed());
    let with_many = pss_bytes(process.pid())?;
    bytes += block_on(fill(&target, PODS, most - many, |number| pod(many + number)))?;
    let with_most = pss_bytes(process.pid())?;
    process.end()?;

    // A second store of its own, so that the start reads what `many` pods wrote and nothing else.
    let folder = bench.folder.join("start");
    let (process, target) = start("api", &folder)?;
    block_on(async {
        make_namespace(&mut target.connect().await?, "footprint").await?;
        fill(&target, PODS, many, pod).await
    })?;
    process.end()?;
    let mut starts = Vec::new();
    let mut restarted = 0.0;
    for _ in 0..3 {
        let began = now();
        let (process, target) = start("api", &folder)?;
        block_on(async { target.connect().await?.must(&request("GET", "/readyz")).await.map(|_| ()) })?;
        starts.push(began.elapsed().as_secs_f64());
        restarted = pss_bytes(process.pid())?;
        process.end()?;
    }

    let megabytes = |mebibytes: f64| Aim::AtMost(Quantity::Bytes(mebibytes * MEBIBYTE));
    Ok(vec![
        Figure::new("memory, nothing stored", Quantity::Bytes(empty)),
        Figure::new(format!("memory, {} pods of 4 KiB", Quantity::count(few)), Quantity::Bytes(with_few))
            .beside("upstream", Quantity::Bytes(1021.0 * MEBIBYTE))
            .aim(megabytes(100.0)),
        Figure::new(format!("memory, {} pods of 4 KiB", Quantity::count(many)), Quantity::Bytes(with_many))
            .detail("restarted", Quantity::Bytes(restarted))
            .beside("upstream", Quantity::Bytes(3079.0 * MEBIBYTE))
            .aim(megabytes(350.0)),
        Figure::new(
            format!("memory grown by {} pods of 4 KiB", Quantity::count(most)),
            Quantity::Bytes(with_most - empty),
        )
        .beside("their bytes", Quantity::Bytes(bytes as f64))
        .aim(Aim::ShareAtMost(2.0)),
        Figure::new("creates of pods of 4 KiB, 64 connections", rate),
        Figure::new(
            format!("start with {} pods, to ready", Quantity::count(many)),
            Quantity::Seconds(crate::durations::median(starts)),
        )
        .beside("upstream", Quantity::Seconds(7.6))
        .aim(Aim::AtMost(Quantity::Seconds(1.0))),
    ])
}
