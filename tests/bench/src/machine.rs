//! Time, processor and memory of this machine and its processes.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// The kernel counts processor time in these (sysconf(_SC_CLK_TCK), fixed for user space).
const TICKS_PER_SECOND: f64 = 100.0;

#[expect(clippy::disallowed_methods, reason = "a measurement takes the real clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// User and system time of a process, to a hundredth of a second: fields 14 and 15 of proc(5)'s stat.
pub(crate) fn processor_seconds(pid: u32) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(") ").context("a process's name is in parentheses")?;
    let mut fields = fields.split(' ').skip(11);
    let mut ticks = 0.0;
    for _ in 0..2 {
        ticks += fields.next().context("a process's times")?.parse::<f64>()?;
    }
    Ok(ticks / TICKS_PER_SECOND)
}

/// The same of this process, exactly.
pub(crate) fn own_processor_seconds() -> anyhow::Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    Ok((usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1e6)
}

/// What a process adds to the machine's use of memory.
pub(crate) fn pss_bytes(pid: u32) -> anyhow::Result<f64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).context("a process's Pss")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? * 1024.0)
}

/// One line on what the figures were measured on.
pub(crate) fn description() -> String {
    let first = |path: &str, prefix: &str| {
        let text = fs::read_to_string(path).unwrap_or_else(|error| error.to_string());
        let line = text.lines().find(|line| line.starts_with(prefix)).unwrap_or("unknown");
        line.rsplit(':').next().unwrap_or(line).trim().to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{cores} × {}, {}, Linux {}; load while measuring: {}",
        first("/proc/cpuinfo", "model name"),
        first("/proc/meminfo", "MemTotal"),
        first("/proc/sys/kernel/osrelease", ""),
        first("/proc/loadavg", ""),
    )
}

/// Runs something over and over for a while; answers how often, and how long it took.
pub(crate) fn repeat(
    period: Duration,
    mut work: impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<(u64, Duration)> {
    let began = now();
    let mut count = 0;
    loop {
        work()?;
        count += 1;
        let took = began.elapsed();
        if took >= period {
            return Ok((count, took));
        }
    }
}
