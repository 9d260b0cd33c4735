//! Which capabilities a container has.

use cri::Capability;

/// What every container gets unless it drops it; containerd's set.
const DEFAULT: [&str; 14] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FSETID",
    "FOWNER",
    "MKNOD",
    "NET_RAW",
    "SETGID",
    "SETUID",
    "SETFCAP",
    "SETPCAP",
    "NET_BIND_SERVICE",
    "SYS_CHROOT",
    "KILL",
    "AUDIT_WRITE",
];

const ALL: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown capability {0:?}")]
pub(crate) struct UnknownCapability(String);

/// The bounding set, with OCI names (`CAP_CHOWN`), in the kernel's order. "All" and the default are
/// what this program has itself (`available`, the kernel's bit set); what is asked for by name and
/// is not there fails when the container starts.
pub(crate) fn bounding(
    asked: Option<&Capability>,
    privileged: bool,
    available: u64,
) -> Result<Vec<String>, UnknownCapability> {
    let has = |name: &str| ALL.iter().position(|known| *known == name).is_some_and(|bit| available >> bit & 1 == 1);
    let (add, drop): (&[String], &[String]) =
        asked.map_or((&[], &[]), |asked| (&asked.add_capabilities, &asked.drop_capabilities));
    let (add, drop) = (names(add)?, names(drop)?);
    let mut set: Vec<&str> = match (privileged || add.contains(&"ALL"), drop.contains(&"ALL")) {
        (true, false) => ALL.into_iter().filter(|name| has(name)).collect(),
        (_, true) => Vec::new(),
        (false, false) => DEFAULT.into_iter().filter(|name| has(name)).collect(),
    };
    set.extend(add.iter().filter(|name| **name != "ALL"));
    set.retain(|name| privileged || !drop.contains(name));
    Ok(ALL.into_iter().filter(|name| set.contains(name)).map(|name| format!("CAP_{name}")).collect())
}

/// The capabilities that this program may hand on.
pub(crate) fn available() -> std::io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("CapPrm:"));
    line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .ok_or_else(|| std::io::Error::other("/proc/self/status names no capabilities"))
}

pub(crate) fn ambient(asked: Option<&Capability>) -> Result<Vec<String>, UnknownCapability> {
    let asked: &[String] = asked.map_or(&[], |asked| &asked.add_ambient_capabilities);
    Ok(names(asked)?.into_iter().map(|name| format!("CAP_{name}")).collect())
}

/// Accepts `NET_ADMIN`, `net_admin` and `CAP_NET_ADMIN`.
fn names(asked: &[String]) -> Result<Vec<&'static str>, UnknownCapability> {
    asked
        .iter()
        .map(|name| {
            let upper = name.to_ascii_uppercase();
            let plain = upper.strip_prefix("CAP_").unwrap_or(&upper);
            let known = ALL.into_iter().chain(["ALL"]).find(|known| *known == plain);
            known.ok_or_else(|| UnknownCapability(name.clone()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(add: &[&str], drop: &[&str], privileged: bool) -> Result<String, UnknownCapability> {
        let strings = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let asked =
            Capability { add_capabilities: strings(add), drop_capabilities: strings(drop), ..Default::default() };
        bounding(Some(&asked), privileged, u64::MAX).map(|set| set.join(" ").replace("CAP_", ""))
    }

    #[test]
    fn add_and_drop_combine_as_in_containerd() {
        assert_eq!(bounding(None, false, u64::MAX).unwrap().len(), DEFAULT.len());
        assert_eq!(check(&[], &["ALL"], false).unwrap(), "");
        assert_eq!(check(&["NET_ADMIN", "cap_chown"], &["all"], false).unwrap(), "CHOWN NET_ADMIN");
        assert_eq!(check(&["ALL"], &[], false).unwrap().split(' ').count(), ALL.len());
        assert_eq!(check(&["ALL"], &["SYS_ADMIN"], false).unwrap().split(' ').count(), ALL.len() - 1);
        assert!(!check(&[], &["NET_RAW"], false).unwrap().contains("NET_RAW"));
        assert_eq!(check(&["NET_RAW"], &["NET_RAW"], false).unwrap().split(' ').count(), DEFAULT.len() - 1);
        assert_eq!(check(&[], &[], true).unwrap().split(' ').count(), ALL.len());
        assert_eq!(bounding(None, true, 0b11), Ok(vec!["CAP_CHOWN".to_owned(), "CAP_DAC_OVERRIDE".to_owned()]));
        assert_eq!(check(&["FLY"], &[], false), Err(UnknownCapability("FLY".to_owned())));
    }
}
