//! Debian's crun, given the very bundle that our runtime made, and a network set up as a script would.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::machine::now;

/// Reads commands and tells how each ended. Its mounts are its own: crun refuses cgroups of the mixed layout, so
/// the part of version 2 goes from where crun would see it.
const SHELL: &str = "
    umount /sys/fs/cgroup/unified 2>/dev/null
    mkdir -p /run/netns && mount -t tmpfs netns /run/netns || exit 1
    ip link add crun0 type bridge && ip address add 10.99.0.1/16 dev crun0 && ip link set crun0 up || exit 1
    while read -r line; do
        eval \"$line\" </dev/null >/dev/null 2>$1
        echo $?
    done";

pub(super) struct Crun {
    shell: Child,
    orders: ChildStdin,
    ended: BufReader<ChildStdout>,
    folder: PathBuf,
    bundle: Value,
    /// The image's layers, as overlayfs takes them.
    layers: String,
}

impl Crun {
    /// Takes the bundle of a container of ours that runs.
    pub(super) fn like(container: &Path, folder: PathBuf) -> anyhow::Result<Crun> {
        let bundle = fs::read(container.join("config.json")).context("the container's bundle")?;
        let bundle: Value = serde_json::from_slice(&bundle)?;
        let root = bundle["root"]["path"].as_str().context("a bundle has a root")?;
        let layers = layers_below(root)?;
        fs::create_dir_all(&folder)?;
        let mut shell = Command::new("unshare")
            .args(["--mount", "--", "setpriv", "--pdeathsig", "KILL", "--", "sh", "-c", SHELL, "sh"])
            .arg(folder.join("errors"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run unshare and setpriv (package util-linux)")?;
        let orders = shell.stdin.take().context("the shell's input")?;
        let ended = BufReader::new(shell.stdout.take().context("the shell's output")?);
        Ok(Crun { shell, orders, ended, folder, bundle, layers })
    }

    /// Sets up a network and starts a container; answers how long that took. The root is mounted before.
    pub(super) fn start(&mut self, number: usize) -> anyhow::Result<Duration> {
        let folder = self.folder.join(number.to_string());
        for name in ["root", "upper", "work"] {
            fs::create_dir_all(folder.join(name))?;
        }
        fs::write(folder.join("config.json"), self.bundle_of(number, &folder).to_string())?;
        let (host, inner) = (folder.join("host"), folder.join("inner"));
        fs::write(
            &host,
            format!(
                "netns add crun{number}\n\
                 link add crunv{number} type veth peer name eth0 netns crun{number}\n\
                 link set crunv{number} master crun0 up\n"
            ),
        )?;
        fs::write(
            &inner,
            format!(
                "address add 10.99.1.{}/16 dev eth0\nlink set eth0 up\nlink set lo up\n\
                 route add default via 10.99.0.1\n",
                number % 250 + 1
            ),
        )?;
        let [root, upper, work] = ["root", "upper", "work"].map(|name| folder.join(name));
        self.order(&format!(
            "mount -t overlay overlay -o '{},upperdir={},workdir={}' '{}'",
            self.layers,
            upper.display(),
            work.display(),
            root.display()
        ))?;
        let state = self.folder.join("state");
        let began = now();
        self.order(&format!(
            "ip -batch '{}' && ip -n crun{number} -batch '{}' && crun --root '{}' run --detach --bundle '{}' \
             crun{number}",
            host.display(),
            inner.display(),
            state.display(),
            folder.display()
        ))?;
        Ok(began.elapsed())
    }

    pub(super) fn remove(&mut self, number: usize) -> anyhow::Result<()> {
        let (state, root) = (self.folder.join("state"), self.folder.join(format!("{number}/root")));
        self.order(&format!(
            "crun --root '{}' delete --force crun{number}; ip netns delete crun{number}; umount '{}'",
            state.display(),
            root.display()
        ))
    }

    /// Ends the shell; nothing of crun's stays.
    pub(super) fn end(mut self) -> anyhow::Result<()> {
        // Where version 2 was taken away, crun made plain folders.
        self.order(
            "cd /sys/fs/cgroup; ip link delete crun0; rm -rf unified/benchnode-crun; \
             rmdir benchnode-crun */benchnode-crun; ! ls -d benchnode-crun */benchnode-crun",
        )?;
        drop(self.orders);
        self.shell.wait()?;
        Ok(())
    }

    fn bundle_of(&self, number: usize, folder: &Path) -> Value {
        let mut bundle = self.bundle.clone();
        // Debian's crun knows no newer one, and nothing here needs it.
        bundle["ociVersion"] = json!("1.0.2");
        bundle["root"]["path"] = json!(folder.join("root"));
        bundle["linux"]["cgroupsPath"] = json!(format!("/benchnode-crun/{number}"));
        // What the containers of a pod share is the shim's with us; here there is none.
        bundle["linux"]["namespaces"] = json!([
            {"type": "mount"}, {"type": "pid"}, {"type": "ipc"}, {"type": "uts"},
            {"type": "network", "path": format!("/run/netns/crun{number}")},
        ]);
        bundle
    }

    fn order(&mut self, command: &str) -> anyhow::Result<()> {
        writeln!(self.orders, "{command}")?;
        let mut line = String::new();
        self.ended.read_line(&mut line)?;
        ensure!(
            line.trim() == "0",
            "{command}: {}",
            fs::read_to_string(self.folder.join("errors")).unwrap_or_default()
        );
        Ok(())
    }
}

/// `lowerdir=…` of the overlay that is mounted there.
fn layers_below(root: &str) -> anyhow::Result<String> {
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let mut found = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let mount = found.find(|fields| fields.get(1) == Some(&root)).context("the container's root is mounted")?;
    let mut options = mount.get(3).context("a mount has options")?.split(',');
    Ok(options.find(|option| option.starts_with("lowerdir=")).context("it is an overlay")?.to_owned())
}
