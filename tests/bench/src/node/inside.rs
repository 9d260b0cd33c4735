//! Network and mount namespaces for the measurement, so that the machine's ports, links and rules stay as they are.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use super::cluster::{NAME, pintle};
use crate::Run;

/// Set in the process that runs inside the namespaces.
const INSIDE: &str = "PINTLE_BENCH_INSIDE";

const SETUP: &str = "
    ip link set lo up
    ip link add lan0 type veth peer name lan1
    ip address add 192.0.2.10/24 dev lan0
    ip link set lan0 up
    ip link set lan1 up
    ip route add default via 192.0.2.1
    printf 'nameserver 127.0.0.1\\n' >$1/resolv.conf
    mount --bind $1/resolv.conf /etc/resolv.conf
    shift
    exec \"$@\"";

/// Runs `work` inside, which is a process of its own; where it fails, nothing of its cluster stays either.
pub(crate) fn enter(run: &Run, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    if std::env::var_os(INSIDE).is_some() {
        return work();
    }
    let folder = crate::temporary(run.folder.as_deref())?;
    let status = Command::new("unshare")
        .args(["--net", "--mount", "--", "sh", "-ec", SETUP, "sh"])
        .arg(folder.path())
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(INSIDE, "1")
        .env("HOME", folder.path())
        .env_remove("KUBECONFIG")
        .status()
        .context("cannot run unshare (package util-linux)")?;
    if !status.success() {
        clear(run, folder.path())?;
    }
    ensure!(status.success(), "the measurement failed ({status})");
    Ok(())
}

/// What a measurement that was broken off may have left.
fn clear(run: &Run, folder: &Path) -> anyhow::Result<()> {
    let program = run.program.as_deref().context("which program is to be measured?")?;
    let destroyed = pintle(program, folder, &["destroy", "--yes"]).stdout(Stdio::null()).status()?;
    ensure!(destroyed.success(), "cannot remove what is left of the cluster {NAME:?}");
    Ok(())
}
