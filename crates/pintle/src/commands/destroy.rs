//! `pintle destroy`: nothing of the cluster is left.

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::bail;
use cluster::{StoreLocation, kubeconfig, traces};

use super::down::{settings_of, stop_all};
use crate::arguments::Destroy;

pub(super) fn run(destroy: &Destroy) -> anyhow::Result<ExitCode> {
    let settings = settings_of(&destroy.r#where)?;
    if !traces::exist(&settings) {
        println!("There is no cluster {} here.", settings.name);
        return Ok(ExitCode::SUCCESS);
    }
    if !destroy.yes && !is_confirmed(&settings.name, &settings.data_dir)? {
        println!("Nothing was removed.");
        return Ok(ExitCode::FAILURE);
    }
    stop_all(&settings)?;
    traces::unmount_beneath(&settings.data_dir)?;
    traces::remove_files(&settings)?;
    // The last step, and not a reason to fail: a kubeconfig that cannot be read keeps a dead context.
    match kubeconfig::default_path().and_then(|path| kubeconfig::remove(&path, &settings.name)) {
        Ok(()) => {}
        Err(error) => eprintln!("pintle: the context stays in the kubeconfig: {}", stdx::error::chain(&error)),
    }
    println!("The cluster {} is gone.", settings.name);
    if let StoreLocation::Etcd(etcd) = &settings.store {
        // Other servers may live from it.
        println!("Its state stays in {}.", etcd.address);
    }
    Ok(ExitCode::SUCCESS)
}

fn is_confirmed(name: &str, data_dir: &std::path::Path) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("destroy asks before it removes anything; say it with --yes where nobody can answer");
    }
    print!("Remove the cluster {name} with all its state in {}? [y/N] ", data_dir.display());
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
