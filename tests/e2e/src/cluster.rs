//! A cluster on a machine of its own, and the look whether anything of it is left.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::command::{Ran, run};
use crate::kubectl::Kubectl;
use crate::machine::Machine;
use crate::wait::{DEADLINE, wait_for, wait_within};
use crate::{fixtures, image};

/// After `destroy` has ended, what the kernel takes away in its own time.
const SETTLING: Duration = Duration::from_secs(5);
const LOG_LINES: &str = "80";

/// A cluster. Dropping it destroys it; tests that must know call [`destroy`](Cluster::destroy).
pub struct Cluster {
    pub machine: Machine,
    pub name: String,
    is_destroyed: AtomicBool,
}

impl Cluster {
    /// A machine and a name; nothing runs yet.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // Short, as link names are made of it, and of this process, so that runs do not meet.
        let name = format!("e{:x}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Cluster { machine: Machine::new(), name, is_destroyed: AtomicBool::new(false) }
    }

    pub fn data_dir(&self) -> PathBuf {
        self.machine.folder().join("data")
    }

    pub fn run_dir(&self) -> PathBuf {
        self.machine.folder().join("run")
    }

    /// A `pintle` command line about this cluster; `words` is the subcommand, as in `image ls`.
    pub fn pintle_command(&self, words: &str) -> Command {
        let mut command = self.machine.command(fixtures::pintle());
        command.args(words.split_whitespace());
        command.args(["--name", &self.name]);
        command.arg("--data-dir").arg(self.data_dir()).arg("--run-dir").arg(self.run_dir());
        command
    }

    pub fn pintle(&self, words: &str, arguments: &[&str]) -> Ran {
        run(self.pintle_command(words).args(arguments), "")
    }

    #[track_caller]
    pub fn up(&self) {
        self.pintle("up", &[]).success();
    }

    #[track_caller]
    pub fn load(&self, names: &[&str]) {
        for name in names {
            let path = image(name);
            run(self.pintle_command("image load").arg(path), "").success();
        }
    }

    /// The server's process id.
    #[track_caller]
    pub fn server_pid(&self) -> u32 {
        let status = self.pintle("status", &["--output", "json"]).json();
        let pid = status["pid"].as_u64().unwrap_or_else(|| panic!("no pid in {status}"));
        u32::try_from(pid).expect("process ids are small")
    }

    pub fn kubectl_with(&self, kubectl: &Kubectl, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.machine.command(&kubectl.program);
        command.env("KUBECONFIG", self.machine.kubeconfig()).args(arguments);
        run(&mut command, input)
    }

    /// Runs the usual kubectl.
    pub fn kubectl(&self, arguments: &[&str]) -> Ran {
        self.kubectl_with(Kubectl::usual(), arguments, "")
    }

    /// `words` split at spaces; what fails fails the test.
    #[track_caller]
    pub fn k(&self, words: &str) -> String {
        self.kubectl(&words.split_whitespace().collect::<Vec<_>>()).success()
    }

    #[track_caller]
    pub fn create(&self, manifest: &str) -> String {
        self.kubectl_with(Kubectl::usual(), &["create", "-f", "-"], manifest).success()
    }

    #[track_caller]
    pub fn get(&self, words: &str) -> Value {
        let mut arguments = vec!["get", "--output=json"];
        arguments.extend(words.split_whitespace());
        self.kubectl(&arguments).json()
    }

    /// A namespace of the test's own.
    #[track_caller]
    pub fn namespace(&self, name: &str) -> Namespace<'_> {
        self.k(&format!("create namespace {name}"));
        Namespace { cluster: self, name: name.to_owned() }
    }

    /// What answers at `url`, asked from the machine itself.
    pub fn fetch(&self, url: &str) -> Result<String, String> {
        fetch(self.machine.command("curl"), url)
    }

    /// What answers at `url`, asked from another machine of the LAN.
    pub fn fetch_from_neighbour(&self, url: &str) -> Result<String, String> {
        fetch(self.machine.neighbour("curl"), url)
    }

    /// Destroys the cluster, and tells what is left of it.
    pub fn destroy(&self) -> Result<(), String> {
        self.is_destroyed.store(true, Ordering::Relaxed);
        let ran = self.pintle("destroy", &["--yes"]);
        if !ran.is_success() {
            return Err(ran.to_string());
        }
        wait_within("the kernel to let go of everything", SETTLING, || {
            let left = self.traces();
            if left.is_empty() { Ok(()) } else { Err(left.join("\n")) }
        })
    }

    /// Everything on the machine that bears the cluster's name or lies in its folders.
    pub fn traces(&self) -> Vec<String> {
        let folder = self.machine.folder().to_string_lossy().into_owned();
        let mut traces = processes(&folder, &format!("/{}/", self.name));
        // On the folder itself a test may have put a disk.
        let mounts = self.machine.mounts(&folder).into_iter().filter(|mount| *mount != folder);
        traces.extend(mounts.map(|mount| format!("mount {mount}")));
        for path in [self.data_dir(), self.run_dir()] {
            if path.exists() {
                traces.push(format!("folder {}", path.display()));
            }
        }
        let links = run(self.machine.command("ip").args(["-brief", "link"]), "");
        let ours = |link: &&str| !["lo", "lan0"].iter().any(|known| link.split([' ', '@']).next() == Some(known));
        traces.extend(links.stdout.lines().filter(ours).map(|link| format!("link {link}")));
        let tables = run(self.machine.command("nft").args(["list", "tables"]), "");
        traces.extend(tables.success().lines().map(|table| format!("nf_tables {table}")));
        traces.extend(cgroups(&self.name).into_iter().map(|group| format!("cgroup {}", group.display())));
        if let Ok(kubeconfig) = std::fs::read_to_string(self.machine.kubeconfig())
            && kubeconfig.contains(&format!("name: {}", self.name))
        {
            traces.push("context in the kubeconfig".to_owned());
        }
        traces
    }

    /// What one wants to see when a test failed.
    pub fn diagnostics(&self) -> String {
        let mut text = String::from("──── diagnostics\n");
        for words in ["get nodes,all,endpointslices -A -o wide", "get events -A", "describe pods -A"] {
            let arguments: Vec<&str> = words.split_whitespace().chain(["--request-timeout=10s"]).collect();
            text.push_str(&self.kubectl(&arguments).to_string());
        }
        // As the machine sees it: a test may have put a disk there.
        let mut tail = self.machine.command("tail");
        tail.args(["--lines", LOG_LINES]).arg(self.data_dir().join("logs/server.log"));
        text.push_str("──── server log\n");
        text.push_str(&run(&mut tail, "").to_string());
        text
    }
}

