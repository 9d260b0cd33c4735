//! The project's own commands. CI calls what a person calls.

mod bench_rooms;
mod bench_start;
mod chaos;
mod clients;
mod codegen;
mod debian;
mod fuzz;
mod images;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use bench_rooms::Room;
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
    /// Build the test images and pack them as archives
    Images {
        /// The folder that gets them [default: target/images]
        out: Option<PathBuf>,
    },
    /// Make the API's field tables from a folder of facts
    Codegen { facts: PathBuf },
    /// Let everything go wrong in simulated clusters, and see whether what was declared comes true
    Chaos(chaos::Options),
    /// Look for bytes that break decoders, patches or parsers
    Fuzz(fuzz::Options),
    /// Measure, and print the figures
    Bench {
        #[command(subcommand)]
        what: Bench,
    },
}

#[derive(Subcommand)]
enum Bench {
    /// A start from nothing, and an idle minute
    Start,
    /// The store, beside the disk, etcd and two other engines
    Store(bench_rooms::Options),
    /// The API server over HTTPS, beside a server that answers constants
    Api(bench_rooms::Options),
    /// Controllers and scheduler over the API server, with hollow nodes
    Controllers(bench_rooms::Options),
    /// A node with real containers, beside Debian's crun
    Node(bench_rooms::Options),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Test { no_e2e } => test::run(&repository(), no_e2e),
        Task::Tidy => tidy::run(&repository()),
        Task::Images { out } => {
            let made = images::run(&out.unwrap_or_else(|| repository().join("target/images")))?;
            made.iter().for_each(|path| println!("{}", path.display()));
            Ok(())
        }
        Task::Codegen { facts } => codegen::run(&facts, &repository()),
        Task::Chaos(options) => chaos::run(&repository(), &options),
        Task::Fuzz(options) => fuzz::run(&repository(), &options),
        Task::Bench { what: Bench::Start } => bench_start::run(&repository()),
        Task::Bench { what: Bench::Store(options) } => bench_rooms::run(&repository(), &Room::Store, &options),
        Task::Bench { what: Bench::Api(options) } => bench_rooms::run(&repository(), &Room::Api, &options),
        Task::Bench { what: Bench::Controllers(options) } => {
            bench_rooms::run(&repository(), &Room::Controllers, &options)
        }
        Task::Bench { what: Bench::Node(options) } => bench_rooms::run(&repository(), &Room::Node, &options),
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
    let status = without_own_variables(&mut Command::new(program))
        .args(arguments)
        .current_dir(repository)
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    ensure!(status.success(), "`{shown}` failed ({status})");
    Ok(())
}

/// Cargo tells this program about its own package. A cargo started from here must not hear of it: build scripts that
/// look at those variables would run again, and everything above them.
fn without_own_variables(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") || text == "CARGO_CRATE_NAME" {
            command.env_remove(&name);
        }
    }
    command
}
