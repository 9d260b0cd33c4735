//! `cargo xtask bench store`, `api`, `controllers` and `node`: builds what measures, with all its rivals, and runs it.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};

use crate::bench_start::release_program;
use crate::{debian, images, without_own_variables};

#[derive(Args)]
pub(crate) struct Options {
    /// Shorter rounds and a tenth of the objects
    #[arg(long)]
    quick: bool,
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
    /// Only the sections whose title begins with this
    #[arg(long)]
    only: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Output {
    Text,
    Json,
}

pub(crate) enum Room {
    Store,
    Api,
    Controllers,
    Node,
}

pub(crate) fn run(repository: &Path, room: &Room, options: &Options) -> anyhow::Result<()> {
    match room {
        Room::Store => debian::ensure(&["etcd-server"])?,
        Room::Node => debian::ensure(&["crun"])?,
        Room::Api | Room::Controllers => {}
    }
    // On the file system of the build: a temporary folder may be memory, where a sync costs nothing.
    let folder = repository.join("target/bench");
    let folder = folder.to_string_lossy();
    let mut words = arguments(room, options, &folder);
    if matches!(room, Room::Node) {
        cargo(repository, ["build", "--quiet", "--release", "--package", "pintle"])?;
        let images = repository.join("target/images");
        images::run(&images)?;
        let program = release_program(repository)?;
        words.extend(["--program".to_owned(), program.to_string_lossy().into_owned()]);
        words.extend(["--images".to_owned(), images.to_string_lossy().into_owned()]);
    }
    cargo(repository, words).context("the measurement failed")
}

/// What it runs prints alone: it may be JSON.
fn cargo<S: AsRef<OsStr>>(repository: &Path, words: impl IntoIterator<Item = S>) -> anyhow::Result<()> {
    let mut command = Command::new("cargo");
    let status = without_own_variables(&mut command).args(words).current_dir(repository).status();
    let status = status.context("cannot run cargo")?;
    ensure!(status.success(), "{status}");
    Ok(())
}

fn arguments(room: &Room, options: &Options, folder: &str) -> Vec<String> {
    let (name, features) = match room {
        Room::Store => ("store", "engines"),
        Room::Api => ("api", "api"),
        Room::Controllers => ("controllers", "controllers"),
        Room::Node => ("node", "node"),
    };
    let mut words = vec!["run", "--quiet", "--release", "--package", "bench", "--no-default-features"];
    words.extend(["--features", features, "--", name, "--folder", folder]);
    if matches!(options.output, Output::Json) {
        words.extend(["--output", "json"]);
    }
    if options.quick {
        words.push("--quick");
    }
    if let Some(only) = &options.only {
        words.extend(["--only", only]);
    }
    words.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_reach_the_program_that_measures() {
        let options = Options { quick: true, output: Output::Json, only: Some("Puts".into()) };
        let words = arguments(&Room::Store, &options, "/x").join(" ");
        assert!(
            words.contains("--package bench --no-default-features --features engines -- store --folder /x"),
            "{words}"
        );
        assert!(words.ends_with("--output json --quick --only Puts"), "{words}");
        let options = Options { quick: false, output: Output::Text, only: None };
        let words = arguments(&Room::Api, &options, "/x").join(" ");
        assert_eq!(
            words,
            "run --quiet --release --package bench --no-default-features --features api -- api --folder /x"
        );
    }
}