impl Default for Cluster {
    fn default() -> Self {
        Cluster::new()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if !self.is_destroyed.load(Ordering::Relaxed) {
            let ran = self.pintle("destroy", &["--yes"]);
            if !ran.is_success() {
                eprintln!("{ran}");
            }
        }
    }
}

/// A namespace, so that tests can share a cluster.
pub struct Namespace<'c> {
    pub cluster: &'c Cluster,
    pub name: String,
}

impl Namespace<'_> {
    /// `words` split at spaces, in this namespace; what fails fails the test.
    #[track_caller]
    pub fn k(&self, words: &str) -> String {
        self.try_k(&words.split_whitespace().collect::<Vec<_>>()).success()
    }

    pub fn try_k(&self, arguments: &[&str]) -> Ran {
        let mut all = vec!["--namespace", &self.name];
        all.extend(arguments);
        self.cluster.kubectl(&all)
    }

    #[track_caller]
    pub fn create(&self, manifest: &str) -> String {
        let arguments = ["--namespace", &self.name, "create", "-f", "-"];
        self.cluster.kubectl_with(Kubectl::usual(), &arguments, manifest).success()
    }

    #[track_caller]
    pub fn get(&self, words: &str) -> Value {
        self.cluster.get(&format!("--namespace {} {words}", self.name))
    }

    /// Runs a shell line in a pod.
    pub fn shell(&self, pod: &str, line: &str) -> Ran {
        self.try_k(&["exec", pod, "--", "sh", "-c", line])
    }

    /// Waits until kubectl says that the pods of a label or a name are ready.
    #[track_caller]
    pub fn wait_ready(&self, what: &str) {
        self.wait("condition=Ready", what);
    }

    #[track_caller]
    pub fn wait(&self, condition: &str, what: &str) {
        let timeout = format!("--timeout={}s", DEADLINE.as_secs());
        let mut arguments = vec!["wait", "--for", condition, &timeout];
        arguments.extend(what.split_whitespace());
        // kubectl does not wait for what does not exist yet.
        wait_for(&format!("{what} to exist"), || {
            let mut get = vec!["get", "--output=name"];
            get.extend(what.split_whitespace());
            let ran = self.try_k(&get);
            if ran.is_success() && !ran.stdout.is_empty() { Ok(()) } else { Err(ran.to_string()) }
        });
        self.try_k(&arguments).success();
    }

    /// The pods of a label, as they are now, without those on their way out.
    #[track_caller]
    pub fn pods(&self, label: &str) -> Vec<Value> {
        let list = self.get(&format!("pods --selector {label}"));
        let items = list["items"].as_array().cloned().unwrap_or_default();
        items.into_iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null()).collect()
    }
}

fn fetch(mut curl: Command, url: &str) -> Result<String, String> {
    let ran = run(curl.args(["--silent", "--show-error", "--fail", "--max-time", "5", url]), "");
    if ran.is_success() { Ok(ran.stdout) } else { Err(ran.to_string()) }
}

/// Processes that were started with the folder in their arguments, or live in the cluster's cgroups.
fn processes(folder: &str, cgroup: &str) -> Vec<String> {
    let own = std::process::id().to_string();
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut found = Vec::new();
    for pid in pids.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()) && *name != own) {
        // A process may end between the listing and the reading.
        let read = |file: &str| {
            std::fs::read(format!("/proc/{pid}/{file}")).map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "))
        };
        let (Ok(line), Ok(groups), Ok(stat)) = (read("cmdline"), read("cgroup"), read("stat")) else { continue };
        // What is dead holds nothing; whoever inherited it will take note of its end.
        if stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X'])) {
            continue;
        }
        let is_namespace_holder = line.contains("exec cat");
        if groups.contains(cgroup) || (line.contains(folder) && !is_namespace_holder) {
            found.push(format!("process {pid}: {line}"));
        }
    }
    found
}

/// Control groups of the cluster in every hierarchy of either version.
fn cgroups(name: &str) -> Vec<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    let hierarchies = std::fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    hierarchies.chain([root.to_owned()]).map(|hierarchy| hierarchy.join(name)).filter(|path| path.exists()).collect()
}
