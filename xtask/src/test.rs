//! `cargo xtask test`: what CI runs, in the order in which a fault is cheapest to find.

use std::path::Path;

use crate::{debian, images, run as command, tidy};

pub(crate) fn run(repository: &Path, no_e2e: bool) -> anyhow::Result<()> {
    command(repository, "cargo", &["fmt", "--all", "--check"])?;
    command(repository, "cargo", &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])?;
    println!("\n── tidy");
    tidy::run(repository)?;
    // The rooms' own kernel tests run it, or read rules back with it; the store's contract is held against etcd.
    debian::ensure(&["busybox-static", "nftables", "etcd-server"])?;
    command(repository, "cargo", &["test", "--workspace", "--exclude", "e2e", "--exclude", "sim", "--exclude", "vm"])?;
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
