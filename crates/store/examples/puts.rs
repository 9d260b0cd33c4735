//! Durable puts a second, beside what the disk does in the same run.
//!
//! `cargo run --release -p store --example puts [FOLDER]`: rounds of the disk alone, of one client
//! and of many alternate, because a disk that others use too is never the same for long.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use stdx::Ambient;
use store::{Embedded, Expect, Options, ReadAt, Store};

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(700);
const VALUE_BYTES: usize = 1024;
/// What a put of such a value comes to in the log.
const FRAME_BYTES: usize = VALUE_BYTES + 96;
const CLIENTS: [usize; 3] = [1, 16, 256];

fn main() {
    let base = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(base).expect("a folder to measure in");
    let raw_file = folder.path().join("raw");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let store =
        Embedded::open(&folder.path().join("store"), Options::default(), Ambient::system()).expect("an empty store");

    println!("{:>10} {:>22} {:>22} {:>22}", "disk/s", "1 client/s", "16 clients/s", "256 clients/s");
    let mut ratios = [const { Vec::new() }; CLIENTS.len()];
    for _ in 0..ROUNDS {
        let before = raw_rate(&raw_file);
        let single = puts_rate(&runtime, &store, 1);
        let after = raw_rate(&raw_file);
        let raw = (before + after) / 2.0;
        let rates = [single, puts_rate(&runtime, &store, 16), puts_rate(&runtime, &store, 256)];
        print!("{raw:>10.0}");
        for (rate, ratios) in rates.iter().zip(&mut ratios) {
            print!(" {rate:>14.0} ({:>5.2})", rate / raw);
            ratios.push(rate / raw);
        }
        println!();
    }
    for (clients, ratios) in CLIENTS.iter().zip(&mut ratios) {
        ratios.sort_by(f64::total_cmp);
        println!("{clients} clients: median {:.2} of the disk's rate", ratios[ratios.len() / 2]);
    }
}

/// Writes and syncs of one frame's size a second, into room that was written before.
fn raw_rate(path: &Path) -> f64 {
    let room_bytes = 16 << 20;
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(path).expect("a file");
    file.write_all_at(&vec![0; room_bytes], 0).expect("room");
    file.sync_all().expect("a sync");
    let clock = Ambient::system().clock;
    let frame = vec![7; FRAME_BYTES];
    let start = clock.instant();
    let mut writes = 0;
    while start.elapsed() < ROUND {
        let offset = writes * FRAME_BYTES % (room_bytes - FRAME_BYTES);
        file.write_all_at(&frame, offset as u64).expect("a write");
        file.sync_data().expect("a sync");
        writes += 1;
    }
    writes as f64 / start.elapsed().as_secs_f64()
}

/// Puts a second of so many clients, each writing its own keys over and over.
fn puts_rate(runtime: &tokio::runtime::Runtime, store: &Arc<Embedded>, clients: usize) -> f64 {
    let clock = Ambient::system().clock;
    let start = clock.instant();
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            let store = store.clone();
            runtime.spawn(async move {
                let mut writes = 0_usize;
                while start.elapsed() < ROUND {
                    let key = format!("things/{client}/{}", writes % 100);
                    let present = store.get(&key, ReadAt::Newest).await.expect("a read");
                    let expect = present.map_or(Expect::Absent, |entry| Expect::At(entry.modified));
                    store.put(&key, Bytes::from(vec![7; VALUE_BYTES]), expect).await.expect("a put");
                    writes += 1;
                }
                writes
            })
        })
        .collect();
    let writes: usize = tasks.into_iter().map(|task| runtime.block_on(task).expect("a client")).sum();
    writes as f64 / start.elapsed().as_secs_f64()
}
