//! What state costs in memory, and how long a snapshot takes to take.
//!
//! `cargo run --release -p store --example memory [ENTRIES] [VALUE_BYTES]`, by the kernel's figures
//! for this process.

use bytes::Bytes;
use stdx::Clock;
use store::{Expect, Memory, Options, Store};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse().expect("a number"));
    let entries: usize = arguments.next().unwrap_or(100_000);
    let value_bytes: usize = arguments.next().unwrap_or(4096);
    let clock = Clock::system();
    let store = Memory::with_options(Options::default(), clock);
    let before = resident_bytes();
    let mut encoded = 0;
    for number in 0..entries {
        // As an encoder leaves it: a buffer with room to spare, of which the value is a part.
        let mut buffer = Vec::with_capacity(value_bytes * 2);
        buffer.resize(value_bytes, b'x');
        let key = format!("/registry/core/pods/namespace-{:03}/deployment-7d4b9c8f6d-{number:08}", number % 100);
        encoded += key.len() + value_bytes;
        store.put(&key, Bytes::from(buffer), Expect::Absent).await.expect("a put");
    }
    let costs = resident_bytes() - before;
    println!("{entries} entries of {value_bytes} bytes: {encoded} bytes encoded, {costs} resident");
    println!("that is {:.3} times their bytes, with index and history", costs as f64 / encoded as f64);

    let start = clock.instant();
    let snapshot = store.snapshot().expect("a snapshot");
    println!("a snapshot of {} entries was taken in {:?}", snapshot.len(), start.elapsed());

    drop(snapshot);
    let start = clock.instant();
    store.compact(store.revision()).await.expect("compaction");
    println!("all history was compacted in {:?}; resident now {}", start.elapsed(), resident_bytes() - before);
}

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel's figures");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the resident size");
    let kilobytes: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kilobytes * 1024
}
