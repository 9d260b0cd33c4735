//! `cargo xtask chaos`: as many seeds of the simulator's chaos as asked, on all processors.

use std::path::Path;

use clap::Args;

use crate::run as command;

#[derive(Args)]
pub(crate) struct Options {
    /// How many seeds
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0)]
    seed: u64,
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

pub(crate) fn run(repository: &Path, options: &Options) -> anyhow::Result<()> {
    let words = arguments(options);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    command(repository, "cargo", &words)
}

fn arguments(options: &Options) -> Vec<String> {
    // Seeds are many, and each is a cluster: it pays to have them built to be fast.
    let mut words: Vec<String> =
        ["run", "--quiet", "--release", "--package", "sim", "--bin", "chaos", "--"].map(str::to_owned).into();
    for (name, number) in [("seeds", options.seeds), ("seed", options.seed), ("lines", options.lines as u64)] {
        words.extend([format!("--{name}"), number.to_string()]);
    }
    let flags = [("--keep-going", options.keep_going), ("--twice", options.twice)];
    words.extend(flags.into_iter().filter(|(_, is_given)| *is_given).map(|(flag, _)| flag.to_owned()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_reach_the_simulator() {
        let options = Options { seeds: 5, seed: 42, lines: 10, keep_going: true, twice: true };
        let words = arguments(&options).join(" ");
        assert!(
            words.ends_with("--package sim --bin chaos -- --seeds 5 --seed 42 --lines 10 --keep-going --twice"),
            "{words}"
        );
    }
}
