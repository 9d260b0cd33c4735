//! `pintle down`: the server and all pods stop; state, images and volumes stay.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use cluster::Settings;
use cluster::process::{self, ServerInfo};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::arguments::{Place, Where};
use crate::{runtime, server};

/// How long the server may take to stop by itself before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) fn run(place: &Where) -> anyhow::Result<ExitCode> {
    let settings = settings_of(place)?;
    if !cluster::traces::exist(&settings) {
        println!("There is no cluster {} here.", settings.name);
        return Ok(ExitCode::SUCCESS);
    }
    stop_all(&settings)?;
    println!("The cluster {} is stopped; `pintle up` brings it back.", settings.name);
    Ok(ExitCode::SUCCESS)
}

/// The settings the cluster was started with, or what the command line says where no server has run since boot.
pub(super) fn settings_of(place: &Where) -> anyhow::Result<Settings> {
    if let Some(info) = ServerInfo::read(&std::path::absolute(place.run_dir())?)? {
        return Ok(info.settings);
    }
    Place::of(place.clone()).settings()
}

/// Ends the server, then everything of the cluster that runs or is mounted.
pub(super) fn stop_all(settings: &Settings) -> anyhow::Result<()> {
    if !nix::unistd::geteuid().is_root() {
        bail!("the cluster belongs to root; run: sudo pintle …");
    }
    stop_server(settings)?;
    if settings.container_runtime.is_some() {
        // Whoever stopped the runtime before, or lost it, can stop the cluster all the same.
        if let Err(error) = server::runtime()?.block_on(runtime::remove_pods(settings)) {
            eprintln!("pintle: {}", stdx::error::chain(error.as_ref()));
        }
    }
    container::destroy(&settings.data_dir, &settings.run_dir, &settings.name).context("cannot stop the pods")?;
    proxy::destroy(&settings.name).context("cannot remove the service rules")?;
    network::destroy(&settings.bridge(), &settings.name, &settings.network_dir())
        .context("cannot remove the pod network")?;
    cluster::traces::remove_cgroups(&settings.name)?;
    cluster::traces::unmount_beneath(&settings.run_dir)?;
    Ok(())
}

fn stop_server(settings: &Settings) -> anyhow::Result<()> {
    let Some(pid) = process::holder(&settings.run_dir)? else { return Ok(()) };
    // A pid the holder has not written yet is 0, and a signal to 0 would reach this very process.
    if pid <= 1 {
        bail!("the cluster is being started this very moment; run the command again");
    }
    let run_dir = settings.run_dir.clone();
    let (released, wait) = std::sync::mpsc::channel();
    signal(pid, Signal::SIGTERM)?;
    std::thread::spawn(move || released.send(process::wait_until_released(&run_dir)));
    if let Ok(outcome) = wait.recv_timeout(STOP_TIMEOUT) {
        return Ok(outcome?);
    }
    signal(pid, Signal::SIGKILL)?;
    Ok(wait.recv().context("the wait for the server")??)
}

fn signal(pid: i32, signal: Signal) -> anyhow::Result<()> {
    match kill(Pid::from_raw(pid), signal) {
        Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(()),
        Err(errno) => Err(errno).with_context(|| format!("cannot stop process {pid}")),
    }
}
