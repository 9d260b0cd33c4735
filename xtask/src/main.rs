//! The project's own commands. CI calls what a person calls.

mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Pintle's own commands")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything CI checks, in order: format, clippy, tidy, unit, simulation and end-to-end tests
    Test {
        /// Stop before the end-to-end tests, which need root
        #[arg(long)]
        no_e2e: bool,
    },
    /// Check the direction rules and the house style that no other tool knows
    Tidy,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Test { no_e2e } => test::run(&repository(), no_e2e),
        Task::Tidy => tidy::run(&repository()),
    }
}

/// The workspace's root folder.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

/// Runs a command in the repository, its output passed through; a failure names the command.
fn run(repository: &Path, program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let shown = format!("{program} {}", arguments.join(" "));
    println!("\n── {shown}");
    let status = Command::new(program)
        .args(arguments)
        .current_dir(repository)
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    ensure!(status.success(), "`{shown}` failed ({status})");
    Ok(())
}
