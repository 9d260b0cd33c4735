//! `cargo xtask bench store` and `cargo xtask bench api`: builds what measures, with all its rivals, and runs it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};

use crate::{debian, without_own_variables};

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
}

pub(crate) fn run(repository: &Path, room: &Room, options: &Options) -> anyhow::Result<()> {
    if matches!(room, Room::Store) {
        debian::ensure(&["etcd-server"])?;
    }
    // On the file system of the build: a temporary folder may be memory, where a sync costs nothing.
    let folder = repository.join("target/bench");
    let folder = folder.to_string_lossy();
    // Its output alone is printed: it may be JSON.
    let status = without_own_variables(&mut Command::new("cargo"))
        .args(arguments(room, options, &folder))
        .current_dir(repository)
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "the measurement failed ({status})");
    Ok(())
}

fn arguments(room: &Room, options: &Options, folder: &str) -> Vec<String> {
    let (name, features) = match room {
        Room::Store => ("store", "engines"),
        Room::Api => ("api", "api"),
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
