//! Gets and ranges, beside what memory alone allows.

use std::collections::BTreeMap;
use std::hint::black_box;

use stdx::Random;
use store::{Entry, RangeRequest, Store};

use super::ours::{self, VALUE_BYTES, key};
use crate::Bench;
use crate::durations::median;
use crate::figures::{Aim, Figure, Quantity};
use crate::machine::{now, repeat};
use crate::values;

const OBJECTS: usize = 100_000;
/// Asked between two looks at the clock.
const BURST: usize = 1000;

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let runtime = ours::runtime()?;
    let store = ours::open(&bench.folder.join("reads"))?;
    let count = bench.scaled(OBJECTS);
    ours::fill(&runtime, &store, count, VALUE_BYTES)?;
    let everything = || RangeRequest { prefix: "/registry/".to_owned(), ..RangeRequest::default() };
    let range = runtime.block_on(store.range(everything()))?;
    let map: BTreeMap<String, Entry> =
        range.entries.iter().map(|entry| (entry.key.to_string(), entry.clone())).collect();
    let keys: Vec<String> = (0..count).map(key).collect();
    let random = values::random();
    let draw = |random: &Random| &keys[random.below(count as u64) as usize];

    let (mut gets, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds() {
        let (bursts, took) = repeat(bench.round() / 2, || {
            runtime.block_on(async {
                for _ in 0..BURST {
                    black_box(store.get(draw(&random), store::ReadAt::Newest).await?);
                }
                Ok(())
            })
        })?;
        gets.push((bursts as usize * BURST) as f64 / took.as_secs_f64());
        let (bursts, took) = repeat(bench.round() / 2, || {
            for _ in 0..BURST {
                black_box(map.get(draw(&random)).cloned());
            }
            Ok(())
        })?;
        plain.push((bursts as usize * BURST) as f64 / took.as_secs_f64());
    }
    let share = median(gets.iter().zip(&plain).map(|(get, plain)| get / plain).collect());
    let mut figures = vec![
        Figure::new(format!("gets, one thread, {} keys", Quantity::count(count)), Quantity::PerSecond(median(gets)))
            .beside("std's BTreeMap", Quantity::PerSecond(median(plain)))
            .share(share),
    ];
    drop(map);

    for limit in [1000, count] {
        let request = RangeRequest { limit, ..everything() };
        let range = runtime.block_on(store.range(request.clone()))?;
        let bytes: usize = range.entries.iter().map(|entry| entry.key.len() + entry.value.len()).sum();
        let source = vec![1_u8; bytes];
        let mut target = vec![2_u8; bytes];
        let (mut ranges, mut copies) = (Vec::new(), Vec::new());
        for _ in 0..20 {
            let began = now();
            black_box(runtime.block_on(store.range(request.clone()))?);
            ranges.push(began.elapsed().as_secs_f64());
            let began = now();
            black_box(&mut target).copy_from_slice(black_box(&source));
            copies.push(began.elapsed().as_secs_f64());
        }
        let share = median(ranges.iter().zip(&copies).map(|(range, copy)| range / copy).collect());
        figures.push(
            Figure::new(
                format!("range of {} objects of 1 KiB", Quantity::count(range.entries.len())),
                Quantity::Seconds(median(ranges)),
            )
            .detail("bytes", Quantity::Bytes(bytes as f64))
            .beside("copying the bytes", Quantity::Seconds(median(copies)))
            .share(share)
            .aim(Aim::ShareAtMost(1.0)),
        );
    }
    store.close();
    Ok(figures)
}
