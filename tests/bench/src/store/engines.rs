//! Storage engines that the log could have been built on, and the log: puts by one client, each durable before
//! the next, one at a time and in groups of a hundred.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use redb::TableDefinition;
use store::{Embedded, Expect, Operation, Store, Transaction};
use tokio::runtime::Runtime;

use super::disk::Appender;
use super::ours::{self, KEYS_EACH, Round, Work, share, summary};
use crate::Bench;
use crate::durations::Durations;
use crate::figures::{Figure, Quantity};
use crate::machine::{now, own_processor_seconds};

const GROUP: usize = 100;
const TABLE: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("bench");

/// Puts these keys, all or nothing, and returns when they rest.
type Put<'a> = Box<dyn FnMut(Vec<(String, bytes::Bytes)>) -> anyhow::Result<()> + 'a>;

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let runtime = ours::runtime()?;
    let mut disk = Appender::create(&bench.folder.join("engines-disk"))?;
    let store = ours::open(&bench.folder.join("engines-log"))?;
    let mut engines: [(&str, Put<'_>); 3] = [
        ("our log", log(&runtime, store.clone())),
        ("fjall 3", fjall(&bench.folder.join("engines-fjall"))?),
        ("redb 4", redb(&bench.folder.join("engines-redb"))?),
    ];
    let mut plain = Vec::new();
    let mut rounds: [[Vec<Round>; 2]; 3] = Default::default();
    for _ in 0..bench.rounds() {
        plain.push(disk.run(1, bench.round())?);
        for ((_, put), rounds) in engines.iter_mut().zip(&mut rounds) {
            for (group, rounds) in [1, GROUP].into_iter().zip(rounds) {
                rounds.push(run(put, group, bench.round())?);
            }
        }
    }
    let limit = Quantity::PerSecond(summary(&plain).rate);
    let mut figures = Vec::new();
    for ((name, _), rounds) in engines.iter().zip(&rounds) {
        for (how, rounds) in ["one at a time", "in groups of 100"].into_iter().zip(rounds) {
            let taken = summary(rounds);
            let figure = Figure::new(format!("{name}, {how}"), Quantity::PerSecond(taken.rate))
                .detail("p50", taken.delays.percentile(0.5).into())
                .detail("p99", taken.delays.percentile(0.99).into())
                .detail("CPU", Quantity::Seconds(taken.processor_each));
            figures.push(figure.beside("the disk's sync", limit).share(share(rounds, &plain)));
        }
    }
    drop(engines);
    store.close();
    Ok(figures)
}

fn run(put: &mut Put<'_>, group: usize, period: Duration) -> anyhow::Result<Round> {
    let work: Vec<Work> = (0..GROUP.div_ceil(KEYS_EACH)).map(Work::of).collect();
    let processor = own_processor_seconds()?;
    let began = now();
    let (mut delays, mut number) = (Durations::default(), 0);
    let mut sent = began;
    while sent - began < period {
        let pairs = (number..number + group).map(|number| {
            let work = &work[number / KEYS_EACH % work.len()];
            (work.key(number).to_owned(), work.value(number))
        });
        put(pairs.collect())?;
        number += group;
        let rests = now();
        delays.record(rests - sent);
        sent = rests;
    }
    let processor_seconds = own_processor_seconds()? - processor;
    Ok(Round { puts: number as u64, delays, took: sent - began, processor_seconds })
}

fn log(runtime: &Runtime, store: Arc<Embedded>) -> Put<'_> {
    Box::new(move |pairs| {
        let operations = pairs.into_iter().map(|(key, value)| Operation::put(key, value, Expect::Anything)).collect();
        runtime.block_on(store.commit(Transaction { operations, author: None }))?;
        Ok(())
    })
}

fn fjall(folder: &Path) -> anyhow::Result<Put<'static>> {
    let database = Database::builder(folder).open()?;
    let keyspace: Keyspace = database.keyspace("bench", KeyspaceCreateOptions::default)?;
    Ok(Box::new(move |pairs| {
        let mut batch = database.batch().durability(Some(PersistMode::SyncData));
        for (key, value) in pairs {
            batch.insert(&keyspace, key, value.to_vec());
        }
        Ok(batch.commit()?)
    }))
}

fn redb(path: &Path) -> anyhow::Result<Put<'static>> {
    let database = redb::Database::create(path)?;
    Ok(Box::new(move |pairs| {
        let transaction = database.begin_write()?;
        {
            let mut table = transaction.open_table(TABLE)?;
            for (key, value) in &pairs {
                table.insert(key.as_str(), &value[..])?;
            }
        }
        Ok(transaction.commit()?)
    }))
}
