//! `cargo xtask fuzz`: cargo-fuzz with the flags that a statically linked workspace needs, where it is installed.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};

#[derive(Args)]
pub(crate) struct Options {
    target: Target,
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

#[derive(Clone, Copy, ValueEnum)]
enum Target {
    Decode,
    Patch,
    Text,
}

pub(crate) fn run(repository: &Path, options: &Options) -> anyhow::Result<()> {
    let folder = repository.join("fuzz");
    let mut probe = cargo(&folder);
    let is_there = probe.args(["fuzz", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    ensure!(
        is_there.context("running cargo")?.success(),
        "fuzzing needs a nightly compiler and cargo-fuzz: rustup toolchain install nightly && cargo install cargo-fuzz; \
         the same bodies run on mutated seeds in `cargo test -p codec --test mutations`"
    );
    let target = options.target.to_possible_value().context("a target has a name")?.get_name().to_owned();
    let found = folder.join("corpus").join(&target);
    std::fs::create_dir_all(&found).with_context(|| format!("making {}", found.display()))?;
    let mut fuzz = cargo(&folder);
    fuzz.args(["fuzz", "run", "--fuzz-dir", ".", "--sanitizer", "none", &target]);
    // New inputs go to the first folder; the seeds stay as they are.
    fuzz.arg(&found).arg(folder.join("seeds").join(&target));
    fuzz.arg("--").arg(format!("-max_total_time={}", options.seconds));
    ensure!(fuzz.status().context("running cargo fuzz")?.success(), "{target} found something, or did not build");
    Ok(())
}

fn cargo(folder: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.arg("+nightly").current_dir(folder);
    crate::without_own_variables(&mut cargo);
    cargo
}
