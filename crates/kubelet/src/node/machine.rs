//! What the machine is, read once from the kernel, and what it runs short of.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use nix::sys::utsname::uname;

use crate::config::huge_pages::{self, PageSize};
use crate::usage::{self, meminfo_bytes};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) cpu_millis: i64,
    pub(crate) memory_bytes: i64,
    /// Bytes set aside in huge pages, for each size that the kernel has.
    pub(crate) huge_pages: BTreeMap<PageSize, i64>,
    /// Whether the kernel enforces AppArmor profiles.
    pub(crate) has_app_armor: bool,
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
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let machine_id = line("/etc/machine-id");
    let system_uuid = line("/sys/class/dmi/id/product_uuid");
    Machine {
        cpu_millis: i64::try_from(cpus).unwrap_or(1) * 1000,
        memory_bytes: meminfo_bytes(&line("/proc/meminfo"), "MemTotal").map_or(0, number),
        huge_pages: huge_pages::read(Path::new("/sys/kernel/mm/hugepages")).unwrap_or_else(|error| {
            tracing::warn!(%error, "the machine's huge pages cannot be read");
            BTreeMap::new()
        }),
        has_app_armor: line("/sys/module/apparmor/parameters/enabled") == "Y",
        disk_bytes: usage::disk(root_dir).map_or(0, |disk| number(disk.capacity_bytes)),
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

/// What the node runs short of, as it was last found: one looks, others ask.
#[derive(Debug, Default)]
pub(crate) struct Pressures {
    found: Mutex<Pressure>,
}

impl Pressures {
    pub(crate) fn get(&self) -> Pressure {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether that is news.
    pub(crate) fn set(&self, pressure: Pressure) -> bool {
        let before = std::mem::replace(&mut *self.found.lock().unwrap_or_else(PoisonError::into_inner), pressure);
        before != pressure
    }
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
        assert_eq!(
            pretty_name("NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"),
            "Debian GNU/Linux 12 (bookworm)"
        );
        assert_eq!(go_architecture("x86_64"), "amd64");
    }
}
