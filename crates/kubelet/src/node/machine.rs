//! What the machine is: read once from the kernel, and its pressures whenever a status is written.

use std::fs;
use std::path::Path;

use nix::sys::statvfs::statvfs;
use nix::sys::utsname::uname;

/// Below this much memory new pods stay away: upstream's threshold.
const LOW_MEMORY_BYTES: i64 = 100 << 20;
/// The disk is short when both hold. Upstream goes by the share alone, which on a large disk means tens
/// of gigabytes that stay unused.
const LOW_DISK_BYTES: u64 = 1 << 30;
const LOW_DISK_PERCENT: u64 = 10;
/// Below this share of process ids.
const LOW_PIDS_PERCENT: i64 = 5;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) cpu_millis: i64,
    pub(crate) memory_bytes: i64,
    pub(crate) disk_bytes: i64,
    pub(crate) machine_id: String,
    pub(crate) system_uuid: String,
    pub(crate) boot_id: String,
    pub(crate) kernel_version: String,
    pub(crate) os_image: String,
    pub(crate) architecture: &'static str,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pressure {
    pub(crate) memory: bool,
    pub(crate) disk: bool,
    pub(crate) pids: bool,
}

/// What cannot be read stays empty: a machine without a DMI table is still a node.
pub(crate) fn read(root_dir: &Path) -> Machine {
    let line =
        |path: &str| fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_else(|_| String::new());
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let machine_id = line("/etc/machine-id");
    let system_uuid = line("/sys/class/dmi/id/product_uuid");
    Machine {
        cpu_millis: i64::try_from(cpus).unwrap_or(1) * 1000,
        memory_bytes: meminfo_bytes(&line("/proc/meminfo"), "MemTotal").unwrap_or(0),
        disk_bytes: disk(root_dir).map_or(0, |(total, _)| i64::try_from(total).unwrap_or(i64::MAX)),
        system_uuid: if system_uuid.is_empty() { machine_id.clone() } else { system_uuid },
        machine_id,
        boot_id: line("/proc/sys/kernel/random/boot_id"),
        kernel_version: uname()
            .map(|names| names.release().to_string_lossy().into_owned())
            .unwrap_or_else(|_| String::new()),
        os_image: pretty_name(&line("/etc/os-release")),
        architecture: go_architecture(std::env::consts::ARCH),
    }
}

pub(crate) fn pressure(root_dir: &Path) -> Pressure {
    let available = fs::read_to_string("/proc/meminfo").ok().and_then(|text| meminfo_bytes(&text, "MemAvailable"));
    let disk = disk(root_dir).is_some_and(|(total, free)| {
        free < LOW_DISK_BYTES && free.saturating_mul(100) < total.saturating_mul(LOW_DISK_PERCENT)
    });
    let number = |path: &str| fs::read_to_string(path).ok().and_then(|text| text.trim().parse::<i64>().ok());
    let used = fs::read_to_string("/proc/loadavg").ok().and_then(|text| processes(&text));
    let pids = number("/proc/sys/kernel/pid_max").zip(used);
    Pressure {
        memory: available.is_some_and(|available| available < LOW_MEMORY_BYTES),
        disk,
        pids: pids
            .is_some_and(|(most, used)| (most - used).saturating_mul(100) < most.saturating_mul(LOW_PIDS_PERCENT)),
    }
}

/// Total and free bytes of the file system the pods' files are on.
fn disk(root_dir: &Path) -> Option<(u64, u64)> {
    let stat = statvfs(root_dir).ok()?;
    let unit = stat.fragment_size();
    Some((stat.blocks().saturating_mul(unit), stat.blocks_available().saturating_mul(unit)))
}

fn meminfo_bytes(meminfo: &str, field: &str) -> Option<i64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    let kilobytes: i64 = line.split_whitespace().next()?.parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// The fourth field of loadavg: `runnable/all`.
fn processes(loadavg: &str) -> Option<i64> {
    loadavg.split_whitespace().nth(3)?.split_once('/')?.1.parse().ok()
}

fn pretty_name(os_release: &str) -> String {
    let value = os_release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    value.map_or("Linux", |value| value.trim_matches('"')).to_owned()
}

/// Go's names, which the API's labels use.
fn go_architecture(rust: &'static str) -> &'static str {
    match rust {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_files_are_understood() {
        let meminfo = "MemTotal:       24607348 kB\nMemFree:  1 kB\nMemAvailable:   20000000 kB\n";
        assert_eq!(meminfo_bytes(meminfo, "MemTotal"), Some(24_607_348 * 1024));
        assert_eq!(meminfo_bytes(meminfo, "Mem"), None);
        assert_eq!(
            pretty_name("NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"),
            "Debian GNU/Linux 12 (bookworm)"
        );
        assert_eq!(processes("0.00 0.01 0.05 1/345 6789"), Some(345));
        assert_eq!(go_architecture("x86_64"), "amd64");
    }
}
