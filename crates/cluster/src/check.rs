//! What a machine must offer, found out before anything is touched.
//!
//! [`Facts`] are gathered from the running system; [`problems`] decides, purely.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use nix::sys::statvfs::{FsFlags, statvfs};

use crate::Settings;
use crate::settings::parse_range;

/// Less than this and the first image pull ends in a full disk.
const MINIMUM_FREE_BYTES: u64 = 256 << 20;

/// Controllers without which resource limits, or killing a pod whole, would silently not work.
const NEEDED_CONTROLLERS: [&str; 4] = ["cpu", "cpuset", "memory", "pids"];
/// On a machine with version 1 these two are separate controllers as well.
const NEEDED_V1_CONTROLLERS: [&str; 2] = ["devices", "freezer"];

const NEEDED_NAMESPACES: [&str; 5] = ["ipc", "mnt", "net", "pid", "uts"];

/// One thing that is missing, and the command that mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub what: String,
    pub mend: String,
}

/// What is known of the machine.
#[derive(Clone, Debug)]
pub struct Facts {
    pub is_root: bool,
    /// `/proc/filesystems`, and the names of modules that could be loaded.
    pub filesystems: Vec<String>,
    pub namespaces: Vec<String>,
    pub cgroup_controllers: Vec<String>,
    pub has_cgroup_v1: bool,
    pub is_cgroup_mounted: bool,
    /// Ports that are taken, with what they are for and the option that moves them.
    pub busy_ports: Vec<(u16, &'static str, &'static str)>,
    pub folders: Vec<Folder>,
    /// Destinations of the routing table that are not our own links'.
    pub routes: Vec<Route>,
    /// What a trial of links and rules in a throw-away network namespace said.
    pub network_trial: Result<(), String>,
}

#[derive(Clone, Debug)]
pub struct Folder {
    pub path: PathBuf,
    pub is_read_only: bool,
    pub free_bytes: u64,
}

#[derive(Clone, Debug)]
pub struct Route {
    pub link: String,
    pub network: Ipv4Addr,
    pub bits: u8,
}

/// Everything that stands against a cluster with these settings on this machine.
pub fn problems(facts: &Facts, settings: &Settings) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut problem = |what: String, mend: &str| problems.push(Problem { what, mend: mend.to_owned() });
    if !facts.is_root {
        problem("a cluster is made of kernel objects that only root can make".into(), "sudo pintle up");
        // Without root the other probes would report their own lack of rights.
        return problems;
    }
    if !facts.filesystems.iter().any(|name| name == "overlay") {
        problem("the kernel has no overlay file system, which holds images".into(), "modprobe overlay");
    }
    for name in NEEDED_NAMESPACES {
        if !facts.namespaces.iter().any(|present| present == name) {
            problem(format!("the kernel has no {name} namespaces"), "boot a kernel with namespaces enabled");
        }
    }
    if facts.is_cgroup_mounted {
        let needed = NEEDED_CONTROLLERS.iter();
        let needed = needed.chain(NEEDED_V1_CONTROLLERS.iter().filter(|_| facts.has_cgroup_v1));
        for name in needed.filter(|name| !facts.cgroup_controllers.iter().any(|present| present == *name)) {
            let mend = match *name {
                "memory" => "boot with cgroup_enable=memory".to_owned(),
                _ if facts.has_cgroup_v1 => {
                    format!("mkdir -p /sys/fs/cgroup/{name} && mount -t cgroup -o {name} {name} /sys/fs/cgroup/{name}")
                }
                _ => format!("echo +{name} > /sys/fs/cgroup/cgroup.subtree_control"),
            };
            problem(format!("the cgroup controller {name} is not there"), &mend);
        }
    } else {
        problem("no cgroup hierarchy is mounted".into(), "mount -t cgroup2 cgroup2 /sys/fs/cgroup");
    }
    for (port, purpose, option) in &facts.busy_ports {
        problem(
            format!("port {port}, {purpose}, is taken by another program"),
            &format!("pintle up {option} PORT (find the other with: ss -ltnp 'sport = :{port}')"),
        );
    }
    for folder in &facts.folders {
        let path = folder.path.display();
        if folder.is_read_only {
            problem(format!("{path} is on a read-only file system"), "pintle up --data-dir FOLDER --run-dir FOLDER");
        } else if folder.free_bytes < MINIMUM_FREE_BYTES {
            let free = folder.free_bytes >> 20;
            let least = MINIMUM_FREE_BYTES >> 20;
            problem(
                format!("{path} has {free} MiB free; at least {least} are needed"),
                "free some space, or pintle up --data-dir FOLDER",
            );
        }
    }
    for (range, option) in [(&settings.pod_cidr, "--pod-cidr"), (&settings.service_cidr, "--service-cidr")] {
        let Ok((network, bits)) = parse_range(range) else { continue };
        let ours = settings.bridge();
        let clash = facts.routes.iter().find(|route| route.link != ours && overlap(network, bits, route));
        if let Some(route) = clash {
            problem(
                format!("{range} overlaps {}/{}, which {} routes already", route.network, route.bits, route.link),
                &format!("pintle up {option} RANGE"),
            );
        }
    }
    if let Err(reason) = &facts.network_trial {
        problem(
            format!("the kernel cannot make the pod network: {reason}"),
            "modprobe -a bridge veth nf_tables nft_chain_nat nft_masq",
        );
    }
    problems
}

