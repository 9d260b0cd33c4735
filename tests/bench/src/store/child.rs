//! A process with a store in it, whose memory and start are looked at from outside.
//!
//! Orders: `open` answers how many nanoseconds that took; `fill COUNT BYTES` the bytes of keys and values.

use std::path::Path;

use anyhow::{Context, bail};

use super::ours;
use crate::child::{next_order, tell};
use crate::machine::now;

pub(crate) fn run(folder: &Path) -> anyhow::Result<()> {
    let runtime = ours::runtime()?;
    let mut store = None;
    tell("ready")?;
    while let Some(order) = next_order()? {
        let words: Vec<&str> = order.split(' ').collect();
        match words[..] {
            ["open"] => {
                let began = now();
                store = Some(ours::open(folder)?);
                tell(&began.elapsed().as_nanos().to_string())?;
            }
            ["fill", count, bytes] => {
                let store = store.as_ref().context("a store is opened before it is filled")?;
                tell(&ours::fill(&runtime, store, count.parse()?, bytes.parse()?)?.to_string())?;
            }
            _ => bail!("no such order: {order}"),
        }
    }
    if let Some(store) = store {
        store.close();
    }
    Ok(())
}
