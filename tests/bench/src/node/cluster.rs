//! The cluster that is measured, and its processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use cri::{Endpoint, RuntimeClient};
use serde_json::{Value, json};
use stdx::Ambient;

use crate::Bench;
use crate::api::client::Target;

pub(super) const NAME: &str = "benchnode";
/// What a node takes unless told otherwise.
pub(super) const USUAL_PODS: usize = 110;
const API: &str = "127.0.0.1:6443";

/// A running cluster; dropping it destroys it.
pub(super) struct Cluster {
    program: PathBuf,
    folder: PathBuf,
    is_destroyed: bool,
}

/// A command line about the cluster in this folder.
pub(super) fn pintle(program: &Path, folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(words).args(["--name", NAME]);
    command.arg("--data-dir").arg(folder.join("data")).arg("--run-dir").arg(folder.join("run"));
    command
}

impl Cluster {
    /// Starts one with these images, and waits until it is ready. Its node takes so many pods.
    pub(super) fn start(bench: &Bench, images: &[&str], most_pods: usize) -> anyhow::Result<Cluster> {
        let program = bench.program.clone().context("which program is to be measured?")?;
        let archives = bench.images.as_deref().context("where are the images?")?;
        let cluster = Cluster { program, folder: bench.folder.join("cluster"), is_destroyed: false };
        for image in images {
            succeed(cluster.pintle(&["image", "load"]).arg(archives.join(format!("{image}.tar"))))?;
        }
        let kubelet = cluster.data().join("kubelet");
        fs::create_dir_all(&kubelet)?;
        let configuration = json!({
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "maxPods": most_pods,
        });
        fs::write(kubelet.join("config.yaml"), configuration.to_string())?;
        succeed(cluster.pintle(&["up"]).args(["--node-cidr-mask-size", "22"]))?;
        Ok(cluster)
    }

    /// The administrator at the API server.
    pub(super) fn api(&self) -> anyhow::Result<Target> {
        Target::new(&self.data(), API)
    }

    /// The runtime at its socket.
    pub(super) fn runtime(&self) -> anyhow::Result<RuntimeClient> {
        let endpoint: Endpoint = format!("unix://{}", self.folder.join("run/cri.sock").display()).parse()?;
        Ok(RuntimeClient::new(&endpoint, Ambient::system().clock))
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(super) fn server(&self) -> anyhow::Result<u32> {
        let output = self.pintle(&["status", "--output", "json"]).output()?;
        let status: Value = serde_json::from_slice(&output.stdout).context("`status` told something else than JSON")?;
        let pid = status["pid"].as_u64().with_context(|| format!("no process in {status}"))?;
        Ok(u32::try_from(pid)?)
    }

    /// The pods' shims: they run the program through a mount that nobody can write to.
    pub(super) fn shims(&self) -> anyhow::Result<Vec<u32>> {
        let program = self.folder.join("run/program");
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let entry = entry?;
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            // A process may have ended since the listing.
            if fs::read_link(entry.path().join("exe")).is_ok_and(|exe| exe == program) {
                found.push(pid);
            }
        }
        Ok(found)
    }

    pub(super) fn destroy(mut self) -> anyhow::Result<()> {
        self.is_destroyed = true;
        succeed(&mut self.pintle(&["destroy", "--yes"]))
    }

    fn pintle(&self, words: &[&str]) -> Command {
        pintle(&self.program, &self.folder, words)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if !self.is_destroyed
            && let Err(error) = succeed(&mut self.pintle(&["destroy", "--yes"]))
        {
            eprintln!("{error:#}");
        }
    }
}

/// Runs a command, what it tells people kept from what this program prints.
fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let shown = format!("{command:?}");
    let status = command.stdout(Stdio::null()).status().with_context(|| format!("cannot run {shown}"))?;
    ensure!(status.success(), "{shown} failed ({status})");
    Ok(())
}
