//! `cargo xtask bench start`: from nothing to a serving pod, and what an idle cluster costs.
//!
//! It prints figures and asserts none. The cluster runs in network and mount namespaces of its
//! own, so that the machine's ports, links and rules stay as they are.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use cargo_metadata::MetadataCommand;
use serde_json::Value;

use crate::images;

/// Set in the process that runs inside the namespaces.
const INSIDE: &str = "PINTLE_BENCH_INSIDE";
const NAME: &str = "bench";
const NODE: &str = "192.0.2.10:31001";
const IDLE: Duration = Duration::from_secs(60);
const FIRST_POD_DEADLINE: Duration = Duration::from_secs(60);
/// Between two looks at a port that nothing announces; small beside what is measured.
const LOOK: Duration = Duration::from_millis(2);
/// The kernel counts processor time in these (sysconf(_SC_CLK_TCK), fixed for user space).
const TICKS_PER_SECOND: f64 = 100.0;

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

const MANIFEST: &str = "
apiVersion: v1
kind: Pod
metadata: {name: first, labels: {app: first}}
spec:
  containers:
  - {name: echo, image: 'echo:1', ports: [{containerPort: 3000}]}
---
apiVersion: v1
kind: Service
metadata: {name: first}
spec:
  type: NodePort
  selector: {app: first}
  ports: [{port: 80, targetPort: 3000, nodePort: 31001}]
";

/// Builds what is missing, and measures.
pub(crate) fn run(repository: &Path) -> anyhow::Result<()> {
    if let Some(folder) = std::env::var_os(INSIDE) {
        return measure(&Bench { program: release_program(repository)?, folder: folder.into() });
    }
    crate::run(repository, "cargo", &["build", "--quiet", "--release", "--package", "pintle"])?;
    let target = target_folder(repository)?;
    images::run(&target.join("images"))?;
    let folder = target.join("bench");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(&folder)?;
    let own = std::env::current_exe()?;
    let status = Command::new("unshare")
        .args(["--net", "--mount", "--", "sh", "-ec", SETUP, "sh"])
        .arg(&folder)
        .arg(own)
        .args(["bench", "start"])
        .env(INSIDE, &folder)
        .env("HOME", &folder)
        .env_remove("KUBECONFIG")
        .status()
        .context("cannot run unshare (package util-linux)")?;
    ensure!(status.success(), "the measurement failed ({status})");
    Ok(())
}

struct Bench {
    program: PathBuf,
    folder: PathBuf,
}

impl Bench {
    fn pintle(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).args(["--name", NAME]);
        command.arg("--data-dir").arg(self.folder.join("data")).arg("--run-dir").arg(self.folder.join("run"));
        command
    }
}

fn measure(bench: &Bench) -> anyhow::Result<()> {
    let images = bench.folder.parent().unwrap_or(&bench.folder).join("images");
    succeed(bench.pintle(&["image", "load"]).arg(images.join("echo.tar")))?;
    let measured = measure_cluster(bench);
    let destroyed = succeed(bench.pintle(&["destroy", "--yes"]).stdout(Stdio::null()));
    print(bench, &measured?)?;
    destroyed
}

#[derive(Default)]
struct Figures {
    api: Duration,
    node: Duration,
    dns: Duration,
    first_pod: Duration,
    pss_bytes: u64,
    processes: usize,
    cores: f64,
}

fn measure_cluster(bench: &Bench) -> anyhow::Result<Figures> {
    let mut figures = Figures::default();
    let began = now();
    let mut up = bench.pintle(&["up", "--output", "json"]).stdout(Stdio::piped()).spawn()?;
    let (serving, first_pod) = mpsc::channel();
    let lines = BufReader::new(up.stdout.take().context("the output of `up`")?).lines();
    for line in lines {
        let event: Value = serde_json::from_str(&line?).context("`up` told something else than JSON")?;
        let since_start = Duration::from_millis(event["sinceStartMs"].as_u64().unwrap_or(0));
        match event["step"].as_str() {
            Some("api") => figures.api = since_start,
            Some("node") => figures.node = since_start,
            Some("dns") => figures.dns = since_start,
            // From here on the API can be used, while the node is still on its way.
            Some("kubeconfig") => {
                create_first_pod()?;
                let serving = serving.clone();
                thread::spawn(move || serving.send(wait_until_serving().map(|()| now())));
            }
            _ => {}
        }
    }
    ensure!(up.wait()?.success(), "`pintle up` failed");
    let served = first_pod.recv_timeout(FIRST_POD_DEADLINE).context("the first pod did not serve")??;
    figures.first_pod = served.duration_since(began);

    let before = processor_ticks(&processes(bench)?)?;
    pause(IDLE);
    let processes = processes(bench)?;
    figures.cores = (processor_ticks(&processes)? - before) / TICKS_PER_SECOND / IDLE.as_secs_f64();
    figures.processes = processes.len();
    for pid in &processes {
        figures.pss_bytes += pss_bytes(*pid)?;
    }
    Ok(figures)
}

