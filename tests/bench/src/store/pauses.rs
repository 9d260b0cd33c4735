//! Snapshots of a large store, and the longest pauses that a steady writer and a steady reader see.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stdx::Ambient;
use store::{Embedded, Expect, ReadAt, Store, folder};
use tokio::runtime::Runtime;

use super::disk::Appender;
use super::ours::{self, Work, key};
use crate::Bench;
use crate::durations::Durations;
use crate::figures::{Aim, Figure, Quantity};
use crate::machine::now;

const OBJECTS: usize = 1_000_000;
const VALUE_BYTES: usize = 200;
const ROUNDS: usize = 3;
/// Between two reads of the steady reader.
const READ_EVERY: Duration = Duration::from_millis(1);
/// Between two compactions, each of what was written since the last.
const COMPACT_EVERY: Duration = Duration::from_millis(200);

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let runtime = ours::runtime()?;
    let folder = bench.folder.join("pauses");
    let store = ours::open(&folder)?;
    let count = bench.scaled(OBJECTS);
    ours::fill(&runtime, &store, count, VALUE_BYTES)?;
    let mut disk = Appender::create(&bench.folder.join("pauses-disk"))?;
    let mut seen: [Pauses; 2] = Default::default();
    let mut snapshots = Durations::default();
    let mut plain = Durations::default();
    let mut written = 0;
    for _ in 0..ROUNDS {
        plain.merge(&disk.run(1, bench.round() * 3)?.delays);
        seen[0].merge(&steady(&runtime, &store, count, bench.round() * 3, None)?);
        let before = newest_snapshot(&folder)?;
        seen[1].merge(&steady(&runtime, &store, count, bench.round() * 3, Some(&mut snapshots))?);
        written += usize::from(newest_snapshot(&folder)? != before);
    }
    let [quiet, busy] = seen;
    let pause = |what: &str, busy: &Durations, quiet: &Durations| {
        let beyond = busy.longest().saturating_sub(quiet.longest());
        Figure::new(format!("longest {what} during snapshots and compactions"), busy.longest().into())
            .detail("beyond the quiet one", beyond.into())
            .detail("p99.9", busy.percentile(0.999).into())
            .detail("quiet p99.9", quiet.percentile(0.999).into())
            .beside("quiet", quiet.longest().into())
    };
    let mut figures = vec![
        Figure::new(format!("snapshot of {} objects, the longest", Quantity::count(count)), snapshots.longest().into())
            .detail("p50", snapshots.percentile(0.5).into())
            .detail("taken", Quantity::Count(snapshots.count() as f64))
            .aim(Aim::AtMost(Quantity::Seconds(0.010))),
        pause("write", &busy.writes, &quiet.writes)
            .detail("the disk's own longest sync", plain.longest().into())
            .detail("snapshots of the store's own, written meanwhile", Quantity::count(written))
            .aim(Aim::AtMost(Quantity::Seconds(0.010 + plain.longest().max(quiet.writes.longest()).as_secs_f64()))),
        pause("read", &busy.reads, &quiet.reads)
            .aim(Aim::AtMost(Quantity::Seconds(0.010 + quiet.reads.longest().as_secs_f64()))),
    ];
    let path = bench.folder.join("pauses-snapshot");
    let began = now();
    let bytes = folder::save(&store.snapshot()?, &path, &Ambient::system())?;
    let saved = began.elapsed();
    figures.push(
        Figure::new("writing that snapshot to a file, synced", saved.into())
            .detail("file", Quantity::Bytes(bytes as f64)),
    );
    store.close();
    Ok(figures)
}

/// The snapshot that the store itself wrote last, in the place of its logs.
fn newest_snapshot(folder: &Path) -> anyhow::Result<Option<OsString>> {
    let names = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name()));
    let names: Vec<OsString> = names.collect::<std::io::Result<_>>()?;
    let is_snapshot = |name: &str| name.starts_with("snapshot-") && !name.contains('.');
    Ok(names.into_iter().filter(|name| name.to_str().is_some_and(is_snapshot)).max())
}

#[derive(Default)]
struct Pauses {
    writes: Durations,
    reads: Durations,
}

impl Pauses {
    fn merge(&mut self, other: &Pauses) {
        self.writes.merge(&other.writes);
        self.reads.merge(&other.reads);
    }
}

/// One writer and one reader for a while, alone or while snapshots are taken and history is compacted.
fn steady(
    runtime: &Runtime,
    store: &Arc<Embedded>,
    count: usize,
    period: Duration,
    snapshots: Option<&mut Durations>,
) -> anyhow::Result<Pauses> {
    let deadline = now() + period;
    let writer = runtime.spawn(write(store.clone(), deadline));
    let reader = runtime.spawn(read(store.clone(), count, deadline));
    if let Some(snapshots) = snapshots {
        runtime.block_on(async {
            while now() < deadline {
                let began = now();
                let snapshot = store.snapshot()?;
                snapshots.record(began.elapsed());
                store.compact(store.revision()).await?;
                drop(snapshot);
                tokio::time::sleep(COMPACT_EVERY).await;
            }
            anyhow::Ok(())
        })?;
    }
    Ok(Pauses { writes: runtime.block_on(writer)??, reads: runtime.block_on(reader)?? })
}

async fn write(store: Arc<Embedded>, deadline: Instant) -> anyhow::Result<Durations> {
    let work = Work::of(0);
    let mut delays = Durations::default();
    let mut sent = now();
    for number in 0.. {
        if sent >= deadline {
            break;
        }
        store.put(work.key(number), work.value(number), Expect::Anything).await?;
        let answered = now();
        delays.record(answered - sent);
        sent = answered;
    }
    Ok(delays)
}

async fn read(store: Arc<Embedded>, count: usize, deadline: Instant) -> anyhow::Result<Durations> {
    let mut delays = Durations::default();
    for number in (0..count).step_by(7).cycle() {
        let began = now();
        if began >= deadline {
            break;
        }
        store.get(&key(number), ReadAt::Newest).await?;
        delays.record(began.elapsed());
        tokio::time::sleep(READ_EVERY).await;
    }
    Ok(delays)
}