/// The default route overlaps everything and means nothing.
fn overlap(network: Ipv4Addr, bits: u8, route: &Route) -> bool {
    let shorter = u32::from(bits.min(route.bits));
    let mask = u32::MAX.checked_shl(32 - shorter).unwrap_or(0);
    route.bits > 0 && u32::from(network) & mask == u32::from(route.network) & mask
}

impl Facts {
    /// Looks at the machine; changes nothing. `network_trial` is the caller's, who knows the network room.
    pub fn gather(settings: &Settings, network_trial: Result<(), String>) -> io::Result<Self> {
        let mounts = fs::read_to_string("/proc/self/mounts")?;
        let (cgroup_controllers, has_cgroup_v1) = cgroup_controllers(&mounts)?;
        let listening = listening_ports()?;
        let ports = [
            (settings.api_port, "the API server's", "--port"),
            (settings.kubelet_port, "the kubelet's", "--kubelet-port"),
        ];
        Ok(Facts {
            is_root: nix::unistd::geteuid().is_root(),
            filesystems: filesystems()?,
            namespaces: fs::read_dir("/proc/self/ns")?
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                .collect::<io::Result<_>>()?,
            cgroup_controllers,
            has_cgroup_v1,
            is_cgroup_mounted: mounts.lines().any(|line| matches!(line.split(' ').nth(2), Some("cgroup" | "cgroup2"))),
            busy_ports: ports.into_iter().filter(|(port, ..)| listening.contains(port)).collect(),
            folders: [&settings.data_dir, &settings.run_dir]
                .into_iter()
                .map(|path| Folder::look(path))
                .collect::<io::Result<_>>()?,
            routes: routes()?,
            network_trial,
        })
    }
}

impl Folder {
    /// The state of the file system that `path` is on or will be on.
    fn look(path: &Path) -> io::Result<Self> {
        let existing = path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/"));
        let stat = statvfs(existing)?;
        Ok(Folder {
            path: path.to_owned(),
            is_read_only: stat.flags().contains(FsFlags::ST_RDONLY),
            free_bytes: stat.blocks_available() * stat.fragment_size(),
        })
    }
}

