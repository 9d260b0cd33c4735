//! Watches: a thousand of them, over both protocols, on objects that change at a pace and as fast as they can.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use futures::future::try_join_all;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::sync::watch::{Receiver, Sender};
use tokio::task::LocalSet;

use super::client::{Target, request, request_with, resource_version};
use super::wire::Lines;
use super::{Servers, block_on, make_namespace, objects, per_second};
use crate::Bench;
use crate::durations::Durations;
use crate::figures::{Aim, Figure, Quantity};
use crate::machine::{now, processor_seconds};
use crate::values;

const MAPS: &str = "/api/v1/namespaces/watch/configmaps";
const OBJECTS: usize = 64;
const WRITERS: usize = 16;
const STREAMS_EACH: usize = 100;
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
    block_on(async {
        make_namespace(&mut servers.api.connect().await?, "watch").await?;
        let first = run(&servers.api, watchers, &paced, pid).await?;
        let second = run(&servers.api, watchers, &unpaced, pid).await?;
        figures.extend(paced_figures(watchers, &paced, &first));
        figures.extend(unpaced_figures(watchers, &unpaced, &second));
        anyhow::Ok(())
    })?;
    servers.end()?;
    Ok(figures)
}

fn paced_figures(watchers: usize, changes: &Changes, outcome: &Outcome) -> Vec<Figure> {
    let expected = (watchers * changes.count) as f64;
    vec![
        Figure::new(
            format!("delay p99, {watchers} watchers × {CHANGES_PER_SECOND} changes/s"),
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
            .detail("cut off", Quantity::Count(outcome.cut_off as f64))
            .beside("expected", Quantity::Count(expected))
            .aim(Aim::ShareAtLeast(1.0)),
    ]
}

fn unpaced_figures(watchers: usize, changes: &Changes, outcome: &Outcome) -> Vec<Figure> {
    let events = outcome.delays.count();
    vec![
        Figure::new(format!("unpaced, {watchers} watchers, ConfigMaps of 1 KiB"), per_second(events, outcome.took))
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

struct Outcome {
    delays: Durations,
    writes: Durations,
    /// How many watchers got every change exactly once.
    complete: usize,
    cut_off: usize,
    /// Until the last change was written, and until the last event came.
    wrote: Duration,
    took: Duration,
    processor_seconds: f64,
}

/// What the watchers have seen together; they share one thread.
struct Seen {
    began: Instant,
    expected: usize,
    delays: Durations,
    complete: usize,
    cut_off: usize,
    /// Tells the writers now and then how many events have come.
    progress: Sender<u64>,
    next_notice: u64,
    notice_every: u64,
    last: Instant,
}

async fn run(target: &Target, watchers: usize, changes: &Changes, pid: u32) -> anyhow::Result<Outcome> {
    let mut connection = target.connect().await?;
    let filler = values::text(&values::random(), changes.data_bytes);
    for object in 0..OBJECTS {
        let path = format!("{MAPS}/map-{object}");
        // Of the run before; the watches begin behind all this.
        connection.ask(&request("DELETE", &path)).await?;
        connection.must(&request_with("POST", MAPS, &object_with(object, "", ""))).await?;
    }
    let version = resource_version(connection.must(&request("GET", &format!("{MAPS}?limit=1"))).await?)?.to_owned();
    let (progress, delivered) = tokio::sync::watch::channel(0);
    let began = now();
    let seen = Rc::new(RefCell::new(Seen {
        began,
        expected: changes.count,
        delays: Durations::default(),
        complete: 0,
        cut_off: 0,
        progress,
        next_notice: 0,
        notice_every: AHEAD / 20 * watchers as u64,
        last: began,
    }));
    let local = LocalSet::new();
    let path = format!("{MAPS}?watch=1&resourceVersion={version}");
    let outcome = local.run_until(async {
        open_watches(target, watchers, &path, &seen).await?;
        let processor = processor_seconds(pid)?;
        let began = now();
        let writers = (0..WRITERS)
            .map(|writer| write(target, writer, changes, &filler, &seen, delivered.clone(), watchers, began));
        let mut writes = Durations::default();
        try_join_all(writers).await?.iter().for_each(|part| writes.merge(part));
        let wrote = began.elapsed();
        let ended = tokio::time::timeout(PATIENCE, async {
            let mut delivered = delivered.clone();
            while seen.borrow().complete + seen.borrow().cut_off < watchers {
                delivered.changed().await?;
            }
            anyhow::Ok(())
        });
        // What has not come by then is what the figure tells.
        if let Ok(failed) = ended.await {
            failed?;
        }
        let seen = seen.borrow();
        anyhow::Ok(Outcome {
            delays: seen.delays.clone(),
            writes,
            complete: seen.complete,
            cut_off: seen.cut_off,
            wrote,
            took: seen.last.saturating_duration_since(began),
            processor_seconds: processor_seconds(pid)? - processor,
        })
    });
    outcome.await
}

fn object_with(object: usize, filler: &str, stamp: &str) -> String {
    // The stamp comes last, where it is found without parsing.
    let data = format!("\"filler\":\"{filler}\",\"stamp\":\"{stamp}\"");
    objects::config_map("watch", &format!("map-{object}"), "", &data)
}

/// Half of the watches on connections of their own, half as streams of shared ones. Returns when all are answered.
async fn open_watches(target: &Target, watchers: usize, path: &str, seen: &Rc<RefCell<Seen>>) -> anyhow::Result<()> {
    let single = watchers / 2;
    for _ in 0..single {
        let mut connection = target.connect().await?;
        let mut watcher = Watcher::new(seen.clone());
        let request = request("GET", path);
        let mut answered = connection.open(&request).await?;
        tokio::task::spawn_local(async move {
            let ended = connection.follow(&mut answered, |part| watcher.take(part)).await;
            watcher.ended(ended);
        });
    }
    let mut left = watchers - single;
    while left > 0 {
        let streams = left.min(STREAMS_EACH);
        left -= streams;
        open_streams(target, streams, path, seen).await?;
    }
    Ok(())
}

async fn open_streams(target: &Target, streams: usize, path: &str, seen: &Rc<RefCell<Seen>>) -> anyhow::Result<()> {
    let stream = target.tls("h2").await?;
    let (sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(64 << 20)
        .handshake(TokioIo::new(stream))
        .await?;
    // It ends when its streams do, and a failure shows in each of them.
    tokio::task::spawn_local(async move { drop(connection.await) });
    for _ in 0..streams {
        let mut sender = sender.clone();
        let request = Request::get(format!("https://localhost{path}")).body(Empty::<Bytes>::new())?;
        let answer = sender.send_request(request).await?;
        ensure!(answer.status() == 200, "a watch is answered {}", answer.status());
        let mut watcher = Watcher::new(seen.clone());
        let mut body = answer.into_body();
        tokio::task::spawn_local(async move {
            let ended = loop {
                match body.frame().await {
                    None => break Ok(()),
                    Some(Err(error)) => break Err(error.into()),
                    Some(Ok(frame)) => {
                        if frame.data_ref().is_some_and(|part| !watcher.take(part)) {
                            break Ok(());
                        }
                    }
                }
            };
            watcher.ended(ended);
        });
    }
    Ok(())
}

/// Every `WRITERS`th change, each an update that carries its number and when it was sent.
#[expect(clippy::too_many_arguments, reason = "what the writers share")]
async fn write(
    target: &Target,
    writer: usize,
    changes: &Changes,
    filler: &str,
    seen: &Rc<RefCell<Seen>>,
    mut delivered: Receiver<u64>,
    watchers: usize,
    began: Instant,
) -> anyhow::Result<Durations> {
    let mut connection = target.connect().await?;
    let mut writes = Durations::default();
    for number in (writer..changes.count).step_by(WRITERS) {
        match changes.pace {
            Some(pace) => tokio::time::sleep_until((began + pace * number as u32).into()).await,
            None => {
                let behind = |delivered: &u64| delivered + AHEAD * watchers as u64 >= (number * watchers) as u64;
                tokio::time::timeout(PATIENCE, delivered.wait_for(behind))
                    .await
                    .context("the watchers stand still")??;
            }
        }
        let sent = now();
        let since = sent - seen.borrow().began;
        let stamp = format!("{:016x}-{number:08x}", since.as_nanos());
        let object = number % OBJECTS;
        let body = object_with(object, filler, &stamp);
        connection.must(&request_with("PUT", &format!("{MAPS}/map-{object}"), &body)).await?;
        writes.record(sent.elapsed());
    }
    Ok(writes)
}

/// One watch: counts its events, and that they are the ones expected.
struct Watcher {
    lines: Lines,
    seen: Rc<RefCell<Seen>>,
    count: usize,
    /// The sum of the changes' numbers: right only if none is missing and none came twice in its place.
    sum: usize,
    is_cut_off: bool,
}

impl Watcher {
    fn new(seen: Rc<RefCell<Seen>>) -> Self {
        Watcher { lines: Lines::default(), seen, count: 0, sum: 0, is_cut_off: false }
    }

    /// Takes a piece of the stream; false once everything has come, or an error.
    fn take(&mut self, part: &[u8]) -> bool {
        let arrived = now();
        let seen = &mut *self.seen.borrow_mut();
        let (count, sum, cut_off) = (&mut self.count, &mut self.sum, &mut self.is_cut_off);
        self.lines.feed(part, |line| match stamp(line) {
            Ok((sent, number)) => {
                seen.delays.record((arrived - seen.began).saturating_sub(sent));
                *count += 1;
                *sum += number;
            }
            Err(error) => {
                eprintln!("a watch ends: {error:#}");
                *cut_off = true;
            }
        });
        seen.last = arrived;
        if seen.delays.count() >= seen.next_notice {
            seen.next_notice = seen.delays.count() + seen.notice_every;
            seen.progress.send_replace(seen.delays.count());
        }
        self.count < seen.expected && !self.is_cut_off
    }

    fn ended(&mut self, ended: anyhow::Result<()>) {
        if let Err(error) = ended {
            eprintln!("a watch ends: {error:#}");
        }
        let seen = &mut *self.seen.borrow_mut();
        let expected_sum = seen.expected * seen.expected.saturating_sub(1) / 2;
        if self.count == seen.expected && self.sum == expected_sum {
            seen.complete += 1;
        } else {
            seen.cut_off += 1;
        }
        seen.progress.send_replace(seen.delays.count());
    }
}

/// When the change of an event was sent, and its number.
fn stamp(line: &[u8]) -> anyhow::Result<(Duration, usize)> {
    const FIELD: &[u8] = b"\"stamp\":\"";
    const TAIL_BYTES: usize = 64;
    let tail = &line[line.len().saturating_sub(TAIL_BYTES)..];
    let found = tail.windows(FIELD.len()).position(|window| window == FIELD);
    let Some(start) = found else { bail!("{}", String::from_utf8_lossy(&line[..line.len().min(300)])) };
    let text = std::str::from_utf8(&tail[start + FIELD.len()..])?;
    let (sent, number) = text.split_once('-').context("a stamp has two parts")?;
    let number = number.get(..8).context("a stamp's number has eight digits")?;
    Ok((Duration::from_nanos(u64::from_str_radix(sent, 16)?), usize::from_str_radix(number, 16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_found_at_an_events_end() {
        let object = object_with(3, "xyz", &format!("{:016x}-{:08x}", 123_456_789, 77));
        let line = format!("{{\"type\":\"MODIFIED\",\"object\":{object}}}");
        assert_eq!(stamp(line.as_bytes()).unwrap(), (Duration::from_nanos(123_456_789), 77));
        assert!(stamp(br#"{"type":"ERROR","object":{"code":410}}"#).is_err());
    }
}