fn create_first_pod() -> anyhow::Result<()> {
    let deadline = now() + FIRST_POD_DEADLINE;
    loop {
        let mut create = Command::new("kubectl");
        create.args(["apply", "--validate=false", "-f", "-"]);
        create.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = create.spawn().context("cannot run kubectl")?;
        child.stdin.take().context("kubectl's input")?.write_all(MANIFEST.as_bytes())?;
        let output = child.wait_with_output()?;
        if output.status.success() {
            return Ok(());
        }
        // The namespace's service account is made a moment after the API is up.
        if now() > deadline {
            bail!("kubectl: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        pause(LOOK);
    }
}

fn wait_until_serving() -> anyhow::Result<()> {
    let address: SocketAddr = NODE.parse()?;
    let deadline = now() + FIRST_POD_DEADLINE;
    loop {
        match answer(address) {
            Ok(answer) if answer.starts_with("HTTP/1.1 200") => return Ok(()),
            _ if now() > deadline => bail!("nothing answers on {NODE}"),
            _ => pause(LOOK),
        }
    }
}

fn answer(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_millis(200))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.write_all(b"GET /hello HTTP/1.1\r\nHost: first\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// Everything that runs this very program: the server and the shims, not what the pods run.
fn processes(bench: &Bench) -> anyhow::Result<Vec<u32>> {
    let mut found = Vec::new();
    // Shims run it through a mount of their own, which nobody can write to.
    let programs = [bench.program.clone(), bench.folder.join("run/program")];
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process may have ended since the listing.
        if fs::read_link(entry.path().join("exe")).is_ok_and(|program| programs.contains(&program)) {
            found.push(pid);
        }
    }
    ensure!(!found.is_empty(), "no process of the cluster runs");
    Ok(found)
}

/// User and system time of the processes, fields 14 and 15 of proc(5)'s stat.
fn processor_ticks(processes: &[u32]) -> anyhow::Result<f64> {
    let mut ticks = 0.0;
    for pid in processes {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let (_, fields) = stat.rsplit_once(") ").context("a process's name is in parentheses")?;
        let mut fields = fields.split(' ').skip(11);
        for _ in 0..2 {
            ticks += fields.next().context("a process's times")?.parse::<f64>()?;
        }
    }
    Ok(ticks)
}

fn pss_bytes(pid: u32) -> anyhow::Result<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).context("a process's Pss")?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kibibytes * 1024)
}

fn print(bench: &Bench, figures: &Figures) -> anyhow::Result<()> {
    let binary = fs::metadata(&bench.program)?.len();
    let milliseconds = |duration: Duration| format!("{} ms", duration.as_millis());
    let megabytes = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    println!("{}\n", machine());
    println!("| from `up` on an empty machine | measured | aim |\n|---|---|---|");
    println!("| API ready | {} | 100 ms |", milliseconds(figures.api));
    println!("| node Ready | {} | 1 s |", milliseconds(figures.node));
    println!("| DNS answering | {} | 2 s |", milliseconds(figures.dns));
    println!("| first pod serving | {} | 2 s |", milliseconds(figures.first_pod));
    println!("| memory, idle (PSS of {} processes) | {} | 60 MB |", figures.processes, megabytes(figures.pss_bytes));
    println!("| processor, idle | {:.2} % of a core | 0.3 % |", figures.cores * 100.0);
    println!("| binary | {} | 50 MB |", megabytes(binary));
    Ok(())
}

/// One line on what the figures were measured on.
fn machine() -> String {
    let first = |path: &str, prefix: &str| {
        let text = fs::read_to_string(path).unwrap_or_else(|error| error.to_string());
        let line = text.lines().find(|line| line.starts_with(prefix)).unwrap_or("unknown");
        line.rsplit(':').next().unwrap_or(line).trim().to_owned()
    };
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let kernel = first("/proc/sys/kernel/osrelease", "");
    format!(
        "{cores} × {}, {}, Linux {kernel}",
        first("/proc/cpuinfo", "model name"),
        first("/proc/meminfo", "MemTotal")
    )
}

pub(crate) fn release_program(repository: &Path) -> anyhow::Result<PathBuf> {
    let target = target_folder(repository)?;
    for entry in fs::read_dir(&target)? {
        let program = entry?.path().join("release/pintle");
        if program.is_file() {
            return Ok(program.canonicalize()?);
        }
    }
    bail!("no release build of pintle in {}", target.display())
}

fn target_folder(repository: &Path) -> anyhow::Result<PathBuf> {
    let metadata = MetadataCommand::new().current_dir(repository).no_deps().exec()?;
    Ok(metadata.target_directory.into_std_path_buf())
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let shown = format!("{command:?}");
    let status = command.status().with_context(|| format!("cannot run {shown}"))?;
    ensure!(status.success(), "{shown} failed ({status})");
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a measurement takes the real clock")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "a measurement lets real time pass")]
fn pause(duration: Duration) {
    thread::sleep(duration);
}
