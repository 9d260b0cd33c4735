//! Opening a store of a gigabyte, beside reading its files.

use std::path::Path;

use super::disk::{forget, read_all};
use super::memory::start;
use crate::Bench;
use crate::durations::median;
use crate::figures::{Aim, Figure, Quantity};
use crate::machine::now;

const VALUE_BYTES: usize = 4096;
const OBJECTS: usize = 250_000;
const ROUNDS: usize = 3;

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let folder = bench.folder.join("recovery");
    let mut child = start(&folder)?;
    child.order("open")?;
    let bytes: f64 = child.order(&format!("fill {} {VALUE_BYTES}", bench.scaled(OBJECTS)))?.parse()?;
    child.end()?;

    let mut figures = Vec::new();
    for (name, cold) in [("the kernel's cache warm", false), ("the kernel's cache cold", true)] {
        let (mut opens, mut reads) = (Vec::new(), Vec::new());
        let mut on_disk = 0;
        for _ in 0..ROUNDS {
            prepare(&folder, cold)?;
            let began = now();
            on_disk = read_all(&folder)?;
            reads.push(began.elapsed().as_secs_f64());
            prepare(&folder, cold)?;
            let mut child = start(&folder)?;
            opens.push(child.order("open")?.parse::<f64>()? / 1e9);
            child.end()?;
        }
        figures.push(
            Figure::new(
                format!("opening {} of data, {name}", Quantity::Bytes(bytes)),
                Quantity::Seconds(median(opens)),
            )
            .detail("on disk", Quantity::Bytes(on_disk as f64))
            .beside("reading the files", Quantity::Seconds(median(reads)))
            .aim(Aim::AtMost(Quantity::Seconds(2.0))),
        );
    }
    Ok(figures)
}

fn prepare(folder: &Path, cold: bool) -> anyhow::Result<()> {
    if cold { forget(folder) } else { read_all(folder).map(|_| ()) }
}
