//! A machine of the test's own: network and mount namespaces with a LAN, and a neighbour on it.

use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// The machine's address on its LAN.
pub const NODE_ADDRESS: &str = "192.0.2.10";
const NEIGHBOUR_ADDRESS: &str = "192.0.2.1";

/// Namespaces that live as long as this value; their processes see nothing of the real network.
pub struct Machine {
    node: Holder,
    neighbour: Holder,
    folder: TempDir,
}

impl Machine {
    /// Must be called as root.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("pe2e").tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("home")).expect("a home folder");
        // Others may look into it: one test is another user.
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("permissions");
        // Nobody answers there, at once: what is looked up outside fails without delay.
        let resolver = folder.path().join("resolv.conf");
        std::fs::write(&resolver, "nameserver 127.0.0.1\n").expect("a resolver file");

        let neighbour = Holder::start(&["--net"], "ip link set lo up");
        let setup = format!(
            "mount --bind {resolver} /etc/resolv.conf
             ip link set lo up
             ip link add lan0 type veth peer name lan0 netns {neighbour}
             ip address add {NODE_ADDRESS}/24 dev lan0
             ip link set lan0 up
             ip route add default via {NEIGHBOUR_ADDRESS}",
            resolver = resolver.display(),
            neighbour = neighbour.pid(),
        );
        let node = Holder::start(&["--net", "--mount"], &setup);
        let machine = Machine { node, neighbour, folder };
        // Beyond the neighbour there is nothing, and it says so.
        let wire = format!(
            "ip address add {NEIGHBOUR_ADDRESS}/24 dev lan0; ip link set lan0 up
             ip route add unreachable default; echo 1 >/proc/sys/net/ipv4/ip_forward"
        );
        let wired = crate::run(machine.neighbour.enter(&["--net"]).args(["sh", "-ec", &wire]), "");
        assert!(wired.is_success(), "{wired}");
        machine
    }

    /// Holds everything the machine keeps; gone with it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.folder().join("home/.kube/config")
    }

    /// Its network, for a thread to enter.
    pub fn network(&self) -> PathBuf {
        self.node.network()
    }

    /// The network on the other end of the LAN.
    pub fn neighbour_network(&self) -> PathBuf {
        self.neighbour.network()
    }

    /// A command on the machine, with a home of its own.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = self.node.enter(&["--net", "--mount"]);
        command.arg(program.as_ref());
        self.clean(&mut command);
        command
    }

    /// A command on the other end of the LAN.
    pub fn neighbour(&self, program: &str) -> Command {
        let mut command = self.neighbour.enter(&["--net"]);
        command.arg(program);
        self.clean(&mut command);
        command
    }

    /// Mount points of the machine that contain `needle`.
    pub fn mounts(&self, needle: &str) -> Vec<String> {
        let path = format!("/proc/{}/mountinfo", self.node.pid());
        let table = std::fs::read_to_string(path).expect("the machine's mounts");
        let points = table.lines().filter_map(|line| line.split(' ').nth(4));
        points.filter(|point| point.contains(needle)).map(str::to_owned).collect()
    }

    /// Nothing of the environment that runs the tests reaches what is tested.
    fn clean(&self, command: &mut Command) {
        command.env_clear();
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("HOME", self.folder().join("home"));
        command.env("LC_ALL", "C.UTF-8");
        if let Some(filter) = std::env::var_os("PINTLE_LOG") {
            command.env("PINTLE_LOG", filter);
        }
    }
}

impl Default for Machine {
    fn default() -> Self {
        Machine::new()
    }
}

/// A process that keeps namespaces open. It ends by itself when the test's process does: its
/// standard input is the test's.
struct Holder(Child);

impl Holder {
    fn start(namespaces: &[&str], setup: &str) -> Self {
        let script = format!("{setup}\necho ready\nexec cat");
        let mut child = Command::new("unshare")
            .args(namespaces)
            .args(["--", "sh", "-ec", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare runs (package util-linux)");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("standard output is piped");
        BufReader::new(stdout).read_line(&mut line).expect("the namespaces' first line");
        assert_eq!(line.trim(), "ready", "namespaces could not be made: are you root?");
        Holder(child)
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    fn network(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/ns/net", self.pid()))
    }

    fn enter(&self, namespaces: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.pid().to_string()]).args(namespaces).arg("--");
        command
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        if let Err(error) = self.0.wait() {
            eprintln!("a namespace's process could not be waited for: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run;

    #[test]
    fn a_machine_has_a_lan_and_nothing_of_the_computer() {
        let machine = Machine::new();
        let links = run(machine.command("ip").args(["-brief", "link"]), "").success();
        let names: Vec<&str> = links.lines().filter_map(|line| line.split([' ', '@']).next()).collect();
        assert!(names.contains(&"lo") && names.contains(&"lan0"), "{links}");
        assert!(!names.contains(&"eth0"), "{links}");
        // Nobody listens, but somebody is there to say so.
        let refused = run(machine.neighbour("curl").args(["--silent", "--show-error", "http://192.0.2.10:1"]), "");
        assert!(refused.clone().failure().contains("Couldn't connect"), "{refused}");
        let outside = run(machine.command("curl").args(["--silent", "--show-error", "http://198.51.100.1"]), "");
        assert!(!outside.is_success(), "{outside}");
        let folder = machine.folder().to_owned();
        drop(machine);
        assert!(!folder.exists());
    }
}
