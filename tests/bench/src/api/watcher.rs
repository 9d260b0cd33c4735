//! Watches on one thread: each checks that it gets every change once, and all tell how long the changes took.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::sync::watch::Sender;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::client::{Target, request};
use super::wire::Lines;
use crate::durations::Durations;
use crate::machine::now;

const STREAMS_EACH: usize = 100;

/// What the threads of a run share.
pub(super) struct Shared {
    pub(super) began: Instant,
    pub(super) expected: usize,
    /// Events that have come, told now and then; and how many watches have not ended.
    pub(super) delivered: AtomicU64,
    pub(super) watching: AtomicUsize,
    pub(super) notice_every: u64,
    pub(super) progress: Sender<u64>,
    /// Whoever still watches then, has lost something.
    pub(super) over: CancellationToken,
}

impl Shared {
    fn tell(&self, events: u64) {
        let before = self.delivered.fetch_add(events, Ordering::Relaxed);
        self.progress.send_replace(before + events);
    }
}

/// What the watchers of one thread have seen.
pub(super) struct Seen {
    shared: Arc<Shared>,
    pub(super) delays: Durations,
    pub(super) complete: usize,
    untold: u64,
    pub(super) last: Instant,
}

#[derive(Clone, Copy)]
pub(super) enum Protocol {
    /// A connection for each watch.
    Http1,
    /// Connections that watches share as streams.
    Http2,
}

/// So many watches on one thread, until each has seen everything or the time is over.
pub(super) async fn watch(
    target: &Target,
    path: &str,
    protocol: Protocol,
    count: usize,
    shared: Arc<Shared>,
    open: mpsc::Sender<()>,
) -> anyhow::Result<Seen> {
    let over = shared.over.clone();
    let last = shared.began;
    let seen = Rc::new(RefCell::new(Seen { shared, delays: Durations::default(), complete: 0, untold: 0, last }));
    let mut tasks = JoinSet::new();
    let mut left = count;
    while left > 0 {
        match protocol {
            Protocol::Http1 => {
                open_connection(target, path, &seen, &mut tasks).await?;
                left -= 1;
            }
            Protocol::Http2 => {
                let streams = left.min(STREAMS_EACH);
                open_streams(target, streams, path, &seen, &mut tasks).await?;
                left -= streams;
            }
        }
    }
    open.send(())?;
    let all_ended = async { while tasks.join_next().await.is_some() {} };
    tokio::select! {
        () = all_ended => {}
        () = over.cancelled() => {}
    }
    drop(tasks);
    let Seen { shared, delays, complete, untold, last } = &*seen.borrow();
    Ok(Seen { shared: shared.clone(), delays: delays.clone(), complete: *complete, untold: *untold, last: *last })
}

/// Begins one watch on a connection of its own; returns when it is answered.
async fn open_connection(
    target: &Target,
    path: &str,
    seen: &Rc<RefCell<Seen>>,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    let mut connection = target.connect().await?;
    let mut watcher = Watcher::new(seen.clone());
    let mut answered = connection.open(&request("GET", path)).await?;
    tasks.spawn_local(async move {
        let ended = connection.follow(&mut answered, |part| watcher.take(part)).await;
        watcher.ended(ended);
    });
    Ok(())
}

/// Begins watches as streams of one connection; returns when they are answered.
async fn open_streams(
    target: &Target,
    streams: usize,
    path: &str,
    seen: &Rc<RefCell<Seen>>,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<()> {
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
        tasks.spawn_local(async move {
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
        let before = *count;
        self.lines.feed(part, |line| match stamp(line) {
            Ok((sent, number)) => {
                seen.delays.record((arrived - seen.shared.began).saturating_sub(sent));
                *count += 1;
                *sum += number;
            }
            Err(error) => {
                eprintln!("a watch ends: {error:#}");
                *cut_off = true;
            }
        });
        seen.last = arrived;
        seen.untold += (*count - before) as u64;
        if seen.untold >= seen.shared.notice_every {
            seen.shared.tell(std::mem::take(&mut seen.untold));
        }
        *count < seen.shared.expected && !*cut_off
    }

    fn ended(&mut self, ended: anyhow::Result<()>) {
        if let Err(error) = ended {
            eprintln!("a watch ends: {error:#}");
        }
        let seen = &mut *self.seen.borrow_mut();
        let expected = seen.shared.expected;
        let expected_sum = expected * expected.saturating_sub(1) / 2;
        if self.count == expected && self.sum == expected_sum {
            seen.complete += 1;
        }
        seen.shared.watching.fetch_sub(1, Ordering::Relaxed);
        seen.shared.tell(std::mem::take(&mut seen.untold));
    }
}

/// What a change carries: when it was sent, and its number.
pub(super) fn stamped(sent: Duration, number: usize) -> String {
    format!("{:016x}-{number:08x}", sent.as_nanos())
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
        let stamp_text = stamped(Duration::from_nanos(123_456_789), 77);
        let object = format!("{{\"data\":{{\"filler\":\"xyz\",\"stamp\":\"{stamp_text}\"}}}}");
        let line = format!("{{\"type\":\"MODIFIED\",\"object\":{object}}}");
        assert_eq!(stamp(line.as_bytes()).unwrap(), (Duration::from_nanos(123_456_789), 77));
        assert!(stamp(br#"{"type":"ERROR","object":{"code":410}}"#).is_err());
    }
}
