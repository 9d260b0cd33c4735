//! What watchers cost a writer: commits a second with none, and with many.
//!
//! `cargo run --release -p store --example fan_out`: one writer on the memory engine, whose commit is
//! nothing but the core's; the watchers' tasks run on the other cores. Then how late the events are
//! that 1,000 watchers see of 1,000 changes a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use stdx::Clock;
use store::{Expect, Memory, Options, Revision, Store, WatchItem, WatchRequest};
use tokio::task::JoinSet;

const COMMITS: u64 = 20_000;
const VALUE_BYTES: usize = 1024;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    println!(
        "{:>10} {:>24} {:>12} {:>12} {:>14} {:>14}",
        "watchers", "of", "us a commit", "us (p99)", "delivered", "lost places"
    );
    for (watchers, spread) in [
        (0, Spread::OnePrefix),
        (1_000, Spread::OnePrefix),
        (10_000, Spread::OnePrefix),
        (1_000, Spread::OnePrefixAtRest),
        (10_000, Spread::OnePrefixAtRest),
        (1_000, Spread::PrefixEach),
        (10_000, Spread::PrefixEach),
    ] {
        runtime.block_on(commits(watchers, spread));
    }
    runtime.block_on(delays());
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Spread {
    OnePrefix,
    /// The next commit comes when all have seen the one before: it finds everybody waiting.
    OnePrefixAtRest,
    PrefixEach,
}

async fn commits(watchers: usize, spread: Spread) {
    let commits = if spread == Spread::OnePrefixAtRest { COMMITS / 50 } else { COMMITS };
    let store = Memory::with_options(Options::default(), Clock::system());
    let clock = Clock::system();
    let (delivered, lost) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut tasks = JoinSet::new();
    for number in 0..watchers {
        let prefix = if spread == Spread::PrefixEach { format!("pods/ns-{number:05}/") } else { "pods/".to_owned() };
        let mut watch = store.watch(WatchRequest { prefix, ..WatchRequest::default() }).expect("a watch");
        let (delivered, lost) = (delivered.clone(), lost.clone());
        tasks.spawn(async move {
            while let Some(item) = watch.next().await {
                match item {
                    Ok(_) => drop(delivered.fetch_add(1, Ordering::Relaxed)),
                    Err(_) => drop(lost.fetch_add(1, Ordering::Relaxed)),
                }
            }
        });
    }
    tokio::task::yield_now().await;
    let value = Bytes::from(vec![b'x'; VALUE_BYTES]);
    let writer = {
        let (store, delivered) = (store.clone(), delivered.clone());
        tokio::spawn(async move {
            let mut times = Vec::with_capacity(commits as usize);
            for number in 0..commits {
                let key = format!("pods/ns-{:05}/web", number % 10_000);
                let start = clock.instant();
                store.put(&key, value.clone(), Expect::Anything).await.expect("a put");
                times.push(start.elapsed());
                // The watchers' turn.
                tokio::task::yield_now().await;
                let seen_by_all = watchers as u64 * (number + 2);
                while spread == Spread::OnePrefixAtRest && delivered.load(Ordering::Relaxed) < seen_by_all {
                    tokio::task::yield_now().await;
                }
            }
            times.sort_unstable();
            times
        })
    };
    let times = writer.await.expect("the writer ends");
    let name = format!("{spread:?}");
    let lost = lost.load(Ordering::Relaxed);
    let [median, p99] = [commits / 2, commits * 99 / 100].map(|at| times[at as usize].as_secs_f64() * 1e6);
    println!(
        "{watchers:>10} {name:>24} {median:>12.2} {p99:>12.2} {:>14} {lost:>14}",
        delivered.load(Ordering::Relaxed)
    );
    drop(store);
    while tasks.join_next().await.is_some() {}
}

/// 1,000 watchers of 1,000 changes a second, for three seconds.
async fn delays() {
    const WATCHERS: usize = 1_000;
    const CHANGES: u64 = 3_000;
    let store = Memory::with_options(Options::default(), Clock::system());
    let clock = Clock::system();
    let start = clock.instant();
    let mut tasks = JoinSet::new();
    for _ in 0..WATCHERS {
        let mut watch =
            store.watch(WatchRequest { prefix: "pods/".into(), ..WatchRequest::default() }).expect("a watch");
        tasks.spawn(async move {
            let mut delays = Vec::with_capacity(CHANGES as usize);
            while delays.len() < CHANGES as usize {
                match watch.next().await {
                    Some(Ok(WatchItem::Event(event))) => {
                        let due = start + Duration::from_millis(event.revision.0);
                        delays.push(clock.instant().saturating_duration_since(due).as_micros() as u32);
                    }
                    Some(Ok(WatchItem::Progress(_))) => {}
                    other => panic!("{other:?}"),
                }
            }
            delays
        });
    }
    for number in 1..=CHANGES {
        tokio::time::sleep_until(start + Duration::from_millis(number)).await;
        let entry = store.put(&format!("pods/{}", number % 100), Bytes::from_static(b"x"), Expect::Anything).await;
        assert_eq!(entry.expect("a put").modified, Revision(number));
    }
    let mut delays = Vec::new();
    while let Some(seen) = tasks.join_next().await {
        delays.extend(seen.expect("a watcher ends"));
    }
    delays.sort_unstable();
    let at = |fraction: f64| f64::from(delays[(delays.len() as f64 * fraction) as usize]) / 1000.0;
    println!(
        "\n{WATCHERS} watchers of 1,000 changes a second: {} events, delayed by {:.1} ms (median), {:.1} ms (p99)",
        delays.len(),
        at(0.5),
        at(0.99)
    );
}
