//! `cargo xtask test`: what CI runs, in the order in which a fault is cheapest to find.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::{debian, images, run as command, tidy, without_own_variables};

/// What the tests are told, unless the variables say something already: how often the store's process is
/// killed, and where property tests begin. The same tests meet the same cases; whoever looks for
/// new ones gives another seed, and more cases (`PROPTEST_CASES`).
const VARIABLES: [(&str, &str); 2] = [("STORE_KILL_TEST_ROUNDS", "200"), ("PROPTEST_RNG_SEED", "1")];

pub(crate) fn run(repository: &Path, no_e2e: bool) -> anyhow::Result<()> {
    command(repository, "cargo", &["fmt", "--all", "--check"])?;
    command(repository, "cargo", &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])?;
    println!("\n── tidy");
    tidy::run(repository)?;
    // The rooms' own kernel tests run it, or read rules back with it; the store's contract is held against etcd.
    debian::ensure(&["busybox-static", "nftables", "etcd-server"])?;
    // Promises of the container runtime are held against these too.
    debian::ensure(&["containerd", "runc", "containernetworking-plugins"])?;
    test(repository, &["--workspace", "--exclude", "e2e", "--exclude", "sim", "--exclude", "vm"])?;
    test(repository, &["--package", "sim"])?;
    if !no_e2e {
        command(repository, "cargo", &["build", "--package", "pintle"])?;
        images::fixtures(&repository.join("target"))?;
        test(repository, &["--package", "e2e"])?;
        if cfg!(target_arch = "x86_64") {
            images::machine(&repository.join("target"))?;
            test(repository, &["--package", "vm"])?;
        }
    }
    Ok(())
}

fn test(repository: &Path, selection: &[&str]) -> anyhow::Result<()> {
    let variables =
        VARIABLES.map(|(variable, value)| (variable, std::env::var(variable).unwrap_or_else(|_| value.to_owned())));
    let told = variables.each_ref().map(|(variable, value)| format!("{variable}={value}")).join(" ");
    println!("\n── {told} cargo test {}", selection.join(" "));
    let status = without_own_variables(&mut Command::new("cargo"))
        .arg("test")
        .args(selection)
        .envs(variables)
        .current_dir(repository)
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "tests failed ({status})");
    Ok(())
}
