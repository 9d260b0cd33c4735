//! Debian's containerd with runc, on a machine's namespaces: the runtime that everybody knows.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use stdx::Clock;

use crate::busybox_archive;

/// Holds a sandbox's namespaces open, as the pause image does; made of busybox, since there is no registry.
const PAUSE_IMAGE: &str = "pintle.test/pause:1";
/// Containerd and its shims do what is waited for in far less; a runtime that does not fails the test.
const PATIENCE: Duration = Duration::from_secs(60);
/// As much as one reads.
const LOG_LINES: usize = 20;
/// Between two looks at what nothing announces.
const INTERVAL: Duration = Duration::from_millis(50);

/// A containerd of the test's own: its folders, its socket, its pod network. Ended with all its shims when dropped.
pub struct Containerd {
    child: Mutex<Option<Child>>,
    folder: PathBuf,
    /// `ctr` on its machine, in words.
    ctr: Vec<OsString>,
}

impl Containerd {
    /// Starts it below `folder`. `enter` makes a command of a program on the machine where it shall run; that machine
    /// has its own mounts, as containerd writes to some places that cannot be told to it.
    pub fn start(folder: &Path, enter: impl Fn(&'static str) -> Command) -> Self {
        std::fs::create_dir_all(folder.join("cni")).expect("a folder");
        let own = "mount -t tmpfs none /run && mount -t tmpfs none /var/lib";
        run(enter("sh").args(["-ec", own])).expect("mounts of the machine's own");
        std::fs::write(folder.join("config.toml"), config(folder)).expect("containerd's configuration");
        std::fs::write(folder.join("cni/10-test.conflist"), pod_network(folder)).expect("the pod network");
        let log = std::fs::File::create(folder.join("containerd.log")).expect("a log");
        let child = enter("containerd")
            .arg("--config")
            .arg(folder.join("config.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("containerd runs (packages containerd, runc, containernetworking-plugins)");
        let ctr = enter("ctr");
        let ctr = [ctr.get_program()].into_iter().chain(ctr.get_args()).map(ToOwned::to_owned).collect();
        let containerd = Containerd { child: Mutex::new(Some(child)), folder: folder.to_owned(), ctr };
        let answers = wait_until(|| run(&mut containerd.ctr(&["version"])).is_ok());
        assert!(answers, "containerd does not answer:\n{}", containerd.log());
        containerd.load(&busybox_archive(PAUSE_IMAGE, &["/bin/sleep", "1000000"]));
        containerd
    }

    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Loads an image that `docker save` has written.
    pub fn load(&self, archive: &[u8]) {
        let path = self.folder.join("image.tar");
        std::fs::write(&path, archive).expect("the archive");
        run(self.ctr(&["images", "import", "--no-unpack"]).arg(&path)).expect("the image loads");
    }

    /// The end of what it says.
    pub fn log(&self) -> String {
        let log = std::fs::read_to_string(self.folder.join("containerd.log"));
        let log = log.unwrap_or_else(|error| error.to_string());
        let lines: Vec<&str> = log.lines().filter(|line| !line.contains("level=info")).collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    /// Ends it, and then whatever it left running.
    pub fn stop(&self) {
        let Some(mut child) = self.child.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        // What entered the namespaces became the program: the child is containerd itself.
        end(child.id(), "-TERM");
        if let Err(error) = child.wait() {
            eprintln!("containerd could not be waited for: {error}");
        }
        for (pid, _) in shims(&self.folder) {
            end(pid, "-KILL");
        }
        if !wait_until(|| shims(&self.folder).is_empty()) {
            eprintln!("containerd's shims do not end");
        }
    }

    /// What its shims and containers left; nothing, if pods were removed as they should be.
    pub fn leftovers(&self) -> Vec<String> {
        shims(&self.folder).into_iter().map(|(pid, line)| format!("process {pid}: {line}")).collect()
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("c.sock")
    }

    fn ctr(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.ctr[0]);
        command
            .args(&self.ctr[1..])
            .arg("--address")
            .arg(self.socket())
            .args(["--namespace", "k8s.io"])
            .args(arguments);
        command
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
}

fn end(pid: u32, signal: &str) {
    if let Err(error) = run(Command::new("kill").args([signal, &pid.to_string()])) {
        eprintln!("{error}");
    }
}

fn wait_until(condition: impl Fn() -> bool) -> bool {
    let deadline = Clock::system().instant() + PATIENCE;
    while !condition() {
        if Clock::system().instant() >= deadline {
            return false;
        }
        std::thread::park_timeout(INTERVAL);
    }
    true
}

/// Shims name their containerd's socket.
fn shims(folder: &Path) -> Vec<(u32, String)> {
    let folder = folder.to_string_lossy();
    let pids = std::fs::read_dir("/proc").expect("/proc").flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let line = |pid| std::fs::read(format!("/proc/{pid}/cmdline")).ok();
    pids.filter_map(|pid| Some((pid, String::from_utf8_lossy(&line(pid)?).replace('\0', " "))))
        .filter(|(_, line)| line.contains("containerd-shim") && line.contains(&*folder))
        .collect()
}

fn config(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"version = 2
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = [
  "io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
]
[grpc]
  address = "{folder}/c.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  disable_apparmor = true
  # Not everybody may lower a score.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
"#
    )
}

/// A link to each pod, with addresses of its own, that goes with the pod.
fn pod_network(folder: &Path) -> String {
    serde_json::json!({
        "cniVersion": "0.4.0",
        "name": "test",
        "plugins": [{
            "type": "ptp",
            "ipMasq": false,
            "ipam": {
                "type": "host-local",
                "dataDir": folder.join("addresses"),
                "ranges": [[{ "subnet": "10.88.0.0/16" }]],
                "routes": [{ "dst": "0.0.0.0/0" }],
            },
        }],
    })
    .to_string()
}
