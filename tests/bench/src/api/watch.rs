//! Watches: a thousand of them, over both protocols, on objects that change at a pace and as fast as they can.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use futures::future::try_join_all;
use tokio::sync::watch::Receiver;
use tokio::task::LocalSet;
use tokio_util::sync::CancellationToken;

use super::client::{Target, request, request_with, resource_version};
use super::watcher::{Protocol, Shared, stamped, watch};
use super::{Servers, block_on, make_namespace, objects, per_second};
use crate::Bench;
use crate::durations::Durations;
use crate::figures::{Aim, Figure, Quantity};
use crate::machine::{now, processor_seconds};
use crate::values;

const MAPS: &str = "/api/v1/namespaces/watch/configmaps";
const OBJECTS: usize = 64;
const WRITERS: usize = 16;
const CHANGES_PER_SECOND: usize = 1000;
/// How long the last events may take before they count as lost.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many changes the writers may be ahead of the watchers' average in the unpaced run.
const AHEAD: u64 = 1000;

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let servers = Servers::start(&bench.folder, "watch")?;
    let watchers = bench.scaled(1000);
    let paced = Changes {
        count: bench.scaled(5000),
        pace: Some(Duration::from_secs(1) / CHANGES_PER_SECOND as u32),
        data_bytes: 0,
    };
    let unpaced = Changes { count: bench.scaled(2000), pace: None, data_bytes: 1024 };
    let mut figures = Vec::new();
    let pid = servers.api_pid();
    block_on(async { make_namespace(&mut servers.api.connect().await?, "watch").await })?;
    figures.extend(paced_figures(watchers, &paced, &run(&servers.api, watchers, &paced, pid)?));
    figures.extend(unpaced_figures(watchers, &unpaced, &run(&servers.api, watchers, &unpaced, pid)?));
    servers.end()?;
    Ok(figures)
}

fn paced_figures(watchers: usize, changes: &Changes, outcome: &Outcome) -> Vec<Figure> {
    let expected = (watchers * changes.count) as f64;
    vec![
        Figure::new(
            format!(
                "delay p99, {} watchers × {} changes/s",
                Quantity::count(watchers),
                Quantity::count(CHANGES_PER_SECOND)
            ),
            outcome.delays.percentile(0.99).into(),
        )
        .detail("p50", outcome.delays.percentile(0.5).into())
        .detail("longest", outcome.delays.longest().into())
        .detail("write p99", outcome.writes.percentile(0.99).into())
        .detail("changes", per_second(changes.count as u64, outcome.wrote))
        .detail("server", Quantity::Times(outcome.processor_seconds / outcome.took.as_secs_f64()))
        .beside("upstream, unpaced", Quantity::Seconds(0.319))
        .aim(Aim::AtMost(Quantity::Seconds(0.05))),
        Figure::new("events delivered", Quantity::Count(outcome.delays.count() as f64))
            .detail("watchers with all, once each", Quantity::Count(outcome.complete as f64))
            .beside("expected", Quantity::Count(expected))
            .aim(Aim::ShareAtLeast(1.0)),
    ]
}

fn unpaced_figures(watchers: usize, changes: &Changes, outcome: &Outcome) -> Vec<Figure> {
    let events = outcome.delays.count();
    vec![
        Figure::new(
            format!("unpaced, {} watchers, ConfigMaps of 1 KiB", Quantity::count(watchers)),
            per_second(events, outcome.took),
        )
        .detail("delay p99", outcome.delays.percentile(0.99).into())
        .detail("CPU", Quantity::Seconds(outcome.processor_seconds / events as f64))
        .detail("all delivered to", Quantity::Count(outcome.complete as f64))
        .detail("changes", per_second(changes.count as u64, outcome.wrote))
        .beside("upstream", Quantity::PerSecond(137_000.0))
        .aim(Aim::ShareAtLeast(5.0)),
    ]
}

struct Changes {
    count: usize,
    /// From one change to the next; without it, as fast as the watchers follow.
    pace: Option<Duration>,
    data_bytes: usize,
}

#[derive(Default)]
struct Outcome {
    delays: Durations,
    writes: Durations,
    /// How many watchers got every change exactly once.
    complete: usize,
    /// Until the last change was written, and until the last event came.
    wrote: Duration,
    took: Duration,
    processor_seconds: f64,
}

