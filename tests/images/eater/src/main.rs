//! Takes what it is told to, and holds it until SIGTERM:
//!
//! ```text
//! eater --memory 64Mi --cpu 2
//! ```
//!
//! `--memory` touches that many bytes (suffixes Ki, Mi, Gi); `--cpu` keeps that many threads busy.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use nix::sys::signal::{SigSet, Signal};

const PAGE_BYTES: usize = 4096;
/// Memory grows by this at a time, so that a limit is met and not overshot.
const STEP_BYTES: usize = 1024 * 1024;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let appetite = match Appetite::parse(&arguments) {
        Ok(appetite) => appetite,
        Err(message) => {
            eprintln!("eater: {message}");
            eprintln!("usage: eater [--memory BYTES[Ki|Mi|Gi]] [--cpu THREADS]");
            return ExitCode::from(2);
        }
    };
    let mut stop = SigSet::empty();
    stop.add(Signal::SIGTERM);
    stop.add(Signal::SIGINT);
    if let Err(error) = stop.thread_block() {
        eprintln!("eater: {error}");
        return ExitCode::FAILURE;
    }
    let stopping = Arc::new(AtomicBool::new(false));
    let turns = Arc::new(AtomicU64::new(0));
    let threads: Vec<_> = (0..appetite.threads)
        .map(|_| {
            let (stopping, turns) = (stopping.clone(), turns.clone());
            thread::spawn(move || {
                while !stopping.load(Ordering::Relaxed) {
                    turns.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let held = take(appetite.memory_bytes);
    println!("holding {} bytes, {} threads busy", held.iter().map(Vec::len).sum::<usize>(), threads.len());
    let stopped = stop.wait();
    stopping.store(true, Ordering::Relaxed);
    for busy in threads {
        if busy.join().is_err() {
            return ExitCode::FAILURE;
        }
    }
    match stopped {
        Ok(signal) => {
            println!("{signal}: stopping after {} turns", turns.load(Ordering::Relaxed));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("eater: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Allocates and touches every page: untouched memory costs nothing.
fn take(bytes: usize) -> Vec<Vec<u8>> {
    let mut held = Vec::new();
    let mut remaining = bytes;
    while remaining > 0 {
        let step = remaining.min(STEP_BYTES);
        let mut piece = vec![0u8; step];
        for at in (0..step).step_by(PAGE_BYTES) {
            piece[at] = 1;
        }
        held.push(piece);
        remaining -= step;
    }
    held
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Appetite {
    memory_bytes: usize,
    threads: usize,
}

impl Appetite {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut appetite = Appetite::default();
        let mut words = arguments.iter();
        while let Some(name) = words.next() {
            let value = words.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--memory" => appetite.memory_bytes = bytes(value)?,
                "--cpu" => appetite.threads = value.parse().map_err(|_| format!("{value:?} is not a number"))?,
                _ => return Err(format!("unknown argument {name:?}")),
            }
        }
        Ok(appetite)
    }
}

fn bytes(text: &str) -> Result<usize, String> {
    let (number, factor) = match text {
        _ if text.ends_with("Ki") => (&text[..text.len() - 2], 1 << 10),
        _ if text.ends_with("Mi") => (&text[..text.len() - 2], 1 << 20),
        _ if text.ends_with("Gi") => (&text[..text.len() - 2], 1 << 30),
        _ => (text, 1),
    };
    let number: usize = number.parse().map_err(|_| format!("{text:?} is not an amount of memory"))?;
    number.checked_mul(factor).ok_or_else(|| format!("{text:?} is too much"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Appetite, String> {
        Appetite::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn arguments_become_an_appetite() {
        assert_eq!(parse("--memory 64Mi --cpu 2"), Ok(Appetite { memory_bytes: 64 << 20, threads: 2 }));
        assert_eq!(parse("--memory 100"), Ok(Appetite { memory_bytes: 100, threads: 0 }));
        for bad in ["--memory", "--memory much", "--memory 99999999999999999999Gi", "--disk 1"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn memory_is_taken_to_the_byte() {
        assert_eq!(take(2 * STEP_BYTES + 7).iter().map(Vec::len).sum::<usize>(), 2 * STEP_BYTES + 7);
    }
}