/// The ports that somebody listens on, as the kernel lists them. Trying to bind them instead would get into the way of
/// another start that looks at the same moment.
fn listening_ports() -> io::Result<Vec<u16>> {
    let mut ports = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        match fs::read_to_string(table) {
            Ok(text) => ports.extend(text.lines().skip(1).filter_map(parse_listener)),
            // A kernel without IPv6.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(ports)
}

/// `sl local_address rem_address st …`, with address and port in hexadecimal; state 0A listens.
fn parse_listener(line: &str) -> Option<u16> {
    let mut words = line.split_whitespace().skip(1);
    let (_, port) = words.next()?.rsplit_once(':')?;
    (words.nth(1)? == "0A").then(|| u16::from_str_radix(port, 16).ok()).flatten()
}

fn filesystems() -> io::Result<Vec<String>> {
    let known = fs::read_to_string("/proc/filesystems")?;
    let mut names: Vec<String> =
        known.lines().filter_map(|line| line.split_whitespace().last()).map(Into::into).collect();
    // A module that mount(2) will load by itself counts as present.
    let release = nix::sys::utsname::uname()?.release().to_string_lossy().into_owned();
    if let Ok(modules) = fs::read_to_string(format!("/lib/modules/{release}/modules.dep"))
        && modules.contains("/overlay.ko")
    {
        names.push("overlay".into());
    }
    Ok(names)
}

/// The controllers of all mounted hierarchies, and whether any is version 1.
fn cgroup_controllers(mounts: &str) -> io::Result<(Vec<String>, bool)> {
    let (mut controllers, mut has_v1) = (Vec::new(), false);
    for line in mounts.lines() {
        let mut words = line.split(' ');
        let (Some(folder), Some(kind), Some(options)) = (words.nth(1), words.next(), words.next()) else { continue };
        match kind {
            "cgroup" => {
                has_v1 |= NEEDED_CONTROLLERS.iter().any(|name| options.split(',').any(|option| option == *name));
                controllers.extend(options.split(',').map(Into::into));
            }
            "cgroup2" => {
                let names = fs::read_to_string(Path::new(folder).join("cgroup.controllers"))?;
                controllers.extend(names.split_whitespace().map(Into::into));
            }
            _ => {}
        }
    }
    Ok((controllers, has_v1))
}

/// `/proc/net/route`: link, destination and mask as little-endian hexadecimal.
fn routes() -> io::Result<Vec<Route>> {
    let table = fs::read_to_string("/proc/net/route")?;
    Ok(table.lines().skip(1).filter_map(parse_route).collect())
}

fn parse_route(line: &str) -> Option<Route> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |at: usize| words.get(at).and_then(|text| u32::from_str_radix(text, 16).ok()).map(u32::from_be);
    Some(Route {
        link: (*words.first()?).to_owned(),
        network: Ipv4Addr::from(number(1)?),
        bits: u8::try_from(number(7)?.count_ones()).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::tests::example;

    fn able() -> Facts {
        Facts {
            is_root: true,
            filesystems: vec!["overlay".into()],
            namespaces: NEEDED_NAMESPACES.map(Into::into).to_vec(),
            cgroup_controllers: NEEDED_CONTROLLERS.map(Into::into).to_vec(),
            has_cgroup_v1: false,
            is_cgroup_mounted: true,
            busy_ports: Vec::new(),
            folders: vec![Folder { path: "/data".into(), is_read_only: false, free_bytes: 1 << 30 }],
            routes: vec![
                route("eth0", "0.0.0.0", 0),
                route("eth0", "192.0.2.0", 24),
                route("pintle0", "10.244.0.0", 24),
            ],
            network_trial: Ok(()),
        }
    }

    fn route(link: &str, network: &str, bits: u8) -> Route {
        Route { link: link.into(), network: network.parse().unwrap(), bits }
    }

    fn check(change: impl FnOnce(&mut Facts), expected: &[&str]) {
        let mut facts = able();
        change(&mut facts);
        let found: Vec<String> =
            problems(&facts, &example()).into_iter().map(|p| format!("{}; {}", p.what, p.mend)).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{found:?} lacks {expected:?}");
        }
    }

    #[test]
    fn each_lack_is_named_with_its_cure() {
        check(|_| {}, &[]);
        check(|facts| facts.is_root = false, &["sudo pintle up"]);
        check(|facts| facts.filesystems.clear(), &["modprobe overlay"]);
        check(|facts| facts.namespaces.retain(|name| name != "pid"), &["no pid namespaces"]);
        check(|facts| facts.is_cgroup_mounted = false, &["mount -t cgroup2"]);
        check(|facts| facts.cgroup_controllers.retain(|name| name != "memory"), &["cgroup_enable=memory"]);
        check(|facts| facts.has_cgroup_v1 = true, &["mount -t cgroup -o devices", "mount -t cgroup -o freezer"]);
        check(|facts| facts.busy_ports.push((6443, "the API server's", "--port")), &["port 6443"]);
        check(|facts| facts.folders[0].is_read_only = true, &["read-only"]);
        check(|facts| facts.folders[0].free_bytes = 1 << 20, &["1 MiB free"]);
        check(|facts| facts.routes.push(route("tun0", "10.0.0.0", 8)), &["--pod-cidr", "--service-cidr"]);
        check(|facts| facts.routes.push(route("tun0", "10.97.3.0", 24)), &["--service-cidr"]);
        check(|facts| facts.network_trial = Err("no nf_tables".into()), &["modprobe -a bridge"]);
    }

    #[test]
    fn reads_the_kernels_listeners() {
        let listener = "   0: 00000000:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0";
        assert_eq!(parse_listener(listener), Some(6443));
        let connection = "   1: 0100007F:192B 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000     0";
        assert_eq!(parse_listener(connection), None);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(listening_ports().unwrap().contains(&listener.local_addr().unwrap().port()));
    }

    #[test]
    fn reads_the_kernels_routing_table() {
        let line = "eth0\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0";
        let route = parse_route(line).unwrap();
        assert_eq!((route.link.as_str(), route.network.to_string().as_str(), route.bits), ("eth0", "10.0.2.0", 24));
    }
}