fn run(target: &Target, watchers: usize, changes: &Changes, pid: u32) -> anyhow::Result<Outcome> {
    let version = block_on(prepare(target))?;
    let path = format!("{MAPS}?watch=1&resourceVersion={version}");
    let (progress, delivered) = tokio::sync::watch::channel(0);
    let shared = Arc::new(Shared {
        began: now(),
        expected: changes.count,
        delivered: AtomicU64::new(0),
        watching: AtomicUsize::new(watchers),
        notice_every: AHEAD / 20 * watchers as u64,
        progress,
        over: CancellationToken::new(),
    });
    std::thread::scope(|scope| {
        let halves = [(Protocol::Http1, watchers / 2), (Protocol::Http2, watchers.div_ceil(2))];
        let readers = halves.map(|(protocol, count)| {
            let (open, is_open) = mpsc::channel();
            let (shared, path) = (shared.clone(), path.as_str());
            let watching =
                move || block_on(LocalSet::new().run_until(watch(target, path, protocol, count, shared, open)));
            (scope.spawn(watching), is_open)
        });
        // A reader that failed tells why when it is joined.
        let all_open = readers.iter().all(|(_, is_open)| is_open.recv().is_ok());
        let processor = processor_seconds(pid)?;
        let began = now();
        let written =
            if all_open { Some(block_on(write_all(target, changes, watchers, &shared, delivered))) } else { None };
        shared.over.cancel();
        let mut outcome = Outcome::default();
        for (reader, _) in readers {
            let seen = reader.join().map_err(|_| anyhow!("a thread of watchers panicked"))??;
            outcome.delays.merge(&seen.delays);
            outcome.complete += seen.complete;
            outcome.took = outcome.took.max(seen.last.saturating_duration_since(began));
        }
        outcome.processor_seconds = processor_seconds(pid)? - processor;
        (outcome.writes, outcome.wrote) = written.context("the watches did not begin")??;
        Ok(outcome)
    })
}

/// Makes the objects; the watches begin behind the version answered.
async fn prepare(target: &Target) -> anyhow::Result<String> {
    let mut connection = target.connect().await?;
    for object in 0..OBJECTS {
        // What the run before left may be there.
        connection.ask(&request("DELETE", &format!("{MAPS}/map-{object}"))).await?;
        connection.must(&request_with("POST", MAPS, &object_with(object, "", ""))).await?;
    }
    let list = connection.must(&request("GET", &format!("{MAPS}?limit=1"))).await?;
    Ok(resource_version(list)?.to_owned())
}

/// Makes all changes, and waits a while for the watchers; answers how long each write and all took.
async fn write_all(
    target: &Target,
    changes: &Changes,
    watchers: usize,
    shared: &Shared,
    mut delivered: Receiver<u64>,
) -> anyhow::Result<(Durations, Duration)> {
    let filler = values::text(&values::random(), changes.data_bytes);
    let began = now();
    let writers = (0..WRITERS).map(|writer| {
        let pace = Pace { changes, watchers, began, delivered: delivered.clone() };
        write(target, writer, pace, &filler, shared.began)
    });
    let mut writes = Durations::default();
    try_join_all(writers).await?.iter().for_each(|part| writes.merge(part));
    let wrote = began.elapsed();
    let all_ended = delivered.wait_for(|_| shared.watching.load(Ordering::Relaxed) == 0);
    // What has not come by then is what the figure tells.
    if let Ok(failed) = tokio::time::timeout(PATIENCE, all_ended).await {
        failed?;
    }
    Ok((writes, wrote))
}

fn object_with(object: usize, filler: &str, stamp: &str) -> String {
    // The stamp comes last, where it is found without parsing.
    let data = format!("\"filler\":\"{filler}\",\"stamp\":\"{stamp}\"");
    objects::config_map("watch", &format!("map-{object}"), "", &data)
}

/// When the next change may be made.
struct Pace<'a> {
    changes: &'a Changes,
    watchers: usize,
    began: Instant,
    delivered: Receiver<u64>,
}

impl Pace<'_> {
    async fn wait(&mut self, number: usize) -> anyhow::Result<()> {
        let watchers = self.watchers as u64;
        match self.changes.pace {
            Some(pace) => tokio::time::sleep_until((self.began + pace * number as u32).into()).await,
            None => {
                let near = |delivered: &u64| delivered + AHEAD * watchers >= number as u64 * watchers;
                let waited = tokio::time::timeout(PATIENCE, self.delivered.wait_for(near)).await;
                waited.context("the watchers stand still")??;
            }
        }
        Ok(())
    }
}

/// Every `WRITERS`th change, each an update that carries its number and when it was sent.
async fn write(
    target: &Target,
    writer: usize,
    mut pace: Pace<'_>,
    filler: &str,
    epoch: Instant,
) -> anyhow::Result<Durations> {
    let mut connection = target.connect().await?;
    let mut writes = Durations::default();
    for number in (writer..pace.changes.count).step_by(WRITERS) {
        pace.wait(number).await?;
        let sent = now();
        let stamp = stamped(sent - epoch, number);
        let object = number % OBJECTS;
        let body = object_with(object, filler, &stamp);
        connection.must(&request_with("PUT", &format!("{MAPS}/map-{object}"), &body)).await?;
        writes.record(sent.elapsed());
    }
    Ok(writes)
}
