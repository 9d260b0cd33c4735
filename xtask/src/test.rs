//! `cargo xtask test`: what CI runs, in the order in which a fault is cheapest to find.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::{debian, images, run as command, tidy, without_own_variables};

/// How often the store's process is killed, unless the variable says so already.
const KILL_ROUNDS: (&str, &str) = ("STORE_KILL_TEST_ROUNDS", "200");

pub(crate) fn run(repository: &Path, no_e2e: bool) -> anyhow::Result<()> {
    command(repository, "cargo", &["fmt", "--all", "--check"])?;
    command(repository, "cargo", &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])?;
    println!("\n── tidy");
    tidy::run(repository)?;
    // The rooms' own kernel tests run it, or read rules back with it; the store's contract is held against etcd.
    debian::ensure(&["busybox-static", "nftables", "etcd-server"])?;
    rooms(repository)?;
    command(repository, "cargo", &["test", "--package", "sim"])?;
    if !no_e2e {
        command(repository, "cargo", &["build", "--package", "pintle"])?;
        images::fixtures(&repository.join("target"))?;
        command(repository, "cargo", &["test", "--package", "e2e"])?;
        if cfg!(target_arch = "x86_64") {
            images::machine(&repository.join("target"))?;
            command(repository, "cargo", &["test", "--package", "vm"])?;
        }
    }
    Ok(())
}

/// The rooms' own tests.
fn rooms(repository: &Path) -> anyhow::Result<()> {
    let (variable, rounds) = KILL_ROUNDS;
    let rounds = std::env::var(variable).unwrap_or_else(|_| rounds.to_owned());
    let arguments = ["test", "--workspace", "--exclude", "e2e", "--exclude", "sim", "--exclude", "vm"];
    println!("\n── {variable}={rounds} cargo {}", arguments.join(" "));
    let status = without_own_variables(&mut Command::new("cargo"))
        .args(arguments)
        .env(variable, rounds)
        .current_dir(repository)
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "the rooms' tests failed ({status})");
    Ok(())
}
