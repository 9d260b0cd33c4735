//! Runs seeds of the chaos until one fails or all are done.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::Parser;
use sim::chaos;

#[derive(Parser)]
#[command(about = "Random faults over random objects: what was declared must be so in the end")]
struct Arguments {
    /// How many seeds
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How many at once [default: one for each processor]
    #[arg(long)]
    jobs: Option<usize>,
    /// How much of a failed seed's trace to print
    #[arg(long, default_value_t = 100)]
    lines: usize,
    /// Go on after a failure
    #[arg(long)]
    keep_going: bool,
    /// Run each seed twice: the second time must take the same course
    #[arg(long)]
    twice: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let failed: Mutex<Vec<u64>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs.unwrap_or(processors) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let mut failures = failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    if number >= arguments.seeds || (!failures.is_empty() && !arguments.keep_going) {
                        return;
                    }
                    drop(failures);
                    let seed = arguments.seed.wrapping_add(number);
                    let told = tell(seed, arguments.lines, arguments.twice);
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    failures = failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    if let Some(told) = told {
                        println!("{told}");
                        failures.push(seed);
                    } else if done.is_multiple_of(100) {
                        println!("{done} seeds done");
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    println!("{} seeds run, {} failed{}", done.into_inner(), failed.len(), list(&failed));
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn list(seeds: &[u64]) -> String {
    let texts: Vec<String> = seeds.iter().map(u64::to_string).collect();
    if texts.is_empty() { String::new() } else { format!(": {}", texts.join(" ")) }
}

/// What to print of a seed; nothing where all is well.
fn tell(seed: u64, lines: usize, twice: bool) -> Option<String> {
    match chaos::run(seed) {
        Ok(outcome) if outcome.findings.is_empty() => twice.then(|| compare(seed, &outcome)).flatten(),
        Ok(outcome) => {
            let end = outcome.trace.len().saturating_sub(lines);
            let trace = outcome.trace[end..].join("\n");
            Some(format!("{trace}\nseed {seed} failed:\n  {}", outcome.findings.join("\n  ")))
        }
        Err(failure) => Some(format!("seed {seed} failed:\n  {failure}")),
    }
}

/// Where a second run of the seed leaves the course of the first.
fn compare(seed: u64, one: &chaos::Outcome) -> Option<String> {
    let other = match chaos::run(seed) {
        Ok(other) => other,
        Err(failure) => return Some(format!("seed {seed} failed the second time:\n  {failure}")),
    };
    let courses = [(&one.trace, &other.trace), (&one.history, &other.history)];
    let parts = courses.into_iter().find(|(one, other)| one != other)?;
    let differs = |(one, other): &(&String, &String)| one != other;
    let first = parts.0.iter().zip(parts.1).find(differs);
    let told = first.map_or("one is longer".to_owned(), |(one, other)| format!("{one}\n  {other}"));
    Some(format!("seed {seed} took another course the second time:\n  {told}"))
}
