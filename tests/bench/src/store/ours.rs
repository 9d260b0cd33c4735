//! The embedded store, and clients that write to it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use stdx::Ambient;
use store::{Embedded, Expect, Operation, Options, Store, Transaction};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::durations::{Durations, median};
use crate::machine::{now, own_processor_seconds};
use crate::values;

/// How many keys each client writes, over and over.
pub(crate) const KEYS_EACH: usize = 64;
pub(crate) const VALUE_BYTES: usize = 1024;
/// The most that one transaction takes.
const GROUP: usize = 100;
/// Many clients note the delay of one put in so many: noting all would cost them more than the puts.
const NOTED_OF_MANY: usize = 8;
const MANY_CLIENTS: usize = 64;

/// What came of writing for a while.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    pub(crate) puts: u64,
    /// Of requests, which may be more than one put each.
    pub(crate) delays: Durations,
    pub(crate) took: Duration,
    /// Of the process that stores; ours has its clients within.
    pub(crate) processor_seconds: f64,
}

impl Round {
    pub(crate) fn rate(&self) -> f64 {
        self.puts as f64 / self.took.as_secs_f64()
    }
}

/// The rounds of one measurement, taken together.
pub(crate) struct Summary {
    pub(crate) rate: f64,
    pub(crate) delays: Durations,
    pub(crate) processor_each: f64,
}

pub(crate) fn summary(rounds: &[Round]) -> Summary {
    let mut delays = Durations::default();
    rounds.iter().for_each(|round| delays.merge(&round.delays));
    let puts: u64 = rounds.iter().map(|round| round.puts).sum();
    let seconds: f64 = rounds.iter().map(|round| round.processor_seconds).sum();
    let rate = median(rounds.iter().map(Round::rate).collect());
    Summary { rate, delays, processor_each: seconds / puts as f64 }
}

/// The share of one's rate in another's, round by round.
pub(crate) fn share(ours: &[Round], limit: &[Round]) -> f64 {
    median(ours.iter().zip(limit).map(|(ours, limit)| ours.rate() / limit.rate()).collect())
}

/// As many threads as the server has.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().context("cannot start threads")
}

pub(crate) fn open(folder: &Path) -> anyhow::Result<Arc<Embedded>> {
    Ok(Embedded::open(folder, Options::default(), Ambient::system())?)
}

/// What a client writes: the same keys over and over, values in turn.
pub(crate) struct Work {
    pub(crate) keys: Vec<String>,
    values: Vec<Bytes>,
}

impl Work {
    pub(crate) fn of(client: usize) -> Work {
        let random = values::random();
        let values = (0..4).map(|_| values::value(&random, VALUE_BYTES)).collect();
        Work {
            keys: (0..KEYS_EACH).map(|key| format!("/registry/bench/client-{client:03}/key-{key:03}")).collect(),
            values,
        }
    }

    pub(crate) fn key(&self, number: usize) -> &str {
        &self.keys[number % self.keys.len()]
    }

    /// A value of its own, as a request would bring it.
    pub(crate) fn value(&self, number: usize) -> Bytes {
        Bytes::copy_from_slice(&self.values[number % self.values.len()])
    }
}

/// So many clients, each putting one key after the other.
pub(crate) fn puts(
    runtime: &Runtime,
    store: &Arc<Embedded>,
    clients: usize,
    period: Duration,
) -> anyhow::Result<Round> {
    runtime.block_on(async {
        let processor = own_processor_seconds()?;
        let began = now();
        let mut tasks = JoinSet::new();
        for client in 0..clients {
            tasks.spawn(put(store.clone(), Work::of(client), Notes::of(clients), began + period));
        }
        let notes = Notes::gather(tasks).await?;
        let took = began.elapsed();
        let processor_seconds = own_processor_seconds()? - processor;
        Ok(Round { puts: notes.puts, delays: notes.delays, took, processor_seconds })
    })
}

/// What a client notes of its puts.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) puts: u64,
    pub(crate) delays: Durations,
    note_every: u64,
}

impl Notes {
    /// For one of so many clients.
    pub(crate) fn of(clients: usize) -> Notes {
        let note_every = if clients < MANY_CLIENTS { 1 } else { NOTED_OF_MANY as u64 };
        Notes { note_every, ..Notes::default() }
    }

    pub(crate) fn note(&mut self, delay: Duration) {
        if self.puts.is_multiple_of(self.note_every) {
            self.delays.record(delay);
        }
        self.puts += 1;
    }

    /// All clients' notes, once all have ended.
    pub(crate) async fn gather(mut tasks: JoinSet<anyhow::Result<Notes>>) -> anyhow::Result<Notes> {
        let mut all = Notes::default();
        while let Some(ended) = tasks.join_next().await {
            let notes = ended??;
            all.puts += notes.puts;
            all.delays.merge(&notes.delays);
        }
        Ok(all)
    }
}

async fn put(store: Arc<Embedded>, work: Work, mut notes: Notes, deadline: Instant) -> anyhow::Result<Notes> {
    let mut sent = now();
    for number in 0.. {
        if sent >= deadline {
            break;
        }
        store.put(work.key(number), work.value(number), Expect::Anything).await?;
        let answered = now();
        notes.note(answered - sent);
        sent = answered;
    }
    Ok(notes)
}

/// Fills the store, in transactions, many at a time; answers the bytes of keys and values.
pub(crate) fn fill(runtime: &Runtime, store: &Arc<Embedded>, count: usize, value_bytes: usize) -> anyhow::Result<u64> {
    const TASKS: usize = 8;
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for task in 0..TASKS {
            let store = store.clone();
            tasks.spawn(async move {
                let random = values::random();
                let mut bytes = 0;
                for start in (task * GROUP..count).step_by(TASKS * GROUP) {
                    let operations: Vec<Operation> = (start..count.min(start + GROUP))
                        .map(|number| {
                            let key = key(number);
                            let value = values::value(&random, value_bytes);
                            bytes += (key.len() + value.len()) as u64;
                            Operation::put(key, value, Expect::Absent)
                        })
                        .collect();
                    store.commit(Transaction { operations, author: None }).await?;
                }
                anyhow::Ok(bytes)
            });
        }
        let mut bytes = 0;
        while let Some(ended) = tasks.join_next().await {
            bytes += ended??;
        }
        Ok(bytes)
    })
}

/// The key of the object with this number, as `fill` makes it.
pub(crate) fn key(number: usize) -> String {
    format!("/registry/core/pods/namespace-{:03}/object-{number:07}", number / 10_000)
}
