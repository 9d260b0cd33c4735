//! Durable puts of 1 KiB: ours, the disk's plain sync and etcd, in turns.

use std::path::Path;
use std::time::Duration;

use super::disk::Appender;
use super::etcd::Etcd;
use super::ours::{self, Round, Summary, share, summary};
use crate::Bench;
use crate::figures::{Aim, Figure, Quantity, Section};

const CLIENTS: [usize; 3] = [1, 16, 256];

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let runtime = ours::runtime()?;
    let mut disk = Appender::create(&bench.folder.join("disk"))?;
    let store = ours::open(&bench.folder.join("puts"))?;
    let etcd = Etcd::start(&bench.folder.join("etcd"), &runtime)?;
    let mut plain = [const { Vec::new() }; CLIENTS.len()];
    let mut own = [const { Vec::new() }; CLIENTS.len()];
    let mut rival = [const { Vec::new() }; CLIENTS.len()];
    for _ in 0..bench.rounds() {
        for (index, clients) in CLIENTS.into_iter().enumerate() {
            plain[index].push(disk.run(clients, bench.round())?);
            own[index].push(ours::puts(&runtime, &store, clients, bench.round())?);
            rival[index].push(etcd.puts(&runtime, clients, bench.round())?);
        }
    }
    etcd.end()?;
    store.close();

    let mut figures = Vec::new();
    for (index, clients) in CLIENTS.into_iter().enumerate() {
        let (own, rival, plain) = (&own[index], &rival[index], &plain[index]);
        let limit = summary(plain);
        let who = if clients == 1 { "1 client".to_owned() } else { format!("{clients} clients") };
        let beside_disk = figure(who.clone(), own)
            .detail("disk's p50", limit.delays.percentile(0.5).into())
            .detail("disk's p99", limit.delays.percentile(0.99).into())
            .beside(format!("the disk, {clients} KiB a sync"), Quantity::PerSecond(limit.rate))
            .share(share(own, plain));
        let etcd = summary(rival);
        let beside_etcd = figure(who, own)
            .detail("etcd's p50", etcd.delays.percentile(0.5).into())
            .detail("etcd's p99", etcd.delays.percentile(0.99).into())
            .detail("etcd's CPU", Quantity::Seconds(etcd.processor_each))
            .beside("etcd", Quantity::PerSecond(etcd.rate))
            .share(share(own, rival));
        figures.push(if clients == 1 { beside_disk.aim(Aim::ShareAtLeast(0.9)) } else { beside_disk });
        figures.push(if clients == 256 { beside_etcd.aim(Aim::ShareAtLeast(10.0)) } else { beside_etcd });
    }
    Ok(figures)
}

/// Our puts alone.
pub(crate) fn load(folder: &Path, clients: usize, period: Duration) -> anyhow::Result<()> {
    let runtime = ours::runtime()?;
    let store = ours::open(folder)?;
    let round = ours::puts(&runtime, &store, clients, period)?;
    store.close();
    println!("{}", Section { title: "Puts", figures: vec![figure(format!("{clients} clients"), &[round])] });
    Ok(())
}

fn figure(what: String, rounds: &[Round]) -> Figure {
    let Summary { rate, delays, processor_each } = summary(rounds);
    Figure::new(what, Quantity::PerSecond(rate))
        .detail("p50", delays.percentile(0.5).into())
        .detail("p99", delays.percentile(0.99).into())
        .detail("CPU", Quantity::Seconds(processor_each))
}
