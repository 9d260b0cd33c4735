//! What a store costs in memory, empty and full.

use std::path::Path;

use anyhow::Context;

use crate::Bench;
use crate::child::Child;
use crate::figures::{Aim, Figure, Quantity};
use crate::machine::pss_bytes;

const OBJECTS: usize = 100_000;
const VALUE_BYTES: usize = 4096;

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let mut child = start(&bench.folder.join("memory"))?;
    let without = pss_bytes(child.pid())?;
    child.order("open")?;
    let empty = pss_bytes(child.pid())?;
    let count = bench.scaled(OBJECTS);
    let bytes: f64 = child.order(&format!("fill {count} {VALUE_BYTES}"))?.parse()?;
    let full = pss_bytes(child.pid())?;
    child.end()?;

    // Opened again: without whatever writing left behind in memory.
    let mut child = start(&bench.folder.join("memory"))?;
    let before = pss_bytes(child.pid())?;
    child.order("open")?;
    let opened = pss_bytes(child.pid())?;
    child.end()?;
    let memory = |what: String, grown: f64| {
        Figure::new(what, Quantity::Bytes(grown))
            .beside("their bytes", Quantity::Bytes(bytes))
            .aim(Aim::ShareAtMost(2.0))
    };
    Ok(vec![
        Figure::new("an empty store, open", Quantity::Bytes(empty - without))
            .detail("the process without it", Quantity::Bytes(without))
            .aim(Aim::AtMost(Quantity::Bytes(5e6))),
        memory(format!("{} values of 4 KiB, written", Quantity::count(count)), full - empty),
        memory(format!("{} values of 4 KiB, opened", Quantity::count(count)), opened - before),
    ])
}

/// A process that has not opened a store yet.
pub(crate) fn start(folder: &Path) -> anyhow::Result<Child> {
    let child = Child::start(&["store", folder.to_str().context("the folder's name is Unicode")?])?;
    child.line()?;
    Ok(child)
}
